/** The numbers beside the formula: an element table, or a summary, histogram and sample. */
import { parts } from "../numbers/interruption.ts";
import type { ElementComparison, Numbers, Statistic } from "./schema.ts";
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
  /** Bounds of its errors: the largest one, their sum and Euclidean norm; null where not known. */
  readonly error: { readonly largest: number; readonly sum: number; readonly norm: number } | null;
  /** Numeric derivatives at some or all elements. */
  readonly compared: readonly Omit<ElementComparison, "analytic">[];
}

export function makeNumbers(source: NumbersSource): Numbers {
  const total = source.analytic.length;
  const complete = total <= TABLE_LIMIT;
  const compared = source.compared.map((c) => ({
    ...c,
    analytic: finite(source.analytic[flatIndex(c.index, source.shape)]!),
  }));
  // Where too much depends on each element, the loss is evaluated along directions alone.
  const hasNumeric = compared.some((c) => c.numeric !== null || c.numericError !== undefined);
  const columns = [
    ...source.aligned.map((a) => a.name),
    "analytic gradient",
    "analytic ±",
    ...(hasNumeric ? ["numeric gradient", "numeric ±", "error"] : []),
  ];
  const rows = (complete ? compared : worst(compared, 20)).map((c) => {
    const at = flatIndex(c.index, source.shape);
    return {
      index: c.index,
      values: [
        ...source.aligned.map((a) => finite(a.data[at]!)),
        c.analytic,
        boundOf(c.analyticError),
        ...(hasNumeric
          ? [
              c.numeric,
              boundOf(c.numericError),
              c.analytic === null || c.numeric === null ? null : c.analytic - c.numeric,
            ]
          : []),
      ],
    };
  });
  const figures = figuresOf(source.analytic, source.error);
  const bars = compared.flatMap((c) => c.numericError ?? []);
  return {
    columns,
    rows,
    complete,
    total,
    ...(complete ? {} : { scatter: scatter(compared) }),
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
  readonly statistics: readonly Statistic[];
}

function histogram(g: Float64Array, { low, high }: Figures): Pick<Numbers, "histogram"> {
  if (!(high > low)) return {};
  const counts = new Uint32Array(HISTOGRAM_BINS + 1);
  const scale = HISTOGRAM_BINS / (high - low);
  for (const [first, end] of parts(g.length)) {
    for (let k = first; k < end; k++) {
      const x = g[k]!;
      // The finite entries: NaN and the infinities are in neither comparison's range.
      if (x >= low && x <= high) counts[((x - low) * scale) | 0]!++;
    }
  }
  // The largest entry is the upper end of the last bin.
  counts[HISTOGRAM_BINS - 1]! += counts[HISTOGRAM_BINS]!;
  const edges = Array.from(
    { length: HISTOGRAM_BINS + 1 },
    (_, k) => low + (k * (high - low)) / HISTOGRAM_BINS,
  );
  return { histogram: { edges, counts: [...counts.subarray(0, HISTOGRAM_BINS)] } };
}

function figuresOf(g: Float64Array, error: NumbersSource["error"]): Figures {
  let low = Infinity;
  let high = -Infinity;
  let zeros = 0;
  let bad = 0;
  for (const [first, end] of parts(g.length)) {
    for (let k = first; k < end; k++) {
      const x = g[k]!;
      if (!(Math.abs(x) < Infinity)) {
        bad++;
        continue;
      }
      if (x < low) low = x;
      if (x > high) high = x;
      if (x === 0) zeros++;
    }
  }
  const any = g.length > bad;
  const { absolute, norm } = sizesOf(g, Math.max(-low, high));
  const figure = (label: string, value: number, off: number | undefined): Statistic => ({
    label,
    value: any ? finite(value) : null,
    error: any && bad === 0 ? boundOf(off) : null,
  });
  const statistics = [
    figure("smallest", low, error?.largest),
    figure("largest", high, error?.largest),
    figure(
      "sum of magnitudes",
      absolute,
      error === null ? undefined : error.sum + SUMMED * absolute,
    ),
    figure("Euclidean norm", norm, error === null ? undefined : error.norm + SUMMED * norm),
    { label: "exactly zero", value: zeros },
    { label: "not finite", value: bad },
  ];
  return { low, high, statistics };
}

/** Relative rounding of compensated sums, and of a root of one of squares. */
const SUMMED = 2 ** -50;

/** Sum of magnitudes and Euclidean norm of the finite entries, the largest of which is given. */
function sizesOf(g: Float64Array, largest: number): { absolute: number; norm: number } {
  // Squares of the largest keep within float64's range; those that leave it do not count beside it.
  const scale = 2 ** -Math.min(1000, Math.max(-1000, Math.round(Math.log2(largest || 1))));
  let [absolute, square, lost, lostSquare] = [0, 0, 0, 0];
  for (const [first, end] of parts(g.length)) {
    for (let k = first; k < end; k++) {
      const term = Math.abs(g[k]!) * scale;
      if (!(term < Infinity)) continue;
      // Knuth's two-sum: what each addition rounds off is added up apart.
      const next = absolute + term;
      const added = next - absolute;
      lost += absolute - (next - added) + (term - added);
      absolute = next;
      const squared = term * term;
      const nextSquare = square + squared;
      const addedSquare = nextSquare - square;
      lostSquare += square - (nextSquare - addedSquare) + (squared - addedSquare);
      square = nextSquare;
    }
  }
  return { absolute: (absolute + lost) / scale, norm: Math.sqrt(square + lostSquare) / scale };
}

export function finite(x: number | null): number | null {
  return x !== null && Number.isFinite(x) ? x : null;
}

export function flatIndex(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((at, k, d) => at * shape[d]! + k, 0);
}
