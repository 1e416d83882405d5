import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { onPath } from "../../../scripts/lib/browser.mjs";
import { oraclePython } from "../../oracle/environment.ts";
import {
  answer,
  choose,
  leave,
  Lists,
  lossIn,
  messageWith,
  reportWith,
  stopProgress,
} from "../checks.ts";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

/** A training step that leaves the loss of its arrays, by the real libraries, in a file. */
const TRAINING = `import pathlib
import jax.numpy as jnp
import numpy as np
import tensorflow as tf
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
    eager = tf.constant(scores)
    device_array = jnp.asarray(scores)
    volume = np.zeros((9, 1024, 1024))
    volumes = np.zeros((12, 10, 1024, 1024))
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
      // High enough for all variables to be in view.
      viewport: { width: 1280, height: 1300 },
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
    const shown = await lossIn(report);
    assert.ok(Math.abs(shown - wanted) < 1e-6 * wanted, `${shown} is drawn, ${wanted} computed`);
    await assertCellHas("# paused debugger, train.py:21: scores, np.float32");
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
    await assertCellHas("# paused debugger, train.py:21: y_pred.grad, torch.float32 on cpu");
  });

  it("has an array checked by its name in the editor", async () => {
    await choose(workbench, await inProgram("y_pred"));
    await lists.titled(/the target for y_pred$/);
    await lists.row(/^y_true/).click();
    await lists.form("y_pred against y_true");
    await leave(workbench);
  });

  it("has arrays of TensorFlow and JAX checked as well", async () => {
    const { page } = workbench;
    for (const [name, origin] of [
      ["eager", "eager, tf.float32 on CPU:0"],
      ["device_array", "device_array, jnp.float32 on "],
    ] as const) {
      await choose(workbench, variable(name));
      await lists.titled(new RegExp(`for ${name}`));
      await lists.row(/^y_true/).click();
      await lists.form(`${name} against y_true`);
      await page.keyboard.press("Enter");
      await assertCellHas(`# paused debugger, train.py:21: ${origin}`);
    }
  });

  it("has a large array copied out only after a question, and until the user stops it", async () => {
    await choose(workbench, variable("volume"));
    await answer(workbench, "volume has 72.0 MiB", "Cancel");
    await choose(workbench, variable("volumes"));
    await answer(workbench, "volumes has 960.0 MiB", "Read It");
    await stopProgress(workbench, "Reading volumes");
    await choose(workbench, variable("volume"));
    await answer(workbench, "volume has 72.0 MiB", "Read It");
    await lists.titled(/for volume/);
    await leave(workbench);
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
