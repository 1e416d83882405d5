/** What `explain` adds to a report, as plain text and as Markdown. */
import { CLAIM_WORDS, FINDING_WORDS, chartRows, inline, onLines, table } from "./words.ts";
import type { Behaviour, ClaimEntry } from "./schema.ts";

export function behaviourPlain(b: Behaviour): string[] {
  return [
    "",
    "How the gradient behaves:",
    ...(b.assumed === null ? [] : [`  (${b.assumed})`]),
    ...b.findings.map((f) => `  - ${FINDING_WORDS[f.kind]}: ${f.sentence}${onLines(f.lines)}`),
    ...(b.limits.length === 0 ? [] : ["", "At the ends, the gradient of one element:"]),
    ...(b.limits.length === 0 ? [] : indented(limitTable(b))),
    ...b.charts.flatMap((c) => {
      const { head, rows } = chartRows(c, 9);
      return ["", `${c.title} (${c.note}):`, ...indented(table(head, rows))];
    }),
  ];
}

function limitTable(b: Behaviour): string {
  const withSmoothing = b.limits.some((l) => l.without !== null);
  return table(
    ["where", "of", "gradient", ...(withSmoothing ? ["without smoothing"] : [])],
    b.limits.map((l) => [
      l.what,
      l.of,
      l.own.words,
      ...(withSmoothing ? [l.without?.words ?? ""] : []),
    ]),
  );
}

export function claimsPlain(claims: readonly ClaimEntry[]): string[] {
  return [
    "",
    "Three claims:",
    ...claims.flatMap((c) => [
      `  “${c.claim}”`,
      `     ${CLAIM_WORDS[c.verdict]}: ${c.sentence}${onLines(c.lines)}.`,
      ...c.evidence.map((e) => `     - ${e}`),
      ...(c.needs === null ? [] : [`     needs: ${c.needs}`]),
    ]),
  ];
}

export function behaviourMarkdown(b: Behaviour): string[] {
  return [
    "",
    "**How the gradient behaves**",
    "",
    ...(b.assumed === null ? [] : [inline(b.assumed), ""]),
    ...b.findings.map(
      (f) => `- **${FINDING_WORDS[f.kind]}**: ${prose(f.sentence + onLines(f.lines))}`,
    ),
    "",
    ...b.charts.flatMap((c) => {
      const { head, rows } = chartRows(c, 9);
      const line = (cells: readonly string[]): string => `| ${cells.map(inline).join(" | ")} |`;
      return [
        `*${inline(c.title)}* (${inline(c.note)})`,
        "",
        line(head),
        `|${head.map(() => " --- |").join("")}`,
        ...rows.map(line),
        "",
      ];
    }),
  ];
}

export function claimsMarkdown(claims: readonly ClaimEntry[]): string[] {
  return [
    "",
    "**Three claims**",
    "",
    ...claims.flatMap((c) => [
      `- “${inline(c.claim)}” **${CLAIM_WORDS[c.verdict]}**: ${prose(c.sentence + onLines(c.lines))}.`,
      ...c.evidence.map((e) => `  - ${prose(e)}`),
      ...(c.needs === null ? [] : [`  - needs: ${inline(c.needs)}`]),
    ]),
    "",
  ];
}

function indented(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

/** Text in which names from code stand between backticks: these are Markdown's own, once escaped. */
function prose(text: string): string {
  return inline(text).replace(/\\`([^`\\]*)\\`/g, "`$1`");
}
