import assert from "node:assert/strict";
import { join } from "node:path";
import { shownMessage } from "../checks.ts";
import { copyExample } from "../example.ts";
import { notebookIsReady } from "../notebook.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

describe("a folder that is not trusted", function () {
  this.timeout(180_000);
  let workbench: Workbench;

  before(async () => {
    const workspace = await copyExample();
    workbench = await launchWorkbench({
      workspace,
      file: join(workspace, "losses.py"),
      untrusted: true,
    });
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  it("still has its losses derived where their code is read", async () => {
    const lens = workbench.page.locator(".codelens-decoration").filter({ hasText: "∂L/∂y_pred" });
    await lens.first().waitFor({ timeout: 60_000 });
  });

  it("has no loss run in Python: the command says why, and leads to workspace trust", async () => {
    const { page } = workbench;
    await page.locator(".view-line").getByText("dice_loss_plain").first().click();
    await workbench.runCommand("Dice Gradient: Run This Loss in Python");
    const message = await shownMessage(workbench, "not trusted");
    assert.match(await message.innerText(), /Deriving and checking need no trust/);
    await message.getByRole("button", { name: "Manage Workspace Trust" }).click();
    await page.locator(".workspace-trust-editor").waitFor({ timeout: 30_000 });
    // It lies over the window until it is closed.
    await page.keyboard.press("Escape");
    await page.locator(".workspace-trust-editor").waitFor({ state: "detached" });
  });

  it("has no cell run in Python either, while the cell runs as ever", async () => {
    await workbench.runCommand("Notifications: Clear All Notifications");
    await workbench.runCommand("Dice Gradient: New Inspection Notebook");
    await notebookIsReady(workbench);
    await workbench.page.locator(".view-line").getByText("dice_loss(y_true").last().click();
    await workbench.runCommand("Dice Gradient: Run Cell in Python");
    await shownMessage(workbench, "not trusted");
  });
});
