import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { writeNpy } from "../../../src/arrays/npy.ts";
import { nifti } from "../../unit/session/niftiBytes.ts";
import { choose, leave, Lists, messageWith, reportWith } from "../checks.ts";
import { copyExample } from "../example.ts";
import { keepEvidenceOfFailures, launchWorkbench, type Workbench } from "../workbench.ts";

/** Literals as people leave them in a script. */
const SCRIPT = `import numpy as np
import torch

masks = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
probs = np.array([[0.8, 0.3, 0.6], [0.1, 0.9, 0.45]])
scores = torch.tensor([[-1.5, 3.25], [0.3, -2.2]])
ragged = np.array([[1, 2], [7]])
`;
const JSON_TEXT = '{"pred": [0.875, 0.125], "target": [1, 0]}\n';
const TABLE = "case,y_true,y_pred\na,1,0.9375\nb,0,0.2\nc,1,0.4\n";

describe("checking arrays where they are", function () {
  this.timeout(240_000);
  let workbench: Workbench;
  let lists: Lists;
  let folder: string;

  before(async () => {
    folder = await copyExample();
    await writeFile(join(folder, "script.py"), SCRIPT);
    await writeFile(join(folder, "arrays.json"), JSON_TEXT);
    await writeFile(join(folder, "cases.csv"), TABLE);
    for (const [name, values] of [
      ["case7_scores", [0.9, 0.2, 0.7, 0.1, 0.35, 0.8]],
      ["case7_truth", [1, 0, 1, 0, 0, 1]],
    ] as const) {
      await writeFile(
        join(folder, `${name}.npy`),
        writeNpy({ dtype: "float64", shape: [2, 3], data: Float64Array.from(values) }),
      );
    }
    await writeFile(join(folder, "scan_prob.nii"), nifti(2, [1, 0, 1, 1, 0, 0, 1, 0]));
    await writeFile(join(folder, "scan_mask.nii"), nifti(-2, [0, 1, 0, 1, 0, 0, 0, 1]));
    await writeFile(join(folder, "pointer.npy"), "version https://git-lfs.github.com/spec/v1\n");
    workbench = await launchWorkbench({ workspace: folder, file: join(folder, "script.py") });
    lists = new Lists(workbench);
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  /** Opens a file in the first editor group, and finds a number of it. */
  async function inFile(name: string, text: string): Promise<Locator> {
    const { page } = workbench;
    await workbench.runCommand("View: Focus First Editor Group");
    await page.locator(".explorer-folders-view").getByText(name, { exact: true }).click();
    await page.locator(".tab.active").filter({ hasText: name }).waitFor();
    const found = page.locator(".editor-instance .view-line").getByText(text, { exact: false });
    await found.first().waitFor();
    return found.first();
  }

  async function cellWith(text: string): Promise<void> {
    const lines = workbench.page.locator(".notebookOverlay .view-line");
    await lines.filter({ hasText: text }).first().waitFor({ timeout: 60_000 });
  }

  it("takes the literal under the mouse in a script, with the other one beside it", async () => {
    const { page } = workbench;
    await choose(workbench, await inFile("script.py", "0.45"));
    await lists.titled(/the target for probs/);
    await lists.row("masks").waitFor();
    await page.keyboard.press("Enter");
    await lists.titled(/the loss/);
    await page.keyboard.type("dice_loss_smooth");
    await lists.row("dice_loss_smooth").waitFor();
    await page.keyboard.press("Enter");
    await lists.form("probs against masks");
    await page.keyboard.press("Enter");
    await reportWith(workbench, "dice_loss_smooth in losses.py");
    const source = await page.locator(".notebookOverlay .view-lines").first().innerText();
    assert.match(source.replaceAll("\u00a0", " "), /# script\.py:5\s+probs = np\.array/);
  });

  it("remembers the answers: two Enters are a report, and the code keeps the focus", async () => {
    const { page } = workbench;
    await choose(workbench, await inFile("script.py", "0.45"));
    await lists.titled(/the target for probs/);
    await page.keyboard.press("Enter");
    await lists.form("probs against masks");
    await page.keyboard.press("Enter");
    const count = page.locator(".notebookOverlay .cell-list-container .execution-count-label");
    await count.filter({ hasText: /^\[[2-9]\]$/ }).waitFor();
    await page.locator(".monaco-editor.focused").filter({ hasText: "scores" }).waitFor();
  });

  it("says below the new cell why a check fails, and at which line", async () => {
    const { page } = workbench;
    await choose(workbench, await inFile("script.py", "0.45"));
    await lists.titled(/the target for probs/);
    await lists.row("scores").click();
    await lists.form("probs against scores");
    await lists.row("The shapes differ").waitFor();
    await page.keyboard.press("Enter");
    await cellWith("scores = torch.tensor");
    await page.locator(".notebookOverlay .codicon-notebook-state-error").first().waitFor();
    await workbench.output("text=shapes (2, 2) and (2, 3) do not broadcast");
    await workbench.output("text=losses.py, line 31");
  });

  it("swaps the two by one key, and by the button", async () => {
    const { page } = workbench;
    await choose(workbench, await inFile("script.py", "0.45"));
    await lists.titled(/the target for probs/);
    await page.keyboard.press("Enter");
    await lists.form("probs against masks");
    await page.keyboard.press("Alt+s");
    await lists.form("masks against probs");
    await page.locator(".quick-input-titlebar .action-label[class*=arrow-swap]").click();
    await lists.form("probs against masks");
    await leave(workbench);
  });

  it("remembers what a loss was compared with", async () => {
    const { page } = workbench;
    for (const isFirst of [true, false]) {
      await choose(workbench, await inFile("script.py", "0.45"));
      await lists.titled(/the target for probs/);
      await page.keyboard.press("Enter");
      if (isFirst) {
        await lists.form("probs against masks");
        await lists.row("Compare with: nothing").click();
        await lists.titled(/compare dice_loss_smooth with/);
        await lists.row("The nearest of the catalogue").click();
      }
      await lists.form("probs against masks, compared with the nearest of the catalogue");
      if (isFirst) {
        await page.keyboard.press("Enter");
        await reportWith(workbench, "Same gradient", "dice_loss_smooth and papers.dice(");
      }
    }
    await lists.row("Compare with: the nearest").click();
    await lists.titled(/compare dice_loss_smooth with/);
    await lists.row("Nothing").click();
    await lists.row("Compare with: nothing").waitFor();
    await leave(workbench);
  });

  it("sees logits, and has a loss of probabilities differentiated by them", async () => {
    const { page } = workbench;
    await choose(workbench, await inFile("script.py", "3.25"));
    await lists.titled(/the target for scores/);
    await lists.row("Random target").click();
    await lists.form("scores against random");
    await lists.row("logits, through sigmoid first").waitFor();
    await page.keyboard.press("Enter");
    await reportWith(workbench, "dice_loss_smooth_of_logits");
  });

  it("says what is wrong with a literal, and where", async () => {
    await choose(workbench, await inFile("script.py", "7"));
    assert.match(await messageWith(workbench, "script.py:7:"), /script\.py:7:\d+/);
  });

  it("takes a key's list in JSON, and a column of a table", async () => {
    const { page } = workbench;
    await choose(workbench, await inFile("arrays.json", "0.875"));
    await lists.titled(/the target for pred/);
    await lists.row("target").waitFor();
    await page.keyboard.press("Enter");
    await lists.form("pred against target");
    await leave(workbench);
    await choose(workbench, await inFile("cases.csv", "0.9375"));
    await lists.titled(/the target for y_pred/);
    await page.keyboard.press("Enter");
    await lists.form("y_pred against y_true");
    await page.keyboard.press("Enter");
    await reportWith(workbench, "0.9375");
  });

  it("takes files of the Explorer, one or several, and asks which of their arrays", async () => {
    const { page } = workbench;
    const files = page.locator(".explorer-folders-view");
    await choose(workbench, files.getByText("slice.npz", { exact: true }));
    await lists.titled(/arrays of slice\.npz/);
    await lists.tick("mask", "probability");
    await lists.form("probability against mask");
    await page.keyboard.press("Enter");
    await reportWith(workbench, "slice.npz");
  });

  it("takes a file by the tab of its editor", async () => {
    const { page } = workbench;
    await inFile("cases.csv", "0.9375");
    await choose(workbench, page.locator(".tab.active").filter({ hasText: "cases.csv" }));
    await lists.titled(/arrays of cases\.csv/);
    await lists.tick("y_true", "y_pred");
    await lists.form("y_pred against y_true");
    await leave(workbench);
  });

  it("takes the gradient of one check as the input of another, by its drawn report", async () => {
    const { page } = workbench;
    // The one that was drawn last is in sight.
    const report = await reportWith(workbench, "9,216 elements");
    await report.scrollIntoViewIfNeeded();
    await choose(workbench, report.locator(".loss-value").first());
    await lists.titled(/arrays of this report/);
    await lists.tick("Gradient of dice_loss_smooth by y_pred");
    await lists.titled(/for d_y_pred/);
    await page.keyboard.press("Enter");
    await lists.form("d_y_pred against");
    await page.keyboard.press("Enter");
    const lines = page.locator(".notebookOverlay .view-line");
    await lines.filter({ hasText: "# gradient of dice_loss_smooth by y_pred" }).first().waitFor();
  });

  it("takes variables of the notebook's kernel", async () => {
    const { page } = workbench;
    await page.locator(".tab").filter({ hasText: "Untitled-1.ipynb" }).click();
    await workbench.runCommand("Dice Gradient: Check Dice Gradient of Notebook Variables");
    await lists.titled(/variables of this notebook/);
    await lists.tick("probs", "masks");
    await lists.form("probs against masks");
    await leave(workbench);
  });

  it("takes two files that are selected in the Explorer, into the notebook that they hide", async () => {
    const { page } = workbench;
    const notebook = page.locator(".tab").filter({ hasText: "Untitled-1.ipynb" });
    await notebook.click();
    const files = page.locator(".explorer-folders-view");
    await files.getByText("case7_truth.npy", { exact: true }).click();
    const second = files.getByText("case7_scores.npy", { exact: true });
    await second.click({ modifiers: ["Control"] });
    await files.locator(".monaco-list-row.selected").nth(1).waitFor();
    await choose(workbench, second);
    await lists.form("case7_scores.npy against case7_truth.npy");
    await page.keyboard.press("Enter");
    await cellWith('case7_truth = np.load("');
    await reportWith(workbench, "dice_loss_smooth", "case7_scores");
    await page.locator(".tab.active").filter({ hasText: "Untitled-1.ipynb" }).waitFor();
    assert.equal(await page.locator(".tab").filter({ hasText: "Untitled-2" }).count(), 0);
  });

  it("says that the files of two volumes place them apart", async () => {
    const { page } = workbench;
    const files = page.locator(".explorer-folders-view");
    await files.getByText("scan_mask.nii", { exact: true }).click();
    const second = files.getByText("scan_prob.nii", { exact: true });
    await second.click({ modifiers: ["Control"] });
    await files.locator(".monaco-list-row.selected").nth(1).waitFor();
    await choose(workbench, second);
    await lists.form("scan_prob.nii against scan_mask.nii");
    await lists.row("Their files place them up to 4 mm apart: axis 0 runs the other way").waitFor();
    await leave(workbench);
  });

  it("says what a file is that is not what its name says, and names it as the workspace does", async () => {
    const files = workbench.page.locator(".explorer-folders-view");
    await choose(workbench, files.getByText("pointer.npy", { exact: true }));
    assert.match(
      await messageWith(workbench, "Git LFS"),
      /^pointer\.npy is not what its name says/,
    );
  });
});

describe("checking arrays in a folder that is not trusted", function () {
  this.timeout(180_000);
  let workbench: Workbench;
  let folder: string;

  before(async () => {
    folder = await copyExample();
    await writeFile(join(folder, "script.py"), SCRIPT);
    workbench = await launchWorkbench({
      workspace: folder,
      file: join(folder, "script.py"),
      theme: "dark",
      untrusted: true,
    });
  });
  after(() => workbench.close());
  keepEvidenceOfFailures(() => workbench);

  it("works as ever: nothing of the folder is run", async () => {
    const { page } = workbench;
    const lists = new Lists(workbench);
    const at = page.locator(".editor-instance .view-line").getByText("0.45").first();
    await at.waitFor({ timeout: 60_000 });
    await choose(workbench, at);
    await lists.titled(/the target for probs/);
    await page.keyboard.press("Enter");
    await lists.titled(/the loss/);
    await page.keyboard.type("1 - 2*sum(p .* g) / (sum(p) + sum(g))");
    await lists.row("a formula of p").waitFor();
    await page.keyboard.press("Enter");
    await lists.form("probs against masks");
    await page.keyboard.press("Enter");
    await reportWith(workbench, "formula");
    assert.ok(readFileSync(join(folder, "script.py"), "utf8") === SCRIPT);
  });
});
