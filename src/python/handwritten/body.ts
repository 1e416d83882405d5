/** Where the body of a hand-written gradient stands, and what its code can get at. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { asArgument } from "../interpreter/naming.ts";
import type { Statement } from "../syntax.ts";
import type { FunctionValue, Value } from "../values.ts";
import type { Available } from "./record.ts";

/** The function behind static methods and decorators that leave it as it is; null for others. */
export function functionBehind(v: Value | undefined): FunctionValue | null {
  switch (v?.kind) {
    case "function":
      return v;
    case "staticmethod":
    case "classmethod":
      return functionBehind(v.callee);
    case "method":
      return functionBehind(v.callee);
    case "builtin":
      return functionBehind(v.wraps);
    default:
      return null;
  }
}

/** The `def` as a whole, or what the lambda returns. */
export function definitionOf(fn: FunctionValue): SourceSpan {
  return (
    fn.definition?.span ??
    fn.code.body[0]?.span ?? { file: fn.code.source.file, line: 1, column: 1 }
  );
}

export interface Body {
  readonly body: SourceSpan;
  readonly indent: string;
  readonly isLambda: boolean;
}

/** The statements after the docstring; null where they do not stand on lines of their own. */
export function bodyOf(fn: FunctionValue): Body | null {
  const { source } = fn.code;
  if (fn.definition === null) {
    const only = fn.code.body[0];
    if (only?.kind !== "Return" || only.value === null) return null;
    return { body: only.value.span, indent: "", isLambda: true };
  }
  const statements = fn.code.body.filter((s, k) => k > 0 || !isDocstring(s));
  const [first, last] = [statements[0], statements.at(-1)];
  if (first === undefined || last === undefined) return null;
  const before = (source.lines[first.span.line - 1] ?? "").slice(0, first.span.column - 1);
  if (before.trim() !== "") return null;
  const { endLine, endColumn } = last.span;
  const end = { endLine: endLine ?? last.span.line, endColumn: endColumn ?? last.span.column };
  const { file, line, column } = first.span;
  return { body: { file, line, column, ...end }, indent: before, isLambda: false };
}

function isDocstring(s: Statement): boolean {
  return s.kind === "Expression" && s.value.kind === "String";
}

/**
 * What code written in the function's place can use by name: named numbers, and the arrays of the
 * functions that it is written in.
 */
export function visibleFrom(fn: FunctionValue): Available[] {
  const found: Available[] = [];
  const seen = new Set<string>();
  for (let scope: FunctionValue["scope"] | null = fn.scope; scope !== null; scope = scope.parent) {
    if (scope.kind === "class") continue;
    for (const [name, v] of scope.variables) {
      if (seen.has(name)) continue;
      seen.add(name);
      const isArray = v.kind === "tensor" && scope.kind === "function";
      const e = isArray || v.kind === "number" ? exprOf(v) : null;
      if (e !== null) found.push({ node: e, code: name });
    }
  }
  return found;
}

/** Arrays and named numbers among the values that a function was called with, under its own names. */
export function boundTo(fn: FunctionValue, args: readonly Value[]): Available[] {
  return fn.code.parameters.flatMap((p, k): Available[] => {
    const v = args[k];
    const e = v === undefined ? null : exprOf(asArgument(p.name, v));
    return e === null ? [] : [{ node: e, code: p.name }];
  });
}

export function exprOf(v: Value | undefined): Expr | null {
  if (v?.kind === "tensor") return v.expr;
  return v?.kind === "number" ? v.symbol : null;
}

/** What the module calls the libraries that it has imported: "numpy" → "np". */
export function modulesOf(fn: FunctionValue): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, v] of fn.scope.module.variables) {
    if (v.kind === "module" && !found.has(v.name)) found.set(v.name, name);
  }
  return found;
}
