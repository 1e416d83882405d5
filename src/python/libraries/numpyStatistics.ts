/** NumPy's statistics, those that leave out NaN, and what works on neighbours along an axis. */
import { makeList } from "../interpreter/collections.ts";
import { einsum } from "../tensors/contraction.ts";
import { elementwise, select, truthFunction } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { pick } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, flattenRange } from "../tensors/reshape.ts";
import { cumulativeProduct, cumulativeSum } from "../tensors/sorting.ts";
import { rankOf, tensor } from "../tensors/tensor.ts";
import { padAxis, sizeAlong, windowsAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float, tuple } from "../values.ts";
import * as m from "./common.ts";
import { isKnownTrue, reduceNumbers, spreadOfNumbers } from "./numpyMeanings.ts";
import { alongOrFlat, axisOf, quantileOf, reverseAlong } from "./picking.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

const range = (c: CallContext): Value => {
  const [x, dims, keep] = [c.tensor("x"), c.dims("dim"), c.flag("keepdim")];
  const largest = reduction(c.vm, "max", x, dims, keep);
  return elementwise(c.vm, "sub", largest, reduction(c.vm, "min", x, dims, keep));
};

/** The middle entry, or the mean of the two in the middle. */
const median: Meaning = (c) => quantileOf(c, 0.5, "midpoint");

/** The same among what is a number. */
const medianOfNumbers: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("x");
  const nan = truthFunction(vm, "isnan", x);
  if (!c.given("dim")) {
    const flat = flattenRange(vm, x, 0, -1);
    const isNumber = truthFunction(vm, "not", flattenRange(vm, nan, 0, -1));
    return quantileOf(c, 0.5, "midpoint", pick(vm, flat, isNumber.expr, 0));
  }
  if (isKnownTrue(c, reduction(vm, "any", nan, null, false))) {
    vm.unsupported(
      `${c.name}() along an axis that has NaN is not supported`,
      "Take the median of each row: np.nanmedian(row) for the rows in turn.",
    );
  }
  return median(c);
};

/** Running sums and products in which NaN counts nothing. */
const running =
  (op: "sum" | "prod", skipsNaN: boolean): Meaning =>
  (c) => {
    const { x, dim } = alongOrFlat(c);
    const nothing = float(op === "sum" ? 0 : 1);
    const nan = truthFunction(c.vm, "isnan", x);
    const entries = skipsNaN ? select(c.vm, nan, nothing, x, c.library) : x;
    return (op === "sum" ? cumulativeSum : cumulativeProduct)(c.vm, entries, dim);
  };

/** np.gradient: half the difference of both neighbours, at the ends the difference to the only one. */
function slopes(c: CallContext): Value {
  const { vm } = c;
  const x = c.tensor("f");
  const dims = (c.dims("dim") ?? m.range(0, rankOf(x))).map((d) => axisOf(c, x, d));
  const spacings = c.list("varargs");
  if (spacings.some((v) => v.kind !== "number") || ![0, 1, dims.length].includes(spacings.length)) {
    return vm.unsupported(
      `${c.name}() with places that are no equal distances is not supported`,
      "Give one distance, or one for each axis.",
    );
  }
  const found = dims.map((d, k) => {
    const n = sizeAlong(vm, x, d, `${c.name}()`);
    if (n < 2) {
      vm.fail(
        "ValueError",
        "Shape of array too small to calculate a numerical gradient, at least 2 elements are required.",
      );
    }
    const difference = (p: number, q: number, count: number): TensorValue =>
      elementwise(
        vm,
        "sub",
        selectPositions(vm, x, d, m.range(p, p + count)),
        selectPositions(vm, x, d, m.range(q, q + count)),
      );
    const middle = elementwise(vm, "div", difference(2, 0, n - 2), float(2), c.library);
    const ends = [difference(1, 0, 1), difference(n - 1, n - 2, 1)] as const;
    const all = m.joined(c, n === 2 ? ends : [ends[0], middle, ends[1]], d);
    const by = spacings[spacings.length === 1 ? 0 : k];
    return by === undefined ? all : elementwise(vm, "div", all, by, c.library);
  });
  if (found.length === 1) return found[0]!;
  return c.library === "jax" ? makeList(vm, found) : tuple(found);
}

