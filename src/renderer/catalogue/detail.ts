/** One loss of the catalogue in full. */
import type { CatalogueFormula, CatalogueItem } from "../../report/catalogue.ts";
import { button, h, section } from "../dom.ts";
import { Typesetter } from "../typeset.ts";
import { capitalized } from "./words.ts";

type Action = "use" | "compare" | "copy";

export class LossDetail {
  readonly element = h("main", { class: "detail", tabindex: -1, "aria-label": "The chosen loss" });
  private readonly act: (action: Action, id: string) => void;
  private shown: string | null = null;
  private readonly formula = h("div", { class: "mathematics", "aria-live": "polite" });

  constructor(act: (action: Action, id: string) => void) {
    this.act = act;
  }

  focus(): void {
    this.element.focus();
  }

  clear(): void {
    this.shown = null;
    this.element.replaceChildren();
  }

  /** Shows a loss; false when it is the one that is shown. Its formula follows. */
  show(item: CatalogueItem): boolean {
    if (this.shown === item.id) return false;
    this.shown = item.id;
    this.formula.replaceChildren(h("p", { class: "dim" }, "Deriving the gradient …"));
    const action = (text: string, title: string, kind: Action): HTMLElement =>
      button(text, { title, class: kind === "use" ? "primary" : null }, () => {
        this.act(kind, item.id);
      });
    this.element.replaceChildren(
      h("h2", {}, capitalized(item.title)),
      h("p", {}, item.about),
      h("pre", { class: "call" }, h("code", {}, item.call)),
      h(
        "div",
        { class: "actions" },
        action(
          "Use in a Cell",
          "Put the loss, arrays and its call into a notebook, and run them",
          "use",
        ),
        action("Compare…", "Say why its gradient differs from another loss's", "compare"),
        action("Copy Call", "Copy the call as its library writes it", "copy"),
      ),
      this.formula,
      ...traps(item),
      ...parameters(item),
      source(item),
    );
    this.element.scrollTop = 0;
    return true;
  }

  setFormula({ call, layout, loss, gradient, symbols }: CatalogueFormula): void {
    const type = new Typesetter();
    this.formula.replaceChildren(
      section(
        "Loss",
        "formulas",
        h(
          "p",
          { class: "dim" },
          "For ",
          h("code", {}, call),
          layout === "channels-last" ? ", whose library has the channels last" : null,
        ),
        type.display(loss.latex),
      ),
      section("Its gradient", "formulas", type.display(gradient.latex)),
      section(
        "Symbols",
        "symbols",
        h(
          "dl",
          {},
          ...symbols.map((s) =>
            h(
              "div",
              {},
              h("dt", {}, type.inline(s.symbol.latex)),
              h("dd", {}, h("code", {}, s.name), ` ${s.meaning}`),
            ),
          ),
        ),
      ),
    );
  }

  setReason(reason: string): void {
    this.formula.replaceChildren(h("p", {}, `No formula is shown: ${reason}.`));
  }
}

function traps({ traps: all }: CatalogueItem): HTMLElement[] {
  if (all.length === 0) return [];
  return [
    section(
      "What nobody expects of it",
      "traps",
      h(
        "ul",
        {},
        ...all.map((t) =>
          h(
            "li",
            {},
            t.sentence,
            " ",
            h("span", { class: "dim" }, `(${t.library}, ${t.versions})`),
          ),
        ),
      ),
    ),
  ];
}

function parameters({ parameters: all }: CatalogueItem): HTMLElement[] {
  if (all.length === 0) return [];
  const head = ["Parameter", "Default", "What it is"].map((t) => h("th", { scope: "col" }, t));
  return [
    section(
      "Parameters",
      "parameters",
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head)),
        h(
          "tbody",
          {},
          ...all.map((p) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, h("code", {}, p.name)),
              h("td", {}, p.default === null ? h("em", {}, "required") : h("code", {}, p.default)),
              h("td", {}, p.about),
            ),
          ),
        ),
      ),
    ),
  ];
}

/** A link opens in the browser on a click; only what is served over https is one. */
function source({ source: text, url }: CatalogueItem): HTMLElement {
  const isSafe = url.startsWith("https://");
  return section(
    "Source",
    "source",
    h("p", {}, text),
    isSafe ? h("p", {}, h("a", { href: url }, url)) : null,
  );
}
