/** What each operation is called in NumPy, in PyTorch, and for plain Python numbers. */
import type { BinaryOp, ReduceOp, UnaryOp } from "./node.ts";

/** `x`, `y`: code of the arguments, bracketed where the place needs it. */
type Template = (...args: string[]) => string;

export interface Dialect {
  readonly name: "numpy" | "torch" | "tensorflow";
  readonly unary: Readonly<Partial<Record<UnaryOp, Template>>>;
  readonly binary: Readonly<Partial<Record<BinaryOp, Template>>>;
  /** A truth array as zeros and ones; `like` is an array of the wanted type. */
  readonly toFloat: (x: string, like: string) => string;
  readonly reduce: (
    op: ReduceOp,
    x: string,
    dims: readonly number[] | null,
    keep: boolean,
  ) => string;
  readonly argReduce: (op: string, x: string, dim: number, keep: boolean) => string;
  readonly softmax: (x: string, dim: number, log: boolean) => string;
  readonly where: Template;
  readonly clip: (x: string, lo: string | null, hi: string | null, scalars: boolean) => string;
  readonly reshape: (x: string, shape: string) => string;
  readonly transpose: (x: string, perm: string) => string;
  readonly expand: (x: string, shape: string) => string;
  readonly full: (shape: string, value: string, like: string) => string;
  /** A number as an array without axes, where a function takes arrays alone. */
  readonly scalar: (value: string, like: string) => string;
  readonly truth: (value: string) => string;
  readonly zeros: (shape: string, like: string) => string;
  readonly stack: (items: string, dim: number) => string;
  readonly concat: (items: string, dim: number) => string;
  readonly range: (n: string, like: string) => string;
}

const tuple = (items: readonly (number | string)[]): string =>
  items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;

const axisOf = (dims: readonly number[]): string =>
  dims.length === 1 ? String(dims[0]) : tuple(dims);

export const numpy: Dialect = {
  name: "numpy",
  unary: {
    exp: (x) => `np.exp(${x})`,
    log: (x) => `np.log(${x})`,
    log1p: (x) => `np.log1p(${x})`,
    expm1: (x) => `np.expm1(${x})`,
    sqrt: (x) => `np.sqrt(${x})`,
    abs: (x) => `np.abs(${x})`,
    sign: (x) => `np.sign(${x})`,
    sigmoid: (x) => `_sigmoid(${x})`,
    logsigmoid: (x) => `-np.logaddexp(0, -(${x}))`,
    softplus: (x) => `np.logaddexp(0, ${x})`,
    tanh: (x) => `np.tanh(${x})`,
    relu: (x) => `np.maximum(${x}, 0)`,
    cosh: (x) => `np.cosh(${x})`,
    sinh: (x) => `np.sinh(${x})`,
    sin: (x) => `np.sin(${x})`,
    cos: (x) => `np.cos(${x})`,
    round: (x) => `np.round(${x})`,
    floor: (x) => `np.floor(${x})`,
    ceil: (x) => `np.ceil(${x})`,
    not: (x) => `np.logical_not(${x})`,
    isnan: (x) => `np.isnan(${x})`,
    isfinite: (x) => `np.isfinite(${x})`,
  },
  binary: {
    max: (x, y) => `np.maximum(${x}, ${y})`,
    min: (x, y) => `np.minimum(${x}, ${y})`,
    mod: (x, y) => `np.mod(${x}, ${y})`,
    floordiv: (x, y) => `np.floor_divide(${x}, ${y})`,
    and: (x, y) => `np.logical_and(${x}, ${y})`,
    or: (x, y) => `np.logical_or(${x}, ${y})`,
  },
  toFloat: (x) => `np.asarray(${x}, dtype=float)`,
  reduce: (op, x, dims, keep) => {
    const axis = dims === null ? "" : `, axis=${axisOf(dims)}`;
    return `np.${op}(${x}${axis}${keep ? ", keepdims=True" : ""})`;
  },
  argReduce: (op, x, dim, keep) => `np.${op}(${x}, axis=${dim}${keep ? ", keepdims=True" : ""})`,
  softmax: (x, dim, log) => `${log ? "_log_softmax" : "_softmax"}(${x}, axis=${dim})`,
  where: (c, a, b) => `np.where(${c}, ${a}, ${b})`,
  clip: (x, lo, hi) =>
    lo === null
      ? `np.minimum(${x}, ${hi})`
      : hi === null
        ? `np.maximum(${x}, ${lo})`
        : `np.clip(${x}, ${lo}, ${hi})`,
  reshape: (x, shape) => `np.reshape(${x}, ${shape})`,
  transpose: (x, perm) => `np.transpose(${x}, ${perm})`,
  expand: (x, shape) => `np.broadcast_to(${x}, ${shape})`,
  full: (shape, value) => `np.full(${shape}, ${value}, dtype=float)`,
  scalar: (value) => value,
  truth: (value) => value,
  zeros: (shape) => `np.zeros(${shape})`,
  stack: (items, dim) => `np.stack([${items}], axis=${dim})`,
  concat: (items, dim) => `np.concatenate([${items}], axis=${dim})`,
  range: (n) => `np.arange(${n})`,
};

