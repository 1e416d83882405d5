/**
 * torch.autograd.Function: its forward pass, and the backward that is run in its place where it is
 * applied. Calling `.forward()` itself is an ordinary call, which autograd differentiates.
 */
import { withArguments } from "../handwritten/arguments.ts";
import {
  bodyOf,
  definitionOf,
  exprOf,
  functionBehind,
  modulesOf,
  visibleFrom,
} from "../handwritten/body.ts";
import type { Available, BodyToFix, HowUsed } from "../handwritten/record.ts";
import { type Rule, useRule } from "../handwritten/useRule.ts";
import { lookup, setIn } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import {
  type BuiltinValue,
  type ClassValue,
  type FunctionValue,
  type InstanceValue,
  NONE,
  type Value,
  bool,
  tuple,
} from "../values.ts";

const SAVED = "saved_tensors";

/** A method of the context. */
function method(
  name: string,
  run: (vm: Interpreter, self: InstanceValue, args: readonly Value[]) => Value,
): [string, BuiltinValue] {
  return [
    name,
    {
      kind: "builtin",
      name: `FunctionCtx.${name}`,
      binds: true,
      call: (vm, { positional: [self, ...args] }) =>
        self?.kind === "instance"
          ? run(vm, self, args)
          : vm.fail("TypeError", `${name}() needs the context of an autograd Function`),
    },
  ];
}

const nothing = (name: string): [string, BuiltinValue] => method(name, () => NONE);

const CONTEXT = new Map<string, Value>([
  method("save_for_backward", (vm, self, args) => {
    setIn(vm, self, self.attributes, SAVED, tuple(args));
    return NONE;
  }),
  nothing("save_for_forward"),
  nothing("mark_non_differentiable"),
  nothing("mark_dirty"),
  nothing("set_materialize_grads"),
  [
    "saved_variables", // its name up to PyTorch 0.3
    {
      kind: "property",
      setter: null,
      getter: {
        kind: "builtin",
        name: "saved_variables",
        call: (_vm, { positional: [self] }) =>
          (self?.kind === "instance" ? self.attributes.get(SAVED) : undefined) ?? tuple([]),
      },
    },
  ],
]);

const Context = makeClass({ name: "FunctionCtx", bases: [], attributes: CONTEXT })!;

/** What `ctx` is: for an instance that is called itself, with what its __init__ has set. */
function newContext(vm: Interpreter, args: readonly Value[], self: InstanceValue | null): Value {
  const attributes = new Map<string, Value>(self?.attributes ?? []);
  const needs = args.map((v) => bool(v.kind === "tensor" && v.expr.type === "float"));
  attributes.set("needs_input_grad", tuple(needs));
  if (!attributes.has(SAVED)) attributes.set(SAVED, tuple([]));
  return { kind: "instance", cls: self?.cls ?? Context, attributes, born: vm.epoch };
}

export const Function: ClassValue = makeClass({
  name: "Function",
  bases: [],
  attributes: new Map<string, Value>([
    ...CONTEXT,
    method("__init__", () => NONE),
    method("__call__", (vm, self, args) => applied(vm, self.cls, self, args, "instance called")),
  ]),
  native: {
    attribute: (vm, cls, self, name) => {
      if (name === "apply") return applyOf(vm, cls, null);
      return name === "forward" ? directForward(cls, self) : undefined;
    },
    traced: (vm, cls, self) => applyOf(vm, cls, self),
  },
})!;

function forwardOf(vm: Interpreter, cls: ClassValue): FunctionValue {
  return (
    functionBehind(lookup(cls.mro, "forward")) ??
    vm.fail("NotImplementedError", `${cls.name} has no forward() to apply`)
  );
}

/** With setup_context(), forward() is not given the context. */
const hasSetup = (cls: ClassValue): boolean => lookup(cls.mro, "setup_context") !== undefined;

function applyOf(vm: Interpreter, cls: ClassValue, self: InstanceValue | null): BuiltinValue {
  const forward = forwardOf(vm, cls);
  return {
    kind: "builtin",
    name: `${cls.name}.apply`,
    wraps: hasSetup(cls) ? forward : { kind: "method", self: NONE, callee: forward },
    call: (inner, { positional, keywords }) => {
      if (keywords.size > 0) inner.fail("TypeError", "apply() takes no keyword arguments");
      return applied(inner, cls, self, positional, "called");
    },
  };
}

