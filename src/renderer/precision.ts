/** The ladder: the loss and its gradient in several number types, and what goes wrong in them. */
import type { Precision, PrecisionFinding, PrecisionRung } from "../report/schema.ts";
import { lineRanges } from "./derivation.ts";
import { h, section } from "./dom.ts";
import { formatNumber } from "./format.ts";
import { icon, type Icon } from "./icons.ts";

const VERDICTS: Readonly<
  Record<PrecisionRung["verdict"], { readonly word: string; readonly icon: Icon }>
> = {
  reference: { word: "Reference", icon: "info" },
  fine: { word: "Fine", icon: "check" },
  coarse: { word: "Loses digits", icon: "warning" },
  wrong: { word: "Wrong", icon: "cross" },
  "not-a-number": { word: "Not a number", icon: "cross" },
  refused: { word: "Refused", icon: "cross" },
};

const SEVERITIES: Readonly<
  Record<PrecisionFinding["severity"], { readonly word: string; readonly icon: Icon }>
> = {
  error: { word: "Error", icon: "cross" },
  warning: { word: "Warning", icon: "warning" },
  information: { word: "Information", icon: "info" },
};

export function drawPrecision(precision: Precision | undefined): HTMLElement | null {
  if (precision === undefined) return null;
  const head = (text: string, words: boolean): HTMLElement =>
    h("th", { scope: "col", class: words ? "words" : null }, text);
  return section(
    "Other number types",
    "precision",
    h(
      "p",
      { class: "dim" },
      `Every operation rounded as in ${precision.as}; errors are shares of the exact gradient's largest entry.`,
    ),
    h(
      "div",
      { class: "table-scroll flat" },
      h(
        "table",
        { class: "numbers" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head("Number type", true),
            head("Loss", false),
            head("Gradient's largest error", false),
            head("Verdict", true),
          ),
        ),
        h("tbody", {}, ...precision.rungs.map(drawRung)),
      ),
    ),
    precision.findings.length === 0
      ? null
      : h(
          "ul",
          { class: "diagnostics", "aria-label": "What goes wrong in these types" },
          ...precision.findings.map(drawFinding),
        ),
    precision.notes.length === 0
      ? null
      : h("ul", {}, ...precision.notes.map((n) => h("li", {}, n))),
  );
}

function drawRung(r: PrecisionRung): HTMLElement {
  const { word, icon: name } = VERDICTS[r.verdict];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("code", {}, r.name)),
    h("td", {}, r.lossWords),
    h("td", {}, r.gradientError === null ? "none" : `${formatNumber(100 * r.gradientError, 3)} %`),
    h(
      "td",
      { class: "words" },
      h("span", { class: "badge" }, icon(name), h("strong", {}, word)),
      ` ${r.sentence}`,
    ),
  );
}

function drawFinding(f: PrecisionFinding): HTMLElement {
  const { word, icon: name } = SEVERITIES[f.severity];
  return h(
    "li",
    { class: `is-${f.severity}` },
    h("span", { class: "badge" }, icon(name), h("strong", {}, word)),
    ` In ${f.rungs.join(", ")}: ${f.sentence}`,
    f.lines.length === 0 ? null : h("span", { class: "dim" }, ` (${lineRanges(f.lines)})`),
    f.fix === null
      ? null
      : h("p", { class: "remedy" }, h("span", { class: "dim" }, "Fix: "), f.fix),
  );
}
