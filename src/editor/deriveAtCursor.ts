/**
 * *Derive Gradient of This Loss*: the function or class around the cursor, derived in a notebook
 * beside the code. The notebook imports it, so a restart and another run follow the file's changes.
 */
import { relative, sep } from "node:path";
import * as vscode from "vscode";
import { code, newNotebook, openNotebook, run } from "./notebooks.ts";

export async function deriveAtCursor(): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "python") {
    await vscode.window.showInformationMessage("Open a Python file and put the cursor in a loss.");
    return;
  }
  const { document } = editor;
  const name = definitionAround(document, editor.selection.active.line);
  if (name === null) {
    await vscode.window.showInformationMessage(
      "Put the cursor in a function or class at the top level of the file.",
    );
    return;
  }
  // The cell imports the file as it lies on disk.
  if (document.isDirty && !document.isUntitled) await document.save();
  const module = moduleOf(document);
  const cells =
    module === null
      ? [code(document.getText()), code(name)]
      : [code(`from ${module} import ${name}\n\n${name}`)];
  const notebook = await newNotebook(cells);
  await openNotebook(notebook, { viewColumn: vscode.ViewColumn.Beside });
  await run(notebook, 0, cells.length);
}

/** Name of the top-level `def` or `class` that the line belongs to. */
function definitionAround(document: vscode.TextDocument, line: number): string | null {
  for (let k = line; k >= 0; k--) {
    const { text, isEmptyOrWhitespace } = document.lineAt(k);
    const definition = /^(?:async\s+)?(?:def|class)\s+([A-Za-z_]\w*)/.exec(text);
    if (definition !== null) return definition[1]!;
    // A decorator above the definition belongs to it; other code at the margin ends the search.
    if (text.startsWith("@")) return definitionBelow(document, k);
    if (!isEmptyOrWhitespace && /^[^\s#)\]}]/.test(text)) return null;
  }
  return null;
}

function definitionBelow(document: vscode.TextDocument, from: number): string | null {
  for (let k = from; k < document.lineCount; k++) {
    const definition = /^(?:async\s+)?(?:def|class)\s+([A-Za-z_]\w*)/.exec(document.lineAt(k).text);
    if (definition !== null) return definition[1]!;
  }
  return null;
}

/** Dotted name by which a notebook in the first workspace folder imports the file; else null. */
function moduleOf(document: vscode.TextDocument): string | null {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined || document.uri.scheme !== "file") return null;
  const path = relative(folder.uri.fsPath, document.uri.fsPath);
  if (path.startsWith("..") || !path.endsWith(".py")) return null;
  const parts = path.slice(0, -3).split(sep);
  return parts.every((p) => /^[A-Za-z_]\w*$/.test(p)) ? parts.join(".") : null;
}
