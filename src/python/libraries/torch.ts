/** PyTorch: what each function and tensor method means. One line a function. */
import { defaultFloat } from "../dtypes.ts";
import { inPlace } from "../interpreter/operators.ts";
import { truth } from "../interpreter/truth.ts";
import { FALSE, NONE, type TensorValue, type Value, bool, int, str, tuple } from "../values.ts";
import { dot, einsum, matmul } from "../tensors/contraction.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import {
  addAxis,
  dropAxes,
  expandShape,
  expandTo,
  flattenRange,
  moveAxes,
  permuteAxes,
  reshapeTo,
  shapeFrom,
  sizesFrom,
  swapAxes,
} from "../tensors/reshape.ts";
import { carriesGradient } from "../tensors/detached.ts";
import { entryCount } from "../tensors/picked.ts";
import { filled, nodeOf, rankOf, sizeNumbers } from "../tensors/tensor.ts";
import * as m from "./common.ts";
import { convert, copyOf, detached, isFrom, itemOf, nestedList, sharing } from "./convert.ts";
import { identityMatrix } from "./creation.ts";
import { dtypeOf } from "./dtypeNames.ts";
import {
  arange,
  constantArray,
  constantLike,
  isInfinite,
  linspace,
  reduceNumbers,
  replaceNaN,
} from "./numpyMeanings.ts";
import { torchAccumulating } from "./accumulating.ts";
import { torchCovariance } from "./covariance.ts";
import { torchAreas, torchCumulative } from "./cumulative.ts";
import { torchCounting } from "./counting.ts";
import { torchSets } from "./knownSets.ts";
import { torchGrids, torchOuter } from "./grids.ts";
import { tensorPatches } from "./patches.ts";
import { torchPicking, integersOf, tiled } from "./picking.ts";
import { kronecker, tensorDot } from "./products.ts";
import { splitAt, unbind } from "./pieces.ts";
import type { Aliases, CallContext, Entry, Table } from "./signature.ts";
import {
  powerOf,
  scaled,
  logit,
  extreme,
  softmax,
  norm,
  vector,
  permute,
  transposeMatrix,
  chunk,
  split,
  selectIndex,
  narrow,
  torchWhere,
  unpacked,
  newTensor,
  newTensorLike,
  unset,
  unsetLike,
  asTorchTensor,
  fillNumber,
  filledWith,
  newFilled,
  view,
  reshapeLike,
  contiguous,
  size,
  to,
  type,
  backward,
  filledLike,
  zerosLike,
  copied,
  scattered,
} from "./torchMeanings.ts";
import { torchFurther, torchStacks } from "./torchFurther.ts";
import { torchProducts } from "./torchProducts.ts";
import { torchTriangles } from "./triangles.ts";
import { torchDistances, torchElementwise } from "./torchElementwise.ts";

/** PyTorch takes NumPy's keywords as well. */
export const torchAliases: Aliases = { axis: "dim", keepdims: "keepdim", x: "input", a: "input" };

const correction = (c: CallContext): number =>
  c.given("unbiased") && !c.flag("unbiased") ? 0 : c.int("correction");

