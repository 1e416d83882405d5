/** The losses that were found, as a list in which the arrow keys choose. */
import type { CatalogueItem } from "../../report/catalogue.ts";
import { h, uniqueId } from "../dom.ts";
import { capitalized } from "./words.ts";

export class LossList {
  readonly element = h("div", {
    id: "losses",
    class: "losses",
    role: "listbox",
    "aria-label": "Losses",
  });
  private readonly chosen: (item: CatalogueItem) => void;
  private options: { readonly item: CatalogueItem; readonly element: HTMLElement }[] = [];
  private at = -1;

  constructor(chosen: (item: CatalogueItem) => void) {
    this.chosen = chosen;
    this.element.addEventListener("keydown", (e) => {
      const to = this.target(e.key);
      if (to === null) return;
      e.preventDefault();
      this.choose(to);
      this.focus();
    });
  }

  /** @param grouped whether under a heading for each library */
  fill(items: readonly CatalogueItem[], grouped: boolean): void {
    const hadFocus = this.element.contains(document.activeElement);
    this.at = -1;
    this.options = items.map((item) => ({ item, element: this.option(item, !grouped) }));
    if (grouped) {
      const libraries = [...new Set(items.map((x) => x.library))];
      this.element.replaceChildren(...libraries.map((library) => this.group(library)));
    } else this.element.replaceChildren(...this.options.map((o) => o.element));
    if (hadFocus) this.element.querySelector<HTMLElement>("[role=option]")?.focus();
  }

  select(id: string): void {
    this.choose(this.options.findIndex((o) => o.item.id === id));
  }

  focus(): void {
    this.options[Math.max(0, this.at)]?.element.focus();
  }

  private group(library: string): HTMLElement {
    const id = uniqueId("library");
    return h(
      "div",
      { role: "group", "aria-labelledby": id },
      h("div", { id, class: "library" }, library),
      ...this.options.filter((o) => o.item.library === library).map((o) => o.element),
    );
  }

  private option(item: CatalogueItem, named: boolean): HTMLElement {
    const traps = item.traps.length;
    const element = h(
      "div",
      { role: "option", tabindex: -1, "aria-selected": "false", class: "loss" },
      h("span", { class: "name" }, capitalized(item.title)),
      h(
        "span",
        { class: "dim" },
        [
          item.id.slice(item.id.lastIndexOf(".") + 1),
          named ? item.library : "",
          traps === 0 ? "" : traps === 1 ? "1 trap" : `${traps} traps`,
        ]
          .filter((part) => part !== "")
          .join(" · "),
      ),
    );
    element.addEventListener("click", () => {
      this.select(item.id);
      element.focus();
    });
    return element;
  }

  private choose(to: number): void {
    const option = this.options[to];
    if (option === undefined) return;
    const before = this.options[this.at]?.element;
    before?.setAttribute("aria-selected", "false");
    before?.setAttribute("tabindex", "-1");
    this.at = to;
    option.element.setAttribute("aria-selected", "true");
    // One stop of the Tab key for the whole list.
    option.element.setAttribute("tabindex", "0");
    option.element.scrollIntoView({ block: "nearest" });
    this.chosen(option.item);
  }

  private target(key: string): number | null {
    const last = this.options.length - 1;
    switch (key) {
      case "ArrowDown":
        return Math.min(this.at + 1, last);
      case "ArrowUp":
        return Math.max(this.at - 1, 0);
      case "Home":
        return 0;
      case "End":
        return last;
      case "PageDown":
        return Math.min(this.at + 10, last);
      case "PageUp":
        return Math.max(this.at - 10, 0);
      default:
        return null;
    }
  }
}
