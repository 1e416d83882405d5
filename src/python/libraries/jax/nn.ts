/** jax.nn and jax.scipy.special */
import { axis as newAxis, normalizeDim } from "../../../expression/axis.ts";
import { oneHot } from "../../../expression/build.ts";
import { elementwise, floatFunction } from "../../tensors/elementwise.ts";
import { rowsOf } from "../../tensors/picked.ts";
import { axisOfSize, castTo, freshLetter, rankOf, tensor } from "../../tensors/tensor.ts";
import { type TensorValue, type Value } from "../../values.ts";
import * as m from "../common.ts";
import { NeedsIntegerError } from "../../interpreter/interpreter.ts";
import { logSumExpWeighted, logit, softmaxAlong, xlogy } from "../special.ts";
import type { CallContext, Table } from "../signature.ts";
import { activations } from "./activations.ts";

/** 1 at the class of each entry, 0 elsewhere; classes outside of the range give zeros alone. */
function oneHotOf(c: CallContext): Value {
  const given = c.tensor("x");
  const rank = rankOf(given);
  const axis = c.vm.shaped(() => normalizeDim(c.int("axis"), rank + 1));
  const rows = axis === rank ? rowsOf(c.vm, [given], []) : null;
  if (rows === null) return oneHotIn(c, given, axis);
  const all = rows.all[0]!;
  return rows.picked(oneHotIn(c, all, rankOf(all)));
}

function oneHotIn(c: CallContext, x: TensorValue, axis: number): TensorValue {
  const { vm } = c;
  if (x.expr.type === "float") {
    return vm.fail(
      "TypeError",
      "one_hot() takes an integer array here",
      "Convert the labels first: labels.astype(jnp.int32).",
      new NeedsIntegerError(x.expr),
    );
  }
  const classes = c.int("num_classes");
  const own = axisOfSize(vm, classes, x.expr.shape);
  const taken = x.expr.shape.some((a) => a.name === own.name);
  const along = taken ? newAxis(freshLetter(x.expr.shape), classes, "class") : own;
  const dtype = m.dtypeArgument(c) ?? "float32";
  const e = vm.shaped(() => oneHot(x.expr, along, axis));
  return tensor(vm, castTo(e, "int64", dtype), "jax", dtype);
}

/** x · sigmoid(x) */
function silu(c: CallContext): Value {
  const x = c.tensor("x");
  return elementwise(c.vm, "mul", x, floatFunction(c.vm, "sigmoid", x, "jax"), "jax");
}

const softmax = "x, axis=-1, !where, !initial";

export const nnFunctions: Table = {
  ...activations,
  sigmoid: ["x", m.real("sigmoid")],
  log_sigmoid: ["x", m.real("logsigmoid")],
  softplus: ["x", m.real("softplus")],
  relu: ["x", m.keeping("relu")],
  tanh: ["x", m.real("tanh")],
  silu: ["x", silu],
  swish: ["x", silu],
  identity: ["x", (c) => c.tensor("x")],
  softmax: [softmax, (c) => softmaxAlong(c, false)],
  log_softmax: [softmax, (c) => softmaxAlong(c, true)],
  logsumexp: ["a, axis=None, b=None, keepdims=False, !return_sign, !where", logSumExpWeighted],
  one_hot: ["x, num_classes, *, dtype=None, axis=-1", oneHotOf],
};

export const jaxSpecial: Table = {
  expit: ["x", m.real("sigmoid")],
  log_expit: ["x", m.real("logsigmoid")],
  logit: ["x", logit],
  xlogy: ["x, y", (c) => xlogy(c)],
  xlog1py: ["x, y", (c) => xlogy(c, true)],
  logsumexp: ["a, axis=None, b=None, keepdims=False, !return_sign, !where", logSumExpWeighted],
  softmax: ["x, *, axis=None", (c) => softmaxAlong(c, false)],
  log_softmax: ["x, *, axis=None", (c) => softmaxAlong(c, true)],
};
