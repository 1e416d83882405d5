/** keras.losses.Loss: what every loss class of Keras does around its call(), and its reductions. */
import { size } from "../../expression/build.ts";
import type { DType } from "../dtypes.ts";
import { findMethod } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import { makeDict } from "../interpreter/collections.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, dropAxes } from "../tensors/reshape.ts";
import { isTensor, tensor } from "../tensors/tensor.ts";
import {
  type BuiltinValue,
  type ClassValue,
  type InstanceValue,
  NONE,
  type TensorValue,
  type Value,
  float,
  str,
} from "../values.ts";
import { convert } from "./convert.ts";
import { attachedMasks, floatx } from "./kerasSettings.ts";
import { type CallContext, type Meaning, builtin } from "./signature.ts";
import { divideNoNan, dtypeArgument } from "./tensorflowMeanings.ts";

const REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none"];

export function method(
  cls: string,
  name: string,
  signature: string,
  meaning: Meaning,
): [string, BuiltinValue] {
  return [name, { ...builtin(`${cls}.`, name, [signature, meaning], "tensorflow"), binds: true }];
}

export function self(c: CallContext): InstanceValue {
  const v = c.value("self");
  return v.kind === "instance" ? v : c.bad("self", "a Loss");
}

/** Keras 2 called the default "auto". */
function readReduction(c: CallContext): Value {
  const v = c.value("reduction");
  if (v.kind === "none") return v;
  const text = c.text("reduction");
  if (text === "auto") return str("sum_over_batch_size");
  if (REDUCTIONS.includes(text)) return v;
  return c.vm.fail(
    "ValueError",
    `Invalid value for argument \`reduction\`: ${text}`,
    `One of ${REDUCTIONS.join(", ")} is expected.`,
  );
}

/** The type that a loss computes in; `null` stands for Keras's default. */
const computeTypes = new WeakMap<InstanceValue, DType>();

export function initialize(c: CallContext): void {
  const own = self(c);
  own.attributes.set("name", c.given("name") ? c.value("name") : str(own.cls.name));
  own.attributes.set("reduction", readReduction(c));
  const dtype = dtypeArgument(c);
  if (dtype !== undefined) computeTypes.set(own, dtype);
}

function callMethod(): [string, BuiltinValue] {
  const signature = "self, y_true, y_pred, sample_weight=None";
  const [name, fn] = method("Loss", "__call__", signature, callLoss);
  return [name, { ...fn, extra: ["sample_weight"] }];
}

export const Loss: ClassValue = makeClass({
  name: "Loss",
  bases: [],
  attributes: new Map<string, Value>([
    method(
      "Loss",
      "__init__",
      "self, name=None, reduction='sum_over_batch_size', dtype=None",
      (c) => (initialize(c), NONE),
    ),
    callMethod(),
    method("Loss", "call", "self, y_true, y_pred", (c) =>
      c.vm.fail("NotImplementedError", `${self(c).cls.name} has no call() of its own`),
    ),
    method("Loss", "get_config", "self", (c) =>
      makeDict(
        c.vm,
        ["name", "reduction"].map((n) => [str(n), self(c).attributes.get(n) ?? NONE] as const),
      ),
    ),
  ]),
})!;

/** Both arguments in the loss's type, then call(), then the reduction. */
function callLoss(c: CallContext): Value {
  const own = self(c);
  const dtype = computeTypes.get(own) ?? floatx(c.vm);
  const [target, output] = [c.value("y_true"), c.value("y_pred")].map((v) => inType(c, v, dtype));
  const inner = findMethod(own, "call")!;
  const losses = call(c.vm, inner, [target!, output!]);
  if (losses.kind !== "tensor" && losses.kind !== "number") return losses;
  const reduced = own.attributes.get("reduction") ?? str("sum_over_batch_size");
  const how = reduced.kind === "str" ? reduced.value : "none";
  const values = c.asOwn(losses);
  return reduceWeighted(c, convert(c.vm, values, dtype), attachedMasks.get(values) ?? null, how);
}

/** Arrays, also in lists and dictionaries, converted. */
function inType(c: CallContext, v: Value, dtype: DType): Value {
  if (v.kind === "tensor" || v.kind === "number") return convert(c.vm, c.asOwn(v), dtype);
  if (v.kind === "list" || v.kind === "tuple") {
    const items: Value[] = v.items.map((x) => inType(c, x, dtype));
    return { ...v, items };
  }
  if (v.kind !== "dict") return v;
  const entries = [...v.entries.values()];
  return makeDict(
    c.vm,
    entries.map((e) => [e.key, inType(c, e.value, dtype)] as const),
  );
}

function reduceWeighted(
  c: CallContext,
  losses: TensorValue,
  mask: TensorValue | null,
  how: string,
): TensorValue {
  const { vm } = c;
  const given = c.given("sample_weight") ? c.tensor("sample_weight") : null;
  let values = losses;
  let weight = given === null ? null : inTypeOf(vm, given, losses);
  if (mask !== null) weight = withMask(c, weight, mask, losses, how);
  if (weight !== null) {
    const [x, w] = toSameRank(vm, values, weight);
    values = elementwise(vm, "mul", x, w);
    weight = w;
  }
  return reduceValues(c, values, weight, how);
}

