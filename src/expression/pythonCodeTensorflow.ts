/** What each operation is called in TensorFlow. */
import type { Dialect } from "./pythonCodeDialects.ts";

const axisOf = (dims: readonly number[]): string =>
  dims.length === 1 ? String(dims[0]) : `[${dims.join(", ")}]`;

export const tensorflow: Dialect = {
  name: "tensorflow",
  unary: {
    exp: (x) => `tf.exp(${x})`,
    log: (x) => `tf.math.log(${x})`,
    log1p: (x) => `tf.math.log1p(${x})`,
    expm1: (x) => `tf.math.expm1(${x})`,
    sqrt: (x) => `tf.sqrt(${x})`,
    abs: (x) => `tf.abs(${x})`,
    sign: (x) => `tf.sign(${x})`,
    sigmoid: (x) => `tf.sigmoid(${x})`,
    logsigmoid: (x) => `tf.math.log_sigmoid(${x})`,
    softplus: (x) => `tf.math.softplus(${x})`,
    tanh: (x) => `tf.tanh(${x})`,
    relu: (x) => `tf.nn.relu(${x})`,
    cosh: (x) => `tf.cosh(${x})`,
    sinh: (x) => `tf.sinh(${x})`,
    sin: (x) => `tf.sin(${x})`,
    cos: (x) => `tf.cos(${x})`,
    round: (x) => `tf.round(${x})`,
    floor: (x) => `tf.floor(${x})`,
    ceil: (x) => `tf.math.ceil(${x})`,
    not: (x) => `tf.logical_not(${x})`,
    isnan: (x) => `tf.math.is_nan(${x})`,
    isfinite: (x) => `tf.math.is_finite(${x})`,
  },
  binary: {
    max: (x, y) => `tf.maximum(${x}, ${y})`,
    min: (x, y) => `tf.minimum(${x}, ${y})`,
    mod: (x, y) => `tf.math.floormod(${x}, ${y})`,
    floordiv: (x, y) => `tf.math.floordiv(${x}, ${y})`,
    and: (x, y) => `tf.logical_and(${x}, ${y})`,
    or: (x, y) => `tf.logical_or(${x}, ${y})`,
  },
  toFloat: (x, like) => `tf.cast(${x}, ${like}.dtype)`,
  reduce: (op, x, dims, keep) => {
    const axis = dims === null ? "" : `, axis=${axisOf(dims)}`;
    return `tf.reduce_${op}(${x}${axis}${keep ? ", keepdims=True" : ""})`;
  },
  argReduce: (op, x, dim, keep) => {
    const found = `tf.${op}(${x}, axis=${dim})`;
    return keep ? `tf.expand_dims(${found}, ${dim})` : found;
  },
  softmax: (x, dim, log) => `tf.nn.${log ? "log_softmax" : "softmax"}(${x}, axis=${dim})`,
  where: (c, a, b) => `tf.where(${c}, ${a}, ${b})`,
  clip: (x, lo, hi) => {
    const low = lo === null ? x : `tf.maximum(${x}, ${lo})`;
    return hi === null ? low : `tf.minimum(${low}, ${hi})`;
  },
  reshape: (x, shape) => `tf.reshape(${x}, ${shape})`,
  transpose: (x, perm) => `tf.transpose(${x}, ${perm})`,
  expand: (x, shape) => `tf.broadcast_to(${x}, ${shape})`,
  full: (shape, value, like) => `tf.fill(${shape}, tf.cast(${value}, ${like}.dtype))`,
  scalar: (value, like) => `tf.constant(${value}, dtype=${like}.dtype)`,
  truth: (value) => `tf.constant(${value})`,
  zeros: (shape, like) => `tf.zeros(${shape}, dtype=${like}.dtype)`,
  stack: (items, dim) => `tf.stack([${items}], axis=${dim})`,
  concat: (items, dim) => `tf.concat([${items}], axis=${dim})`,
  range: (n) => `tf.range(${n})`,
};
