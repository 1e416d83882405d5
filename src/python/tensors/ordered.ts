/**
 * Entries in an order that values decide: what sorting leaves of arrays too large for a formula of
 * comparisons. Like entries that a mask picks, they stay where they lie: what works entry by entry
 * works on all of them, and a sum over them is a sum over the array. Only what looks at their order
 * is given them in it, as constants.
 */
import { type Shape, elementCount, flattenAxes, isUnit, sizesOf } from "../../expression/axis.ts";
import { constant, expand, index, reduce, reshape, where } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type DType, type Library, defaultDType, scalarType } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { Order, Selection, TensorValue, Value } from "../values.ts";
import { gatherAlong, selectPositions, summedPositions } from "./gather.ts";
import { knownEntries } from "./knownEntries.ts";
import {
  alongside,
  asWhole,
  filledWith,
  isAll,
  pickedFrom,
  rankAlone,
  sameSelection,
} from "./picked.ts";
import { flattenRange } from "./reshape.ts";
import { axisOfSize, literalArray, pickedAxes, tensor, viewOf } from "./tensor.ts";

/** Up to so many entries, each from its place, are an array of their own. */
const FEW = 16;

export type Ordered = Selection & { readonly order: Order };

export function isOrdered(s: Selection): s is Ordered {
  return s.order !== null;
}

/** An array, or what a mask picks of it, as entries in the order in which they lie along an axis. */
export function inTheirOrder(vm: Interpreter, x: TensorValue, dim: number): Ordered {
  const s = x.selection;
  if (s !== null) {
    const axes = pickedAxes(s);
    if (dim !== axes.at || !rankAlone(s)) {
      vm.unsupported(
        "sorting entries that a mask picks along another axis than theirs",
        "Sort the whole array, or pick from an array of one axis.",
      );
    }
    return {
      ...s,
      order: s.order ?? orderWithin(vm, asTheyLie(vm, sizesOf(s.mask.shape), null), s.mask),
    };
  }
  const { shape } = x.expr;
  const mask = vm.shaped(() => expand(constant(1, "bool"), shape));
  const along = shape.length === 1 ? null : dim;
  return { mask, at: 0, all: x, order: asTheyLie(vm, sizesOf(shape), along) };
}

/** Entries, or rows of them along an axis, in row-major order. */
function asTheyLie(vm: Interpreter, sizes: readonly number[], along: number | null): Order {
  const total = sizes.reduce((n, s) => n * s, 1);
  const count = along === null ? total : sizes[along]!;
  const place = placeIn(sizes, along, count);
  return vm.arrays.orders.of(
    Int32Array.from({ length: total }, (_, k) => place(k)),
    count,
    along,
  );
}

/**
 * Where the k-th of all entries, taken row after row, is in row-major order, if the axis of the rows
 * has `count` of them.
 */
export function placeIn(
  sizes: readonly number[],
  along: number | null,
  count: number,
): (k: number) => number {
  const inner = along === null ? 1 : sizes.slice(along + 1).reduce((n, s) => n * s, 1);
  if (inner === 1) return (k) => k;
  return (k) => {
    const row = Math.floor(k / count);
    return (Math.floor(row / inner) * count + (k % count)) * inner + (row % inner);
  };
}

export function rowsOf({ positions, count }: Order): Int32Array[] {
  const rows = count === 0 ? 0 : positions.length / count;
  return Array.from({ length: rows }, (_, r) => positions.subarray(r * count, (r + 1) * count));
}

