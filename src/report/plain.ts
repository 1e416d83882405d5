/** A report as plain text and as Markdown: terminals, screen readers, diffs, GitHub. */
import type {
  Autograd,
  Comparison,
  Formula,
  HandWritten,
  HandWrittenFix,
  Report,
  ReportOutput,
  SourceLocation,
  TrapNote,
  Verdict,
} from "./schema.ts";

import {
  behaviourMarkdown,
  behaviourPlain,
  claimsMarkdown,
  claimsPlain,
} from "./behaviourPlain.ts";
import { precisionMarkdown, precisionPlain } from "./precisionPlain.ts";
import {
  NUMERIC_ERROR,
  formatNumber,
  inline,
  lossValueWords,
  matchWords,
  onLines,
  table,
  trapPlace,
} from "./words.ts";

export { formatNumber, matchWords, onLines, table, trapPlace };

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  agrees: "Agrees",
  differs: "Differs",
  "cannot-be-decided": "Cannot be decided",
  undefined: "Undefined",
  "not-differentiable": "Not differentiable",
  "not-checked": "Not checked",
};

export function isComparison(r: ReportOutput): r is Comparison {
  return r.schema === "dice-gradient/comparison/v1";
}

export function toPlain(r: ReportOutput): string {
  return isComparison(r) ? comparisonPlain(r) : reportPlain(r);
}

function reportPlain(r: Report): string {
  const lines = [
    `${VERDICT_WORDS[r.check.verdict]}: ${r.check.sentence}`,
    `${r.function.name} (${place(r)}), derivative with respect to ${r.gradient.wrt}`,
    "",
    `${r.loss.text}${r.check.verdict === "not-checked" ? "" : `   value ${lossValueWords(r.loss)}`}`,
    "",
    ...r.gradient.steps.flatMap((s, k) => [
      `${k + 1}. ${s.title}`,
      ...indent(s.text),
      ...(s.note === undefined ? [] : indent(s.note)),
    ]),
    "",
    r.gradient.text,
  ];
  if (r.symbols.length > 0) {
    lines.push("", ...r.symbols.map((s) => `  ${s.symbol.text}  ${s.name}: ${s.meaning}`));
  }
  lines.push(...section("Real autograd", (r.autogradRuns ?? []).map(autogradLine)));
  lines.push(...handwrittenLines(r.handwritten ?? []));
  if (r.claims !== undefined) lines.push(...claimsPlain(r.claims));
  if (r.behaviour !== undefined) lines.push(...behaviourPlain(r.behaviour));
  if (r.precision !== undefined) lines.push(...precisionPlain(r.precision));
  lines.push(...section("Assumed", r.assumptions), ...section("Notes", r.check.notes));
  lines.push(
    ...section(
      "Diagnostics",
      r.diagnostics.map((d) => `${d.code}: ${d.message}`),
    ),
  );
  const numbers = r.numbers;
  if (numbers !== undefined) {
    const shown = numbers.rows.slice(0, 24);
    lines.push(
      "",
      table(
        ["index", ...numbers.columns],
        shown.map((row) => [
          `[${row.index.join(", ")}]`,
          ...row.values.map((v) => formatNumber(v, 7)),
        ]),
      ),
    );
    const known = numbers.statistics.find((x) => x.label === NUMERIC_ERROR);
    if (known !== undefined) lines.push(`${NUMERIC_ERROR} ${formatNumber(known.value, 2)}`);
    if (shown.length < numbers.total) lines.push(`… ${shown.length} of ${numbers.total} elements`);
  }
  return lines.join("\n");
}

/** Where the gradient is stopped, which the other forms say in a place of their own. */
export function cutsOf(r: Report): Report["diagnostics"] {
  return r.diagnostics.filter((d) => d.code === "gradient-cut");
}

