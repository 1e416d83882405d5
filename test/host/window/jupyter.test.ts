import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { onPath } from "../../../scripts/lib/browser.mjs";
import { root } from "../../../scripts/lib/root.mjs";
import { oraclePython } from "../../oracle/environment.ts";
import {
  answer,
  choose,
  leave,
  Lists,
  lossIn,
  messageWith,
  reportWith,
  shownMessage,
  stopProgress,
} from "../checks.ts";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

/** Cells that leave the loss of their arrays, by the real libraries, in a file. */
const ARRAYS = `import pathlib
import numpy as np
import torch
from losses import dice_loss_smooth

rng = np.random.default_rng(0)
y_pred = rng.random((2, 3, 4))
y_true = (rng.random((2, 3, 4)) > 0.5).astype(float)
scores = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
mask = scores > 0.5
batch = {"image": y_pred, "truth": y_true}
note = "no array"
pathlib.Path("loss.txt").write_text(str(dice_loss_smooth(y_true, y_pred)))
print("the arrays are made")`;

const ODD_ONES = `sparse = mask.to_sparse()
records = np.array([None, 1.0], dtype=object)
without_numbers = np.full((2, 3, 4), np.nan)
volume = np.zeros((1024, 1024))
short_lived = np.zeros(3)
del short_lived
print("the odd ones are made")`;

/** Goes on at once, unless it is told to wait: then it leaves a file, and waits for another. */
const WAITING = `import time
if pathlib.Path("wait.txt").exists():
    pathlib.Path("waiting.txt").touch()
    while not pathlib.Path("go.txt").exists():
        time.sleep(0.05)
print("the notebook is run")`;

const code = (source: string, id: string): object => ({
  id,
  cell_type: "code",
  metadata: {},
  execution_count: null,
  outputs: [],
  source,
});

const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {
    kernelspec: { name: "python3", display_name: "Python 3 (ipykernel)" },
    language_info: { name: "python" },
  },
  cells: [code(ARRAYS, "arrays"), code(ODD_ONES, "odd"), code(WAITING, "waiting")],
};

/**
 * The kernel is a real ipykernel. The Jupyter extension before it is a stand-in with its public API,
 * see test/host/extensions/jupyter: the real one cannot be had from npm, so that its own panel is not
 * seen here; VS Code's notebook variables view is.
 */
