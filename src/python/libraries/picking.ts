/** What picks, orders and repeats entries, for PyTorch and NumPy alike. */
import { isUnit, leafAxes, normalizeDim } from "../../expression/axis.ts";
import { reshape } from "../../expression/build.ts";
import { TooFewEntriesError } from "../interpreter/interpreter.ts";
import { knownInteger } from "../interpreter/known.ts";
import { diagonalOf } from "../tensors/contraction.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { entriesIfKnown, knownEntries } from "../tensors/knownEntries.ts";
import { gatherAlong, indexBy, selectPositions } from "../tensors/gather.ts";
import { pickBroadcast } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import {
  addAxis,
  dropAxes,
  expandTo,
  flattenRange,
  permuteAxes,
  sizesFrom,
} from "../tensors/reshape.ts";
import type { Sorted } from "../tensors/knownSorting.ts";
import { cumulativeSum, sortAlong } from "../tensors/sorting.ts";
import { itemsOf, rankOf, stackTensors, tensor } from "../tensors/tensor.ts";
import { repeatEach, rollAlong, sizeAlong, tileAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float, int, namedTuple } from "../values.ts";
import { convert } from "./convert.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import { requireInteger } from "./torchMeanings.ts";

/** A position among the axes that may count from the end. */
export function axisOf(c: CallContext, x: TensorValue, dim: number): number {
  return c.vm.shaped(() => normalizeDim(dim, rankOf(x)));
}

/** The axis that is named, or the whole array flattened where none is. */
export function alongOrFlat(c: CallContext): { readonly x: TensorValue; readonly dim: number } {
  const dims = c.dims("dim");
  if (dims !== null) return { x: c.tensor("x"), dim: dims[0]! };
  return { x: flattenRange(c.vm, c.tensor("x"), 0, -1), dim: 0 };
}

export function wholeNumbers(c: CallContext, name: string): TensorValue {
  const t = c.tensor(name);
  requireInteger(c, t, `${c.name}(): expected an array of integers (int64) as '${name}'`);
  return t;
}

/** PyTorch's gather takes an index that is smaller than the array in the other axes. */
function gather(c: CallContext): Value {
  const index = wholeNumbers(c, "index");
  const dim = c.int("dim");
  const x = c.tensor("input");
  const d = axisOf(c, x, dim);
  if (index.selection !== null || x.selection !== null) return gatherAlong(c.vm, x, dim, index);
  const cut = index.expr.shape.reduce<TensorValue>((t, a, k) => {
    const n = t.expr.shape[k]?.size ?? null;
    if (k === d || a.size === null || n === null || a.size >= n) return t;
    return selectPositions(
      c.vm,
      t,
      k,
      Array.from({ length: a.size }, (_, p) => p),
    );
  }, x);
  return gatherAlong(c.vm, cut, dim, index);
}

/** take_along_dim and take_along_axis. */
const takeAlong: Meaning = (c) => {
  const index = wholeNumbers(c, "indices");
  const dims = c.dims("dim");
  if (dims !== null) return gatherAlong(c.vm, c.tensor("x"), dims[0]!, index);
  const flat = flattenRange(c.vm, c.tensor("x"), 0, -1);
  return gatherAlong(c.vm, flat, 0, flattenRange(c.vm, index, 0, -1));
};

function indexSelect(c: CallContext): Value {
  const x = c.tensor("input");
  return indexBy(c.vm, x, [wholeNumbers(c, "index")], axisOf(c, x, c.int("dim")));
}

/** np.take(x, indices, axis). */
export const take: Meaning = (c) => {
  const { x, dim } = alongOrFlat(c);
  return indexBy(c.vm, x, [wholeNumbers(c, "indices")], axisOf(c, x, dim));
};

function sorted(c: CallContext, descending: boolean): Sorted {
  const { x, dim } = alongOrFlat(c);
  return sortAlong(c.vm, x, dim, descending, `${c.name.replace(/^.*\./, "")}()`);
}

export const sortedValues: Meaning = (c) => sorted(c, false).values;
export const sortedPositions: Meaning = (c) => sorted(c, false).indices;

