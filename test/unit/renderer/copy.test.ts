import assert from "node:assert/strict";
import { copyFormats } from "../../../src/renderer/copy.ts";
import { PLAIN, report, SMALL, TORCH } from "./fixtures.ts";
import { all, announced, buttonNamed, draw, one, usePage } from "./page.ts";

/** Gives the page a clipboard, which the test document has none of. */
function clipboard(writeText: (text: string) => Promise<void>): void {
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("copy as", () => {
  usePage();

  it("offers every form as a button in a named group", async () => {
    const root = await draw(report(TORCH, SMALL));
    const group = one(root, ".copy[role=group]");
    assert.equal(group.getAttribute("aria-label"), "Copy as");
    assert.deepEqual(
      all(group, "button").map((each) => each.textContent),
      ["LaTeX", "Markdown", "Text", "NumPy", "PyTorch"],
    );
  });

  it("offers no Python where there is none", async () => {
    const made = report(TORCH, SMALL);
    const root = await draw({ ...made, gradient: { ...made.gradient, python: null } });
    assert.equal(all(root, ".copy button").length, 3);
  });

  it("puts the text on the clipboard and says so", async () => {
    const made = report(TORCH, SMALL);
    const root = await draw(made);
    const written: string[] = [];
    clipboard((text) => {
      written.push(text);
      return Promise.resolve();
    });
    for (const [button, name] of [
      ["NumPy", "Python (NumPy)"],
      ["PyTorch", "Python (PyTorch)"],
      ["Markdown", "Markdown"],
    ] as const) {
      buttonNamed(root, button).click();
      await settled();
      assert.equal(announced(root), `Copied as ${name}`);
    }
    assert.equal(one(root, ".copy-label").textContent, "Copied");
    const { python, markdown } = made.gradient;
    assert.deepEqual(written, [python!.numpy, python!.torch, markdown]);
  });

  it("copies by selection where the clipboard is refused", async () => {
    const root = await draw(report(PLAIN, SMALL));
    clipboard(() => Promise.reject(new Error("not allowed")));
    let selected = "";
    Object.defineProperty(document, "execCommand", {
      configurable: true,
      value: (command: string) => {
        const area = document.activeElement as HTMLTextAreaElement;
        selected = command === "copy" ? area.value : "";
        return true;
      },
    });
    buttonNamed(root, "LaTeX").focus();
    buttonNamed(root, "LaTeX").click();
    await settled();
    assert.match(selected, /\\frac\{\\partial L\}/);
    assert.equal(announced(root), "Copied as LaTeX");
    assert.equal(document.activeElement, buttonNamed(root, "LaTeX"));
    assert.equal(document.querySelector("textarea"), null);
  });

  it("says when it could not copy", async () => {
    const root = await draw(report(PLAIN, SMALL));
    buttonNamed(root, "Text").click();
    await settled();
    assert.equal(announced(root), "The clipboard could not be written to");
    assert.equal(document.querySelector("textarea"), null);
  });

  it("gives LaTeX that holds every formula in display mode, and titles only in comments", () => {
    const made = report(PLAIN, SMALL);
    const title = "A title with 100% {braces}\n\\end{document}";
    const steps = made.gradient.steps.map((step) => ({ ...step, title }));
    const text = copyFormats({ ...made, gradient: { ...made.gradient, steps } })[0]!.text;
    assert.equal(text.match(/^\\\[$/gm)?.length, made.gradient.steps.length + 2);
    assert.equal(text.match(/^\\\]$/gm)?.length, made.gradient.steps.length + 2);
    for (const line of text.split("\n")) {
      assert.ok(!line.includes("\\end{document}") || line.startsWith("% "), line);
    }
    assert.ok(text.includes(made.gradient.latex) && text.includes(made.loss.latex));
  });

  it("gives plain text with the value, each step, its note and the symbols", () => {
    const made = report(TORCH, SMALL);
    const text = copyFormats(made)[2]!.text;
    assert.ok(text.includes(made.loss.value!.toPrecision(17)));
    for (const step of made.gradient.steps) {
      assert.ok(text.includes(step.title) && text.includes(step.note ?? ""));
    }
    assert.ok(text.includes("ε: epsilon, 1e-07"));
  });
});
