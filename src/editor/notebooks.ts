/** Making, showing and running inspection notebooks. */
import * as vscode from "vscode";
import { CONTROLLER_ID, NOTEBOOK_TYPE } from "./controller.ts";

export function code(source: string, language = "python"): vscode.NotebookCellData {
  return new vscode.NotebookCellData(vscode.NotebookCellKind.Code, source, language);
}

export async function newNotebook(
  cells: vscode.NotebookCellData[],
): Promise<vscode.NotebookDocument> {
  const data = new vscode.NotebookData(cells);
  data.metadata = {
    metadata: {
      kernelspec: {
        name: CONTROLLER_ID,
        display_name: "Dice Gradient Inspector",
        language: "python",
      },
      language_info: { name: "python" },
    },
  };
  return vscode.workspace.openNotebookDocument(NOTEBOOK_TYPE, data);
}

export async function openNotebook(
  notebook: vscode.NotebookDocument,
  options: vscode.NotebookDocumentShowOptions = {},
): Promise<vscode.NotebookEditor> {
  const editor = await vscode.window.showNotebookDocument(notebook, options);
  await selectKernel(editor, notebook);
  return editor;
}

export async function selectKernel(
  editor: vscode.NotebookEditor,
  notebook: vscode.NotebookDocument,
): Promise<void> {
  await vscode.commands.executeCommand("notebook.selectKernel", {
    notebookEditor: editor,
    notebookUri: notebook.uri,
    id: CONTROLLER_ID,
    extension: "dice-gradient.dice-gradient-inspector",
  });
}

/** Starts cells `from` to `to` (excluded; by default that one cell). */
export async function run(
  notebook: vscode.NotebookDocument,
  from: number,
  to = from + 1,
): Promise<void> {
  await vscode.commands.executeCommand("notebook.cell.execute", {
    ranges: [{ start: from, end: to }],
    document: notebook.uri,
  });
}
