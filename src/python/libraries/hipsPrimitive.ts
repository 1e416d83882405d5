/** HIPS autograd: `primitive` functions, and the gradients that `defvjp` gives them. */
import { withArguments } from "../handwritten/arguments.ts";
import {
  bodyOf,
  definitionOf,
  functionBehind,
  modulesOf,
  visibleFrom,
} from "../handwritten/body.ts";
import type { BodyToFix } from "../handwritten/record.ts";
import { type Rule, useRule } from "../handwritten/useRule.ts";
import { setIn } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { knownNumber } from "../interpreter/known.ts";
import { itemsOf } from "../tensors/tensor.ts";
import {
  type BuiltinValue,
  type FunctionValue,
  type InstanceValue,
  NONE,
  type Value,
  tuple,
} from "../values.ts";

const Rules = makeClass({ name: "rules", bases: [], attributes: new Map() })!;
/** Where a primitive keeps its rules; no name that Python code would read. */
const RULES = "vjp makers";

export const primitive: BuiltinValue = {
  kind: "builtin",
  name: "primitive",
  call: (vm, { positional: [wrapped] }) => {
    const fn = functionBehind(wrapped);
    if (wrapped === undefined || fn === null)
      return vm.fail("TypeError", "primitive() takes a function");
    const rules: InstanceValue = {
      kind: "instance",
      cls: Rules,
      attributes: new Map(),
      born: vm.epoch,
    };
    return {
      kind: "builtin",
      name: fn.code.name,
      wraps: wrapped,
      attributes: new Map<string, Value>([[RULES, rules]]),
      call: (inner, { positional, keywords }) => {
        const args = withArguments(inner, fn, positional, keywords);
        const makers = rules.attributes.get(RULES);
        if (!inner.recorder.isTrace) return call(inner, fn, args);
        if (makers?.kind !== "tuple") {
          return inner.fail(
            "NotImplementedError",
            `VJP of ${fn.code.name} not defined`,
            `Give it one: defvjp(${fn.code.name}, …).`,
          );
        }
        const use = { how: "called", place: inner.at, inForce: true } as const;
        return useRule(inner, ruleOf(inner, fn, makers.items), args, use);
      },
    };
  },
};

/** defvjp(f, maker₁, maker₂, …, argnums=[…]) */
export const defvjp: BuiltinValue = {
  kind: "builtin",
  name: "defvjp",
  call: (vm, { positional: [target, ...makers], keywords }) => {
    const rules = target?.kind === "builtin" ? target.attributes?.get(RULES) : undefined;
    if (rules?.kind !== "instance") return vm.fail("TypeError", "defvjp() takes a primitive");
    const argnums = keywords.get("argnums");
    const places = argnums === undefined ? null : (itemsOf(argnums) ?? [argnums]);
    const all: Value[] = [];
    makers.forEach((maker, k) => {
      const place = places?.[k];
      const at = place?.kind === "number" ? knownNumber(vm, place, "argnums") : k;
      while (all.length <= at) all.push(NONE);
      all[at] = maker;
    });
    setIn(vm, rules, rules.attributes, RULES, tuple(all));
    return NONE;
  },
};

function ruleOf(vm: Interpreter, fn: FunctionValue, makers: readonly Value[]): Rule {
  const first = makers.findIndex((m) => m.kind !== "none");
  const maker = functionBehind(makers[first]);
  let inner: FunctionValue | null = null;
  return {
    kind: "defvjp",
    library: "numpy",
    name: fn.code.name,
    get definition() {
      return definitionOf(inner ?? maker ?? fn);
    },
    gradientName: `the VJP of ${fn.code.name}`,
    argumentNames: fn.code.parameters.map((p) => p.name),
    upstreamNames: ["g"],
    sumsToShape: false,
    allowsTrailingNone: false,
    forward: (args) => call(vm, fn, args),
    gradient: (args, result, upstream) =>
      args.map((_, k) => {
        const make = makers[k] ?? NONE;
        if (make.kind === "none") return NONE;
        const vjp = call(vm, make, [result, ...args]);
        if (k === first) inner = functionBehind(vjp);
        return call(vm, vjp, upstream);
      }),
    fix: (args) => bodyToFix(inner, args.length, first),
  };
}

function bodyToFix(fn: FunctionValue | null, count: number, position: number): BodyToFix | null {
  const body = fn === null ? null : bodyOf(fn);
  const name = fn?.code.parameters[0]?.name;
  if (fn === null || body === null || name === undefined) return null;
  return {
    ...body,
    library: "numpy",
    available: visibleFrom(fn),
    upstream: [name],
    count,
    position,
    keep: null,
    modules: modulesOf(fn),
  };
}
