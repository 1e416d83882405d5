/** TensorFlow: what each function means. One line a function; TensorFlow 1's names are among them. */
import { einsum } from "../tensors/contraction.ts";
import { elementwise, logical, truthFunction } from "../tensors/elementwise.ts";
import { expandTo, swapAxes } from "../tensors/reshape.ts";
import { countNumber, sizeNumber } from "../tensors/tensor.ts";
import { NONE, TRUE, bool, float, int, tuple } from "../values.ts";
import * as m from "./common.ts";
import { convert, isFrom } from "./convert.ts";
import { exclusiveOr, isInfinite, linspace, steps } from "./numpyMeanings.ts";
import { tensorflowSegments } from "./accumulating.ts";
import { tensorflowCumulative } from "./cumulative.ts";
import { tensorflowCounting } from "./counting.ts";
import { tensorflowGrids } from "./grids.ts";
import { tensorflowSets } from "./knownSets.ts";
import { tensorflowPicking } from "./picking.ts";
import { tensorflowTriangles } from "./triangles.ts";
import { unbind } from "./pieces.ts";
import type { Aliases, Table } from "./signature.ts";
import { tensorflowFlow } from "./tensorflowFlow.ts";
import * as t from "./tensorflowMeanings.ts";
import { tensorflowCounts, tensorflowPlaces } from "./tensorflowPlaces.ts";
import { tensorflowPadding } from "./tensorflowWindows.ts";
import * as shapes from "./tensorflowShapes.ts";

/** Names of arguments in TensorFlow 1. */
export const tensorflowAliases: Aliases = {
  keep_dims: "keepdims",
  reduction_indices: "axis",
  dimension: "axis",
  dim: "axis",
};

const one = "x, ~name";
const two = "x, y, ~name";
const over = "input_tensor, axis=None, keepdims=False, ~name";

/** In tf and in tf.math alike. */
const shared: Table = {
  cumsum: tensorflowPicking["cumsum"]!,
  ...tensorflowCumulative,
  top_k: tensorflowPicking["top_k"]!,
  // Entry by entry
  exp: [one, m.real("exp")],
  sqrt: [one, m.real("sqrt")],
  tanh: [one, m.real("tanh")],
  sinh: [one, m.real("sinh")],
  cosh: [one, m.real("cosh")],
  sin: [one, m.real("sin")],
  cos: [one, m.real("cos")],
  sigmoid: [one, m.real("sigmoid")],
  abs: [one, m.keeping("abs")],
  sign: [one, m.keeping("sign")],
  negative: [one, m.keeping("neg")],
  floor: [one, m.keeping("floor")],
  round: [one, m.keeping("round")],
  square: [one, m.square],
  add: [two, m.operator("+")],
  subtract: [two, m.operator("-")],
  multiply: [two, m.operator("*")],
  divide: [two, m.operator("/")],
  truediv: [two, m.operator("/")],
  floordiv: [two, m.operator("//")],
  pow: [two, m.operator("**")],
  maximum: [two, t.extreme("max")],
  minimum: [two, t.extreme("min")],
  add_n: ["inputs, ~name", t.addAll],
  equal: [two, m.comparison("==")],
  not_equal: [two, m.comparison("!=")],
  greater: [two, m.comparison(">")],
  greater_equal: [two, m.comparison(">=")],
  less: [two, m.comparison("<")],
  less_equal: [two, m.comparison("<=")],
  logical_and: [two, (c) => logical(c.vm, "and", c.tensor("x"), c.tensor("y"))],
  logical_or: [two, (c) => logical(c.vm, "or", c.tensor("x"), c.tensor("y"))],
  logical_not: [one, (c) => truthFunction(c.vm, "not", c.tensor("x"))],

  // Over axes
  reduce_sum: [over, t.reduceSizes("sum")],
  reduce_prod: [over, t.reduceSizes("prod")],
  reduce_mean: [over, m.reduceBy("mean")],
  reduce_max: [over, m.reduceBy("max")],
  reduce_min: [over, m.reduceBy("min")],
  reduce_any: [over, m.reduceBy("any")],
  reduce_all: [over, m.reduceBy("all")],
  reduce_logsumexp: [over, m.logSumExpOf],
  argmax: ["input, axis=0, output_type=None, ~name", t.position("argmax")],
  argmin: ["input, axis=0, output_type=None, ~name", t.position("argmin")],
};

