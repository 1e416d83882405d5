/**
 * Gradients beside their losses: `dice_loss` and `dice_loss_grad`, or a class with forward() and
 * backward() that no library knows of. They are found by their names, called with the arguments of
 * the loss, and recorded like any other hand-written gradient.
 */
import { fitsShape, formatShape } from "../../expression/axis.ts";
import * as build from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { PythonError } from "../errors.ts";
import { lookup } from "../interpreter/attributes.ts";
import { bindArguments, call } from "../interpreter/calls.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { Parameter } from "../syntax.ts";
import { tensor } from "../tensors/tensor.ts";
import { rolesOf } from "../trace/roles.ts";
import type { TraceTarget } from "../trace/target.ts";
import type { CallArguments, FunctionValue, TensorValue, Value } from "../values.ts";
import { bodyOf, boundTo, definitionOf, exprOf, modulesOf, visibleFrom } from "./body.ts";
import type { Available, BodyToFix, HandwrittenInput, HandwrittenUse, Refusal } from "./record.ts";
import { tensorsIn } from "./useRule.ts";

const UPSTREAM =
  /^(grad_?outputs?|grad_?out|dy|dout|d_out|upstream(_grad\w*)?|dl|dloss|d_loss|cotangent|ct|top_?diff|out_?grad|seed)$/i;
const RESULT = /^(loss|value|out|output|result|y_loss|dice|score)$/i;
const METHODS = ["backward", "grad", "gradient"];

interface Found {
  readonly fn: FunctionValue;
  readonly self: Value | null;
  readonly name: string;
}

/** Names that the gradient of a function goes by, most usual first. */
export function gradientNames(name: string): string[] {
  const of = (n: string): string[] => [
    `${n}_grad`,
    `${n}_gradient`,
    `grad_${n}`,
    `gradient_${n}`,
    `${n}_backward`,
    `backward_${n}`,
    `d_${n}`,
    `d${n}`,
    `${n}_prime`,
    `${n}_derivative`,
    `${n}_deriv`,
    `${n}_bwd`,
  ];
  const stem = name.replace(/_(forward|fwd)$/, "");
  return [...of(name), ...(stem === name ? [] : of(stem))];
}

/** Records the gradient written for the function that has just been traced, if there is one. */
export function recordPair(
  vm: Interpreter,
  target: TraceTarget,
  args: CallArguments,
  result: Value,
): void {
  const found = gradientOf(target);
  if (found === null) return;
  vm.recorder.unfollowed(() => {
    vm.transaction(false, () => {
      const record = pairRecord(vm, target, found, args, result);
      if (record !== null) vm.recorder.handwritten.push(record);
    });
  });
}

function gradientOf(target: TraceTarget): Found | null {
  const { fn, self } = target;
  if (self?.kind === "instance") {
    for (const name of METHODS) {
      const method = lookup(self.cls.mro, name);
      if (method?.kind === "function" && method.definition !== null) {
        return { fn: method, self, name: `${self.cls.name}.${name}` };
      }
    }
    return null;
  }
  if (self !== null) return null;
  for (const name of gradientNames(fn.code.name)) {
    const v = fn.scope.variables.get(name) ?? fn.scope.module.variables.get(name);
    if (v?.kind === "function" && v !== fn) return { fn: v, self: null, name };
  }
  return null;
}

