/**
 * Derivative of a scalar function of one step, from a few of its values, by fitting the form that
 * the function is known to have.
 *
 * Along a line a linear Dice, IoU or Tversky loss is a Möbius function of the step,
 * f(x) = (a + αx)/(b + βx). With A and B its forward and backward difference quotients at any step,
 * the harmonic mean 2AB/(A + B) is f'(0) exactly: there is no truncation error to trade against
 * rounding, so the step can be as large as the domain allows. Squared forms are quotients of two
 * quadratics, which five values determine. Two values the fit did not use say whether the function
 * has that form at all: a clamp, a threshold or an extra term shows there.
 *
 * Nothing here knows the loss; it sees only `f`.
 */

/** The function along a path: its value at a step in [-1, 1]. */
export type PathFunction = (x: number) => number;

/** Absolute rounding error to expect of one value of the function. */
export type Noise = (value: number) => number;

export interface Probe {
  readonly derivative: number;
  /** The derivative lies within ± this much, provided the function has the fitted form. */
  readonly bar: number;
  /**
   * Largest misfit at the two unused steps, in units of the misfit that rounding alone explains.
   * At most 1 where the function has the fitted form; far more where it has not.
   */
  readonly residual: number;
  readonly evaluations: number;
}

/** Degree of numerator and denominator of the fit: 1 for Möbius, 2 for a quotient of quadratics. */
export type FitDegree = 1 | 2;

/** Unit roundoff of float64. */
export const UNIT_ROUNDOFF = 2 ** -53;

/**
 * Rounding error of one evaluation of a loss that reduces `n` terms by pairwise or blocked sums,
 * relative to the larger of the value and its distance from 1 (a Dice loss is 1 minus a ratio).
 */
export function relativeNoise(n: number, unit = UNIT_ROUNDOFF): number {
  return (4 + 0.5 * Math.log2(Math.max(n, 1))) * unit;
}

interface Fit {
  readonly derivative: number;
  predict(x: number): number;
}

interface Sample {
  readonly x: number;
  readonly value: number;
  readonly noise: number;
}

/** Steps whose values determine the fit (besides 0), and two more that test it. */
const STEPS: Record<
  FitDegree,
  { readonly used: readonly number[]; readonly unused: readonly number[] }
> = {
  1: { used: [-1, 1], unused: [0.5, -0.75] },
  2: { used: [-0.5, 0.5, -1, 1], unused: [0.75, -0.25] },
};

/** f'(0) of a function that is a quotient of two polynomials of the given degree in the step. */
export function rationalProbe(f: PathFunction, degree: FitDegree, noise: Noise): Probe {
  const { used, unused } = STEPS[degree];
  const sample = (x: number): Sample => {
    const value = f(x);
    return { x, value, noise: noise(value) };
  };
  const origin = sample(0);
  const nodes = used.map(sample);
  const tests = unused.map(sample);
  const all = [origin, ...nodes];
  const evaluations = all.length + tests.length;
  if ([...all, ...tests].some((s) => !Number.isFinite(s.value))) {
    return { derivative: NaN, bar: Infinity, residual: Infinity, evaluations };
  }
  const level = Math.max(...all.map((s) => s.noise));
  const solve = (values: readonly number[]): Fit =>
    degree === 1 ? moebius(values, level) : quadratic(values, level);
  const values = all.map((s) => s.value);
  const fit = solve(values);
  // Each value moved by its own rounding error, one at a time, and the effects added up.
  const moved = all.flatMap((s, k) =>
    [s.noise, -s.noise].map((d) => solve(values.map((v, i) => (i === k ? v + d : v)))),
  );
  const spread = (of: (fit: Fit) => number): number => {
    const here = of(fit);
    let total = 0;
    for (let k = 0; k < moved.length; k += 2) {
      total += Math.max(Math.abs(of(moved[k]!) - here), Math.abs(of(moved[k + 1]!) - here));
    }
    return total;
  };
  const bar = spread((g) => g.derivative) + 8 * UNIT_ROUNDOFF * Math.abs(fit.derivative);
  let residual = 0;
  for (const t of tests) {
    const misfit = Math.abs(fit.predict(t.x) - t.value);
    const explained = spread((g) => g.predict(t.x)) + t.noise;
    const ratio = misfit === 0 ? 0 : misfit / explained;
    residual = Math.max(residual, Number.isNaN(ratio) ? Infinity : ratio);
  }
  return { derivative: fit.derivative, bar, residual, evaluations };
}

