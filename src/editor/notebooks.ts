/** Making, showing and running inspection notebooks. */
import * as vscode from "vscode";
import { CONTROLLER_ID, NOTEBOOK_TYPE, type NotebookController } from "./controller.ts";

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

/** The notebook that cells go into: the active one, or one in sight, that our kernel drives. */
export function notebookInUse(
  controller: Pick<NotebookController, "drives">,
): vscode.NotebookEditor | null {
  const editors = [vscode.window.activeNotebookEditor, ...vscode.window.visibleNotebookEditors];
  return editors.find((e) => e !== undefined && controller.drives(e.notebook)) ?? null;
}

/**
 * Puts cells below what is selected in a notebook, or into a new one beside the code, and runs them.
 * Resolves when they have ended.
 * @param editor null for a new notebook
 */
export async function insertAndRun(
  controller: Pick<NotebookController, "run">,
  editor: vscode.NotebookEditor | null,
  cells: vscode.NotebookCellData[],
): Promise<void> {
  if (editor === null) {
    const notebook = await newNotebook(cells);
    await openNotebook(notebook, { viewColumn: vscode.ViewColumn.Beside });
    // Not by VS Code's command: that asks for trust in the folder, of which nothing is run here.
    await controller.run(notebook.getCells(), notebook);
    return;
  }
  const { notebook } = editor;
  const at = editor.selection.isEmpty ? notebook.cellCount : editor.selection.end;
  const edit = new vscode.WorkspaceEdit();
  edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(at, cells)]);
  await vscode.workspace.applyEdit(edit);
  const range = new vscode.NotebookRange(at, at + cells.length);
  // They run while they come into view.
  const running = controller.run(notebook.getCells(range), notebook);
  const shown = await vscode.window.showNotebookDocument(notebook, {
    ...(editor.viewColumn === undefined ? {} : { viewColumn: editor.viewColumn }),
    selections: [range],
  });
  shown.revealRange(range, vscode.NotebookEditorRevealType.AtTop);
  await running;
}
