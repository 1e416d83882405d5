/** Statements: the parser's tree → syntax.ts. */
import type {
  BinaryOperator,
  ExceptHandler,
  Expression,
  ImportedName,
  Statement,
} from "../syntax.ts";
import { type TreeNode, field, fields, hasToken, namedChildren } from "../tree.ts";
import type { Lowering } from "./context.ts";
import { lowerArguments, lowerExpression, lowerItem, lowerTarget, need } from "./expressions.ts";
import { lowerFunction } from "./functions.ts";
import { lowerPatterns } from "./patterns.ts";

export function lowerBlock(cx: Lowering, node: TreeNode): Statement[] {
  return lowerStatements(cx, node.children);
}

/** Keywords and signs between the statements are left out. */
export function lowerStatements(cx: Lowering, nodes: readonly TreeNode[]): Statement[] {
  return nodes.filter((c) => c.named).map((c) => lowerStatement(cx, c));
}

function bodyOf(cx: Lowering, node: TreeNode): Statement[] {
  const block = field(node, "body") ?? namedChildren(node).find((c) => c.type === "block");
  return block === undefined ? cx.fail(node, "invalid syntax") : lowerBlock(cx, block);
}

function clause(cx: Lowering, node: TreeNode, type: string): Statement[] {
  const found = namedChildren(node).find((c) => c.type === type);
  return found === undefined ? [] : bodyOf(cx, found);
}

export function docstringOf(body: readonly Statement[]): string | null {
  const first = body[0];
  return first?.kind === "Expression" && first.value.kind === "String" ? first.value.value : null;
}

function lowerStatement(cx: Lowering, node: TreeNode): Statement {
  const { span } = node;
  switch (node.type) {
    case "expression_statement":
      return lowerExpressionStatement(cx, node);
    case "return_statement": {
      if (cx.bindings.kind !== "function") cx.fail(node, "'return' outside function");
      const value = namedChildren(node)[0];
      return { kind: "Return", value: value === undefined ? null : lowerValue(cx, value), span };
    }
    case "if_statement":
      return lowerIf(cx, node, fields(node, "alternative"));
    case "for_statement":
      if (hasToken(node, "async")) return { kind: "Unsupported", construct: "async for", span };
      return {
        kind: "For",
        target: lowerTarget(cx, need(cx, node, "left")),
        iterable: lowerValue(cx, need(cx, node, "right")),
        body: cx.loop(() => bodyOf(cx, node)),
        otherwise: clause(cx, node, "else_clause"),
        span,
      };
    case "while_statement":
      return {
        kind: "While",
        test: lowerExpression(cx, need(cx, node, "condition")),
        body: cx.loop(() => bodyOf(cx, node)),
        otherwise: clause(cx, node, "else_clause"),
        span,
      };
    case "with_statement":
      return lowerWith(cx, node);
    case "try_statement":
      return lowerTry(cx, node);
    case "match_statement":
      return lowerMatch(cx, node);
    case "type_alias_statement":
      return lowerTypeAlias(cx, node);
    case "function_definition":
    case "class_definition":
      return lowerDefinition(cx, node, []);
    case "decorated_definition": {
      const decorators = namedChildren(node)
        .filter((c) => c.type === "decorator")
        .map((c) => lowerExpression(cx, namedChildren(c)[0] ?? cx.fail(c, "invalid syntax")));
      return lowerDefinition(cx, need(cx, node, "definition"), decorators);
    }
    case "raise_statement": {
      const parts = namedChildren(node);
      if (hasToken(node, ",") || parts[0]?.type === "expression_list")
        cx.fail(node, "invalid syntax", "Python 3 writes raise Error(message).");
      const cause = field(node, "cause");
      const value = parts.find((c) => c !== cause);
      return {
        kind: "Raise",
        value: value === undefined ? null : lowerExpression(cx, value),
        cause: cause === null ? null : lowerExpression(cx, cause),
        span,
      };
    }
    case "assert_statement": {
      const [test, message] = namedChildren(node);
      if (test === undefined) cx.fail(node, "invalid syntax");
      return {
        kind: "Assert",
        test: lowerExpression(cx, test),
        message: message === undefined ? null : lowerExpression(cx, message),
        text: cx.textOf(test),
        span,
      };
    }
    case "delete_statement": {
      const target = namedChildren(node)[0] ?? cx.fail(node, "invalid syntax");
      const list = target.type === "expression_list" ? namedChildren(target) : [target];
      return { kind: "Delete", targets: list.map((c) => lowerTarget(cx, c)), span };
    }
    case "import_statement":
      return { kind: "Import", names: importedNames(cx, node, true), span };
    case "import_from_statement":
      return {
        kind: "ImportFrom",
        module: cx.textOf(need(cx, node, "module_name")),
        names: namedChildren(node).some((c) => c.type === "wildcard_import")
          ? null
          : importedNames(cx, node, false),
        span,
      };
    case "future_import_statement":
    case "pass_statement":
      return { kind: "Pass", span };
    case "break_statement":
      if (cx.bindings.loops === 0) cx.fail(node, "'break' outside loop");
      return { kind: "Break", span };
    case "continue_statement":
      if (cx.bindings.loops === 0) cx.fail(node, "'continue' not properly in loop");
      return { kind: "Continue", span };
    case "global_statement":
    case "nonlocal_statement": {
      const declared =
        node.type === "global_statement" ? cx.bindings.globals : cx.bindings.nonlocals;
      for (const c of namedChildren(node)) declared.add(cx.textOf(c));
      return { kind: "Pass", span };
    }
    case "print_statement":
      return cx.fail(
        node,
        "Missing parentheses in call to 'print'. Did you mean print(...)?",
        "This is Python 2; the inspector reads Python 3.",
      );
    case "exec_statement":
      return cx.fail(
        node,
        "Missing parentheses in call to 'exec'. Did you mean exec(...)?",
        "This is Python 2; the inspector reads Python 3.",
      );
    case "ERROR":
      return cx.fail(node, "invalid syntax");
    default:
      return { kind: "Unsupported", construct: node.type.replace(/_statement$/, ""), span };
  }
}

