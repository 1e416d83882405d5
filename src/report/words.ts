/** What the plain, Markdown and HTML forms of a report share: numbers, tables, words for findings. */
import type {
  BehaviourChart,
  BehaviourFinding,
  ClaimEntry,
  Match,
  Report,
  TrapNote,
} from "./schema.ts";

export const FINDING_WORDS: Readonly<Record<BehaviourFinding["kind"], string>> = {
  vanishes: "Vanishes",
  explodes: "Explodes",
  steady: "Steady",
  undefined: "Undefined",
  information: "Measured",
};

export const CLAIM_WORDS: Readonly<Record<ClaimEntry["verdict"], string>> = {
  true: "True here",
  false: "False",
  "true-only-when": "True only when",
  "not-settled": "Not settled here",
};

/** Up to so many significant digits; small numbers in powers of ten, which show their size. */
export function formatNumber(x: number | null, digits = 10): string {
  if (x === null) return "undefined";
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
  const isSmall = Math.abs(x) < 1e-3;
  const text = (isSmall ? x.toExponential(digits - 1) : x.toPrecision(digits)).replace("e+", "e");
  if (text.includes("e")) return text.replace(/\.?0+e/, "e");
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Label of the largest bound that the numeric derivatives have. */
export const NUMERIC_ERROR = "numeric gradient known to ±";

/** The loss with all its digits and the bound of its rounding: "0.25 ± 3e-17". */
export function lossValueWords({ value, error }: Report["loss"]): string {
  const known = value !== null && error !== undefined && error !== null;
  return `${formatNumber(value, 17)}${known ? ` ± ${formatNumber(error, 1)}` : ""}`;
}

/** "equal to" of a report on one loss; "dice_loss is equal to" of one on several. */
export function matchWords({ exact }: Match, subject?: string): string {
  const words = exact ? "equal to" : "nearest to";
  return subject === undefined ? words : `${subject} is ${words}`;
}

/** "MONAI, ≤ 1.5.2" */
export function trapPlace({ library, versions }: TrapNote): string {
  return `${library}, ${versions}`;
}

/** " (line 12)" */
export function onLines(lines: readonly number[]): string {
  if (lines.length === 0) return "";
  return ` (line${lines.length === 1 ? "" : "s"} ${lines.join(", ")})`;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((h, k) => Math.max(h.length, ...rows.map((r) => r[k]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((c, k) => c.padEnd(widths[k]!))
      .join("  ")
      .trimEnd();
  return [line(header), widths.map((w) => "-".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}

// Names and messages come from other people's files: nothing in them may act as Markdown or HTML.
export function inline(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>#|~$&]/g, (c) => (c === "<" ? "&lt;" : c === "&" ? "&amp;" : `\\${c}`))
    .replace(/\n/g, " ");
}

/** A chart as a table of about `most` rows, the user's own place among them. */
export function chartRows(
  c: BehaviourChart,
  most: number,
): { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const step = Math.max(1, Math.ceil((c.at.length - 1) / (most - 1)));
  const told = c.at.flatMap((x, k) =>
    k % step === 0 || k === c.at.length - 1
      ? [{ x, values: c.series.map((s) => s.values[k] ?? null), isOwn: x === c.own }]
      : [],
  );
  const own = { x: c.own, values: c.series.map((s) => s.own), isOwn: true };
  const rows = [...told.filter((r) => !r.isOwn), own].sort((a, b) => a.x - b.x);
  return {
    head: [c.x, ...c.series.map((s) => s.label)],
    rows: rows.map((r) => [
      `${formatNumber(r.x, 5)}${r.isOwn ? " (yours)" : ""}`,
      ...r.values.map((v) => (v === null ? "none" : formatNumber(v, 4))),
    ]),
  };
}
