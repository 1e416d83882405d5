/** Patterns of `match`: the parser's tree → syntax.ts. */
import type { Expression, Pattern } from "../syntax.ts";
import { type TreeNode, namedChildren } from "../tree.ts";
import type { Lowering } from "./context.ts";
import { lowerExpression } from "./expressions.ts";

/** What stands between `case` and its guard: several patterns without brackets are a sequence. */
export function lowerPatterns(cx: Lowering, clause: TreeNode): Pattern {
  const parts = namedChildren(clause).filter((c) => c.type === "case_pattern");
  const first = parts[0] ?? cx.fail(clause, "invalid syntax");
  const commas = clause.children.some((c) => !c.named && c.type === ",");
  const items = parts.map((c) => lowerPattern(cx, c));
  return items.length === 1 && !commas && items[0]!.kind !== "StarPattern"
    ? items[0]!
    : { kind: "SequencePattern", items, span: first.span };
}

function lowerPattern(cx: Lowering, node: TreeNode): Pattern {
  const { span } = node;
  switch (node.type) {
    case "case_pattern": {
      const inner = significant(node);
      return literalOf(cx, inner, 0)?.pattern ?? lowerPattern(cx, inner[0] ?? missing(cx, node));
    }
    case "dotted_name":
      return namePattern(cx, node);
    case "_":
      return { kind: "CapturePattern", name: null, pattern: null, span };
    case "tuple_pattern":
    case "list_pattern":
      return sequencePattern(cx, node);
    case "splat_pattern":
      return { kind: "StarPattern", name: boundName(cx, node), span };
    case "dict_pattern":
      return mappingPattern(cx, node);
    case "class_pattern":
      return classPattern(cx, node);
    case "union_pattern":
      return orPattern(cx, node);
    case "as_pattern": {
      const [pattern, name] = namedChildren(node);
      if (pattern === undefined || name === undefined) return missing(cx, node);
      cx.bind(cx.textOf(name));
      return {
        kind: "CapturePattern",
        name: cx.textOf(name),
        pattern: lowerPattern(cx, pattern),
        span,
      };
    }
    default:
      return { kind: "ValuePattern", value: lowerExpression(cx, node), span };
  }
}

/** Without the bars, brackets and commas between the parts; minus signs are parts. */
function significant(node: TreeNode): TreeNode[] {
  return node.children.filter((c) => c.named || c.type === "_" || c.type === "-");
}

function missing(cx: Lowering, node: TreeNode): never {
  return cx.fail(node, "invalid syntax");
}

/** `-5` is a sign and a number side by side in the parser's tree. */
function literalOf(
  cx: Lowering,
  parts: readonly TreeNode[],
  at: number,
): { readonly pattern: Pattern; readonly used: number } | null {
  if (parts[at]?.type !== "-") return null;
  const number = parts[at + 1] ?? missing(cx, parts[at]);
  const operand = lowerExpression(cx, number);
  const value: Expression = { kind: "Unary", op: "-", operand, span: number.span };
  return { pattern: { kind: "ValuePattern", value, span: number.span }, used: 2 };
}

/** A plain name captures; a dotted one is looked up and compared. */
function namePattern(cx: Lowering, node: TreeNode): Pattern {
  const names = namedChildren(node);
  if (names.length > 1) return { kind: "ValuePattern", value: dotted(cx, node), span: node.span };
  return {
    kind: "CapturePattern",
    name: boundName(cx, node),
    pattern: null,
    span: node.span,
  };
}

/** The name that a capture or a star binds; `null` for `_`. */
function boundName(cx: Lowering, node: TreeNode): string | null {
  const name = cx.textOf(namedChildren(node)[0] ?? node).replace(/^\*+\s*/, "");
  if (name === "_") return null;
  cx.bind(name);
  return name;
}

function dotted(cx: Lowering, node: TreeNode): Expression {
  const { span } = node;
  const [first, ...rest] = namedChildren(node);
  const start: Expression = { kind: "Name", id: cx.textOf(first ?? node), span };
  return rest.reduce<Expression>(
    (value, c) => ({ kind: "Attribute", value, name: cx.textOf(c), span }),
    start,
  );
}

/** Round brackets around one pattern without a comma only group. */
function sequencePattern(cx: Lowering, node: TreeNode): Pattern {
  const items = namedChildren(node).map((c) => lowerPattern(cx, c));
  const comma = node.children.some((c) => !c.named && c.type === ",");
  const groups = node.type === "tuple_pattern" && items.length === 1 && !comma;
  return groups ? items[0]! : { kind: "SequencePattern", items, span: node.span };
}

function mappingPattern(cx: Lowering, node: TreeNode): Pattern {
  const items: { key: Expression; pattern: Pattern }[] = [];
  let rest: string | null = null;
  let key: TreeNode | null = null;
  for (const c of node.children) {
    if (c.field === "key" && c.named) key = c;
    else if (c.field === "value" && c.named && key !== null) {
      const at = key.type === "dotted_name" ? dotted(cx, key) : lowerExpression(cx, key);
      items.push({ key: at, pattern: lowerPattern(cx, c) });
    } else if (c.type === "splat_pattern") rest = boundName(cx, c);
  }
  return { kind: "MappingPattern", items, rest, span: node.span };
}

function classPattern(cx: Lowering, node: TreeNode): Pattern {
  const [name, ...args] = namedChildren(node);
  if (name === undefined) return missing(cx, node);
  const positional: Pattern[] = [];
  const keywords: { name: string; pattern: Pattern }[] = [];
  for (const arg of args) {
    const inner = namedChildren(arg)[0];
    if (inner?.type !== "keyword_pattern") {
      positional.push(lowerPattern(cx, arg));
      continue;
    }
    const parts = significant(inner);
    const value = literalOf(cx, parts, 1)?.pattern ?? lowerPattern(cx, parts[1] ?? inner);
    keywords.push({ name: cx.textOf(parts[0] ?? inner), pattern: value });
  }
  return { kind: "ClassPattern", cls: dotted(cx, name), positional, keywords, span: node.span };
}

function orPattern(cx: Lowering, node: TreeNode): Pattern {
  const parts = significant(node);
  const alternatives: Pattern[] = [];
  for (let k = 0; k < parts.length;) {
    const literal = literalOf(cx, parts, k);
    alternatives.push(literal?.pattern ?? lowerPattern(cx, parts[k]!));
    k += literal?.used ?? 1;
  }
  return { kind: "OrPattern", alternatives, span: node.span };
}
