/** Expressions: the parser's tree → syntax.ts. */
import type {
  BinaryOperator,
  CallArgument,
  ComparisonOperator,
  ComprehensionClause,
  Expression,
  Sequence,
} from "../syntax.ts";
import { type TreeNode, field, fields, hasToken, namedChildren } from "../tree.ts";
import type { Lowering } from "./context.ts";
import { lowerLambda } from "./functions.ts";
import { lowerConcatenatedString, lowerNumber, lowerString } from "./literals.ts";

export function lowerExpression(cx: Lowering, node: TreeNode): Expression {
  const { span } = node;
  switch (node.type) {
    case "identifier":
      return { kind: "Name", id: cx.textOf(node), span };
    case "integer":
    case "float":
      return lowerNumber(cx, node);
    case "string":
      return lowerString(cx, node);
    case "concatenated_string":
      return lowerConcatenatedString(cx, node);
    case "true":
      return { kind: "Singleton", value: "True", span };
    case "false":
      return { kind: "Singleton", value: "False", span };
    case "none":
      return { kind: "Singleton", value: "None", span };
    case "ellipsis":
      return { kind: "Singleton", value: "Ellipsis", span };
    case "parenthesized_expression":
      return lowerExpression(cx, only(cx, node));
    case "attribute":
      return {
        kind: "Attribute",
        value: lowerExpression(cx, need(cx, node, "object")),
        name: cx.textOf(need(cx, node, "attribute")),
        span,
      };
    case "subscript":
      return lowerSubscript(cx, node);
    case "slice":
      return lowerSlice(cx, node);
    case "call":
      return {
        kind: "Call",
        callee: lowerExpression(cx, need(cx, node, "function")),
        args: lowerArguments(cx, need(cx, node, "arguments")),
        span,
      };
    case "binary_operator":
      return lowerChain(cx, node, (at, left) => ({
        kind: "Binary",
        op: operator(cx, at) as BinaryOperator,
        left,
        right: lowerExpression(cx, need(cx, at, "right")),
        span: at.span,
      }));
    case "unary_operator":
      return {
        kind: "Unary",
        op: operator(cx, node) as "-" | "+" | "~",
        operand: lowerExpression(cx, need(cx, node, "argument")),
        span,
      };
    case "not_operator":
      return {
        kind: "Unary",
        op: "not",
        operand: lowerExpression(cx, need(cx, node, "argument")),
        span,
      };
    case "boolean_operator":
      return lowerChain(cx, node, (at, left) => ({
        kind: "Boolean",
        op: operator(cx, at) as "and" | "or",
        left,
        right: lowerExpression(cx, need(cx, at, "right")),
        span: at.span,
      }));
    case "comparison_operator":
      return lowerComparison(cx, node);
    case "conditional_expression": {
      const [then, test, otherwise] = namedChildren(node).map((c) => lowerExpression(cx, c));
      if (then === undefined || test === undefined || otherwise === undefined)
        cx.fail(node, "expected 'else' after 'if' expression");
      return { kind: "Conditional", test, then, otherwise, span };
    }
    case "tuple":
    case "expression_list":
    case "pattern_list":
    case "tuple_pattern":
      return sequence(cx, node, "Tuple");
    case "list":
    case "list_pattern":
      return sequence(cx, node, "List");
    case "set":
      return sequence(cx, node, "Set");
    case "dictionary":
      return lowerDictionary(cx, node);
    case "lambda":
      return { kind: "Lambda", code: lowerLambda(cx, node), span };
    case "list_comprehension":
    case "set_comprehension":
    case "dictionary_comprehension":
    case "generator_expression":
      return lowerComprehension(cx, node);
    case "named_expression": {
      const name = cx.textOf(need(cx, node, "name"));
      cx.bind(name);
      return { kind: "Walrus", name, value: lowerExpression(cx, need(cx, node, "value")), span };
    }
    case "list_splat":
    case "list_splat_pattern":
      if (cx.unstarred.has(node)) return lowerExpression(cx, only(cx, node));
      return cx.fail(node, "can't use starred expression here");
    case "yield": {
      if (cx.bindings.kind !== "function") cx.fail(node, "'yield' outside function");
      cx.bindings.isGenerator = true;
      const value = namedChildren(node)[0];
      return {
        kind: "Yield",
        value: value === undefined ? null : lowerExpression(cx, value),
        from: hasToken(node, "from"),
        span,
      };
    }
    case "await":
      return { kind: "Unsupported", construct: "await", span };
    case "as_pattern":
    case "ERROR":
      return cx.fail(node, "invalid syntax");
    default:
      return { kind: "Unsupported", construct: node.type.replaceAll("_", " "), span };
  }
}

