/** Reads what `explain` adds to a report: every field is checked before anything is drawn. */
import type {
  AutogradAgreement,
  Behaviour,
  BehaviourChart,
  BehaviourFinding,
  BehaviourLimit,
  BehaviourSeries,
  ClaimEntry,
  LimitEntry,
  SmoothingEntry,
} from "../report/schema.ts";
import { checked, flag, list, nullable, number, oneOf, record, text, whole } from "./reading.ts";

const name = text(2_000);
const sentence = text(20_000);
const lines = list(whole(0, 1e9), 1_000);
const value = nullable(number);
/** Points of one chart. */
const MAX_POINTS = 2_000;

const series = record<BehaviourSeries>({
  label: name,
  role: oneOf("gradient", "without-smoothing", "slope", "scale"),
  group: oneOf("foreground", "background", "all"),
  values: list(value, MAX_POINTS),
  own: value,
});

const chart = checked(
  record<BehaviourChart>({
    id: oneOf("one-foreground", "one-background", "together", "target", "shrinking", "following"),
    title: name,
    note: sentence,
    x: name,
    at: list(number, MAX_POINTS),
    own: number,
    counts: flag,
    y: name,
    element: nullable(list(whole(0, Number.MAX_SAFE_INTEGER), 32)),
    series: list(series, 12),
  }),
  (c) => {
    if (c.at.some((x, k) => k > 0 && x <= c.at[k - 1]!)) return "its places must rise";
    if (c.counts && c.at.some((x) => x < 0)) return "numbers of voxels cannot be negative";
    const bad = c.series.findIndex((s) => s.values.length !== c.at.length);
    return bad < 0 ? null : `series ${bad} does not have one value a place`;
  },
);

const limitEntry = record<LimitEntry>({
  kind: oneOf("zero", "finite", "infinite", "undefined"),
  value,
  reached: flag,
  words: name,
});

const limit = record<BehaviourLimit>({
  id: name,
  what: sentence,
  of: oneOf("foreground", "background"),
  own: limitEntry,
  without: nullable(limitEntry),
});

export const behaviour = record<Behaviour>({
  assumed: nullable(sentence),
  findings: list(
    record<BehaviourFinding>({
      id: name,
      kind: oneOf("vanishes", "explodes", "steady", "undefined", "information"),
      sentence,
      lines,
    }),
    100,
  ),
  smoothing: list(
    record<SmoothingEntry>({
      name,
      value: number,
      kind: oneOf("added", "floor", "limits"),
      place: oneOf("numerator", "denominator", "logarithm", "root", "prediction"),
      lines,
    }),
    100,
  ),
  charts: list(chart, 12),
  limits: list(limit, 50),
});

export const claim = record<ClaimEntry>({
  id: oneOf("quotient-rule", "epsilon", "library"),
  claim: sentence,
  verdict: oneOf("true", "false", "true-only-when", "not-settled"),
  sentence,
  evidence: list(sentence, 100),
  needs: nullable(sentence),
  lines,
});

export const autogradAgreement = record<AutogradAgreement>({
  a: name,
  b: name,
  dtype: name,
  identical: whole(0, Number.MAX_SAFE_INTEGER),
  entries: whole(0, Number.MAX_SAFE_INTEGER),
  maxUlps: number,
  maxAbs: number,
});
