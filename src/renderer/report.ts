/** One report, from its parts. */
import type { Report } from "../report/schema.ts";
import { drawBehaviour, drawClaims } from "./behaviour.ts";
import { drawDerivation, drawFormulas, drawSymbols } from "./derivation.ts";
import { h } from "./dom.ts";
import { drawHandwritten, isHandwrittenDiagnostic } from "./handwritten.ts";
import { drawImages } from "./images.ts";
import { drawDiagnostics, drawDifferences, drawMatches, drawNotes } from "./notes.ts";
import { drawMeasures, drawNumbers } from "./numbers.ts";
import { Typesetter } from "./typeset.ts";
import { drawPrecision } from "./precision.ts";
import { drawVerdict } from "./verdict.ts";
import type { View } from "./view.ts";

/** What was drawn, and a promise that is kept when its pictures are drawn too. */
export interface Drawing {
  readonly element: HTMLElement;
  readonly drawn: Promise<void>;
}

export function drawReport(view: View, report: Report): Drawing {
  const type = new Typesetter();
  const images =
    report.images === undefined || report.images.length === 0
      ? null
      : drawImages(view, report.images, report.gradient.shape);
  const element = h("article", {
    class: "report",
    "aria-label": `Gradient report of ${report.function.name}`,
  });
  const parts = [
    drawVerdict(report),
    drawDiagnostics(report.diagnostics.filter((d) => !isHandwrittenDiagnostic(d.code))),
    drawHandwritten(report.handwritten, type),
    h(
      "div",
      { class: "overview" },
      h("div", {}, drawFormulas(report, type), drawMeasures(report)),
      drawSymbols(report.symbols, type),
    ),
    drawClaims(view, report.claims),
    drawBehaviour(view, report.behaviour),
    drawPrecision(report.precision),
    drawDerivation(view, report, type),
    drawMatches(report.matches),
    drawDifferences(report.differences, type),
    drawNumbers(view, report),
    images?.element ?? null,
    drawNotes(report),
  ];
  for (const part of parts) if (part !== null) element.append(part);
  return { element, drawn: images?.drawn ?? Promise.resolve() };
}
