import assert from "node:assert/strict";
import { memoryOf } from "../../../src/renderer/memory.ts";
import { ball, PLAIN, report, SMALL, SMOOTH } from "./fixtures.ts";
import { all, Host, item, one, usePage } from "./page.ts";

describe("the renderer in a notebook", () => {
  usePage();

  it("brings its style sheets once, KaTeX's from beside the bundle", () => {
    new Host();
    new Host();
    const links = all<HTMLLinkElement>(document.head, "link");
    assert.equal(links.length, 1);
    assert.match(links[0]!.href, /\/katex\/katex\.min\.css$/);
    const styles = all(document.head, "style");
    assert.equal(styles.length, 1);
  });

  it("styles nothing but its own outputs", () => {
    new Host();
    const { sheet } = one<HTMLStyleElement>(document.head, "style");
    const selectors: string[] = [];
    const collect = (rules: CSSRuleList): void => {
      for (const rule of rules) {
        if ("selectorText" in rule) selectors.push(String(rule.selectorText));
        else if ("cssRules" in rule) collect(rule.cssRules as CSSRuleList);
      }
    };
    collect(sheet!.cssRules);
    assert.ok(selectors.length >= 5, selectors.join("\n"));
    for (const selector of selectors.flatMap((each) => each.split(","))) {
      assert.match(selector, /\.dice-gradient/);
    }
  });

  it("clears an element that is handed to it again", async () => {
    const host = new Host();
    const element = await host.draw(report(PLAIN, SMALL), "a");
    await host.draw(report(SMOOTH, SMALL), "a", element);
    assert.match(one(element, ".verdict").textContent, /dice_loss_smooth/);
    await host.draw(report(PLAIN, SMALL), "b", element);
    assert.match(one(element, ".verdict").textContent, /dice_loss_plain/);
  });

  it("draws nothing when drawing was cancelled before it began", async () => {
    const host = new Host();
    const element = host.element();
    element.textContent = "old";
    await host.draw(report(PLAIN, SMALL), "a", element, AbortSignal.abort());
    assert.equal(element.childNodes.length, 0);
  });

  it("draws no pictures when drawing is cancelled or the output removed meanwhile", async () => {
    const host = new Host();
    const abort = new AbortController();
    const made = report(SMOOTH, ball(4, 32));
    const first = host.element();
    const drawing = host.draw(made, "a", first, abort.signal);
    abort.abort();
    await drawing;
    assert.equal(all(first, ".picture").length, 0);
    const second = host.element();
    const again = host.draw(made, "b", second);
    host.api.disposeOutputItem?.("b");
    await again;
    assert.equal(all(second, ".picture").length, 0);
  });

  it("disposes of one output or of all, known or not, and can go on", async () => {
    const host = new Host();
    host.api.disposeOutputItem?.("never drawn");
    await host.draw(report(PLAIN, SMALL), "a");
    host.api.disposeOutputItem?.("a");
    host.api.disposeOutputItem?.();
    const element = await host.draw(report(PLAIN, SMALL), "a");
    assert.equal(all(element, ".verdict").length, 1);
  });

  it("stops watching the theme when its last picture is gone", async () => {
    const host = new Host();
    const made = report(SMOOTH, ball(1, 16));
    const painted: boolean[] = [];
    document.defaultView!.HTMLCanvasElement.prototype.getContext = () => {
      painted.push(true);
      return null;
    };
    const changeTheme = async (kind: string): Promise<number> => {
      painted.length = 0;
      document.body.dataset["vscodeThemeKind"] = kind;
      await new Promise((resolve) => setImmediate(resolve));
      return painted.length;
    };
    await host.draw(made, "a");
    await host.draw(made, "b");
    // Three pictures with a colour bar each, in two outputs.
    assert.equal(await changeTheme("vscode-dark"), 12);
    host.api.disposeOutputItem?.("a");
    assert.equal(await changeTheme("vscode-light"), 6);
    host.api.disposeOutputItem?.();
    assert.equal(await changeTheme("vscode-dark"), 0);
  });

  it("remembers what was unfolded, by output and by loss", async () => {
    const host = new Host();
    const toggle = (details: HTMLDetailsElement, open: boolean): void => {
      details.open = open;
      details.dispatchEvent(new document.defaultView!.Event("toggle"));
    };
    const open = (root: HTMLElement): number[] =>
      all<HTMLDetailsElement>(root, "details.step").flatMap((d, k) => (d.open ? [k] : []));
    const first = await host.draw(report(PLAIN, SMALL), "a");
    toggle(all<HTMLDetailsElement>(first, "details.step")[2]!, true);
    assert.deepEqual(open(await new Host(host.state).draw(report(PLAIN, SMALL), "a")), [2]);
    // Running the cell again gives the output another id.
    assert.deepEqual(open(await new Host(host.state).draw(report(PLAIN, SMALL), "z")), [2]);
    assert.deepEqual(open(await new Host(host.state).draw(report(SMOOTH, SMALL), "z")), []);
  });

  it("ignores a remembered state that is not of its making", async () => {
    const states = [
      null,
      3,
      "x",
      [],
      { outputs: 3 },
      { outputs: [null, [1, 2], ["output a", null], ["output a", { slice: "x" }]] },
      { outputs: [["output a", { slice: 1e9, "step 0 sums": "yes" }]] },
      { outputs: [["output a", { slice: -0.5 }]] },
    ];
    for (const state of states) {
      const root = await new Host(state).draw(report(SMOOTH, ball(3, 16)), "a");
      assert.equal(all(root, ".picture").length, 3, JSON.stringify(state));
      assert.equal(all(root, "details.step[open]").length, 0);
    }
  });

  it("remembers the latest of a bounded number of outputs", () => {
    let state: unknown;
    const context = { getState: () => state, setState: (value: unknown) => void (state = value) };
    for (let k = 0; k < 300; k++) memoryOf(context, [`output ${k}`]).write("slice", k);
    memoryOf(context, ["output 100"]).write("slice", 7);
    assert.equal((state as { outputs: unknown[] }).outputs.length, 200);
    assert.equal(memoryOf(context, ["output 99"]).read("slice"), undefined);
    assert.equal(memoryOf(context, ["output 100"]).read("slice"), 7);
    assert.equal(memoryOf(context, ["output 299"]).read("slice"), 299);
    assert.equal(memoryOf(context, ["output 299"]).read("constructor"), undefined);
  });

  it("does not ask for messaging or for the network", async () => {
    const host = new Host();
    const given = item(report(PLAIN, SMALL));
    await host.api.renderOutputItem(given, host.element(), new AbortController().signal);
    const loaded = all(document, "[src], [href], [srcset], [data]").map((e) => e.localName);
    assert.deepEqual(loaded, ["link"]);
  });
});
