/** The formulas: the loss and its gradient in the open, the way between them step by step. */
import type { DerivationStep, Report, SymbolEntry } from "../report/schema.ts";
import { drawCopyBar } from "./copy.ts";
import { button, h, section } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Typesetter } from "./typeset.ts";
import type { View } from "./view.ts";

/** The loss and its gradient, always in sight. */
export function drawFormulas(report: Report, type: Typesetter): HTMLElement {
  return h(
    "div",
    { class: "formulas" },
    type.display(report.loss.latex),
    type.display(report.gradient.latex),
  );
}

export function drawDerivation(view: View, report: Report, type: Typesetter): HTMLElement | null {
  const { steps } = report.gradient;
  if (steps.length === 0) return null;
  const drawn = steps.map((step, k) => drawStep(view, step, k, type));
  const setAll = (open: boolean): void => {
    for (const each of drawn) each.open = open;
    view.announce(open ? "All steps expanded" : "All steps collapsed");
  };
  const part = section("Derivation", "derivation", h("div", { class: "steps" }, ...drawn));
  const heading = h("div", { class: "heading" });
  part.prepend(heading);
  heading.append(
    part.querySelector("h3")!,
    h(
      "div",
      { class: "bar", role: "group", "aria-label": "Steps of the derivation" },
      button("Expand all", {}, () => {
        setAll(true);
      }),
      button("Collapse all", {}, () => {
        setAll(false);
      }),
    ),
    drawCopyBar(view, report),
  );
  return part;
}

function drawStep(
  view: View,
  step: DerivationStep,
  k: number,
  type: Typesetter,
): HTMLDetailsElement {
  const details = h(
    "details",
    { class: "step", "data-step": step.id },
    h(
      "summary",
      {},
      icon("chevron"),
      h("span", { class: "step-number" }, `${k + 1}`),
      h("span", { class: "step-title" }, step.title),
      step.lines === undefined || step.lines.length === 0
        ? null
        : h("span", { class: "dim step-lines" }, lineRanges(step.lines)),
    ),
    h(
      "div",
      { class: "step-body" },
      type.display(step.latex),
      step.note === undefined ? null : h("p", { class: "note" }, step.note),
    ),
  );
  return view.remembersFold(details, `step ${k} ${step.id}`, false);
}

/** "line 4", "lines 4–6, 9". */
export function lineRanges(lines: readonly number[]): string {
  const sorted = [...new Set(lines)].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const line of sorted) {
    const last = ranges.at(-1);
    if (last?.[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  const text = ranges.map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(", ");
  return `${sorted.length === 1 ? "line" : "lines"} ${text}`;
}

/** What each symbol stands for. */
export function drawSymbols(symbols: readonly SymbolEntry[], type: Typesetter): HTMLElement | null {
  if (symbols.length === 0) return null;
  const rows = symbols.map((each) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, type.inline(each.symbol.latex)),
      h("td", {}, h("code", {}, each.name)),
      h("td", {}, each.meaning),
    ),
  );
  return section(
    "Symbols",
    "symbols",
    h(
      "table",
      { class: "legend" },
      h(
        "thead",
        {},
        h("tr", {}, ...["Symbol", "Name", "Meaning"].map((t) => h("th", { scope: "col" }, t))),
      ),
      h("tbody", {}, ...rows),
    ),
  );
}
