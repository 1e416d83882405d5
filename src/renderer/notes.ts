/** What else there is to know: diagnostics, differences, matches, assumptions, notes. */
import type { Diagnostic, Difference, Match, Report } from "../report/schema.ts";
import { lineRanges } from "./derivation.ts";
import { h, section, type Child } from "./dom.ts";
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

export function drawMatches(matches: readonly Match[]): HTMLElement | null {
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
          m.exact ? "Equal to " : "Nearest to ",
          h("code", {}, m.call),
          h("span", { class: "dim" }, ` ${m.name}, ${m.source}`),
        ),
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
  const named = d.title !== undefined;
  if (d.share !== null && !named) {
    figures.push(`${formatNumber(100 * d.share, 3)} % of the difference`);
  }
  const factor = factorWords(d);
  if (factor !== null) figures.push(factor);
  if (d.maxAbsDifference !== null && !named) {
    figures.push(`at most ${formatNumber(d.maxAbsDifference, 3)} an element`);
  }
  if (d.lines.length > 0) figures.push(lineRanges(d.lines));
  const detail: Child[] = [
    figures.length === 0 ? null : h("p", { class: "dim" }, figures.join(", ")),
    formulaPair(d, type),
    d.fix === null ? null : h("p", {}, h("span", { class: "dim" }, "To make them equal: "), d.fix),
  ];
  if (d.title === undefined) {
    return h("li", {}, h("span", { class: "dim" }, `${d.other}: `), d.reason, ...detail);
  }
  return h(
    "li",
    {},
    h("p", { class: "reason" }, h("strong", {}, d.title), shareOf(d), ` ${d.reason}`),
    ...detail,
  );
}

/** A bar and the words beside it: the bar only repeats them. */
function shareOf(d: Difference): Child {
  if (d.share === null) return ". ";
  const percent = (x: number): string => `${formatNumber(100 * x, 3)} %`;
  const range = d.shareRange ?? null;
  const spread =
    range === null || range[1] - range[0] < 0.005
      ? ""
      : ` (${percent(range[0])} to ${percent(range[1])}, by the order of the changes)`;
  const width = Math.max(0, Math.min(1, d.share));
  return h(
    "span",
    {},
    ": ",
    h(
      "span",
      { class: "share-bar", "aria-hidden": "true" },
      h("span", { style: `width: ${String(Math.round(100 * width))}%` }),
    ),
    ` ${percent(d.share)} of the difference${spread}.`,
  );
}

/** What removing the reason does to the gradient. */
function factorWords({ factor, commonFactor }: Difference): string | null {
  if (factor === undefined) {
    return commonFactor === null ? null : `a common factor of ${formatNumber(commonFactor, 8)}`;
  }
  switch (factor.kind) {
    case "none":
      return null;
    case "constant":
      return `its removal multiplies the gradient by ${formatNumber(factor.value, 8)}, on any arrays`;
    case "common":
      return `its removal multiplies the gradient by ${formatNumber(factor.value, 8)} on these arrays`;
    case "varies": {
      const turned =
        factor.turned > 0
          ? `, and turns ${formatNumber(100 * factor.turned, 3)} % of the signs`
          : "";
      return `its removal multiplies entries by ${formatNumber(factor.least, 4)} to ${formatNumber(factor.most, 4)}, half of them by at most ${formatNumber(factor.value, 4)}${turned}`;
    }
  }
}

/** The loss before and after, what changes in a box. */
function formulaPair(d: Difference, type: Typesetter): Child {
  if (d.formula === null) return null;
  const { before } = d;
  if (before === undefined || before === null) return type.display(d.formula.latex);
  const side = (label: string, latex: string): HTMLElement =>
    h("div", { class: "side" }, h("p", { class: "dim caption" }, label), type.display(latex));
  return h(
    "div",
    { class: "formula-pair" },
    side("as it is", before.latex),
    side("with this changed", d.formula.latex),
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
