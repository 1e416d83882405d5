/**
 * Using a function whose gradient is written by hand. Both the forward pass and the gradient run on
 * inputs of their own, so that each is an expression in the function's arguments; in what is
 * computed from the result, a node stands for each output, which keeps the trace's derivative from
 * going through the forward pass where the library would not.
 */
import { type Shape, fitsShape, formatShape } from "../../expression/axis.ts";
import * as build from "../../expression/build.ts";
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { rewrite, topological } from "../../expression/walk.ts";
import { PythonError } from "../errors.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { itemsOf, tensor } from "../tensors/tensor.ts";
import { type TensorValue, type Value, typeName } from "../values.ts";
import type { BodyToFix, HandwrittenInput, HandwrittenUse, Refusal } from "./record.ts";

/** What a library makes of one use of such a function. */
export interface Rule extends Pick<HandwrittenUse, "kind" | "name" | "library"> {
  readonly definition: SourceSpan;
  readonly gradientName: string;
  /** What the arguments are called, by position. */
  readonly argumentNames: readonly string[];
  readonly forward: (args: readonly Value[]) => Value;
  /** What is returned for each argument, given the gradient that arrives at each output. */
  readonly gradient: (
    args: readonly Value[],
    result: Value,
    upstream: readonly TensorValue[],
  ) => readonly Value[];
  /** In its place: the change of each output, given that of each argument (null: not varied). */
  readonly tangent?: (
    args: readonly Value[],
    result: Value,
    tangents: readonly (TensorValue | null)[],
  ) => Value;
  /** Names of what arrives at the outputs. */
  readonly upstreamNames: readonly string[];
  readonly fix: (args: readonly Value[], inputs: readonly HandwrittenInput[]) => BodyToFix | null;
  /** The library adds up a gradient along axes that its argument does not have. */
  readonly sumsToShape: boolean;
  /** How many gradients may be returned, for a count that differs from that of the arguments. */
  readonly allowsTrailingNone: boolean;
}

export type Use = Pick<HandwrittenUse, "how" | "place"> & { readonly inForce: boolean };

/** The value of the function, and in a trace the record of its gradient. */
export function useRule(vm: Interpreter, rule: Rule, args: readonly Value[], use: Use): Value {
  if (!vm.recorder.isTrace) return rule.forward(args);
  const { recorder } = vm;
  if (recorder.tape !== null) {
    if (use.inForce) recorder.tape.handwritten.push(rule.name);
    return rule.forward(args);
  }
  const inputs: HandwrittenInput[] = [];
  const passed: Expr[] = [];
  const own = args.map((v, position): Value => {
    if (v.kind !== "tensor") return v;
    const wish = rule.argumentNames[position] ?? `argument_${position + 1}`;
    const node = inputFor(vm, wish, v.expr, inputs);
    inputs.push({ name: wish, node, position });
    passed.push(v.expr);
    return tensor(vm, node, v.library, v.dtype);
  });
  return recorder.unfollowed(() => {
    const depth = vm.stopGradientDepth;
    vm.stopGradientDepth = 0;
    const before = inputs.map(({ node }) => recorder.spelledOut(node));
    const values = passed.map((e) => recorder.spelledOut(e));
    inputs.forEach(({ node }, k) => {
      recorder.stand(node, values[k]!);
    });
    try {
      const result = rule.forward(own);
      const tensors = tensorsIn(result).filter((t) => t.expr.type === "float");
      const outputs = tensors.map((t) => withoutStops(t.expr));
      const upstream = outputs.map((o, k) =>
        upstreamFor(rule.upstreamNames[k] ?? `grad_output_${k + 1}`, o.shape, inputs),
      );
      const found = gradients(vm, rule, own, result, tensors, upstream, inputs);
      outputs.forEach((o) => {
        recorder.carrySpelledOut(o);
      });
      const stands = use.inForce ? outputs.map((o, k) => standFor(vm, rule.name, k, o.shape)) : [];
      stands.forEach((s, k) => {
        recorder.stand(s, recorder.spelledOut(outputs[k]!));
      });
      recorder.handwritten.push({
        kind: rule.kind,
        name: rule.name,
        library: rule.library,
        definition: rule.definition,
        gradientName: rule.gradientName,
        how: use.how,
        place: use.place,
        inputs,
        passed,
        outputs,
        stands,
        upstream,
        ...found,
        fix: rule.fix(own, inputs),
      });
      vm.stopGradientDepth = depth;
      return use.inForce ? replaced(vm, result, tensors, stands) : result;
    } finally {
      vm.stopGradientDepth = depth;
      inputs.forEach(({ node }, k) => {
        recorder.stand(node, before[k]!);
      });
    }
  });
}

