import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { onPath } from "../../../scripts/lib/browser.mjs";
import { oraclePython } from "../../oracle/environment.ts";
import { choose, Lists, messageWith, reportWith } from "../checks.ts";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

/** A training step that leaves the loss of its arrays, by the real libraries, in a file. */
const TRAINING = `import pathlib
import numpy as np
import torch
from losses import dice_loss_smooth

def step(logits, mask):
    y_pred = torch.sigmoid(logits)
    y_true = mask.double()
    y_pred.retain_grad()
    (y_pred * y_true).sum().backward()
    scores = y_pred.detach().numpy()
    truth = np.asarray(y_true)
    pathlib.Path("loss.txt").write_text(str(dice_loss_smooth(truth, scores)))
    sparse = y_true.to_sparse()
    return scores.mean()

torch.manual_seed(0)
step(torch.rand(2, 1, 3, 4, requires_grad=True), torch.rand(2, 1, 3, 4) > 0.5)
`;

/** The line at which it is paused. */
const PAUSED = "return scores.mean";

const LAUNCH = {
  version: "0.2.0",
  configurations: [
    { name: "Train", type: "debugpy", request: "launch", program: "${workspaceFolder}/train.py" },
  ],
};

describe("a Python program that is paused in the window", function () {
  this.timeout(240_000);
  let workbench: Workbench;
  let lists: Lists;
  let folder: string;

  before(async function () {
    // The environment with the real libraries is made once, where it is not there yet.
    this.timeout(1_200_000);
    if (onPath("python3") === undefined) this.skip();
    folder = await copyExample();
    await mkdir(join(folder, ".vscode"), { recursive: true });
    await writeFile(join(folder, ".vscode/launch.json"), JSON.stringify(LAUNCH));
    await writeFile(join(folder, "train.py"), TRAINING);
    workbench = await launchWorkbench({
      workspace: folder,
      file: join(folder, "train.py"),
      beside: ["python-debugger"],
      env: { DICE_GRADIENT_PYTHON: await oraclePython(), OMP_NUM_THREADS: "1" },
      settings: { "debug.toolBarLocation": "docked", "debug.inlineValues": "off" },
    });
    lists = new Lists(workbench);
  });
  after(() => (workbench as Workbench | undefined)?.close());
  keepEvidenceOfFailures(() => workbench);

  it("stops at a breakpoint, with its variables in view", async () => {
    const { page } = workbench;
    await workbench.runCommand("View: Show Run and Debug");
    // The button is there once VS Code knows the debugger.
    const start = page.locator(".start-debug-action-item .codicon-debug-start");
    await start.waitFor({ timeout: 60_000 });
    await page.locator(".view-line").getByText(PAUSED).first().click();
    await workbench.runCommand("Debug: Toggle Breakpoint");
    await page.locator(".codicon-debug-breakpoint").first().waitFor();
    await start.click();
    await page.locator(".debug-top-stack-frame-line").first().waitFor({ timeout: 120_000 });
    await variable("scores").waitFor({ timeout: 60_000 });
  });

  it("has a NumPy array checked by a right-click in the Variables view", async () => {
    const { page } = workbench;
    await choose(workbench, variable("scores"));
    await lists.titled(/the target for scores/);
    // What has a target's name or dtype comes before the others.
    const rows = page.locator(".quick-input-list .monaco-list-row");
    await rows.filter({ hasText: "truth" }).waitFor();
    assert.match(await rows.first().innerText(), /^mask/);
    await page.keyboard.type("truth");
    await page.keyboard.press("Enter");
    await lists.titled(/the loss/);
    await page.keyboard.type("dice_loss_smooth");
    await lists.row("dice_loss_smooth").waitFor();
    await page.keyboard.press("Enter");
    await lists.form("scores against truth");
    await page.keyboard.press("Enter");
    const report = await reportWith(workbench, "dice_loss_smooth in losses.py");
    const wanted = Number(await readFile(join(folder, "loss.txt"), "utf8"));
    const shown = Number(await report.locator(".loss-value").first().innerText());
    assert.ok(Math.abs(shown - wanted) < 1e-6 * wanted, `${shown} is drawn, ${wanted} computed`);
    await assertCellHas("# paused debugger, train.py:15: scores, np.float32");
  });

  it("has the gradient of a PyTorch tensor checked from the Watch view", async () => {
    const { page } = workbench;
    const header = page.locator(".pane-header").filter({ hasText: /^Watch/ });
    await header.hover();
    await header.locator(".codicon-watch-expressions-add, .codicon-add").first().click();
    await page.locator(".debug-watch .monaco-inputbox input").waitFor();
    await page.keyboard.type("y_pred.grad");
    await page.keyboard.press("Enter");
    const watched = page.locator(".debug-watch .monaco-list-row").filter({ hasText: "tensor(" });
    await watched.first().waitFor();
    await choose(workbench, watched.first());
    await lists.titled(/for y_pred\.grad/);
    await lists.row(/^y_true/).click();
    await lists.form("y_pred.grad");
    await page.keyboard.press("Enter");
    await assertCellHas("# paused debugger, train.py:15: y_pred.grad, torch.float32 on cpu");
  });

  it("has an array checked by its name in the editor", async () => {
    const { page } = workbench;
    await choose(workbench, await inProgram("y_pred"));
    await lists.titled(/the target for y_pred$/);
    await lists.row(/^y_true/).click();
    await lists.form("y_pred against y_true");
    await page.keyboard.press("Escape");
    await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  });

  it("says which tensor has no numbers to read, and offers what has", async () => {
    await choose(workbench, variable("sparse"));
    assert.match(await messageWith(workbench, "is sparse"), /Take sparse\.to_dense\(\)/);
  });

  /** A variable's row in the Variables view. */
  function variable(name: string): Locator {
    return workbench.page
      .locator(".debug-variables .monaco-list-row")
      .filter({ has: workbench.page.locator(".name", { hasText: new RegExp(`^${name}\\b`) }) })
      .first();
  }

  /** A text in the program's editor. */
  async function inProgram(text: string): Promise<Locator> {
    const { page } = workbench;
    await page.locator(".tab").filter({ hasText: "train.py" }).click();
    await page.locator(".tab.active").filter({ hasText: "train.py" }).waitFor();
    return page.locator(".editor-instance .view-line").getByText(text).first();
  }

  async function assertCellHas(comment: string): Promise<void> {
    const lines = workbench.page.locator(".notebookOverlay .view-line");
    await lines.filter({ hasText: comment }).first().waitFor({ timeout: 60_000 });
  }
});
