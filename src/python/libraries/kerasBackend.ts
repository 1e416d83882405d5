/** K: the functions of `tensorflow.keras.backend`, which are TensorFlow's own under shorter names. */
import { einsum, matmul } from "../tensors/contraction.ts";
import { clampValue, elementwise, floatFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, dropAxes, expandTo, flattenRange } from "../tensors/reshape.ts";
import { sizeNumber, tensor } from "../tensors/tensor.ts";
import { NONE, type TensorValue, type Value, float, int, str, tuple } from "../values.ts";
import * as m from "./common.ts";
import { convert, withoutGradient } from "./convert.ts";
import { dtypeOf } from "./dtypeNames.ts";
import * as k from "./kerasCrossEntropy.ts";
import { withLogits } from "./kerasOps.ts";
import { kerasCurves, limitedRelu } from "./kerasActivations.ts";
import { backendPooling } from "./channelsLast.ts";
import { attachedMasks, configure, dataFormat, epsilon, floatx } from "./kerasSettings.ts";
import { repeatedBy, reversed, runningSum } from "./picking.ts";
import { steps } from "./numpyMeanings.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import { mathFunctions, tensorflowFunctions } from "./tensorflow.ts";
import { backendFrames } from "./kerasLayers.ts";
import { backendConvolutions } from "./tensorflowWindows.ts";
import { conditional, mapped } from "./tensorflowFlow.ts";
import * as t from "./tensorflowMeanings.ts";
import * as shapes from "./tensorflowShapes.ts";

/** Settings, which Keras 3 has under `keras.backend` and `keras.config`. */
export const configFunctions: Table = {
  epsilon: ["", (c) => epsilon(c.vm)],
  floatx: ["", (c) => str(floatx(c.vm))],
  image_data_format: ["", (c) => str(dataFormat(c.vm))],
  backend: ["", () => str("tensorflow")],
  set_epsilon: ["value", (c) => (configure(c.vm, { epsilon: c.number("value") }), NONE)],
  set_floatx: [
    "value",
    (c) => (configure(c.vm, { floatx: t.readTensorFlowDType(c, c.value("value")) }), NONE),
  ],
  set_image_data_format: [
    "data_format",
    (c) => (configure(c.vm, { imageDataFormat: c.text("data_format") }), NONE),
  ],
  image_dim_ordering: ["", () => str("tf")],
};

const over = "x, axis=None, keepdims=False";

/** Truth values count as floats in a mean. */
const mean: Meaning = (c) => {
  const x = c.tensor("x");
  const real = x.expr.type === "bool" ? convert(c.vm, x, floatx(c.vm)) : x;
  return reduction(c.vm, "mean", real, c.dims("dim"), c.flag("keepdim"));
};

const truth =
  (op: "any" | "all"): Meaning =>
  (c) => {
    const x = convert(c.vm, c.tensor("x"), "bool");
    return reduction(c.vm, op, x, c.dims("dim"), c.flag("keepdim"));
  };

/** The root of what is not negative. */
const root: Meaning = (c) =>
  floatFunction(c.vm, "sqrt", clampValue(c.vm, c.tensor("x"), float(0), null));

/** 0.2 x + 0.5, limited to [0, 1]. */
const hardSigmoid: Meaning = (c) => {
  const line = elementwise(
    c.vm,
    "add",
    elementwise(c.vm, "mul", float(0.2), c.tensor("x")),
    float(0.5),
  );
  return clampValue(c.vm, line, float(0), float(1));
};

/** A condition of fewer axes stands for all entries of the others. */
const chosen: Meaning = (c) => {
  const condition = convert(c.vm, c.tensor("condition"), "bool");
  const [yes, no] = [c.value("then_expression"), c.value("else_expression")];
  const rank = yes.kind === "tensor" ? yes.expr.shape.length : 0;
  let wide: TensorValue = condition;
  if (condition.expr.shape.length > 0) {
    while (wide.expr.shape.length < rank) wide = addAxis(c.vm, wide, -1);
  }
  return conditional(c, wide, yes, no);
};

