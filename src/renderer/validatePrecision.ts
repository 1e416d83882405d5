/** Reads what `precision` adds to a report: every field is checked before anything is drawn. */
import type { Precision, PrecisionFinding, PrecisionRung } from "../report/schema.ts";
import { list, nullable, number, oneOf, record, text, whole } from "./reading.ts";

const name = text(2_000);
const sentence = text(20_000);
const value = nullable(number);
const count = whole(0, Number.MAX_SAFE_INTEGER);

const rung = record<PrecisionRung>({
  name,
  loss: value,
  lossWords: name,
  gradientError: value,
  digits: value,
  notFinite: count,
  lost: count,
  verdict: oneOf("reference", "fine", "coarse", "wrong", "not-a-number", "refused"),
  sentence,
});

const finding = record<PrecisionFinding>({
  id: name,
  rungs: list(name, 20),
  severity: oneOf("error", "warning", "information"),
  sentence,
  lines: list(whole(0, 1e9), 1_000),
  fix: nullable(sentence),
});

export const precision = record<Precision>({
  as: name,
  rungs: list(rung, 20),
  findings: list(finding, 500),
  notes: list(sentence, 100),
});