/** What a library's own automatic differentiation said, in one line; a failure in as many as it has. */
export function autogradLine(a: Autograd): string {
  const who = [a.library, a.version].filter((part) => part !== "").join(" ");
  if (a.failure !== undefined && a.failure !== null) return `${who} could not be run: ${a.failure}`;
  const where = `${a.dtype}, ${a.device}`;
  const error =
    a.maxAbsError === null ? "" : `, largest difference ${formatNumber(a.maxAbsError, 3)}`;
  const ulps =
    a.maxUlps === undefined || a.maxUlps === null
      ? ""
      : `, at most ${formatNumber(a.maxUlps, 3)} ulp`;
  const reason = a.verdict === "cannot-be-decided" && a.sentence !== undefined ? a.sentence : null;
  const more = [reason, a.note ?? null].map((x) => (x === null ? "" : `; ${x}`)).join("");
  return `${who} (${where}): ${VERDICT_WORDS[a.verdict].toLowerCase()}, loss ${formatNumber(a.loss, 17)}${error}${ulps}${more}`;
}

export const HANDWRITTEN_WORDS: Readonly<Record<HandWritten["verdict"], string>> = {
  right: "Right",
  wrong: "Wrong",
  surrogate: "Surrogate",
  undecided: "Cannot be decided",
  refused: "Refused",
  "not-traced": "Not traced",
};

function handwrittenLines(all: readonly HandWritten[]): string[] {
  return all.flatMap((h) => [
    "",
    `Written by hand: ${h.gradientName} (${at(h.location)})`,
    `   ${h.use}.`,
    `   ${HANDWRITTEN_WORDS[h.verdict]}: ${h.sentence}.`,
    ...(h.faults.length < 2 ? [] : h.faults.map((f) => `   - ${f.sentence}${onLines(f.lines)}`)),
    ...h.faults.flatMap((f) => (f.term === null ? [] : [`   right less mistaken: ${f.term.text}`])),
    ...formulaLine("written: ", h.written),
    ...formulaLine("right:   ", h.right),
    ...formulaLine("written − right: ", h.residual),
    ...(h.maxAbsDifference === null
      ? []
      : [`   largest difference on these arrays: ${formatNumber(h.maxAbsDifference, 4)}`]),
    ...(h.fix === null ? [] : [`   fix: ${h.fix.title}:`, ...fixLines(h.fix)]),
  ]);
}

function formulaLine(label: string, f: Formula | null): string[] {
  return f === null ? [] : f.text.split("\n").map((t, k) => `   ${k === 0 ? label : ""}${t}`);
}

function fixLines(fix: HandWrittenFix): string[] {
  return fix.edits.flatMap((e) => e.newText.split("\n").map((t) => `      ${t.trim()}`));
}

function at(p: SourceLocation): string {
  return p.line === undefined ? p.file : `${p.file}:${p.line}`;
}

function comparisonPlain(c: Comparison): string {
  return [
    table(
      ["loss", "value", "gradient", "verdict"],
      c.reports.map((r) => [
        r.function.name,
        lossValueWords(r.loss),
        r.gradient.text,
        VERDICT_WORDS[r.check.verdict],
      ]),
    ),
    "",
    ...c.pairs.flatMap((p) => [p.sentence, ...reasonLines(p), ...trapLines(p.traps)]),
    ...(c.matches ?? []).flatMap((m) => [
      `${matchWords(m, c.reports[0]?.function.name)} ${m.call} (${m.source})`,
      ...trapLines(m.traps).map((line) => `   ${line}`),
    ]),
  ].join("\n");
}

type Pair = Comparison["pairs"][number];

function reasonLines(pair: Pair): string[] {
  if (pair.complete === undefined) return [];
  const percent = (x: number | null): string =>
    x === null ? "" : `: ${formatNumber(100 * x, 3)} % of the difference`;
  return [
    ...pair.differences.flatMap((d, k) => [
      "",
      `${k + 1}. ${d.title ?? d.reason}${percent(d.share)}${onLines(d.lines)}`,
      `   ${d.reason}`,
      ...(d.before === undefined || d.before === null ? [] : [`   is:      ${d.before.text}`]),
      ...(d.formula === null ? [] : [`   changed: ${d.formula.text}`]),
      ...(d.fix === null ? [] : [`   fix: ${d.fix}`]),
    ]),
    "",
    pair.complete
      ? "With all of this changed the two losses are the same function, by the exact test."
      : "These reasons do not explain all of the difference.",
  ];
}

function trapLines(traps: readonly TrapNote[] = []): string[] {
  return traps.map((t) => `trap (${trapPlace(t)}): ${t.sentence}`);
}

