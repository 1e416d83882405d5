/**
 * How much of the difference between two gradients each change accounts for. The losses between the
 * two are evaluated one change at a time, in every order; a change's share is the part of the whole
 * difference that lies along it, averaged over the orders (a Shapley value), so the shares add up to
 * one. The least and the most over the orders bound what the order can do.
 */
import { parts, filled } from "../../numbers/interruption.ts";

export interface Share {
  /** Of the whole difference: 1 is all of it; negative where a change works against the others. */
  readonly share: number;
  readonly least: number;
  readonly most: number;
}

/** The share of one step, from a gradient to another, that is the same in every order. */
export type StepShare = (from: ArrayLike<number>, to: ArrayLike<number>) => Share;

/**
 * How far a gradient lies along the way from one gradient to another: 0 at the start, 1 at the end.
 * Null when they do not differ.
 */
function alongFrom(
  start: ArrayLike<number>,
  end: ArrayLike<number>,
): ((g: ArrayLike<number>) => number | null) | null {
  const whole = filled(new Float64Array(end.length), (k) => end[k]! - start[k]!);
  const size = dotOf(whole.length, (k) => whole[k]!, whole);
  if (!(size > 0) || !Number.isFinite(size)) return null;
  return (g) => {
    const dot = dotOf(whole.length, (k) => g[k]! - start[k]!, whole);
    return Number.isFinite(dot) ? dot / size : null;
  };
}

function dotOf(count: number, x: (k: number) => number, y: Float64Array): number {
  let dot = 0;
  for (const [first, end] of parts(count)) {
    for (let k = first; k < end; k++) dot += x(k) * y[k]!;
  }
  return dot;
}

/** Null when the gradients do not differ. */
export function stepsBetween(start: ArrayLike<number>, end: ArrayLike<number>): StepShare | null {
  const along = alongFrom(start, end);
  if (along === null) return null;
  return (from, to) => {
    const share = (along(to) ?? NaN) - (along(from) ?? NaN);
    return { share, least: share, most: share };
  };
}

/** Changes whose orders are all walked; with more of them a sample of the orders is. */
const EVERY_ORDER = 6;
const SAMPLED_ORDERS = 24;

/**
 * @param count number of changes
 * @param gradientAfter the gradient with a set of changes made (a bit a change); null where that
 *   loss does not exist
 * @param ends the gradients that all is measured from and to, where something comes before the
 *   changes or after them
 * @returns a share a change, and those of steps before and after them; null when the gradients do
 *   not differ or too few losses exist
 */
export function sharesOf(
  count: number,
  gradientAfter: (made: number) => ArrayLike<number> | null,
  ends: { readonly start?: ArrayLike<number>; readonly end?: ArrayLike<number> } = {},
): { readonly changes: Share[]; readonly step: StepShare } | null {
  const known = new Map<number, number | null>();
  const first = ends.start ?? gradientAfter(0);
  const last = ends.end ?? gradientAfter(2 ** count - 1);
  if (first === null || last === null) return null;
  const along = alongFrom(first, last);
  const step = stepsBetween(first, last);
  if (along === null || step === null) return null;
  const progress = (made: number): number | null => {
    const before = known.get(made);
    if (before !== undefined) return before;
    const g = gradientAfter(made);
    const far = g === null ? null : along(g);
    known.set(made, far);
    return far;
  };
  const sums = Array.from({ length: count }, () => ({
    total: 0,
    least: Infinity,
    most: -Infinity,
  }));
  let orders = 0;
  for (const order of ordersOf(count)) {
    const steps: number[] = [];
    let made = 0;
    for (const change of order) {
      const before = progress(made);
      made |= 1 << change;
      const after = progress(made);
      if (before === null || after === null) break;
      steps.push(after - before);
    }
    if (steps.length < count) continue;
    orders++;
    order.forEach((change, k) => {
      const own = sums[change]!;
      own.total += steps[k]!;
      own.least = Math.min(own.least, steps[k]!);
      own.most = Math.max(own.most, steps[k]!);
    });
  }
  if (orders === 0) return null;
  return {
    changes: sums.map(({ total, least, most }) => ({ share: total / orders, least, most })),
    step,
  };
}

function* ordersOf(count: number): Generator<number[]> {
  const all = Array.from({ length: count }, (_, k) => k);
  if (count <= EVERY_ORDER) {
    yield* permutations(all);
    return;
  }
  let state = 1;
  for (let n = 0; n < SAMPLED_ORDERS; n++) {
    const order = [...all];
    for (let k = order.length - 1; k > 0; k--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = state % (k + 1);
      [order[k], order[j]] = [order[j]!, order[k]!];
    }
    // Each order and its reverse: what comes early in one comes late in the other.
    yield n % 2 === 0 ? order : order.reverse();
  }
}

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) {
    yield [];
    return;
  }
  for (const first of items) {
    for (const rest of permutations(items.filter((x) => x !== first))) yield [first, ...rest];
  }
}