export const mathFunctions: Table = {
  ...shared,
  log: [one, m.real("log")],
  log1p: [one, m.real("log1p")],
  expm1: [one, m.real("expm1")],
  rsqrt: [one, t.inverseRoot],
  ceil: [one, m.keeping("ceil")],
  rint: [one, m.keeping("round")],
  reciprocal: [one, m.reciprocal],
  softplus: ["features, ~name", m.real("softplus")],
  log_sigmoid: [one, m.real("logsigmoid")],
  mod: [two, m.operator("%")],
  floormod: [two, m.operator("%")],
  squared_difference: [two, t.squaredDifference],
  logical_xor: [two, exclusiveOr],
  is_nan: [one, (c) => truthFunction(c.vm, "isnan", c.tensor("x"))],
  is_finite: [one, (c) => truthFunction(c.vm, "isfinite", c.tensor("x"))],
  is_inf: [one, isInfinite],
  divide_no_nan: [two, (c) => t.divideNoNan(c, c.value("x"), c.value("y"))],
  reciprocal_no_nan: [one, (c) => t.divideNoNan(c, float(1), c.value("x"))],
  xlogy: [two, t.xLogY],
  tan: [one, (c) => elementwise(c.vm, "div", m.real("sin")(c), m.real("cos")(c))],
  scalar_mul: [
    "scalar, x, ~name",
    (c) => elementwise(c.vm, "mul", c.value("scalar"), c.tensor("x")),
  ],
  multiply_no_nan: [two, t.multiplyNoNan],
  zero_fraction: ["value, ~name", t.zeroFraction],
  polyval: ["coeffs, x, ~name", t.polynomial],
  softmax: ["logits, axis=-1, ~name", (c) => t.softmax(c, "logits", false)],
  log_softmax: ["logits, axis=-1, ~name", (c) => t.softmax(c, "logits", true)],
  xdivy: [two, t.xDivY],
  reduce_std: [over, m.spread("std", () => 0)],
  reduce_variance: [over, m.spread("var", () => 0)],
  reduce_euclidean_norm: [
    over,
    (c) => m.vectorNorm(c, c.tensor("x"), 2, c.dims("dim"), c.flag("keepdim")),
  ],
  count_nonzero: [
    "input, axis=None, keepdims=False, dtype=None, ~name",
    (c) => {
      const count = m.countNonzero(c);
      return count.kind === "tensor" ? convert(c.vm, count, t.dtypeArgument(c) ?? "int64") : count;
    },
  ],
  ...tensorflowCounting,
  ...tensorflowSegments,
  ...tensorflowCounts,
  l2_normalize: ["x, axis=None, epsilon=1e-12, ~name", t.l2Normalize],
};

export const linalgFunctions: Table = {
  matmul: [
    "a, b, transpose_a=False, transpose_b=False, !adjoint_a, !adjoint_b, !a_is_sparse, !b_is_sparse, !output_type, ~name",
    shapes.matrixProduct,
  ],
  einsum: [
    "equation, *inputs, **",
    (c) =>
      einsum(
        c.vm,
        c.text("equation"),
        c.list("inputs").map((v) => c.asOwn(v)),
        c.library,
      ),
  ],
  tensordot: ["a, b, axes, ~name", (c) => shapes.tensordot(c, c.value("axes"))],
  ...tensorflowTriangles,
  matvec: [
    "a, b, transpose_a=False, !adjoint_a, !a_is_sparse, !b_is_sparse, ~name",
    shapes.matrixTimesVector,
  ],
  normalize: ["tensor, ord='euclidean', axis=None, ~name", t.normalized],
  norm: ["tensor, ord='euclidean', axis=None, keepdims=False, ~name", t.norm],
  l2_normalize: mathFunctions["l2_normalize"]!,
  matrix_transpose: ["a, ~name, !conjugate", (c) => swapAxes(c.vm, c.tensor("x"), -1, -2)],
  eye: [
    "num_rows, !num_columns, !batch_shape, dtype=None, ~name",
    (c) => t.identity(c, "num_rows"),
  ],
};

