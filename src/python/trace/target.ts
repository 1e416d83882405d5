/** What a traced call really runs: the function behind a class, an instance, a method, a decorator. */
import { LOSS_METHODS } from "../callables.ts";
import { findMethod, lookup, nativeOf } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { asFunction } from "../interpreter/losses.ts";
import { useOpaque } from "../interpreter/opaque.ts";
import type { Parameter } from "../syntax.ts";
import { type ClassValue, type FunctionValue, type Value, typeName } from "../values.ts";
import { assumedSettings } from "./plans.ts";

export interface TraceTarget {
  /** What to call with the arguments. */
  readonly callable: Value;
  /** The function whose body is the loss. */
  readonly fn: FunctionValue;
  /** Its parameters that a caller gives (no self). */
  readonly parameters: readonly Parameter[];
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Methods are called with the instance in front. */
  readonly self: Value | null;
  /** Further arguments that the caller may give and the function never sees: sample weights. */
  readonly extra: readonly string[];
  /** What had to be taken for granted to make an instance of a class. */
  readonly assumptions: readonly string[];
}

const NOTHING_GIVEN = { positional: 0, keywords: new Set<string>() };

/** @throws PythonError if it is nothing that has a body to trace */
export function targetOf(vm: Interpreter, v: Value): TraceTarget {
  switch (v.kind) {
    case "function":
      return madeBy(vm, v) ?? describe(v, v, null, v.code.name);
    case "method": {
      if (v.callee.kind !== "function") return ofLibrary(vm, v);
      return describe(v, v.callee, v.self, v.callee.code.name);
    }
    case "builtin": {
      if (v.wraps === undefined) return ofLibrary(vm, v);
      const inner = targetOf(vm, v.wraps);
      const { positional, keywords } = v.given ?? NOTHING_GIVEN;
      const left = inner.parameters.slice(positional).filter((p) => !keywords.has(p.name));
      return { ...inner, callable: v, parameters: left };
    }
    case "class": {
      const traced = nativeOf(v, "traced")?.(vm, v, null);
      if (traced !== undefined) return named(targetOf(vm, traced), v);
      const init = lookup(v.mro, "__init__");
      const settings = init?.kind === "function" ? init.code.parameters.slice(1) : [];
      const { values, assumptions } = assumedSettings(vm, settings);
      const instance = call(vm, v, [], values);
      if (instance.kind !== "instance") break;
      return { ...targetOf(vm, instance), assumptions };
    }
    case "instance": {
      const traced = nativeOf(v.cls, "traced")?.(vm, v.cls, v);
      if (traced !== undefined) return named(targetOf(vm, traced), v.cls);
      for (const name of LOSS_METHODS) {
        const method = lookup(v.cls.mro, name);
        const fn =
          method?.kind === "function"
            ? method
            : method?.kind === "staticmethod" && method.callee.kind === "function"
              ? method.callee
              : null;
        if (fn === null) continue;
        const self = method?.kind === "staticmethod" ? null : v;
        // A plain class with forward() alone is used through it.
        const isCalled = findMethod(v, "__call__") !== null;
        const bound: Value = self === null ? fn : { kind: "method", self, callee: fn };
        const caller = lookup(v.cls.mro, "__call__");
        const extra = caller?.kind === "builtin" && fn !== caller.wraps ? (caller.extra ?? []) : [];
        const target = describe(isCalled ? v : bound, fn, self, v.cls.name);
        return named({ ...target, extra }, v.cls);
      }
      return ofLibrary(vm, v);
    }
    case "opaque":
      return useOpaque(vm, v);
    default:
      break;
  }
  return ofLibrary(vm, v);
}

/** A loss of a library whose body is not read: the call of it is what is traced. */
function ofLibrary(vm: Interpreter, v: Value): TraceTarget {
  const fn = asFunction(vm, v);
  if (fn !== null) return describe(fn, fn, null, fn.code.name);
  return vm.fail(
    "TypeError",
    `${typeName(v)} is no loss that could be derived`,
    "Name a function, a class with forward(), call() or __call__(), an instance of one, or a library's loss.",
  );
}

/** The loss that a function makes and returns (`def tversky(alpha=0.7): def loss(…): …; return loss`). */
function madeBy(vm: Interpreter, factory: FunctionValue): TraceTarget | null {
  const { parameters, name } = factory.code;
  const makes = returnsOwnFunction(factory) || returnsInstance(factory);
  if (factory.definition === null || !makes) return null;
  const { values, assumptions } = assumedSettings(vm, parameters);
  const isComplete = parameters.every(
    (p) => p.default !== null || p.kind === "args" || p.kind === "kwargs" || values.has(p.name),
  );
  if (!isComplete) {
    return vm.fail(
      "TypeError",
      `${name} makes a loss, and what it is made of is not known here`,
      `Give its arguments: ${name}(${parameters.map((p) => p.name).join(", ")}) with values in their places.`,
    );
  }
  const made = call(vm, factory, [], values);
  const { line, file } = factory.definition.nameSpan;
  if (made.kind === "instance") {
    const target = targetOf(vm, made);
    return { ...target, assumptions: [...assumptions, ...target.assumptions], name, line, file };
  }
  if (made.kind !== "function") return null;
  return { ...describe(made, made, null, name), assumptions, line, file };
}

/** Its last statement returns a function that is defined in it. */
function returnsOwnFunction({ code }: FunctionValue): boolean {
  const last = code.body.at(-1);
  if (last?.kind !== "Return" || last.value === null) return false;
  const { value } = last;
  if (value.kind === "Lambda") return true;
  return (
    value.kind === "Name" && code.body.some((s) => s.kind === "FunctionDef" && s.name === value.id)
  );
}

/** All it does is to return an instance of a class that is a loss: `return DiceLoss(…)`. */
function returnsInstance({ code, scope }: FunctionValue): boolean {
  const [only, ...more] = code.body.filter((s) => s.kind !== "Expression");
  if (only?.kind !== "Return" || more.length > 0) return false;
  if (only.value?.kind !== "Call" || only.value.callee.kind !== "Name") return false;
  const cls = scope.lookup(only.value.callee.id);
  if (cls === undefined || cls === "unbound" || cls.kind !== "class") return false;
  return LOSS_METHODS.some((m) => lookup(cls.mro, m)?.kind === "function");
}

/** Under the class's name, at its definition. */
function named(target: TraceTarget, { name, definition }: ClassValue): TraceTarget {
  return definition === null
    ? { ...target, name }
    : { ...target, name, line: definition.nameSpan.line, file: definition.nameSpan.file };
}

function describe(
  callable: Value,
  fn: FunctionValue,
  self: Value | null,
  name: string,
): TraceTarget {
  const { parameters, source } = fn.code;
  return {
    callable,
    fn,
    self,
    extra: [],
    assumptions: [],
    parameters: self === null ? parameters : parameters.slice(1),
    name,
    file: source.file,
    line: fn.definition?.nameSpan.line ?? fn.code.body[0]?.span.line ?? 1,
  };
}