/** Functions of the module that are methods of tensors under the same name. */
export const torchShared: Table = {
  ...torchOuter,
  ...torchElementwise,
  ...torchFurther,
  ...torchProducts,
  // Entry by entry
  exp: ["input, !out", m.real("exp")],
  expm1: ["input, !out", m.real("expm1")],
  log: ["input, !out", m.real("log")],
  log1p: ["input, !out", m.real("log1p")],
  log2: ["input, !out", m.logBase(2)],
  log10: ["input, !out", m.logBase(10)],
  sqrt: ["input, !out", m.real("sqrt")],
  rsqrt: ["input, !out", (c) => powerOf(c, -0.5)],
  sigmoid: ["input, !out", m.real("sigmoid")],
  tanh: ["input, !out", m.real("tanh")],
  sinh: ["input, !out", m.real("sinh")],
  cosh: ["input, !out", m.real("cosh")],
  sin: ["input, !out", m.real("sin")],
  cos: ["input, !out", m.real("cos")],
  relu: ["input", m.keeping("relu")],
  abs: ["input, !out", m.keeping("abs")],
  absolute: ["input, !out", m.keeping("abs")],
  sign: ["input, !out", m.keeping("sign")],
  neg: ["input, !out", m.keeping("neg")],
  negative: ["input, !out", m.keeping("neg")],
  floor: ["input, !out", m.keeping("floor")],
  ceil: ["input, !out", m.keeping("ceil")],
  round: ["input, *, !decimals=0, !out", m.keeping("round")],
  square: ["input, !out", m.square],
  reciprocal: ["input, !out", m.reciprocal],
  pow: [
    "input, exponent, !out",
    (c) => elementwise(c.vm, "pow", c.value("input"), c.value("exponent"), "torch"),
  ],
  add: ["input, other, *, alpha=1, !out", (c) => scaled(c, "add")],
  sub: ["input, other, *, alpha=1, !out", (c) => scaled(c, "sub")],
  subtract: ["input, other, *, alpha=1, !out", (c) => scaled(c, "sub")],
  mul: ["input, other, !out", m.operator("*")],
  multiply: ["input, other, !out", m.operator("*")],
  div: ["input, other, *, !rounding_mode, !out", m.operator("/")],
  divide: ["input, other, *, !rounding_mode, !out", m.operator("/")],
  true_divide: ["input, other, !out", m.operator("/")],
  floor_divide: ["input, other, !out", m.operator("//")],
  remainder: ["input, other, !out", m.operator("%")],
  maximum: ["input, other, !out", m.pairwise("max")],
  minimum: ["input, other, !out", m.pairwise("min")],
  eq: ["input, other, !out", m.comparison("==")],
  ne: ["input, other, !out", m.comparison("!=")],
  gt: ["input, other, !out", m.comparison(">")],
  ge: ["input, other, !out", m.comparison(">=")],
  lt: ["input, other, !out", m.comparison("<")],
  le: ["input, other, !out", m.comparison("<=")],
  greater: ["input, other, !out", m.comparison(">")],
  greater_equal: ["input, other, !out", m.comparison(">=")],
  less: ["input, other, !out", m.comparison("<")],
  less_equal: ["input, other, !out", m.comparison("<=")],
  not_equal: ["input, other, !out", m.comparison("!=")],
  logical_and: ["input, other, !out", m.both("and")],
  logical_or: ["input, other, !out", m.both("or")],
  logical_not: ["input, !out", m.truthOf("not")],
  isnan: ["input", m.truthOf("isnan")],
  isfinite: ["input", m.truthOf("isfinite")],
  clamp: ["input, min=None, max=None, !out", m.limit("min", "max")],
  clip: ["input, min=None, max=None, !out", m.limit("min", "max")],
  clamp_min: ["input, min, !out", m.limit("min", "none")],
  clamp_max: ["input, max, !out", m.limit("none", "max")],
  nan_to_num: ["input, nan=0.0, posinf=None, neginf=None, !out", replaceNaN],
  logit: ["input, eps=None, !out", logit],

  // Over axes
  sum: ["input, dim=None, keepdim=False, *, dtype=None, !out", m.reduceBy("sum")],
  mean: ["input, dim=None, keepdim=False, *, dtype=None, !out", m.reduceBy("mean")],
  nansum: ["input, dim=None, keepdim=False, *, dtype=None, !out", reduceNumbers("sum")],
  nanmean: ["input, dim=None, keepdim=False, *, dtype=None, !out", reduceNumbers("mean")],
  prod: ["input, dim=None, keepdim=False, *, dtype=None, !out", m.reduceBy("prod")],
  amax: ["input, dim=None, keepdim=False, !out", m.reduceBy("max")],
  amin: ["input, dim=None, keepdim=False, !out", m.reduceBy("min")],
  max: ["input, dim=None, keepdim=False, *, other=None, !out", (c) => extreme(c, "max")],
  min: ["input, dim=None, keepdim=False, *, other=None, !out", (c) => extreme(c, "min")],
  any: ["input, dim=None, keepdim=False, !out", m.reduceBy("any")],
  all: ["input, dim=None, keepdim=False, !out", m.reduceBy("all")],
  std: [
    "input, dim=None, unbiased=None, keepdim=False, *, correction=1",
    m.spread("std", correction),
  ],
  var: [
    "input, dim=None, unbiased=None, keepdim=False, *, correction=1",
    m.spread("var", correction),
  ],
  std_mean: [
    "input, dim=None, unbiased=None, keepdim=False, *, correction=1",
    (c) => tuple([m.spread("std", correction)(c), m.reduceBy("mean")(c)]),
  ],
  var_mean: [
    "input, dim=None, unbiased=None, keepdim=False, *, correction=1",
    (c) => tuple([m.spread("var", correction)(c), m.reduceBy("mean")(c)]),
  ],
  argmax: ["input, dim=None, keepdim=False", m.positionOf("argmax")],
  argmin: ["input, dim=None, keepdim=False", m.positionOf("argmin")],
  count_nonzero: ["input, dim=None", m.countNonzero],
  logsumexp: ["input, dim, keepdim=False, !out", m.logSumExpOf],
  softmax: ["input, dim, dtype=None, ~_stacklevel", (c) => softmax(c, false)],
  log_softmax: ["input, dim, dtype=None, ~_stacklevel", (c) => softmax(c, true)],
  norm: ["input, p=2, dim=None, keepdim=False, !out, dtype=None", norm],

  // Products
  dot: ["input, tensor, !out", (c) => dot(c.vm, vector(c, "input"), vector(c, "tensor"), "torch")],
  matmul: [
    "input, other, !out",
    (c) => matmul(c.vm, c.tensor("input"), c.tensor("other"), "torch"),
  ],
  mm: ["input, mat2, !out", (c) => matmul(c.vm, c.tensor("input"), c.tensor("mat2"), "torch")],
  bmm: ["input, mat2, !out", (c) => matmul(c.vm, c.tensor("input"), c.tensor("mat2"), "torch")],

  kron: ["input, other, !out", (c) => kronecker(c, "input", "other")],

  // Shapes
  reshape: ["input, *shape", (c) => reshapeTo(c.vm, c.tensor("input"), sizesFrom(c.list("shape")))],
  flatten: [
    "input, start_dim=0, end_dim=-1",
    (c) => flattenRange(c.vm, c.tensor("input"), c.int("start_dim"), c.int("end_dim")),
  ],
  ravel: ["input", (c) => flattenRange(c.vm, c.tensor("input"), 0, -1)],
  permute: ["input, *dims", permute],
  transpose: [
    "input, dim0, dim1",
    (c) => swapAxes(c.vm, c.tensor("input"), c.int("dim0"), c.int("dim1")),
  ],
  swapaxes: [
    "input, axis0, axis1",
    (c) => swapAxes(c.vm, c.tensor("input"), c.int("axis0"), c.int("axis1")),
  ],
  movedim: [
    "input, source, destination",
    (c) => moveAxes(c.vm, c.tensor("input"), c.dims("source")!, c.dims("destination")!),
  ],
  moveaxis: [
    "input, source, destination",
    (c) => moveAxes(c.vm, c.tensor("input"), c.dims("source")!, c.dims("destination")!),
  ],
  t: ["input", transposeMatrix],
  unsqueeze: ["input, dim", (c) => addAxis(c.vm, c.tensor("input"), c.int("dim"))],
  squeeze: ["input, dim=None", m.withoutAxes],
  unbind: ["input, dim=0", unbind],
  chunk: ["input, chunks, dim=0", chunk],
  split: ["input, split_size, dim=0", split],
  tensor_split: [
    "input, indices_or_sections, dim=0",
    (c) => tuple(splitAt(c, c.tensor("input"), c.int("dim"), false)),
  ],
  select: ["input, dim, index", selectIndex],
  narrow: ["input, dim, start, length", narrow],
  clone: ["input, ~memory_format", (c) => copyOf(c.vm, c.tensor("input"))],
  detach: ["input", (c) => detached(c.vm, c.tensor("input"), "detach()")],
  numel: ["input", (c) => entryCount(c.vm, c.tensor("input"))],
  is_floating_point: ["input", (c) => bool(nodeOf(c.tensor("input")).type === "float")],
  isinf: ["input", isInfinite],
  ...torchPicking,
  ...torchSets,
  ...torchCounting,
  ...torchAccumulating,
  ...torchCovariance,
  ...torchTriangles,
  ...torchCumulative,
  masked_fill: ["self, mask, value", maskedFill],
  scatter: ["input, dim, index, src=None, *, value=None, !reduce, !out", scattered],
  allclose: [
    "input, other, rtol=1e-05, atol=1e-08, !equal_nan",
    (c) => c.vm.unsupported("torch.allclose is not supported here"),
  ],
};