function trapItems(traps: readonly TrapNote[] = []): string[] {
  return traps.map((t) => `  - **Trap** (${inline(trapPlace(t))}): ${inline(t.sentence)}`);
}

export function toMarkdown(r: ReportOutput): string {
  if (isComparison(r)) {
    return [
      "| loss | value | verdict |",
      "| --- | --- | --- |",
      ...c4(r).map((row) => `| ${row.map(cell).join(" | ")} |`),
      "",
      ...r.reports.map((x) => `**${inline(x.function.name)}**\n\n$$${x.gradient.latex}$$\n`),
      ...r.pairs.flatMap((p) => [
        `- ${inline(p.sentence)}`,
        ...p.differences.flatMap((d) =>
          d.title === undefined ? [] : [`  - **${inline(d.title)}**: ${inline(d.reason)}`],
        ),
        ...trapItems(p.traps),
      ]),
      ...(r.matches ?? []).flatMap((m) => [
        `- ${inline(matchWords(m, r.reports[0]?.function.name))} \`${code(m.call)}\` (${inline(m.source)})`,
        ...trapItems(m.traps),
      ]),
    ].join("\n");
  }
  return [
    `**${VERDICT_WORDS[r.check.verdict]}**: ${inline(r.check.sentence)}`,
    "",
    `Loss \`${code(r.function.name)}\` (${inline(place(r))})${r.loss.value === null ? "" : `, value ${lossValueWords(r.loss)}`}`,
    "",
    `$$${r.loss.latex}$$`,
    "",
    ...r.gradient.steps.flatMap((s, k) => [
      `${k + 1}. ${inline(s.title)}`,
      "",
      `$$${s.latex}$$`,
      "",
      ...(s.note === undefined ? [] : [inline(s.note), ""]),
    ]),
    ...r.symbols.map((s) => `- $${s.symbol.latex}$: \`${code(s.name)}\`, ${inline(s.meaning)}`),
    ...(r.handwritten ?? []).flatMap(handwrittenMarkdown),
    ...(r.claims === undefined ? [] : claimsMarkdown(r.claims)),
    ...(r.behaviour === undefined ? [] : behaviourMarkdown(r.behaviour)),
    ...(r.precision === undefined ? [] : precisionMarkdown(r.precision)),
    ...cutsOf(r).map((d) => `- ${inline(d.message)}`),
    ...r.assumptions.map((a) => `- assumed: ${inline(a)}`),
    ...r.check.notes.map((n) => `- ${inline(n)}`),
  ].join("\n");
}

function handwrittenMarkdown(h: HandWritten): string[] {
  const formula = (title: string, f: Formula | null): string[] =>
    f === null ? [] : [`${title}:`, "", `$$${f.latex}$$`, ""];
  return [
    "",
    `**${HANDWRITTEN_WORDS[h.verdict]}**, written by hand: ${inline(h.sentence)}. ${inline(h.use)}.`,
    "",
    ...(h.faults.length < 2
      ? []
      : h.faults.map((f) => `- ${inline(f.sentence + onLines(f.lines))}`)),
    ...(h.faults.length < 2 ? [] : [""]),
    ...formula("As written", h.written),
    ...(h.verdict === "right" ? [] : formula("As derived from the forward pass", h.right)),
    ...formula("Written less derived", h.residual),
  ];
}

/** The loss and its gradient alone, as a display formula that MathJax and KaTeX both set. */
export function toLatex(r: ReportOutput): string {
  const reports = isComparison(r) ? r.reports : [r];
  return reports
    .map((x) => `$$\\begin{gathered}${x.loss.latex} \\\\[6pt] ${x.gradient.latex}\\end{gathered}$$`)
    .join("\n");
}

function place(r: Report): string {
  return `${r.function.file}:${r.function.line}`;
}

function c4(c: Comparison): string[][] {
  return c.reports.map((r) => [
    r.function.name,
    lossValueWords(r.loss),
    VERDICT_WORDS[r.check.verdict],
  ]);
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : ["", `${title}:`, ...entries.map((e) => `  - ${e}`)];
}

function indent(text: string): string[] {
  return text.split("\n").map((line) => `   ${line}`);
}

function code(text: string): string {
  return text.replace(/[`\n]/g, " ");
}
function cell(text: string): string {
  return inline(text);
}