/** A right-hand side: `a, b` without parentheses is a tuple. */
function lowerValue(cx: Lowering, node: TreeNode): Expression {
  return lowerExpression(cx, node);
}

function lowerExpressionStatement(cx: Lowering, node: TreeNode): Statement {
  const { span } = node;
  const [first, second] = namedChildren(node);
  if (first === undefined) cx.fail(node, "invalid syntax");
  if (second !== undefined || hasToken(node, ",")) {
    const items = namedChildren(node).map((c) => lowerItem(cx, c));
    return { kind: "Expression", value: { kind: "Tuple", items, span }, span };
  }
  if (first.type === "assignment") return lowerAssignment(cx, first);
  if (first.type === "augmented_assignment") {
    const target = lowerTarget(cx, need(cx, first, "left"));
    if (target.kind === "Tuple" || target.kind === "List")
      cx.fail(
        first,
        `'${target.kind.toLowerCase()}' is an illegal expression for augmented assignment`,
      );
    const sign = first.children.find((c) => !c.named && c.type.endsWith("="));
    return {
      kind: "AugAssign",
      target,
      op: (sign?.type.slice(0, -1) ?? "+") as BinaryOperator,
      value: lowerValue(cx, need(cx, first, "right")),
      span,
    };
  }
  return { kind: "Expression", value: lowerExpression(cx, first), span };
}

/** `a = b = value` nests to the right in the parser's tree. */
function lowerAssignment(cx: Lowering, node: TreeNode): Statement {
  const { span } = node;
  const type = field(node, "type");
  if (type !== null) {
    const right = field(node, "right");
    return {
      kind: "AnnAssign",
      target: lowerTarget(cx, need(cx, node, "left")),
      annotation: cx.textOf(type),
      value: right === null ? null : lowerValue(cx, right),
      span,
    };
  }
  const targets: Expression[] = [];
  let at = node;
  for (;;) {
    targets.push(lowerTarget(cx, need(cx, at, "left")));
    const right = need(cx, at, "right");
    if (right.type !== "assignment") {
      if (right.type === "augmented_assignment") cx.fail(right, "invalid syntax");
      return { kind: "Assign", targets, value: lowerValue(cx, right), span };
    }
    at = right;
  }
}

/** Each `elif` is an `if` in the `else` of the one above it. */
function lowerIf(cx: Lowering, node: TreeNode, alternatives: readonly TreeNode[]): Statement {
  const branches = [node, ...alternatives].map((c) => ({
    span: c.span,
    test: c === node || c.type === "elif_clause" ? lowerCondition(cx, c) : null,
    body: c === node || c.type === "elif_clause" ? consequence(cx, c) : bodyOf(cx, c),
  }));
  let otherwise: readonly Statement[] = [];
  for (const { test, body, span } of branches.reverse()) {
    otherwise = test === null ? body : [{ kind: "If", test, body, otherwise, span }];
  }
  return otherwise[0]!;
}

const lowerCondition = (cx: Lowering, node: TreeNode): Expression =>
  lowerExpression(cx, need(cx, node, "condition"));

const consequence = (cx: Lowering, node: TreeNode): Statement[] =>
  lowerBlock(cx, need(cx, node, "consequence"));

