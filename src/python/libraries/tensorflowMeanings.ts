/** What the functions of tensorflow.ts do that are more than one line. */
import { elementCount } from "../../expression/axis.ts";
import { type DType, defaultDType, defaultFloat } from "../dtypes.ts";
import { call, isCallable } from "../interpreter/calls.ts";
import { iterate } from "../interpreter/iterate.ts";
import { isNumber } from "../interpreter/numbers.ts";
import { binaryOperation } from "../interpreter/operators.ts";
import { truth } from "../interpreter/truth.ts";
import { einsum, matmul } from "../tensors/contraction.ts";
import {
  clampValue,
  elementwise,
  floatFunction,
  keepingFunction,
  select,
} from "../tensors/elementwise.ts";
import { indexTensor, takeAlong } from "../tensors/indexing.ts";
import { reduction, softmaxOf } from "../tensors/reduce.ts";
import {
  addAxis,
  expandTo,
  permuteAxes,
  reshapeTo,
  shapeFrom,
  swapAxes,
} from "../tensors/reshape.ts";
import { requireClassNumbers } from "../tensors/strictTypes.ts";
import {
  asTensor,
  castTo,
  filled,
  itemsOf,
  sizeNumber,
  stackTensors,
  tensor,
} from "../tensors/tensor.ts";
import {
  NONE,
  type NumberValue,
  type TensorValue,
  type Value,
  float,
  int,
  tuple,
  typeName,
} from "../values.ts";
import * as m from "./common.ts";
import { convert, copyOf, inLibrary, withoutGradient } from "./convert.ts";
import { identityMatrix, oneHotOf } from "./creation.ts";
import { readDType } from "./dtypeNames.ts";
import { evenly, knownSize, pieces } from "./pieces.ts";
import type { CallContext, Meaning } from "./signature.ts";

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
export const relu6: Meaning = (c) => {
  const x = keepingFunction(c.vm, "relu", c.tensor("x"));
  const isInside = elementwise(c.vm, "lt", x, float(6));
  return select(c.vm, isInside, x, float(6));
};

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

/** The entries of a shape as tf.shape() gives it, of which some are sizes of axes. */
function shapeEntries(v: Value): readonly NumberValue[] | null {
  if (v.kind !== "tuple" && v.kind !== "list") return null;
  const items: readonly Value[] = v.items;
  const numbers = items.filter(isNumber);
  const whole = numbers.length === items.length && numbers.every((n) => n.type === "int");
  return whole && numbers.some((n) => n.axes !== null || n.value === -1) ? numbers : null;
}

export function norm(c: CallContext): Value {
  const given = c.value("ord");
  const order =
    given.kind === "str" || given.kind === "none"
      ? given.kind === "none" || given.value === "euclidean" || given.value === "fro"
        ? 2
        : c.bad("ord", "a number or 'euclidean'")
      : c.number("ord");
  return m.vectorNorm(c, c.tensor("x"), order, c.dims("dim"), c.flag("keepdim"));
}