type Found = Pick<HandwrittenUse, "gradients" | "tangents" | "refusal" | "failure" | "lines">;

function gradients(
  vm: Interpreter,
  rule: Rule,
  args: readonly Value[],
  result: Value,
  outputs: readonly TensorValue[],
  upstream: readonly Expr[],
  inputs: readonly HandwrittenInput[],
): Found {
  const none = inputs.map(() => null);
  const nothing = { gradients: none, tangents: null, refusal: null, failure: null };
  try {
    if (rule.tangent !== undefined) {
      const tangents = tangentsOf(vm, rule.tangent, args, result, inputs);
      return { ...nothing, tangents, lines: linesNow(vm) };
    }
    const returned = vm.transaction(false, () =>
      rule.gradient(
        args,
        result,
        upstream.map((u, k) => tensor(vm, u, outputs[k]!.library, outputs[k]!.dtype)),
      ),
    );
    const refusal = countRefusal(rule, args.length, returned);
    const lines = linesNow(vm);
    if (refusal !== null) return { ...nothing, refusal, lines };
    const all = inputs.map((x) => gradientFor(rule, x, returned[x.position]!));
    const refused = all.find((g): g is Refusal => g !== null && "what" in g);
    if (refused !== undefined) return { ...nothing, refusal: refused, lines };
    return { ...nothing, gradients: all as (Expr | null)[], lines };
  } catch (e) {
    if (!(e instanceof PythonError)) throw e;
    return { ...nothing, failure: e, lines: new Map() };
  }
}

function tangentsOf(
  vm: Interpreter,
  rule: NonNullable<Rule["tangent"]>,
  args: readonly Value[],
  result: Value,
  inputs: readonly HandwrittenInput[],
): HandwrittenUse["tangents"] {
  const nodes = inputs.map((x) =>
    x.node.type === "float" ? build.input(`tangent@${x.name}`, x.node.shape, "float") : null,
  );
  const tangents = args.map((v, position) => {
    const k = inputs.findIndex((x) => x.position === position);
    const node = nodes[k] ?? null;
    return node === null || v.kind !== "tensor" ? null : tensor(vm, node, v.library, v.dtype);
  });
  const returned = vm.transaction(false, () => rule(args, result, tangents));
  return { inputs: nodes, outputs: tensorsIn(returned).map((t) => withoutStops(t.expr)) };
}

function linesNow(vm: Interpreter): Map<Expr, number> {
  return new Map([...vm.recorder.spans].map(([e, s]) => [e, s.line]));
}

function countRefusal(rule: Rule, count: number, returned: readonly Value[]): Refusal | null {
  const extra = returned.slice(count);
  if (returned.length >= count && rule.allowsTrailingNone && extra.every((v) => v.kind === "none"))
    return null;
  if (returned.length === count) return null;
  return {
    what: "count",
    message: `${rule.gradientName} returns ${countOf(returned.length)}, but ${rule.name} takes ${count} argument${count === 1 ? "" : "s"}`,
  };
}

const countOf = (n: number): string => `${n} gradient${n === 1 ? "" : "s"}`;