/** Along the last axis of one and the last but one of the other, for each entry of the batch. */
const batchDot: Meaning = (c) => {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const [p, q] = [a.expr.shape.length, b.expr.shape.length];
  if (p !== q || p < 2 || p > 3) return c.vm.unsupported(`${c.name}() of arrays of these ranks`);
  const given = c.dims("axes");
  const at = (d: number, rank: number): number => (d < 0 ? d + rank : d);
  const left = at(given?.[0] ?? p - 1, p);
  const right = at(given?.[1] ?? given?.[0] ?? (q === 2 ? q - 1 : q - 2), q);
  if (left === 0 || right === 0) return c.vm.unsupported(`${c.name}() over the batch`);
  const letters = (rank: number, summed: number, free: string): string =>
    Array.from({ length: rank }, (_, d) => (d === 0 ? "b" : d === summed ? "k" : free)).join("");
  const [x, y] = [letters(p, left, "i"), letters(q, right, "j")];
  const result = einsum(c.vm, `${x},${y}->b${p === 3 ? "ij" : ""}`, [a, b], c.library);
  return p === 2 ? addAxis(c.vm, result, -1) : result;
};

const dot: Meaning = (c) => {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  if (a.expr.shape.length === 2 && b.expr.shape.length === 2) return matmul(c.vm, a, b, c.library);
  return c.vm.unsupported(
    `${c.name}() is supported for matrices only`,
    "Sum the product instead: K.sum(x * y).",
  );
};

const pair = (c: CallContext): k.Pair => ({
  target: c.tensor("target"),
  output: c.tensor("output"),
});

const sparse: Meaning = (c) => {
  if (c.given("ignore_class")) return c.vm.unsupported(`${c.name}() with ignore_class`);
  return k.sparseLoss(c, bare(c), c.flag("from_logits"));
};

const variable = (c: CallContext): Value => {
  const x = t.made(c, "value");
  return c.given("dtype") || x.kind !== "tensor" ? x : convert(c.vm, x, floatx(c.vm));
};