export function joined(rows: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(rows.reduce((n, row) => n + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}

/** The same order of those entries alone that a mask picks; rows become one. */
export function orderWithin(vm: Interpreter, order: Order, mask: Expr): Order {
  const { data } = knownEntries(vm, mask, "which entries a boolean array picks");
  const held = order.positions.filter((p) => data[p] !== 0);
  return vm.arrays.orders.of(held, held.length, null);
}

interface Literal {
  readonly numbers: readonly number[];
  readonly sizes: readonly number[];
  readonly name: string;
  readonly stored: DType;
  /** Axes of those sizes. */
  readonly shape: Shape;
}

/** An array of known numbers on given axes, and the node that holds it. */
export function held(vm: Interpreter, l: Literal): { readonly expr: Expr; readonly node: Expr } {
  const { arrays } = vm;
  const { hint } = arrays;
  arrays.hint = l.name;
  try {
    const node = literalArray(vm, l.numbers, l.sizes, l.stored, "numpy").expr;
    return { expr: vm.shaped(() => reshape(node, l.shape)), node };
  } finally {
    arrays.hint = hint;
  }
}

/** Those of the entries of each row, in the order given; several more than a few stay where they lie. */
export function selectRanks(vm: Interpreter, s: Ordered, ranks: readonly number[]): TensorValue {
  const { count, along } = s.order;
  const at = ranks.map((r) => (r < 0 ? r + count : r));
  const rows = rowsOf(s.order).map((row) => Int32Array.from(at, (k) => row[k]!));
  const order = vm.arrays.orders.of(joined(rows), at.length, along);
  const mask = at.length === count ? s.mask : maskOf(vm, order, s.mask.shape);
  const cut = pickedFrom(vm, { ...s, mask, order });
  // Places stay places, that they may pick.
  const most = isPlaces(vm, s.all.expr) ? 1 : FEW;
  if (along === null) return at.length <= most ? asWhole(vm, cut) : cut;
  if (at.length !== 1) return cut;
  const { at: dim } = pickedAxes(s);
  const { all } = s;
  const filled = filledWith(vm, { ...s, mask }, constant(0, all.expr.type));
  const only = vm.shaped(() => reduce("sum", filled, [dim], true));
  return tensor(vm, only, all.library, all.dtype);
}

/** One of the rows that lie along the last of two axes. */
export function rowOf(vm: Interpreter, s: Ordered, row: number): TensorValue {
  const rows = rowsOf(s.order);
  const at = row < 0 ? row + rows.length : row;
  const own =
    rows[at] ??
    vm.fail("IndexError", `index ${row} is out of bounds for an axis with size ${rows.length}`);
  const n = s.mask.shape[1]!.size!;
  const { expr, library, dtype } = s.all;
  return pickedFrom(vm, {
    mask: vm.shaped(() => index(s.mask, 0, at)),
    at: 0,
    all: tensor(
      vm,
      vm.shaped(() => index(expr, 0, at)),
      library,
      dtype,
    ),
    order: vm.arrays.orders.of(
      own.map((p) => p - at * n),
      own.length,
      null,
    ),
  });
}

/** Which entries an order has. */
function maskOf(vm: Interpreter, order: Order, shape: Shape): Expr {
  const sizes = sizesOf(shape);
  const known = vm.arrays.orders.masks.get(order);
  if (known !== undefined) return vm.shaped(() => reshape(known, shape));
  const numbers = new Array<number>(sizes.reduce((n, s) => n * s, 1)).fill(0);
  for (const p of order.positions) numbers[p] = 1;
  const { expr, node } = held(vm, { numbers, sizes, name: "chosen", stored: "bool", shape });
  vm.arrays.orders.masks.set(order, node);
  return expr;
}

/**
 * Sorted entries as an array in their order: a few from their places, more as constants, or looked
 * up place by place where gradient has to flow.
 */
export function inOrder(vm: Interpreter, s: Selection, order: Order): Expr {
  const { all, at } = s;
  if (order.along === null && order.positions.length <= FEW && !isPlaces(vm, all.expr)) {
    const flat = flattenRange(vm, all, at, at + s.mask.shape.length - 1);
    return selectPositions(vm, flat, at, Array.from(order.positions)).expr;
  }
  const what = "entries in the order of a sorted array";
  if (isLookedUp(vm, all, s, order)) return lookedUp(vm, s, order);
  if (!rankAlone(s)) {
    return vm.unsupported(
      `${what}, beside further axes, can be summed and worked on entry by entry, and this is something else`,
      "Sort arrays of one axis, or work on each of the others in turn.",
    );
  }
  const { data } = knownEntries(vm, all.expr, what);
  const shape = orderedShape(vm, s, order);
  const place = placeIn(sizesOf(shape), order.along, order.count);
  const numbers = new Array<number>(order.positions.length);
  order.positions.forEach((p, k) => (numbers[place(k)] = data[p]!));
  const { library, dtype } = all;
  return fixedTensor(vm, { numbers, shape, library, dtype, of: all.expr, what }).expr;
}

/** Whether sums over sorted or picked entries in their order let gradient flow to them. */
export function flowsInOrder(vm: Interpreter, x: TensorValue): boolean {
  const s = x.selection;
  return s?.all.expr.type === "float" && vm.purpose.ordering === "flowing";
}

/**
 * Whether entries are looked up in `of`, be it sorted or about to be put into an order: where
 * gradient is to flow, or where each entry is a row of an array, which has no constants.
 */
function isLookedUp(vm: Interpreter, of: TensorValue, s: Selection, { along }: Order): boolean {
  if (!rankAlone(s)) return along === null;
  const flows = vm.purpose.ordering === "flowing" && of.expr.type === "float";
  return flows && !isPlaces(vm, of.expr);
}

/** Sorted entries as an array in their order, each a sum over all. */
function lookedUp(vm: Interpreter, s: Selection, order: Order): Expr {
  const { all, at, mask } = s;
  const { along, positions } = order;
  const shape = orderedShape(vm, s, order);
  if (along === null) {
    const flat = flattenRange(vm, all, at, at + mask.shape.length - 1);
    const places = positionsOf(vm, Array.from(positions), "place", [shape[at]!]);
    return summedPositions(vm, flat, at, places).expr;
  }
  const place = placeIn(sizesOf(shape), along, order.count);
  const coordinate = coordinateAlong(sizesOf(mask.shape), along);
  const numbers = new Array<number>(positions.length);
  positions.forEach((p, k) => (numbers[place(k)] = coordinate(p)));
  return gatherAlong(vm, all, along, positionsOf(vm, numbers, "place", shape)).expr;
}

/** Where along an axis the p-th of all entries is, in row-major order. */
function coordinateAlong(sizes: readonly number[], along: number): (p: number) => number {
  const inner = sizes.slice(along + 1).reduce((n, size) => n * size, 1);
  return (p) => Math.floor(p / inner) % sizes[along]!;
}

/** Positions in an array. */
function positionsOf(
  vm: Interpreter,
  numbers: readonly number[],
  name: string,
  shape: Shape,
): TensorValue {
  const made = held(vm, { numbers, sizes: sizesOf(shape), name, stored: "int64", shape });
  return tensor(vm, made.expr, "numpy", "int64");
}

/** Whether these are the numbers of entries, which the program makes. */
function isPlaces(vm: Interpreter, e: Expr): boolean {
  return vm.arrays.places.has(vm.recorder.spelledOut(e));
}

/** The axes of sorted entries as an array of their own. */
function orderedShape(vm: Interpreter, s: Selection, { along, count }: Order): Shape {
  const { shape } = s.all.expr;
  const own = axisOfSize(vm, count, shape);
  const span = along === null ? s.mask.shape.length : 1;
  return shape.toSpliced(s.at + (along ?? 0), span, own);
}

interface FixedArray {
  readonly numbers: readonly number[];
  readonly shape: Shape;
  readonly library: Library;
  readonly dtype: DType | null;
  /** What they were computed from, and what they are, in words. */
  readonly of: Expr;
  readonly what: string;
}

/** Numbers that were computed from others, as constants: no gradient flows to those any more. */
export function fixedTensor(
  vm: Interpreter,
  { numbers, shape, library, dtype, of, what }: FixedArray,
): TensorValue {
  const own = dtype ?? defaultDType(of.type, library);
  // Outside a run in a number type, what stands for real numbers is not rounded.
  const isReal = scalarType(own) === "float";
  const stored = isReal && vm.recorder.tape === null ? "float64" : own;
  const name = vm.recorder.labels.get(of) ?? vm.arrays.hint;
  const made = held(vm, { numbers, sizes: sizesOf(shape), name, stored, shape });
  vm.recorder.fix({ what, of, constant: made.node, span: vm.at });
  return tensor(vm, made.expr, library, dtype);
}

/**
 * Entry by entry where sorted entries are among the operands. What comes in another order, or as an
 * array of its own, is put in the places of the first one's entries, as constants.
 */
export function entrywiseInOrder(
  vm: Interpreter,
  operands: readonly Value[],
  make: (operands: readonly Value[]) => TensorValue,
): TensorValue {
  const sorted = operands.flatMap((v) => (v.kind === "tensor" ? (v.selection ?? []) : []));
  const basis = sorted.find(isOrdered)!;
  const whole = operands.map((v) => {
    if (v.kind !== "tensor") return v;
    if (v.selection !== null && sameSelection(vm, v.selection, basis)) return v.selection.all;
    return v.selection === null && isSameForAll(v, basis) ? v : putInPlaces(vm, v, basis);
  });
  return pickedFrom(vm, { ...basis, all: make(whole) });
}

/** Whether an array has one entry along the axis of the sorted ones, or lacks that axis. */
function isSameForAll({ expr }: TensorValue, s: Ordered): boolean {
  const { at, span } = pickedAxes(s);
  const rank = s.all.expr.shape.length;
  const after = rank - at - span;
  if (expr.shape.length <= after) return true;
  return span === 1 && expr.shape.length <= rank && isUnit(expr.shape.at(-after - 1)!);
}

/** An array beside sorted entries, each of its own where the entry lies that it stands beside. */
export function putInPlaces(vm: Interpreter, t: TensorValue, s: Ordered): TensorValue {
  const what = "an array that stands beside sorted entries";
  const { order, mask } = s;
  const shape = orderedShape(vm, s, order);
  const spread = vm.shaped(() => expand(asWhole(vm, t).expr, shape));
  if (isLookedUp(vm, t, s, order)) {
    const whole = tensor(vm, spread, t.library, t.dtype);
    return tensor(vm, lookedUpInPlaces(vm, whole, s), t.library, t.dtype);
  }
  if (!rankAlone(s)) {
    return vm.unsupported(
      "sorted entries beside further axes meet an array of another order",
      "Sort arrays of one axis, or work on each of the others in turn.",
    );
  }
  const { data } = knownEntries(vm, spread, what);
  const sizes = sizesOf(mask.shape);
  const place = placeIn(sizesOf(shape), order.along, order.count);
  // Entries that are not picked count nothing: 1 spoils no quotient and no logarithm among them.
  const numbers = new Array<number>(sizes.reduce((n, size) => n * size, 1)).fill(1);
  order.positions.forEach((p, k) => (numbers[p] = data[place(k)]!));
  const { library, dtype } = t;
  return fixedTensor(vm, {
    numbers,
    shape: mask.shape,
    library,
    dtype,
    of: asWhole(vm, t).expr,
    what,
  });
}

/** The same, each a sum over all that come in that order. */
function lookedUpInPlaces(vm: Interpreter, sorted: TensorValue, s: Ordered): Expr {
  const { order, mask, at, all } = s;
  const { along, count, positions } = order;
  const ranks = new Array<number>(elementCount(mask.shape)!).fill(0);
  positions.forEach((p, k) => (ranks[p] = k % count));
  let put: Expr;
  if (along === null) {
    const found = summedPositions(
      vm,
      sorted,
      at,
      positionsOf(vm, ranks, "rank", [flattenAxes(mask.shape)]),
    ).expr;
    const { shape } = all.expr;
    const after = found.shape.slice(at + 1);
    put = vm.shaped(() => reshape(found, [...shape.slice(0, at), ...mask.shape, ...after]));
  } else put = gatherAlong(vm, sorted, along, positionsOf(vm, ranks, "rank", mask.shape)).expr;
  if (isAll(mask)) return put;
  // Entries that are not picked count nothing: 1 spoils no quotient and no logarithm among them.
  return vm.shaped(() => where(alongside(s), put, constant(1, put.type)));
}

/** Sorted entries along one axis, row after row. */
export function flattenOrdered(vm: Interpreter, s: Selection, order: Order): TensorValue {
  const { positions, along, count } = order;
  if (!rankAlone(s)) {
    return flattenRange(vm, asWhole(vm, pickedFrom(vm, s)), 0, -1);
  }
  const all = viewOf(vm, s.all, (e) => e, null);
  if (along === null) return pickedFrom(vm, { ...s, all });
  const place = placeIn(sizesOf(orderedShape(vm, s, order)), along, count);
  const flat = new Int32Array(positions.length);
  positions.forEach((p, k) => (flat[place(k)] = p));
  return pickedFrom(vm, { ...s, all, order: vm.arrays.orders.of(flat, flat.length, null) });
}
