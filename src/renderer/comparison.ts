/** Several losses on the same arrays: a table of them, what sets each pair apart, each report. */
import type { Comparison, Report } from "../report/schema.ts";
import { h, section } from "./dom.ts";
import { formatLoss } from "./format.ts";
import { icon, type Icon } from "./icons.ts";
import { differenceList, drawMatches, drawTraps } from "./notes.ts";
import { drawConclusion, drawReasons } from "./reasons.ts";
import { drawReport, type Drawing } from "./report.ts";
import { Typesetter } from "./typeset.ts";
import { place, verdictBadge } from "./verdict.ts";
import type { View } from "./view.ts";

type Pair = Comparison["pairs"][number];

const EQUALITIES: Readonly<Record<Pair["equal"], { readonly word: string; readonly icon: Icon }>> =
  {
    exactly: { word: "Same gradient", icon: "check" },
    no: { word: "Different gradients", icon: "cross" },
    "cannot be decided": { word: "Cannot be decided", icon: "question" },
  };

export function drawComparison(view: View, comparison: Comparison): Drawing {
  const { reports, pairs } = comparison;
  const type = new Typesetter();
  const opened: Promise<void>[] = [];
  const element = h(
    "article",
    { class: "comparison", "aria-label": `Comparison of ${reports.length} losses` },
    pairs.length === 0
      ? null
      : h(
          "div",
          { class: "pairs" },
          ...pairs.map((p, k) => drawPair(view.part(`pair ${k}`), p, comparison, type)),
        ),
    lossTable(reports, type),
    drawMatches(comparison.matches ?? [], reports[0]?.function.name),
    section(
      "Reports",
      "reports",
      ...reports.map((report, k) => foldedReport(view, report, k, opened)),
    ),
  );
  return { element, drawn: Promise.all(opened).then(() => undefined) };
}

function lossTable(reports: readonly Report[], type: Typesetter): HTMLElement {
  const head = (text: string): HTMLElement => h("th", { scope: "col" }, text);
  const words = (text: string): HTMLElement => h("th", { scope: "col", class: "words" }, text);
  return h(
    "div",
    { class: "table-scroll flat" },
    h(
      "table",
      { class: "numbers losses" },
      h(
        "thead",
        {},
        h("tr", {}, words("Loss"), head("Value"), words("Verdict"), words("Gradient")),
      ),
      h(
        "tbody",
        {},
        ...reports.map((r) =>
          h(
            "tr",
            {},
            h(
              "th",
              { scope: "row" },
              h("code", {}, r.function.name),
              h("span", { class: "dim where" }, place(r.function)),
            ),
            h("td", {}, formatLoss(r.loss)),
            h("td", { class: "words" }, verdictBadge(r.check.verdict)),
            h("td", { class: "words" }, type.inline(`\\displaystyle ${r.gradient.latex}`)),
          ),
        ),
      ),
    ),
  );
}

function drawPair(view: View, pair: Pair, { reports }: Comparison, type: Typesetter): HTMLElement {
  const unnamed = pair.differences.filter((d) => d.title === undefined);
  const { word, icon: name } = EQUALITIES[pair.equal];
  const [a, b] = [reports[pair.a]!, reports[pair.b]!];
  return h(
    "div",
    { class: "pair" },
    h(
      "p",
      { class: "verdict-line" },
      h("span", { class: `badge is-equal-${name}` }, icon(name), h("strong", {}, word)),
      ": ",
      h("span", {}, pair.sentence),
    ),
    [a, b].every((report) => pair.sentence.includes(report.function.name))
      ? null
      : h(
          "p",
          { class: "dim subject" },
          h("code", {}, a.function.name),
          " and ",
          h("code", {}, b.function.name),
        ),
    drawReasons(view, pair, a.function.file, type),
    unnamed.length === 0 ? null : differenceList(unnamed, type),
    drawConclusion(pair),
    drawTraps(pair.traps),
  );
}

/** A report is drawn when it is first unfolded: there may be many. */
function foldedReport(
  view: View,
  report: Report,
  k: number,
  opened: Promise<void>[],
): HTMLDetailsElement {
  const details = h(
    "details",
    { class: "step folded-report" },
    h(
      "summary",
      {},
      icon("chevron"),
      h("code", { class: "step-title" }, report.function.name),
      verdictBadge(report.check.verdict),
    ),
  );
  let drawn = false;
  const draw = (): void => {
    if (drawn || !details.open || view.ended) return;
    drawn = true;
    const drawing = drawReport(view.part(`report ${k}`), report);
    details.append(h("div", { class: "step-body" }, drawing.element));
    opened.push(drawing.drawn);
  };
  view.remembersFold(details, `report ${k}`, false);
  details.addEventListener("toggle", draw);
  draw();
  return details;
}
