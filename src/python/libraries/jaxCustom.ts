/** jax.custom_vjp and jax.custom_jvp: functions that bring their own rule of differentiation. */
import { withArguments } from "../handwritten/arguments.ts";
import {
  bodyOf,
  boundTo,
  definitionOf,
  exprOf,
  functionBehind,
  modulesOf,
  visibleFrom,
} from "../handwritten/body.ts";
import type { Available, BodyToFix } from "../handwritten/record.ts";
import { type Rule, useRule } from "../handwritten/useRule.ts";
import { setIn } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { knownNumber } from "../interpreter/known.ts";
import { itemsOf } from "../tensors/tensor.ts";
import {
  type BuiltinValue,
  type CallArguments,
  type FunctionValue,
  type InstanceValue,
  NONE,
  type TensorValue,
  type Value,
  float,
  tuple,
  typeName,
} from "../values.ts";

const Rules = makeClass({ name: "rules", bases: [], attributes: new Map() })!;

/** A decorator that keeps rules beside the function, set later by its methods. */
function decorator(
  name: string,
  methods: (rules: InstanceValue, fn: FunctionValue) => ReadonlyMap<string, Value>,
  run: (
    vm: Interpreter,
    fn: FunctionValue,
    rules: InstanceValue,
    skipped: readonly number[],
    args: readonly Value[],
  ) => Value,
): BuiltinValue {
  return {
    kind: "builtin",
    name: `jax.${name}`,
    call: (vm, { positional, keywords }) => {
      const fn = functionBehind(positional[0]);
      if (fn === null) return vm.fail("TypeError", `${name}() takes a function`);
      const skipped = numbersOf(vm, keywords.get("nondiff_argnums") ?? positional[1]);
      const rules: InstanceValue = {
        kind: "instance",
        cls: Rules,
        attributes: new Map(),
        born: vm.epoch,
      };
      return {
        kind: "builtin",
        name: fn.code.name,
        wraps: positional[0]!,
        attributes: methods(rules, fn),
        call: (inner, args) => run(inner, fn, rules, skipped, argumentsOf(inner, fn, args)),
      };
    },
  };
}

const argumentsOf = (vm: Interpreter, fn: FunctionValue, args: CallArguments): Value[] =>
  withArguments(vm, fn, args.positional, args.keywords);

function numbersOf(vm: Interpreter, v: Value | undefined): number[] {
  if (v === undefined || v.kind === "none") return [];
  return (itemsOf(v) ?? [v]).map((x) =>
    x.kind === "number"
      ? knownNumber(vm, x, "nondiff_argnums")
      : vm.fail("TypeError", "nondiff_argnums must be whole numbers"),
  );
}

/** A method that stores its arguments as the function's rules and returns the last of them. */
function setter(name: string, rules: InstanceValue, stored: readonly string[]): BuiltinValue {
  return {
    kind: "builtin",
    name,
    call: (vm, { positional, keywords }) => {
      stored.forEach((key, k) => {
        const value = positional[k] ?? keywords.get(key);
        if (value === undefined) vm.fail("TypeError", `${name}() missing argument '${key}'`);
        else setIn(vm, rules, rules.attributes, key, value);
      });
      return stored.length === 1 ? positional[0]! : NONE;
    },
  };
}

export const customVjp = decorator(
  "custom_vjp",
  (rules) => new Map([["defvjp", setter("defvjp", rules, ["fwd", "bwd"])]]),
  (vm, fn, rules, skipped, args) => {
    const [fwd, bwd] = [rules.attributes.get("fwd"), rules.attributes.get("bwd")];
    if (fwd === undefined || bwd === undefined) {
      return vm.fail(
        "AttributeError",
        `No VJP defined for custom_vjp function ${fn.code.name} using defvjp.`,
      );
    }
    const rule = vjpRule(vm, fn, fwd, bwd, skipped);
    return useRule(vm, rule, args, { how: "called", place: vm.at, inForce: true });
  },
);

function vjpRule(
  vm: Interpreter,
  fn: FunctionValue,
  fwd: Value,
  bwd: Value,
  skipped: readonly number[],
): Rule {
  const backward = functionBehind(bwd);
  let residuals: Value = NONE;
  return {
    ...common(fn, backward ?? fn),
    kind: "custom_vjp",
    upstreamNames: [backward?.code.parameters.at(-1)?.name ?? "g"],
    forward: (args) => {
      if (vm.recorder.isTrace) residuals = residualsOf(vm, call(vm, fwd, args));
      return call(vm, fn, args);
    },
    gradient: (args, _result, upstream) => {
      const fixed = skipped.map((k) => args[k]!);
      const cotangent = upstream.length === 1 ? upstream[0]! : tuple(upstream);
      const returned = call(vm, bwd, [...fixed, residuals, cotangent]);
      const items = itemsOf(returned);
      if (items === null) {
        return vm.fail(
          "TypeError",
          `Custom VJP bwd rule must produce a tuple, one cotangent for each argument, and returned ${typeName(returned)}`,
        );
      }
      const left = [...items];
      const aligned = args.map((_, k) => (skipped.includes(k) ? NONE : left.shift()));
      return [...aligned.filter((v) => v !== undefined), ...left];
    },
    fix: (args) => (backward === null ? null : vjpBody(backward, args, skipped, residuals)),
  };
}