/** Functions of the module only. */
export const torchFunctions: Table = {
  ...torchGrids,
  ...torchAreas,
  ...torchStacks,
  ...torchDistances,
  where: ["condition, x=None, y=None, input=None, other=None", torchWhere],
  stack: ["tensors, dim=0, !out", m.stackAll],
  cat: ["tensors, dim=0, !out", m.concatenate],
  concat: ["tensors, dim=0, !out", m.concatenate],
  concatenate: ["tensors, dim=0, !out", m.concatenate],
  tensordot: ["a, b, dims=2, !out", (c) => tensorDot(c, "dims")],
  einsum: ["equation, *operands", (c) => einsum(c.vm, c.text("equation"), unpacked(c), "torch")],
  broadcast_to: ["input, size", (c) => expandTo(c.vm, c.tensor("input"), c.list("size"))],
  tensor: ["data, *, dtype=None, ~device, ~requires_grad, ~pin_memory", newTensor],
  as_tensor: ["data, dtype=None, ~device", asTorchTensor],
  from_numpy: ["ndarray", (c) => sharing(c.vm, c.tensor("ndarray"), "torch")],
  zeros: [
    "*shape, size=None, dtype=None, ~device, ~requires_grad, ~layout",
    (c) => filledWith(c, 0),
  ],
  ones: [
    "*shape, size=None, dtype=None, ~device, ~requires_grad, ~layout",
    (c) => filledWith(c, 1),
  ],
  full: [
    "shape, fill_value, *, dtype=None, ~device, ~requires_grad",
    (c) => constantArray(c, fillNumber(c)),
  ],
  empty: ["*shape, dtype=None, ~device, ~requires_grad, ~layout", unset],
  empty_like: ["input, *, dtype=None, ~device, ~requires_grad, ~memory_format", unsetLike],
  zeros_like: [
    "input, *, dtype=None, ~device, ~requires_grad, ~memory_format",
    (c) => constantLike(c, int(0)),
  ],
  ones_like: [
    "input, *, dtype=None, ~device, ~requires_grad, ~memory_format",
    (c) => constantLike(c, int(1)),
  ],
  full_like: ["input, fill_value, *, dtype=None, ~device", (c) => constantLike(c, fillNumber(c))],
  eye: [
    "n, !m, *, dtype=None, ~device, ~requires_grad",
    (c) => identityMatrix(c, c.value("n"), m.dtypeArgument(c) ?? defaultFloat("torch")),
  ],
  arange: ["start, end=None, step=1, *, dtype=None, ~device, ~requires_grad", arange],
  linspace: ["start, end, steps, *, dtype=None, ~device", linspace],
  is_tensor: ["obj", (c) => bool(isFrom(c.value("obj"), "torch"))],
  no_grad: ["", () => ({ kind: "context", name: "torch.no_grad()", effect: "stop-gradient" })],
  inference_mode: [
    "~mode",
    () => ({ kind: "context", name: "torch.inference_mode()", effect: "stop-gradient" }),
  ],
  enable_grad: [
    "",
    () => ({ kind: "context", name: "torch.enable_grad()", effect: "allow-gradient" }),
  ],
  set_grad_enabled: [
    "mode",
    (c) => ({
      kind: "context",
      name: "torch.set_grad_enabled()",
      effect: c.flag("mode") ? "allow-gradient" : "stop-gradient",
    }),
  ],
  autocast: [
    "*settings, **",
    () => ({ kind: "context", name: "torch.autocast()", effect: "none" }),
  ],
  device: ["~type, ~index", () => str("cpu")],
  manual_seed: ["~seed", () => NONE],
  set_default_dtype: [
    "d",
    (c) =>
      m.dtypeArgument(c, "d") === "float32"
        ? NONE
        : c.vm.unsupported(
            "another default dtype than float32 is not supported",
            "Convert the arrays instead: x.double().",
          ),
  ],
  is_nonzero: ["input", (c) => bool(truth(c.vm, c.tensor("input")))],
  is_grad_enabled: ["", (c) => bool(c.vm.stopGradientDepth === 0)],
};

