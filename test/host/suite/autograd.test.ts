import assert from "node:assert/strict";
import * as vscode from "vscode";
import { ended, newNotebook, report, run, until, workspaceFile } from "./notebooks.ts";

const LOSS = `import torch

try:
    import interlude
except ImportError:
    pass


def dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    return 1 - (2 * (p * target).sum() + smooth) / (p.sum() + target.sum() + smooth)`;
const CALL = `dice_loss(torch.tensor([0.3, -1.2, 2.0]), torch.tensor([1.0, 0.0, 1.0]))`;

/** What real Python does on the way; the inspector, which runs no code, reads an empty file. */
async function interlude(source: string): Promise<void> {
  const guarded = source === "" ? "" : `import sys\nif "torch" in sys.modules:\n    ${source}\n`;
  await vscode.workspace.fs.writeFile(workspaceFile("interlude.py"), Buffer.from(guarded));
}

describe("real autograd as the referee", function () {
  this.timeout(180_000);
  const configuration = (): vscode.WorkspaceConfiguration =>
    vscode.workspace.getConfiguration("dice-gradient");
  const set = (name: string, value: unknown): Thenable<void> =>
    configuration().update(name, value, vscode.ConfigurationTarget.Global);

  before(async function () {
    const python = process.env["DICE_GRADIENT_PYTHON"];
    if (python === undefined) this.skip();
    await set("pythonPath", python);
  });
  after(async () => {
    await set("pythonPath", undefined);
    await set("python.timeout", undefined);
    await interlude("");
  });
  afterEach(async () => {
    await vscode.commands.executeCommand("notifications.clearAll");
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
  });

  /** A notebook whose first cell has run, and whose second calls the loss. */
  async function notebookFor(name: string): Promise<vscode.NotebookDocument> {
    const notebook = await newNotebook(name, [{ source: LOSS }, { source: CALL }]);
    await run(notebook, 0);
    return notebook;
  }

  /** Runs the call as the command does; the first time in a workspace it asks for the libraries. */
  function inPython(notebook: vscode.NotebookDocument): Promise<vscode.NotebookCell> {
    const cell = notebook.cellAt(1);
    return ended(cell, async () => {
      void vscode.commands.executeCommand("dice-gradient.runCellInPython", cell);
      await begun(cell);
    });
  }

  async function begun(cell: vscode.NotebookCell): Promise<void> {
    const before = cell.executionSummary?.executionOrder;
    const deadline = Date.now() + 30_000;
    while (cell.executionSummary?.executionOrder === before && Date.now() < deadline) {
      await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  const runOf = (cell: vscode.NotebookCell) => report(cell).autogradRuns![0]!;

  it("runs a cell in Python, with the library, its verdict and a column in the report", async () => {
    await interlude("");
    const notebook = await notebookFor("referee.ipynb");
    const cell = await inPython(notebook);
    const shown = report(cell);
    const { library, version, verdict, failure, maxUlps } = runOf(cell);
    assert.deepEqual([library, verdict, failure], ["PyTorch", "agrees", null]);
    assert.match(version, /^\d+\.\d+/);
    assert.ok(maxUlps !== null && maxUlps !== undefined && maxUlps < 16, String(maxUlps));
    assert.deepEqual(shown.numbers!.columns.slice(-2), [
      "autograd (PyTorch)",
      "PyTorch off by (ulp)",
    ]);
    assert.equal(
      runOf(await inPython(notebook)).verdict,
      "agrees",
      "and again, from the warm process",
    );
  });

  it("outlives a process that dies, names its exit code, and runs again", async () => {
    await interlude("import os; os._exit(7)");
    const notebook = await notebookFor("dies.ipynb");
    const died = await inPython(notebook);
    assert.match(runOf(died).failure ?? "", /ended with exit code 7/);
    assert.equal(report(died).check.verdict, "agrees", "the report is there all the same");
    await interlude("");
    assert.equal(runOf(await inPython(notebook)).verdict, "agrees");
  });

  it("stops at the time limit of the settings, and says which one that is", async () => {
    await interlude("import time; time.sleep(600)");
    await set("python.timeout", 3);
    const notebook = await notebookFor("late.ipynb");
    const late = await inPython(notebook);
    assert.match(runOf(late).failure ?? "", /within 3 s.*dice-gradient\.python\.timeout/s);
    await set("python.timeout", undefined);
    await interlude("");
    assert.equal(runOf(await inPython(notebook)).verdict, "agrees");
  });

  for (const command of ["notebook.cancelExecution", "dice-gradient.restartPython"]) {
    it(`stops on ${command}, and the notebook stays usable`, async () => {
      await interlude("import time; time.sleep(600)");
      const notebook = await notebookFor(`stop-${command.replace(/\W/g, "-")}.ipynb`);
      const cell = notebook.cellAt(1);
      const stopped = ended(cell, async () => {
        void vscode.commands.executeCommand("dice-gradient.runCellInPython", cell);
        await begun(cell);
        await new Promise((resolve) => setTimeout(resolve, 3000));
        assert.equal(cell.executionSummary?.success, undefined, "it is still running");
        await vscode.commands.executeCommand(command);
      });
      assert.match(runOf(await stopped).failure ?? "", /stopped on request/);
      await interlude("");
      assert.equal(report(await run(notebook, 1)).check.verdict, "agrees");
      assert.equal(runOf(await inPython(notebook)).verdict, "agrees");
    });
  }

  it("says in one line that an interpreter is not there, and what to set", async () => {
    const python = configuration().get<string>("pythonPath");
    await set("pythonPath", "/nowhere/python");
    try {
      const notebook = await notebookFor("nowhere.ipynb");
      const cell = await inPython(notebook);
      assert.match(
        runOf(cell).failure ?? "",
        /no Python interpreter \/nowhere\/python\n.*pythonPath/,
      );
    } finally {
      await set("pythonPath", python);
    }
  });

  it("runs the loss around the cursor of a file in Python, on arrays made for it", async () => {
    const document = await vscode.workspace.openTextDocument(workspaceFile("losses.py"));
    const editor = await vscode.window.showTextDocument(document);
    const line = document
      .getText()
      .split("\n")
      .findIndex((l) => l.includes("torch.sigmoid"));
    editor.selection = new vscode.Selection(line, 4, line, 4);
    void vscode.commands.executeCommand("dice-gradient.runLossInPython");
    const called = (): vscode.NotebookCell | undefined =>
      vscode.window.activeNotebookEditor?.notebook
        .getCells()
        .find((c) => c.executionSummary?.success === true && c.index === 2);
    const deadline = Date.now() + 60_000;
    while (called() === undefined && Date.now() < deadline) {
      await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await until(() => called() !== undefined, "the call in the notebook");
    assert.equal(runOf(called()!).verdict, "agrees");
  });
});
