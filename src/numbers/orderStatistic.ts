/** The k-th smallest of many numbers, in linear time (C. A. R. Hoare, Algorithm 65: Find, 1961). */
import { parts, throwIfCancelled } from "./interruption.ts";

/** Swaps and comparisons between two looks at whether to stop. */
const PART = 1 << 16;

/**
 * The entry that sorting would put at `rank`, counted from 0; the entries are reordered.
 * @param values NaN comes last, as in sorting
 * @throws Cancelled
 */
export function orderStatistic(values: Float64Array, rank: number): number {
  let [low, high] = [0, withNaNLast(values) - 1];
  if (rank > high) return NaN;
  let steps = 0;
  while (low < high) {
    throwIfCancelled();
    const pivot = medianOf(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const x = values[i]!;
        values[i++] = values[j]!;
        values[j--] = x;
      }
      if (++steps % PART === 0) throwIfCancelled();
    }
    // Between the two parts at most one entry is left, which is the pivot.
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else break;
  }
  return values[rank]!;
}

/** Moves NaN to the end; how many numbers come before. */
function withNaNLast(values: Float64Array): number {
  let count = 0;
  for (const [first, end] of parts(values.length)) {
    for (let k = first; k < end; k++) {
      const x = values[k]!;
      if (Number.isNaN(x)) continue;
      values[k] = values[count]!;
      values[count++] = x;
    }
  }
  return count;
}

function medianOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