/** Methods of tensors only. */
export const torchMethods: Table = {
  view: ["self, *shape", view],
  ...tensorPatches,
  view_as: ["self, other", (c) => reshapeLike(c)],
  reshape_as: ["self, other", (c) => reshapeLike(c)],
  expand: ["self, *sizes", (c) => expandTo(c.vm, c.tensor("self"), sizesFrom(c.list("sizes")))],
  expand_as: ["self, other", (c) => expandShape(c.vm, c.tensor("self"), c.expr("other").shape)],
  contiguous: ["self, ~memory_format", (c) => contiguous(c)],
  size: ["self, dim=None", size],
  dim: ["self", (c) => int(rankOf(c.tensor("self")))],
  ndimension: ["self", (c) => int(rankOf(c.tensor("self")))],
  nelement: ["self", (c) => entryCount(c.vm, c.tensor("self"))],
  item: ["self", (c) => itemOf(c.vm, c.tensor("self"), ".item()")],
  tolist: ["self", (c) => nestedList(c.vm, c.tensor("self"))],
  numpy: ["self, ~force", (c) => detached(c.vm, c.tensor("self"), ".numpy()", "numpy")],
  cpu: ["self, ~memory_format", (c) => c.tensor("self")],
  cuda: ["self, ~device, ~non_blocking", (c) => c.tensor("self")],
  to: ["self, *args, dtype=None, other=None, ~device, ~non_blocking, ~copy, ~memory_format", to],
  type: ["self, dtype=None, ~non_blocking", type],
  type_as: [
    "self, other",
    (c) => convert(c.vm, c.tensor("self"), c.tensor("other").dtype ?? "float32"),
  ],
  float: ["self, ~memory_format", (c) => convert(c.vm, c.tensor("self"), "float32")],
  double: ["self", (c) => convert(c.vm, c.tensor("self"), "float64")],
  half: ["self", (c) => convert(c.vm, c.tensor("self"), "float16")],
  bfloat16: ["self", (c) => convert(c.vm, c.tensor("self"), "bfloat16")],
  long: ["self", (c) => convert(c.vm, c.tensor("self"), "int64")],
  int: ["self", (c) => convert(c.vm, c.tensor("self"), "int32")],
  byte: ["self", (c) => convert(c.vm, c.tensor("self"), "uint8")],
  bool: ["self", (c) => convert(c.vm, c.tensor("self"), "bool")],
  requires_grad_: ["self, ~requires_grad", (c) => c.tensor("self")],
  retain_grad: ["self", () => NONE],
  where: [
    "self, condition, other",
    (c) => select(c.vm, c.tensor("condition"), c.tensor("self"), c.value("other"), "torch"),
  ],
  new_zeros: ["self, *size, dtype=None, ~device, ~requires_grad", (c) => newFilled(c, 0)],
  new_full: [
    "self, size, fill_value, dtype=None, ~device, ~requires_grad",
    (c) =>
      filled(
        c.vm,
        fillNumber(c),
        shapeFrom(c.vm, sizesFrom([c.value("size")])),
        "torch",
        m.dtypeArgument(c) ?? c.tensor("self").dtype ?? defaultFloat("torch"),
      ),
  ],
  new_tensor: ["self, data, *, dtype=None, ~device, ~requires_grad", newTensorLike],
  new_empty: ["self, *size, dtype=None, ~device, ~requires_grad", unset],
  repeat: ["self, *repeats", (c) => tiled(c, integersOf(c, "repeats"))],
  new_ones: ["self, *size, dtype=None, ~device, ~requires_grad", (c) => newFilled(c, 1)],
  backward: ["self, ~gradient, ~retain_graph, ~create_graph", backward],
  fill_: ["self, value", (c) => replaced(c, filledLike(c))],
  zero_: ["self", (c) => replaced(c, zerosLike(c))],
  transpose_: [
    "self, dim0, dim1",
    (c) => reshaped(c, swapAxes(c.vm, c.tensor("self"), c.int("dim0"), c.int("dim1"))),
  ],
  t_: ["input", (c) => reshaped(c, transposeMatrix(c), "input")],
  unsqueeze_: ["self, dim", (c) => reshaped(c, addAxis(c.vm, c.tensor("self"), c.int("dim")))],
  squeeze_: ["self, dim=None", (c) => reshaped(c, dropAxes(c.vm, c.tensor("self"), c.dims("dim")))],
  copy_: ["self, src, ~non_blocking", (c) => replaced(c, copied(c))],
  masked_fill_: ["self, mask, value", (c) => replaced(c, maskedFill(c))],
};

