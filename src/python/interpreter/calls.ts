/** Calling things: binding of arguments, and running a function's body. */
import type { Parameter } from "../syntax.ts";
import {
  type BuiltinValue,
  type CallArguments,
  type FunctionValue,
  NONE,
  type Value,
  str,
  tuple,
  typeName,
} from "../values.ts";
import { findMethod } from "./attributes.ts";
import { instantiate } from "./classes.ts";
import { makeDict } from "./collections.ts";
import { withContext } from "./contexts.ts";
import { makeGenerator } from "./generators.ts";
import type { Interpreter } from "./interpreter.ts";
import { asArgument } from "./naming.ts";
import { useOpaque } from "./opaque.ts";
import { Scope } from "./scope.ts";
import { runBody } from "./statements.ts";

const NO_KEYWORDS: ReadonlyMap<string, Value> = new Map();

export function call(
  vm: Interpreter,
  callee: Value,
  positional: readonly Value[],
  keywords: ReadonlyMap<string, Value> = NO_KEYWORDS,
): Value {
  switch (callee.kind) {
    case "function":
      return callFunction(vm, callee, { positional, keywords });
    case "builtin":
      return callBuiltin(vm, callee, { positional, keywords });
    case "method":
      return call(vm, callee.callee, [callee.self, ...positional], keywords);
    case "class":
      return instantiate(vm, callee, { positional, keywords });
    case "staticmethod":
      return call(vm, callee.callee, positional, keywords);
    case "instance": {
      const own = findMethod(callee, "__call__");
      if (own !== null) return call(vm, own, positional, keywords);
      break;
    }
    case "context":
      return decorateWithContext(vm, callee, positional);
    case "dtype": {
      const convert = vm.libraries.attribute(vm, callee, "__call__");
      if (convert !== undefined) return call(vm, convert, positional, keywords);
      break;
    }
    case "opaque":
      return useOpaque(vm, callee);
    default:
      break;
  }
  return vm.fail("TypeError", `'${typeName(callee)}' object is not callable`);
}

export function isCallable(v: Value): boolean {
  switch (v.kind) {
    case "function":
    case "builtin":
    case "method":
    case "class":
    case "dtype":
      return true;
    case "instance":
      return findMethod(v, "__call__") !== null;
    default:
      return false;
  }
}

function callBuiltin(vm: Interpreter, callee: BuiltinValue, args: CallArguments): Value {
  const at = vm.at;
  const result = vm.shaped(() => callee.call(vm, args));
  vm.at = at;
  return result;
}

/** `@torch.no_grad()` above a function. */
function decorateWithContext(
  vm: Interpreter,
  context: Value & { readonly kind: "context" },
  args: readonly Value[],
): Value {
  const fn = args[0];
  if (fn === undefined || args.length > 1) {
    return vm.fail("TypeError", `'${context.name}' object is not callable`);
  }
  return {
    kind: "builtin",
    name: fn.kind === "function" ? fn.code.name : context.name,
    wraps: fn,
    binds: true,
    call: (inner, { positional, keywords }) =>
      withContext(inner, context, () => call(inner, fn, positional, keywords)) ?? NONE,
  };
}

function callFunction(vm: Interpreter, fn: FunctionValue, args: CallArguments): Value {
  const { code } = fn;
  if (code.isAsync) vm.unsupported(`${code.name}() is a coroutine, which is not supported`);
  if (vm.frames.length >= vm.limits.callDepth) {
    vm.fail("RecursionError", "maximum recursion depth exceeded");
  }
  const scope = new Scope("function", fn.scope, vm.epoch, { code });
  for (const [name, value] of bindArguments(vm, fn, args)) scope.variables.set(name, value);
  if (code.isGenerator) return makeGenerator(vm, fn, scope);
  const calledFrom = vm.at;
  vm.frames.push({ name: code.name, source: code.source, calledFrom, scope, fn });
  const result = runBody(vm, code.body, scope);
  vm.frames.pop();
  vm.at = calledFrom;
  return result;
}

/** What each parameter is bound to, with Python's errors for calls that do not fit. */
export function bindArguments(
  vm: Interpreter,
  fn: FunctionValue,
  args: CallArguments,
): Map<string, Value> {
  const { parameters, name } = fn.code;
  const bound = new Map<string, Value>();
  const positional = parameters.filter(
    (p) => p.kind === "positional" || p.kind === "positionalOnly",
  );
  positional.slice(0, args.positional.length).forEach((p, k) => {
    bound.set(p.name, args.positional[k]!);
  });
  const rest = args.positional.slice(positional.length);
  const star = parameters.find((p) => p.kind === "args");
  if (star !== undefined) bound.set(star.name, tuple(rest));
  else if (rest.length > 0) tooMany(vm, name, positional, args.positional.length);

  const extra: [Value, Value][] = [];
  const doubleStar = parameters.find((p) => p.kind === "kwargs");
  for (const [key, value] of args.keywords) {
    const p = parameters.find(
      (q) => q.name === key && (q.kind === "positional" || q.kind === "keywordOnly"),
    );
    if (p === undefined) {
      if (doubleStar === undefined) {
        if (positional.some((q) => q.name === key)) positionalOnly(vm, fn, args);
        vm.fail("TypeError", `${name}() got an unexpected keyword argument '${key}'`);
      }
      extra.push([str(key), value]);
    } else if (bound.has(key)) {
      vm.fail("TypeError", `${name}() got multiple values for argument '${key}'`);
    } else bound.set(key, value);
  }
  if (doubleStar !== undefined) bound.set(doubleStar.name, makeDict(vm, extra));

  for (const p of parameters) {
    if (bound.has(p.name)) continue;
    const value = fn.defaults.get(p.name);
    if (value !== undefined) bound.set(p.name, value);
  }
  const missing = parameters.filter((p) => !bound.has(p.name));
  if (missing.length > 0) missingArguments(vm, name, missing);
  for (const [key, value] of bound) bound.set(key, asArgument(key, value));
  return bound;
}

function positionalOnly(vm: Interpreter, fn: FunctionValue, args: CallArguments): never {
  const wrong = fn.code.parameters.filter(
    (p) => p.kind === "positionalOnly" && args.keywords.has(p.name),
  );
  return vm.fail(
    "TypeError",
    `${fn.code.name}() got some positional-only arguments passed as keyword arguments: ` +
      `'${wrong.map((p) => p.name).join(", ")}'`,
  );
}

function tooMany(
  vm: Interpreter,
  name: string,
  positional: readonly Parameter[],
  given: number,
): never {
  const most = positional.length;
  const least = positional.filter((p) => p.default === null).length;
  const takes = least === most ? String(most) : `from ${least} to ${most}`;
  const plural = most === 1 && least === most ? "argument" : "arguments";
  return vm.fail(
    "TypeError",
    `${name}() takes ${takes} positional ${plural} but ${given} ${given === 1 ? "was" : "were"} given`,
  );
}

function missingArguments(vm: Interpreter, name: string, missing: readonly Parameter[]): never {
  const kind = missing[0]!.kind === "keywordOnly" ? "keyword-only" : "positional";
  const same = missing.filter((p) => (p.kind === "keywordOnly") === (kind === "keyword-only"));
  const names = same.map((p) => `'${p.name}'`);
  const last = names.pop()!;
  const list =
    names.length === 0 ? last : `${names.join(", ")}${names.length > 1 ? "," : ""} and ${last}`;
  const plural = same.length === 1 ? "argument" : "arguments";
  return vm.fail(
    "TypeError",
    `${name}() missing ${same.length} required ${kind} ${plural}: ${list}`,
  );
}