function pairRecord(
  vm: Interpreter,
  target: TraceTarget,
  found: Found,
  args: CallArguments,
  result: Value,
): HandwrittenUse | null {
  const output = tensorsIn(result)[0]?.expr ?? exprOf(result);
  if (output === null) return null;
  const self = target.self === null ? [] : [target.self];
  const bound = bindArguments(vm, target.fn, {
    positional: [...self, ...args.positional],
    keywords: args.keywords,
  });
  const own = target.parameters.filter(
    (p, k) => k < args.positional.length || args.keywords.has(p.name),
  );
  const arrays = own.flatMap((p) => {
    const v = bound.get(p.name);
    return v?.kind === "tensor" ? [{ name: p.name, tensor: v }] : [];
  });
  const library = arrays[0]?.tensor.library ?? "numpy";
  const upstream: Expr[] = [];
  const given = matched(found, own, bound, (name) => {
    if (UPSTREAM.test(name)) {
      const node = build.input(name, output.shape, "float");
      upstream.push(node);
      return tensor(vm, node, library, null);
    }
    return RESULT.test(name) ? result : null;
  });
  if (given === null) return null;
  const inputs = arrays.map(({ name, tensor: t }, position): HandwrittenInput => ({
    name,
    node: t.expr,
    position,
  }));
  const roles = rolesOf(
    arrays.map((a) => ({ name: a.name, isReal: a.tensor.expr.type === "float" })),
    library,
  );
  const prediction = Math.max(0, roles.indexOf("prediction"));
  const { span } = target.fn.definition ?? { span: definitionOf(found.fn) };
  const isModule =
    target.self?.kind === "instance" &&
    target.self.cls.mro.some((c) => c.kind === "class" && c.name === "Module");
  const common = {
    kind: "pair" as const,
    library,
    name: target.name,
    definition: definitionOf(found.fn),
    gradientName: found.name,
    how: isModule ? ("never called" as const) : ("by hand" as const),
    place: span,
    inputs,
    passed: inputs.map((x) => x.node),
    outputs: [output],
    stands: [],
    upstream,
    tangents: null,
  };
  const none = inputs.map(() => null);
  try {
    const returned = call(vm, found.fn, given);
    const isTuple = returned.kind === "tuple" || returned.kind === "list";
    const outcome = gradientsIn(returned, inputs, prediction, found.name);
    return {
      ...common,
      ...("what" in outcome
        ? { gradients: none, refusal: outcome }
        : { gradients: outcome, refusal: null }),
      failure: null,
      lines: new Map([...vm.recorder.spans].map(([e, s]) => [e, s.line])),
      fix: bodyToFix(found, given, upstream, inputs.length, isTuple ? null : prediction, library),
    };
  } catch (e) {
    if (!(e instanceof PythonError)) throw e;
    return { ...common, gradients: none, refusal: null, failure: e, lines: new Map(), fix: null };
  }
}

/** Arguments for the gradient function by name, or all by position; null if it asks for more. */
function matched(
  { fn, self }: Found,
  own: readonly Parameter[],
  bound: ReadonlyMap<string, Value>,
  other: (name: string) => Value | null,
): Value[] | null {
  const asked = fn.code.parameters.slice(self === null ? 0 : 1);
  const values: Value[] = self === null ? [] : [self];
  const arraysLeft = own.filter((p) => !asked.some((q) => q.name === p.name));
  for (const p of asked) {
    if (p.kind === "args" || p.kind === "kwargs") continue;
    const same = own.find((q) => q.name === p.name);
    const value = same === undefined ? other(p.name) : bound.get(same.name)!;
    if (value !== null) values.push(value);
    else if (p.default !== null) values.push(fn.defaults.get(p.name)!);
    else {
      const next = arraysLeft.shift();
      if (next === undefined) return null;
      values.push(bound.get(next.name)!);
    }
  }
  return values;
}

function gradientsIn(
  returned: Value,
  inputs: readonly HandwrittenInput[],
  prediction: number,
  name: string,
): (Expr | null)[] | Refusal {
  const place = (v: Value, x: HandwrittenInput): Expr | null | Refusal => {
    if (v.kind === "none") return null;
    const e = exprOf(v) ?? (v.kind === "number" ? build.constant(v.value!) : null);
    if (e === null) {
      return { what: "type", message: `${name} returns no array as the gradient of ${x.name}` };
    }
    const shape = x.node.shape;
    if (fitsShape(e.shape, shape)) return e;
    if (e.shape.length === 0) return build.expand(e, shape);
    return {
      what: "shape",
      message: `${name} returns a gradient of shape ${formatShape(e.shape)} for ${x.name}, which has ${formatShape(shape)}`,
    };
  };
  const items = returned.kind === "tuple" || returned.kind === "list" ? returned.items : null;
  const all = inputs.map((x, k) => {
    const v = items === null ? (k === prediction ? returned : null) : (items[k] ?? null);
    return v === null ? null : place(v, x);
  });
  const refused = all.find((g): g is Refusal => g !== null && "what" in g);
  return refused ?? (all as (Expr | null)[]);
}

function bodyToFix(
  { fn, self }: Found,
  given: readonly Value[],
  upstream: readonly Expr[],
  count: number,
  position: number | null,
  library: TensorValue["library"],
): BodyToFix | null {
  const body = bodyOf(fn);
  if (body === null) return null;
  const own: Available[] = [];
  const name = fn.code.parameters[0]?.name;
  if (self?.kind === "instance" && name !== undefined) {
    for (const [attribute, v] of self.attributes) {
      const e = exprOf(v);
      if (e !== null) own.push({ node: e, code: `${name}.${attribute}` });
    }
  }
  return {
    ...body,
    library,
    available: [...boundTo(fn, given), ...own, ...visibleFrom(fn)],
    upstream: upstream.map((u) => (u.kind === "input" ? u.name : null)),
    count,
    position,
    keep: null,
    modules: modulesOf(fn),
  };
}
