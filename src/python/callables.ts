/** The functions and loss classes of a file, found without running it. */
import type {
  ClassDef,
  Expression,
  FunctionDef,
  Module,
  Parameter,
  Source,
  Statement,
} from "./syntax.ts";
import type { SourceSpan } from "../expression/node.ts";

export interface ParameterInfo {
  readonly name: string;
  /** As written; absent for a parameter that must be given. */
  readonly default?: string;
  readonly annotation?: string;
}

export interface CallableInfo {
  readonly name: string;
  readonly kind: "function" | "class";
  readonly file: string;
  readonly line: number;
  /** Where the name stands. */
  readonly nameSpan: SourceSpan;
  /** Where the whole definition stands. */
  readonly span: SourceSpan;
  /** Of a class: those of its forward(), call() or __call__(), without self. */
  readonly parameters: readonly ParameterInfo[];
  /** Of a class: those of its __init__(), without self. */
  readonly settings?: readonly ParameterInfo[];
  readonly docstring: string | null;
}

/** Methods by which an instance computes its loss, in order of preference. */
export const LOSS_METHODS = ["forward", "call", "__call__"] as const;

/** Top-level functions, and top-level classes whose instances can be called as a loss. */
export function callablesOf(module: Module): CallableInfo[] {
  const classes = new Map<string, ClassDef>();
  const found: CallableInfo[] = [];
  const visit = (statements: readonly Statement[]): void => {
    for (const s of statements) {
      if (s.kind === "FunctionDef") found.push(functionInfo(s, module.source));
      else if (s.kind === "ClassDef") {
        classes.set(s.name, s);
        const info = classInfo(s, classes, module.source);
        if (info !== null) found.push(info);
      } else if (s.kind === "If") visit([...s.body, ...s.otherwise]);
      else if (s.kind === "Try") visit([...s.body, ...s.otherwise]);
    }
  };
  visit(module.body);
  return found;
}

function functionInfo(node: FunctionDef, source: Source): CallableInfo {
  return {
    name: node.name,
    kind: "function",
    file: source.file,
    line: node.nameSpan.line,
    nameSpan: node.nameSpan,
    span: node.span,
    parameters: parametersOf(node, source, false),
    docstring: node.code.docstring,
  };
}

function classInfo(
  node: ClassDef,
  classes: ReadonlyMap<string, ClassDef>,
  source: Source,
): CallableInfo | null {
  const [method] = LOSS_METHODS.map((name) => methodOf(node, name, classes)).filter(
    (m) => m !== null,
  );
  if (method === undefined) return null;
  const init = methodOf(node, "__init__", classes);
  return {
    name: node.name,
    kind: "class",
    file: source.file,
    line: node.nameSpan.line,
    nameSpan: node.nameSpan,
    span: node.span,
    parameters: parametersOf(method, source, true),
    settings: init === null ? [] : parametersOf(init, source, true),
    docstring: node.docstring ?? method.code.docstring,
  };
}

/** The method of that name, also of base classes in the same file. */
function methodOf(
  node: ClassDef,
  name: string,
  classes: ReadonlyMap<string, ClassDef>,
  depth = 0,
): FunctionDef | null {
  const own = node.body.find((s): s is FunctionDef => s.kind === "FunctionDef" && s.name === name);
  if (own !== undefined || depth > 20) return own ?? null;
  for (const base of node.bases) {
    const parent = base.value.kind === "Name" ? classes.get(base.value.id) : undefined;
    if (parent === undefined || parent === node) continue;
    const inherited = methodOf(parent, name, classes, depth + 1);
    if (inherited !== null) return inherited;
  }
  return null;
}

function parametersOf(node: FunctionDef, source: Source, isMethod: boolean): ParameterInfo[] {
  const isStatic = node.decorators.some((d) => d.kind === "Name" && d.id === "staticmethod");
  const { parameters } = node.code;
  return (isMethod && !isStatic ? parameters.slice(1) : parameters).map((p) =>
    parameterInfo(p, source),
  );
}

function parameterInfo(p: Parameter, source: Source): ParameterInfo {
  const star = p.kind === "args" ? "*" : p.kind === "kwargs" ? "**" : "";
  return {
    name: star + p.name,
    ...(p.default === null ? {} : { default: textOf(p.default, source) }),
    ...(p.annotation === null ? {} : { annotation: p.annotation }),
  };
}

/** The expression as written; of several lines, one. */
export function textOf(e: Expression, source: Source): string {
  const { line, column, endLine, endColumn } = e.span;
  const lines = source.lines.slice(line - 1, endLine);
  if (lines.length === 0 || endColumn === undefined) return "";
  lines[lines.length - 1] = lines.at(-1)!.slice(0, endColumn - 1);
  lines[0] = lines[0]!.slice(column - 1);
  return lines.join(" ");
}
