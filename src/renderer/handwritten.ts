/** Gradients that the code brings itself: whether they run, whether they are right, what is not. */
import type { Formula, HandWritten } from "../report/schema.ts";
import { lineRanges } from "./derivation.ts";
import { h, section, type Child } from "./dom.ts";
import { formatNumber } from "./format.ts";
import { icon, type Icon } from "./icons.ts";
import type { Typesetter } from "./typeset.ts";
import { place } from "./verdict.ts";

const VERDICTS: Readonly<
  Record<
    HandWritten["verdict"],
    { readonly word: string; readonly icon: Icon; readonly as: string }
  >
> = {
  right: { word: "Right", icon: "check", as: "agrees" },
  wrong: { word: "Wrong", icon: "cross", as: "differs" },
  surrogate: { word: "Surrogate", icon: "corner", as: "not-differentiable" },
  undecided: { word: "Cannot be decided", icon: "question", as: "cannot-be-decided" },
  refused: { word: "Refused", icon: "cross", as: "differs" },
  "not-traced": { word: "Not traced", icon: "dash", as: "not-checked" },
};

/** What the report says of them elsewhere, too, for readers that know no such section. */
export const isHandwrittenDiagnostic = (code: string): boolean =>
  code === "DG015" || code.startsWith("handwritten-gradient-");

export function drawHandwritten(
  all: readonly HandWritten[] | undefined,
  type: Typesetter,
): HTMLElement | null {
  if (all === undefined || all.length === 0) return null;
  return section("Written by hand", "handwritten", ...all.map((x) => one(x, type)));
}

function one(x: HandWritten, type: Typesetter): HTMLElement {
  const { word, icon: name, as } = VERDICTS[x.verdict];
  return h(
    "div",
    { class: "handwritten-gradient" },
    h(
      "p",
      { class: "verdict-line" },
      h("span", { class: `badge is-${as}` }, icon(name), h("strong", {}, word)),
      ": ",
      h("span", {}, x.sentence),
    ),
    h(
      "div",
      { class: "handwritten-detail" },
      h("p", {}, x.use),
      h("p", { class: "dim" }, h("code", {}, x.gradientName), " in ", place(x.location)),
      faults(x, type),
      formula("As written", x.written, type),
      x.verdict === "right" ? null : formula("As derived from the forward pass", x.right, type),
      formula("Written less derived", x.residual, type),
      x.maxAbsDifference === null
        ? null
        : h("p", {}, `Largest difference on these arrays: ${formatNumber(x.maxAbsDifference, 4)}`),
      counterexample(x),
      repair(x),
    ),
  );
}

function faults(x: HandWritten, type: Typesetter): HTMLElement | null {
  if (x.faults.length === 0) return null;
  const items = x.faults.map((f) => {
    const where = f.lines.length === 0 ? "" : ` (${lineRanges(f.lines)})`;
    const term: Child[] =
      f.term === null
        ? []
        : [
            h("p", { class: "dim caption" }, "The right gradient less one with this mistake:"),
            type.display(f.term.latex),
          ];
    return h("li", {}, f.sentence, h("span", { class: "dim" }, where), ...term);
  });
  return h("ul", { class: "difference-list", "aria-label": "Mistakes" }, ...items);
}

function formula(title: string, f: Formula | null, type: Typesetter): HTMLElement | null {
  if (f === null) return null;
  return h("div", {}, h("p", { class: "dim caption" }, title), type.display(f.latex));
}

function counterexample(x: HandWritten): HTMLElement | null {
  const found = x.counterexample;
  // Where a mistake is named, its term says more than numbers do.
  if (found === null || x.residual === null) return null;
  const arrays = found.arrays.map(
    (a) =>
      `${a.name} of shape (${a.shape.join(", ")}) with ${a.values.map((v) => formatNumber(v, 4)).join(", ")}`,
  );
  return h(
    "p",
    {},
    `For ${arrays.join("; ")}: at [${found.index.join(", ")}] it is ${found.written}, and ${found.right} is right.`,
  );
}

function repair(x: HandWritten): HTMLElement | null {
  if (x.fix === null) return null;
  return h(
    "details",
    { class: "step" },
    h("summary", {}, icon("chevron"), h("span", { class: "step-title" }, x.fix.title)),
    h(
      "div",
      { class: "step-body" },
      ...x.fix.edits.map((e) =>
        h(
          "div",
          {},
          h("p", { class: "dim caption" }, `${place(e)}:`),
          h("pre", { tabindex: 0 }, h("code", {}, e.newText)),
        ),
      ),
    ),
  );
}