/** Fewer entries along an axis of `x` than are asked for. */
function tooFew(c: CallContext, dim: number, asked: number, type: string, message: string): never {
  const x = c.tensor("x");
  const axes = x.selection === null ? leafAxes(x.expr.shape[dim]!).map((a) => a.name) : [];
  return c.vm.fail(type, message, null, new TooFewEntriesError(axes, asked));
}

function topk(c: CallContext): Value {
  const { values, indices } = sorted(c, c.flag("largest"));
  const k = knownInteger(c.vm, c.value("k"), "topk()");
  const d = axisOf(c, values, c.int("dim"));
  const n = sizeAlong(c.vm, values, d, "topk()");
  if (k < 0 || k > n) tooFew(c, d, k, "RuntimeError", "selected index k out of range");
  const first = Array.from({ length: k }, (_, p) => p);
  const cut = (t: TensorValue): TensorValue => selectPositions(c.vm, t, d, first);
  return namedTuple("torch.return_types.topk", { values: cut(values), indices: cut(indices) });
}

/** The first k of the sorted entries, and where they were. */
function largest(c: CallContext, k: Value, dim: number, what: string): Sorted {
  const s = sortAlong(c.vm, c.tensor("x"), dim, true, what);
  const n = knownInteger(c.vm, k, what);
  const d = axisOf(c, s.values, dim);
  if (n < 0 || n > sizeAlong(c.vm, s.values, d, what)) {
    const message = `input must have at least k columns, k is ${n}`;
    tooFew(c, d, n, "InvalidArgumentError", message);
  }
  const first = Array.from({ length: n }, (_, p) => p);
  const cut = (t: TensorValue): TensorValue => selectPositions(c.vm, t, d, first);
  return { values: cut(s.values), indices: cut(s.indices) };
}

/** The entries at some ranks among those along some axes, and where they are. */
function atRanks(
  c: CallContext,
  ranks: (n: number) => readonly number[],
  what: string,
  of = c.tensor("x"),
): Sorted[] {
  const { x, d, kept } = alongAll(c, of);
  const s = sortAlong(c.vm, x, d, false, what);
  return ranks(sizeAlong(c.vm, x, d, what)).map((k) => {
    const at = (t: TensorValue): TensorValue => {
      const one = selectPositions(c.vm, t, d, [k]);
      if (!c.flag("keepdim")) return dropAxes(c.vm, one, [d]);
      return kept === null
        ? one
        : kept.reduce((e, p) => addAxis(c.vm, e, p), dropAxes(c.vm, one, [d]));
    };
    return { values: at(s.values), indices: at(s.indices) };
  });
}

/** One axis for all that are named, and where they come back as axes of one entry; null for its own place. */
function alongAll(
  c: CallContext,
  x: TensorValue,
): { readonly x: TensorValue; readonly d: number; readonly kept: readonly number[] | null } {
  const rank = rankOf(x);
  const all = Array.from({ length: rank }, (_, d) => d);
  const dims = c.dims("dim")?.map((d) => axisOf(c, x, d)) ?? null;
  if (dims?.length === 1) return { x, d: dims[0]!, kept: null };
  if (dims === null) return { x: flattenRange(c.vm, x, 0, -1), d: 0, kept: all };
  const rest = all.filter((d) => !dims.includes(d));
  const moved = permuteAxes(c.vm, x, [...rest, ...dims]);
  const joined = flattenRange(c.vm, moved, rest.length, -1);
  return { x: joined, d: rest.length, kept: dims.toSorted((p, q) => p - q) };
}

function atRank(c: CallContext, rank: (n: number) => number, what: string): Sorted {
  return atRanks(c, (n) => [rank(n)], what)[0]!;
}

/** The middle entry of an odd number; of an even one PyTorch takes the lower of the two. */
const median: Meaning = (c) => {
  const { values, indices } = atRank(c, (n) => Math.floor((n - 1) / 2), "median()");
  if (!c.given("dim")) return sharedByTies(c, values);
  return namedTuple("torch.return_types.median", { values, indices });
};

