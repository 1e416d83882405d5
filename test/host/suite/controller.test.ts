import assert from "node:assert/strict";
import * as vscode from "vscode";
import {
  REPORT,
  errorText,
  mimes,
  newNotebook,
  printed,
  report,
  run,
  show,
  start,
  until,
  workspaceFile,
} from "./notebooks.ts";

const DICE = `import numpy as np
def dice(y_true, y_pred):
    return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true) + np.sum(y_pred))`;

describe("the notebook kernel", () => {
  afterEach(() => vscode.commands.executeCommand("workbench.action.closeAllEditors"));

  it("runs every cell of the example, with a report where a loss is called", async function () {
    this.timeout(180_000);
    const notebook = await vscode.workspace.openNotebookDocument(
      workspaceFile("dice-gradient.ipynb"),
    );
    await show(notebook);
    const verdicts: Record<string, string> = {};
    for (const cell of notebook.getCells()) {
      if (cell.kind !== vscode.NotebookCellKind.Code) continue;
      await run(notebook, cell.index);
      assert.equal(errorText(cell), "", cell.document.getText());
      assert.equal(cell.executionSummary?.success, true);
      if (mimes(cell).includes(REPORT) && report(cell).pairs === undefined) {
        verdicts[cell.document.getText().split("\n").at(-1)!] = report(cell).check.verdict;
        assert.deepEqual(mimes(cell), [
          REPORT,
          "text/html",
          "text/latex",
          "text/markdown",
          "text/plain",
        ]);
      }
    }
    assert.deepEqual(verdicts, {
      "dice_loss_plain(mask, probability)": "agrees",
      "dice_loss_smooth(mask, probability)": "agrees",
      "dice_loss_torch(logits, target)": "agrees",
      "dice_loss_plain(y_true, y_pred)": "agrees",
      "dice_loss_plain(empty_mask, empty_prediction)": "undefined",
      "dice_loss_smooth(empty_mask, empty_prediction)": "agrees",
      "1 - (2*sum(p .* g) + eps) / (sum(p) + sum(g) + eps)": "agrees",
      'dice_loss_smooth(case["mask"], case["probability"])': "agrees",
      "dice_loss_torch(slice_logits, slice_target)": "agrees",
    });
  });

  it("keeps names from cell to cell, counts executions, and forgets on restart", async () => {
    const notebook = await newNotebook("state.ipynb", [
      { source: "x = 3" },
      { source: "print(x + 1)" },
    ]);
    await run(notebook, 0);
    assert.equal(printed(await run(notebook, 1)), "4\n");
    assert.equal(notebook.cellAt(1).executionSummary?.executionOrder, 2);
    await vscode.commands.executeCommand("dice-gradient.restartKernel");
    const cell = await run(notebook, 1);
    assert.match(errorText(cell), /NameError.*'x'/s);
    assert.equal(cell.executionSummary?.executionOrder, 1);
  });

  it("interrupts an endless loop, keeps what was known before it, and stays usable", async () => {
    const notebook = await newNotebook("endless.ipynb", [
      { source: "x = 3" },
      { source: "while True:\n    x = x + 1" },
      { source: "print(x)" },
    ]);
    await run(notebook, 0);
    await start(notebook, 1, 2);
    const cell = notebook.cellAt(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(cell.executionSummary?.success, undefined, "the loop is still running");
    await vscode.commands.executeCommand("notebook.cancelExecution");
    await until(() => cell.executionSummary?.success === false, "the interrupt");
    assert.match(errorText(cell), /Interrupted/);
    assert.equal(printed(await run(notebook, 2)), "3\n");
  });

  it("does not run the cells after one that fails", async () => {
    const notebook = await newNotebook("stop.ipynb", [
      { source: "nothing_of_that_name" },
      { source: "print('reached')" },
    ]);
    await start(notebook);
    await until(() => notebook.cellAt(0).executionSummary?.success === false, "the failure");
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(printed(notebook.cellAt(1)), "");
  });

  it("shows a saved notebook's outputs again without running it", async () => {
    const notebook = await newNotebook("saved.ipynb", [
      { source: `${DICE}\ndice(np.array([1.0, 0.0]), np.array([0.7, 0.2]))` },
    ]);
    await run(notebook, 0);
    const shown = report(notebook.cellAt(0));
    await notebook.save();
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    const raw = JSON.parse(
      new TextDecoder().decode(await vscode.workspace.fs.readFile(workspaceFile("saved.ipynb"))),
    ) as { cells: { outputs: { data: Record<string, unknown> }[] }[] };
    assert.deepEqual(raw.cells[0]!.outputs[0]!.data[REPORT], shown);
    const again = await vscode.workspace.openNotebookDocument(workspaceFile("saved.ipynb"));
    await show(again);
    assert.equal(mimes(again.cellAt(0))[0], REPORT, "our output comes first after reopening");
    assert.deepEqual(report(again.cellAt(0)), shown);
  });

  it("opens a new inspection notebook whose cells run", async () => {
    await vscode.commands.executeCommand("dice-gradient.newInspectionNotebook");
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    assert.ok(notebook);
    await run(notebook, 1);
    assert.equal(report(await run(notebook, 2)).check.verdict, "agrees");
  });

  it("derives the loss around the cursor of a Python file, in a notebook beside it", async () => {
    const document = await vscode.workspace.openTextDocument(workspaceFile("losses.py"));
    const editor = await vscode.window.showTextDocument(document);
    const line = document
      .getText()
      .split("\n")
      .findIndex((l) => l.includes("torch.sigmoid"));
    editor.selection = new vscode.Selection(line, 4, line, 4);
    await vscode.commands.executeCommand("dice-gradient.deriveGradient");
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    assert.ok(notebook);
    const cell = notebook.cellAt(0);
    await until(() => cell.executionSummary?.success !== undefined, "the derivation");
    assert.match(report(cell).gradient.text, /^∂L\/∂z\[i\] = .*p\[i\]·\(1−p\[i\]\)$/);
  });

  it("opens a copy of the example notebook", async () => {
    await vscode.commands.executeCommand("dice-gradient.openExampleNotebook");
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    assert.ok(notebook);
    assert.ok(notebook.uri.path.endsWith("/dice-gradient.ipynb"));
    const extension = vscode.extensions.getExtension("dice-gradient.dice-gradient-inspector")!;
    assert.ok(
      !notebook.uri.path.startsWith(extension.extensionUri.path),
      "not the extension's own file",
    );
  });
});

describe("a cell with bad input gives one clear message, and the notebook stays usable", () => {
  afterEach(() => vscode.commands.executeCommand("workbench.action.closeAllEditors"));

  const cases: {
    name: string;
    source: string;
    message: RegExp;
    line: number;
    prepare?: () => Promise<void>;
  }[] = [
    {
      name: "shapes that do not fit",
      source: "dice(np.zeros((2, 3)), np.zeros((4, 3)))",
      message: /\(2, 3\).*\(4, 3\)/s,
      line: 3,
    },
    {
      name: "a missing file",
      source: 'x = np.load("no_such_mask.npy")',
      message: /no file.*no_such_mask\.npy/is,
      line: 1,
    },
    {
      name: "a truncated .npy",
      source: 'x = np.load("cut.npy")',
      message: /cut\.npy.*(bytes|truncated|ends)/is,
      line: 1,
      prepare: async () => {
        const whole = await vscode.workspace.fs.readFile(workspaceFile("empty_mask.npy"));
        await vscode.workspace.fs.writeFile(workspaceFile("cut.npy"), whole.subarray(0, 1000));
      },
    },
    {
      name: "a construct that is not known",
      source: "y = 1\nz = await f()",
      message: /`await` is not supported/,
      line: 2,
    },
    { name: "a syntax error", source: "x = 1\ny = (2,\nz = 3", message: /SyntaxError/, line: 2 },
    {
      name: "an unknown function of a library",
      source: "np.no_such_function(np.zeros(3))",
      message: /no_such_function/,
      line: 1,
    },
  ];

  for (const { name, source, message, line, prepare } of cases) {
    it(name, async () => {
      await prepare?.();
      const notebook = await newNotebook(`bad-${name.replace(/\W+/g, "-")}.ipynb`, [
        { source: DICE },
        { source },
        { source: "dice(np.array([1.0, 0.0]), np.array([0.7, 0.2]))" },
      ]);
      await run(notebook, 0);
      const cell = await run(notebook, 1);
      assert.equal(cell.outputs.length, 1);
      const text = errorText(cell);
      assert.match(text, message);
      assert.match(text, new RegExp(`line ${String(line)}\\b`));
      assert.ok(!/\bat .*\.(js|ts|cjs):\d+/.test(text), `no stack trace: ${text}`);
      assert.equal(report(await run(notebook, 2)).check.verdict, "agrees");
    });
  }

  it("NaN in an array is named by its place, with the verdict undefined", async () => {
    const notebook = await newNotebook("nan.ipynb", [
      { source: `${DICE}\ndice(np.array([1.0, 0.0]), np.array([0.7, np.nan]))` },
    ]);
    const { check } = report(await run(notebook, 0));
    assert.equal(check.verdict, "undefined");
    assert.match(check.sentence, /y_pred.*\[1\]/s);
  });

  it("puts a squiggle at the place of an error until the cell is run again", async () => {
    const notebook = await newNotebook("squiggle.ipynb", [{ source: "a = 1\nb = missing + a" }]);
    const cell = await run(notebook, 0);
    const [problem] = vscode.languages.getDiagnostics(cell.document.uri);
    assert.equal(problem?.range.start.line, 1);
    assert.equal(cell.document.getText(problem.range), "missing");
  });
});
