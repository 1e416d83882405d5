/** Plots of gradient values, drawn as SVG; each has its numbers in a table as well. */
import type { Numbers } from "../report/schema.ts";
import { s } from "./dom.ts";
import { formatCount, formatNumber } from "./format.ts";
import {
  along,
  axisTitle,
  BOTTOM,
  drawX,
  drawY,
  figure,
  HEIGHT,
  LEFT,
  RIGHT,
  round,
  TOP,
  WIDTH,
} from "./plotFrame.ts";
import { linearTicks, logTicks } from "./ticks.ts";
import type { View } from "./view.ts";

const MAX_POINTS = 2_000;

/** What a histogram is of. */
export interface HistogramWords {
  readonly title: string;
  /** One value, and what has it. */
  readonly x: string;
  readonly y: string;
}

/** How many elements have which value. */
export function drawHistogram(
  view: View,
  histogram: NonNullable<Numbers["histogram"]>,
  words: HistogramWords = { title: "Histogram of gradient values", x: "gradient", y: "elements" },
): HTMLElement {
  const { edges, counts } = histogram;
  const most = Math.max(1, ...counts);
  const least = Math.min(...counts.filter((n) => n > 0));
  // Most elements of a mask are background: on a linear axis the rest would be invisible.
  const logarithmic = most > 100 * least;
  const x = linearTicks(edges[0] ?? 0, edges.at(-1) ?? 1, 6);
  const y = logarithmic ? logTicks(most) : linearTicks(0, most, 4);
  const toX = along(x, LEFT, WIDTH - RIGHT);
  const toY = along(y, HEIGHT - BOTTOM, TOP);
  const bars = counts.map((count, k) => {
    if (count === 0) return null;
    const [left, right] = [toX(edges[k]!), toX(edges[k + 1]!)];
    const top = toY(logarithmic ? Math.log10(count) : count);
    // A single element among millions still has to be seen.
    const height = Math.max(1.5, HEIGHT - BOTTOM - top);
    return s("rect", {
      class: "bar-mark",
      x: round(left + 0.5),
      y: round(HEIGHT - BOTTOM - height),
      width: round(Math.max(1, right - left - 1)),
      height: round(height),
    });
  });
  const total = counts.reduce((sum, n) => sum + n, 0);
  const peak = counts.indexOf(most);
  return figure(view, {
    title: words.title,
    description:
      `${formatCount(total)} ${words.y} from ${formatNumber(edges[0] ?? 0, 3)} to ` +
      `${formatNumber(edges.at(-1) ?? 0, 3)}; ${formatCount(most)} of them from ` +
      `${formatNumber(edges[peak] ?? 0, 3)} to ${formatNumber(edges[peak + 1] ?? 0, 3)}.`,
    x: axisTitle(words.x, x),
    y: logarithmic ? `${words.y} (logarithmic)` : axisTitle(words.y, y),
    axes: [...drawX(x, toX), ...drawY(y, toY)],
    marks: bars,
    table: () => ({
      caption: words.title,
      indexColumn: "bin",
      columns: ["from", "to", words.y],
      rows: counts.map((count, k) => ({
        index: [k],
        values: [edges[k] ?? null, edges[k + 1] ?? null, count],
      })),
    }),
  });
}

/** Analytic against numeric derivatives; where they agree the points lie on the drawn diagonal. */
export function drawScatter(view: View, points: NonNullable<Numbers["scatter"]>): HTMLElement {
  const stride = Math.ceil(points.length / MAX_POINTS);
  const drawn = points.filter((_, k) => k % stride === 0);
  let [low, high] = [Infinity, -Infinity];
  for (const [a, b] of points) {
    low = Math.min(low, a, b);
    high = Math.max(high, a, b);
  }
  const margin = 0.04 * (high - low);
  const axis = linearTicks(low - margin, high + margin, 5);
  const toX = along(axis, LEFT, WIDTH - RIGHT);
  const toY = along(axis, HEIGHT - BOTTOM, TOP);
  const worst = points.reduce((most, [a, b]) => Math.max(most, Math.abs(a - b)), 0);
  return figure(view, {
    title: "Analytic against numeric gradient",
    description:
      `${formatCount(points.length)} elements from ${formatNumber(low, 3)} to ` +
      `${formatNumber(high, 3)}; the largest difference is ${formatNumber(worst, 3)}.`,
    x: axisTitle("analytic", axis),
    y: axisTitle("numeric", axis),
    axes: [...drawX(axis, toX), ...drawY(axis, toY)],
    marks: [
      s("line", {
        class: "diagonal",
        x1: toX(axis.low),
        y1: toY(axis.low),
        x2: toX(axis.high),
        y2: toY(axis.high),
      }),
      // One path of dots: a thousand elements in the page would be slower than one.
      s("path", {
        class: "dots",
        d: drawn.map(([a, b]) => `M${round(toX(a))} ${round(toY(b))}h0`).join(""),
      }),
    ],
    table: () => ({
      caption: "Analytic and numeric derivative of each sampled element",
      indexColumn: "sample",
      columns: ["analytic", "numeric", "error"],
      rows: points.map(([a, b], k) => ({ index: [k], values: [a, b, a - b] })),
    }),
  });
}
