/** TensorFlow: products over axes, changes of shape, and taking tensors apart and together. */
import { type DType } from "../dtypes.ts";
import { isNumber } from "../interpreter/numbers.ts";
import { einsum, matmul } from "../tensors/contraction.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { asBoolean } from "../tensors/elementwise.ts";
import { indexTensor, takeAlong } from "../tensors/indexing.ts";
import { pick, rowsOf } from "../tensors/picked.ts";
import {
  addAxis,
  dropAxes,
  expandTo,
  permuteAxes,
  reshapeTo,
  swapAxes,
} from "../tensors/reshape.ts";
import { requireClassNumbers } from "../tensors/strictTypes.ts";
import {
  asTensor,
  castTo,
  itemsOf,
  rankOf,
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
} from "../values.ts";
import * as m from "./common.ts";
import { oneHotOf } from "./creation.ts";
import { evenly, knownSize, pieces } from "./pieces.ts";
import type { CallContext, Meaning } from "./signature.ts";

/** The entries of a shape as tf.shape() gives it, of which some are sizes of axes. */
export function shapeEntries(v: Value): readonly NumberValue[] | null {
  if (v.kind !== "tuple" && v.kind !== "list") return null;
  const items: readonly Value[] = v.items;
  const numbers = items.filter(isNumber);
  const whole = numbers.length === items.length && numbers.every((n) => n.type === "int");
  return whole && numbers.some((n) => n.axes !== null || n.value === -1) ? numbers : null;
}

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

/** A matrix times a vector, or each of many times one of as many. */
export function matrixTimesVector(c: CallContext): Value {
  const a = c.tensor("a");
  const matrix = c.flag("transpose_a") ? swapAxes(c.vm, a, -1, -2) : a;
  const column = addAxis(c.vm, c.tensor("b"), -1);
  return dropAxes(c.vm, matmul(c.vm, matrix, column, c.library), [-1]);
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
export function ofFirstType(c: CallContext, items: readonly Value[]): TensorValue[] {
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
  pick(c.vm, c.tensor("tensor"), asBoolean(c.expr("mask")), c.given("axis") ? c.int("axis") : 0);

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
  const given = c.tensor(name);
  const dim = c.dims("dim")?.[0] ?? -1;
  const isLast = dim === -1 || dim === rankOf(given);
  const rows = isLast ? rowsOf(c.vm, [given], []) : null;
  if (rows === null) return oneHotIn(c, given, dim, depth, dtype);
  return rows.picked(oneHotIn(c, rows.all[0]!, -1, depth, dtype));
}

function oneHotIn(
  c: CallContext,
  x: TensorValue,
  dim: number,
  depth: string,
  dtype: DType,
): TensorValue {
  requireClassNumbers(c.vm, c.name, x);
  const rank = x.expr.shape.length + 1;
  const e = oneHotOf(c, x, c.value(depth), dim < 0 ? dim + rank : dim);
  const hot = tensor(c.vm, castTo(e, "int64", dtype), c.library, dtype);
  const [on, off] = [c.optional("on_value"), c.optional("off_value")];
  if (on === null && off === null) return hot;
  return select(c.vm, elementwise(c.vm, "gt", hot, int(0)), on ?? float(1), off ?? float(0));
}