/** Mean and variance, as tf.nn.moments gives them. */
export const moments: Meaning = (c) => {
  const axes = c.dims("axes");
  const keep = c.flag("keepdim");
  const x = c.tensor("x");
  const mean = reduction(c.vm, "mean", x, axes, true);
  const d = elementwise(c.vm, "sub", x, mean);
  const spread = reduction(c.vm, "mean", elementwise(c.vm, "mul", d, d), axes, keep);
  return tuple([reduction(c.vm, "mean", x, axes, keep), spread]);
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

// Products

export function matrixProduct(c: CallContext): Value {
  const transposed = (t: TensorValue, flag: string): TensorValue =>
    c.flag(flag) ? swapAxes(c.vm, t, -1, -2) : t;
  const [a, b] = [c.tensor("a"), c.tensor("b")];
  if (a.expr.shape.length < 2 || b.expr.shape.length < 2) {
    return c.vm.fail(
      "InvalidArgumentError",
      "tf.matmul takes matrices: an operand has fewer than 2 axes",
      "Use tf.tensordot(a, b, 1), or sum the product: tf.reduce_sum(a * b).",
    );
  }
  return matmul(c.vm, transposed(a, "transpose_a"), transposed(b, "transpose_b"), c.library);
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Sums over the axes that are named, or over the last n of one and the first n of the other. */
export function tensordot(c: CallContext, given: Value): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const [m, n] = [a.expr.shape.length, b.expr.shape.length];
  const pairs = contracted(c, given, m, n);
  const left = LETTERS.slice(0, m).split("");
  const right = LETTERS.slice(m, m + n).split("");
  for (const [p, q] of pairs) right[q] = left[p]!;
  const summed = new Set(pairs.map(([p]) => left[p]!));
  const out = [...left, ...right].filter((l) => !summed.has(l)).join("");
  return einsum(c.vm, `${left.join("")},${right.join("")}->${out}`, [a, b], c.library);
}

function contracted(
  c: CallContext,
  axes: Value,
  m: number,
  n: number,
): (readonly [number, number])[] {
  const at = (v: Value, rank: number): number[] =>
    (itemsOf(v) ?? [v]).map((x) => {
      if (x.kind !== "number" || x.value === null) return c.bad("axes", "integers");
      return x.value < 0 ? x.value + rank : x.value;
    });
  const items = itemsOf(axes);
  if (items === null) {
    const count = axes.kind === "number" ? axes.value : null;
    if (count === null) return c.bad("axes", "an integer or two lists");
    return Array.from({ length: count }, (_, k) => [m - count + k, k] as const);
  }
  const [left, right] = [at(items[0] ?? NONE, m), at(items[1] ?? NONE, n)];
  return left.map((p, k) => [p, right[k]!] as const);
}

// Shapes

/** The entries of a shape argument; tensors of one entry among them are sizes that are known. */
export function sizesOf(c: CallContext, name: string): readonly Value[] {
  const v = c.value(name);
  const items = itemsOf(v) ?? (v.kind === "tensor" ? c.dims(name)!.map(int) : [v]);
  return items.map((x) => {
    if (x.kind !== "tensor" || x.expr.shape.length > 0) return x;
    const value = c.vm.evaluate(x.expr)?.data[0];
    return value === undefined ? c.vm.unsupported("this size is not known here") : int(value);
  });
}

export const reshape =
  (name: string): Meaning =>
  (c) =>
    reshapeTo(c.vm, c.tensor("x"), sizesOf(c, name));

/** As a shape: a tuple with the tensor's methods for one. */
export function tensorShape(t: TensorValue): Value {
  return { kind: "tuple", items: t.expr.shape.map(sizeNumber), typeName: "TensorShape" };
}

export const transpose =
  (name: string): Meaning =>
  (c) => {
    const x = c.tensor("x");
    const reversed = x.expr.shape.map((_, d) => x.expr.shape.length - 1 - d);
    return permuteAxes(c.vm, x, c.dims(name) ?? reversed);
  };

/** Shapes are joined as shapes: `tf.concat([tf.shape(x)[:1], [-1]], 0)`. */
export const concat =
  (name: string): Meaning =>
  (c) => {
    const items = c.list(name);
    if (items.every((v) => v.kind === "tuple" || v.kind === "list")) {
      const entries = items.flatMap((v) => itemsOf(v) ?? []);
      if (shapeEntries(tuple(entries)) !== null) return tuple(entries);
    }
    return m.joined(c, ofFirstType(c, items), c.dims("dim")?.[0] ?? 0);
  };

export const stack =
  (name: string): Meaning =>
  (c) => {
    const items = c.list(name);
    if (shapeEntries(tuple(items)) !== null) return tuple(items);
    return stackTensors(c.vm, ofFirstType(c, items), c.dims("dim")?.[0] ?? 0, c.library);
  };

/** Numbers beside tensors take the tensors' type: `tf.stack([x, 1.0])`. */
function ofFirstType(c: CallContext, items: readonly Value[]): TensorValue[] {
  const first = items.find((v): v is TensorValue => v.kind === "tensor");
  const dtype = first?.dtype ?? undefined;
  return items.map((v) => (v.kind === "tensor" ? c.asOwn(v) : asTensor(c.vm, v, c.library, dtype)));
}

/** Into n equal parts, or parts of given sizes. */
export function split(c: CallContext, name: string): Value {
  const x = c.tensor("x");
  const dim = c.dims("dim")?.[0] ?? 0;
  const size = knownSize(c, x, dim);
  const given = c.value(name);
  if (given.kind !== "number") {
    const sizes = c.dims(name)!;
    const rest = size - sizes.reduce((a, b) => a + Math.max(b, 0), 0);
    return pieces(
      c,
      x,
      dim,
      sizes.map((n) => (n < 0 ? rest : n)),
    );
  }
  const parts = c.int(name);
  if (size % parts !== 0) {
    c.vm.fail("InvalidArgumentError", `${c.name}(): ${size} entries cannot be split in ${parts}`);
  }
  return pieces(c, x, dim, evenly(size, size / parts));
}

/** Between positions along an axis, as np.split cuts. */
export function splitAtPositions(c: CallContext, positions: readonly number[]): Value {
  const x = c.tensor("x");
  const dim = c.dims("dim")?.[0] ?? 0;
  const ends = [...positions, knownSize(c, x, dim)];
  return pieces(
    c,
    x,
    dim,
    ends.map((end, k) => end - (k === 0 ? 0 : ends[k - 1]!)),
  );
}

/** `tf.slice(x, begin, size)`; a size of -1 is what remains. */
export function slice(c: CallContext): Value {
  const [begin, size] = [c.dims("begin")!, c.dims("size")!];
  const ranges = begin.map((from, d): Value => {
    const count = size[d]!;
    const stop = count < 0 ? NONE : int(from + count);
    return { kind: "slice", start: int(from), stop, step: NONE };
  });
  return indexTensor(c.vm, c.tensor("input_"), tuple(ranges));
}

export const booleanMask: Meaning = (c) =>
  c.vm.unsupported(
    `${c.name}() makes a tensor whose size depends on its values`,
    "Multiply by the mask before summing: tf.reduce_sum(x * mask) / tf.reduce_sum(mask).",
  );

/** Repeats along each axis; along axes of size 1 that is broadcasting. */
export function tile(c: CallContext, name: string): Value {
  return tileBy(c, sizesOf(c, name));
}

export function tileBy(c: CallContext, given: readonly Value[]): Value {
  let x = c.tensor("x");
  while (x.expr.shape.length < given.length) x = addAxis(c.vm, x, 0);
  const offset = x.expr.shape.length - given.length;
  for (const [k, v] of given.entries()) {
    const d = k + offset;
    const times = v.kind === "number" ? v : c.vm.fail("TypeError", `${c.name}() takes integers`);
    if (times.value === 1) continue;
    if (x.expr.shape[d]!.size === 1) {
      x = expandTo(
        c.vm,
        x,
        x.expr.shape.map((_, j) => (j === d ? times : int(-1))),
      );
      continue;
    }
    if (times.value === null) return c.vm.unsupported(`${c.name}(): how often is not known here`);
    const copies = Array.from({ length: times.value }, () => x);
    x = m.joined(c, copies, d);
  }
  return x;
}

/** Entries of one axis by their positions: one, several, or a table's by an array of classes. */
export function gather(c: CallContext, x: TensorValue, indices: Value, dim: number): Value {
  const key = indices.kind === "tensor" ? c.asOwn(indices) : indices;
  if (key.kind === "tensor") requireClassNumbers(c.vm, c.name, key);
  return takeAlong(c.vm, x, key, dim < 0 ? dim + x.expr.shape.length : dim);
}

export function oneHot(c: CallContext, depth: string, dtype: DType, name = "indices"): Value {
  const x = c.tensor(name);
  requireClassNumbers(c.vm, c.name, x);
  const dim = c.dims("dim")?.[0] ?? -1;
  const rank = x.expr.shape.length + 1;
  const e = oneHotOf(c, x, c.value(depth), dim < 0 ? dim + rank : dim);
  const hot = tensor(c.vm, castTo(e, "int64", dtype), c.library, dtype);
  const [on, off] = [c.optional("on_value"), c.optional("off_value")];
  if (on === null && off === null) return hot;
  return select(c.vm, elementwise(c.vm, "gt", hot, int(0)), on ?? float(1), off ?? float(0));
}

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
  return v.kind === "tensor" ? withoutGradient(c.vm, c.asOwn(v), `${c.name}()`) : v;
}