/** values: at 0, -1, 1. */
function moebius(values: readonly number[], noise: number): Fit {
  const [f0, back, ahead] = values as [number, number, number];
  const a = ahead - f0;
  const b = f0 - back;
  // Where both differences are rounding the harmonic mean is a quotient of noise; a straight line
  // through the values is as good a fit.
  if (Math.abs(a + b) <= 16 * noise) return line(f0, (a + b) / 2);
  const derivative = (2 * a * b) / (a + b);
  const pole = (b - a) / (a + b);
  return {
    derivative,
    // Opposite signs: the function is not monotone, so no Möbius function without a pole fits.
    predict: (x) => (Math.abs(pole) < 1 ? f0 + (derivative * x) / (1 + pole * x) : NaN),
  };
}

function line(f0: number, slope: number): Fit {
  return { derivative: slope, predict: (x) => f0 + slope * x };
}

/**
 * values: at 0, -½, ½, -1, 1. With q(t) = (f(t) − f(0))/t the unknowns of
 * α + βt = q(t)·(1 + b₁t + b₂t²) split into even and odd parts, which leaves a 2×2 system for b₁ and
 * b₂; α is the derivative. The system is singular where the function has lower degree than
 * quadratic over quadratic. Then directions that rounding alone determines are dropped (truncated
 * singular values), which picks the simplest of the fits that agree.
 */
function quadratic(values: readonly number[], noise: number): Fit {
  const [f0, m1, p1, m2, p2] = values as [number, number, number, number, number];
  // t = ±1 at x = ±½ and t = ±2 at x = ±1; q is per unit of t.
  const qp1 = p1 - f0;
  const qm1 = f0 - m1;
  const qp2 = (p2 - f0) / 2;
  const qm2 = (f0 - m2) / 2;
  const e1 = (qp1 + qm1) / 2;
  const o1 = (qp1 - qm1) / 2;
  const e2 = (qp2 + qm2) / 2;
  const o2 = (qp2 - qm2) / 2;
  const [b1, b2] = solveTruncated(
    [o1 - 2 * o2, e1 - 4 * e2, 2 * (e1 - e2), 2 * o1 - 4 * o2],
    [e2 - e1, o2 - 2 * o1],
    32 * noise,
  );
  const alpha = e1 * (1 + b2) + o1 * b1;
  const beta = o1 * (1 + b2) + e1 * b1;
  const denominator = (t: number): number => 1 + b1 * t + b2 * t * t;
  const turn = b2 > 0 ? Math.min(Math.max(-b1 / (2 * b2), -2), 2) : 0;
  const regular = Math.min(denominator(-2), denominator(2), denominator(turn)) > 0;
  return {
    derivative: 2 * alpha,
    predict: (x) => {
      const t = 2 * x;
      return regular ? f0 + (t * (alpha + beta * t)) / denominator(t) : NaN;
    },
  };
}

/** Least-norm solution of the 2×2 system [m0 m1; m2 m3] b = r, ignoring singular values ≤ floor. */
function solveTruncated(
  m: readonly [number, number, number, number],
  r: readonly [number, number],
  floor: number,
): [number, number] {
  const [a, b, c, d] = m;
  // Singular value decomposition of a 2×2 matrix as a sum of a rotation-like and a
  // reflection-like part; stable, and exact for the larger singular value.
  const e = (a + d) / 2;
  const f = (a - d) / 2;
  const g = (c + b) / 2;
  const h = (c - b) / 2;
  const q = Math.hypot(e, h);
  const s = Math.hypot(f, g);
  const large = q + s;
  if (large <= floor) return [0, 0];
  const small = Math.abs(a * d - b * c) / large;
  if (small > floor) {
    // Cramer's rule is accurate enough here: the caller propagates rounding through this very solve.
    const det = a * d - b * c;
    return [(r[0] * d - b * r[1]) / det, (a * r[1] - c * r[0]) / det];
  }
  const plus = Math.atan2(h, e);
  const minus = Math.atan2(g, f);
  const left = (plus + minus) / 2;
  const right = (minus - plus) / 2;
  const projected = (Math.cos(left) * r[0] + Math.sin(left) * r[1]) / large;
  return [Math.cos(right) * projected, Math.sin(right) * projected];
}
