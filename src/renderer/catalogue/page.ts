/** The catalogue's page: a search, the losses it finds, and one of them in full. */
import type {
  CatalogueItem,
  CatalogueMessage,
  CatalogueRequest,
  CatalogueState,
} from "../../report/catalogue.ts";
import { h } from "../dom.ts";
import { LossDetail } from "./detail.ts";
import { LossList } from "./list.ts";

/** A pause in typing or moving after which the editor is asked. */
const PAUSE_MS = 120;

export interface PageHost {
  ask(request: CatalogueRequest): void;
  keep(state: CatalogueState): void;
}

export class CataloguePage {
  private readonly host: PageHost;
  private readonly search: HTMLInputElement;
  private readonly status = h("p", { role: "status", class: "dim" });
  private readonly list: LossList;
  private readonly detail: LossDetail;
  private state: CatalogueState;
  /** How many there are without a search. */
  private total = 0;
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor(root: HTMLElement, state: CatalogueState, host: PageHost) {
    this.host = host;
    this.state = state;
    this.search = h("input", {
      type: "search",
      id: "search",
      placeholder: "monai, generalized, smooth_nr, empty …",
      autocomplete: "off",
      spellcheck: "false",
      "aria-controls": "losses",
    });
    this.search.value = state.text;
    this.list = new LossList((item) => {
      this.show(item);
    });
    this.detail = new LossDetail((kind, id) => {
      host.ask({ kind, id });
    });
    this.search.addEventListener("input", () => {
      this.later(() => {
        this.find();
      });
    });
    this.search.addEventListener("keydown", (e) => {
      if (e.key !== "ArrowDown" && e.key !== "Enter") return;
      e.preventDefault();
      this.list.focus();
    });
    this.list.element.addEventListener("keydown", (e) => {
      if (e.key === "Escape") this.search.focus();
      else if (e.key === "Enter") this.detail.focus();
      else return;
      e.preventDefault();
    });
    root.replaceChildren(
      h(
        "div",
        { class: "catalogue" },
        h(
          "div",
          { class: "finder" },
          h("label", { for: "search" }, "Search the losses"),
          this.search,
          this.status,
          this.list.element,
        ),
        this.detail.element,
      ),
    );
  }

  start(): void {
    this.find();
    this.search.focus();
  }

  receive(message: CatalogueMessage): void {
    switch (message.kind) {
      case "found":
        if (message.text === this.search.value) this.found(message.items);
        break;
      case "formula":
        if (message.id === this.state.id) this.detail.setFormula(message.formula);
        break;
      case "noFormula":
        if (message.id === this.state.id) this.detail.setReason(message.reason);
    }
  }

  private find(): void {
    this.keep({ ...this.state, text: this.search.value });
    this.host.ask({ kind: "search", text: this.search.value });
  }

  private found(items: readonly CatalogueItem[]): void {
    this.total = Math.max(this.total, items.length);
    this.status.textContent =
      items.length === 0
        ? "No loss fits all of these words."
        : items.length === this.total
          ? `${items.length} losses`
          : `${items.length} of ${this.total} losses`;
    // Best first when something is searched; by library otherwise.
    this.list.fill(items, this.state.text.trim() === "");
    const kept = items.find((x) => x.id === this.state.id) ?? items[0];
    if (kept === undefined) this.detail.clear();
    else this.list.select(kept.id);
  }

  private show(item: CatalogueItem): void {
    this.keep({ ...this.state, id: item.id });
    if (!this.detail.show(item)) return;
    this.later(() => {
      this.host.ask({ kind: "formula", id: item.id });
    });
  }

  private keep(state: CatalogueState): void {
    this.state = state;
    this.host.keep(state);
  }

  private later(task: () => void): void {
    clearTimeout(this.pause);
    this.pause = setTimeout(task, PAUSE_MS);
  }
}
