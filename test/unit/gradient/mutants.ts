/** Right and wrong gradients of a Dice loss, as people write them, in float64 and float32. */
import { type Masks, exact, pairwise } from "./data.ts";

export type Round = (x: number) => number;

/** Sums of a Dice loss with every operation rounded, and what its formulas are made of. */
export interface Sums {
  readonly i: number;
  readonly a: number;
  readonly b: number;
  readonly n: number;
  readonly smooth: number;
}

export function sumsOf({ p, t }: Masks, smooth: number, squared: boolean, round: Round): Sums {
  const n = p.length;
  const i = pairwise((k) => round(p[k]! * t[k]!), 0, n, round);
  const u = squared
    ? pairwise((k) => round(round(p[k]! * p[k]!) + t[k]!), 0, n, round)
    : pairwise((k) => round(p[k]! + t[k]!), 0, n, round);
  return { i, a: round(round(2 * i) + smooth), b: round(u + smooth), n, smooth };
}

/** One element, from its prediction, target and dU/dp. */
type Element = (p: number, t: number, slope: number, s: Sums, r: Round) => number;

/** Six ways to write the same gradient. */
export const RIGHT: Readonly<Record<string, Element>> = {
  "two terms": (_p, t, v, s, r) => r(r(r(-2 * t) / s.b) + r(r(v * s.a) / r(s.b * s.b))),
  "one fraction": (_p, t, v, s, r) => r(r(r(v * s.a) - r(r(2 * t) * s.b)) / r(s.b * s.b)),
  reciprocal: (_p, t, v, s, r) => {
    const q = r(1 / s.b);
    return r(r(r(-2 * t) * q) + r(r(r(v * s.a) * q) * q));
  },
  "chain over tp, fp and fn": (_p, t, v, s, r) => {
    // D = a/(2tp + fp + fn + s): what tp gains, fp or fn loses.
    const byDen = r(s.a / r(s.b * s.b));
    const byTp = r(r(-2 / s.b) + r(2 * byDen));
    return r(r(byTp * t) + r(byDen * r(r(v - t) - t)));
  },
  "means for sums": (_p, t, v, s, r) => {
    const a = r(s.a / s.n);
    const b = r(s.b / s.n);
    return r(r(r(r(-2 * t) / s.n) / b) + r(r(r(v / s.n) * a) / r(b * b)));
  },
  "logarithmic derivative": (_p, t, v, s, r) => r(r(s.a / s.b) * r(r(v / s.b) - r(r(2 * t) / s.a))),
};

/** Mistakes: eleven with `oneVoxelZero`, and two of a public implementation's backward. */
export const WRONG: Readonly<Record<string, Element>> = {
  "quotient term dropped": (_p, t, _v, s, r) => r(r(-2 * t) / s.b),
  "wrong sign": (p, t, v, s, r) => -RIGHT["two terms"]!(p, t, v, s, r),
  "all zero": () => 0,
  "factor 2 missing": (_p, t, v, s, r) => r(r(-t / s.b) + r(r(v * s.a) / r(s.b * s.b))),
  "derivative of the other variant's sum": (p, t, v, s, r) =>
    RIGHT["two terms"]!(p, t, v === 1 ? 2 * p : 1, s, r),
  "prediction and target swapped": (p, t, v, s, r) =>
    RIGHT["two terms"]!(t, p, v === 1 ? 1 : 2 * t, s, r),
  "twice too large": (p, t, v, s, r) => 2 * RIGHT["two terms"]!(p, t, v, s, r),
  "1 % too large": (p, t, v, s, r) => r(1.01 * RIGHT["two terms"]!(p, t, v, s, r)),
  "0.05 % too large": (p, t, v, s, r) => r(1.0005 * RIGHT["two terms"]!(p, t, v, s, r)),
  "the square of the denominator cancelled by precedence": (_p, t, v, s, r) =>
    r(r(r(-2 * t) / s.b) + r(r(r(v * s.a) / s.b) * s.b)),
  "both terms of one sign": (_p, t, v, s, r) => r(r(r(2 * t) / s.b) + r(r(v * s.a) / r(s.b * s.b))),
  "no smoothing in the numerator": (_p, t, v, s, r) =>
    r(r(r(-2 * t) / s.b) + r(r(v * r(2 * s.i)) / r(s.b * s.b))),
};

export function gradientBy(
  element: Element,
  masks: Masks,
  smooth: number,
  squared: boolean,
  round: Round = exact,
): Float64Array {
  const sums = sumsOf(masks, smooth, squared, round);
  const { p, t } = masks;
  const g = new Float64Array(p.length);
  for (let k = 0; k < g.length; k++) {
    g[k] = element(p[k]!, t[k]!, squared ? 2 * p[k]! : 1, sums, round);
  }
  return g;
}

/** The eleventh mistake: the right gradient with its first foreground voxel zero. */
export function oneVoxelZero(masks: Masks, right: Float64Array): Float64Array {
  const g = right.slice();
  g[masks.t.indexOf(1)] = 0;
  return g;
}
