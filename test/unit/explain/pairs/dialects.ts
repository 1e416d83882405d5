/** How each array library writes what a Dice loss is made of. */
import { type Quotient, JAX_QUOTIENT, TENSORFLOW_QUOTIENT, TORCH_QUOTIENT } from "./quotient.ts";

export interface Dialect {
  readonly name: string;
  readonly imports: readonly string[];
  readonly layout: "channels-first" | "channels-last";
  /**
   * Whether layers are classes of the library, with its hook for the forward pass, which may take
   * more than prediction and target.
   */
  readonly module: {
    readonly base: string;
    readonly method: string;
    readonly more: boolean;
  } | null;
  /** Over some axes, or over all. */
  readonly sum: (e: string, axes: readonly number[] | null) => string;
  readonly mean: (e: string, axis: number | null) => string;
  readonly sigmoid: (e: string) => string;
  readonly softmax: (e: string, axis: number) => string;
  readonly log: (e: string) => string;
  readonly cosh: (e: string) => string;
  readonly abs: (e: string) => string;
  readonly square: (e: string) => string;
  readonly atLeast: (e: string, bound: string) => string;
  readonly clip: (e: string, low: string, high: string) => string;
  readonly asFloat: (e: string) => string;
  readonly asInt: ((e: string) => string) | null;
  readonly round: (e: string) => string;
  readonly where: ((condition: string, yes: string, no: string) => string) | null;
  /** The largest entry along an axis, which is kept. */
  readonly largest: ((e: string, axis: number) => string) | null;
  readonly detached: ((e: string) => string) | null;
  readonly vector: (values: readonly string[]) => string;
  readonly einsum: ((from: string, to: string, ...e: string[]) => string) | null;
  /** Class numbers to channels in the dialect's layout. */
  readonly oneHot: ((e: string, classes: number, rank: number) => string) | null;
  /** The same, but given the shape of `like` instead of moving its class axis. */
  readonly misplaced: ((e: string, classes: number, like: string) => string) | null;
  /** A quotient with a gradient of its own. */
  readonly quotient: Quotient | null;
  /** Binary cross entropy of logits, and of probabilities; the mean over everything. */
  readonly bceOfLogits: ((z: string, t: string) => string) | null;
  readonly bce: ((p: string, t: string) => string) | null;
  readonly flatten: ((e: string, from: number) => string) | null;
  readonly swapBatchAndClass: ((e: string) => string) | null;
}

const axesText = (axes: readonly number[]): string =>
  axes.length === 1 ? String(axes[0]) : `(${axes.join(", ")})`;
/** A method is called on a name or a call as it stands, on anything else in brackets. */
const on = (e: string): string => (/^[\w.]+(\([^()]*\))?$/.test(e) ? e : `(${e})`);

const TORCH_BASE: Omit<Dialect, "name" | "sum" | "mean" | "square" | "sigmoid"> = {
  imports: ["import torch", "import torch.nn.functional as F", "from torch import nn"],
  layout: "channels-first",
  module: { base: "nn.Module", method: "forward", more: true },
  softmax: (e, axis) => `torch.softmax(${e}, dim=${axis})`,
  log: (e) => `torch.log(${e})`,
  cosh: (e) => `torch.cosh(${e})`,
  abs: (e) => `torch.abs(${e})`,
  atLeast: (e, bound) => `${on(e)}.clamp(min=${bound})`,
  clip: (e, low, high) => `torch.clamp(${e}, ${low}, ${high})`,
  asFloat: (e) => `(${e}).float()`,
  asInt: (e) => `(${e}).long()`,
  round: (e) => `torch.round(${e})`,
  where: (c, a, b) => `torch.where(${c}, ${a}, ${b})`,
  largest: (e, axis) => `${on(e)}.amax(dim=${axis}, keepdim=True)`,
  detached: (e) => `${on(e)}.detach()`,
  vector: (values) => `torch.tensor([${values.join(", ")}])`,
  einsum: (from, to, ...e) => `torch.einsum("${from}->${to}", ${e.join(", ")})`,
  oneHot: (e, classes, rank) => {
    const rest = Array.from({ length: rank - 2 }, (_, k) => k + 1);
    return `F.one_hot(${e}, ${classes}).permute(${[0, rank - 1, ...rest].join(", ")}).float()`;
  },
  misplaced: (e, classes, like) => `F.one_hot(${e}, ${classes}).view(${like}.shape).float()`,
  quotient: TORCH_QUOTIENT,
  bceOfLogits: (z, t) => `F.binary_cross_entropy_with_logits(${z}, ${t})`,
  bce: (p, t) => `F.binary_cross_entropy(${p}, ${t})`,
  flatten: (e, from) => (from === 0 ? `${on(e)}.view(-1)` : `${on(e)}.flatten(${from})`),
  swapBatchAndClass: (e) => `${on(e)}.transpose(0, 1)`,
};

