/** PyTorch: what each function and tensor method means. One line a function. */
import { constant, div, log, oneHot, reshape, sub, where } from "../../expression/build.ts";
import { type DType, defaultFloat, isDType } from "../dtypes.ts";
import { NeedsIntegerError } from "../interpreter/interpreter.ts";
import { inPlace } from "../interpreter/operators.ts";
import {
  FALSE,
  NONE,
  type TensorValue,
  type Value,
  bool,
  float,
  int,
  str,
  tuple,
} from "../values.ts";
import { dot, einsum, matmul } from "../tensors/contraction.ts";
import { asBoolean, elementwise, select } from "../tensors/elementwise.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { softmaxOf } from "../tensors/reduce.ts";
import {
  addAxis,
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
import {
  asTensor,
  countNumber,
  filled,
  operandExpr,
  sizeNumber,
  tensor,
} from "../tensors/tensor.ts";
import * as m from "./common.ts";
import { convert, copyOf, inLibrary, itemOf, nestedList, withoutGradient } from "./convert.ts";
import { knownInteger } from "../interpreter/known.ts";
import { identityMatrix } from "./creation.ts";
import { dtypeOf, readDType } from "./dtypeNames.ts";
import { arange, constantArray, constantLike, linspace, replaceNaN } from "./numpy.ts";
import type { Aliases, CallContext, Entry, Table } from "./signature.ts";

/** PyTorch takes NumPy's keywords as well. */
export const torchAliases: Aliases = { axis: "dim", keepdims: "keepdim", x: "input", a: "input" };

const correction = (c: CallContext): number =>
  c.given("unbiased") && !c.flag("unbiased") ? 0 : c.int("correction");

/** Functions of the module that are methods of tensors under the same name. */
export const torchShared: Table = {
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
  nan_to_num: ["input, nan=0.0, !posinf, !neginf, !out", replaceNaN],
  logit: ["input, eps=None, !out", logit],

  // Over axes
  sum: ["input, dim=None, keepdim=False, *, dtype=None, !out", m.reduceBy("sum")],
  mean: ["input, dim=None, keepdim=False, *, dtype=None, !out", m.reduceBy("mean")],
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
  select: ["input, dim, index", selectIndex],
  narrow: ["input, dim, start, length", narrow],
  clone: ["input, ~memory_format", (c) => copyOf(c.vm, c.tensor("input"))],
  detach: ["input", (c) => withoutGradient(c.vm, c.tensor("input"), "detach()")],
  numel: ["input", (c) => countNumber(c.expr("input").shape)],
  is_floating_point: ["input", (c) => bool(c.expr("input").type === "float")],
  allclose: [
    "input, other, rtol=1e-05, atol=1e-08, !equal_nan",
    (c) => c.vm.unsupported("torch.allclose is not supported here"),
  ],
};

/** Functions of the module only. */
export const torchFunctions: Table = {
  where: ["condition, x=None, y=None, input=None, other=None", torchWhere],
  stack: ["tensors, dim=0, !out", m.stackAll],
  cat: ["tensors, dim=0, !out", m.concatenate],
  concat: ["tensors, dim=0, !out", m.concatenate],
  concatenate: ["tensors, dim=0, !out", m.concatenate],
  einsum: ["equation, *operands", (c) => einsum(c.vm, c.text("equation"), unpacked(c), "torch")],
  broadcast_to: ["input, size", (c) => expandTo(c.vm, c.tensor("input"), c.list("size"))],
  tensor: ["data, *, dtype=None, ~device, ~requires_grad, ~pin_memory", newTensor],
  as_tensor: ["data, dtype=None, ~device", asTorchTensor],
  from_numpy: ["ndarray", (c) => inLibrary(c.vm, c.tensor("ndarray"), "torch")],
  zeros: ["*shape, dtype=None, ~device, ~requires_grad, ~layout", (c) => filledWith(c, 0)],
  ones: ["*shape, dtype=None, ~device, ~requires_grad, ~layout", (c) => filledWith(c, 1)],
  full: [
    "shape, fill_value, *, dtype=None, ~device, ~requires_grad",
    (c) => constantArray(c, fillNumber(c)),
  ],
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
  is_tensor: ["obj", (c) => bool(c.value("obj").kind === "tensor")],
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
  autocast: ["**", () => ({ kind: "context", name: "torch.autocast()", effect: "none" })],
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
  is_grad_enabled: ["", (c) => bool(c.vm.stopGradientDepth === 0)],
};

/** Methods of tensors only. */
export const torchMethods: Table = {
  view: ["self, *shape", view],
  view_as: ["self, other", (c) => reshapeLike(c)],
  reshape_as: ["self, other", (c) => reshapeLike(c)],
  expand: ["self, *sizes", (c) => expandTo(c.vm, c.tensor("self"), sizesFrom(c.list("sizes")))],
  expand_as: ["self, other", (c) => expandShape(c.vm, c.tensor("self"), c.expr("other").shape)],
  contiguous: ["self, ~memory_format", (c) => contiguous(c)],
  size: ["self, dim=None", size],
  dim: ["self", (c) => int(c.expr("self").shape.length)],
  ndimension: ["self", (c) => int(c.expr("self").shape.length)],
  nelement: ["self", (c) => countNumber(c.expr("self").shape)],
  item: ["self", (c) => itemOf(c.vm, c.tensor("self"), ".item()")],
  tolist: ["self", (c) => nestedList(c.vm, c.tensor("self"))],
  numpy: ["self, ~force", (c) => withoutGradient(c.vm, c.tensor("self"), ".numpy()", "numpy")],
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
  masked_fill: [
    "self, mask, value",
    (c) => select(c.vm, c.tensor("mask"), c.value("value"), c.tensor("self"), "torch"),
  ],
  where: [
    "self, condition, other",
    (c) => select(c.vm, c.tensor("condition"), c.tensor("self"), c.value("other"), "torch"),
  ],
  new_zeros: ["self, *shape, dtype=None, ~device, ~requires_grad", (c) => newFilled(c, 0)],
  new_ones: ["self, *shape, dtype=None, ~device, ~requires_grad", (c) => newFilled(c, 1)],
  scatter: ["self, dim, index, src", (c) => scattered(c)],
  backward: ["self, ~gradient, ~retain_graph, ~create_graph", backward],
  fill_: ["self, value", (c) => replaced(c, filledLike(c))],
  zero_: ["self", (c) => replaced(c, zerosLike(c))],
  copy_: ["self, src, ~non_blocking", (c) => replaced(c, copied(c))],
  masked_fill_: [
    "self, mask, value",
    (c) => replaced(c, select(c.vm, c.tensor("mask"), c.value("value"), c.tensor("self"), "torch")),
  ],
  scatter_: [
    "self, dim, index, src=None, *, value=None, !reduce",
    (c) => replaced(c, scattered(c)),
  ],
};

/** `x.mul_(y)` is `x.mul(y)` put into x, for each of these. */
export const torchInPlace = new Set([
  "add", "sub", "mul", "div", "pow", "exp", "log", "sqrt", "abs", "neg", "clamp", "clamp_min",
  "clamp_max", "clip", "sigmoid", "relu", "round", "floor", "ceil", "tanh", "square", "reciprocal",
]); // prettier-ignore

/** The in-place form of a shared function. */
export function inPlaceEntry([signature, meaning]: Entry): Entry {
  return [signature, (c) => replaced(c, meaning(c), "input")];
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
  const { shape } = t.expr;
  switch (name) {
    case "shape":
      return tuple(shape.map(sizeNumber));
    case "ndim":
      return int(shape.length);
    case "T":
    case "mT":
      return shape.length < 2
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
      return withoutGradient(vm, t, ".data");
    case "device":
      return str("cpu");
    case "is_cuda":
      return FALSE;
    case "requires_grad":
      return bool(t.expr.type === "float");
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

function powerOf(c: CallContext, exponent: number): Value {
  return elementwise(c.vm, "pow", c.tensor("x"), float(exponent));
}

/** `add(x, y, alpha=a)` is x + a·y. */
function scaled(c: CallContext, op: "add" | "sub"): Value {
  const alpha = c.value("alpha");
  const plain = alpha.kind === "number" && alpha.value === 1 && alpha.symbol === null;
  const y = plain ? c.value("other") : elementwise(c.vm, "mul", c.value("other"), alpha, "torch");
  return elementwise(c.vm, op, c.value("input"), y, "torch");
}

function logit(c: CallContext): Value {
  if (c.given("eps")) return c.vm.unsupported("torch.logit with eps is not supported");
  const x = c.tensor("input");
  const e = c.vm.shaped(() => log(div(x.expr, sub(constant(1), x.expr))));
  return tensor(c.vm, e, "torch", x.dtype);
}

/** max(x), max(x, dim) or max(x, y). */
function extreme(c: CallContext, op: "max" | "min"): Value {
  const second = c.given("other") ? c.value("other") : c.value("dim");
  if (second.kind === "tensor" && second.expr.shape.length > 0) {
    return elementwise(c.vm, op, c.tensor("input"), second, "torch");
  }
  if (c.given("other")) return elementwise(c.vm, op, c.tensor("input"), second, "torch");
  return c.given("dim") ? m.extremeAlong(op)(c) : m.reduceBy(op)(c);
}

export function softmax(c: CallContext, logarithm: boolean): Value {
  const dtype = m.dtypeArgument(c);
  const x = dtype === undefined ? c.tensor("x") : convert(c.vm, c.tensor("x"), dtype);
  const dim = c.dims("dim");
  if (dim === null) {
    return c.vm.unsupported(
      `${c.name}() without dim picks one by the array's rank`,
      "Name it: softmax(x, dim=1).",
    );
  }
  return softmaxOf(c.vm, x, dim[0]!, logarithm);
}

function norm(c: CallContext): Value {
  const p = c.value("p");
  const order = p.kind === "str" ? (p.value === "fro" ? 2 : c.bad("p", "a number")) : c.number("p");
  return m.vectorNorm(c, c.tensor("input"), order, c.dims("dim"), c.flag("keepdim"));
}

function vector(c: CallContext, name: string): TensorValue {
  const t = c.tensor(name);
  if (t.expr.shape.length === 1) return t;
  return c.vm.fail("RuntimeError", `1D tensors expected, but got ${t.expr.shape.length}D`);
}

function permute(c: CallContext): Value {
  const dims = sizesFrom(c.list("dims")).map((v) =>
    v.kind === "number" && v.value !== null ? v.value : c.bad("dims", "integers"),
  );
  return permuteAxes(c.vm, c.tensor("input"), dims);
}

function transposeMatrix(c: CallContext): Value {
  const x = c.tensor("input");
  const rank = x.expr.shape.length;
  if (rank > 2)
    return c.vm.fail(
      "RuntimeError",
      `t() expects a tensor with <= 2 dimensions, but self is ${rank}D`,
    );
  return rank < 2 ? x : swapAxes(c.vm, x, 0, 1);
}

function knownSize(c: CallContext, x: TensorValue, dim: number): number {
  return knownInteger(c.vm, sizeNumber(x.expr.shape.at(dim)!), `${c.name}()`);
}

const slot: Value = { kind: "slice", start: NONE, stop: NONE, step: NONE };

/** The key that applies `item` to one axis and leaves the others. */
function along(x: TensorValue, dim: number, item: Value): Value {
  const rank = x.expr.shape.length;
  const d = dim < 0 ? dim + rank : dim;
  return tuple(Array.from({ length: d + 1 }, (_, k) => (k === d ? item : slot)));
}

function unbind(c: CallContext): Value {
  const x = c.tensor("input");
  const dim = c.int("dim");
  const n = knownSize(c, x, dim);
  return tuple(Array.from({ length: n }, (_, k) => indexTensor(c.vm, x, along(x, dim, int(k)))));
}

function pieces(c: CallContext, x: TensorValue, dim: number, sizes: readonly number[]): Value {
  let from = 0;
  return tuple(
    sizes.map((n) => {
      const range: Value = { kind: "slice", start: int(from), stop: int(from + n), step: NONE };
      from += n;
      return indexTensor(c.vm, x, along(x, dim, range));
    }),
  );
}

function chunk(c: CallContext): Value {
  const x = c.tensor("input");
  const dim = c.int("dim");
  return pieces(
    c,
    x,
    dim,
    evenly(knownSize(c, x, dim), Math.ceil(knownSize(c, x, dim) / c.int("chunks"))),
  );
}

function split(c: CallContext): Value {
  const x = c.tensor("input");
  const dim = c.int("dim");
  const n = knownSize(c, x, dim);
  const given = c.value("split_size");
  const sizes = given.kind === "number" ? evenly(n, c.int("split_size")) : c.dims("split_size")!;
  if (sizes.reduce((a, b) => a + b, 0) !== n) {
    return c.vm.fail("RuntimeError", `split_with_sizes expects split_sizes to sum exactly to ${n}`);
  }
  return pieces(c, x, dim, sizes);
}

function evenly(n: number, size: number): number[] {
  return Array.from({ length: Math.ceil(n / size) }, (_, k) => Math.min(size, n - k * size));
}

function selectIndex(c: CallContext): Value {
  const x = c.tensor("input");
  return indexTensor(c.vm, x, along(x, c.int("dim"), c.value("index")));
}

function narrow(c: CallContext): Value {
  const x = c.tensor("input");
  const start = c.int("start");
  const range: Value = {
    kind: "slice",
    start: int(start),
    stop: int(start + c.int("length")),
    step: NONE,
  };
  return indexTensor(c.vm, x, along(x, c.int("dim"), range));
}

function torchWhere(c: CallContext): Value {
  const a = c.given("x") ? c.value("x") : c.value("input");
  const b = c.given("y") ? c.value("y") : c.value("other");
  if (a.kind === "none" || b.kind === "none") return m.choose(c);
  return select(c.vm, c.tensor("condition"), a, b, "torch");
}

function unpacked(c: CallContext): readonly Value[] {
  const operands = c.list("operands");
  const only = operands[0];
  return operands.length === 1 && only?.kind === "list" ? only.items : operands;
}

/** torch.tensor copies, and cuts the gradient of what it copies. */
function newTensor(c: CallContext): Value {
  const source = c.value("data");
  const dtype = m.dtypeArgument(c);
  const t = asTensor(c.vm, source, "torch", dtype);
  const detached =
    source.kind === "tensor" && source.library === "torch"
      ? withoutGradient(c.vm, copyOf(c.vm, t), "torch.tensor()")
      : inLibrary(c.vm, t, "torch");
  return dtype === undefined ? detached : convert(c.vm, detached, dtype);
}

function asTorchTensor(c: CallContext): Value {
  const dtype = m.dtypeArgument(c);
  const t = inLibrary(c.vm, asTensor(c.vm, c.value("data"), "torch", dtype), "torch");
  return dtype === undefined ? t : convert(c.vm, t, dtype);
}

function fillNumber(c: CallContext): Value & { readonly kind: "number" } {
  const v = c.value("fill_value");
  return v.kind === "number" ? v : c.bad("fill_value", "a number");
}

/** zeros(2, 3), zeros((2, 3)) and zeros(x.shape). */
function filledWith(c: CallContext, value: number): Value {
  const sizes = sizesFrom(c.list("shape"));
  const dtype = m.dtypeArgument(c) ?? defaultFloat("torch");
  return constantOf(c, value, sizes, dtype);
}

function newFilled(c: CallContext, value: number): Value {
  const dtype = m.dtypeArgument(c) ?? c.tensor("self").dtype ?? defaultFloat("torch");
  return constantOf(c, value, sizesFrom(c.list("shape")), dtype);
}

function constantOf(c: CallContext, value: number, sizes: readonly Value[], dtype: DType): Value {
  return filled(c.vm, float(value), shapeFrom(c.vm, sizes), "torch", dtype);
}

function view(c: CallContext): Value {
  const x = c.tensor("self");
  const args = c.list("shape");
  const only = args[0];
  if (args.length === 1 && only?.kind === "dtype") {
    return c.vm.unsupported(
      "view(dtype) reads the same bytes as another type, which is no formula",
    );
  }
  return reshapeTo(c.vm, x, sizesFrom(args));
}

function reshapeLike(c: CallContext): Value {
  return reshapeTo(c.vm, c.tensor("self"), c.expr("other").shape.map(sizeNumber));
}

function contiguous(c: CallContext): Value {
  const x = c.tensor("self");
  return x.contiguous ? x : copyOf(c.vm, x);
}

function size(c: CallContext): Value {
  const { shape } = c.expr("self");
  if (!c.given("dim")) return tuple(shape.map(sizeNumber));
  const d = c.int("dim");
  const axis = shape.at(d);
  if (axis === undefined || d >= shape.length) {
    return c.vm.fail(
      "IndexError",
      `Dimension out of range (expected to be in range of [${-shape.length}, ${shape.length - 1}], but got ${d})`,
    );
  }
  return sizeNumber(axis);
}

/** to(dtype), to(device), to(other), to(device, dtype). */
function to(c: CallContext): Value {
  const x = c.tensor("self");
  const args = [...c.list("args"), c.value("dtype"), c.value("other")];
  let result = x;
  for (const v of args) {
    if (v.kind === "dtype") result = convert(c.vm, result, v.dtype);
    else if (v.kind === "tensor" && v.dtype !== null) result = convert(c.vm, result, v.dtype);
    else if (v.kind === "class") result = convert(c.vm, result, readDType(c.vm, v));
  }
  return result;
}

const LEGACY_TYPES: Readonly<Record<string, DType>> = {
  FloatTensor: "float32",
  DoubleTensor: "float64",
  HalfTensor: "float16",
  LongTensor: "int64",
  IntTensor: "int32",
  ByteTensor: "uint8",
  BoolTensor: "bool",
};

function type(c: CallContext): Value {
  const x = c.tensor("self");
  const v = c.optional("dtype");
  if (v === null) {
    const { dtype } = dtypeOf(c.vm, x);
    const name = Object.entries(LEGACY_TYPES).find(([, d]) => d === dtype)?.[0] ?? "Tensor";
    return str(`torch.${name}`);
  }
  const name =
    v.kind === "str" ? v.value.replace(/^torch\.(cuda\.)?/, "") : v.kind === "class" ? v.name : "";
  const legacy = LEGACY_TYPES[name];
  if (legacy !== undefined) return convert(c.vm, x, legacy);
  if (isDType(name)) return convert(c.vm, x, name);
  return convert(c.vm, x, m.dtypeArgument(c)!);
}

function backward(c: CallContext): Value {
  return c.vm.unsupported(
    ".backward() is not run by the inspector",
    "Leave the call of your loss as the cell's last line: its gradient is derived and checked there.",
  );
}

function filledLike(c: CallContext): Value {
  const v = c.value("value");
  const x = c.tensor("self");
  const filler = v.kind === "number" ? v : c.bad("value", "a number");
  return filled(c.vm, filler, x.expr.shape, "torch", x.dtype ?? defaultFloat("torch"));
}

function zerosLike(c: CallContext): Value {
  const x = c.tensor("self");
  return filled(c.vm, float(0), x.expr.shape, "torch", x.dtype ?? defaultFloat("torch"));
}

function copied(c: CallContext): Value {
  const x = c.tensor("self");
  return expandShape(
    c.vm,
    convert(c.vm, c.tensor("src"), x.dtype ?? defaultFloat("torch")),
    x.expr.shape,
  );
}

/**
 * scatter along `dim` with an index of size 1 there: the way one-hot targets are often made. Where
 * the position along `dim` equals the index, the value stands; elsewhere self stays.
 */
function scattered(c: CallContext): TensorValue {
  const { vm } = c;
  const x = c.tensor("self");
  const index = c.tensor("index");
  const rank = x.expr.shape.length;
  const dim = c.int("dim") < 0 ? c.int("dim") + rank : c.int("dim");
  const unit = index.expr.shape[dim];
  if (index.expr.shape.length !== rank || unit?.size !== 1) {
    return vm.unsupported(
      "scatter is supported only with an index of size 1 along the axis (as for one-hot targets)",
    );
  }
  requireInteger(c, index, "scatter() expects an index of integers (int64)");
  const source = c.given("src") ? c.value("src") : c.value("value");
  if (source.kind === "tensor" && source.expr.shape.length > 0) {
    const { shape } = source.expr;
    if (shape[dim]?.size !== 1)
      return vm.unsupported("scatter of a source with more than one entry along the axis");
  }
  const e = vm.shaped(() => {
    const rest = index.expr.shape.filter((_, d) => d !== dim);
    const hot = oneHot(reshape(index.expr, rest), x.expr.shape[dim]!, dim);
    const value = operandExpr(vm, source, "torch");
    return where(asBoolean(hot), value, x.expr);
  });
  return tensor(vm, e, "torch", x.dtype);
}

export function requireInteger(c: CallContext, t: TensorValue, message: string): void {
  if (t.expr.type !== "float") return;
  c.vm.fail("RuntimeError", message, "Convert first: x.long().", new NeedsIntegerError(t.expr));
}