/** The gradient for one input as the library takes it: of the input's shape. */
function gradientFor(rule: Rule, input: HandwrittenInput, v: Value): Expr | Refusal | null {
  if (v.kind === "none") return null;
  const shape = input.node.shape;
  if (v.kind !== "tensor" && !(v.kind === "number" && !rule.sumsToShape)) {
    return {
      what: "type",
      message: `${rule.gradientName} returns ${typeName(v)} as the gradient of ${input.name}, not an array`,
    };
  }
  const e = withoutStops(v.kind === "tensor" ? v.expr : (v.symbol ?? build.constant(v.value!)));
  if (fitsShape(e.shape, shape)) return e;
  const summed = rule.sumsToShape ? summedTo(e, shape) : null;
  if (summed !== null) return summed;
  return {
    what: "shape",
    message: `the gradient of ${input.name} has shape ${formatShape(e.shape)}, but ${input.name} has ${formatShape(shape)}`,
  };
}

/** A gradient with more axes, or longer ones, is added up along these. `null`: it does not fit. */
function summedTo(e: Expr, shape: Shape): Expr | null {
  const lead = e.shape.length - shape.length;
  if (lead < 0) return null;
  const dropped = lead > 0 ? build.sum(e, [...Array(lead).keys()]) : e;
  const long = shape.flatMap((a, d) => (a.size === 1 && dropped.shape[d]!.size !== 1 ? [d] : []));
  const result = long.length > 0 ? build.sum(dropped, long, true) : dropped;
  return fitsShape(result.shape, shape) ? result : null;
}

/** Neither pass of such a function is recorded for differentiation, so cuts in it cut nothing. */
export function withoutStops(e: Expr): Expr {
  if (!topological(e).some((x) => x.kind === "stopGradient")) return e;
  return rewrite(e, (x) => (x.kind === "stopGradient" ? x.args[0]! : x));
}

function inputFor(
  vm: Interpreter,
  wish: string,
  value: Expr,
  inputs: readonly HandwrittenInput[],
): Expr {
  const direct = build.input(wish, value.shape, value.type);
  if (direct === value && !inputs.some((x) => x.node === direct)) return direct;
  const taken = new Set([...vm.standIns.keys()].map((e) => (e.kind === "input" ? e.name : "")));
  for (const e of vm.traceInputs) taken.add(e.kind === "input" ? e.name : "");
  for (const x of inputs) taken.add(x.node.kind === "input" ? x.node.name : "");
  let name = wish;
  for (let k = 2; taken.has(name); k++) name = `${wish}_${k}`;
  return build.input(name, value.shape, value.type);
}

function upstreamFor(wish: string, shape: Shape, inputs: readonly HandwrittenInput[]): Expr {
  const taken = new Set(inputs.map((x) => (x.node.kind === "input" ? x.node.name : "")));
  let name = wish;
  for (let k = 2; taken.has(name); k++) name = `${wish}_${k}`;
  return build.input(name, shape, "float");
}

/** A new node for each output: two uses of one function are two functions of their arguments. */
function standFor(vm: Interpreter, name: string, k: number, shape: Shape): Expr {
  const n = vm.recorder.handwritten.reduce((k, h) => k + h.stands.length, 0);
  return build.input(`${name}@${n + k + 1}`, shape, "float");
}

export function tensorsIn(v: Value): TensorValue[] {
  if (v.kind === "tensor") return [v];
  return v.kind === "list" || v.kind === "tuple" ? (itemsOf(v) ?? []).flatMap(tensorsIn) : [];
}

function replaced(
  vm: Interpreter,
  result: Value,
  tensors: readonly TensorValue[],
  stands: readonly Expr[],
): Value {
  if (result.kind === "tensor") {
    const k = tensors.indexOf(result);
    return k < 0 ? result : tensor(vm, stands[k]!, result.library, result.dtype);
  }
  if (result.kind === "tuple" || result.kind === "list") {
    const items = result.items.map((v) => replaced(vm, v, tensors, stands));
    return { ...result, items };
  }
  return result;
}
