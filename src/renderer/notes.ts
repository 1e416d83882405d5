/** What else there is to know: diagnostics, differences, matches, assumptions, notes. */
import type { Diagnostic, Difference, Match, Report, TrapNote } from "../report/schema.ts";
import { lineRanges } from "./derivation.ts";
import { h, section } from "./dom.ts";
import { formatNumber } from "./format.ts";
import { icon, type Icon } from "./icons.ts";
import type { Typesetter } from "./typeset.ts";
import { place } from "./verdict.ts";

const SEVERITIES: Readonly<
  Record<Diagnostic["severity"], { readonly word: string; readonly icon: Icon }>
> = {
  error: { word: "Error", icon: "cross" },
  warning: { word: "Warning", icon: "warning" },
  information: { word: "Information", icon: "info" },
};

export function drawDiagnostics(diagnostics: readonly Diagnostic[]): HTMLElement | null {
  if (diagnostics.length === 0) return null;
  return h("ul", { class: "diagnostics", "aria-label": "Diagnostics" }, ...diagnostics.map(one));
}

function one(diagnostic: Diagnostic): HTMLElement {
  const { word, icon: name } = SEVERITIES[diagnostic.severity];
  return h(
    "li",
    { class: `is-${diagnostic.severity}` },
    h("span", { class: "badge" }, icon(name), h("strong", {}, word)),
    " ",
    h("code", {}, diagnostic.code),
    " ",
    diagnostic.message,
    diagnostic.location === null
      ? null
      : h("span", { class: "dim" }, ` (${place(diagnostic.location)})`),
    diagnostic.remedy === null
      ? null
      : h("p", { class: "remedy" }, h("span", { class: "dim" }, "Remedy: "), diagnostic.remedy),
  );
}

/** @param subject which of several losses it is about */
export function drawMatches(matches: readonly Match[], subject?: string): HTMLElement | null {
  if (matches.length === 0) return null;
  return section(
    "Known losses",
    "matches",
    h(
      "ul",
      {},
      ...matches.map((m) =>
        h(
          "li",
          {},
          subject === undefined ? "" : `${subject} is `,
          m.exact ? "equal to " : "nearest to ",
          h("code", {}, m.call),
          h("span", { class: "dim" }, ` ${m.name}, ${m.source}`),
          drawTraps(m.traps),
        ),
      ),
    ),
  );
}

/** What people do not expect of a standard loss, with the versions that have it. */
export function drawTraps(traps: readonly TrapNote[] = []): HTMLElement | null {
  if (traps.length === 0) return null;
  return h(
    "ul",
    { class: "diagnostics", "aria-label": "What people do not expect" },
    ...traps.map((t) =>
      h(
        "li",
        { class: "is-information" },
        h("span", { class: "badge" }, icon("info"), h("strong", {}, "Trap")),
        ` ${t.sentence}`,
        h("span", { class: "dim" }, ` (${t.library}, ${t.versions})`),
      ),
    ),
  );
}

export function drawDifferences(
  differences: readonly Difference[],
  type: Typesetter,
): HTMLElement | null {
  return differences.length === 0
    ? null
    : section("Differences", "differences", differenceList(differences, type));
}

export function differenceList(differences: readonly Difference[], type: Typesetter): HTMLElement {
  return h("ul", { class: "difference-list" }, ...differences.map((d) => drawDifference(d, type)));
}

function drawDifference(d: Difference, type: Typesetter): HTMLElement {
  const figures: string[] = [];
  if (d.share !== null) figures.push(`${formatNumber(100 * d.share, 3)} % of the difference`);
  if (d.commonFactor !== null) {
    figures.push(`a common factor of ${formatNumber(d.commonFactor, 8)}`);
  }
  if (d.maxAbsDifference !== null) {
    figures.push(`at most ${formatNumber(d.maxAbsDifference, 3)} an element`);
  }
  if (d.lines.length > 0) figures.push(lineRanges(d.lines));
  return h(
    "li",
    {},
    h("span", { class: "dim" }, `${d.other}: `),
    d.reason,
    figures.length === 0 ? null : h("p", { class: "dim" }, figures.join(", ")),
    d.formula === null ? null : type.display(d.formula.latex),
    d.fix === null ? null : h("p", {}, h("span", { class: "dim" }, "To make them equal: "), d.fix),
  );
}

/** What was taken for granted, and what else the check found. */
export function drawNotes(report: Report): HTMLElement | null {
  const lists = [
    bullets("Assumed", report.assumptions),
    bullets("Checked by", report.check.method === "" ? [] : [report.check.method]),
    bullets("From the check", report.check.notes),
  ].flat();
  return lists.length === 0 ? null : section("Notes", "notes", ...lists);
}

function bullets(title: string, entries: readonly string[]): HTMLElement[] {
  if (entries.length === 0) return [];
  return [
    h("p", { class: "dim caption" }, title),
    h("ul", {}, ...entries.map((text) => h("li", {}, text))),
  ];
}
