/** Why two gradients differ: each reason with its share, both formulas, its factor, lines and fix. */
import type { Comparison, Difference, GradientFactor } from "../report/schema.ts";
import { copyButton } from "./copy.ts";
import { h, unseen, type Child } from "./dom.ts";
import { formatNumber } from "./format.ts";
import { icon } from "./icons.ts";
import { lineLinks } from "./links.ts";
import { drawHistogram } from "./plots.ts";
import type { Typesetter } from "./typeset.ts";
import type { View } from "./view.ts";

type Pair = Comparison["pairs"][number];

/** @param file that the lines of the first loss are lines of */
export function drawReasons(
  view: View,
  pair: Pair,
  file: string,
  type: Typesetter,
): HTMLElement | null {
  const named = pair.differences.filter((d) => d.title !== undefined);
  if (named.length === 0) return null;
  return h(
    "ol",
    { class: "reasons", "aria-label": "Reasons for the difference" },
    ...named.map((d, k) => drawReason(view.part(`reason ${d.id ?? String(k)}`), d, k, file, type)),
  );
}

/** What follows from all the reasons together. */
export function drawConclusion({ complete, differences }: Pair): HTMLElement | null {
  if (complete === undefined) return null;
  const fixes = differences.length === 1 ? "this fix" : "all fixes";
  return complete
    ? h(
        "p",
        { class: "verdict-line conclusion" },
        h("span", { class: "badge is-equal-check" }, icon("check"), h("strong", {}, "Proved")),
        `: with ${fixes} applied the two losses are the same function, as the exact test decides.`,
      )
    : h(
        "p",
        { class: "verdict-line conclusion" },
        h(
          "span",
          { class: "badge is-equal-question" },
          icon("question"),
          h("strong", {}, "Not all of it"),
        ),
        ": these reasons do not explain all of the difference.",
      );
}

function drawReason(
  view: View,
  d: Difference,
  k: number,
  file: string,
  type: Typesetter,
): HTMLElement {
  return h(
    "li",
    { class: "reason" },
    h(
      "div",
      { class: "reason-head" },
      h("span", { class: "reason-number", "aria-hidden": "true" }, String(k + 1)),
      h("h4", {}, d.title ?? ""),
      shareOf(d),
      lineLinks(view, file, d.lines),
    ),
    h("p", {}, d.reason),
    formulaPair(d, type),
    d.factor === undefined ? null : factorOf(view, d.factor),
    d.fix === null
      ? null
      : h(
          "p",
          { class: "fix" },
          h("strong", {}, "Fix: "),
          h("span", {}, d.fix),
          copyButton(view, d.fix, "Copy this fix"),
        ),
  );
}

/** A bar and the words beside it: the bar only repeats them. */
function shareOf(d: Difference): Child {
  if (d.share === null) return null;
  const percent = (x: number): string => `${formatNumber(100 * x, 3)} %`;
  const range = d.shareRange ?? null;
  const isSure = range === null || range[1] - range[0] < 0.005;
  const width = Math.round(100 * Math.max(0, Math.min(1, d.share)));
  return h(
    "span",
    {
      class: "share",
      title: isSure
        ? null
        : `${percent(range[0])} to ${percent(range[1])}, by the order in which the reasons are removed`,
    },
    h(
      "span",
      { class: "share-bar", "aria-hidden": "true" },
      h("span", { style: `width: ${String(width)}%` }),
    ),
    percent(d.share),
    h("span", { class: "dim" }, " of the difference"),
    isSure
      ? null
      : unseen(`, from ${percent(range[0])} to ${percent(range[1])} by the order of the changes`),
  );
}

/** Factors so near to 1 say more as their distance from it. */
const HARDLY = 1e-3;

/** What the fix does to the gradient. */
function factorOf(view: View, f: GradientFactor): Child {
  const by = (x: number | null, digits: number): HTMLElement =>
    h("span", { class: "factor" }, `× ${formatNumber(x, digits)}`);
  switch (f.kind) {
    case "none":
      return null;
    case "constant":
      return h("p", {}, "The fix scales the whole gradient: ", by(f.value, 8), ", on any arrays.");
    case "common":
      return h("p", {}, "The fix scales the whole gradient: ", by(f.value, 8), " on these arrays.");
    case "varies": {
      const off = Math.max(Math.abs((f.least ?? NaN) - 1), Math.abs((f.most ?? NaN) - 1));
      if (off < HARDLY) {
        return h(
          "p",
          {},
          `The fix changes each entry of the gradient by at most ${formatNumber(off, 3)} of itself.`,
        );
      }
      const turned =
        f.turned > 0 ? `, and turns the sign of ${formatNumber(100 * f.turned, 3)} % of them` : "";
      return h(
        "div",
        {},
        h(
          "p",
          {},
          "The fix scales entries of the gradient unequally: ",
          by(f.least, 4),
          " to ",
          by(f.most, 4),
          ", the median ",
          by(f.value, 4),
          `${turned}.`,
        ),
        histogramOf(view, f),
      );
    }
  }
}

function histogramOf(view: View, { histogram }: GradientFactor): Child {
  if (histogram === undefined) return null;
  const details = h(
    "details",
    { class: "step" },
    h("summary", {}, icon("chevron"), h("span", { class: "step-title" }, "Factors as a histogram")),
  );
  const draw = (): void => {
    if (!details.open || details.childElementCount > 1 || view.ended) return;
    const words = { title: "Entries by their factor", x: "factor", y: "entries" };
    details.append(h("div", { class: "step-body" }, drawHistogram(view, histogram, words)));
  };
  view.remembersFold(details, "factors", false);
  details.addEventListener("toggle", draw);
  draw();
  return details;
}

/** The loss before and after, what changes in a box. */
function formulaPair(d: Difference, type: Typesetter): Child {
  if (d.formula === null) return null;
  const { before } = d;
  if (before === undefined || before === null) return type.display(d.formula.latex);
  const side = (label: string, latex: string): HTMLElement =>
    h("figure", { class: "side" }, h("figcaption", {}, label), type.display(latex));
  return h(
    "div",
    { class: "formula-pair" },
    side("As it is", before.latex),
    side("With the fix", d.formula.latex),
  );
}