export const torch: Dialect = {
  name: "torch",
  unary: {
    exp: (x) => `torch.exp(${x})`,
    log: (x) => `torch.log(${x})`,
    log1p: (x) => `torch.log1p(${x})`,
    expm1: (x) => `torch.expm1(${x})`,
    sqrt: (x) => `torch.sqrt(${x})`,
    abs: (x) => `torch.abs(${x})`,
    sign: (x) => `torch.sign(${x})`,
    sigmoid: (x) => `torch.sigmoid(${x})`,
    logsigmoid: (x) => `F.logsigmoid(${x})`,
    // F.softplus is exact only up to its threshold; this is exact everywhere.
    softplus: (x) => `-F.logsigmoid(-(${x}))`,
    tanh: (x) => `torch.tanh(${x})`,
    relu: (x) => `torch.relu(${x})`,
    cosh: (x) => `torch.cosh(${x})`,
    sinh: (x) => `torch.sinh(${x})`,
    sin: (x) => `torch.sin(${x})`,
    cos: (x) => `torch.cos(${x})`,
    round: (x) => `torch.round(${x})`,
    floor: (x) => `torch.floor(${x})`,
    ceil: (x) => `torch.ceil(${x})`,
    not: (x) => `torch.logical_not(${x})`,
    isnan: (x) => `torch.isnan(${x})`,
    isfinite: (x) => `torch.isfinite(${x})`,
  },
  binary: {
    max: (x, y) => `torch.maximum(${x}, ${y})`,
    min: (x, y) => `torch.minimum(${x}, ${y})`,
    mod: (x, y) => `torch.remainder(${x}, ${y})`,
    floordiv: (x, y) => `torch.floor_divide(${x}, ${y})`,
    and: (x, y) => `torch.logical_and(${x}, ${y})`,
    or: (x, y) => `torch.logical_or(${x}, ${y})`,
  },
  toFloat: (x, like) => `(${x}).to(${like}.dtype)`,
  reduce: (op, x, dims, keep) => {
    const name = op === "max" || op === "min" ? `a${op}` : op;
    const kept = keep ? ", keepdim=True" : "";
    if (op === "prod" && dims !== null) {
      // torch.prod takes one axis at a time; from the last one on, the others keep their places.
      return dims.toReversed().reduce((inner, d) => `torch.prod(${inner}, dim=${d}${kept})`, x);
    }
    return `torch.${name}(${x}${dims === null ? "" : `, dim=${axisOf(dims)}`}${kept})`;
  },
  argReduce: (op, x, dim, keep) => `torch.${op}(${x}, dim=${dim}${keep ? ", keepdim=True" : ""})`,
  softmax: (x, dim, log) => `torch.${log ? "log_softmax" : "softmax"}(${x}, dim=${dim})`,
  where: (c, a, b) => `torch.where(${c}, ${a}, ${b})`,
  clip: (x, lo, hi, scalars) => {
    if (scalars) {
      const bounds = [lo === null ? [] : `min=${lo}`, hi === null ? [] : `max=${hi}`].flat();
      return `torch.clamp(${[x, ...bounds].join(", ")})`;
    }
    const low = lo === null ? x : `torch.maximum(${x}, ${lo})`;
    return hi === null ? low : `torch.minimum(${low}, ${hi})`;
  },
  reshape: (x, shape) => `torch.reshape(${x}, ${shape})`,
  transpose: (x, perm) => `torch.permute(${x}, ${perm})`,
  expand: (x, shape) => `torch.broadcast_to(${x}, ${shape})`,
  full: (shape, value, like) => `${like}.new_full(${shape}, ${value})`,
  scalar: (value, like) => `${like}.new_tensor(${value})`,
  truth: (value) => `torch.tensor(${value})`,
  zeros: (shape, like) => `${like}.new_zeros(${shape})`,
  stack: (items, dim) => `torch.stack([${items}], dim=${dim})`,
  concat: (items, dim) => `torch.cat([${items}], dim=${dim})`,
  range: (n, like) => `torch.arange(${n}, device=${like}.device)`,
};

/** Numbers that depend on no array are computed with Python's own means in both dialects. */
export const plain: Readonly<{
  unary: Readonly<Partial<Record<UnaryOp, Template>>>;
  binary: Readonly<Partial<Record<BinaryOp, Template>>>;
}> = {
  unary: {
    exp: (x) => `math.exp(${x})`,
    log: (x) => `math.log(${x})`,
    log1p: (x) => `math.log1p(${x})`,
    expm1: (x) => `math.expm1(${x})`,
    sqrt: (x) => `math.sqrt(${x})`,
    abs: (x) => `abs(${x})`,
    tanh: (x) => `math.tanh(${x})`,
    relu: (x) => `max(${x}, 0.0)`,
    cosh: (x) => `math.cosh(${x})`,
    sinh: (x) => `math.sinh(${x})`,
    sin: (x) => `math.sin(${x})`,
    cos: (x) => `math.cos(${x})`,
    round: (x) => `round(${x})`,
    floor: (x) => `math.floor(${x})`,
    ceil: (x) => `math.ceil(${x})`,
    not: (x) => `(not (${x}))`,
    isnan: (x) => `math.isnan(${x})`,
    isfinite: (x) => `math.isfinite(${x})`,
  },
  binary: {
    max: (x, y) => `max(${x}, ${y})`,
    min: (x, y) => `min(${x}, ${y})`,
    mod: (x, y) => `((${x}) % (${y}))`,
    floordiv: (x, y) => `((${x}) // (${y}))`,
    and: (x, y) => `((${x}) and (${y}))`,
    or: (x, y) => `((${x}) or (${y}))`,
  },
};

/** Functions that the NumPy code defines for itself, written so that no power overflows. */
export const NUMPY_HELPERS: Readonly<Record<string, string>> = {
  _sigmoid: "def _sigmoid(x):\n    return np.exp(-np.logaddexp(0, -x))",
  _softmax:
    "def _softmax(x, axis):\n" +
    "    e = np.exp(x - np.max(x, axis=axis, keepdims=True))\n" +
    "    return e / np.sum(e, axis=axis, keepdims=True)",
  _log_softmax:
    "def _log_softmax(x, axis):\n" +
    "    shifted = x - np.max(x, axis=axis, keepdims=True)\n" +
    "    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))",
};
