/** Formulas, set by KaTeX: as HTML for the eye and as MathML for a screen reader. */
import katex from "katex";
import { h } from "./dom.ts";

/** Longer formulas are shown as their source: setting them would hold up the notebook. */
const MAX_LENGTH = 10_000;
/** Of all formulas of one output together. */
const MAX_TOTAL = 100_000;

/**
 * Commands that define commands. Reports hold none; in a forged one they could blow up a short
 * formula to millions of characters.
 */
const DEFINES =
  /\\(?:[egx]?def|(?:future)?let|global|long|(?:re|provide)?(?:new)?command)(?![A-Za-z])/;

/** Sets the formulas of one output, and stops when they are too many. */
export class Typesetter {
  #left = MAX_TOTAL;

  /** A formula on lines of its own, which scroll sideways when it is wide. */
  display(latex: string): HTMLElement {
    const box = h("div", { class: "formula" });
    this.#set(latex, box, true);
    return box;
  }

  /** A formula within a line. */
  inline(latex: string): HTMLElement {
    const box = h("span", { class: "inline-formula" });
    this.#set(latex, box, false);
    return box;
  }

  #set(latex: string, box: HTMLElement, displayMode: boolean): void {
    const why =
      latex.length > MAX_LENGTH || latex.length > this.#left
        ? "This formula is too long to be typeset; its LaTeX source:"
        : DEFINES.test(latex)
          ? "This formula defines commands and is not typeset; its LaTeX source:"
          : null;
    if (why !== null) {
      showSource(latex, box, why);
      return;
    }
    this.#left -= latex.length;
    try {
      katex.render(latex, box, {
        displayMode,
        fleqn: true,
        output: "htmlAndMathml",
        trust: false,
        strict: "ignore",
        throwOnError: true,
        // KaTeX's own macros (\\ne, \\operatorname) count as expansions too.
        maxExpand: 2_000,
        maxSize: 20,
        errorColor: "currentColor",
        // A fresh table each time: a formula cannot leave anything behind for the next one.
        macros: {},
      });
    } catch {
      showSource(latex, box, "This formula could not be typeset; its LaTeX source:");
    }
  }
}

function showSource(latex: string, box: HTMLElement, why: string): void {
  box.replaceChildren(h("span", { class: "dim" }, why, " "), h("code", {}, latex));
  box.classList.add("untypeset");
}