/** Of all entries PyTorch's median is the mean of those that equal it: they share its gradient. */
function sharedByTies(c: CallContext, value: TensorValue): TensorValue {
  const { vm } = c;
  const x = c.tensor("x");
  const isEqual = elementwise(vm, "eq", x, value);
  const count = reduction(vm, "sum", isEqual, null, false);
  const known = entriesIfKnown(vm, count.expr, "how many entries equal a median")?.data[0] ?? 1;
  if (known <= 1) return value;
  const total = reduction(vm, "sum", select(vm, isEqual, x, float(0)), null, false);
  return elementwise(vm, "div", total, int(known));
}

/** The k-th smallest entry, counted from 1. */
const kthValue: Meaning = (c) => {
  const k = knownInteger(c.vm, c.value("k"), "kthvalue()");
  const rank = (n: number): number => {
    if (k < 1 || k > n) c.vm.fail("RuntimeError", "kthvalue(): selected number k out of range");
    return k - 1;
  };
  const { values, indices } = atRank(c, rank, "kthvalue()");
  return namedTuple("torch.return_types.kthvalue", { values, indices });
};

/** The entries that shares of all lie below, `of` being the whole: between two, as `interpolation` says. */
function quantile(of: number, interpolation: string): Meaning {
  return (c) => {
    const q = c.value("q");
    const how = c.text(interpolation);
    const shares =
      q.kind === "tensor" && rankOf(q) === 1
        ? Array.from(knownEntries(c.vm, q.expr, `${c.name}(): 'q'`).data)
        : itemsOf(q) === null
          ? null
          : c.dims("q");
    if (shares === null) return quantileOf(c, c.number("q") / of, how);
    const found = shares.map((share) => quantileOf(c, share / of, how));
    return stackTensors(c.vm, found, 0, found[0]?.library ?? c.library);
  };
}

export function quantileOf(c: CallContext, q: number, how: string, x = c.tensor("x")): TensorValue {
  if (!(q >= 0 && q <= 1)) c.vm.fail("RuntimeError", "quantile() q must be in range [0, 1]");
  const roundings = ROUNDINGS.get(how);
  if (roundings === undefined) {
    return c.vm.unsupported(
      `${c.name}() with the interpolation "${how}" is not supported`,
      'Use "linear", "lower", "higher" or "midpoint".',
    );
  }
  let place = 0;
  const ranks = (n: number): number[] => {
    place = q * (n - 1);
    return roundings.map((round) => round(place));
  };
  const [below, above] = atRanks(c, ranks, "quantile()", x).map((s) => s.values);
  const share = place - Math.floor(place);
  if (above === undefined || share === 0) return below!;
  const step = elementwise(c.vm, "sub", above, below!);
  const part = elementwise(c.vm, "mul", step, float(how === "linear" ? share : 0.5));
  return elementwise(c.vm, "add", below!, part);
}

/** The ranks around a place that an interpolation takes. */
const ROUNDINGS: ReadonlyMap<string, readonly ((place: number) => number)[]> = new Map([
  ["linear", [Math.floor, Math.ceil]],
  ["midpoint", [Math.floor, Math.ceil]],
  ["lower", [Math.floor]],
  ["higher", [Math.ceil]],
]);

/** Entries moved on along some axes, or in the flat array where none are named. */
function rolled(shifts: string, dims: string): Meaning {
  return (c) => {
    const x = c.tensor("x");
    const amounts = c.dims(shifts) ?? [];
    const axes = c.dims(dims);
    if (axes === null) {
      const flat = rollAlong(c.vm, flattenRange(c.vm, x, 0, -1), 0, amounts[0] ?? 0);
      const e = c.vm.shaped(() => reshape(flat.expr, x.expr.shape));
      return tensor(c.vm, e, x.library, x.dtype);
    }
    // NumPy and TensorFlow move by one amount along several axes too.
    return axes.reduce((t, d, k) => rollAlong(c.vm, t, d, amounts[k] ?? amounts[0] ?? 0), x);
  };
}

export const runningSum: Meaning = (c) => {
  const { x, dim } = alongOrFlat(c);
  return cumulativeSum(c.vm, x, dim);
};