const TORCH_METHODS: Dialect = {
  ...TORCH_BASE,
  name: "PyTorch, methods",
  sum: (e, axes) => (axes === null ? `${on(e)}.sum()` : `${on(e)}.sum(dim=${axesText(axes)})`),
  mean: (e, axis) => (axis === null ? `${on(e)}.mean()` : `${on(e)}.mean(${axis})`),
  square: (e) => `${on(e)}.pow(2)`,
  sigmoid: (e) => `${on(e)}.sigmoid()`,
};

const TORCH_FUNCTIONS: Dialect = {
  ...TORCH_BASE,
  name: "PyTorch, functions",
  sum: (e, axes) =>
    axes === null ? `torch.sum(${e})` : `torch.sum(${e}, dim=[${axes.join(", ")}])`,
  mean: (e, axis) => (axis === null ? `torch.mean(${e})` : `torch.mean(${e}, dim=${axis})`),
  square: (e) => `(${e}) ** 2`,
  sigmoid: (e) => `torch.sigmoid(${e})`,
  atLeast: (e, bound) => `torch.clamp_min(${e}, ${bound})`,
};

/** The names that NumPy and JAX share. */
function numpyLike(np: string, layout: Dialect["layout"]): Omit<Dialect, "name" | "imports"> {
  return {
    layout,
    module: null,
    sum: (e, axes) =>
      axes === null ? `${np}.sum(${e})` : `${np}.sum(${e}, axis=${axesText(axes)})`,
    mean: (e, axis) => (axis === null ? `${np}.mean(${e})` : `${np}.mean(${e}, axis=${axis})`),
    sigmoid: (e) => `1 / (1 + ${np}.exp(-(${e})))`,
    softmax: (e, axis) =>
      `${np}.exp(${e}) / ${np}.sum(${np}.exp(${e}), axis=${axis}, keepdims=True)`,
    log: (e) => `${np}.log(${e})`,
    cosh: (e) => `${np}.cosh(${e})`,
    abs: (e) => `${np}.abs(${e})`,
    square: (e) => `${np}.square(${e})`,
    atLeast: (e, bound) => `${np}.maximum(${e}, ${bound})`,
    clip: (e, low, high) => `${np}.clip(${e}, ${low}, ${high})`,
    asFloat: (e) => `(${e}).astype(${np}.float32)`,
    asInt: null,
    round: (e) => `${np}.round(${e})`,
    where: (c, a, b) => `${np}.where(${c}, ${a}, ${b})`,
    largest: (e, axis) => `${np}.max(${e}, axis=${axis}, keepdims=True)`,
    detached: null,
    vector: (values) => `${np}.array([${values.join(", ")}])`,
    einsum: (from, to, ...e) => `${np}.einsum("${from}->${to}", ${e.join(", ")})`,
    oneHot: null,
    misplaced: null,
    quotient: null,
    bceOfLogits: null,
    bce: (p, t) => `-${np}.mean(${t} * ${np}.log(${p}) + (1 - ${t}) * ${np}.log(1 - ${p}))`,
    flatten: null,
    swapBatchAndClass: null,
  };
}

const NUMPY: Dialect = {
  ...numpyLike("np", "channels-first"),
  name: "NumPy",
  imports: ["import numpy as np"],
};

