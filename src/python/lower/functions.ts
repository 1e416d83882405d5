/** `def` and `lambda`: parameters, and the names that the body binds. */
import type { Code, Parameter, Source, Statement } from "../syntax.ts";
import { type TreeNode, field, hasToken, namedChildren } from "../tree.ts";
import { type Bindings, Lowering } from "./context.ts";
import { lowerExpression, need } from "./expressions.ts";
import { docstringOf, lowerBlock } from "./statements.ts";

export function lowerFunction(cx: Lowering, node: TreeNode): Code {
  const parameters = lowerParameters(cx, need(cx, node, "parameters"));
  const block = need(cx, node, "body");
  if (block.deferred) return new DeferredCode(cx, node, parameters, lowerBlock(cx, block));
  const { result: body, bindings } = cx.scope("function", () => {
    for (const p of parameters) cx.bind(p.name);
    return lowerBlock(cx, block);
  });
  const name = cx.textOf(need(cx, node, "name"));
  return code(cx, name, parameters, body, bindings, hasToken(node, "async"));
}

/**
 * A function whose body is read when somebody looks into it: of a large module a program calls a few
 * functions. A mistake in a body is found then too, and harms no other function.
 */
class DeferredCode implements Code {
  readonly name: string;
  readonly source: Source;
  readonly parameters: readonly Parameter[];
  readonly docstring: string | null;
  readonly isAsync: boolean;
  private whole: Code | null = null;
  private readonly read: () => Code;

  constructor(
    cx: Lowering,
    node: TreeNode,
    parameters: readonly Parameter[],
    beginning: readonly Statement[],
  ) {
    this.name = cx.textOf(need(cx, node, "name"));
    this.source = cx.source;
    this.parameters = parameters;
    this.docstring = docstringOf(beginning);
    this.isAsync = hasToken(node, "async");
    this.read = () => lowerFunction(new Lowering(cx.source, cx.text, cx.reread), cx.reread(node));
  }

  private get code(): Code {
    return (this.whole ??= this.read());
  }
  get body(): readonly Statement[] {
    return this.code.body;
  }
  get isGenerator(): boolean {
    return this.code.isGenerator;
  }
  get locals(): ReadonlySet<string> {
    return this.code.locals;
  }
  get globals(): ReadonlySet<string> {
    return this.code.globals;
  }
  get nonlocals(): ReadonlySet<string> {
    return this.code.nonlocals;
  }
}

export function lowerLambda(cx: Lowering, node: TreeNode): Code {
  const list = field(node, "parameters");
  const parameters = list === null ? [] : lowerParameters(cx, list);
  const { result: body, bindings } = cx.scope("function", () => {
    for (const p of parameters) cx.bind(p.name);
    const value = lowerExpression(cx, need(cx, node, "body"));
    return [{ kind: "Return", value, span: value.span } satisfies Statement];
  });
  return code(cx, "<lambda>", parameters, body, bindings, false);
}

function code(
  cx: Lowering,
  name: string,
  parameters: readonly Parameter[],
  body: readonly Statement[],
  bindings: Bindings,
  isAsync: boolean,
): Code {
  const { globals, nonlocals, isGenerator } = bindings;
  for (const name of [...globals, ...nonlocals]) bindings.locals.delete(name);
  return {
    name,
    source: cx.source,
    parameters,
    body,
    docstring: docstringOf(body),
    isAsync,
    isGenerator,
    locals: bindings.locals,
    globals,
    nonlocals,
  };
}

function lowerParameters(cx: Lowering, list: TreeNode): Parameter[] {
  const parameters: Parameter[] = [];
  let kind: Parameter["kind"] = "positional";
  const seen = new Set<string>();
  for (const node of namedChildren(list)) {
    if (node.type === "positional_separator") {
      parameters.forEach((p, k) => (parameters[k] = { ...p, kind: "positionalOnly" }));
      continue;
    }
    if (node.type === "keyword_separator") {
      kind = "keywordOnly";
      continue;
    }
    const p = lowerParameter(cx, node, kind);
    if (p.kind === "args") kind = "keywordOnly";
    if (seen.has(p.name)) cx.fail(node, `duplicate argument '${p.name}' in function definition`);
    seen.add(p.name);
    const before = parameters.at(-1);
    if (
      p.kind === "positional" &&
      p.default === null &&
      before?.default &&
      before.kind !== "keywordOnly"
    )
      cx.fail(node, "non-default argument follows default argument");
    parameters.push(p);
  }
  return parameters;
}

function lowerParameter(cx: Lowering, node: TreeNode, kind: Parameter["kind"]): Parameter {
  const { span } = node;
  switch (node.type) {
    case "identifier":
      return { name: cx.textOf(node), kind, default: null, annotation: null, span };
    case "default_parameter":
    case "typed_default_parameter": {
      const name = need(cx, node, "name");
      if (name.type !== "identifier") cx.fail(name, "Function parameters cannot be parenthesized");
      const type = field(node, "type");
      return {
        name: cx.textOf(name),
        kind,
        default: lowerExpression(cx, need(cx, node, "value")),
        annotation: type === null ? null : cx.textOf(type),
        span,
      };
    }
    case "typed_parameter": {
      const inner = namedChildren(node)[0] ?? cx.fail(node, "invalid syntax");
      return {
        ...lowerParameter(cx, inner, kind),
        annotation: cx.textOf(need(cx, node, "type")),
        span,
      };
    }
    case "list_splat_pattern":
    case "dictionary_splat_pattern": {
      const inner = namedChildren(node)[0] ?? cx.fail(node, "invalid syntax");
      const splat = node.type === "list_splat_pattern" ? "args" : "kwargs";
      return { name: cx.textOf(inner), kind: splat, default: null, annotation: null, span };
    }
    case "tuple_pattern":
      return cx.fail(node, "Function parameters cannot be parenthesized");
    default:
      return cx.fail(node, "invalid syntax");
  }
}
