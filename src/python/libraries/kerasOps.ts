/** keras.ops, which promotes types where TensorFlow's own functions refuse to mix them. */
import { type DType, promote } from "../dtypes.ts";
import type { UnaryOp } from "../../expression/node.ts";
import { binaryOperation, compareOperation } from "../interpreter/operators.ts";
import type { BinaryOperator, ComparisonOperator } from "../syntax.ts";
import { dot, einsum, matmul } from "../tensors/contraction.ts";
import {
  clampValue,
  elementwise,
  floatFunction,
  select,
  truthFunction,
} from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { expandTo, flattenRange, moveAxes, swapAxes } from "../tensors/reshape.ts";
import { countNumber, operandOf, sizeNumber } from "../tensors/tensor.ts";
import { NONE, type TensorValue, type Value, bool, float, int, tuple } from "../values.ts";
import * as m from "./common.ts";
import { convert, copyOf, withoutGradient, isFrom } from "./convert.ts";
import { kerasPooling } from "./channelsLast.ts";
import { kerasCurves } from "./kerasActivations.ts";
import { kerasNumpy } from "./kerasNumpy.ts";
import { kerasLoops } from "./kerasFlow.ts";
import { kerasCounting } from "./counting.ts";
import * as k from "./kerasCrossEntropy.ts";
import { attachedLogits, floatx } from "./kerasSettings.ts";
import { average, exclusiveOr, isInfinite, linspace, replaceNaN, steps } from "./numpyMeanings.ts";
import { runningSum } from "./picking.ts";
import { unbind } from "./pieces.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import { kerasNoise } from "./tensorflowSimilarity.ts";
import { kerasWindows } from "./tensorflowWindows.ts";
import * as t from "./tensorflowMeanings.ts";
import * as shapes from "./tensorflowShapes.ts";

/** Both as tensors of one type: that of the float among them, or the wider. */
function promoted(c: CallContext, a: Value, b: Value): [Value, Value] {
  const values = [a, b].map((v) => (v.kind === "number" ? v : c.asOwn(v)));
  const tensors = values.filter((v): v is TensorValue => v.kind === "tensor");
  if (tensors.length === 0) return [a, b];
  const weak = values.some((v) => v.kind === "number" && v.type === "float");
  const operands = tensors.map((x) => operandOf(x, x.expr));
  const kinds = new Set(operands.map((o) => o.type));
  const dtype =
    weak && !kinds.has("float") ? floatx(c.vm) : (promote(operands, "tensorflow") ?? null);
  const to = (v: Value): Value =>
    v.kind !== "tensor" || (dtype === null && v.expr.type === "float")
      ? v
      : convert(c.vm, v, dtype ?? floatx(c.vm));
  return [to(values[0]!), to(values[1]!)];
}

type OfTwo = (c: CallContext, a: Value, b: Value) => Value;

const mixed =
  (f: OfTwo): Meaning =>
  (c) => {
    const [a, b] = promoted(c, c.value("x"), c.value("y"));
    return f(c, a, b);
  };

const operator = (op: BinaryOperator): Meaning =>
  mixed((c, a, b) => binaryOperation(c.vm, op, a, b));
const comparison = (op: ComparisonOperator): Meaning =>
  mixed((c, a, b) => compareOperation(c.vm, op, a, b));

/** Integers become floats of Keras's default precision first. */
export function asFloat(c: CallContext, v: Value): Value {
  if (v.kind === "number") return v;
  const x = c.asOwn(v);
  return x.expr.type === "float" ? x : convert(c.vm, x, floatx(c.vm));
}

const real =
  (op: UnaryOp): Meaning =>
  (c) => {
    const x = asFloat(c, c.value("x"));
    return x.kind === "number" ? m.real(op)(c) : floatFunction(c.vm, op, x);
  };

/** Truth values are counted as integers. */
const counted = (c: CallContext): TensorValue => {
  const x = c.tensor("x");
  return x.expr.type === "bool" ? convert(c.vm, x, "int32") : x;
};

const mean: Meaning = (c) => {
  const x = asFloat(c, c.tensor("x"));
  return reduction(c.vm, "mean", c.asOwn(x), c.dims("dim"), c.flag("keepdim"));
};

const truthOf = (c: CallContext, v: Value): TensorValue => convert(c.vm, c.asOwn(v), "bool");

