/** What the functions of tensorflow.ts do that are more than one line. */
import { elementCount } from "../../expression/axis.ts";
import { type DType, defaultDType, defaultFloat } from "../dtypes.ts";
import { binaryOperation } from "../interpreter/operators.ts";
import {
  clampValue,
  elementwise,
  floatFunction,
  keepingFunction,
  logical,
  select,
  truthFunction,
} from "../tensors/elementwise.ts";
import { reduction, softmaxOf, variance } from "../tensors/reduce.ts";
import { expandTo, reshapeTo, shapeFrom } from "../tensors/reshape.ts";
import { asTensor, filled } from "../tensors/tensor.ts";
import { type NumberValue, type TensorValue, type Value, float, int, tuple } from "../values.ts";
import * as m from "./common.ts";
import { convert, copyOf, inLibrary, withoutGradient } from "./convert.ts";
import { identityMatrix } from "./creation.ts";
import { readDType } from "./dtypeNames.ts";
import type { CallContext, Meaning } from "./signature.ts";
import { shapeEntries, sizesOf } from "./tensorflowShapes.ts";

/** Python's own `float` means float32 here, where NumPy takes it for float64. */
export function readTensorFlowDType(c: CallContext, v: Value): DType {
  if (v.kind === "class" && v.name === "float") return "float32";
  if (v.kind === "str" && v.value === "float") return "float32";
  return readDType(c.vm, v);
}

export function dtypeArgument(c: CallContext, name = "dtype"): DType | undefined {
  const v = c.optional(name);
  return v === null ? undefined : readTensorFlowDType(c, v);
}

// Entry by entry

/** A number beside a float tensor is a float: `tf.maximum(x, 0)`. */
function beside(v: Value, other: Value): Value {
  const real = other.kind === "tensor" && other.expr.type === "float";
  return v.kind === "number" && v.symbol === null && real ? { ...v, type: "float" } : v;
}

/**
 * maximum and minimum. At a tie the whole gradient goes to the first argument, which is what
 * limiting the first by the second does as well.
 */
export function larger(c: CallContext, op: "max" | "min", a: Value, b: Value): Value {
  if (a.kind === "number" && b.kind === "number") return m.pairwise(op)(c);
  const x = beside(a.kind === "number" ? a : c.asOwn(a), b);
  const y = beside(b.kind === "number" ? b : c.asOwn(b), a);
  return op === "max"
    ? clampValue(c.vm, x, y, null, c.library)
    : clampValue(c.vm, x, null, y, c.library);
}

export const extreme =
  (op: "max" | "min"): Meaning =>
  (c) =>
    larger(c, op, c.value("x"), c.value("y"));

/** x / y, and 0 where y is 0; there no gradient passes either. */
export function divideNoNan(c: CallContext, x: Value, y: Value): Value {
  const { vm } = c;
  if (y.kind === "number" && y.value !== null && y.value !== 0) {
    return binaryOperation(vm, "/", x, y);
  }
  const isZero = elementwise(vm, "eq", y, int(0), c.library);
  const divisor = select(vm, isZero, float(1), floats(c, y), c.library);
  const quotient = elementwise(vm, "div", floats(c, x), divisor, c.library);
  return select(vm, isZero, float(0), quotient, c.library);
}

/** Integers as the float64 in which TensorFlow divides them. */
function floats(c: CallContext, v: Value): Value {
  if (v.kind === "number") return { ...v, type: "float" };
  const t = c.asOwn(v);
  return t.expr.type === "int" ? convert(c.vm, t, "float64") : t;
}

/** x · log y or x / y, and 0 where x is 0, whatever y is. */
export const zeroAtZero =
  (f: (c: CallContext, x: Value, y: Value) => Value): Meaning =>
  (c) => {
    const [x, y] = [c.tensor("x"), c.tensor("y")];
    const isZero = elementwise(c.vm, "eq", x, int(0));
    const safe = select(c.vm, isZero, float(1), y);
    return select(c.vm, isZero, float(0), f(c, x, safe));
  };

export const xLogY: Meaning = zeroAtZero((c, x, y) =>
  elementwise(c.vm, "mul", x, floatFunction(c.vm, "log", y)),
);
export const xDivY: Meaning = zeroAtZero((c, x, y) => elementwise(c.vm, "div", x, y));

/** x · y, and 0 where y is 0, whatever x is; the gradient by y there is that of the product. */
export const multiplyNoNan: Meaning = (c) => {
  const { vm } = c;
  const [x, y] = [c.tensor("x"), c.tensor("y")];
  const isZero = elementwise(vm, "eq", y, float(0));
  const isEndless = truthFunction(vm, "not", truthFunction(vm, "isfinite", x));
  const product = elementwise(vm, "mul", x, y);
  return select(vm, logical(vm, "and", isZero, isEndless), float(0), product);
};