describe("arrays of a running Jupyter kernel", function () {
  this.timeout(240_000);
  let workbench: Workbench;
  let lists: Lists;
  let folder: string;

  before(async function () {
    // The environment with the real libraries is made once, where it is not there yet.
    this.timeout(1_200_000);
    if (onPath("python3") === undefined) this.skip();
    folder = await copyExample();
    await writeFile(join(folder, "train.ipynb"), JSON.stringify(NOTEBOOK));
    workbench = await launchWorkbench({
      workspace: folder,
      file: join(folder, "train.ipynb"),
      beside: ["jupyter"],
      proposedApi: true,
      settings: { "notebook.variablesView": true },
      env: {
        DICE_GRADIENT_PYTHON: await oraclePython(),
        DICE_GRADIENT_KERNEL_CLIENT: join(root, "test/oracle/kernel_client.py"),
        DICE_GRADIENT_KERNEL_FOLDER: folder,
        OMP_NUM_THREADS: "1",
      },
    });
    lists = new Lists(workbench);
    const { page } = workbench;
    await page.locator(".notebookOverlay .view-line").first().waitFor({ timeout: 60_000 });
    await workbench.runCommand("Jupyter: Select the Python Kernel");
    const label = page.locator(".kernel-label").filter({ hasText: "Python 3 (ipykernel)" });
    await label.waitFor({ timeout: 60_000 });
  });
  after(() => (workbench as Workbench | undefined)?.close());
  keepEvidenceOfFailures(() => workbench);

  it("cannot be had before a kernel is started, and that is said", async () => {
    await choose(workbench, nameInCell("y_pred"));
    assert.match(await messageWith(workbench, "gives other numbers"), /Cell 1:7/);
  });

  it("are checked by their name in a cell, once the user has let us in", async () => {
    const { page } = workbench;
    await workbench.runCommand("Notebook: Run All");
    await workbench.output("text=the notebook is run", 90_000);
    await choose(workbench, nameInCell("y_pred"));
    await answer(workbench, "grant Kernel access", "Allow");
    await lists.titled(/the target for y_pred/);
    await lists.row("y_true").waitFor();
    await page.keyboard.press("Enter");
    await lists.titled(/the loss/);
    await page.keyboard.type("dice_loss_smooth");
    await lists.row("dice_loss_smooth").waitFor();
    await page.keyboard.press("Enter");
    await lists.form("y_pred against y_true");
    await page.keyboard.press("Enter");
    const report = await reportWith(workbench, "dice_loss_smooth in losses.py");
    const wanted = Number(await readFile(join(folder, "loss.txt"), "utf8"));
    const shown = await lossIn(report);
    assert.ok(Math.abs(shown - wanted) < 1e-12, `${shown} is drawn, ${wanted} computed`);
    await cellWith("# Jupyter kernel of train.ipynb: y_pred, np.float64");
  });

  it("are checked from the viewer of Jupyter's own panel: PyTorch's tensors by their type", async () => {
    const { page } = workbench;
    await toNotebook();
    await workbench.runCommand("Jupyter: View Variable");
    await lists.titled("Variables of the kernel");
    await lists.row(/^scores/).click();
    await lists.titled(/the target for scores/);
    // What has its shape and a target's name and dtype comes first.
    await lists.row(/^mask/).waitFor();
    await page.keyboard.press("Enter");
    await lists.form("scores against mask");
    await page.keyboard.press("Enter");
    await cellWith("# Jupyter kernel of train.ipynb: scores, torch.float32 on cpu");
    await reportWith(workbench, "dice_loss_smooth in losses.py", "128 elements");
    assert.equal(await page.locator(".tab").filter({ hasText: "Untitled-1" }).count(), 1);
  });

  it("are checked by a right-click in VS Code's notebook variables view", async () => {
    const { page } = workbench;
    await toNotebook();
    await workbench.runCommand("Focus on Notebook Variables View");
    // It has more room without the part above it.
    await page.locator(".pane-header").filter({ hasText: /^Run$/ }).click();
    const rows = page.locator(".debug-pane .monaco-list-row");
    await choose(workbench, rows.filter({ hasText: "y_true" }).first());
    await lists.titled(/the prediction for y_true/);
    await lists.row(/^y_pred/).waitFor();
    await page.keyboard.press("Enter");
    await lists.form("y_pred against y_true");
    await leave(workbench);
  });

  it("are checked where they are elements of a dictionary in that view", async () => {
    const { page } = workbench;
    const rows = page.locator(".debug-pane .monaco-list-row");
    await rows.filter({ hasText: "batch" }).locator(".monaco-tl-twistie").click();
    await choose(workbench, rows.filter({ hasText: "truth" }).first());
    await lists.titled("the prediction for batch['truth']");
    await leave(workbench);
    await workbench.runCommand("View: Show Explorer");
  });

  it("are refused in words where they have no numbers to read", async () => {
    await toNotebook();
    for (const [name, refusal, remedy] of [
      ["note", "note is a str, not an array", ""],
      ["sparse", "sparse is sparse (sparse_coo)", "Take sparse.to_dense()"],
      ["records", "records holds Python objects", "Take records.astype('float64')"],
      ["short_lived", "The kernel has no short_lived", "Run the cell that makes it"],
    ] as const) {
      await choose(workbench, nameInCell(name));
      const said = await messageWith(workbench, refusal);
      assert.ok(said.includes(remedy), said);
    }
  });

  it("that hold NaN are checked, after it is said", async () => {
    const { page } = workbench;
    await choose(workbench, nameInCell("without_numbers"));
    await lists.titled(/for without_numbers/);
    await page.keyboard.press("Enter");
    await lists.titled(/^Check Dice Gradient$/);
    await lists.row("without_numbers holds numbers that are not finite").waitFor();
    await leave(workbench);
  });

  it("are waited for while a cell runs, until the user stops it", async () => {
    await runUntilItWaits();
    await choose(workbench, nameInCell("y_pred"));
    await stopProgress(workbench, "the kernel is running a cell");
    await choose(workbench, nameInCell("y_pred"));
    await shownMessage(workbench, "the kernel is running a cell");
    await writeFile(join(folder, "go.txt"), "");
    await lists.titled(/the target for y_pred/);
    await leave(workbench);
  });

  it("are not to be had of an extension that has no kernels, or one of another language", async () => {
    await workbench.runCommand("Jupyter: Behave as an Old Version");
    await view("y_pred");
    assert.match(await messageWith(workbench, "The Jupyter extension is too old"), /Update it/);
    await workbench.runCommand("Jupyter: Behave as a New Version");
    await workbench.runCommand("Jupyter: Use Another Language");
    await view("y_pred");
    assert.match(await messageWith(workbench, "The kernel runs julia"), /\.npy/);
    await workbench.runCommand("Jupyter: Use Python");
  });

  it("are not to be had without the user's leave, which can be given later", async () => {
    await workbench.runCommand("Jupyter: Manage Access to Jupyter Kernels");
    await choose(workbench, nameInCell("y_pred"));
    await answer(workbench, "grant Kernel access", "Deny");
    const refused = await shownMessage(workbench, "access was denied");
    await refused.getByText("Manage Access").click();
    await choose(workbench, nameInCell("y_pred"));
    await answer(workbench, "grant Kernel access", "Allow");
    await lists.titled(/the target for y_pred/);
    await leave(workbench);
  });

  it("that a Jupyter server holds back are given up, with what to do instead", async () => {
    await workbench.runCommand("Jupyter: Limit Outputs");
    await choose(workbench, nameInCell("volume"));
    const refused = await messageWith(workbench, "The Jupyter server holds the array back");
    assert.match(refused, /iopub_data_rate_limit.*np\.save/s);
  });

  it("end with their kernel, also while one is being read", async () => {
    await runUntilItWaits();
    await choose(workbench, nameInCell("y_pred"));
    await shownMessage(workbench, "the kernel is running a cell");
    await workbench.runCommand("Jupyter: Kill the Kernel");
    assert.match(await messageWith(workbench, "The kernel has ended"), /Run the cells again/);
    await choose(workbench, nameInCell("y_pred"));
    await messageWith(workbench, "The kernel has ended");
  });

  /** A name in the cells, where it stands alone or first in its line. */
  function nameInCell(name: string): Locator {
    const cells = workbench.page.locator(".notebookOverlay").filter({ hasText: "pathlib" });
    return cells
      .locator(".view-line span")
      .getByText(new RegExp(`^\\s*${name}\\s*$`))
      .first();
  }

  /** Opens a variable in the viewer of its type, as Jupyter's panel does. */
  async function view(variable: string): Promise<void> {
    await toNotebook();
    await workbench.runCommand("Jupyter: View Variable");
    await lists.titled("Variables of the kernel");
    await lists.row(variable).click();
  }

  /** Runs the notebook, whose last cell goes on when `go.txt` is there. */
  async function runUntilItWaits(): Promise<void> {
    await toNotebook();
    await rm(join(folder, "go.txt"), { force: true });
    await rm(join(folder, "waiting.txt"), { force: true });
    await writeFile(join(folder, "wait.txt"), "");
    await workbench.runCommand("Notebook: Run All");
    const deadline = Date.now() + 60_000;
    while (!existsSync(join(folder, "waiting.txt"))) {
      assert.ok(Date.now() < deadline, "the last cell does not run");
      await workbench.page.waitForTimeout(100);
    }
  }

  async function toNotebook(): Promise<void> {
    const { page } = workbench;
    await page.locator(".tab").filter({ hasText: "train.ipynb" }).first().click();
    await page.locator(".tab.active").filter({ hasText: "train.ipynb" }).waitFor();
  }

  async function cellWith(comment: string): Promise<void> {
    const lines = workbench.page.locator(".notebookOverlay .view-line");
    await lines.filter({ hasText: comment }).first().waitFor({ timeout: 60_000 });
  }
});