/** Keras attaches the logits to what its activations return. */
export function withLogits(c: CallContext, result: Value): Value {
  if (result.kind === "tensor") attachedLogits.set(result, c.tensor("x"));
  return result;
}

export function chooseMixed(c: CallContext): Value {
  if (!c.given("x1") || !c.given("x2")) return m.choose(c);
  const [a, b] = promoted(c, c.value("x1"), c.value("x2"));
  return select(c.vm, truthOf(c, c.value("condition")), a, b, c.library);
}

function kerasNorm(c: CallContext): Value {
  return t.norm(c);
}

/** x over its norm along an axis, which is kept from being smaller than epsilon. */
export function normalize(c: CallContext): Value {
  const x = c.asOwn(asFloat(c, c.value("x")));
  if (c.number("order") !== 2) return c.vm.unsupported(`${c.name}() of another order than 2`);
  const eps = c.given("epsilon") ? c.number("epsilon") : 1e-7;
  const total = reduction(c.vm, "sum", elementwise(c.vm, "mul", x, x), c.dims("axis"), true);
  const bounded = clampValue(c.vm, total, float(eps * eps), null);
  return elementwise(c.vm, "div", x, floatFunction(c.vm, "sqrt", bounded));
}

const pair = (c: CallContext): k.Pair => ({
  target: c.tensor("target"),
  output: c.tensor("output"),
});

function typeOr(c: CallContext, otherwise: DType): DType {
  return t.dtypeArgument(c) ?? otherwise;
}

const over = "x, axis=None, keepdims=False";