export function reversed(c: CallContext, dims: readonly number[]): Value {
  return reverseAlong(c, c.tensor("x"), dims);
}

export function reverseAlong(c: CallContext, x: TensorValue, dims: readonly number[]): TensorValue {
  return dims.reduce<TensorValue>((t, dim) => {
    const d = axisOf(c, t, dim);
    const n = sizeAlong(c.vm, t, d, `${c.name}()`);
    return selectPositions(
      c.vm,
      t,
      d,
      Array.from({ length: n }, (_, k) => n - 1 - k),
    );
  }, x);
}

/** Times by axis, aligned with the array's axes from the right. */
export function tiled(c: CallContext, times: readonly number[]): Value {
  let x = c.tensor("x");
  while (rankOf(x) < times.length) x = addAxis(c.vm, x, 0);
  const offset = rankOf(x) - times.length;
  return times.reduce((t, n, k) => tileAlong(c.vm, t, k + offset, n), x);
}

export function integersOf(c: CallContext, name: string): number[] {
  return sizesFrom(c.list(name)).map((v) => knownInteger(c.vm, v, `${c.name}()`));
}

/** repeat_interleave, and NumPy's repeat: all alike often, or each as often as a list says. */
export const repeatedBy =
  (times: string): Meaning =>
  (c) => {
    const { x, dim } = alongOrFlat(c);
    const d = axisOf(c, x, dim);
    const often = c.value(times);
    if (often.kind === "number" && x.selection === null && isUnit(x.expr.shape[d]!)) {
      const sizes = x.expr.shape.map((_, k) => (k === d ? often : int(-1)));
      return expandTo(c.vm, x, sizes);
    }
    const given = c.dims(times) ?? [];
    if (given.length === 1) return repeatEach(c.vm, x, d, given[0]!);
    const n = sizeAlong(c.vm, x, d, `${c.name}()`);
    if (given.length !== n) {
      c.vm.fail("ValueError", `${c.name}(): ${given.length} numbers do not fit ${n} entries`);
    }
    const at = given.flatMap((n, k) => Array.from({ length: n }, () => k));
    return selectPositions(c.vm, x, d, at);
  };

export const repeated: Meaning = repeatedBy("repeats");

/** The diagonal of two axes, which becomes the last axis. */
export function diagonal(c: CallContext, dim1: number, dim2: number): TensorValue {
  if (c.int("offset") !== 0) {
    return c.vm.unsupported(`${c.name}() with an offset is not supported`);
  }
  const x = c.tensor("x");
  return diagonalOf(c.vm, x, axisOf(c, x, dim1), axisOf(c, x, dim2));
}

export const trace: Meaning = (c) =>
  reduction(c.vm, "sum", diagonalOf(c.vm, c.tensor("x"), 0, 1), null, false);

/** Each entry less the one before it. */
export const differences: Meaning = (c) => {
  let x = c.tensor("x");
  const d = axisOf(c, x, c.dims("dim")![0]!);
  for (let k = 0; k < c.int("n"); k++) {
    const n = sizeAlong(c.vm, x, d, `${c.name}()`);
    const part = (from: number): TensorValue =>
      selectPositions(
        c.vm,
        x,
        d,
        Array.from({ length: n - 1 }, (_, p) => p + from),
      );
    x = elementwise(c.vm, "sub", part(1), part(0));
  }
  return x;
};