/** `x.mul_(y)` is `x.mul(y)` put into x, for each of these. */
export const torchInPlace = new Set([
  "add", "sub", "mul", "div", "pow", "exp", "log", "sqrt", "abs", "neg", "clamp", "clamp_min",
  "clamp_max", "clip", "sigmoid", "relu", "round", "floor", "ceil", "tanh", "square", "reciprocal",
  "subtract", "multiply", "divide", "true_divide", "floor_divide", "remainder", "fmod", "lerp",
  "addcmul", "addcdiv", "expm1", "log1p", "log2", "log10", "rsqrt", "sin", "cos", "sinh", "cosh",
  "absolute", "negative", "sign", "sgn", "trunc", "frac", "logit", "nan_to_num", "cumsum", "xlogy",
  "scatter", "scatter_add", "scatter_reduce", "index_add", "tril", "triu",
]); // prettier-ignore

/** The in-place form of a shared function. */
export function inPlaceEntry([signature, meaning]: Entry): Entry {
  return [signature, (c) => replaced(c, meaning(c), "input")];
}

/** The array itself under another shape, as `x.unsqueeze_(1)` leaves it. */
function reshaped(c: CallContext, result: Value, self = "self"): Value {
  const x = c.tensor(self);
  if (result.kind === "tensor") x.assign(c.vm, result.expr);
  return x;
}

