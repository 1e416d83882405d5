/** Smoothing to all its digits: measured on regions so small that it is not lost beside the sums. */
import type { Region } from "../../losses/spec.ts";
import type { Probe } from "./probe.ts";
import { type Fit, sumsOf, tidy } from "./ratio.ts";
import { withinRegion } from "./regions.ts";

/** Fill of the regions, relative to ordinary ones. */
const SMALL = 1e-4;

export function refined(probe: Probe, region: Region, fit: Fit): Fit {
  const { ratio, shape } = fit;
  const { of, size } = withinRegion(probe, region);
  // (a - y)(U + d) = b I + n: two equations for d and n.
  const equations = [0, 1].map(() => {
    const p = probe.draw(size).map((v) => v * SMALL);
    const t = probe.draw(size).map((v) => v * SMALL);
    const spread = (v: Float64Array): Float64Array => Float64Array.from(of, (k) => v[k]!);
    const y = shape.inverse(probe.value(spread(p), spread(t)));
    const [I, X, Y] = sumsOf(ratio.sums, p, t);
    const rest = ratio.sums.errorPower === 0 ? 1 - ratio.alpha - ratio.beta : 1;
    const U = rest * I + ratio.alpha * X + ratio.beta * Y;
    return { g: ratio.a - y, right: ratio.b * I - (ratio.a - y) * U };
  });
  const [e, f] = equations as [(typeof equations)[0], (typeof equations)[0]];
  const d = (e.right - f.right) / (e.g - f.g);
  const n = e.g * d - e.right;
  const near = (x: number, y: number): boolean => Math.abs(x - y) <= 1e-5 * Math.abs(y) + 1e-7;
  if (!Number.isFinite(d) || !near(d, ratio.d) || !near(n, ratio.n)) return fit;
  return { shape, ratio: { ...ratio, d: tidySmall(d), n: tidySmall(n) } };
}

function tidySmall(x: number): number {
  return Math.abs(x) < 1e-14 ? 0 : Math.abs(x) < 1e-9 ? x : tidy(x);
}