// Control flow

/** Both branches as one formula where the condition depends on values; else the branch taken. */
export function conditional(c: CallContext, condition: Value, yes: Value, no: Value): Value {
  const { vm } = c;
  const run = (v: Value): Value => (isCallable(v) ? call(vm, v, []) : v);
  if (condition.kind !== "tensor") return run(truth(vm, condition) ? yes : no);
  const [a, b] = [run(yes), run(no)];
  const fits = (v: Value): boolean => v.kind === "tensor" || v.kind === "number";
  if (!fits(a) || !fits(b)) {
    return vm.unsupported(
      `${c.name}() whose branches give ${typeName(a)} and ${typeName(b)} is not supported`,
      "Let both branches return one tensor.",
    );
  }
  return select(vm, condition, a, b, c.library);
}

/** The function applied to each entry along the first axis, whose size must be known. */
export function mapped(c: CallContext): Value {
  const { vm } = c;
  const elems = c.value("elems");
  const fn = c.value("fn");
  const rows =
    elems.kind === "tuple" || elems.kind === "list"
      ? zipped(elems.items.map((v) => [...iterate(vm, c.asOwn(v))]))
      : [...iterate(vm, c.asOwn(elems))];
  const results = rows.map((row) => call(vm, fn, [row]));
  if (!results.every((v) => v.kind === "tensor" || v.kind === "number")) {
    return vm.unsupported(`${c.name}() of a function that returns more than one tensor`);
  }
  return stackTensors(vm, ofFirstType(c, results), 0, c.library);
}

function zipped(columns: readonly (readonly Value[])[]): Value[] {
  const n = Math.min(...columns.map((x) => x.length));
  return Array.from({ length: n }, (_, k) => tuple(columns.map((x) => x[k]!)));
}