function lowerWith(cx: Lowering, node: TreeNode): Statement {
  const { span } = node;
  if (hasToken(node, "async")) return { kind: "Unsupported", construct: "async with", span };
  const list = namedChildren(node).find((c) => c.type === "with_clause");
  if (list === undefined) cx.fail(node, "invalid syntax");
  const items = namedChildren(list).map((item) => {
    let value = need(cx, item, "value");
    const inner = value.type === "parenthesized_expression" ? namedChildren(value)[0] : undefined;
    if (inner?.type === "as_pattern") value = inner;
    if (value.type !== "as_pattern") return { context: lowerExpression(cx, value), target: null };
    const [context, target] = namedChildren(value);
    if (context === undefined || target === undefined) cx.fail(value, "invalid syntax");
    return { context: lowerExpression(cx, context), target: lowerTarget(cx, target) };
  });
  return { kind: "With", items, body: bodyOf(cx, node), span };
}

function lowerTry(cx: Lowering, node: TreeNode): Statement {
  const body = bodyOf(cx, node);
  const handlers = namedChildren(node)
    .filter((c) => c.type === "except_clause")
    .map((c): ExceptHandler => lowerHandler(cx, c));
  return {
    kind: "Try",
    body,
    handlers,
    otherwise: clause(cx, node, "else_clause"),
    finally: clause(cx, node, "finally_clause"),
    span: node.span,
  };
}

function lowerHandler(cx: Lowering, node: TreeNode): ExceptHandler {
  const parts = namedChildren(node).filter((c) => c.type !== "block");
  if (parts.length > 1 || hasToken(node, ","))
    cx.fail(node, "multiple exception types must be parenthesized");
  const value = parts[0];
  if (value === undefined) return { type: null, name: null, body: bodyOf(cx, node) };
  if (value.type !== "as_pattern") {
    return { type: lowerExpression(cx, value), name: null, body: bodyOf(cx, node) };
  }
  const [type, target] = namedChildren(value);
  if (type === undefined || target === undefined) cx.fail(value, "invalid syntax");
  const name = lowerTarget(cx, target);
  if (name.kind !== "Name") cx.fail(value, "cannot use except statement with this target");
  return { type: lowerExpression(cx, type), name: name.id, body: bodyOf(cx, node) };
}

function lowerMatch(cx: Lowering, node: TreeNode): Statement {
  const subjects = fields(node, "subject").map((c) => lowerItem(cx, c));
  const first = subjects[0] ?? cx.fail(node, "invalid syntax");
  const alone = subjects.length === 1 && first.kind !== "Starred";
  const subject: Expression = alone ? first : { kind: "Tuple", items: subjects, span: first.span };
  const cases = fields(need(cx, node, "body"), "alternative").map((c) => {
    const guard = field(c, "guard");
    const test = guard === null ? undefined : namedChildren(guard)[0];
    return {
      pattern: lowerPatterns(cx, c),
      guard: test === undefined ? null : lowerExpression(cx, test),
      body: lowerBlock(cx, need(cx, c, "consequence")),
    };
  });
  return { kind: "Match", subject, cases, span: node.span };
}

/** `type X = …` names a type, of which only the name is ever used. */
function lowerTypeAlias(cx: Lowering, node: TreeNode): Statement {
  const name = cx.textOf(need(cx, node, "left")).replace(/\[[\s\S]*$/, "");
  cx.bind(name);
  const target: Expression = { kind: "Name", id: name, span: node.span };
  const value: Expression = { kind: "Singleton", value: "None", span: node.span };
  return { kind: "Assign", targets: [target], value, span: node.span };
}

function lowerDefinition(
  cx: Lowering,
  node: TreeNode,
  decorators: readonly Expression[],
): Statement {
  const name = need(cx, node, "name");
  const common = {
    name: cx.textOf(name),
    nameSpan: name.span,
    decorators,
    span: node.span,
  };
  cx.bind(common.name);
  if (node.type === "function_definition") {
    return { kind: "FunctionDef", code: lowerFunction(cx, node), ...common };
  }
  if (node.type !== "class_definition") cx.fail(node, "invalid syntax");
  const bases = field(node, "superclasses");
  const { result: body } = cx.scope("class", () => bodyOf(cx, node));
  return {
    kind: "ClassDef",
    bases: bases === null ? [] : lowerArguments(cx, bases),
    body,
    docstring: docstringOf(body),
    ...common,
  };
}

function importedNames(cx: Lowering, node: TreeNode, whole: boolean): ImportedName[] {
  return fields(node, "name").map((c) => {
    const path = c.type === "aliased_import" ? need(cx, c, "name") : c;
    const aliasNode = c.type === "aliased_import" ? need(cx, c, "alias") : null;
    const name = cx.textOf(path).replace(/\s+/g, "");
    const alias = aliasNode === null ? null : cx.textOf(aliasNode);
    // `import a.b` binds a; `from m import b` binds b.
    cx.bind(alias ?? (whole ? name.split(".")[0]! : name));
    return { name, alias };
  });
}
