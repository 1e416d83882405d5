import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { RULE_CODES } from "../../../src/session/lint.ts";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

const LOSS = `import numpy as np
def dice_loss(y_pred, y_true):
    return 1 - 2 * np.sum(y_pred * y_true) / (np.sum(y_pred) + np.sum(y_true))
`;

function notebook(cells: readonly string[]): string {
  return JSON.stringify({
    cells: cells.map((source) => ({
      cell_type: source.startsWith("#") ? "markdown" : "code",
      source,
      metadata: {},
      ...(source.startsWith("#") ? {} : { outputs: [], execution_count: null }),
    })),
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  });
}

describe("diagnostics in the window", function () {
  this.timeout(180_000);
  let workbench: Workbench;

  before(async () => {
    const workspace = await copyExample();
    const file = join(workspace, "bad.py");
    await copyFile(join(root, "test/rules/bad.py"), file);
    await writeFile(join(workspace, "trial.ipynb"), notebook(["# Trial", LOSS]));
    const checkpoints = join(workspace, ".ipynb_checkpoints");
    await mkdir(checkpoints);
    await writeFile(join(checkpoints, "trial-checkpoint.ipynb"), notebook([LOSS]));
    workbench = await launchWorkbench({ workspace, file });
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  it("are squiggles in the open file, and say the values in a hover", async () => {
    const { page } = workbench;
    await page.locator(".squiggly-warning").first().waitFor({ timeout: 60_000 });
  });

  it("of every rule stand in the Problems list of a file that breaks every rule", async () => {
    const { page } = workbench;
    await workbench.runCommand("Problems: Focus on Problems View");
    const filter = page
      .locator(".markers-panel-container input, .panel .viewpane-filter input")
      .first();
    for (const code of RULE_CODES) {
      // The list draws what is in sight only.
      await filter.fill(code);
      const row = page.locator(".markers-panel .monaco-list-row", { hasText: code });
      await row.first().waitFor({ timeout: 60_000 });
    }
    await filter.fill("");
  });

  it("of a whole folder come by command, with a summary", async () => {
    await workbench.runCommand("Dice Gradient: Run Gradient Diagnostics");
    await workbench.runCommand("Notifications: Show Notifications");
    const summary = workbench.page.locator(".notification-list-item-message");
    const text = summary.filter({ hasText: /finding.* in .* losses of .* file/ }).first();
    await text.waitFor({ timeout: 120_000 });
    assert.match(
      await text.innerText(),
      /^Gradient diagnostics: \d+ findings in \d+ losses of \d+ files/,
    );
    await workbench.page.keyboard.press("Escape");
  });

  it("of a whole folder name the cells of notebooks that are not open, and no checkpoints", async () => {
    const { page } = workbench;
    await workbench.runCommand("Problems: Focus on Problems View");
    const filter = page
      .locator(".markers-panel-container input, .panel .viewpane-filter input")
      .first();
    await filter.fill("Cell");
    const row = page.locator(".markers-panel .monaco-list-row");
    await row.filter({ hasText: "Cell 2, line 3: When y_pred is all 0" }).first().waitFor();
    assert.equal(await row.filter({ hasText: "Cell 1," }).count(), 0);
    await filter.fill("");
  });

  it("are tests in the Test Explorer, which fail with what is wrong", async () => {
    const { page } = workbench;
    await workbench.runCommand("Testing: Focus on Test Explorer View");
    await workbench.runCommand("Test: Run All Tests");
    const row = page.locator(".test-explorer .monaco-list-row");
    await row.filter({ hasText: "bad.py" }).first().waitFor({ timeout: 60_000 });
    const failed = row.filter({ has: page.locator(".codicon-testing-failed-icon") });
    await failed.first().waitFor({ timeout: 120_000 });
    const shown = await failed.allInnerTexts();
    assert.ok(
      shown.some((t) => /hard_dice_loss|detached_dice_loss|bad\.py/.test(t)),
      shown.join(" | "),
    );
  });
});
