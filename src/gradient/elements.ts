/**
 * Numeric derivatives by single elements: central difference quotients of the loss at two steps,
 * extrapolated to step 0, and the slopes on either side, which differ at a kink. The loss is
 * evaluated in double-double (see `Perturbation`), so that a quotient keeps its digits though one
 * voxel in millions moves by a few thousandths of its value. The analytic gradient has no part in
 * it.
 */
import type { Arithmetic } from "../expression/interpret.ts";
import { parts } from "../numbers/interruption.ts";
import { Largest } from "./largest.ts";

export interface ElementDerivative {
  readonly element: number;
  readonly numeric: number;
  /** The derivative lies within ± this much where the loss is smooth there. */
  readonly bar: number;
  readonly left: number;
  readonly right: number;
  /** The slopes differ, or the loss jumps: there is no derivative here. */
  readonly kink: boolean;
}

export interface DifferenceSource<T> {
  readonly on: Arithmetic<T>;
  /** Nearest float64. */
  toNumber(x: T): number;
  /** Rounding error of one value of the loss. */
  readonly noise: number;
  /** The loss with one element moved by a step; null when it cannot be evaluated. */
  valueAt(element: number, step: number): T | null;
  /** The element itself. */
  entry(element: number): number;
}

/** Largest step for a number of size 1: its cube root's error is below float64's. */
const STEP = 2 ** -14;
/** Smaller numbers get a smaller step, down to this size unless that is too large for the loss. */
const SMALLEST = 2 ** -20;
const RETRY = 2 ** -16;

/**
 * Steps for an entry `x`, to be tried in turn: powers of two, small beside x, and beside 1 − x for a
 * probability.
 */
function stepsFor(x: number): number[] {
  const room = x > 0 && x < 1 ? Math.min(x, 1 - x) : Math.abs(x);
  const step = (size: number): number => STEP * 2 ** Math.floor(Math.log2(size));
  const first = step(Math.min(1, Math.max(room, SMALLEST)));
  return [first, first * RETRY, ...(room > 0 && room < SMALLEST ? [step(room)] : [])];
}

/** Derivative of the loss by one element; null when it cannot be evaluated. */
export function elementDerivative<T>(
  source: DifferenceSource<T>,
  element: number,
): ElementDerivative | null {
  // A kink close by looks the same at one step, and not at a far smaller one; the end of a domain
  // and a term such as log(p + 1e-12) next to 0 may be closer than the step as well.
  const found: Quotients[] = [];
  for (const h of stepsFor(source.entry(element))) {
    const next = quotients(source, element, h);
    if (next === null && found.length < 2) return null;
    if (next === null) break;
    found.push(next);
    if (isSettled(next)) break;
  }
  const { rough, ...best } = found.reduce((a, b) => (isBetter(b, a) ? b : a));
  const apart = (q: Quotients): number => Math.abs(q.numeric - best.numeric);
  const others = found.filter((q) => q.numeric !== best.numeric || q.bar !== best.bar);
  const isSure = !rough || others.some((q) => apart(q) <= q.bar + best.bar);
  return isSure ? best : { ...best, bar: Infinity };
}

interface Quotients extends ElementDerivative {
  /** What extrapolating changed is not small beside the derivative: it may have no end. */
  readonly rough: boolean;
}

/** Smooth at this step, and known to most digits of a float64. */
function isSettled({ numeric, bar, kink }: ElementDerivative): boolean {
  return !kink && bar <= 2 ** -40 * Math.abs(numeric);
}

function quotients<T>(source: DifferenceSource<T>, element: number, h: number): Quotients | null {
  const { on } = source;
  const at = (step: number): T | null => source.valueAt(element, step);
  const f0 = at(0);
  const up = at(h);
  const down = at(-h);
  const up2 = at(2 * h);
  const down2 = at(-2 * h);
  if (f0 === null || up === null || down === null || up2 === null || down2 === null) return null;
  const slope = (a: T, b: T, width: number): T =>
    on.binary("div", on.binary("sub", a, b), on.of(width));
  const twice = (x: T): T => on.binary("mul", on.of(2), x);
  const extrapolated = (near: T, far: T): T => on.binary("sub", twice(near), far);
  const ahead = slope(up, f0, h);
  const behind = slope(f0, down, h);
  const right = source.toNumber(extrapolated(ahead, slope(up2, f0, 2 * h)));
  const left = source.toNumber(extrapolated(behind, slope(f0, down2, 2 * h)));
  const near = slope(up, down, 2 * h);
  const far = slope(up2, down2, 4 * h);
  const third = on.binary("div", on.binary("sub", near, far), on.of(3));
  let numeric = source.toNumber(on.binary("add", near, third));
  const noise = (4 * source.noise) / h;
  // At the end of a domain (a power of 0) only one side exists.
  if (Number.isNaN(numeric)) {
    const isRight = Number.isFinite(right);
    const side = isRight ? right : left;
    numeric = side;
    // What extrapolating changed is far more than what it left.
    const change = side - source.toNumber(isRight ? ahead : behind);
    const bar = noise + remainder(change, side, 2 ** -9) + Math.abs(side) * 2 ** -52;
    const rough = isRough(change, side, noise);
    return { element, numeric, bar, left, right, kink: !Number.isFinite(side), rough };
  }
  const change = source.toNumber(third);
  const bar = noise + remainder(change, numeric, 2 ** -18) + Math.abs(numeric) * 2 ** -52;
  const jump = Math.abs(right - left);
  const kink = jump > 2 ** -10 * (Math.abs(right) + Math.abs(left)) + 8 * noise;
  return { element, numeric, bar, left, right, kink, rough: isRough(change, numeric, noise) };
}