function applied(
  vm: Interpreter,
  cls: ClassValue,
  self: InstanceValue | null,
  args: readonly Value[],
  how: HowUsed,
): Value {
  if (how === "instance called") {
    vm.recorder.assume(
      `${cls.name}() is called as an instance, which PyTorch refuses since version 1.3; traced as earlier versions ran it, with its backward`,
    );
  }
  const place = vm.at;
  return useRule(vm, ruleOf(vm, cls, self, args), args, { how, place, inForce: true });
}

/** `.forward(…)` off the class or an instance: what it computes is differentiated as any code is. */
function directForward(cls: ClassValue, self: InstanceValue | null): BuiltinValue | undefined {
  const found = lookup(cls.mro, "forward");
  const forward = functionBehind(found);
  if (found === undefined || forward === null) return undefined;
  const isBound = self !== null && found.kind !== "staticmethod";
  const bound: Value = isBound ? { kind: "method", self, callee: forward } : forward;
  return {
    kind: "builtin",
    name: `${cls.name}.forward`,
    wraps: bound,
    call: (inner, { positional, keywords }) => {
      const place = inner.at;
      if (inner.recorder.isTrace && lookup(cls.mro, "backward") !== undefined) {
        const given = withArguments(
          inner,
          forward,
          isBound ? [self, ...positional] : positional,
          keywords,
        );
        const args = hasSetup(cls) ? given : given.slice(1);
        const rule = ruleOf(inner, cls, self, args);
        inner.transaction(false, () =>
          useRule(inner, rule, args, { how: "forward called directly", place, inForce: false }),
        );
      }
      return call(inner, bound, positional, keywords);
    },
  };
}

function ruleOf(
  vm: Interpreter,
  cls: ClassValue,
  self: InstanceValue | null,
  args: readonly Value[],
): Rule {
  const forward = forwardOf(vm, cls);
  const found = lookup(cls.mro, "backward") ?? lookup(cls.mro, "vjp");
  const backward = functionBehind(found);
  const setup = functionBehind(lookup(cls.mro, "setup_context"));
  if (found === undefined || backward === null) {
    return vm.fail("NotImplementedError", `${cls.name} has no backward() to differentiate it by`);
  }
  const ctx = newContext(vm, args, self);
  const parameters = forward.code.parameters.slice(setup === null ? 1 : 0).map((p) => p.name);
  return {
    kind: "autograd.Function",
    library: "torch",
    name: cls.name,
    definition: definitionOf(backward),
    gradientName: `${cls.name}.${backward.code.name}`,
    argumentNames: parameters,
    upstreamNames: backward.code.parameters.slice(1).map((p) => p.name),
    sumsToShape: true,
    allowsTrailingNone: true,
    forward: (own) => {
      if (setup === null) return call(vm, forward, [ctx, ...own]);
      const result = call(vm, forward, own);
      call(vm, setup, [ctx, tuple(own), result]);
      return result;
    },
    gradient: (_own, _result, upstream) => {
      const returned = call(vm, found.kind === "staticmethod" ? found.callee : found, [
        ctx,
        ...upstream,
      ]);
      return returned.kind === "tuple" || returned.kind === "list" ? returned.items : [returned];
    },
    fix: (own) => bodyToFix(forward, backward, setup, ctx, own.length),
  };
}

function bodyToFix(
  forward: FunctionValue,
  backward: FunctionValue,
  setup: FunctionValue | null,
  ctx: Value,
  count: number,
): BodyToFix | null {
  const body = bodyOf(backward);
  const start = bodyOf(setup ?? forward);
  const name = backward.code.parameters[0]?.name;
  const keeper = (setup ?? forward).code.parameters[0]?.name;
  if (body === null || name === undefined || ctx.kind !== "instance") return null;
  return {
    ...body,
    library: "torch",
    available: [...keptIn(ctx, name), ...visibleFrom(backward)],
    upstream: backward.code.parameters.slice(1).map((p) => p.name),
    count,
    position: count === 1 ? 0 : null,
    keep:
      start === null || keeper === undefined || setup !== null
        ? null
        : {
            at: start.body,
            indent: start.indent,
            write: (input) => ({
              kept: `${keeper}.${input} = ${input}`,
              read: `${name}.${input}`,
            }),
          },
    modules: modulesOf(backward),
  };
}

function keptIn(ctx: InstanceValue, name: string): Available[] {
  const found: Available[] = [];
  for (const [attribute, v] of ctx.attributes) {
    const items = attribute === SAVED && v.kind === "tuple" ? v.items : null;
    items?.forEach((x, k) => {
      const e = exprOf(x);
      if (e !== null) found.push({ node: e, code: `${name}.${SAVED}[${k}]` });
    });
    const e = items === null ? exprOf(v) : null;
    if (e !== null) found.push({ node: e, code: `${name}.${attribute}` });
  }
  return found;
}
