import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { comparisonWith } from "../checks.ts";
import { copyExample } from "../example.ts";
import { notebookIsReady, runAll, save } from "../notebook.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

const COMMAND = "Dice Gradient: Compare This Loss with";

/** What the list of losses shows. */
class Picker {
  readonly input: Locator;
  private readonly workbench: Workbench;

  constructor(workbench: Workbench) {
    this.workbench = workbench;
    this.input = workbench.page.locator(".quick-input-widget input.input");
  }

  /** Waits until the list is open: what is typed before goes elsewhere. */
  async opened(): Promise<void> {
    const { page } = this.workbench;
    await page
      .locator(".quick-input-title")
      .filter({ hasText: /^Compare .* with$/ })
      .waitFor();
    await page.locator(".quick-input-widget input:focus").waitFor();
  }

  row(text: string | RegExp): Locator {
    return this.workbench.page
      .locator(".quick-input-list .monaco-list-row")
      .filter({ hasText: text })
      .first();
  }

  /** Types, and waits for a row that shows what it was taken for. */
  async type(text: string, expected: string | RegExp): Promise<void> {
    await this.opened();
    await this.workbench.page.keyboard.type(text);
    await this.row(expected).waitFor();
  }
}

describe("comparing a loss in a file", function () {
  this.timeout(180_000);
  let workbench: Workbench;
  let picker: Picker;

  before(async () => {
    const folder = await copyExample();
    workbench = await launchWorkbench({ workspace: folder, file: join(folder, "losses.py") });
    picker = new Picker(workbench);
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  async function backToCode(): Promise<void> {
    await workbench.runCommand("View: Focus First Editor Group");
  }

  it("opens the list from the line above the loss, the nearest catalogue losses first", async () => {
    const { page } = workbench;
    const lens = page.locator(".codelens-decoration a").filter({ hasText: "compare" });
    await lens.first().click({ timeout: 60_000 });
    await picker.row("papers.dice()").waitFor({ timeout: 60_000 });
    assert.match(await picker.row("papers.dice()").innerText(), /the same function/);
    const rows = page.locator(".quick-input-list .monaco-list-row");
    await page.locator(".quick-input-list").getByText("nearest in the catalogue").waitFor();
    assert.match(await rows.first().innerText(), /the same function/);
    await picker.row("dice_loss_smooth").waitFor();
    await page.keyboard.press("Escape");
    await picker.input.waitFor({ state: "hidden" });
  });

  it("reads a call as it is typed: what may follow, what is wrong, what was meant", async () => {
    const { page } = workbench;
    await backToCode();
    await page.locator(".view-line").getByText("dice_loss_smooth").first().click();
    await workbench.runCommand(COMMAND);
    await picker.type("monai.losses.DiceLoss(smooth_n", "smooth_nr=1e-5");
    await picker.type("n=3", /has no parameter smooth_nn/);
    // On what is wrong, Enter does nothing.
    await page.keyboard.press("Enter");
    await picker.row("Did you mean smooth_nr?").click();
    await picker.row("compare with this call").waitFor();
    assert.equal(await picker.input.inputValue(), "monai.losses.DiceLoss(smooth_nr=3");
    await page.keyboard.press("Escape");
  });

  it("compares with a typed call by keyboard alone, in a notebook beside the code", async () => {
    const { page } = workbench;
    await backToCode();
    await workbench.runCommand(COMMAND);
    await picker.opened();
    // Enter does not wait for what is computed.
    await page.keyboard.type("monai.losses.DiceLoss(squared_pred=True)");
    await page.keyboard.press("Enter");
    const drawn = await comparisonWith(workbench, "squared_pred=True", "dice_loss_smooth");
    assert.match(await drawn.innerText(), /Different gradients/);
    assert.match(await drawn.innerText(), /Plain or squared sums/);
  });

  it("opens the line that a reason names", async () => {
    const { page } = workbench;
    const drawn = await comparisonWith(workbench, "squared_pred=True", "dice_loss_smooth");
    await drawn.locator(".line-link").first().click();
    await page.locator(".tab.active").filter({ hasText: "losses.py" }).first().waitFor();
    await page
      .locator(".statusbar")
      .getByText(/Ln 32,/)
      .waitFor();
  });

  it("remembers what it was compared with, and compares again by Enter alone", async () => {
    const { page } = workbench;
    await backToCode();
    await page.keyboard.press("Control+Home");
    await page.locator(".view-line").getByText("dice_loss_plain").first().click();
    await workbench.runCommand(COMMAND);
    await page.locator(".quick-input-list").getByText("last compared with").waitFor();
    await page.keyboard.press("Enter");
    await comparisonWith(workbench, "squared_pred=True", "dice_loss_plain");
  });

  it("asks for the arguments that a catalogue loss cannot do without", async () => {
    const { page } = workbench;
    await backToCode();
    await workbench.runCommand(COMMAND);
    await picker.type(
      "segmentation_models_pytorch dice",
      "segmentation_models_pytorch.losses.DiceLoss",
    );
    await picker.row("segmentation_models_pytorch.losses.DiceLoss").click();
    await picker.row("mode=…").click();
    await picker.row('mode="binary"').click();
    await picker.row("compare with this call").waitFor();
    await page.keyboard.press("Enter");
    await comparisonWith(workbench, 'DiceLoss(mode="binary")');
  });

  it("compares with another loss of the file from the context menu, by mouse alone", async () => {
    const { page } = workbench;
    await backToCode();
    await page.keyboard.press("Control+Home");
    await page
      .locator(".view-line")
      .getByText("dice_loss_plain")
      .first()
      .click({ button: "right" });
    const entry = page.locator(".monaco-menu").getByText("Compare This Loss with").first();
    await entry.waitFor();
    // A menu takes no click in its first moment.
    await page.waitForTimeout(500);
    await entry.click();
    await picker.row("dice_loss_smooth").click();
    await comparisonWith(workbench, "dice_loss_plain and dice_loss_smooth");
  });
});

describe("comparing a loss in a notebook", function () {
  this.timeout(180_000);
  let workbench: Workbench;
  let folder: string;
  let picker: Picker;

  before(async () => {
    folder = await copyExample();
    workbench = await launchWorkbench({
      workspace: folder,
      file: join(folder, "dice-gradient.ipynb"),
    });
    picker = new Picker(workbench);
    await notebookIsReady(workbench);
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  interface Saved {
    readonly cells: readonly { readonly source: readonly string[]; readonly metadata: object }[];
  }
  async function savedCells(): Promise<string[]> {
    await save(workbench);
    const text = readFileSync(join(folder, "dice-gradient.ipynb"), "utf8");
    return (JSON.parse(text) as Saved).cells.map((c) => c.source.join(""));
  }

  it("runs the cells that a loss needs, and adds the comparison below it", async () => {
    const { page } = workbench;
    const before = (await savedCells()).length;
    const lens = page.locator(".codelens-decoration a").filter({ hasText: "compare" });
    await lens.first().click({ timeout: 60_000 });
    await picker.type("papers.dice(smooth=1)", "compare with this call");
    await page.keyboard.press("Enter");
    await comparisonWith(workbench, "papers.dice(smooth=1.0)", "Smoothing");
    const cells = await savedCells();
    assert.equal(cells.length, before + 1);
    assert.equal(
      cells[2],
      'compare(\n    dice_loss_plain(y_true, y_pred),\n    "papers.dice(smooth=1.0)",\n)',
    );
  });

  it("changes that cell the next time, on the arrays of the last call", async () => {
    const { page } = workbench;
    await runAll(workbench);
    await page.keyboard.press("Control+Home");
    const before = (await savedCells()).length;
    const lens = page.locator(".codelens-decoration a").filter({ hasText: "compare" });
    await lens.first().click({ timeout: 60_000 });
    await picker.type("papers.dice(smooth=2)", "compare with this call");
    await page.keyboard.press("Enter");
    await comparisonWith(workbench, "papers.dice(smooth=2.0)", "Smoothing");
    const cells = await savedCells();
    assert.equal(cells.length, before);
    assert.equal(
      cells[2],
      'compare(\n    dice_loss_plain(empty_mask, empty_prediction),\n    "papers.dice(smooth=2.0)",\n)',
    );
  });
});