/** Whether a quotient at a shorter step is to be preferred. */
function isBetter(shorter: Quotients, q: Quotients): boolean {
  if (q.kink) return true;
  return shorter.rough === q.rough ? shorter.bar < q.bar : q.rough;
}

function isRough(change: number, derivative: number, noise: number): boolean {
  return Math.abs(change) > noise && 8 * Math.abs(change) > Math.abs(derivative);
}

/**
 * The next term of a series beside the square of this one, all in relation to the derivative: 7 for
 * logarithms; 1.2(q−3)(q−4)/((q−1)(q−2)) for powers q, 28 where q is ¾, ever more the nearer q comes
 * to 1, while this term itself vanishes.
 */
const NEXT = 128;

/**
 * Error that an extrapolation leaves, from the error it took away: the next term of the series is
 * smaller by about as much as this one is smaller than the derivative, and by `least` at the best.
 */
function remainder(change: number, derivative: number, least: number): number {
  const size = Math.abs(change);
  const ratio = size === 0 ? 0 : (NEXT * size) / Math.abs(derivative);
  return size * Math.min(1, Math.max(least, ratio));
}

/** Arrays up to this many entries are compared at every element. */
export const ALL_ELEMENTS = 1000;
const EXTREMES = 16;
const FOREGROUND = 64;
const ANYWHERE = 128;

/**
 * Elements to look at one by one, whatever is compared: all of a small array; of a large one the
 * extremes of the gradient, elements anywhere, and ones where the aligned arrays (such as the
 * target) are not 0. The same for the same arrays.
 */
export function sampleElements(
  gradient: ArrayLike<number>,
  aligned: readonly ArrayLike<number>[],
): number[] {
  const count = gradient.length;
  if (count <= ALL_ELEMENTS) return Array.from({ length: count }, (_, k) => k);
  const chosen = new Set<number>();
  for (const k of extremes(gradient, EXTREMES)) chosen.add(k);
  const random = lcg(count);
  for (const other of aligned) {
    // From a random place on, the next entries that are not 0.
    for (let tries = 0, found = 0; tries < 16 * FOREGROUND && found < FOREGROUND; tries++) {
      const k = Math.floor(random() * count);
      for (let j = k; j < Math.min(k + 256, count); j++) {
        if (other[j] !== 0) {
          chosen.add(j);
          found++;
          break;
        }
      }
    }
  }
  for (let k = 0; k < ANYWHERE; k++) chosen.add(Math.floor(random() * count));
  return [...chosen];
}

/** A sample and the elements of the largest errors, in order. */
export function withWorst(
  sample: readonly number[],
  count: number,
  worst: readonly number[],
): number[] {
  if (count <= ALL_ELEMENTS) return [...sample];
  return [...new Set([...sample, ...worst])].sort((a, b) => a - b);
}

/** Indices of the largest and of the smallest entries; NaN counts as both. */
function extremes(values: ArrayLike<number>, take: number): number[] {
  const [highest, lowest] = [new Largest(take), new Largest(take)];
  let [high, low] = [highest.least, -lowest.least];
  for (const [first, end] of parts(values.length)) {
    for (let i = first; i < end; i++) {
      const x = values[i]!;
      if (x <= high && x >= low) continue;
      const isNumber = !Number.isNaN(x);
      if (!(x <= high)) high = highest.offer(i, isNumber ? x : Infinity);
      if (!(x >= low)) low = -lowest.offer(i, isNumber ? -x : Infinity);
    }
  }
  return [...highest.indices, ...lowest.indices];
}

/** Repeatable random numbers: the same sample of the same array every time. */
function lcg(seed: number): () => number {
  let s = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 4294967296;
  };
}
