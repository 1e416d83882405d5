/**
 * The ratio of a loss from its values: when every region holds the same entries, a loss of the family
 * is f(N/U) of one region, N and U linear in three sums. For each f and each choice of sums that the
 * code could mean, y = f⁻¹(loss) is tested for being such a fraction: y·U = c·(sums, 1) holds at more
 * points than it has coefficients, or the choice is wrong. The coefficients are what the code says of
 * smoothing, weights and factors, whatever way it is written.
 */
import type { LossOfScore, Outer, Overlap, Region } from "../../losses/spec.ts";
import { nullVector } from "./linear.ts";
import type { Probe } from "./probe.ts";
import { withinRegion } from "./regions.ts";

/** Three sums over a region: the overlap, and two others that the denominator is made of. */
export interface Sums {
  readonly overlap: Overlap;
  readonly predictionPower: number;
  readonly targetPower: number;
  /** Powers of p(1 - t) and (1 - p)t, whose sums then stand for the other two; else 0. */
  readonly errorPower: number;
}

/** y = a - (b·I + n) / (I + alpha·FP + beta·FN + d) of one region, Tversky's way to write all ratios. */
export interface Ratio {
  readonly sums: Sums;
  readonly a: number;
  readonly b: number;
  readonly n: number;
  readonly d: number;
  readonly alpha: number;
  readonly beta: number;
}

/** How the value of the loss follows from y, with the factor k outside it. */
export interface Shape {
  readonly loss: LossOfScore | "linear";
  readonly outer: Outer;
  /** Known only where y says nothing of it, as with logarithms. */
  readonly factor: number | null;
  readonly inverse: (loss: number) => number;
  /** The loss of one region from its y, up to the factor. */
  readonly forward: (y: number) => number;
}

export interface Fit {
  readonly ratio: Ratio;
  readonly shape: Shape;
}

/** Points beyond the eight coefficients: a wrong choice of sums does not pass them by chance. */
const POINTS = 14;

/** The least of what a region is filled with, of a full one. */
const LEAST_FILL = 0.01;

/** How far scores of unlike regions are apart at least. */
const LEAST_SPREAD = 1e-12;

/** Every reading of the loss's values, simplest first. */
export function* fitRatio(
  probe: Probe,
  region: Region,
  shapes: readonly Shape[],
  choices: readonly Sums[],
): Generator<Fit> {
  const { spread, size } = withinRegion(probe, region);
  const points = Array.from({ length: POINTS }, () => {
    // Regions of very different fill, so that no sum looks like another.
    const [f, g] = [probe.draw(1)[0]!, probe.draw(1)[0]!].map((v) => LEAST_FILL ** (1 - v));
    const p = probe.draw(size).map((v) => v * f!);
    const t = probe.draw(size).map((v) => v * g!);
    return { p, t, loss: probe.value(spread(p), spread(t)) };
  });
  if (!points.every((x) => Number.isFinite(x.loss))) return;
  for (const shape of shapes) {
    const ys = points.map((x) => shape.inverse(x.loss));
    // Where an inverse makes one number of everything there is no ratio to be seen.
    if (!ys.every(Number.isFinite) || Math.max(...ys) - Math.min(...ys) < LEAST_SPREAD) continue;
    for (const sums of choices) {
      const rows = points.map(({ p, t }, k) => {
        const f = [...sumsOf(sums, p, t), 1];
        return [...f.map((v) => v * ys[k]!), ...f];
      });
      const v = nullVector(rows);
      const ratio = v === null ? null : ratioOf(sums, v);
      if (ratio !== null) yield { ratio, shape };
    }
  }
}

/** Overlap and the two other sums. */
export function sumsOf(
  { overlap, predictionPower, targetPower, errorPower }: Sums,
  p: ArrayLike<number>,
  t: ArrayLike<number>,
): [number, number, number] {
  let [I, X, Y, P, T, apart] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < p.length; k++) {
    const [q, g] = [p[k]!, t[k]!];
    I += overlap === "squared product" ? (q * g) ** 2 : q * g;
    X += errorPower === 0 ? q ** predictionPower : (q * (1 - g)) ** errorPower;
    Y += errorPower === 0 ? g ** targetPower : ((1 - q) * g) ** errorPower;
    P += q;
    T += g;
    apart += Math.abs(q - g);
  }
  return [overlap === "l1" ? (P + T - apart) / 2 : I, X, Y];
}

function ratioOf(sums: Sums, v: Float64Array): Ratio | null {
  const [u0, u1, u2, u3] = v as unknown as [number, number, number, number];
  // The vector means Σ u y f + Σ c f = 0.
  const c = Array.from(v.slice(4), (x) => -x);
  const size = Math.max(Math.abs(u0), Math.abs(u1), Math.abs(u2));
  const largest = Math.max(Math.abs(u1), Math.abs(u2));
  if (largest < 1e-6) return null;
  const a = Math.abs(u1) >= Math.abs(u2) ? c[1]! / u1 : c[2]! / u2;
  const consistent = (u: number, w: number): boolean => Math.abs(w - a * u) <= 1e-6 * largest;
  if (!consistent(u1, c[1]!) || !consistent(u2, c[2]!)) return null;
  const scale = sums.errorPower === 0 ? u0 + u1 + u2 : u0;
  if (Math.abs(scale) < 1e-6 * size) return null;
  return {
    sums,
    a: tidy(a),
    b: tidy((a * u0 - c[0]!) / scale),
    n: tidy((a * u3 - c[3]!) / scale),
    d: tidy(u3 / scale),
    alpha: tidy(u1 / scale),
    beta: tidy(u2 / scale),
  };
}

/** The number with few digits that this one is but for rounding. */
export function tidy(x: number): number {
  if (Math.abs(x) < 1e-9) return 0;
  for (let digits = 1; digits <= 8; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.abs(short - x) <= 1e-9 * Math.abs(x)) return short;
  }
  return x;
}
