/** tf.custom_gradient: a function that returns its value and, with it, its gradient as a function. */
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
import { call } from "../interpreter/calls.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { makeList } from "../interpreter/collections.ts";
import { itemsOf } from "../tensors/tensor.ts";
import { type BuiltinValue, type FunctionValue, NONE, type Value } from "../values.ts";

export const customGradient: BuiltinValue = {
  kind: "builtin",
  name: "tf.custom_gradient",
  call: (_vm, { positional: [wrapped] }) => {
    const fn = functionBehind(wrapped);
    if (wrapped === undefined || fn === null) return customGradient;
    return {
      kind: "builtin",
      name: fn.code.name,
      wraps: wrapped,
      binds: true,
      call: (vm, { positional, keywords }) => {
        const args = withArguments(vm, fn, positional, keywords);
        const use = { how: "called", place: vm.at, inForce: true } as const;
        return useRule(vm, ruleOf(vm, wrapped, fn), args, use);
      },
    };
  },
};

function ruleOf(vm: Interpreter, wrapped: Value, fn: FunctionValue): Rule {
  let gradient: Value = NONE;
  const own = (): FunctionValue | null => functionBehind(gradient);
  return {
    kind: "custom_gradient",
    library: "tensorflow",
    name: fn.code.name,
    get definition() {
      return definitionOf(own() ?? fn);
    },
    get gradientName() {
      return `${fn.code.name}.${own()?.code.name ?? "grad"}`;
    },
    argumentNames: fn.code.parameters.map((p) => p.name),
    get upstreamNames() {
      return (own()?.code.parameters ?? []).flatMap((p) =>
        p.kind === "positional" ? [p.name] : [],
      );
    },
    sumsToShape: false,
    allowsTrailingNone: false,
    forward: (args) => {
      const pair = itemsOf(call(vm, wrapped, args));
      if (pair?.length !== 2) {
        return vm.fail(
          "TypeError",
          `${fn.code.name}() must return its value and its gradient function`,
        );
      }
      gradient = pair[1]!;
      return pair[0]!;
    },
    gradient: (args, _result, upstream) => {
      const asksVariables = own()?.code.parameters.some((p) => p.name === "variables") ?? false;
      const keywords = new Map<string, Value>(
        asksVariables ? [["variables", makeList(vm, [])]] : [],
      );
      const returned = call(vm, gradient, upstream, keywords);
      // With variables it is a pair: the gradients of the arguments, and those of the variables.
      const first = asksVariables ? (itemsOf(returned)?.[0] ?? returned) : returned;
      return args.length === 1 && itemsOf(first) === null ? [first] : (itemsOf(first) ?? [first]);
    },
    fix: (args) => bodyToFix(own(), args.length),
  };
}

function bodyToFix(fn: FunctionValue | null, count: number): BodyToFix | null {
  const body = fn === null ? null : bodyOf(fn);
  if (fn === null || body === null) return null;
  if (fn.code.parameters.some((p) => p.name === "variables")) return null;
  return {
    ...body,
    library: "tensorflow",
    available: visibleFrom(fn),
    upstream: fn.code.parameters.flatMap((p) =>
      p.kind === "positional" ? [p.name] : p.kind === "args" ? [`${p.name}[0]`] : [],
    ),
    count,
    position: count === 1 ? 0 : null,
    keep: null,
    modules: modulesOf(fn),
  };
}
