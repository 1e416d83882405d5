/**
 * What a hover over a loss says, as Markdown. VS Code cuts a hover's text at about 100,000 characters,
 * pictures included, and shows the torn rest as letters: so what does not fit is left out whole.
 */
import type { Formula, Report } from "../../report/schema.ts";
import type { Failure } from "../../session/protocol.ts";

/** Characters a hover may have. */
export const HOVER_LIMIT = 90_000;
/** Of a formula as text: longer ones are for the full report. */
const LONGEST_TEXT = 1500;

export interface Link {
  readonly title: string;
  readonly command: string;
  readonly argument: unknown;
  readonly tooltip: string;
}

/** Draws a formula as an SVG document; null for what cannot be drawn. */
export type Draw = (latex: string) => Promise<string | null>;

/**
 * The loss, its gradient and the sums these are written in, each as a picture with its text for
 * screen readers; or the gradient alone, or text, as the limit allows.
 * @param asText write the formulas as text in addition, for readers who see no pictures
 */
export async function reportText(
  report: Report,
  links: readonly Link[],
  draw: Draw,
  options: { readonly asText: boolean; readonly isStale: boolean },
): Promise<string> {
  const head = `**${escaped(report.function.name)}** and its gradient by \`${report.gradient.wrt}\``;
  const notes = [...notesOf(report), ...(options.isStale ? ["*Being derived again…*"] : [])];
  const tail = [...notes, linkLine(links)].join("\n\n");
  const formulas = [report.loss, report.gradient, ...definitions(report)];
  const text = options.asText ? block(formulas) : "";
  const frame = [head, text, tail].filter((s) => s !== "");
  const room = HOVER_LIMIT - frame.join("\n\n").length - 200;

  const pictures = await Promise.all(
    formulas.map(async (f) => {
      const svg = await draw(f.latex);
      return svg === null ? null : picture(svg, f.text);
    }),
  );
  const shown = fitting(pictures, room);
  if (shown === null) return [head, block([report.gradient]), tooLong(report), tail].join("\n\n");
  const less = shown.length < formulas.length ? tooLong(report) : "";
  return [head, ...shown, text, less, tail].filter((s) => s !== "").join("\n\n");
}

/** Why there is no gradient, and where. */
export function failureText(name: string, failure: Failure, links: readonly Link[]): string {
  const where = failure.line === null ? "" : ` (${place(failure)})`;
  return [
    `**${escaped(name)}**: the gradient cannot be derived`,
    `$(warning) ${escaped(failure.message)}${escaped(where)}`,
    ...(failure.caretText === null ? [] : [`\`\`\`python\n${fenced(failure.caretText)}\n\`\`\``]),
    ...(failure.remedy === null ? [] : [escaped(failure.remedy)]),
    linkLine(links),
  ].join("\n\n");
}

function place(f: Failure): string {
  return f.file === null ? `line ${String(f.line)}` : `${f.file}, line ${String(f.line)}`;
}

/** All of them, else all but the loss, else the gradient alone; null if that is too long too. */
function fitting(pictures: readonly (string | null)[], room: number): readonly string[] | null {
  for (const choice of [pictures, pictures.slice(1), pictures.slice(1, 2)]) {
    const drawn = choice.filter((p) => p !== null);
    if (drawn.length < choice.length || drawn.length === 0) continue;
    if (drawn.reduce((n, p) => n + p.length + 2, 0) <= room) return drawn;
  }
  return null;
}

function tooLong(report: Report): string {
  return `The formula of ${escaped(report.function.name)} is too long for a hover; the full report has all of it.`;
}

