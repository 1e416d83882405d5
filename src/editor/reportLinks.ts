/** Links of a drawn report: the lines of the code that it speaks of. */
import { dirname } from "node:path";
import * as vscode from "vscode";
import type { RendererMessage } from "../report/schema.ts";

/** As in the manifest. */
const RENDERER_ID = "dice-gradient-report";

/** Opens the lines that are clicked in reports, for as long as it is not disposed of. */
export function openLinksOfReports(): vscode.Disposable {
  const messaging = vscode.notebooks.createRendererMessaging(RENDERER_ID);
  return messaging.onDidReceiveMessage(({ editor, message }) => {
    if (isOpen(message)) void open(editor, message);
  });
}

/** A report comes from a file that may be anybody's, and so does what is asked in it. */
function isOpen(message: unknown): message is RendererMessage {
  const { kind, file, line } = (message ?? {}) as Partial<Record<keyof RendererMessage, unknown>>;
  return kind === "open" && typeof file === "string" && Number.isInteger(line);
}

async function open(editor: vscode.NotebookEditor, { file, line }: RendererMessage): Promise<void> {
  const document = await documentOf(editor.notebook, file);
  if (document === null) {
    await vscode.window.showInformationMessage(`${file} is not found in this workspace.`);
    return;
  }
  const at = Math.min(Math.max(line, 1), document.lineCount) - 1;
  const { range, firstNonWhitespaceCharacterIndex: start } = document.lineAt(at);
  const selection = new vscode.Selection(range.start.translate(0, start), range.end);
  const isCell = document.uri.scheme === "vscode-notebook-cell";
  // Where the file is open already, else beside the report; a cell is in the notebook itself.
  const shown = vscode.window.tabGroups.all.find((group) =>
    group.tabs.some(
      ({ input }) =>
        input instanceof vscode.TabInputText && input.uri.toString() === document.uri.toString(),
    ),
  );
  const column = isCell ? editor.viewColumn : (shown?.viewColumn ?? vscode.ViewColumn.Beside);
  await vscode.window.showTextDocument(document, {
    selection,
    ...(column === undefined ? {} : { viewColumn: column }),
  });
}

/** A cell by its name, or a Python file of the workspace or beside the notebook. */
async function documentOf(
  notebook: vscode.NotebookDocument,
  file: string,
): Promise<vscode.TextDocument | null> {
  const cell = /^Cell (\d+)$/.exec(file)?.[1];
  if (cell !== undefined) {
    const index = Number(cell) - 1;
    return index < notebook.cellCount && index >= 0 ? notebook.cellAt(index).document : null;
  }
  if (!/\.(py|dice)$/.test(file)) return null;
  const own = notebook.isUntitled ? [] : [vscode.Uri.file(dirname(notebook.uri.fsPath))];
  const folders = [...own, ...(vscode.workspace.workspaceFolders ?? []).map((f) => f.uri)];
  const places = file.startsWith("/")
    ? [vscode.Uri.file(file)]
    : folders.map((f) => vscode.Uri.joinPath(f, file));
  for (const uri of places) {
    const found = await vscode.workspace.fs.stat(uri).then(
      () => true,
      () => false,
    );
    if (found) return vscode.workspace.openTextDocument(uri);
  }
  return null;
}