/** The share of entries that are 0. */
export const zeroFraction: Meaning = (c) => {
  const isZero = elementwise(c.vm, "eq", c.tensor("x"), { ...float(0), type: "int" });
  return reduction(c.vm, "mean", convert(c.vm, isZero, "float32"), null, false);
};

/** Coefficients, that of the highest power first. */
export const polynomial: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("x");
  const coefficients = c.tensors("coeffs");
  if (coefficients.length === 0) return elementwise(vm, "mul", x, int(0));
  return coefficients.reduce((sum, a) => elementwise(vm, "add", elementwise(vm, "mul", sum, x), a));
};

/** The quotient of whole numbers without its fraction. */
export const truncated: Meaning = (c) => {
  const { vm } = c;
  const [x, y] = [c.tensor("x"), c.tensor("y")];
  const size = elementwise(
    vm,
    "floordiv",
    keepingFunction(vm, "abs", x),
    keepingFunction(vm, "abs", y),
  );
  const sign = elementwise(
    vm,
    "mul",
    keepingFunction(vm, "sign", x),
    keepingFunction(vm, "sign", y),
  );
  return elementwise(vm, "mul", sign, size);
};

export const squaredDifference: Meaning = (c) => {
  const d = binaryOperation(c.vm, "-", operand(c, "x"), operand(c, "y"));
  return binaryOperation(c.vm, "*", d, d);
};

function operand(c: CallContext, name: string): Value {
  const v = c.value(name);
  return v.kind === "number" ? v : c.asOwn(v);
}

export const inverseRoot: Meaning = (c) =>
  elementwise(c.vm, "div", float(1), floatFunction(c.vm, "sqrt", c.tensor("x")));

/** alpha · x below zero, and at zero. */
export function leakyRelu(c: CallContext, x: TensorValue, slope: Value): Value {
  const isPositive = elementwise(c.vm, "gt", x, float(0));
  return select(c.vm, isPositive, x, elementwise(c.vm, "mul", slope, x));
}

/** alpha · (eˣ - 1) below zero. */
export function elu(c: CallContext, x: TensorValue, alpha: Value): Value {
  const isPositive = elementwise(c.vm, "gt", x, float(0));
  const below = floatFunction(c.vm, "expm1", select(c.vm, isPositive, float(0), x));
  const plain = alpha.kind === "number" && alpha.value === 1;
  return select(c.vm, isPositive, x, plain ? below : elementwise(c.vm, "mul", alpha, below));
}

/** Limited to [0, 6]; no gradient on the bounds. */
export function upTo6(c: CallContext, given: TensorValue): TensorValue {
  const x = keepingFunction(c.vm, "relu", given);
  const isInside = elementwise(c.vm, "lt", x, float(6));
  return select(c.vm, isInside, x, float(6));
}

export const relu6: Meaning = (c) => upTo6(c, c.tensor("x"));

export const l2Normalize: Meaning = (c) => {
  const x = c.tensor("x");
  const squares = elementwise(c.vm, "mul", x, x);
  const total = reduction(c.vm, "sum", squares, c.dims("dim"), true);
  const bounded = clampValue(c.vm, total, c.value("epsilon"), null);
  return elementwise(c.vm, "div", x, floatFunction(c.vm, "sqrt", bounded));
};

/** Limits below and above; numbers take the tensor's type. */
export function clip(c: CallContext, v: Value, low: Value | null, high: Value | null): Value {
  const x = c.asOwn(v);
  const bound = (b: Value | null): Value | null => (b === null ? null : beside(b, x));
  return clampValue(c.vm, x, bound(low), bound(high), c.library);
}

/** Made shorter where its norm is larger; the norm of zeros has no gradient. */
export const clipByNorm: Meaning = (c) => {
  const { vm } = c;
  const [x, most] = [c.tensor("t"), c.value("clip_norm")];
  const squares = reduction(vm, "sum", elementwise(vm, "mul", x, x), c.dims("axes"), true);
  const isPositive = elementwise(vm, "gt", squares, float(0));
  const root = floatFunction(vm, "sqrt", select(vm, isPositive, squares, float(1)));
  const length = select(vm, isPositive, root, squares);
  return elementwise(vm, "div", elementwise(vm, "mul", x, most), larger(c, "max", length, most));
};

/** The largest and smallest whole numbers of a type, to which what lies beyond is brought. */
export const saturated: Meaning = (c) => {
  const to = dtypeArgument(c)!;
  const x = c.tensor("x");
  const bits = /^(u?)int(8|16|32)$/.exec(to);
  if (bits === null) return convert(c.vm, x, to);
  const [, unsigned, width] = bits;
  const most = 2 ** (Number(width) - (unsigned === "u" ? 0 : 1)) - 1;
  const least = unsigned === "u" ? 0 : -most - 1;
  const type = x.expr.type === "float" ? "float" : "int";
  const bound = (n: number): Value => ({ ...float(n), type });
  return convert(c.vm, clampValue(c.vm, x, bound(least), bound(most), c.library), to);
};

