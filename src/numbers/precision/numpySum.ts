/**
 * Sums as NumPy adds (`add.reduce`, numpy/_core/src/umath/loops_utils.h.src, read at NumPy 2.4):
 * along the innermost axis in memory pairwise, in blocks of at most 128 numbers with eight partial
 * sums each; where the innermost axis is one that stays, one number after the other, so that a
 * float32 count stops at 2^24. float16 is added in float32 within such a stretch, and rounded
 * where stretches meet. Nothing is converted on the way (`dtype=` is another matter: NumPy then
 * works through buffers of 8,192 numbers).
 */
import { type Held, arithmeticRounder, countOf, rounder } from "./held.ts";
import { reductionWalk } from "./torchSum.ts";

const BLOCK = 128;

/** The sum over `dims`, which do not stay; in the array's own number type. */
export function numpySum(x: Held, dims: readonly number[]): Float64Array {
  const reduced = x.shape.map((_, d) => dims.includes(d));
  const out = new Float64Array(countOf(x.shape.filter((_, d) => !reduced[d]!)));
  if (countOf(x.shape) === 0) return out;
  const [inner = { n: 1, from: 0, to: 0 }, ...outer] = reductionWalk(x, reduced, "numpy");
  const { data } = x;
  const partial = rounder(x.dtype === "float64" ? "float64" : "float32");
  const add = arithmeticRounder(x.dtype);
  const visit = (level: number, from: number, to: number): void => {
    const walk = outer[level];
    if (walk !== undefined) {
      for (let k = 0; k < walk.n; k++) visit(level + 1, from + k * walk.from, to + k * walk.to);
    } else if (inner.to === 0) {
      out[to] = add(out[to]! + pairwise(data, from, inner.from, inner.n, partial));
    } else {
      for (let k = 0; k < inner.n; k++) {
        const at = to + k * inner.to;
        out[at] = add(out[at]! + data[from + k * inner.from]!);
      }
    }
  };
  outer.reverse();
  visit(0, x.offset, 0);
  return out;
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
  const half = Math.floor(n / 2);
  const left = half - (half % 8);
  return add(
    pairwise(data, from, step, left, add) + pairwise(data, from + left * step, step, n - left, add),
  );
}
