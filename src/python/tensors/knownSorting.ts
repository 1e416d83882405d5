/**
 * Sorting, and sums up to a position, of arrays too large for a formula of comparisons: the values
 * at hand say what comes before what.
 */
import { fitsShape, sizesOf } from "../../expression/axis.ts";
import { type DType, type Library, defaultDType } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { Selection, TensorValue } from "../values.ts";
import { entriesIfKnown, knownEntries } from "./knownEntries.ts";
import {
  type Ordered,
  fixedTensor,
  held,
  inTheirOrder,
  isOrdered,
  joined,
  placeIn,
  rowsOf,
} from "./ordered.ts";
import { pickedFrom, sameMask } from "./picked.ts";
import { nodeOf, tensor } from "./tensor.ts";

export interface Sorted {
  readonly values: TensorValue;
  readonly indices: TensorValue;
}

/**
 * The entries sorted along an axis on the arrays at hand, equal ones in the order in which they lie.
 * NaN counts as the largest, as in PyTorch and NumPy.
 * @returns null where the arrays are not at hand
 */
export function sortKnown(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  descending: boolean,
  what: string,
): Sorted | null {
  const s = inTheirOrder(vm, x, dim);
  const { all } = s;
  const decided = `the order in which ${what} puts entries`;
  const entries = entriesIfKnown(vm, all.expr, decided);
  if (entries === null) return null;
  const compare = comparing(entries.data, descending);
  const rows = rowsOf(s.order).map((row) => row.slice().sort(compare));
  const ties = tiesIn(entries.data, rows);
  const tied = ties === null ? {} : { ties };
  vm.recorder.fix({ what: decided, of: all.expr, constant: null, span: vm.at, ...tied });
  const order = vm.arrays.orders.of(joined(rows), s.order.count, s.order.along);
  const by = (whole: TensorValue): TensorValue => pickedFrom(vm, { ...s, all: whole, order });
  return {
    values: by(tensor(vm, all.expr, x.library, x.dtype)),
    indices: by(places(vm, s, x.selection, x.library)),
  };
}

/** For each entry the number of the equal ones it is among, 0 where it is alone; null where all are. */
function tiesIn(entries: ArrayLike<number>, rows: readonly Int32Array[]): Int32Array | null {
  let groups: Int32Array | null = null;
  let count = 0;
  for (const row of rows) {
    for (let k = 1; k < row.length; k++) {
      const [before, own] = [row[k - 1]!, row[k]!];
      if (entries[before] !== entries[own]) continue;
      groups ??= new Int32Array(entries.length);
      groups[before] ||= ++count;
      groups[own] = groups[before]!;
    }
  }
  return groups;
}

function comparing(
  entries: ArrayLike<number>,
  descending: boolean,
): (p: number, q: number) => number {
  const sign = descending ? -1 : 1;
  return (p, q) => {
    const [a, b] = [entries[p]!, entries[q]!];
    if (a < b) return -sign;
    if (a > b) return sign;
    return a === b ? 0 : sign * (Number(Number.isNaN(a)) - Number(Number.isNaN(b)));
  };
}

/** For each entry its number among those that are sorted. */
function places(
  vm: Interpreter,
  s: Ordered,
  from: Selection | null,
  library: Library,
): TensorValue {
  const sizes = sizesOf(s.mask.shape);
  const numbers = new Array<number>(sizes.reduce((n, size) => n * size, 1)).fill(0);
  for (const row of rowsOf(s.order)) row.forEach((p, k) => (numbers[p] = k));
  const dtype = defaultDType("int", library);
  const made = held(vm, { numbers, sizes, name: "place", stored: dtype, shape: s.mask.shape });
  const t = tensor(vm, made.expr, library, dtype);
  // Places among sorted entries are no places in an array.
  if ((from?.order ?? null) === null) {
    vm.arrays.places.set(vm.recorder.spelledOut(t.expr), { among: from?.mask ?? null });
  }
  return t;
}

/**
 * Entries of x at the places that sorting found, in that order; null for other positions.
 * @param isGather the key has rows of places for rows of x, as gather takes them; else it is a
 * subscript of one axis
 */
export function takePlaces(
  vm: Interpreter,
  x: TensorValue,
  key: TensorValue,
  dim: number,
  isGather: boolean,
): TensorValue | null {
  const k = key.selection;
  if (k === null || !isOrdered(k) || nodeOf(key).type !== "int") return null;
  const found = vm.arrays.places.get(vm.recorder.spelledOut(k.all.expr));
  if (found === undefined) return null;
  // What happens to x later does not reach the result.
  const copied = (t: TensorValue): TensorValue => tensor(vm, t.expr, t.library, t.dtype);
  const s = x.selection;
  const isRows = k.order.along !== null;
  if (found.among !== null && s !== null && !isRows) {
    const isSame = s.order === null && dim === s.at && sameMask(vm, s.mask, found.among);
    if (isSame) return pickedFrom(vm, { ...s, all: copied(s.all), mask: k.mask, order: k.order });
  }
  if (found.among === null && s === null && (isGather || !isRows)) {
    const covered = isRows ? x.expr.shape : x.expr.shape.slice(dim, dim + k.mask.shape.length);
    const isAlong = !isRows || dim === k.order.along;
    if (isAlong && fitsShape(covered, k.mask.shape)) {
      return pickedFrom(vm, { ...k, at: isRows ? 0 : dim, all: copied(x) });
    }
  }
  // They are looked up one by one, like any positions.
  return null;
}

export interface FixedSumOptions {
  readonly exclusive: boolean;
  readonly reverse: boolean;
  readonly dtype: DType | null;
}

/** Sums up to each entry of sorted or picked ones, or from each on, as constants. */
export function fixedRunningSum(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  { exclusive, reverse, dtype }: FixedSumOptions,
): TensorValue {
  const { expr } = pickedFrom(vm, inTheirOrder(vm, x, dim));
  const what = "sums up to each of sorted or picked entries";
  const { data } = knownEntries(vm, expr, what);
  const count = expr.shape[dim]!.size!;
  const place = placeIn(sizesOf(expr.shape), dim, count);
  const numbers = new Array<number>(data.length);
  let total = 0;
  for (let k = 0; k < data.length; k++) {
    const p = place(reverse ? data.length - 1 - k : k);
    const before = k % count === 0 ? 0 : total;
    total = before + data[p]!;
    numbers[p] = exclusive ? before : total;
  }
  const { library } = x;
  return fixedTensor(vm, { numbers, shape: expr.shape, library, dtype, of: expr, what });
}