/** `a + b + c` leans to the left: built from the innermost operation outwards, without recursion. */
function lowerChain(
  cx: Lowering,
  node: TreeNode,
  build: (at: TreeNode, left: Expression) => Expression,
): Expression {
  const spine: TreeNode[] = [];
  let at = node;
  for (; at.type === node.type; at = need(cx, at, "left")) spine.push(at);
  return spine.reduceRight((left, x) => build(x, left), lowerExpression(cx, at));
}

export function need(cx: Lowering, node: TreeNode, name: string): TreeNode {
  return field(node, name) ?? cx.fail(node, "invalid syntax");
}

function only(cx: Lowering, node: TreeNode): TreeNode {
  return namedChildren(node)[0] ?? cx.fail(node, "invalid syntax");
}

function operator(cx: Lowering, node: TreeNode): string {
  return node.children.find((c) => !c.named)?.type ?? cx.fail(node, "invalid syntax");
}

/** An item of a display or a call, which may be starred. */
export function lowerItem(cx: Lowering, node: TreeNode): Expression {
  const star = leadingStar(node);
  if (star === null) return lowerExpression(cx, node);
  const { span } = node;
  if (star === node) return { kind: "Starred", value: lowerExpression(cx, only(cx, node)), span };
  cx.unstarred.add(star);
  return { kind: "Starred", value: lowerExpression(cx, node), span };
}

/** The grammar reads `*f(x)` as `(*f)(x)`: the star is at the far left, below calls and attributes. */
function leadingStar(node: TreeNode): TreeNode | null {
  for (let at: TreeNode | undefined = node; at !== undefined;) {
    if (at.type === "list_splat" || at.type === "list_splat_pattern") return at;
    if (at.type !== "call" && at.type !== "attribute" && at.type !== "subscript") return null;
    at = at.children[0];
  }
  return null;
}

function sequence(cx: Lowering, node: TreeNode, kind: Sequence["kind"]): Sequence {
  return { kind, items: namedChildren(node).map((c) => lowerItem(cx, c)), span: node.span };
}

function lowerSubscript(cx: Lowering, node: TreeNode): Expression {
  const value = lowerExpression(cx, need(cx, node, "value"));
  const parts = fields(node, "subscript").map((c) => lowerItem(cx, c));
  const first = parts[0] ?? cx.fail(node, "invalid syntax");
  const index: Expression =
    parts.length === 1 && !hasToken(node, ",")
      ? first
      : { kind: "Tuple", items: parts, span: first.span };
  return { kind: "Subscript", value, index, span: node.span };
}

/** The bounds are told apart by the colons between them. */
function lowerSlice(cx: Lowering, node: TreeNode): Expression {
  const bounds: (Expression | null)[] = [null, null, null];
  let at = 0;
  for (const child of node.children) {
    if (child.named) bounds[at] = lowerExpression(cx, child);
    else if (child.type === ":") at++;
  }
  const [lower, upper, step] = bounds as [Expression | null, Expression | null, Expression | null];
  return { kind: "Slice", lower, upper, step, span: node.span };
}

/** The arguments of a call, or the bases of a class. */
export function lowerArguments(cx: Lowering, node: TreeNode): CallArgument[] {
  if (node.type === "generator_expression") {
    return [{ kind: "positional", name: null, value: lowerExpression(cx, node) }];
  }
  let sawKeyword = false;
  return namedChildren(node).map((c): CallArgument => {
    switch (c.type) {
      case "keyword_argument":
        sawKeyword = true;
        return {
          kind: "keyword",
          name: cx.textOf(need(cx, c, "name")),
          value: lowerExpression(cx, need(cx, c, "value")),
        };
      case "dictionary_splat":
        sawKeyword = true;
        return { kind: "doubleStar", name: null, value: lowerExpression(cx, only(cx, c)) };
      case "parenthesized_expression":
        if (namedChildren(c)[0]?.type === "list_splat")
          cx.fail(c, "can't use starred expression here");
    }
    const item = lowerItem(cx, c);
    if (item.kind === "Starred") return { kind: "star", name: null, value: item.value };
    if (sawKeyword) cx.fail(c, "positional argument follows keyword argument");
    return { kind: "positional", name: null, value: item };
  });
}

