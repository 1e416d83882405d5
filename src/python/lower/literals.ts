/** Numbers and strings: Python's prefixes, escapes and f-strings. */
import type { Expression, FString, FStringPart, StringLiteral } from "../syntax.ts";
import { type TreeNode, field, hasToken, namedChildren } from "../tree.ts";
import type { Lowering } from "./context.ts";
import { lowerExpression } from "./expressions.ts";

export function lowerNumber(cx: Lowering, node: TreeNode): Expression {
  const raw = cx.textOf(node);
  const text = raw.replaceAll("_", "").toLowerCase();
  const { span } = node;
  if (text.endsWith("j")) {
    return { kind: "Number", value: Number(text.slice(0, -1)), type: "complex", span };
  }
  if (/^0[xob]/.test(text)) return { kind: "Number", value: Number(text), type: "int", span };
  if (text.endsWith("l")) cx.fail(node, "invalid decimal literal");
  if (/^0\d+$/.test(text) && !/^0+$/.test(text)) {
    cx.fail(
      node,
      "leading zeros in decimal integer literals are not permitted; " +
        "use an 0o prefix for octal integers",
    );
  }
  const type = node.type === "integer" ? "int" : "float";
  return { kind: "Number", value: Number(text), type, span };
}

export function lowerString(cx: Lowering, node: TreeNode): StringLiteral | FString {
  const start = node.children.find((c) => c.type === "string_start");
  const end = node.children.find((c) => c.type === "string_end");
  if (start === undefined || end === undefined) cx.fail(node, "invalid syntax");
  const prefix = cx
    .textOf(start)
    .replace(/["']+$/, "")
    .toLowerCase();
  const raw = prefix.includes("r");
  const bytes = prefix.includes("b");
  const decode = (text: string): string => (raw ? text : decodeEscapes(text, bytes));
  const span = node.span;
  if (!/[ft]/.test(prefix)) {
    return { kind: "String", value: decode(cx.text.slice(start.end, end.start)), bytes, span };
  }
  const braces = (text: string): string => decode(text.replaceAll("{{", "{").replaceAll("}}", "}"));
  const parts: FStringPart[] = [];
  let at = start.end;
  for (const piece of node.children.flatMap((c) =>
    c.type === "interpolation" ? [c] : [...c.children],
  )) {
    if (piece.type !== "interpolation") continue;
    if (piece.start > at) parts.push(braces(cx.text.slice(at, piece.start)));
    parts.push(lowerInterpolation(cx, piece));
    at = piece.end;
  }
  if (end.start > at) parts.push(braces(cx.text.slice(at, end.start)));
  return { kind: "FString", parts, span };
}

/** `{value!r:format}`, also inside another format. */
function lowerInterpolation(cx: Lowering, node: TreeNode): FStringPart {
  const value = field(node, "expression") ?? namedChildren(node)[0];
  if (value === undefined) cx.fail(node, "f-string: valid expression required before '}'");
  const conversion = namedChildren(node).find((c) => c.type === "type_conversion");
  const format = namedChildren(node).find((c) => c.type === "format_specifier");
  const equals = hasToken(node, "=")
    ? node.children.find((c) => !c.named && c.type === "=" && c.start >= value.end)
    : undefined;
  return {
    value: lowerExpression(cx, value),
    conversion: conversion === undefined ? null : cx.textOf(conversion).replace("!", ""),
    format: format === undefined ? [] : lowerFormat(cx, format),
    shown: equals === undefined ? null : cx.text.slice(node.start + 1, equals.end),
  };
}

function lowerFormat(cx: Lowering, node: TreeNode): FStringPart[] {
  const parts: FStringPart[] = [];
  let at = node.start + 1; // after the colon
  for (const piece of namedChildren(node)) {
    if (piece.type !== "format_expression" && piece.type !== "interpolation") continue;
    if (piece.start > at) parts.push(cx.text.slice(at, piece.start));
    parts.push(lowerInterpolation(cx, piece));
    at = piece.end;
  }
  if (node.end > at) parts.push(cx.text.slice(at, node.end));
  return parts;
}

/** Adjacent literals join; one f-string makes the whole an f-string. */
export function lowerConcatenatedString(cx: Lowering, node: TreeNode): Expression {
  const pieces = namedChildren(node).map((c) => lowerString(cx, c));
  const { span } = node;
  if (pieces.every((p) => p.kind === "String")) {
    const value = pieces.map((p) => p.value).join("");
    return { kind: "String", value, bytes: pieces.some((p) => p.bytes), span };
  }
  const parts = pieces.flatMap((p): readonly FStringPart[] =>
    p.kind === "String" ? [p.value] : p.parts,
  );
  return { kind: "FString", parts, span };
}

const SIMPLE: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

function decodeEscapes(text: string, bytes: boolean): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\(?:(\r?\n)|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (
      whole: string,
      newline: string | undefined,
      x: string | undefined,
      u: string | undefined,
      long: string | undefined,
      octal: string | undefined,
      other: string | undefined,
    ) => {
      if (newline !== undefined) return "";
      if (x !== undefined) return String.fromCharCode(parseInt(x, 16));
      if (bytes && (u ?? long) !== undefined) return whole;
      if (u !== undefined) return String.fromCharCode(parseInt(u, 16));
      if (long !== undefined) {
        const point = parseInt(long, 16);
        return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
      }
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
      return SIMPLE[other ?? ""] ?? whole; // unknown escapes stay as written, as in Python
    },
  );
}