export const backendFunctions: Table = {
  ...configFunctions,
  // Entry by entry
  ...pick("abs exp sign square sin cos tanh sigmoid round pow maximum minimum"),
  ...pick("equal not_equal greater greater_equal less less_equal"),
  log: mathFunctions["log"]!,
  softplus: ["x", m.real("softplus")],
  sqrt: ["x", root],
  relu: ["x, alpha=0.0, max_value=None, threshold=0.0", limitedRelu("alpha")],
  elu: ["x, alpha=1.0", (c) => t.elu(c, c.tensor("x"), c.value("alpha"))],
  hard_sigmoid: ["x", hardSigmoid],
  softsign: kerasCurves["softsign"]!,
  softmax: ["x, axis=-1", (c) => withLogits(c, t.softmax(c, "x", false))],
  l2_normalize: mathFunctions["l2_normalize"]!,
  clip: [
    "x, min_value, max_value",
    (c) => t.clip(c, c.value("x"), c.optional("min_value"), c.optional("max_value")),
  ],
  switch: ["condition, then_expression, else_expression", chosen],

  // Over axes
  sum: [over, m.reduceBy("sum")],
  prod: [over, t.reduceSizes("prod")],
  mean: [over, mean],
  max: [over, m.reduceBy("max")],
  min: [over, m.reduceBy("min")],
  any: [over, truth("any")],
  all: [over, truth("all")],
  std: [over, m.spread("std", () => 0)],
  var: [over, m.spread("var", () => 0)],
  logsumexp: [over, m.logSumExpOf],
  argmax: ["x, axis=-1", m.positionOf("argmax")],
  argmin: ["x, axis=-1", m.positionOf("argmin")],

  // Products
  dot: ["x, y", dot],
  batch_dot: ["x, y, axes=None", batchDot],

  // Shapes
  flatten: ["x", (c) => flattenRange(c.vm, c.tensor("x"), 0, -1)],
  batch_flatten: ["x", (c) => flattenRange(c.vm, c.tensor("x"), 1, -1)],
  reshape: ["x, shape", shapes.reshape("shape")],
  transpose: ["x", shapes.transpose("axes")],
  permute_dimensions: ["x, pattern", shapes.transpose("pattern")],
  expand_dims: ["x, axis=-1", m.newAxis],
  squeeze: ["x, axis", (c) => dropAxes(c.vm, c.tensor("x"), c.dims("axis"))],
  concatenate: ["tensors, axis=-1", shapes.concat("tensors")],
  stack: ["x, axis=0", shapes.stack("x")],
  tile: ["x, n", (c) => shapes.tile(c, "n")],
  repeat: [
    "x, n",
    (c) => {
      const row = addAxis(c.vm, c.tensor("x"), 1);
      const sizes = row.expr.shape.map((_, d) => (d === 1 ? c.value("n") : int(-1)));
      return expandTo(c.vm, row, sizes);
    },
  ],
  reverse: ["x, axes", (c) => reversed(c, c.dims("axes")!)],
  cumsum: ["x, axis=0", runningSum],
  cumprod: ["x, axis=0, ~exclusive=False, ~reverse=False", tensorflowFunctions["cumprod"]![1]],
  repeat_elements: ["x, rep, axis", repeatedBy("rep")],
  gather: [
    "reference, indices",
    (c) => shapes.gather(c, c.tensor("reference"), c.value("indices"), 0),
  ],
  one_hot: ["indices, num_classes, axis=-1", (c) => shapes.oneHot(c, "num_classes", "float32")],
  shape: ["x", (c) => tuple(c.expr("x").shape.map(sizeNumber))],
  int_shape: ["x", (c) => tuple(c.expr("x").shape.map(sizeNumber))],
  ndim: ["x", (c) => int(c.expr("x").shape.length)],

  // Making and converting tensors
  ...backendPooling,
  ...backendConvolutions,
  ...backendFrames,
  cast: ["x, dtype", t.cast],
  cast_to_floatx: ["x", (c) => convert(c.vm, c.tensor("x"), floatx(c.vm))],
  dtype: ["x", (c) => str(dtypeOf(c.vm, c.tensor("x")).dtype)],
  constant: ["value, dtype=None, shape=None, ~name", variable],
  variable: ["value, dtype=None, ~name, ~constraint", variable],
  convert_to_tensor: ["x, dtype=None, ~sparse, ~ragged", (c) => t.made(c, "x")],
  zeros: ["shape, dtype=None, ~name", (c) => t.constantOf(c, float(0), "shape", floatx(c.vm))],
  ones: ["shape, dtype=None, ~name", (c) => t.constantOf(c, float(1), "shape", floatx(c.vm))],
  zeros_like: ["x, dtype=None, ~name", (c) => t.constantLike(c, 0)],
  ones_like: ["x, dtype=None, ~name", (c) => t.constantLike(c, 1)],
  eye: ["size, dtype=None, ~name", (c) => t.identity(c, "size")],
  arange: ["start, stop=None, step=1, dtype=None", (c) => steps(c, "start", "stop", "step")],
  stop_gradient: ["variables", (c) => t.cut(c, c.value("variables"))],
  get_value: ["x", (c) => withoutGradient(c.vm, c.tensor("x"), "K.get_value()", "numpy")],
  eval: ["x", (c) => withoutGradient(c.vm, c.tensor("x"), "K.eval()", "numpy")],
  is_tensor: tensorflowFunctions["is_tensor"]!,
  map_fn: ["fn, elems, **", mapped("fn", "elems")],
  print_tensor: ["x, ~message, **", (c) => c.tensor("x")],

  // Losses
  binary_crossentropy: [
    "target, output, from_logits=False",
    (c) => k.backendBinaryLoss(c, bare(c), c.flag("from_logits")),
  ],
  categorical_crossentropy: [
    "target, output, from_logits=False, axis=-1",
    (c) => k.categoricalLoss(c, bare(c), c.flag("from_logits"), c.int("axis")),
  ],
  sparse_categorical_crossentropy: [
    "target, output, from_logits=False, !axis=-1, ignore_class=None",
    sparse,
  ],
  name_scope: ["~name", () => ({ kind: "context", name: "name_scope", effect: "none" })],
  get_keras_mask: ["x", (c) => maskOf(c)],
  set_keras_mask: [
    "x, mask",
    (c) => {
      attachedMasks.set(c.tensor("x"), c.tensor("mask"));
      return NONE;
    },
  ],
};

/** The backend's own cross-entropies do not look for attached logits. */
function bare(c: CallContext): k.Pair {
  const { target, output } = pair(c);
  return { target, output: tensor(c.vm, output.expr, output.library, output.dtype) };
}

function maskOf(c: CallContext): Value {
  const v = c.value("x");
  return (v.kind === "tensor" ? attachedMasks.get(v) : undefined) ?? NONE;
}

function pick(names: string): Table {
  return Object.fromEntries(names.split(" ").map((n) => [n, tensorflowFunctions[n]!] as const));
}
