/**
 * Sums as NumPy adds (`add.reduce`, numpy/_core/src/umath/loops_utils.h.src and nditer_constr.c, read
 * at NumPy 2.4): along the innermost axes in memory pairwise, in blocks of at most 128 numbers with
 * eight partial sums each; where the innermost axis is one that stays, one number after the other,
 * so that a float32 count stops at 2^24. Summed axes that do not follow each other evenly, as in a
 * slice, are first copied to a buffer of 8,192 numbers, as many whole rows of them as fit. float16 is
 * added in float32 within such a stretch, and rounded where stretches meet. Nothing is converted on
 * the way (`dtype=` is another matter: NumPy then works through its buffers everywhere).
 */
import { parts, throwIfCancelled } from "../interruption.ts";
import { type Held, arithmeticRounder, countOf, rounder } from "./held.ts";
import { type Walk, reductionWalk } from "./torchSum.ts";

const BLOCK = 128;
const BUFFER = 8192;
/** Longer stretches look whether to stop. */
const LOOK = 1 << 14;

/** The sum over `dims`, which do not stay; in the array's own number type. */
export function numpySum(x: Held, dims: readonly number[]): Float64Array {
  const reduced = x.shape.map((_, d) => dims.includes(d));
  const out = new Float64Array(countOf(x.shape.filter((_, d) => !reduced[d]!)));
  if (countOf(x.shape) === 0) return out;
  const walks = reductionWalk(x, reduced, "numpy");
  const { data } = x;
  const partial = rounder(x.dtype === "float64" ? "float64" : "float32");
  const add = arithmeticRounder(x.dtype);
  const staying = walks.findIndex((w) => w.to !== 0);
  const inner = staying < 0 ? walks : walks.slice(0, staying);
  const stretch = inner.length === 0 ? null : stretches(data, inner, partial);
  const first = walks[0];
  const outer = walks.slice(stretch === null ? 1 : inner.length).reverse();
  const visit = (level: number, from: number, to: number): void => {
    const walk = outer[level];
    if (walk !== undefined) {
      for (let k = 0; k < walk.n; k++) visit(level + 1, from + k * walk.from, to + k * walk.to);
    } else if (stretch !== null) {
      stretch(from, (sum) => (out[to] = add(out[to]! + sum)));
    } else {
      const { n, from: step, to: stepOut } = first ?? { n: 1, from: 0, to: 0 };
      for (const [begin, end] of parts(n)) {
        for (let k = begin; k < end; k++) {
          const at = to + k * stepOut;
          out[at] = add(out[at]! + data[from + k * step]!);
        }
      }
    }
  };
  visit(0, x.offset, 0);
  return out;
}

/** Gives the sums of the stretches that summed axes are added in, from a place in memory on. */
function stretches(
  data: Float64Array,
  axes: readonly Walk[],
  partial: (x: number) => number,
): (from: number, give: (sum: number) => void) => void {
  const rows = new Rows(data, axes);
  const outer = axes.slice(rows.axes).reverse();
  // The innermost of these axes is gone through several rows at a time.
  const last = outer.length - 1;
  const buffer = new Float64Array(Math.min(rows.atOnce * rows.size, BUFFER));
  const sum = (from: number, step: number, count: number): number => {
    if (rows.axes === 1 && count === 1) return pairwise(data, from, rows.step, rows.size, partial);
    throwIfCancelled();
    for (let k = 0; k < count; k++) rows.copy(from + k * step, buffer, k * rows.size);
    return pairwise(buffer, 0, 1, count * rows.size, partial);
  };
  const visit = (level: number, from: number, give: (sum: number) => void): void => {
    const walk = outer[level];
    if (walk === undefined) give(sum(from, 0, 1));
    else if (level < last) {
      for (let k = 0; k < walk.n; k++) visit(level + 1, from + k * walk.from, give);
    } else {
      for (let k = 0; k < walk.n; k += rows.atOnce) {
        give(sum(from + k * walk.from, walk.from, Math.min(rows.atOnce, walk.n - k)));
      }
    }
  };
  return (from, give) => {
    visit(0, from, give);
  };
}

/** What of the summed axes fits into the buffer as a whole; a single axis needs none. */
class Rows {
  /** How many axes, from the innermost on, and how many numbers they have. */
  readonly axes: number = 1;
  readonly size: number;
  /** Rows that the buffer takes. */
  readonly atOnce: number;
  readonly step: number;
  private readonly data: Float64Array;
  private readonly inside: readonly Walk[];

  constructor(data: Float64Array, axes: readonly Walk[]) {
    const [first] = axes as [Walk, ...Walk[]];
    this.data = data;
    this.step = first.from;
    let size = first.n;
    while (this.axes < axes.length && size * axes[this.axes]!.n <= BUFFER) {
      size *= axes[this.axes++]!.n;
    }
    this.size = size;
    this.atOnce = Math.max(1, Math.floor(BUFFER / size));
    this.inside = axes.slice(0, this.axes).reverse();
  }

  copy(from: number, buffer: Float64Array, at: number): void {
    const { data, inside } = this;
    let to = at;
    const visit = (level: number, start: number): void => {
      const { n, from: step } = inside[level]!;
      for (let k = 0; k < n; k++) {
        if (level === inside.length - 1) buffer[to++] = data[start + k * step]!;
        else visit(level + 1, start + k * step);
      }
    };
    visit(0, from);
  }
}

function pairwise(
  data: Float64Array,
  from: number,
  step: number,
  n: number,
  add: (x: number) => number,
): number {
  if (n < 8) {
    let sum = -0;
    for (let k = 0; k < n; k++) sum = add(sum + data[from + k * step]!);
    return sum;
  }
  if (n <= BLOCK) {
    const r = Array.from({ length: 8 }, (_, k) => data[from + k * step]!);
    const whole = n - (n % 8);
    for (let i = 8; i < whole; i += 8) {
      for (let k = 0; k < 8; k++) r[k] = add(r[k]! + data[from + (i + k) * step]!);
    }
    const left = add(add(r[0]! + r[1]!) + add(r[2]! + r[3]!));
    const right = add(add(r[4]! + r[5]!) + add(r[6]! + r[7]!));
    let sum = add(left + right);
    for (let k = whole; k < n; k++) sum = add(sum + data[from + k * step]!);
    return sum;
  }
  if (n >= LOOK) throwIfCancelled();
  const half = Math.floor(n / 2);
  const left = half - (half % 8);
  return add(
    pairwise(data, from, step, left, add) + pairwise(data, from + left * step, step, n - left, add),
  );
}
