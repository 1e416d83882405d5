/**
 * A gradient's magnitude along a path: one line a series, told apart by dashes as well as by colour,
 * and the user's own place marked on each.
 */
import type { BehaviourChart, BehaviourSeries } from "../report/schema.ts";
import { h, s, type Child } from "./dom.ts";
import { formatNumber } from "./format.ts";
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
import { countTicks, decadeTicks, linearTicks, NO_COUNT, type Axis } from "./ticks.ts";
import type { View } from "./view.ts";

/** Ranges wider than this are drawn by powers of ten. */
const WIDE = 50;

export function drawLines(view: View, chart: BehaviourChart): HTMLElement {
  const x = xAxis(chart);
  const y = yAxis(chart);
  const toX = along(x, LEFT, WIDTH - RIGHT);
  const toY = along(y.axis, HEIGHT - BOTTOM, TOP);
  const placeX = (at: number): number =>
    toX(!chart.counts ? at : at < 1 ? NO_COUNT : Math.log10(at));
  const placeY = (value: number | null): number | null => {
    if (value === null) return null;
    const size = Math.abs(value);
    if (!y.logarithmic) return toY(size);
    return size > 0 ? toY(Math.log10(size)) : null;
  };
  const own = round(placeX(chart.own));
  return figure(view, {
    title: chart.title,
    note: `${capital(chart.note)}.`,
    description: description(chart),
    x: axisTitle(chart.x, x),
    y: axisTitle(chart.y, y.axis),
    axes: [...drawX(x, toX), ...drawY(y.axis, toY)],
    marks: [
      s("line", { class: "own-place", x1: own, y1: TOP, x2: own, y2: HEIGHT - BOTTOM }),
      ...chart.series.map((series) =>
        s("path", { class: lineClass(series), d: pathOf(chart, series, placeX, placeY) }),
      ),
      ...chart.series.map((series) => {
        const at = placeY(series.own);
        return at === null
          ? null
          : s("circle", { class: `own-dot ${lineClass(series)}`, cx: own, cy: round(at), r: 3 });
      }),
    ],
    legend: legend(chart),
    table: () => ({
      caption: `${chart.title}: values of the plot; those of your own place are ${chart.series
        .map((series) => `${series.label} ${formatNumber(series.own, 5)}`)
        .join(", ")}`,
      indexColumn: "point",
      columns: [chart.x, ...chart.series.map((series) => series.label)],
      rows: chart.at.map((at, k) => ({
        index: [k],
        values: [at, ...chart.series.map((series) => series.values[k] ?? null)],
      })),
    }),
  });
}

function xAxis(chart: BehaviourChart): Axis {
  const low = Math.min(chart.own, chart.at[0] ?? chart.own);
  const high = Math.max(chart.own, chart.at.at(-1) ?? chart.own);
  return chart.counts ? countTicks(high) : linearTicks(low, high, 6);
}

function yAxis(chart: BehaviourChart): { axis: Axis; logarithmic: boolean } {
  let [low, high] = [Infinity, 0];
  for (const { values, own } of chart.series) {
    for (const value of [...values, own]) {
      const size = Math.abs(value ?? 0);
      if (size === 0) continue;
      if (size < low) low = size;
      if (size > high) high = size;
    }
  }
  if (high === 0) return { axis: linearTicks(0, 1, 4), logarithmic: false };
  return high > WIDE * low
    ? { axis: decadeTicks(low, high), logarithmic: true }
    : { axis: linearTicks(0, 1.05 * high, 4), logarithmic: false };
}

/**
 * Lines between points that follow one another; a point between two gaps is a dot: a length
 * of nothing would not be drawn where lines are dashed.
 */
function pathOf(
  chart: BehaviourChart,
  series: BehaviourSeries,
  placeX: (at: number) => number,
  placeY: (value: number | null) => number | null,
): string {
  let drawn = "";
  let isOpen = false;
  chart.at.forEach((at, k) => {
    const y = placeY(series.values[k] ?? null);
    if (y === null) {
      isOpen = false;
      return;
    }
    // None at all stands apart, so that no line leads there.
    const isApart = chart.counts && at < 1;
    const point = `${String(round(placeX(at)))} ${String(round(y))}`;
    drawn += isOpen ? `L${point}` : `M${point}h0.01`;
    isOpen = !isApart;
  });
  return drawn;
}

function lineClass({ role, group }: BehaviourSeries): string {
  return `line-mark is-${role} is-${group}`;
}

function legend(chart: BehaviourChart): Child {
  return h(
    "ul",
    { class: "legend-lines" },
    ...chart.series.map((series) =>
      h(
        "li",
        {},
        s(
          "svg",
          { viewBox: "0 0 28 8", class: "legend-line", "aria-hidden": "true" },
          s("path", { class: lineClass(series), d: "M1 4H27" }),
        ),
        ` ${series.label}: `,
        h("span", { class: "dim" }, formatNumber(series.own, 3)),
      ),
    ),
    h(
      "li",
      {},
      s(
        "svg",
        { viewBox: "0 0 28 8", class: "legend-line", "aria-hidden": "true" },
        s("path", { class: "own-place", d: "M14 0V8" }),
      ),
      ` where you are: ${chart.counts ? String(chart.own) : formatNumber(chart.own, 4)}`,
    ),
  );
}

/** What the plot shows, for those who do not see it. */
function description(chart: BehaviourChart): string {
  const from = formatNumber(chart.at[0] ?? chart.own, 4);
  const to = formatNumber(chart.at.at(-1) ?? chart.own, 4);
  const lines = chart.series.map((series) => {
    const [first, last] = [series.values[0] ?? null, series.values.at(-1) ?? null];
    return `${series.label} goes from ${formatNumber(first, 3)} to ${formatNumber(last, 3)}, and is ${formatNumber(series.own, 3)} at your place`;
  });
  return `${capital(chart.note)}. ${chart.x} from ${from} to ${to}, yours is ${formatNumber(chart.own, 4)}. ${lines.join("; ")}.`;
}

const capital = (text: string): string =>
  /^[a-z]+ /.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text;