function inTypeOf(vm: Interpreter, t: TensorValue, like: TensorValue): TensorValue {
  if (like.dtype !== null) return convert(vm, t, like.dtype);
  return t.expr.type === "float" ? t : convert(vm, t, "float64");
}

/** Entries that do not count weigh nothing; in a mean the others share their weight. */
function withMask(
  c: CallContext,
  weight: TensorValue | null,
  mask: TensorValue,
  losses: TensorValue,
  how: string,
): TensorValue {
  const { vm } = c;
  const counted = inTypeOf(vm, mask, losses);
  let own = counted;
  if (how === "mean" || how === "sum_over_batch_size") {
    const total = tensor(vm, size(mask.expr.shape), c.library, losses.dtype);
    const share = divideNoNan(c, total, reduction(vm, "sum", counted, null, false));
    own = select(vm, mask, share, float(0), c.library);
  }
  if (weight === null) return own;
  const [m, w] = toSameRank(vm, own, weight);
  return elementwise(vm, "mul", w, m);
}

/** @param how one of REDUCTIONS */
function reduceValues(
  c: CallContext,
  values: TensorValue,
  weight: TensorValue | null,
  how: string,
): TensorValue {
  if (how === "none" || values.expr.shape.length === 0) return values;
  if (how === "sum") return reduction(c.vm, "sum", values, null, false);
  if (how !== "mean_with_sample_weight" || weight === null) {
    return reduction(c.vm, "mean", values, null, false);
  }
  const total = reduction(c.vm, "sum", values, null, false);
  const weights = reduction(c.vm, "sum", weight, null, false);
  return c.asOwn(divideNoNan(c, total, weights));
}

/**
 * Two arrays whose ranks differ by one brought to one rank: a last axis of size 1 is dropped, or one
 * is added to the vector beside a matrix with a single column.
 */
export function toSameRank(
  vm: Interpreter,
  a: TensorValue,
  b: TensorValue,
): [TensorValue, TensorValue] {
  const [m, n] = [a.expr.shape.length, b.expr.shape.length];
  if (m === n + 1) {
    const [x, y] = fitted(vm, a, b);
    return [x, y];
  }
  if (n === m + 1) {
    const [y, x] = fitted(vm, b, a);
    return [x, y];
  }
  return [a, b];
}

function fitted(
  vm: Interpreter,
  larger: TensorValue,
  smaller: TensorValue,
): [TensorValue, TensorValue] {
  if (larger.expr.shape.at(-1)!.size !== 1) return [larger, smaller];
  if (smaller.expr.shape.length === 1) return [larger, addAxis(vm, smaller, -1)];
  return [dropAxes(vm, larger, [-1]), smaller];
}

/** squeeze_or_expand_to_same_rank of Keras's sources. */
export const sameRankPair: Meaning = (c) => {
  const [a, b] = [c.value("x1"), c.value("x2")];
  const pair = isTensor(a) && isTensor(b) ? toSameRank(c.vm, a, b) : [a, b];
  return { kind: "tuple", items: pair };
};

/** A loss function as a class: the settings given once go along with every call. */
export const LossFunctionWrapper: ClassValue = makeClass({
  name: "LossFunctionWrapper",
  bases: [Loss],
  attributes: new Map<string, Value>([
    [
      "__init__",
      {
        kind: "builtin",
        name: "LossFunctionWrapper.__init__",
        binds: true,
        call: (vm, { positional, keywords }) => {
          const own = new Map([...keywords].filter(([k]) => BASE.includes(k)));
          const rest = [...keywords].filter(([k]) => !BASE.includes(k) && k !== "fn");
          const [loss, fn, reductionGiven, name] = positional;
          if (loss?.kind !== "instance") return vm.fail("TypeError", "not a loss");
          if (reductionGiven !== undefined) own.set("reduction", reductionGiven);
          if (name !== undefined) own.set("name", name);
          call(vm, Loss.attributes.get("__init__")!, [loss], own);
          loss.attributes.set("fn", fn ?? keywords.get("fn") ?? NONE);
          const settings = makeDict(
            vm,
            rest.map(([k, v]) => [str(k), v] as const),
          );
          loss.attributes.set("_fn_kwargs", settings);
          return NONE;
        },
      },
    ],
    method("LossFunctionWrapper", "call", "self, y_true, y_pred", (c) => {
      const own = self(c);
      const settings = own.attributes.get("_fn_kwargs");
      const keywords = new Map<string, Value>();
      for (const e of settings?.kind === "dict" ? settings.entries.values() : []) {
        if (e.key.kind === "str") keywords.set(e.key.value, e.value);
      }
      const [target, output] = [c.value("y_true"), c.value("y_pred")];
      const args =
        isTensor(target) && isTensor(output) ? toSameRank(c.vm, target, output) : [target, output];
      return call(c.vm, own.attributes.get("fn") ?? NONE, args, keywords);
    }),
  ]),
})!;

const BASE = ["name", "reduction", "dtype"];