const JAX: Dialect = {
  ...numpyLike("jnp", "channels-first"),
  name: "JAX",
  imports: ["import jax", "import jax.numpy as jnp"],
  sigmoid: (e) => `jax.nn.sigmoid(${e})`,
  softmax: (e, axis) => `jax.nn.softmax(${e}, axis=${axis})`,
  detached: (e) => `jax.lax.stop_gradient(${e})`,
  quotient: JAX_QUOTIENT,
};

const TENSORFLOW: Dialect = {
  name: "TensorFlow",
  imports: ["import tensorflow as tf", "from tensorflow import keras"],
  layout: "channels-last",
  module: { base: "keras.losses.Loss", method: "call", more: false },
  sum: (e, axes) =>
    axes === null ? `tf.reduce_sum(${e})` : `tf.reduce_sum(${e}, axis=[${axes.join(", ")}])`,
  mean: (e, axis) =>
    axis === null ? `tf.reduce_mean(${e})` : `tf.reduce_mean(${e}, axis=${axis})`,
  sigmoid: (e) => `tf.sigmoid(${e})`,
  softmax: (e, axis) => `tf.nn.softmax(${e}, axis=${axis})`,
  log: (e) => `tf.math.log(${e})`,
  cosh: (e) => `tf.math.cosh(${e})`,
  abs: (e) => `tf.abs(${e})`,
  square: (e) => `tf.square(${e})`,
  atLeast: (e, bound) => `tf.maximum(${e}, ${bound})`,
  clip: (e, low, high) => `tf.clip_by_value(${e}, ${low}, ${high})`,
  asFloat: (e) => `tf.cast(${e}, tf.float32)`,
  asInt: null,
  round: (e) => `tf.round(${e})`,
  where: (c, a, b) => `tf.where(${c}, ${a}, ${b})`,
  largest: (e, axis) => `tf.reduce_max(${e}, axis=${axis}, keepdims=True)`,
  detached: (e) => `tf.stop_gradient(${e})`,
  vector: (values) => `tf.constant([${values.join(", ")}])`,
  einsum: (from, to, ...e) => `tf.einsum("${from}->${to}", ${e.join(", ")})`,
  oneHot: null,
  misplaced: null,
  quotient: TENSORFLOW_QUOTIENT,
  bceOfLogits: (z, t) =>
    `tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=${t}, logits=${z}))`,
  bce: null,
  flatten: null,
  swapBatchAndClass: null,
};

const KERAS: Dialect = {
  ...TENSORFLOW,
  name: "Keras backend",
  imports: ["from tensorflow import keras", "import tensorflow.keras.backend as K"],
  sum: (e, axes) => (axes === null ? `K.sum(${e})` : `K.sum(${e}, axis=[${axes.join(", ")}])`),
  mean: (e, axis) => (axis === null ? `K.mean(${e})` : `K.mean(${e}, axis=${axis})`),
  sigmoid: (e) => `K.sigmoid(${e})`,
  softmax: (e, axis) => `K.softmax(${e}, axis=${axis})`,
  log: (e) => `K.log(${e})`,
  cosh: (e) => `(K.exp(${e}) + K.exp(-(${e}))) / 2`,
  abs: (e) => `K.abs(${e})`,
  square: (e) => `K.square(${e})`,
  atLeast: (e, bound) => `K.maximum(${e}, ${bound})`,
  clip: (e, low, high) => `K.clip(${e}, ${low}, ${high})`,
  asFloat: (e) => `K.cast(${e}, "float32")`,
  round: (e) => `K.round(${e})`,
  where: null,
  largest: null,
  quotient: null,
  detached: (e) => `K.stop_gradient(${e})`,
  vector: (values) => `K.constant([${values.join(", ")}])`,
  einsum: null,
  bceOfLogits: null,
};

export const CHANNELS_FIRST: readonly Dialect[] = [TORCH_METHODS, TORCH_FUNCTIONS, NUMPY, JAX];
export const CHANNELS_LAST: readonly Dialect[] = [
  TENSORFLOW,
  KERAS,
  { ...NUMPY, layout: "channels-last", name: "NumPy, channels last" },
  { ...JAX, layout: "channels-last", name: "JAX, channels last" },
];
