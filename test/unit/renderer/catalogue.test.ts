import assert from "node:assert/strict";
import type {
  CatalogueItem,
  CatalogueRequest,
  CatalogueState,
} from "../../../src/report/catalogue.ts";
import { CataloguePage } from "../../../src/renderer/catalogue/page.ts";
import { usePage } from "./page.ts";

function item(id: string, more: Partial<CatalogueItem> = {}): CatalogueItem {
  return {
    id,
    call: `${id}(smooth=1.0)`,
    title: "dice loss",
    library: id.split(".")[0]!,
    about: "A ratio.",
    source: "the library, its file",
    url: "https://example.org/loss.py",
    parameters: [{ name: "smooth", default: "1.0", about: "added above and below" }],
    traps: [],
    ...more,
  };
}

const ITEMS = [item("one.Dice"), item("one.Tversky", { title: "Tversky loss" }), item("two.Dice")];

describe("the catalogue's page", () => {
  usePage();
  let asked: CatalogueRequest[];
  let kept: CatalogueState | null;

  function open(state: CatalogueState = { text: "", id: null }): CataloguePage {
    asked = [];
    kept = null;
    // jsdom lays nothing out, so nothing scrolls in it.
    document.defaultView!.Element.prototype.scrollIntoView = () => undefined;
    const page = new CataloguePage(document.body, state, {
      ask: (request) => asked.push(request),
      keep: (s) => {
        kept = s;
      },
    });
    page.start();
    return page;
  }

  const all = (selector: string): string[] =>
    [...document.querySelectorAll(selector)].map((e) => e.textContent);
  const selected = (): string | undefined => all('[aria-selected="true"]')[0];
  function press(key: string): void {
    const { KeyboardEvent } = document.defaultView!;
    document.activeElement!.dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
    );
  }

  it("groups the losses by library, and chooses the first", () => {
    const page = open();
    assert.deepEqual(asked, [{ kind: "search", text: "" }]);
    page.receive({ kind: "found", text: "", items: ITEMS });
    assert.deepEqual(all(".library"), ["one", "two"]);
    assert.equal(selected(), "Dice lossDice");
    assert.deepEqual(all("[role=status]"), ["3 losses"]);
    assert.deepEqual(kept, { text: "", id: "one.Dice" });
  });

  it("is read by keyboard: from the search into the list, through it, to the loss and back", () => {
    const page = open();
    page.receive({ kind: "found", text: "", items: ITEMS });
    press("ArrowDown");
    press("ArrowDown");
    assert.equal(selected(), "Tversky lossTversky");
    assert.equal(document.activeElement?.getAttribute("role"), "option");
    assert.equal(document.querySelectorAll('[role=option][tabindex="0"]').length, 1);
    press("End");
    press("Enter");
    assert.equal(document.activeElement, document.querySelector("main"));
    document.querySelector<HTMLElement>('[aria-selected="true"]')!.focus();
    press("Escape");
    assert.equal(document.activeElement.id, "search");
  });

  it("comes back with its search and its loss, and ignores what an older search found", () => {
    const page = open({ text: "dice", id: "two.Dice" });
    assert.deepEqual(asked, [{ kind: "search", text: "dice" }]);
    page.receive({ kind: "found", text: "di", items: [] });
    assert.deepEqual(all("[role=option]"), []);
    page.receive({ kind: "found", text: "dice", items: ITEMS });
    assert.equal(selected(), "Dice lossDice · two");
    assert.deepEqual(all(".library"), [], "the best first, not by library");
  });

  it("says that nothing fits, and shows no loss then", () => {
    const page = open({ text: "xyz", id: null });
    page.receive({ kind: "found", text: "xyz", items: [] });
    assert.match(all("[role=status]")[0]!, /No loss fits/);
    assert.equal(document.querySelector("main")!.childElementCount, 0);
  });

  it("typesets the formula of the loss that is shown, and no other's", () => {
    const page = open();
    page.receive({ kind: "found", text: "", items: ITEMS });
    const formula = {
      call: "one.Dice()",
      layout: "channels-first",
      loss: { latex: "L = \\frac{1}{2}", text: "L = 1/2" },
      gradient: { latex: "g", text: "g" },
      symbols: [],
      inputs: [],
      code: null,
    } as const;
    page.receive({ kind: "formula", id: "two.Dice", formula });
    assert.equal(document.querySelectorAll(".katex").length, 0);
    page.receive({ kind: "formula", id: "one.Dice", formula });
    assert.ok(document.querySelectorAll(".katex").length >= 2);
    page.receive({ kind: "noFormula", id: "one.Dice", reason: "it takes a mask" });
    assert.match(document.querySelector(".mathematics")!.textContent, /it takes a mask/);
  });

  it("makes a link only of what is served over https, and text of everything it is given", () => {
    const page = open();
    const hostile = item("three.Dice", {
      title: "<img src=x onerror=alert(1)>",
      url: "javascript:alert(1)",
      traps: [{ id: "hostile", library: "<b>", sentence: "<script>", versions: "≤ 1" }],
    });
    page.receive({ kind: "found", text: "", items: [hostile] });
    assert.equal(document.querySelector("a, img, script"), null);
    assert.match(document.querySelector("h2")!.textContent, /<img/);
    page.receive({ kind: "found", text: "", items: ITEMS });
    assert.equal(document.querySelector("a")?.getAttribute("href"), "https://example.org/loss.py");
  });

  it("asks for what its buttons say", () => {
    const page = open();
    page.receive({ kind: "found", text: "", items: ITEMS });
    for (const b of document.querySelectorAll<HTMLElement>("button")) b.click();
    assert.deepEqual(asked.slice(1), [
      { kind: "use", id: "one.Dice" },
      { kind: "compare", id: "one.Dice" },
      { kind: "copy", id: "one.Dice" },
    ]);
  });
});