/** The sums of products of one line with each stretch of a longer one. */
function correlated(c: CallContext, long: TensorValue, short: TensorValue): TensorValue {
  const { vm } = c;
  const size = sizeAlong(vm, short, 0, `${c.name}()`);
  const mode = c.text("mode");
  const left = Math.floor(size / 2);
  const around: Readonly<Record<string, readonly [number, number]>> = {
    full: [size - 1, size - 1],
    same: [left, size - 1 - left],
    valid: [0, 0],
  };
  const [before, after] =
    around[mode] ??
    vm.fail("ValueError", `mode must be one of 'valid', 'same', or 'full' (got '${mode}')`);
  const isEven = before === after;
  const wide = isEven ? long : padAxis(vm, long, 0, [before, after], "constant", 0);
  const w = { size, stride: 1, padding: isEven ? before : 0, dilation: 1 };
  const windows = windowsAlong(vm, wide, 0, w, `${c.name}()`);
  return einsum(vm, "nm,m->n", [windows, short], c.library);
}

/** np.convolve and np.correlate of two lines, of which one is turned round. */
const sliding =
  (isConvolution: boolean): Meaning =>
  (c) => {
    const both = [c.tensor("x"), c.tensor("v")] as const;
    for (const t of both) {
      if (rankOf(t) !== 1) c.vm.fail("ValueError", `${c.name}() takes arrays with one axis`);
    }
    const [a, v] = both;
    const isLonger = sizeAlong(c.vm, v, 0, `${c.name}()`) > sizeAlong(c.vm, a, 0, `${c.name}()`);
    const [long, short] = isLonger ? [v, a] : [a, v];
    if (isConvolution) return correlated(c, long, reverseAlong(c, short, [0]));
    const found = correlated(c, long, short);
    return isLonger ? reverseAlong(c, found, [0]) : found;
  };

/** How many of sorted numbers lie below (or at) each entry: where it would be put among them. */
export function placesAmong(
  c: CallContext,
  sorted: TensorValue,
  x: TensorValue,
  isRight: boolean,
): TensorValue {
  const { vm } = c;
  const unordered = elementwise(
    vm,
    "lt",
    selectPositions(vm, sorted, 0, m.range(1, sizeAlong(vm, sorted, 0, `${c.name}()`))),
    selectPositions(vm, sorted, 0, m.range(0, sizeAlong(vm, sorted, 0, `${c.name}()`) - 1)),
  );
  if (isKnownTrue(c, reduction(vm, "any", unordered, null, false))) {
    return vm.unsupported(
      `${c.name}() among numbers that do not increase is not supported`,
      "Sort them first: np.sort(bins).",
    );
  }
  const column = addAxis(vm, x, -1);
  const below = elementwise(vm, isRight ? "le" : "lt", sorted, column);
  const count = reduction(vm, "sum", below, [-1], false);
  return tensor(vm, count.expr, c.library, c.library === "jax" ? "int32" : "int64");
}

const reduceArgs = "a, axis=None, !dtype, !out, keepdims=False, !initial, !where";
const spreadArgs = "a, axis=None, !dtype, !out, ddof=0, keepdims=False, !where";
const medianArgs = "a, axis=None, !out, !overwrite_input, keepdims=False";

/** Source: NumPy 2.4. */
export const numpyStatistics: Table = {
  ptp: ["a, axis=None, !out, keepdims=False", range],
  median: [medianArgs, median],
  nanmedian: [medianArgs, medianOfNumbers],
  nansum: [reduceArgs, reduceNumbers("sum")],
  nanprod: [reduceArgs, reduceNumbers("prod")],
  nanmean: [reduceArgs, reduceNumbers("mean")],
  nanmax: [reduceArgs, reduceNumbers("max")],
  nanmin: [reduceArgs, reduceNumbers("min")],
  nanvar: [spreadArgs, spreadOfNumbers("var")],
  nanstd: [spreadArgs, spreadOfNumbers("std")],
  nancumsum: ["a, axis=None, !dtype, !out", running("sum", true)],
  nancumprod: ["a, axis=None, !dtype, !out", running("prod", true)],
  cumulative_sum: ["x, *, axis=None, !dtype, !out, !include_initial", running("sum", false)],
  cumulative_prod: ["x, *, axis=None, !dtype, !out, !include_initial", running("prod", false)],
  gradient: ["f, *varargs, axis=None, !edge_order=1", slopes],
  convolve: ["a, v, mode='full'", sliding(true)],
  correlate: ["a, v, mode='valid'", sliding(false)],
  searchsorted: [
    "a, v, side='left', !sorter, ~method",
    (c) => placesAmong(c, c.tensor("x"), c.tensor("v"), c.text("side") === "right"),
  ],
  digitize: [
    "x, bins, right=False, *, ~method",
    (c) => placesAmong(c, c.tensor("bins"), c.tensor("x"), !c.flag("right")),
  ],
};