describe("arrays of a kernel where the Jupyter extension is not installed", function () {
  this.timeout(120_000);
  let workbench: Workbench;

  before(async () => {
    const folder = await copyExample();
    await writeFile(join(folder, "train.ipynb"), JSON.stringify(NOTEBOOK));
    workbench = await launchWorkbench({
      workspace: folder,
      file: join(folder, "train.ipynb"),
      beside: ["other-kernel"],
      proposedApi: true,
      settings: { "notebook.variablesView": true },
    });
    const { page } = workbench;
    await page.locator(".notebookOverlay .view-line").first().waitFor({ timeout: 60_000 });
    await workbench.runCommand("Other Kernel: Select");
    await page.locator(".kernel-label").filter({ hasText: "Other Kernel" }).waitFor();
  });
  after(() => (workbench as Workbench | undefined)?.close());
  keepEvidenceOfFailures(() => workbench);

  it("cannot be read, and the extension that it takes is named", async () => {
    const toolbar = workbench.page.locator(".notebook-toolbar-container");
    const view = toolbar.getByRole("button", { name: "Variables" });
    // VS Code offers the view with the first cell that runs after it has come to look for that.
    for (let attempt = 0; attempt < 20 && (await view.count()) === 0; attempt++) {
      await toolbar.getByRole("button", { name: "Run All" }).click();
      await view.waitFor({ timeout: 3000 }).catch(() => undefined);
    }
    await view.click();
    const rows = workbench.page.locator(".debug-pane .monaco-list-row");
    await choose(workbench, rows.filter({ hasText: "y_pred" }).first());
    const said = await messageWith(
      workbench,
      "through the Jupyter extension, which is not installed",
    );
    assert.match(said, /Show Extension/);
  });
});
