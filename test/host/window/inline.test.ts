import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

describe("a loss in the window", function () {
  this.timeout(180_000);
  let workbench: Workbench;
  let folder: string;

  before(async () => {
    folder = await copyExample();
    workbench = await launchWorkbench({ workspace: folder, file: join(folder, "losses.py") });
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  it("has its gradient, a check and a comparison offered above it", async () => {
    const lens = workbench.page.locator(".codelens-decoration").filter({ hasText: "∂L/∂y_pred" });
    await lens.first().waitFor({ timeout: 60_000 });
    assert.match(await lens.first().innerText(), /∂L\/∂y_pred.*check.*compare/s);
  });

  it("shows its formulas in a hover, each picture with a text and a size", async () => {
    const { page } = workbench;
    await page.locator(".view-line").getByText("dice_loss_plain").first().hover();
    const hover = page.locator(".monaco-hover:not(.hidden)").filter({ hasText: "Full report" });
    await hover.first().waitFor({ timeout: 60_000 });
    const pictures = hover.first().locator("img");
    await pictures.first().waitFor();
    for (const picture of await pictures.all()) {
      assert.match((await picture.getAttribute("alt")) ?? "", /=/);
      const box = await picture.boundingBox();
      assert.ok(box !== null && box.width > 40 && box.height > 12, JSON.stringify(box));
      const loaded = await picture.evaluate((e) => (e as HTMLImageElement).naturalWidth > 0);
      assert.ok(loaded, "the picture is drawn");
    }
    await page.keyboard.press("Escape");
  });

  it("has the commands in the editor's context menu", async () => {
    const { page } = workbench;
    await page
      .locator(".view-line")
      .getByText("dice_loss_plain")
      .first()
      .click({ button: "right" });
    const menu = page.locator(".monaco-menu");
    for (const title of ["Derive Gradient of This Loss", "Check Gradient", "Compare This Loss"]) {
      await menu.getByText(title).first().waitFor();
    }
    await page.keyboard.press("Escape");
  });

  it("is checked on random arrays by keyboard alone, with the verdict in the cell's status bar", async () => {
    const { page } = workbench;
    await page.locator(".view-line").getByText("dice_loss_plain").first().click();
    await workbench.runCommand("Dice Gradient: Check Gradient of This Loss on Arrays");
    const choice = page.locator(".quick-input-list .monaco-list-row").filter({ hasText: "Random" });
    await choice.waitFor({ timeout: 60_000 });
    await page.keyboard.press("Enter");
    const status = page.locator(".cell-statusbar-container .cell-status-item");
    await status.filter({ hasText: "Agrees" }).first().waitFor({ timeout: 60_000 });
  });

  it("is explained on random arrays by keyboard alone: how its gradient behaves, and the claims", async () => {
    const { page } = workbench;
    await workbench.runCommand("View: Focus First Editor Group");
    await page.locator(".view-line").getByText("dice_loss_plain").first().click();
    await workbench.runCommand("Dice Gradient: Explain Gradient Behaviour");
    const question = page.locator(".quick-input-widget").filter({ hasText: "Explain dice_loss" });
    await question.waitFor({ timeout: 60_000 });
    await page
      .locator(".quick-input-list .monaco-list-row")
      .filter({ hasText: "Random" })
      .waitFor();
    await page.keyboard.press("Enter");
    const frame = await workbench.outputFrame(".claims", 60_000);
    await frame.getByText("The choice of autodiff library matters").first().waitFor();
  });

  it("has its shapes set by keyboard alone, and remembered for the function", async () => {
    const { page } = workbench;
    await workbench.runCommand("View: Focus First Editor Group");
    await page.locator(".view-line").getByText("dice_loss_plain").first().click();
    await workbench.runCommand("Dice Gradient: Set Shapes of This Loss");
    for (const name of ["y_true", "y_pred"]) {
      const box = page.locator(".quick-input-widget").filter({ hasText: `Shape of ${name}` });
      await box.waitFor({ timeout: 60_000 });
      await box.locator("input").fill("2, 1, 6, 6");
      await page.keyboard.press("Enter");
    }
    // What is typed is read before the box closes; Escape would take it back.
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
    const hover = page.locator(".monaco-hover:not(.hidden)").filter({ hasText: "as you set it" });
    await hoverUntil(page, hover.first());
    const settings = JSON.parse(
      await readFile(join(folder, ".vscode", "settings.json"), "utf8"),
    ) as Record<string, unknown>;
    assert.deepEqual(settings["dice-gradient.shapes"], {
      "losses.py:dice_loss_plain": { y_true: "2, 1, 6, 6", y_pred: "2, 1, 6, 6" },
    });
    await page.keyboard.press("Escape");
  });

  it("is compared with another loss of the file by keyboard alone", async () => {
    const { page } = workbench;
    await workbench.runCommand("View: Focus First Editor Group");
    await page.locator(".view-line").getByText("dice_loss_plain").first().click();
    await workbench.runCommand("Dice Gradient: Compare This Loss with");
    const choice = page
      .locator(".quick-input-list .monaco-list-row")
      .filter({ hasText: "dice_loss_smooth" });
    await choice.first().waitFor({ timeout: 60_000 });
    await page.keyboard.type("dice_loss_smooth");
    await page.keyboard.press("Enter");
    const status = page.locator(".cell-statusbar-container .cell-status-item");
    await status.filter({ hasText: "Compared" }).first().waitFor({ timeout: 60_000 });
  });
});

/** Rests the pointer on the loss's name until the hover says what is awaited. */
async function hoverUntil(page: Page, expected: Locator): Promise<void> {
  const name = page.locator(".view-line").getByText("dice_loss_plain").first();
  const deadline = Date.now() + 60_000;
  while (!(await expected.isVisible())) {
    if (Date.now() > deadline) break;
    await page.keyboard.press("Escape");
    await page.mouse.move(5, 5);
    await name.hover();
    await expected.waitFor({ timeout: 4000 }).catch(() => undefined);
  }
  await expected.waitFor({ timeout: 1000 });
}
