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

/** A notebook in a tab, with what is selected in it. */
export interface OpenNotebook extends Pick<vscode.NotebookEditor, "notebook" | "selection"> {
  readonly viewColumn: vscode.ViewColumn | undefined;
}

/**
 * The notebook that cells go into: the active one that our kernel drives, else one in sight, else one
 * behind another tab.
 */
export function notebookInUse(controller: Pick<NotebookController, "drives">): OpenNotebook | null {
  const editors = [vscode.window.activeNotebookEditor, ...vscode.window.visibleNotebookEditors];
  const editor = editors.find((e) => e !== undefined && controller.drives(e.notebook));
  const inTabs = notebooksInTabs().filter((e) => controller.drives(e.notebook));
  if (editor === undefined) return inTabs[0] ?? null;
  // An editor that has just been moved or shown does not know its column yet; its tab does.
  const { notebook, selection } = editor;
  const tab = inTabs.find((e) => e.notebook === notebook);
  return { notebook, selection, viewColumn: editor.viewColumn ?? tab?.viewColumn };
}

function notebooksInTabs(): OpenNotebook[] {
  const documents = new Map(vscode.workspace.notebookDocuments.map((n) => [n.uri.toString(), n]));
  return vscode.window.tabGroups.all.flatMap(({ tabs, viewColumn }) =>
    tabs.flatMap(({ input }) => {
      const notebook =
        input instanceof vscode.TabInputNotebook ? documents.get(input.uri.toString()) : undefined;
      if (notebook === undefined) return [];
      const { cellCount } = notebook;
      return [{ notebook, viewColumn, selection: new vscode.NotebookRange(cellCount, cellCount) }];
    }),
  );
}

/**
 * Puts cells below what is selected in a notebook, or into a new one beside the code, and runs them.
 * Resolves when they have ended.
 * @param editor null for a new notebook
 */
export async function insertAndRun(
  controller: Pick<NotebookController, "runInserted">,
  editor: OpenNotebook | null,
  cells: vscode.NotebookCellData[],
): Promise<void> {
  // Not by VS Code's command: that asks for trust in the folder, of which nothing is run here.
  if (editor === null) {
    await controller.runInserted(null, 0, cells, async () => {
      const notebook = await newNotebook(cells);
      await openNotebook(notebook, { viewColumn: vscode.ViewColumn.Beside });
      return notebook;
    });
    return;
  }
  const { notebook } = editor;
  const at = editor.selection.isEmpty ? notebook.cellCount : editor.selection.end;
  const range = new vscode.NotebookRange(at, at + cells.length);
  const shown: Promise<void>[] = [];
  await controller.runInserted(notebook, at, cells, async () => {
    const edit = new vscode.WorkspaceEdit();
    edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(at, cells)]);
    if (!(await vscode.workspace.applyEdit(edit))) {
      throw new Error(
        `The cells could not be put into ${vscode.workspace.asRelativePath(notebook.uri)}.`,
      );
    }
    // What still runs is written while the cells come into view.
    shown.push(bringIntoView(editor, range));
    return notebook;
  });
  await Promise.all(shown);
}

/** A notebook in sight scrolls, and leaves the focus where the user works; any other is shown. */
async function bringIntoView(
  { notebook, viewColumn }: OpenNotebook,
  range: vscode.NotebookRange,
): Promise<void> {
  const seen = vscode.window.visibleNotebookEditors.find(
    (e) => e.notebook === notebook && (viewColumn === undefined || e.viewColumn === viewColumn),
  );
  const editor =
    seen ??
    (await vscode.window.showNotebookDocument(
      notebook,
      viewColumn === undefined ? {} : { viewColumn },
    ));
  editor.revealRange(range, vscode.NotebookEditorRevealType.AtTop);
  editor.selection = range;
}
