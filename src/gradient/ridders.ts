/**
 * Ridders' extrapolated central difference, for functions of one step whose form is not known.
 *
 * C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering
 * Software 4 (1982) 75-76. Its own error estimate is sometimes too small, so the bar returned adds
 * the rounding floor and a factor of 3.
 */
import type { Noise, PathFunction } from "./probe.ts";

export interface RiddersResult {
  readonly derivative: number;
  /** The derivative lies within ± this much where the function is smooth. */
  readonly bar: number;
  readonly evaluations: number;
  /** Slopes from the left and the right, when they differ by more than rounding explains. */
  readonly kink: { readonly left: number; readonly right: number } | null;
}

/** All levels are taken: a tableau that stops at the first worse entry stops by accident too. */
const LEVELS = 6;

/**
 * f'(0) from central differences at first, first/2, … and their extrapolation to step 0.
 * `first` is the largest step: the function must be defined on [-first, first].
 */
export function ridders(f: PathFunction, noise: Noise, first = 1): RiddersResult {
  const origin = f(0);
  const ahead: number[] = [];
  const behind: number[] = [];
  let previous: number[] = [];
  let derivative = NaN;
  let estimate = Infinity;
  let level = noise(origin);
  let h = first;
  for (let i = 0; i < LEVELS; i++, h /= 2) {
    const up = f(h);
    const down = f(-h);
    level = Math.max(level, noise(up), noise(down));
    ahead.push((up - origin) / h);
    behind.push((origin - down) / h);
    const row = [(up - down) / (2 * h)];
    for (let j = 1, factor = 4; j <= i; j++, factor *= 4) {
      row.push((factor * row[j - 1]! - previous[j - 1]!) / (factor - 1));
      const error = Math.max(Math.abs(row[j]! - row[j - 1]!), Math.abs(row[j]! - previous[j - 1]!));
      if (error <= estimate) {
        estimate = error;
        derivative = row[j]!;
      }
    }
    previous = row;
  }
  const evaluations = 1 + 2 * ahead.length;
  const floor = level / (first / 8);
  const bar = Number.isFinite(derivative) ? 3 * (estimate + floor) : Infinity;
  return { derivative, bar, evaluations, kink: findKink(ahead, behind, level, first) };
}

/**
 * Forward minus backward difference tends to 0 with the step where the function is smooth, and to
 * the jump of the slope where it has a kink at the point.
 */
function findKink(
  ahead: readonly number[],
  behind: readonly number[],
  noise: number,
  first: number,
): { left: number; right: number } | null {
  const n = ahead.length;
  const right = limit(ahead);
  const left = limit(behind);
  const rounding = (16 * noise) / (first / 2 ** (n - 1));
  const jump = Math.abs(right.value - left.value);
  const known = 8 * (right.error + left.error) + rounding;
  // A slope that still turns on the finest steps is strong curvature, not a kink.
  const settled = jump > 0.5 * Math.abs(ahead[n - 1]! - behind[n - 1]!);
  return jump > known && settled ? { left: left.value, right: right.value } : null;
}

/** Limit at step 0 of values taken at h, h/2, h/4, …: Neville's scheme in powers of h. */
function limit(values: readonly number[]): { value: number; error: number } {
  let row: number[] = [];
  let best = { value: values.at(-1) ?? NaN, error: Infinity };
  values.forEach((v, i) => {
    const next = [v];
    for (let j = 1, factor = 2; j <= i; j++, factor *= 2) {
      next.push((factor * next[j - 1]! - row[j - 1]!) / (factor - 1));
      const error = Math.max(Math.abs(next[j]! - next[j - 1]!), Math.abs(next[j]! - row[j - 1]!));
      if (error <= best.error) best = { value: next[j]!, error };
    }
    row = next;
  });
  return best;
}
