/** Commands that open notebooks and inspect typed formulas. */
import * as vscode from "vscode";
import { FORMULA_LANGUAGE, NOTEBOOK_TYPE, type NotebookController } from "./controller.ts";
import { revealReport } from "./cellStatus.ts";
import { code, newNotebook, openNotebook, run } from "./notebooks.ts";

const LAST_FORMULA = "dice-gradient.lastFormula";
const FIRST_FORMULA = "1 - (2*sum(p .* g) + eps) / (sum(p) + sum(g) + eps)";

export function registerCommands(
  context: vscode.ExtensionContext,
  controller: NotebookController,
): vscode.Disposable[] {
  const register = (name: string, f: () => Promise<void>): vscode.Disposable =>
    vscode.commands.registerCommand(`dice-gradient.${name}`, f);
  return [
    register("newInspectionNotebook", async () => {
      await openNotebook(await newNotebook(STARTER_CELLS()));
    }),
    register("openExampleNotebook", () => openExample(context)),
    register("inspectFormula", () => inspectFormula(context)),
    vscode.commands.registerCommand("dice-gradient.revealReport", revealReport),
    register("restartKernel", async () => {
      const notebook = vscode.window.activeNotebookEditor?.notebook;
      if (notebook === undefined) {
        await vscode.window.showInformationMessage("Open a notebook to restart its kernel.");
        return;
      }
      controller.restart(notebook);
      vscode.window.setStatusBarMessage("Dice Gradient Inspector: kernel restarted", 3000);
    }),
  ];
}

function STARTER_CELLS(): vscode.NotebookCellData[] {
  return [
    new vscode.NotebookCellData(
      vscode.NotebookCellKind.Markup,
      "# Gradient inspection\n\nDefine a loss, load arrays (`np.load` of a path beside this notebook) and end a cell with a call of the loss. Running it shows the gradient derived from the code, beside the numbers.",
      "markdown",
    ),
    code(
      "import numpy as np\n\n\ndef dice_loss(y_true, y_pred, epsilon=1e-7):\n    intersection = np.sum(y_true * y_pred)\n    total = np.sum(y_true) + np.sum(y_pred)\n    return 1 - (2 * intersection + epsilon) / (total + epsilon)",
    ),
    code(
      "y_true = np.array([1.0, 0.0, 1.0, 0.0])\ny_pred = np.array([0.8, 0.3, 0.6, 0.1])\n\ndice_loss(y_true, y_pred)",
    ),
  ];
}

/** The example as a copy of the user's own, so that running it changes nothing of the extension's. */
async function openExample(context: vscode.ExtensionContext): Promise<void> {
  const source = vscode.Uri.joinPath(context.extensionUri, "media", "example");
  const name = "dice-gradient.ipynb";
  const open = vscode.workspace.workspaceFolders?.find(
    (f) => f.uri.toString() === source.toString(),
  );
  const folder = open === undefined ? await copyOfExample(context, source) : source;
  const uri = vscode.Uri.joinPath(folder, name);
  await openNotebook(await vscode.workspace.openNotebookDocument(uri));
}

async function copyOfExample(
  context: vscode.ExtensionContext,
  source: vscode.Uri,
): Promise<vscode.Uri> {
  const target = vscode.Uri.joinPath(context.globalStorageUri, "example");
  const fs = vscode.workspace.fs;
  await fs.createDirectory(target);
  for (const [name, type] of await fs.readDirectory(source)) {
    const to = vscode.Uri.joinPath(target, name);
    // A notebook that the user has changed stays; data files are refreshed with the extension.
    const keep = name.endsWith(".ipynb") && (await exists(to));
    if (type === vscode.FileType.File && !keep) {
      await fs.copy(vscode.Uri.joinPath(source, name), to, { overwrite: true });
    }
  }
  return target;
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}

async function inspectFormula(context: vscode.ExtensionContext): Promise<void> {
  const formula = await vscode.window.showInputBox({
    title: "Inspect a Formula",
    prompt: "Elementwise operators have a dot: p .* g. Names become arrays, eps a number.",
    value: context.globalState.get<string>(LAST_FORMULA) ?? FIRST_FORMULA,
    ignoreFocusOut: true,
    validateInput: (v) => (v.trim() === "" ? "Type a formula" : undefined),
  });
  if (formula === undefined) return;
  await context.globalState.update(LAST_FORMULA, formula);
  const active = vscode.window.activeNotebookEditor;
  if (active?.notebook.notebookType === NOTEBOOK_TYPE) {
    const at = active.selection.isEmpty ? active.notebook.cellCount : active.selection.end;
    const edit = new vscode.WorkspaceEdit();
    edit.set(active.notebook.uri, [
      vscode.NotebookEdit.insertCells(at, [code(formula, FORMULA_LANGUAGE)]),
    ]);
    await vscode.workspace.applyEdit(edit);
    await run(active.notebook, at);
    return;
  }
  const notebook = await newNotebook([code(formula, FORMULA_LANGUAGE)]);
  await openNotebook(notebook);
  await run(notebook, 0);
}
