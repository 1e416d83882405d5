/** The numbers beside the formula: an element table, or a summary, histogram and sample. */
import { eachPart } from "../numbers/interruption.ts";
import type { ElementComparison, Numbers } from "./schema.ts";
import { NUMERIC_ERROR } from "./words.ts";

/** Arrays up to this many entries are shown element by element. */
export const TABLE_LIMIT = 1000;
const HISTOGRAM_BINS = 41;
const SCATTER_LIMIT = 1000;

export interface NumbersSource {
  /** Arrays aligned with the gradient (same number of entries): prediction, target, … */
  readonly aligned: readonly { readonly name: string; readonly data: ArrayLike<number> }[];
  readonly shape: readonly number[];
  readonly analytic: Float64Array;
  /** Numeric derivatives at some or all elements. */
  readonly compared: readonly ElementComparison[];
}

export function makeNumbers(source: NumbersSource): Numbers {
  const total = source.analytic.length;
  const complete = total <= TABLE_LIMIT;
  const columns = [
    ...source.aligned.map((a) => a.name),
    "analytic gradient",
    "analytic ±",
    "numeric gradient",
    "numeric ±",
    "error",
  ];
  const rows = (complete ? source.compared : worst(source.compared, 20)).map((c) => {
    const at = flatIndex(c.index, source.shape);
    return {
      index: c.index,
      values: [
        ...source.aligned.map((a) => finite(a.data[at]!)),
        c.analytic,
        boundOf(c.analyticError),
        c.numeric,
        boundOf(c.numericError),
        c.analytic === null || c.numeric === null ? null : c.analytic - c.numeric,
      ],
    };
  });
  const figures = figuresOf(source.analytic);
  const bars = source.compared.flatMap((c) => c.numericError ?? []);
  return {
    columns,
    rows,
    complete,
    total,
    ...(complete ? {} : { scatter: scatter(source.compared) }),
    ...(total > 1 ? histogram(source.analytic, figures) : {}),
    statistics: [
      ...figures.statistics,
      ...(bars.length === 0
        ? []
        : [{ label: NUMERIC_ERROR, value: shortBound(Math.max(...bars)) }]),
    ],
  };
}

/** A bound to a few digits, rounded up: what is shown still is one. */
export function shortBound(x: number, digits = 2): number {
  const short = Number(x.toPrecision(digits));
  if (short >= x || !Number.isFinite(x)) return short;
  return Number((short + 10 ** (Math.floor(Math.log10(x)) + 1 - digits)).toPrecision(digits));
}

/** The same of an error that may not be known. */
export function boundOf(error: number | null | undefined, digits = 2): number | null {
  return error === null || error === undefined ? null : shortBound(error, digits);
}

function worst(compared: readonly ElementComparison[], count: number): ElementComparison[] {
  const error = (c: ElementComparison): number =>
    c.analytic === null || c.numeric === null ? Infinity : Math.abs(c.analytic - c.numeric);
  return [...compared].sort((a, b) => error(b) - error(a)).slice(0, count);
}

function scatter(compared: readonly ElementComparison[]): [number, number][] {
  const points = compared.flatMap((c): [number, number][] =>
    c.analytic === null || c.numeric === null ? [] : [[c.analytic, c.numeric]],
  );
  return points.slice(0, SCATTER_LIMIT);
}

interface Figures {
  /** Of the finite entries; above `high` if there are none. */
  readonly low: number;
  readonly high: number;
  readonly statistics: Numbers["statistics"];
}

function histogram(g: Float64Array, { low, high }: Figures): Pick<Numbers, "histogram"> {
  if (!(high > low)) return {};
  const counts = new Uint32Array(HISTOGRAM_BINS + 1);
  const scale = HISTOGRAM_BINS / (high - low);
  eachPart(g.length, (first, end) => {
    for (let k = first; k < end; k++) {
      const x = g[k]!;
      // The finite entries: NaN and the infinities are in neither comparison's range.
      if (x >= low && x <= high) counts[((x - low) * scale) | 0]!++;
    }
  });
  // The largest entry is the upper end of the last bin.
  counts[HISTOGRAM_BINS - 1]! += counts[HISTOGRAM_BINS]!;
  const edges = Array.from(
    { length: HISTOGRAM_BINS + 1 },
    (_, k) => low + (k * (high - low)) / HISTOGRAM_BINS,
  );
  return { histogram: { edges, counts: [...counts.subarray(0, HISTOGRAM_BINS)] } };
}

function figuresOf(g: Float64Array): Figures {
  let low = Infinity;
  let high = -Infinity;
  let absolute = 0;
  let square = 0;
  let zeros = 0;
  let bad = 0;
  eachPart(g.length, (first, end) => {
    for (let k = first; k < end; k++) {
      const x = g[k]!;
      const size = Math.abs(x);
      if (!(size < Infinity)) {
        bad++;
        continue;
      }
      if (x < low) low = x;
      if (x > high) high = x;
      if (x === 0) zeros++;
      absolute += size;
      square += x * x;
    }
  });
  const any = g.length > bad;
  const statistics = [
    { label: "smallest", value: any ? low : null },
    { label: "largest", value: any ? high : null },
    { label: "sum of magnitudes", value: any ? absolute : null },
    { label: "Euclidean norm", value: any ? Math.sqrt(square) : null },
    { label: "exactly zero", value: zeros },
    { label: "not finite", value: bad },
  ];
  return { low, high, statistics };
}

export function finite(x: number | null): number | null {
  return x !== null && Number.isFinite(x) ? x : null;
}

export function flatIndex(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((at, k, d) => at * shape[d]! + k, 0);
}
