/** What `precision` adds to a report, as plain text, Markdown and static HTML. */
import { escape } from "./escape.ts";
import type { Precision, PrecisionFinding, PrecisionRung } from "./schema.ts";
import { formatNumber, inline, onLines, table } from "./words.ts";

export const RUNG_WORDS: Readonly<Record<PrecisionRung["verdict"], string>> = {
  reference: "Reference",
  fine: "Fine",
  coarse: "Loses digits",
  wrong: "Wrong",
  "not-a-number": "Not a number",
  refused: "Refused",
};

export const RUNG_HEAD = ["number type", "loss", "gradient's largest error", "verdict"] as const;

/** One rung as the cells of a table. */
export function rungCells(r: PrecisionRung): string[] {
  const error = r.gradientError === null ? "none" : `${formatNumber(100 * r.gradientError, 3)} %`;
  return [r.name, r.lossWords, error, `${RUNG_WORDS[r.verdict]}: ${r.sentence}`];
}

function findingText(f: PrecisionFinding): string {
  return `in ${f.rungs.join(", ")}: ${f.sentence}${onLines(f.lines)}`;
}

export function precisionPlain(p: Precision): string[] {
  return [
    "",
    `In other number types (${p.as}):`,
    ...table([...RUNG_HEAD], p.rungs.map(rungCells))
      .split("\n")
      .map((t) => `  ${t}`),
    ...p.findings.flatMap((f) => [
      `  - ${findingText(f)}`,
      ...(f.fix === null ? [] : [`    fix: ${f.fix}`]),
    ]),
    ...p.notes.map((n) => `  - ${n}`),
  ];
}

export function precisionMarkdown(p: Precision): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.map(inline).join(" | ")} |`;
  return [
    "",
    `**In other number types** (${inline(p.as)})`,
    "",
    row(RUNG_HEAD),
    `| ${RUNG_HEAD.map(() => "---").join(" | ")} |`,
    ...p.rungs.map((r) => row(rungCells(r))),
    "",
    ...p.findings.map(
      (f) => `- ${inline(findingText(f))}${f.fix === null ? "" : ` ${inline(f.fix)}`}`,
    ),
    ...p.notes.map((n) => `- ${inline(n)}`),
  ];
}

export function precisionHtml(p: Precision): string {
  const cells = (r: PrecisionRung): string =>
    rungCells(r)
      .map((t, k) => (k === 0 ? `<th scope="row">${escape(t)}</th>` : `<td>${escape(t)}</td>`))
      .join("");
  const head = RUNG_HEAD.map((t) => `<th scope="col">${t}</th>`).join("");
  const told = [
    ...p.findings.map(
      (f) => `<li>${escape(findingText(f))}${f.fix === null ? "" : `<br>${escape(f.fix)}`}</li>`,
    ),
    ...p.notes.map((n) => `<li>${escape(n)}</li>`),
  ];
  return (
    `<table><caption>In other number types (${escape(p.as)})</caption><thead><tr>${head}</tr></thead>` +
    `<tbody>${p.rungs.map((r) => `<tr>${cells(r)}</tr>`).join("")}</tbody></table>` +
    (told.length === 0 ? "" : `<ul>${told.join("")}</ul>`)
  );
}
