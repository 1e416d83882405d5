/** The numbers beside the formula: statistics, arrays, the element table, plots. */
import type { ArraySummary, Numbers, Report } from "../report/schema.ts";
import { h, section } from "./dom.ts";
import { formatCount, formatKnown, formatLoss, formatNumber, plural } from "./format.ts";
import { drawHistogram, drawScatter } from "./plots.ts";
import { drawTable } from "./table.ts";
import { checkFacts, drawFacts, type Fact } from "./verdict.ts";
import type { View } from "./view.ts";

/** The loss with all its digits, and what the check measured. */
export function drawMeasures(report: Report): HTMLElement | null {
  const { value } = report.loss;
  const evaluated = report.arrays.length > 0 || value !== null;
  const facts: Fact[] = [
    ...(evaluated
      ? [{ term: "Loss", value: [h("span", { class: "loss-value" }, formatLoss(report.loss))] }]
      : []),
    ...checkFacts(report),
  ];
  return facts.length === 0 ? null : drawFacts(facts, "measures");
}

export function drawNumbers(view: View, report: Report): HTMLElement | null {
  const { numbers, arrays } = report;
  const parts = [
    ...(arrays.length === 0 ? [] : [drawArrays(arrays)]),
    ...(numbers === undefined ? [] : drawGradientNumbers(view, report, numbers)),
  ];
  return parts.length === 0 ? null : section("Numbers", "figures", ...parts);
}

function drawGradientNumbers(view: View, report: Report, numbers: Numbers): HTMLElement[] {
  const { histogram, scatter, statistics, rows } = numbers;
  const parts: HTMLElement[] = [];
  if (statistics.length > 0) {
    parts.push(
      h("p", { class: "dim caption" }, "Gradient values"),
      drawFacts(statistics.map((x) => ({ term: x.label, value: [formatKnown(x, 8)] }))),
    );
  }
  const plots: HTMLElement[] = [];
  if (histogram !== undefined && numbers.total > FEW) plots.push(drawHistogram(view, histogram));
  if (scatter !== undefined && scatter.length > 0) plots.push(drawScatter(view, scatter));
  if (plots.length > 0) parts.push(h("div", { class: "plots" }, ...plots));
  if (rows.length > 0) {
    const { worst } = report.check;
    parts.push(
      drawTable(view, {
        caption: caption(numbers),
        indexColumn: "index",
        columns: numbers.columns,
        rows,
        marked: worst === null ? undefined : { index: worst.index, word: "most rounding units" },
      }),
    );
  }
  return parts;
}

/** Of so few elements the table says everything. */
const FEW = 24;

function caption(numbers: Numbers): string {
  const { rows, total, complete, columns } = numbers;
  if (rows.length === total) return total === 1 ? "The element" : `All ${plural(total, "element")}`;
  const of = `${formatCount(rows.length)} of ${plural(total, "element")}`;
  return complete || !columns.includes("error") ? of : `${of}, the largest errors first`;
}

function drawArrays(arrays: readonly ArraySummary[]): HTMLElement {
  const number = (x: number | null): HTMLElement =>
    h("td", {}, x === null ? "" : formatNumber(x, 4));
  const share = (x: number | null): HTMLElement =>
    h("td", {}, x === null ? "" : `${formatNumber(100 * x, 3)} %`);
  const head = (text: string): HTMLElement => h("th", { scope: "col" }, text);
  const words = (text: string): HTMLElement => h("th", { scope: "col", class: "words" }, text);
  const heads = [
    ...["Array", "Role", "Shape", "Type"].map(words),
    ...["Smallest", "Largest", "Mean", "Foreground"].map(head),
    words("From"),
  ];
  return h(
    "div",
    { class: "table-scroll flat" },
    h(
      "table",
      { class: "numbers arrays" },
      h("thead", {}, h("tr", {}, ...heads)),
      h(
        "tbody",
        {},
        ...arrays.map((a) =>
          h(
            "tr",
            // VS Code adds it to what the report says of itself, for its context menu.
            { "data-vscode-context": JSON.stringify({ reportArray: a.name }) },
            h("th", { scope: "row" }, h("code", {}, a.name)),
            h("td", { class: "words" }, a.role),
            h("td", { class: "shape" }, `(${a.shape.join(", ")})`),
            h("td", { class: "words" }, a.dtype),
            number(a.min),
            number(a.max),
            number(a.mean),
            share(a.foregroundShare),
            h("td", { class: "words dim" }, a.origin),
          ),
        ),
      ),
    ),
  );
}
