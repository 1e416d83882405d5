/**
 * Reads the content of a notebook output. A notebook comes from anywhere, so every field is checked
 * before anything is drawn: its presence, type, length, and that the sizes in it agree.
 */
import type {
  Autograd,
  Check,
  Comparison,
  DerivationStep,
  Diagnostic,
  Difference,
  Formula,
  Gradient,
  GradientFactor,
  HandWritten,
  HandWrittenFix,
  Histogram,
  ImageSet,
  Match,
  Numbers,
  Statistic,
  Report,
  SourceEdit,
  SourceLocation,
  SymbolEntry,
  TrapNote,
  Verdict,
} from "../report/schema.ts";
import {
  checked,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  record,
  text,
  Unreadable,
  whole,
  type Read,
} from "./reading.ts";

import { autogradAgreement, behaviour, claim } from "./validateBehaviour.ts";
import { precision } from "./validatePrecision.ts";

const REPORT: Report["schema"] = "dice-gradient/report/v1";
const COMPARISON: Comparison["schema"] = "dice-gradient/comparison/v1";

export type Payload =
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "comparison"; readonly comparison: Comparison }
  /** Well-formed, but of a version that this renderer does not know. */
  | { readonly kind: "other-schema"; readonly found: string; readonly known: readonly string[] }
  | { readonly kind: "invalid"; readonly why: string };

/** Never throws. */
export function readPayload(value: unknown): Payload {
  try {
    const { schema } = record<{ schema: string }>({ schema: text(200) })(value, "report");
    if (schema === REPORT) return { kind: "report", report: readReport(value, "report") };
    if (schema === COMPARISON) {
      return { kind: "comparison", comparison: readComparison(value, "comparison") };
    }
    return { kind: "other-schema", found: schema, known: [REPORT, COMPARISON] };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "invalid", why: error.message };
    return { kind: "invalid", why: `it could not be read (${String(error)})` };
  }
}

const name = text(2_000);
const sentence = text(20_000);
/** Formulas of unrolled loops are long; how much of them is typeset is decided where it is done. */
const long = text(1_000_000);
const line = whole(0, 1e9);
const lines = list(line, 10_000);
const index = list(whole(0, Number.MAX_SAFE_INTEGER), 32);
const shape = index;
const value = nullable(number);

const verdict = oneOf<Verdict>(
  "agrees",
  "differs",
  "cannot-be-decided",
  "undefined",
  "not-differentiable",
  "not-checked",
);

const formula = record<Formula>({ latex: long, text: long });

const step = record<DerivationStep>({
  id: name,
  title: sentence,
  latex: long,
  text: long,
  note: optional(sentence),
  lines: optional(lines),
});

const gradient = record<Gradient>({
  latex: long,
  text: long,
  wrt: name,
  steps: list(step, 500),
  shape: nullable(shape),
  values: optional(list(value, 100_000)),
  markdown: long,
  python: nullable(record<NonNullable<Gradient["python"]>>({ numpy: long, torch: long })),
});

const check = record<Check>({
  verdict,
  method: sentence,
  maxAbsError: value,
  maxRelError: value,
  bound: value,
  maxScaledError: value,
  worst: nullable(
    record<NonNullable<Check["worst"]>>({
      index,
      analytic: value,
      numeric: value,
      analyticError: optional(value),
      numericError: optional(value),
    }),
  ),
  sentence,
  notes: list(sentence, 500),
});

const sharePair: Read<readonly [number, number]> = (x, at) => {
  const [least, most] = list(number, 2)(x, at);
  if (least === undefined || most === undefined) throw new Unreadable(at, "two numbers are needed");
  return [least, most];
};

const histogram = checked(
  record<Histogram>({
    edges: list(number, 1_001),
    counts: list(whole(0, Number.MAX_SAFE_INTEGER), 1_000),
  }),
  (x) => {
    if (x.edges.length !== x.counts.length + 1) return "one more edge than counts is needed";
    return x.edges.some((e, k) => k > 0 && e <= x.edges[k - 1]!) ? "edges must rise" : null;
  },
);

const factor = record<GradientFactor>({
  kind: oneOf("none", "constant", "common", "varies"),
  value,
  least: value,
  most: value,
  turned: number,
  histogram: optional(histogram),
});

const difference = record<Difference>({
  other: name,
  id: optional(name),
  title: optional(sentence),
  reason: sentence,
  formula: nullable(formula),
  before: optional(nullable(formula)),
  share: value,
  shareRange: optional(nullable(sharePair)),
  lines,
  fix: nullable(sentence),
  maxAbsDifference: value,
  commonFactor: value,
  factor: optional(factor),
});

const location = record<SourceLocation>({
  file: name,
  line: optional(line),
  column: optional(line),
  endLine: optional(line),
  endColumn: optional(line),
});

/** Edits of the source, which the notebook shows and does not apply. */
const fix = record<HandWrittenFix>({
  title: sentence,
  edits: list(
    record<SourceEdit>({
      file: name,
      line,
      column: line,
      endLine: line,
      endColumn: line,
      newText: text(100_000),
    }),
    20,
  ),
});

const diagnostic = record<Diagnostic>({
  code: name,
  severity: oneOf("error", "warning", "information"),
  message: sentence,
  location: nullable(location),
  remedy: nullable(sentence),
  related: optional(
    list(record<NonNullable<Diagnostic["related"]>[number]>({ location, message: sentence }), 100),
  ),
  fix: optional(fix),
});