export const opsFunctions: Table = {
  // Entry by entry
  exp: ["x", real("exp")],
  expm1: ["x", real("expm1")],
  log: ["x", real("log")],
  log1p: ["x", real("log1p")],
  log2: ["x", m.logBase(2)],
  log10: ["x", m.logBase(10)],
  sqrt: ["x", real("sqrt")],
  rsqrt: ["x", t.inverseRoot],
  tanh: ["x", real("tanh")],
  sinh: ["x", real("sinh")],
  cosh: ["x", real("cosh")],
  sin: ["x", real("sin")],
  cos: ["x", real("cos")],
  sigmoid: ["x", (c) => withLogits(c, real("sigmoid")(c))],
  softplus: ["x", real("softplus")],
  log_sigmoid: ["x", real("logsigmoid")],
  relu: ["x", m.keeping("relu")],
  relu6: ["x", t.relu6],
  leaky_relu: [
    "x, negative_slope=0.2",
    (c) => t.leakyRelu(c, c.tensor("x"), c.value("negative_slope")),
  ],
  elu: ["x, alpha=1.0", (c) => t.elu(c, c.tensor("x"), c.value("alpha"))],
  swish: ["x", (c) => elementwise(c.vm, "mul", c.tensor("x"), real("sigmoid")(c))],
  silu: ["x", (c) => elementwise(c.vm, "mul", c.tensor("x"), real("sigmoid")(c))],
  softmax: ["x, axis=-1", (c) => withLogits(c, t.softmax(c, "x", false))],
  log_softmax: ["x, axis=-1", (c) => t.softmax(c, "x", true)],
  abs: ["x", m.keeping("abs")],
  absolute: ["x", m.keeping("abs")],
  sign: ["x", m.keeping("sign")],
  negative: ["x", m.keeping("neg")],
  floor: ["x", m.keeping("floor")],
  ceil: ["x", m.keeping("ceil")],
  round: ["x, !decimals=0", m.keeping("round")],
  square: ["x", m.square],
  reciprocal: ["x", (c) => elementwise(c.vm, "div", float(1), asFloat(c, c.value("x")))],
  add: ["x1, x2", operator("+")],
  subtract: ["x1, x2", operator("-")],
  multiply: ["x1, x2", operator("*")],
  divide: ["x1, x2", mixed((c, a, b) => quotient(c, a, b))],
  true_divide: ["x1, x2", mixed((c, a, b) => quotient(c, a, b))],
  divide_no_nan: ["x1, x2", mixed((c, a, b) => t.divideNoNan(c, asFloat(c, a), asFloat(c, b)))],
  floor_divide: ["x1, x2", operator("//")],
  mod: ["x1, x2", operator("%")],
  power: ["x1, x2", operator("**")],
  maximum: ["x1, x2", mixed((c, a, b) => t.larger(c, "max", a, b))],
  minimum: ["x1, x2", mixed((c, a, b) => t.larger(c, "min", a, b))],
  clip: [
    "x, x_min, x_max",
    (c) => t.clip(c, c.value("x"), c.optional("x_min"), c.optional("x_max")),
  ],
  equal: ["x1, x2", comparison("==")],
  not_equal: ["x1, x2", comparison("!=")],
  greater: ["x1, x2", comparison(">")],
  greater_equal: ["x1, x2", comparison(">=")],
  less: ["x1, x2", comparison("<")],
  less_equal: ["x1, x2", comparison("<=")],
  logical_and: ["x1, x2", m.both("and")],
  logical_or: ["x1, x2", m.both("or")],
  logical_xor: ["x1, x2", exclusiveOr],
  logical_not: ["x", (c) => truthFunction(c.vm, "not", truthOf(c, c.value("x")))],
  isnan: ["x", m.truthOf("isnan")],
  isfinite: ["x", m.truthOf("isfinite")],
  isinf: ["x", isInfinite],
  where: ["condition, x1=None, x2=None", chooseMixed],
  nan_to_num: ["x, nan=0.0, !posinf, !neginf", replaceNaN],

  // Over axes
  sum: [over, (c) => reduction(c.vm, "sum", counted(c), c.dims("dim"), c.flag("keepdim"))],
  prod: [
    "x, axis=None, keepdims=False, dtype=None",
    (c) => (c.given("keepdim") ? reduceProduct(c) : t.reduceSizes("prod")(c)),
  ],
  mean: [over, mean],
  max: ["x, axis=None, keepdims=False, !initial", m.reduceBy("max")],
  amax: [over, m.reduceBy("max")],
  min: ["x, axis=None, keepdims=False, !initial", m.reduceBy("min")],
  amin: [over, m.reduceBy("min")],
  any: [over, (c) => anyOf(c, "any")],
  all: [over, (c) => anyOf(c, "all")],
  std: [over, m.spread("std", () => 0)],
  var: [over, m.spread("var", () => 0)],
  logsumexp: [over, m.logSumExpOf],
  argmax: ["x, axis=None, keepdims=False", m.positionOf("argmax")],
  argmin: ["x, axis=None, keepdims=False", m.positionOf("argmin")],
  count_nonzero: ["x, axis=None, keepdims=False", m.countNonzero],
  average: ["x, axis=None, weights=None", average],
  norm: ["x, ord=None, axis=None, keepdims=False", kerasNorm],
  normalize: ["x, axis=-1, order=2, epsilon=None", normalize],

  // Products
  matmul: ["x1, x2", (c) => matmul(c.vm, c.tensor("x1"), c.tensor("x2"), c.library)],
  dot: ["x1, x2", (c) => matmul(c.vm, c.tensor("x1"), c.tensor("x2"), c.library)],
  vdot: ["x1, x2", (c) => dot(c.vm, flat(c, "x1"), flat(c, "x2"), c.library)],
  einsum: [
    "subscripts, *operands, **",
    (c) => einsum(c.vm, c.text("subscripts"), c.tensors("operands"), c.library),
  ],
  tensordot: ["x1, x2, axes=2", (c) => shapes.tensordot(c, c.value("axes"))],

  // Shapes
  reshape: ["x, newshape", shapes.reshape("newshape")],
  ravel: ["x", (c) => flattenRange(c.vm, c.tensor("x"), 0, -1)],
  transpose: ["x, axes=None", shapes.transpose("axes")],
  swapaxes: [
    "x, axis1, axis2",
    (c) => swapAxes(c.vm, c.tensor("x"), c.int("axis1"), c.int("axis2")),
  ],
  moveaxis: [
    "x, source, destination",
    (c) => moveAxes(c.vm, c.tensor("x"), c.dims("source")!, c.dims("destination")!),
  ],
  expand_dims: ["x, axis", m.newAxis],
  squeeze: ["x, axis=None", m.withoutAxes],
  concatenate: ["xs, axis=0", shapes.concat("xs")],
  stack: ["xs, axis=0", shapes.stack("xs")],
  unstack: ["x, ~num, axis=0", unbind],
  split: ["x, indices_or_sections, axis=0", splitAt],
  tile: ["x, repeats", (c) => shapes.tile(c, "repeats")],
  broadcast_to: ["x, shape", (c) => expandTo(c.vm, c.tensor("x"), shapes.sizesOf(c, "shape"))],
  take: [
    "x, indices, axis=None",
    (c) =>
      shapes.gather(
        c,
        c.given("axis") ? c.tensor("x") : flat(c, "x"),
        c.value("indices"),
        c.given("axis") ? c.int("axis") : 0,
      ),
  ],
  one_hot: [
    "indices, num_classes, axis=-1, dtype=None, !sparse",
    (c) => shapes.oneHot(c, "num_classes", typeOr(c, floatx(c.vm))),
  ],
  shape: ["x", (c) => tuple(c.expr("x").shape.map(sizeNumber))],
  ndim: ["x", (c) => int(c.expr("x").shape.length)],
  size: ["x", (c) => countNumber(c.expr("x").shape)],

  // Making and converting tensors
  cast: ["x, dtype", t.cast],
  convert_to_tensor: ["x, dtype=None, ~sparse, ~ragged", (c) => t.made(c, "x")],
  convert_to_numpy: [
    "x",
    (c) => withoutGradient(c.vm, c.tensor("x"), "convert_to_numpy()", "numpy"),
  ],
  array: ["x, dtype=None", (c) => t.made(c, "x")],
  copy: ["x", (c) => copyOf(c.vm, c.tensor("x"))],
  stop_gradient: ["variable", (c) => t.cut(c, c.value("variable"))],
  zeros: ["shape, dtype=None", (c) => t.constantOf(c, float(0), "shape", floatx(c.vm))],
  ones: ["shape, dtype=None", (c) => t.constantOf(c, float(1), "shape", floatx(c.vm))],
  full: ["shape, fill_value, dtype=None", (c) => t.fill(c, "shape", "fill_value")],
  zeros_like: ["x, dtype=None", (c) => t.constantLike(c, 0)],
  ones_like: ["x, dtype=None", (c) => t.constantLike(c, 1)],
  eye: ["N, !M, !k=0, dtype=None", (c) => t.identity(c, "N")],
  identity: ["n, dtype=None", (c) => t.identity(c, "n")],
  arange: ["start, stop=None, step=1, dtype=None", (c) => steps(c, "start", "stop", "step")],
  linspace: ["start, stop, num=50, endpoint=True, !retstep, dtype=None, !axis=0", linspace],
  is_tensor: ["x", (c) => bool(isFrom(c.value("x"), "tensorflow"))],

  ...kerasCounting,
  ...kerasWindows,
  ...kerasPooling,
  ...kerasNumpy,
  ...kerasLoops,
  ...kerasCurves,
  ...kerasNoise,
  cumsum: ["x, axis=None, !dtype", runningSum],

  // Losses and control flow
  binary_crossentropy: [
    "target, output, from_logits=False",
    (c) => k.binaryLoss(c, pair(c), c.flag("from_logits")),
  ],
  categorical_crossentropy: [
    "target, output, from_logits=False, axis=-1",
    (c) => k.categoricalLoss(c, pair(c), c.flag("from_logits"), c.int("axis")),
  ],
  sparse_categorical_crossentropy: [
    "target, output, from_logits=False, !axis=-1",
    (c) => k.sparseLoss(c, pair(c), c.flag("from_logits")),
  ],
  name_scope: ["~name", () => ({ kind: "context", name: "name_scope", effect: "none" })],
  print: ["*args, **", () => NONE],
};

function quotient(c: CallContext, a: Value, b: Value): Value {
  return binaryOperation(c.vm, "/", asFloat(c, a), asFloat(c, b));
}

function reduceProduct(c: CallContext): Value {
  return reduction(c.vm, "prod", counted(c), c.dims("dim"), c.flag("keepdim"), t.dtypeArgument(c));
}

function anyOf(c: CallContext, op: "any" | "all"): Value {
  return reduction(c.vm, op, truthOf(c, c.value("x")), c.dims("dim"), c.flag("keepdim"));
}

function flat(c: CallContext, name: string): TensorValue {
  return flattenRange(c.vm, c.tensor(name), 0, -1);
}

/** Into equal parts, or at positions. */
function splitAt(c: CallContext): Value {
  const given = c.value("indices_or_sections");
  if (given.kind === "number") return shapes.split(c, "indices_or_sections");
  return shapes.splitAtPositions(c, c.dims("indices_or_sections")!);
}
