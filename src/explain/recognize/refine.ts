/** Smoothing to all its digits: measured on regions so small that it is not lost beside the sums. */
import type { Region } from "../../losses/spec.ts";
import type { Probe } from "./probe.ts";
import { type Fit, type Ratio, sumsOf, tidy } from "./ratio.ts";
import { withinRegion } from "./regions.ts";

/** Fill of the regions, relative to ordinary ones. */
const SMALL = 1e-4;
/** Entries that are not zero: with more of them the sums only grow. */
const FEW = 2;

/**
 * The fit with its smoothing as small regions show it, and as ordinary ones do: on small regions a
 * lower limit of the denominator may hold, and then they show that instead.
 */
export function* refined(probe: Probe, region: Region, fit: Fit): Generator<Fit> {
  const ratio = snapped(fit.ratio);
  let small = onSmallRegions(probe, region, { ...fit, ratio }, SMALL);
  if (small !== null) {
    // Once more where the sums are of the smoothing's own size.
    const { sums, n, d } = small.ratio;
    const power = Math.max(sums.predictionPower, sums.targetPower, sums.errorPower);
    const fill = Math.max(Math.abs(n), Math.abs(d)) ** (1 / power) / 10;
    if (fill > 0 && fill < SMALL) small = onSmallRegions(probe, region, small, fill) ?? small;
    yield small;
  }
  const plain = (v: number): number => (Math.abs(v) < NOISE ? 0 : v);
  const [n, d] = [plain(ratio.n), plain(ratio.d)];
  if (small?.ratio.n !== n || small.ratio.d !== d) yield { ...fit, ratio: { ...ratio, n, d } };
}

function onSmallRegions(
  probe: Probe,
  region: Region,
  { shape, ratio }: Fit,
  fill: number,
): Fit | null {
  const { spread, size } = withinRegion(probe, region);
  // (a - y)(U + d) = b I + n: two equations for d and n.
  const equations = [0, 1].map(() => {
    const few = (v: number, k: number): number => (k < FEW ? v * fill : 0);
    const [p, t] = [probe.draw(size).map(few), probe.draw(size).map(few)];
    const y = shape.inverse(probe.value(spread(p), spread(t)));
    const [I, X, Y] = sumsOf(ratio.sums, p, t);
    const rest = ratio.sums.errorPower === 0 ? 1 - ratio.alpha - ratio.beta : 1;
    const U = rest * I + ratio.alpha * X + ratio.beta * Y;
    return { g: ratio.a - y, right: ratio.b * I - (ratio.a - y) * U };
  });
  const [e, f] = equations as [(typeof equations)[0], (typeof equations)[0]];
  let d = (e.right - f.right) / (e.g - f.g);
  let n = e.g * d - e.right;
  // Alone the denominator's is known far better.
  if (Math.abs(n) <= 1e-3 * Math.abs(d)) [n, d] = [0, (e.right / e.g + f.right / f.g) / 2];
  const near = (x: number, y: number): boolean => Math.abs(x - y) <= 1e-5 * Math.abs(y) + NOISE;
  if (!Number.isFinite(d) || !near(d, ratio.d) || !near(n, ratio.n)) return null;
  return { shape, ratio: { ...ratio, d: tidySmall(d), n: tidySmall(n) } };
}

/** What a fit knows of smoothing beside sums of ordinary size. */
const NOISE = 1e-6;

/** The weights of the sums as the round numbers that they are but for the fit's noise. */
function snapped(r: Ratio): Ratio {
  const round = (v: number): number => {
    const short = Number(v.toPrecision(5));
    return Math.abs(short - v) <= NOISE * Math.abs(v) ? short : v;
  };
  return { ...r, a: round(r.a), b: round(r.b), alpha: round(r.alpha), beta: round(r.beta) };
}

function tidySmall(x: number): number {
  return Math.abs(x) < 1e-14 ? 0 : Math.abs(x) < 1e-9 ? x : tidy(x);
}
