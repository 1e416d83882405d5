/** Which values are losses: those with a body to read, and the libraries' own. */
import { LOSS_METHODS } from "../callables.ts";
import type { SourceSpan } from "../../expression/node.ts";
import type { CallArgument, Expression, Parameter } from "../syntax.ts";
import { type FunctionValue, type LibraryParameter, NONE, type Value } from "../values.ts";
import { lookup, nativeOf } from "./attributes.ts";
import { isCallable } from "./calls.ts";
import type { Interpreter } from "./interpreter.ts";
import { Scope } from "./scope.ts";

/** A loss that a library's model computes: an object (`nn.BCELoss()`) or a function. */
export interface LibraryLoss {
  readonly name: string;
  readonly parameters: readonly LibraryParameter[];
}

/** What the libraries call what a loss compares a prediction with. */
const TARGET = /^(y_true|targets?|labels?)$/;

/** Whether a call of it is that of a loss, which a cell or a request asks about. */
export function isLoss(v: Value): boolean {
  if (v.kind === "method") return isLoss(v.callee) || libraryLoss(v) !== null;
  if (v.kind === "builtin") {
    return v.wraps === undefined ? libraryLoss(v) !== null : isLoss(v.wraps);
  }
  if (v.kind !== "instance") return v.kind === "function";
  if (!isCallable(v)) return false;
  if (nativeOf(v.cls, "traced") !== undefined) return true;
  const own = LOSS_METHODS.map((name) => lookup(v.cls.mro, name)).find((m) => m !== undefined);
  return own?.kind === "builtin" && own.wraps === undefined ? libraryLoss(v) !== null : true;
}

/** Null for what is no loss (a layer, a sum), and for losses written in Python. */
export function libraryLoss(v: Value): LibraryLoss | null {
  switch (v.kind) {
    case "builtin":
      return lossOf(v.name.replace(/^.*\./, ""), v.parameters?.() ?? []);
    case "method":
      if (v.callee.kind !== "builtin") return null;
      return lossOf(v.callee.name.replace(/^.*\./, ""), v.callee.parameters?.().slice(1) ?? []);
    case "instance": {
      const found = LOSS_METHODS.map((name) => lookup(v.cls.mro, name));
      const method = found.find((m) => m !== undefined);
      if (method?.kind !== "builtin") return null;
      const caller = lookup(v.cls.mro, "__call__");
      const extra = caller?.kind === "builtin" ? (caller.extra ?? []) : [];
      return lossOf(v.cls.name, [
        ...(method.parameters?.().slice(1) ?? []),
        ...extra.map((name): LibraryParameter => ({ name, keywordOnly: false, default: NONE })),
      ]);
    }
    default:
      return null;
  }
}

function lossOf(name: string, parameters: readonly LibraryParameter[]): LibraryLoss | null {
  const compares = parameters.length > 1 && parameters.some((p) => TARGET.test(p.name));
  return compares ? { name, parameters } : null;
}

/**
 * A library's loss as a function of the caller's that does nothing but call it, written where the
 * interpreter stands; null if it is no such loss.
 */
export function asFunction(vm: Interpreter, v: Value): FunctionValue | null {
  const loss = libraryLoss(v);
  const { source } = vm;
  if (loss === null || source === null) return null;
  const span = vm.at;
  const parameters = loss.parameters.map((p) => parameterOf(p, span));
  const scope = new Scope("module", null, vm.epoch, { file: source.file });
  scope.variables.set(loss.name, v);
  const callee: Expression = { kind: "Name", id: loss.name, span };
  const args = loss.parameters.map((p): CallArgument => {
    const value: Expression = { kind: "Name", id: p.name, span };
    return p.default === undefined && !p.keywordOnly
      ? { kind: "positional", name: null, value }
      : { kind: "keyword", name: p.name, value };
  });
  return {
    kind: "function",
    code: {
      name: loss.name,
      source,
      parameters,
      body: [{ kind: "Return", value: { kind: "Call", callee, args, span }, span }],
      docstring: null,
      isAsync: false,
      isGenerator: false,
      locals: new Set(loss.parameters.map((p) => p.name)),
      globals: new Set(),
      nonlocals: new Set(),
    },
    scope,
    defaults: new Map(
      loss.parameters.flatMap((p) => (p.default === undefined ? [] : [[p.name, p.default]])),
    ),
    definition: null,
    owner: null,
    attributes: new Map(),
    born: vm.epoch,
  };
}

function parameterOf(p: LibraryParameter, span: SourceSpan): Parameter {
  // What it is stands among the function's defaults; here it counts that there is one.
  const value: Expression = { kind: "Singleton", value: "None", span };
  return {
    name: p.name,
    kind: p.keywordOnly ? "keywordOnly" : "positional",
    default: p.default === undefined ? null : value,
    annotation: null,
    span,
  };
}
