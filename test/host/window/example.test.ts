import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onPath } from "../../../scripts/lib/browser.mjs";
import { run } from "../../../scripts/lib/process.mjs";
import { oraclePython } from "../../oracle/environment.ts";
import { copyExample } from "../example.ts";
import { notebookIsReady, reopen, runAll, save, scrollToOutput } from "../notebook.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

/** Text of every element that matches, in all drawn outputs. */
async function texts(workbench: Workbench, selector: string): Promise<string[]> {
  const frame = await workbench.outputFrame(selector);
  return frame.locator(selector).allInnerTexts();
}

describe("the example notebook in the window", function () {
  this.timeout(240_000);
  let workbench: Workbench;
  let folder: string;

  before(async () => {
    folder = await copyExample();
    workbench = await launchWorkbench({
      workspace: folder,
      file: join(folder, "dice-gradient.ipynb"),
    });
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  it("runs from the top and draws the reports under its cells", async () => {
    await runAll(workbench, 180_000);
    // Outputs are drawn when they come near the visible part: scrolling there is part of reading.
    await scrollToOutput(workbench, ".dice-gradient .verdict", 0);
    const verdicts = await texts(workbench, ".dice-gradient .verdict");
    assert.ok(
      verdicts.some((v) => v.trim().startsWith("Agrees")),
      verdicts.join("\n"),
    );
    assert.ok(
      verdicts.some((v) => v.trim().startsWith("Undefined")),
      verdicts.join("\n"),
    );
  });

  it("typesets the gradient with the bundled fonts", async () => {
    const formula = await workbench.output(".dice-gradient .formulas .katex");
    await formula.first().waitFor();
    const family = await formula
      .locator(".mathnormal")
      .first()
      .evaluate((e) => {
        const font = getComputedStyle(e).fontFamily;
        return { font, loaded: document.fonts.check(`16px ${font}`) };
      });
    assert.match(family.font, /KaTeX_Math/);
    assert.equal(family.loaded, true);
  });

  it("shows a row an element for the small arrays", async () => {
    await scrollToOutput(workbench, ".dice-gradient .table tbody tr", 0);
    const rows = await texts(workbench, ".dice-gradient .table tbody tr");
    assert.ok(
      rows.some((r) => r.includes("[1, 2]")),
      rows.slice(0, 8).join("\n"),
    );
  });

  it("draws pictures of the volume that are not blank, and the slider turns to another slice", async () => {
    const frame = await workbench.outputFrame(".dice-gradient canvas");
    const report = frame
      .locator(".dice-gradient")
      .filter({ has: frame.locator("input[type=range]") });
    const canvas = report.first().locator("canvas").first();
    await canvas.scrollIntoViewIfNeeded();
    const colours = (): Promise<string> =>
      canvas.evaluate((c) => {
        const { width, height } = c as HTMLCanvasElement;
        const { data } = (c as HTMLCanvasElement)
          .getContext("2d")!
          .getImageData(0, 0, width, height);
        return Array.from(data).join();
      });
    const before = await colours();
    assert.ok(new Set(before.split(",")).size > 3, "one colour only");
    const slider = report.first().locator("input[type=range]").first();
    await slider.focus();
    for (let k = 0; k < 5; k++) await workbench.page.keyboard.press("ArrowRight");
    await assert.doesNotReject(async () => {
      for (let k = 0; k < 50; k++) {
        if ((await colours()) !== before) return;
        await workbench.page.waitForTimeout(100);
      }
      throw new Error("the picture stayed the same");
    });
  });

  it("unfolds a step of the derivation by keyboard", async () => {
    const frame = await workbench.outputFrame(".dice-gradient details.step");
    const step = frame.locator(".dice-gradient details.step").first();
    await step.locator("summary").focus();
    const open = await step.evaluate((d) => (d as HTMLDetailsElement).open);
    await workbench.page.keyboard.press("Enter");
    await workbench.page.waitForTimeout(200);
    assert.equal(await step.evaluate((d) => (d as HTMLDetailsElement).open), !open);
  });

  it("shows the reports again after saving and reopening, without running", async () => {
    await save(workbench);
    await reopen(workbench, "dice-gradient.ipynb");
    await notebookIsReady(workbench);
    await scrollToOutput(workbench, ".dice-gradient .verdict", 0);
    const verdicts = await texts(workbench, ".dice-gradient .verdict");
    assert.ok(
      verdicts.some((v) => v.trim().startsWith("Agrees")),
      verdicts.join("\n"),
    );
  });

  it("reads well as static HTML that nbconvert makes of the saved notebook", async function () {
    if (onPath("python3") === undefined) this.skip();
    const python = await oraclePython();
    const { code, output } = await run(
      python,
      ["-m", "nbconvert", "--to", "html", "--output", "converted", "dice-gradient.ipynb"],
      { cwd: folder },
    );
    assert.equal(code, 0, output);
    const html = readFileSync(join(folder, "converted.html"), "utf8");
    assert.equal(html.match(/<div class="dice-gradient-report">/g)?.length, 13, "a block a report");
    const page = await workbench.page.context().newPage();
    try {
      await page.goto(`file://${join(folder, "converted.html")}`);
      const report = page.locator(".dice-gradient-report").first();
      assert.match(await report.innerText(), /^Agrees: /);
      const fraction = report.locator("math mfrac").first();
      const box = await fraction.boundingBox();
      assert.ok(box !== null && box.height > 20, "the formula is set as a fraction");
      assert.equal(await page.locator(".dice-gradient-report script").count(), 0);
    } finally {
      await page.close();
    }
  });
});
