import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Frame } from "playwright-core";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

describe("the catalogue's page in the window", function () {
  this.timeout(180_000);
  let workbench: Workbench;
  let page: Frame;
  const errors: string[] = [];

  before(async () => {
    workbench = await launchWorkbench({ workspace: await copyExample() });
    workbench.page.on("console", (m) => {
      if (/Content.Security.Policy/i.test(m.text())) errors.push(m.text());
    });
    await workbench.runCommand("Dice Gradient: Browse Dice Losses");
    page = await workbench.outputFrame(".catalogue [role=option]", 60_000);
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  it("lists the losses by library and typesets the first, under a strict policy", async () => {
    const count = await page.locator("[role=option]").count();
    assert.ok(count > 60, String(count));
    assert.equal(await page.locator("[role=status]").innerText(), `${String(count)} losses`);
    await page.locator(".detail .katex").first().waitFor({ timeout: 30_000 });
    const formula = await page.locator(".detail .katex .katex-html").first().boundingBox();
    assert.ok(formula !== null && formula.height > 30, "the formula is set as a fraction");
    assert.deepEqual(errors, []);
  });

  it("finds a loss by keyboard alone, and shows its parameters, traps and source", async () => {
    const { keyboard } = workbench.page;
    await page.locator("#search").focus();
    await keyboard.type("keras tversky");
    await page.locator("[role=status]").filter({ hasText: " of " }).waitFor();
    await keyboard.press("ArrowDown");
    const chosen = page.locator("[role=option][aria-selected=true]");
    assert.match(await chosen.innerText(), /Tversky/);
    const detail = page.locator(".detail");
    await detail.locator("h2").filter({ hasText: "Tversky" }).waitFor();
    assert.match(await detail.innerText(), /keras\.losses\.[Tt]versky\(.*alpha=0\.5/);
    assert.match(await detail.innerText(), /What nobody expects of it/);
    assert.match((await detail.locator(".source a").getAttribute("href"))!, /^https:\/\//);
    const row = detail.locator(".parameters tbody tr").filter({ hasText: "alpha" });
    assert.match(await row.first().innerText(), /0\.5/);
  });

  it("keeps its search and its loss while another editor hides it", async () => {
    await workbench.runCommand("File: New Untitled Text File");
    const untitled = workbench.page.locator(".tab.active").filter({ hasText: "Untitled" });
    await untitled.waitFor();
    // A hidden page is thrown away: the next one is a new one.
    while (!page.isDetached()) await setTimeout(50);
    await workbench.runCommand("Dice Gradient: Browse Dice Losses");
    page = await workbench.outputFrame(".catalogue [role=option]", 30_000);
    assert.equal(await page.locator("#search").inputValue(), "keras tversky");
    await page.locator(".detail h2").filter({ hasText: "Tversky" }).waitFor();
  });

  it("puts a loss into a notebook, which runs and gives a report", async () => {
    await page.locator(".detail .katex").first().waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Use in a Cell" }).focus();
    await workbench.page.keyboard.press("Enter");
    const status = workbench.page.locator(".cell-statusbar-container .cell-status-item");
    await status.filter({ hasText: "Agrees" }).first().waitFor({ timeout: 60_000 });
  });

  it("compares a loss with another of the catalogue", async () => {
    await workbench.runCommand("Dice Gradient: Browse Dice Losses");
    page = await workbench.outputFrame(".catalogue [role=option]", 30_000);
    await page.getByRole("button", { name: "Compare" }).click();
    const input = workbench.page.locator(".quick-input-widget input").first();
    await input.waitFor();
    await workbench.page.keyboard.type("papers.dice()");
    const row = workbench.page.locator(".quick-input-list .monaco-list-row.focused");
    await row.filter({ hasText: "compare with this call" }).waitFor();
    await workbench.page.keyboard.press("Enter");
    const status = workbench.page.locator(".cell-statusbar-container .cell-status-item");
    await status.filter({ hasText: "Compared" }).first().waitFor({ timeout: 60_000 });
  });

  it("compares a loss of the user's with it", async () => {
    await workbench.runCommand("Dice Gradient: Browse Dice Losses");
    page = await workbench.outputFrame(".catalogue [role=option]", 30_000);
    await page.getByRole("button", { name: "Compare" }).click();
    const list = workbench.page.locator(".quick-input-list");
    await list.getByText("your losses").waitFor();
    await list.locator(".monaco-list-row").filter({ hasText: "dice_loss_plain" }).first().click();
    await workbench.outputFrame('.comparison:has-text("dice_loss_plain")', 60_000);
  });
});