function lowerComparison(cx: Lowering, node: TreeNode): Expression {
  const operands = namedChildren(node).map((c) => lowerExpression(cx, c));
  const ops = node.children
    .filter((c) => !c.named)
    .map((c) => (c.type === "<>" ? "!=" : c.type) as ComparisonOperator);
  const [first, ...others] = operands;
  if (first === undefined || others.length !== ops.length) cx.fail(node, "invalid syntax");
  const rest = others.map((value, k) => ({ op: ops[k]!, value }));
  return { kind: "Compare", first, rest, span: node.span };
}

function lowerDictionary(cx: Lowering, node: TreeNode): Expression {
  const items = namedChildren(node).map((c) => {
    if (c.type === "dictionary_splat")
      return { key: null, value: lowerExpression(cx, only(cx, c)) };
    return {
      key: lowerExpression(cx, need(cx, c, "key")),
      value: lowerExpression(cx, need(cx, c, "value")),
    };
  });
  return { kind: "Dict", items, span: node.span };
}

function lowerComprehension(cx: Lowering, node: TreeNode): Expression {
  const body = need(cx, node, "body");
  const result =
    node.type === "list_comprehension"
      ? "list"
      : node.type === "set_comprehension"
        ? "set"
        : node.type === "dictionary_comprehension"
          ? "dict"
          : "generator";
  const clauses: (ComprehensionClause & { conditions: Expression[] })[] = [];
  for (const c of namedChildren(node)) {
    if (c.type === "for_in_clause") {
      if (hasToken(c, "async")) {
        return { kind: "Unsupported", construct: "asynchronous comprehension", span: node.span };
      }
      clauses.push({
        target: lowerTarget(cx, need(cx, c, "left"), false),
        iterable: lowerIterable(cx, c),
        conditions: [],
      });
    } else if (c.type === "if_clause") {
      clauses.at(-1)?.conditions.push(lowerExpression(cx, only(cx, c)));
    }
  }
  const isPair = body.type === "pair";
  return {
    kind: "Comprehension",
    result,
    element: lowerExpression(cx, isPair ? need(cx, body, "key") : body),
    value: isPair ? lowerExpression(cx, need(cx, body, "value")) : null,
    clauses,
    span: node.span,
  };
}

/** `for x in a, b`: several expressions after `in` are a tuple. */
function lowerIterable(cx: Lowering, clause: TreeNode): Expression {
  const parts = fields(clause, "right");
  const first = parts[0] ?? cx.fail(clause, "invalid syntax");
  if (parts.length === 1) return lowerExpression(cx, first);
  return { kind: "Tuple", items: parts.map((c) => lowerItem(cx, c)), span: first.span };
}

/** What stands left of `=`, after `for` or after `as`. `bind`: it names a variable of this scope. */
export function lowerTarget(cx: Lowering, node: TreeNode, bind = true): Expression {
  switch (node.type) {
    case "identifier":
      if (bind) cx.bind(cx.textOf(node));
      return { kind: "Name", id: cx.textOf(node), span: node.span };
    case "as_pattern_target":
    case "parenthesized_expression":
      return lowerTarget(cx, only(cx, node), bind);
    case "pattern_list":
    case "tuple_pattern":
    case "expression_list":
    case "tuple":
      return targets(cx, node, "Tuple", bind);
    case "list_pattern":
    case "list":
      return targets(cx, node, "List", bind);
    case "list_splat_pattern":
    case "list_splat":
      return { kind: "Starred", value: lowerTarget(cx, only(cx, node), bind), span: node.span };
    case "attribute":
    case "subscript":
      return lowerExpression(cx, node);
    default:
      return cx.fail(node, cannotAssign(node.type));
  }
}

/** Python's message for a left side of that type. */
export function cannotAssign(type: string): string {
  const what = NOT_ASSIGNABLE[type] ?? "expression";
  return `cannot assign to ${what} here. Maybe you meant '==' instead of '='?`;
}

const NOT_ASSIGNABLE: Readonly<Record<string, string>> = {
  call: "function call",
  integer: "literal",
  float: "literal",
  string: "literal",
  true: "True",
  false: "False",
  none: "None",
  ellipsis: "ellipsis",
  comparison_operator: "comparison",
  conditional_expression: "conditional expression",
  lambda: "lambda",
};

function targets(cx: Lowering, node: TreeNode, kind: "Tuple" | "List", bind: boolean): Sequence {
  const items = namedChildren(node).map((c) => lowerTarget(cx, c, bind));
  if (items.filter((t) => t.kind === "Starred").length > 1)
    cx.fail(node, "multiple starred expressions in assignment");
  return { kind, items, span: node.span };
}
