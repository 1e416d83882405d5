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
/** So many times steps are taken that are shorter than all before, where these tell nothing. */
const RESTARTS = 5;
/** An error estimate, in relation to the derivative, beyond which shorter steps are tried. */
const ROUGH = 1e-3;

/**
 * f'(0) from central differences at first, first/2, … and their extrapolation to step 0. Where they
 * do not settle, as beside an ε far below the steps, shorter ones are taken.
 * `first` is the largest step: the function must be defined on [-first, first].
 */
export function ridders(f: PathFunction, noise: Noise, first = 1): RiddersResult {
  let evaluations = 0;
  let best: RiddersResult | null = null;
  for (let k = 0; ; k++) {
    const { settled, rough, ...found } = extrapolated(f, noise, first / 2 ** (LEVELS * k));
    evaluations += found.evaluations;
    if (settled && (best === null || found.bar < best.bar)) best = found;
    const isLast = k === RESTARTS || (settled && (!rough || found.kink !== null));
    if (isLast) return { ...(best ?? { ...found, bar: Infinity }), evaluations };
  }
}

interface Extrapolated extends RiddersResult {
  /** The differences approach a limit, or nothing finite comes back from which to tell. */
  readonly settled: boolean;
  /** Few digits are known, and rounding is not why: shorter steps may know more. */
  readonly rough: boolean;
}

function extrapolated(f: PathFunction, noise: Noise, first: number): Extrapolated {
  const origin = f(0);
  const ahead: number[] = [];
  const behind: number[] = [];
  const central: number[] = [];
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
    central.push(row[0]!);
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
  return {
    derivative,
    bar,
    evaluations,
    kink: findKink(ahead, behind, level, first),
    settled: !Number.isFinite(derivative) || isSettled(central, level / h),
    rough: estimate > floor && estimate > ROUGH * Math.abs(derivative),
  };
}

/**
 * Whether central differences at halved steps approach a limit: at last their changes are to become
 * smaller, each a quarter of the one before. While they do not, an extrapolation is no limit, and its
 * own error an accident.
 * @param rounding of the last of them
 */
function isSettled(central: readonly number[], rounding: number): boolean {
  const changes = central.slice(1).map((c, k) => Math.abs(c - central[k]!));
  const last = changes.at(-1)!;
  return last <= Math.max(...changes.slice(-3, -1)) / 2 || last <= 4 * rounding;
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