export const tensorflowFunctions: Table = {
  ...shared,
  ...linalgFunctions,
  ...tensorflowGrids,
  ...tensorflowFlow,
  clip_by_norm: ["t, clip_norm, axes=None, ~name", t.clipByNorm],
  saturate_cast: ["value, dtype, ~name", t.saturated],
  truncatediv: [two, t.truncated],
  clip_by_value: [
    "t, clip_value_min, clip_value_max, ~name",
    (c) => t.clip(c, c.value("t"), c.optional("clip_value_min"), c.optional("clip_value_max")),
  ],
  where: ["condition, x=None, y=None, ~name", m.choose],
  ...tensorflowSets,
  ...tensorflowPicking,
  ...tensorflowPadding,
  ...tensorflowPlaces,

  // Shapes
  reshape: ["tensor, shape, ~name", shapes.reshape("shape")],
  transpose: ["a, perm=None, !conjugate, ~name", shapes.transpose("perm")],
  expand_dims: ["input, axis=-1, ~name", m.newAxis],
  squeeze: ["input, axis=None, ~name", m.withoutAxes],
  concat: ["values, axis, ~name", shapes.concat("values")],
  stack: ["values, axis=0, ~name", shapes.stack("values")],
  unstack: ["value, ~num, axis=0, ~name", unbind],
  split: [
    "value, num_or_size_splits, axis=0, ~num, ~name",
    (c) => shapes.split(c, "num_or_size_splits"),
  ],
  tile: ["input, multiples, ~name", (c) => shapes.tile(c, "multiples")],
  broadcast_to: [
    "input, shape, ~name",
    (c) => expandTo(c.vm, c.tensor("x"), shapes.sizesOf(c, "shape")),
  ],
  ensure_shape: ["x, ~shape, ~name", (c) => c.tensor("x")],
  slice: ["input_, begin, size, ~name", shapes.slice],
  boolean_mask: ["tensor, mask, axis=None, ~name", shapes.booleanMask],
  one_hot: [
    "indices, depth, on_value=None, off_value=None, axis=-1, dtype=None, ~name",
    (c) => shapes.oneHot(c, "depth", t.dtypeArgument(c) ?? "float32"),
  ],
  shape: ["input, ~out_type, ~name", (c) => tuple(c.expr("x").shape.map(sizeNumber))],
  size: ["input, ~out_type, ~name", (c) => countNumber(c.expr("x").shape)],
  rank: ["input, ~name", (c) => int(c.expr("x").shape.length)],

  // Making and converting tensors
  cast: ["x, dtype, ~name", t.cast],
  constant: ["value, dtype=None, shape=None, ~name", (c) => t.made(c, "value")],
  convert_to_tensor: [
    "value, dtype=None, ~dtype_hint, ~name, ~preferred_dtype",
    (c) => t.made(c, "value"),
  ],
  Variable: [
    "initial_value, ~trainable, ~validate_shape, ~caching_device, ~name, ~variable_def, dtype=None, **",
    (c) => t.made(c, "initial_value", true),
  ],
  identity: ["input, ~name", (c) => c.tensor("x")],
  stop_gradient: ["input, ~name", (c) => t.cut(c, c.value("x"))],
  zeros: ["shape, dtype=None, ~name, ~layout", (c) => t.constantOf(c, float(0))],
  ones: ["shape, dtype=None, ~name, ~layout", (c) => t.constantOf(c, float(1))],
  fill: ["dims, value, ~name", (c) => t.fill(c, "dims", "value")],
  zeros_like: ["input, dtype=None, ~name, ~layout, ~optimize", (c) => t.constantLike(c, 0)],
  ones_like: ["input, dtype=None, ~name, ~layout, ~optimize", (c) => t.constantLike(c, 1)],
  range: [
    "start, limit=None, delta=1, dtype=None, ~name",
    (c) => steps(c, "start", "limit", "delta"),
  ],
  linspace: ["start, stop, num, ~name, !axis=0", linspace],

  // Control flow, and what says nothing about values
  is_tensor: ["x", (c) => bool(isFrom(c.value("x"), "tensorflow"))],
  executing_eagerly: ["", () => TRUE],
  print: ["*args, **", () => NONE],
  group: ["*args, **", () => NONE],

  // Names of TensorFlow 1
  log: mathFunctions["log"]!,
  log1p: mathFunctions["log1p"]!,
  div: [two, m.operator("/")],
  is_nan: mathFunctions["is_nan"]!,
  rsqrt: mathFunctions["rsqrt"]!,
  squared_difference: mathFunctions["squared_difference"]!,
  div_no_nan: mathFunctions["divide_no_nan"]!,
  to_float: ["x, ~name", (c) => convert(c.vm, c.tensor("x"), "float32")],
  to_double: ["x, ~name", (c) => convert(c.vm, c.tensor("x"), "float64")],
  to_int32: ["x, ~name", (c) => convert(c.vm, c.tensor("x"), "int32")],
  to_int64: ["x, ~name", (c) => convert(c.vm, c.tensor("x"), "int64")],
};

export const debuggingFunctions: Table = {
  check_numerics: ["tensor, ~message, ~name", (c) => c.tensor("x")],
  enable_check_numerics: ["**", () => NONE],
  is_numeric_tensor: ["tensor", (c) => bool(isFrom(c.value("x"), "tensorflow"))],
};
