/** Axes of plots: their ends, and the numbers written along them. */
import { powerOfTen } from "./format.ts";

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  /** Labels are values times ten to minus this, so that none of them needs an exponent. */
  readonly exponent: number;
}

/** A linear axis from `low` to `high` with about `count` round numbers on it. */
export function linearTicks(low: number, high: number, count: number): Axis {
  let [a, b] = [low, high];
  if (!(Number.isFinite(a) && Number.isFinite(b))) [a, b] = [0, 1];
  if (!(b > a)) {
    const half = Math.abs(a) / 2 || 0.5;
    [a, b] = [a - half, a + half];
  }
  const step = roundStep((b - a) / count);
  // The range may be far smaller than the values in it, or not be finite: no ticks are better then
  // than ticks that all read the same, or never end.
  const first = Math.ceil(a / step);
  const last = Math.floor(b / step);
  const useful = Number.isFinite(b - a) && last - first < 20 && (first + 1) * step > first * step;
  const largest = Math.max(Math.abs(a), Math.abs(b));
  const magnitude = Math.floor(Math.log10(largest));
  const exponent = magnitude > 3 || magnitude < -2 ? magnitude : 0;
  const decimals = Math.min(12, Math.max(0, exponent - Math.floor(Math.log10(step) + 1e-9)));
  const ticks = useful
    ? Array.from({ length: last - first + 1 }, (_, k) => {
        const at = (first + k) * step;
        const scaled = (at / 10 ** exponent).toFixed(decimals);
        return { at, label: (Number(scaled) === 0 ? "0" : scaled).replace("-", "\u2212") };
      })
    : [];
  return { low: a, high: b, ticks, exponent };
}

/** A logarithmic axis for counts: it runs from a little below 1, and places are powers of ten. */
export function logTicks(most: number): Axis {
  const high = Math.max(1, Math.log10(most) + 0.05);
  const step = Math.ceil(high / 5);
  const ticks = [];
  for (let at = 0; at <= high; at += step)
    ticks.push({ at, label: at < 4 ? String(10 ** at) : powerOfTen(at) });
  return { low: -0.3, high, ticks, exponent: 0 };
}

/** A logarithmic axis from `low` to `high`, both above 0; places are powers of ten. */
export function decadeTicks(low: number, high: number): Axis {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const end = Math.max(last, first + 1);
  const step = Math.ceil((end - first) / 6);
  const ticks = [];
  for (let at = end; at >= first; at -= step) ticks.push({ at, label: powerOfTen(at) });
  return { low: first, high: end, ticks: ticks.reverse(), exponent: 0 };
}

/** Numbers of things from 0 on: powers of ten from 1 up, and 0 in a place of its own before them. */
export function countTicks(most: number): Axis {
  const high = Math.max(1, Math.log10(Math.max(1, most)));
  const step = Math.ceil(high / 5);
  const ticks = [{ at: NO_COUNT, label: "0" }];
  for (let at = 0; at <= high; at += step)
    ticks.push({ at, label: at < 4 ? String(10 ** at) : powerOfTen(at) });
  return { low: NO_COUNT - 0.1, high: high + 0.05, ticks, exponent: 0 };
}

/** Where 0 stands on an axis of counts, on which 1 stands at 0 and 10 at 1. */
export const NO_COUNT = -0.6;

/** 1, 2 or 5 times a power of ten, nearest above. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = [1, 2, 5, 10].find((d) => d * power >= rough * 0.999) ?? 10;
  return digit * power;
}