/** The equations of what the gradient is written in (named sums, activations), and of what these are. */
function definitions(report: Report): Formula[] {
  const step = report.gradient.steps.find((s) => s.id === "sums");
  if (step === undefined) return [];
  const inner = /^\\begin\{aligned\} ([\s\S]*) \\end\{aligned\}$/.exec(step.latex)?.[1];
  const latex = inner?.split(" \\\\[4pt] ") ?? [];
  const text = step.text.split("\n");
  if (latex.length !== text.length) return [];
  const rows = latex.map((row, k) => {
    const [symbol = "", value = ""] = row.split(" &= ");
    return { symbol, value, latex: `${symbol} = ${value}`, text: text[k]! };
  });
  const needed = new Set<(typeof rows)[number]>();
  const need = (formula: string): void => {
    for (const row of rows) {
      if (needed.has(row) || row.symbol === "L" || !mentions(formula, row.symbol)) continue;
      needed.add(row);
      need(row.value);
    }
  };
  need(report.gradient.latex);
  const used = rows.filter((row) => needed.has(row));
  if (used.length === 0) return [];
  return [{ latex: inLines(used), text: used.map((u) => u.text).join(", ") }];
}

/** Letters of a line of equations. */
const LINE = 58;

/** Several short equations a line; none is broken. */
function inLines(equations: readonly Formula[]): string {
  const lines: { latex: string[]; length: number }[] = [];
  for (const { latex, text } of equations) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length <= LINE) {
      last.latex.push(latex);
      last.length += text.length;
    } else lines.push({ latex: [latex], length: text.length });
  }
  const rows = lines.map((l) => l.latex.join(",\\quad "));
  return rows.length === 1
    ? rows[0]!
    : `\\begin{aligned} ${rows.map((r) => `& ${r}`).join(" \\\\[4pt] ")} \\end{aligned}`;
}

/** Whether a formula has a symbol in it, be it with other indices. */
function mentions(formula: string, symbol: string): boolean {
  const [, letter = "", number = ""] = /^(.*?)(?:_\{(\d*)[^}]*\})?$/.exec(symbol) ?? [];
  const plain = letter.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const index = number === "" ? "(?!_\\{\\d)" : `_\\{${number}\\b`;
  return new RegExp(`(?<![\\\\A-Za-z])${plain}(?![A-Za-z])${index}`).test(formula);
}

/** One line each: what the gradient does not reach, what was taken for granted. */
function notesOf(report: Report): string[] {
  const found = report.diagnostics.map((d) => {
    const icon = d.severity === "information" ? "$(info)" : `$(${d.severity})`;
    const line = d.location?.line;
    return `${icon} ${escaped(d.message)}${line === undefined ? "" : ` (line ${String(line)})`}`;
  });
  const assumed = report.assumptions.map(escaped).join("; ");
  return assumed === "" ? found : [...found, `Assumed: ${assumed}`];
}

function picture(svg: string, text: string): string {
  const data = Buffer.from(svg).toString("base64");
  return `![${alternative(text)}](data:image/svg+xml;base64,${data})`;
}

/** The formula's own letters, as far as Markdown lets them stand in a picture's description. */
function alternative(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return escaped(line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line);
}

function block(formulas: readonly Formula[]): string {
  const text = formulas
    .map((f) => (f.text.length > LONGEST_TEXT ? `${f.text.slice(0, LONGEST_TEXT)}…` : f.text))
    .join("\n");
  return `\`\`\`text\n${fenced(text)}\n\`\`\``;
}

function linkLine(links: readonly Link[]): string {
  return links
    .map(({ title, command, argument, tooltip }) => {
      const query = encodeURIComponent(JSON.stringify([argument])).replace(/[()]/g, (c) =>
        c === "(" ? "%28" : "%29",
      );
      return `[${title}](command:${command}?${query} "${tooltip}")`;
    })
    .join(" · ");
}

// Names and messages come from other people's files: nothing in them may act as Markdown.
function escaped(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()<>#|~$!&]/g, (c) =>
      c === "<" ? "&lt;" : c === "&" ? "&amp;" : c === "$" ? "&#36;" : `\\${c}`,
    )
    .replace(/\n/g, " ");
}

function fenced(text: string): string {
  return text.replace(/```/g, "'''");
}
