/** Whether two arrays hold the same numbers, or one what an activation makes of the other. */
import { parts, every, throwIfCancelled } from "../numbers/interruption.ts";
import { type NdArray, elementCount, formatShape } from "../arrays/ndarray.ts";
import { kernelArray } from "./bindings.ts";

export type Activation =
  { readonly kind: "sigmoid" } | { readonly kind: "softmax"; readonly dim: number };

/** Half a unit in the last place, relative: what rounding to the type changes at most. */
const ROUNDING: Readonly<Record<string, number>> = {
  float64: 2 ** -53,
  float32: 2 ** -24,
  float16: 2 ** -11,
  bfloat16: 2 ** -8,
};

/** Values so small that the coarser type rounds them by more than that. */
const TINY = 2 ** -24;

const roundingOf = (a: NdArray): number => ROUNDING[a.dtype] ?? 0;

export const isShapedLike = (a: NdArray, b: NdArray): boolean =>
  formatShape(a.shape) === formatShape(b.shape);

/** The same shape and the same numbers, rounded to the coarser of both types. */
export function sameValues(a: NdArray, b: NdArray): boolean {
  if (a === b) return true;
  if (!isShapedLike(a, b)) return false;
  const off = a.dtype === b.dtype ? 0 : Math.max(roundingOf(a), roundingOf(b));
  return isNear(kernelArray(a), kernelArray(b), off);
}

function isNear(a: ArrayLike<number>, b: ArrayLike<number>, off: number): boolean {
  return every(a.length, (k) => {
    const [x, y] = [Number(a[k]), Number(b[k])];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return true;
    return Math.abs(x - y) <= off * (Math.max(Math.abs(x), Math.abs(y)) + TINY);
  });
}

/** How many entries differ, and by how much at most. */
export function differenceOf(
  a: NdArray,
  b: NdArray,
): { readonly count: number; readonly most: number } {
  const [x, y] = [kernelArray(a), kernelArray(b)];
  let [count, most] = [0, 0];
  for (const [first, end] of parts(x.length)) {
    for (let k = first; k < end; k++) {
      const d = Math.abs(Number(x[k]) - Number(y[k]));
      if (d === 0) continue;
      count++;
      if (d > most) most = d;
    }
  }
  return { count, most };
}

/** Roundings that the exponential, the sum and the quotient of an activation may take. */
const STEPS = 16;

/** The activation that makes `probabilities` of `logits`; null where neither of them does. */
export function activationBetween(logits: NdArray, probabilities: NdArray): Activation | null {
  if (!isShapedLike(logits, probabilities)) return null;
  const off = STEPS * Math.max(roundingOf(logits), roundingOf(probabilities));
  if (off === 0) return null;
  const [x, p] = [kernelArray(logits), kernelArray(probabilities)];
  if (isSigmoid(x, p, off)) return { kind: "sigmoid" };
  // One entry along an axis is always 1.
  const dims = probabilities.shape.flatMap((n, dim) => (n > 1 ? [dim] : []));
  const dim = dims.find((d) => isSoftmax(x, p, probabilities.shape, d, off));
  return dim === undefined ? null : { kind: "softmax", dim };
}

function isSigmoid(x: ArrayLike<number>, p: ArrayLike<number>, off: number): boolean {
  return every(x.length, (k) => {
    const s = 1 / (1 + Math.exp(-Number(x[k])));
    return Math.abs(s - Number(p[k])) <= off;
  });
}

/** Lines of a softmax between two looks at whether to stop. */
const LINES = 1 << 12;

function isSoftmax(
  x: ArrayLike<number>,
  p: ArrayLike<number>,
  shape: readonly number[],
  dim: number,
  off: number,
): boolean {
  const stride = elementCount(shape.slice(dim + 1));
  const length = shape[dim]!;
  for (let start = 0; start < x.length; start += stride * length) {
    for (let k = start; k < start + stride; k++) {
      if (k % LINES === 0) throwIfCancelled();
      let largest = -Infinity;
      for (let c = 0; c < length; c++) largest = Math.max(largest, Number(x[k + c * stride]));
      let total = 0;
      for (let c = 0; c < length; c++) total += Math.exp(Number(x[k + c * stride]) - largest);
      for (let c = 0; c < length; c++) {
        const s = Math.exp(Number(x[k + c * stride]) - largest) / total;
        if (!(Math.abs(s - Number(p[k + c * stride])) <= off)) return false;
      }
    }
  }
  return true;
}