/** The sum of a list of tensors. */
export const addAll: Meaning = (c) =>
  c
    .tensors("inputs")
    .reduce<TensorValue | null>(
      (a, x) => (a === null ? x : elementwise(c.vm, "add", a, x)),
      null,
    ) ?? c.bad("inputs", "a list with at least one tensor");

// Over axes

/** Sums of sizes and products of sizes stay sizes: `tf.reduce_prod(tf.shape(x)[1:])`. */
export const reduceSizes =
  (op: "sum" | "prod"): Meaning =>
  (c) => {
    const sizes = shapeEntries(c.value("x"));
    if (sizes === null || c.given("keepdim")) return m.reduceBy(op)(c);
    const start: Value = int(op === "sum" ? 0 : 1);
    return sizes.reduce<Value>(
      (a, b) => binaryOperation(c.vm, op === "sum" ? "+" : "*", a, b),
      start,
    );
  };

export function norm(c: CallContext): Value {
  return m.vectorNorm(c, c.tensor("x"), orderOf(c), c.dims("dim"), c.flag("keepdim"));
}

function orderOf(c: CallContext): number {
  const given = c.value("ord");
  if (given.kind === "none") return 2;
  if (given.kind !== "str") return c.number("ord");
  const isPlain = given.value === "euclidean" || given.value === "fro";
  return isPlain ? 2 : c.bad("ord", "a number or 'euclidean'");
}

/** Over its norm, and that norm. */
export const normalized: Meaning = (c) => {
  const x = c.tensor("x");
  const length = m.vectorNorm(c, x, orderOf(c), c.dims("dim"), true);
  return tuple([elementwise(c.vm, "div", x, length), length]);
};

/** Mean and variance, as tf.nn.moments gives them. */
export const moments: Meaning = (c) => {
  const axes = c.dims("axes");
  const keep = c.flag("keepdim");
  const x = c.tensor("x");
  return tuple([reduction(c.vm, "mean", x, axes, keep), variance(c.vm, x, axes, keep, 0)]);
};

export function softmax(c: CallContext, name: string, log: boolean): Value {
  const dims = c.dims("dim") ?? [-1];
  return softmaxOf(c.vm, c.tensor(name), dims[0]!, log);
}

export const position =
  (op: "argmax" | "argmin"): Meaning =>
  (c) => {
    const t = m.positionOf(op)(c);
    const to = dtypeArgument(c, "output_type");
    return to === undefined || t.kind !== "tensor" ? t : convert(c.vm, t, to);
  };

// Making and converting tensors

export function made(c: CallContext, name: string, copy = false): Value {
  const source = c.value(name);
  const dtype = dtypeArgument(c);
  const t = inLibrary(c.vm, asTensor(c.vm, source, c.library, dtype), c.library);
  const converted = dtype === undefined ? t : convert(c.vm, t, dtype);
  const shaped = c.given("shape") ? broadcastTo(c, converted) : converted;
  return copy && shaped === source ? copyOf(c.vm, shaped) : shaped;
}

/** `tf.constant(0.5, shape=(2, 3))`. */
function broadcastTo(c: CallContext, t: TensorValue): TensorValue {
  const sizes = sizesOf(c, "shape");
  const count = elementCount(t.expr.shape);
  return count === 1 ? expandTo(c.vm, t, sizes) : reshapeTo(c.vm, t, sizes);
}

export function cast(c: CallContext): Value {
  const to = dtypeArgument(c)!;
  const v = c.value("x");
  if (v.kind !== "tensor") return asTensor(c.vm, v, c.library, to);
  return convert(c.vm, c.asOwn(v), to);
}

export function constantOf(
  c: CallContext,
  value: NumberValue,
  shape = "shape",
  usual = defaultDType(value.type, c.library),
): Value {
  const dtype = dtypeArgument(c) ?? usual;
  return filled(c.vm, value, shapeFrom(c.vm, sizesOf(c, shape)), c.library, dtype);
}

export function constantLike(c: CallContext, value: number): Value {
  const x = c.tensor("x");
  const dtype = dtypeArgument(c) ?? x.dtype ?? defaultFloat(c.library);
  return filled(c.vm, float(value), x.expr.shape, c.library, dtype);
}

export function fill(c: CallContext, shape: string, value: string): Value {
  const v = c.value(value);
  if (v.kind === "number") return constantOf(c, v, shape);
  return expandTo(c.vm, c.asOwn(v), sizesOf(c, shape));
}

export function identity(c: CallContext, size: string): Value {
  return identityMatrix(c, c.value(size), dtypeArgument(c) ?? defaultFloat(c.library));
}

export function cut(c: CallContext, v: Value): Value {
  if (v.kind === "list" || v.kind === "tuple") {
    return { ...v, items: v.items.map((x) => cut(c, x)) };
  }
  const name = c.name.replace(/^tensorflow\./, "tf.");
  return v.kind === "tensor" ? withoutGradient(c.vm, c.asOwn(v), `${name}()`) : v;
}