/** PyTorch's, methods of tensors too. */
export const torchPicking: Table = {
  gather: ["input, dim, index, *, ~sparse_grad, !out", gather],
  take_along_dim: ["input, indices, dim=None, *, !out", takeAlong],
  index_select: ["input, dim, index, *, !out", indexSelect],
  masked_select: [
    "input, mask, *, !out",
    (c) => pickBroadcast(c.vm, c.tensor("input"), c.expr("mask")),
  ],
  sort: [
    "input, dim=-1, descending=False, stable=False, *, !out",
    (c) => {
      const { values, indices } = sorted(c, c.flag("descending"));
      return namedTuple("torch.return_types.sort", { values, indices });
    },
  ],
  argsort: [
    "input, dim=-1, descending=False, stable=False",
    (c) => sorted(c, c.flag("descending")).indices,
  ],
  topk: ["input, k, dim=-1, largest=True, ~sorted, *, !out", topk],
  kthvalue: ["input, k, dim=-1, keepdim=False, *, !out", kthValue],
  median: ["input, dim=None, keepdim=False, *, !out", median],
  cumsum: ["input, dim, *, !dtype, !out", runningSum],
  roll: ["input, shifts, dims=None", rolled("shifts", "dims")],
  quantile: [
    "input, q, dim=None, keepdim=False, *, interpolation='linear', !out",
    quantile(1, "interpolation"),
  ],
  flip: ["input, *dims", (c) => reversed(c, integersOf(c, "dims"))],
  tile: ["input, *dims", (c) => tiled(c, integersOf(c, "dims"))],
  repeat_interleave: ["input, repeats, dim=None, *, ~output_size", repeated],
  diagonal: ["input, offset=0, dim1=0, dim2=1", (c) => diagonal(c, c.int("dim1"), c.int("dim2"))],
  trace: ["input", trace],
  diff: ["input, n=1, dim=-1, !prepend, !append", differences],
};

/** NumPy's. */
export const numpyPicking: Table = {
  take_along_axis: ["arr, indices, axis=-1", takeAlong],
  take: ["a, indices, axis=None, !out, !mode", take],
  sort: ["a, axis=-1, ~kind, !order, ~stable", sortedValues],
  argsort: ["a, axis=-1, ~kind, !order, ~stable", sortedPositions],
  cumsum: ["a, axis=None, !dtype, !out", runningSum],
  roll: ["a, shift, axis=None", rolled("shift", "axis")],
  quantile: [
    "a, q, axis=None, !out, !overwrite_input, method='linear', keepdims=False, *, !weights, !interpolation",
    quantile(1, "method"),
  ],
  percentile: [
    "a, q, axis=None, !out, !overwrite_input, method='linear', keepdims=False, *, !weights, !interpolation",
    quantile(100, "method"),
  ],
  flip: ["m, axis=None", flipAxes],
  tile: ["A, reps", (c) => tiled(c, integersOf(c, "reps"))],
  diagonal: ["a, offset=0, axis1=0, axis2=1", (c) => diagonal(c, c.int("axis1"), c.int("axis2"))],
  trace: ["a, !offset=0, !axis1=0, !axis2=1", trace],
  diff: ["a, n=1, axis=-1, !prepend, !append", differences],
};

/** TensorFlow's. */
export const tensorflowPicking: Table = {
  cumsum: [
    "x, axis=0, exclusive=False, reverse=False, ~name",
    (c) =>
      cumulativeSum(c.vm, c.tensor("x"), c.int("axis"), {
        exclusive: c.flag("exclusive"),
        reverse: c.flag("reverse"),
      }),
  ],
  top_k: [
    "input, k=1, ~sorted, ~index_type, ~name",
    (c) => {
      const { values, indices } = largest(c, c.value("k"), -1, "top_k()");
      return namedTuple("TopKV2", { values, indices: convert(c.vm, indices, "int32") });
    },
  ],
  sort: [
    "values, axis=-1, direction='ASCENDING', ~name",
    (c) => sortAlong(c.vm, c.tensor("values"), c.int("dim"), isDescending(c), "sort()").values,
  ],
  argsort: [
    "values, axis=-1, direction='ASCENDING', ~stable, ~name",
    (c) => {
      const s = sortAlong(c.vm, c.tensor("values"), c.int("dim"), isDescending(c), "argsort()");
      return convert(c.vm, s.indices, "int32");
    },
  ],
  reverse: ["tensor, axis, ~name", flipAxes],
  repeat: ["input, repeats, axis=None, ~name", repeated],
  roll: ["input, shift, axis, ~name", rolled("shift", "axis")],
};

const isDescending = (c: CallContext): boolean => c.text("direction") === "DESCENDING";

function flipAxes(c: CallContext): Value {
  return reversed(c, c.dims("dim") ?? Array.from({ length: rankOf(c.tensor("x")) }, (_, d) => d));
}
