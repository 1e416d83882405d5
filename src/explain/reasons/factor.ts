/** What one change does to the gradient: one factor for all of it, one a region, or none in common. */
import { asFraction } from "../../expression/numerals.ts";
import { largestOf, parts } from "../../numbers/interruption.ts";
import { orderStatistic } from "../../numbers/orderStatistic.ts";

export type GradientFactor =
  | { readonly kind: "none" }
  /** The same everywhere and for every array. */
  | { readonly kind: "constant"; readonly value: number }
  /** The same for all entries, but another on other arrays. */
  | { readonly kind: "common"; readonly value: number }
  /** From one entry to another. */
  | {
      readonly kind: "varies";
      readonly least: number;
      readonly most: number;
      readonly median: number;
      /** Entries whose sign it turns, as a share of all. */
      readonly turned: number;
      readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] };
    };

const SAME = 1e-9;

/**
 * @param pairs gradients before and after, of several draws of the arrays; the first is the user's
 */
export function factorOf(
  pairs: readonly (readonly [before: ArrayLike<number>, after: ArrayLike<number>])[],
): GradientFactor {
  const each = pairs.map(([before, after]) => ratios(before, after));
  const first = each[0]!;
  if (first.length === 0) return { kind: "none" };
  const common = each.map((r) => spread(r));
  if (common.every((c) => c.most - c.least <= SAME * Math.max(1, Math.abs(c.median)))) {
    // No factor makes a gradient where there was none.
    if (pairs.some(([before, after]) => arisesIn(before, after))) return { kind: "none" };
    const values = pairs.map(([before, after]) => ratioAtLargest(before, after));
    const [value] = values as [number];
    const constant = values.every(
      (v) => Math.abs(v - value) <= SAME * Math.max(1, Math.abs(value)),
    );
    if (constant && Math.abs(value - 1) <= SAME) return { kind: "none" };
    return { kind: constant ? "constant" : "common", value };
  }
  const own = common[0]!;
  let turned = 0;
  for (const [from, end] of parts(first.length)) {
    for (let k = from; k < end; k++) if (first[k]! < 0) turned++;
  }
  const histogram = histogramOf(first, own);
  return { kind: "varies", ...own, turned: turned / first.length, histogram };
}

/** What it may be divided by, as the voxels of a slice or the classes that a mean is taken over. */
const LARGEST_DIVISOR = 1000;

/** The quotient of whole numbers that a measured factor seems to be; null where it seems to be none. */
export function quotientOf(factor: number): readonly [numerator: number, divisor: number] | null {
  const [size, nearest] = [Math.abs(factor), Math.round(factor)];
  if (nearest !== 0 && Math.abs(factor - nearest) <= SAME * size) return [nearest, 1];
  const found = asFraction(size, SAME, LARGEST_DIVISOR);
  return found === null ? null : [Math.sign(factor) * found[0], found[1]];
}

const BINS = 24;

/** Equal bins from the least to the greatest value. */
function histogramOf(
  values: Float64Array,
  { least, most }: { readonly least: number; readonly most: number },
): { edges: number[]; counts: number[] } {
  const edges = Array.from({ length: BINS + 1 }, (_, k) => least + ((most - least) * k) / BINS);
  const counts = new Array<number>(BINS).fill(0);
  for (const [first, end] of parts(values.length)) {
    for (let k = first; k < end; k++) {
      const bin = Math.floor(((values[k]! - least) / (most - least)) * BINS);
      counts[Math.min(BINS - 1, Math.max(0, bin))]!++;
    }
  }
  return { edges, counts };
}

/** Quotients where both are numbers and the gradient before is not lost in rounding. */
function ratios(before: ArrayLike<number>, after: ArrayLike<number>): Float64Array {
  const largest = largestOf(before);
  const found = new Float64Array(before.length);
  let count = 0;
  for (const [first, end] of parts(before.length)) {
    for (let k = first; k < end; k++) {
      const [b, a] = [before[k]!, after[k]!];
      if (Math.abs(b) > 1e-12 * largest && Number.isFinite(a)) found[count++] = a / b;
    }
  }
  return found.subarray(0, count);
}

/** Whether entries have a gradient after and none before. */
function arisesIn(before: ArrayLike<number>, after: ArrayLike<number>): boolean {
  const [least, much] = [1e-12 * largestOf(before), SAME * largestOf(after)];
  for (const [first, end] of parts(before.length)) {
    for (let k = first; k < end; k++) {
      if (Math.abs(before[k]!) <= least && Math.abs(after[k]!) > much) return true;
    }
  }
  return false;
}

/** The quotient that rounding leaves most digits of. */
function ratioAtLargest(before: ArrayLike<number>, after: ArrayLike<number>): number {
  let at = 0;
  for (const [first, end] of parts(before.length)) {
    for (let k = first; k < end; k++) {
      const isKnown = Number.isFinite(before[k]! * after[k]!);
      if (isKnown && !(Math.abs(before[k]!) <= Math.abs(before[at]!))) at = k;
    }
  }
  return after[at]! / before[at]!;
}

/** The values are reordered. */
function spread(values: Float64Array): { least: number; most: number; median: number } {
  if (values.length === 0) return { least: 1, most: 1, median: 1 };
  let [least, most] = [Infinity, -Infinity];
  for (const [first, end] of parts(values.length)) {
    for (let k = first; k < end; k++) {
      if (values[k]! < least) least = values[k]!;
      if (values[k]! > most) most = values[k]!;
    }
  }
  return { least, most, median: orderStatistic(values, Math.floor(values.length / 2)) };
}