function replaced(c: CallContext, result: Value, self = "self"): Value {
  const target = c.tensor(self);
  return result.kind === "tensor" ? inPlace(c.vm, target, result) : result;
}

export function torchAttribute(
  vm: CallContext["vm"],
  t: TensorValue,
  name: string,
): Value | undefined {
  const shape = nodeOf(t).shape;
  switch (name) {
    case "shape":
      return tuple(sizeNumbers(t));
    case "ndim":
      return int(rankOf(t));
    case "T":
    case "mT":
      return rankOf(t) < 2
        ? t
        : name === "mT"
          ? swapAxes(vm, t, -1, -2)
          : permuteAxes(
              vm,
              t,
              shape.map((_, d) => shape.length - 1 - d),
            );
    case "dtype":
      return dtypeOf(vm, t);
    case "data":
      return detached(vm, t, ".data");
    case "device":
      return str("cpu");
    case "is_cuda":
      return FALSE;
    case "requires_grad":
      return bool(carriesGradient(vm, nodeOf(t), (x) => vm.differentiated.has(x)));
    case "grad":
      return NONE;
    case "is_leaf":
      return bool(t.expr.kind === "input");
    case "real":
      return t;
    default:
      return undefined;
  }
}

/** A boolean tensor stays one, whatever number fills it. */
function maskedFill(c: CallContext): TensorValue {
  const x = c.tensor("self");
  const filled = select(c.vm, c.tensor("mask"), c.value("value"), x, "torch");
  return x.dtype === "bool" ? convert(c.vm, filled, "bool") : filled;
}