/** fwd returns the value and what bwd needs. */
function residualsOf(vm: Interpreter, v: Value): Value {
  const items = itemsOf(v);
  if (items?.length === 2) return items[1]!;
  return vm.fail("TypeError", "Custom VJP fwd rule must produce a pair (value, residuals)");
}

function vjpBody(
  backward: FunctionValue,
  args: readonly Value[],
  skipped: readonly number[],
  residuals: Value,
): BodyToFix | null {
  const body = bodyOf(backward);
  const names = backward.code.parameters.map((p) => p.name);
  const [res, cotangent] = names.slice(-2);
  if (body === null || res === undefined || cotangent === undefined) return null;
  const fixed = skipped.map((k) => args[k]!);
  return {
    ...body,
    library: "jax",
    available: [...inside(residuals, res), ...boundTo(backward, fixed), ...visibleFrom(backward)],
    upstream: [cotangent],
    count: args.length - skipped.length,
    position: null,
    keep: null,
    modules: modulesOf(backward),
  };
}

function inside(v: Value, code: string): Available[] {
  const own = exprOf(v);
  if (own !== null) return [{ node: own, code }];
  return (itemsOf(v) ?? []).flatMap((x, k) => inside(x, `${code}[${k}]`));
}

export const customJvp = decorator(
  "custom_jvp",
  (rules) =>
    new Map([
      ["defjvp", setter("defjvp", rules, ["jvp"])],
      ["defjvps", partials(rules)],
    ]),
  (vm, fn, rules, skipped, args) => {
    const [jvp, each] = [rules.attributes.get("jvp"), rules.attributes.get("jvps")];
    if (jvp === undefined && each === undefined) {
      return vm.fail(
        "AttributeError",
        `No JVP defined for custom_jvp function ${fn.code.name} using defjvp.`,
      );
    }
    const own = functionBehind(jvp ?? itemsOf(each!)?.find((v) => v.kind !== "none"));
    const rule: Rule = {
      ...common(fn, own ?? fn),
      kind: "custom_jvp",
      upstreamNames: ["g"],
      forward: (inner) => call(vm, fn, inner),
      gradient: () => [],
      tangent: (inner, result, tangents) => {
        const zeros = tangents.map((t, k): Value => t ?? zeroLike(inner[k]!));
        const varied = inner.map((_, k) => k).filter((k) => !skipped.includes(k));
        if (jvp === undefined) return summed(vm, itemsOf(each!)!, inner, result, tangents);
        const fixed = skipped.map((k) => inner[k]!);
        const returned = call(vm, jvp, [
          ...fixed,
          tuple(varied.map((k) => inner[k]!)),
          tuple(varied.map((k) => zeros[k]!)),
        ]);
        const pair = itemsOf(returned);
        if (pair?.length === 2) return pair[1]!;
        return vm.fail("TypeError", "Custom JVP rule must produce a pair (value, tangent)");
      },
      fix: () => null,
    };
    return useRule(vm, rule, args, { how: "called", place: vm.at, inForce: true });
  },
);

/** defjvps(f₁, f₂, …): each gives its argument's part of the tangent. */
function partials(rules: InstanceValue): BuiltinValue {
  return {
    kind: "builtin",
    name: "defjvps",
    call: (vm, { positional }) => {
      setIn(vm, rules, rules.attributes, "jvps", tuple(positional));
      return NONE;
    },
  };
}

function summed(
  vm: Interpreter,
  each: readonly Value[],
  args: readonly Value[],
  result: Value,
  tangents: readonly (TensorValue | null)[],
): Value {
  const plus = vm.libraries.builtins.get("sum")!;
  const parts = each.flatMap((jvp, k): Value[] => {
    const t = tangents[k] ?? null;
    return jvp.kind === "none" || t === null ? [] : [call(vm, jvp, [t, result, ...args])];
  });
  return call(vm, plus, [tuple(parts)]);
}

const zeroLike = (v: Value): Value =>
  v.kind === "tensor" || v.kind === "number" ? float(0) : NONE;

function common(
  fn: FunctionValue,
  gradient: FunctionValue,
): Pick<
  Rule,
  | "library"
  | "name"
  | "definition"
  | "gradientName"
  | "argumentNames"
  | "sumsToShape"
  | "allowsTrailingNone"
> {
  return {
    library: "jax",
    name: fn.code.name,
    definition: definitionOf(gradient),
    gradientName: gradient.code.name,
    argumentNames: fn.code.parameters.map((p) => p.name),
    sumsToShape: false,
    allowsTrailingNone: false,
  };
}