const numbers = checked(
  record<Numbers>({
    columns: list(name, 32),
    rows: list(record<Numbers["rows"][number]>({ index, values: list(value, 32) }), 20_000),
    complete: flag,
    total: whole(0, Number.MAX_SAFE_INTEGER),
    scatter: optional(list(pair, 20_000)),
    histogram: optional(histogram),
    statistics: list(record<Statistic>({ label: name, value, error: optional(value) }), 100),
  }),
  (x) => {
    const bad = x.rows.findIndex((row) => row.values.length !== x.columns.length);
    return bad < 0 ? null : `row ${bad} does not have one value a column`;
  },
);

function pair(value: unknown, at: string): readonly [number, number] {
  const [x, y, ...rest] = list(number, 2)(value, at);
  if (x === undefined || y === undefined || rest.length > 0) {
    throw new Unreadable(at, "expected two numbers");
  }
  return [x, y];
}

/** Bytes of pictures that one set may unpack to, and one report altogether. */
const MAX_SET_BYTES = 1 << 23;
const MAX_BYTES = 1 << 25;

const imageSet = checked(
  record<ImageSet>({
    title: name,
    role: oneOf("prediction", "target", "gradient", "other"),
    width: whole(1, 4_096),
    height: whole(1, 4_096),
    slices: whole(1, 4_096),
    sliceIndices: list(whole(0, Number.MAX_SAFE_INTEGER), 4_096),
    data: text(2 * MAX_SET_BYTES),
    encoding: oneOf("raw", "deflate-raw"),
    low: number,
    high: number,
    scale: oneOf("sequential", "diverging"),
  }),
  (x) => {
    const bytes = x.width * x.height * x.slices;
    if (bytes > MAX_SET_BYTES) return `${bytes} pixels, and at most ${MAX_SET_BYTES} are drawn`;
    if (x.sliceIndices.length !== x.slices) return "one index a slice is needed";
    if (!(x.low < x.high)) return "low must be less than high";
    const centred = Math.abs(x.low + x.high) <= 1e-6 * x.high;
    return x.scale === "sequential" || centred ? null : "a diverging scale is centred on zero";
  },
);

const images = checked(list(imageSet, 16), (sets) => {
  const bytes = sets.reduce((sum, x) => sum + x.width * x.height * x.slices, 0);
  return bytes > MAX_BYTES ? `${bytes} pixels, and at most ${MAX_BYTES} are drawn` : null;
});

const traps = list(record<TrapNote>({ id: name, sentence, library: sentence, versions: name }), 50);

const match = record<Match>({
  name,
  call: sentence,
  exact: flag,
  source: sentence,
  traps: optional(traps),
});

const autograd = record<Autograd>({
  library: name,
  version: name,
  device: name,
  dtype: name,
  loss: value,
  verdict,
  maxAbsError: value,
  maxScaledError: optional(value),
  bound: optional(value),
  maxUlps: optional(value),
  sentence: optional(sentence),
  note: optional(nullable(sentence)),
  python: optional(name),
  seconds: optional(number),
  failure: optional(nullable(sentence)),
});

const handwritten = record<HandWritten>({
  kind: name,
  name,
  gradientName: name,
  location,
  input: name,
  inForce: flag,
  use: sentence,
  verdict: oneOf("right", "wrong", "surrogate", "undecided", "refused", "not-traced"),
  sentence,
  written: nullable(formula),
  right: nullable(formula),
  faults: list(
    record<HandWritten["faults"][number]>({ id: name, sentence, term: nullable(formula), lines }),
    20,
  ),
  residual: nullable(formula),
  counterexample: nullable(
    record<NonNullable<HandWritten["counterexample"]>>({
      arrays: list(
        record<NonNullable<HandWritten["counterexample"]>["arrays"][number]>({
          name,
          shape,
          values: list(number, 10_000),
        }),
        50,
      ),
      index,
      written: name,
      right: name,
    }),
  ),
  maxAbsDifference: value,
  fix: nullable(fix),
});

const readReport: Read<Report> = record<Report>({
  schema: oneOf(REPORT),
  function: record<Report["function"]>({ name, file: name, line }),
  loss: record<Report["loss"]>({ latex: long, text: long, value, error: optional(value) }),
  gradient,
  check,
  autograd: nullable(autograd),
  autogradRuns: optional(list(autograd, 20)),
  matches: list(match, 100),
  differences: list(difference, 100),
  diagnostics: list(diagnostic, 200),
  symbols: list(record<SymbolEntry>({ symbol: formula, name, meaning: sentence }), 200),
  arrays: list(
    record<Report["arrays"][number]>({
      name,
      role: oneOf("prediction", "target", "other"),
      dtype: name,
      shape,
      min: value,
      max: value,
      mean: value,
      foregroundShare: value,
      origin: sentence,
    }),
    100,
  ),
  assumptions: list(sentence, 500),
  numbers: optional(numbers),
  images: optional(images),
  handwritten: optional(list(handwritten, 100)),
  autogradAgreements: optional(list(autogradAgreement, 100)),
  autogradLibraries: optional(list(name, 20)),
  behaviour: optional(behaviour),
  claims: optional(list(claim, 20)),
  precision: optional(precision),
});

const readComparison: Read<Comparison> = checked(
  record<Comparison>({
    schema: oneOf(COMPARISON),
    reports: list(readReport, 50),
    pairs: list(
      record<Comparison["pairs"][number]>({
        a: whole(0, 49),
        b: whole(0, 49),
        equal: oneOf("exactly", "no", "cannot be decided"),
        sentence,
        differences: list(difference, 100),
        complete: optional(flag),
        traps: optional(traps),
      }),
      1_225,
    ),
    matches: optional(list(match, 100)),
  }),
  (x) =>
    x.pairs.some((p) => p.a >= x.reports.length || p.b >= x.reports.length)
      ? "a pair names a report that is not there"
      : null,
);
