/** Notebooks inside VS Code, as tests use them. */
import assert from "node:assert/strict";
import * as vscode from "vscode";

const CONTROLLER = "dice-gradient-inspector";
const EXTENSION = "dice-gradient.dice-gradient-inspector";
export const REPORT = "application/vnd.dice-gradient.report.v1+json";

export interface Cell {
  readonly source: string;
  readonly language?: string;
}

export function workspaceFile(name: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, "no folder is open");
  return vscode.Uri.joinPath(folder.uri, name);
}

/** Shows a notebook with our kernel selected. */
export async function show(notebook: vscode.NotebookDocument): Promise<void> {
  const editor = await vscode.window.showNotebookDocument(notebook);
  await vscode.commands.executeCommand("notebook.selectKernel", {
    notebookEditor: editor,
    id: CONTROLLER,
    extension: EXTENSION,
  });
}

/** A new notebook file in the workspace, opened and with our kernel selected. */
export async function newNotebook(
  name: string,
  cells: readonly Cell[],
): Promise<vscode.NotebookDocument> {
  const uri = workspaceFile(name);
  const data = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: CONTROLLER, display_name: "Dice Gradient Inspector" } },
    cells: cells.map((c, k) => ({
      cell_type: "code",
      id: `cell-${String(k)}`,
      execution_count: null,
      metadata: c.language === undefined ? {} : { vscode: { languageId: c.language } },
      outputs: [],
      source: c.source,
    })),
  };
  await vscode.workspace.fs.writeFile(uri, Buffer.from(JSON.stringify(data)));
  const notebook = await vscode.workspace.openNotebookDocument(uri);
  await show(notebook);
  return notebook;
}

/** Starts cells without waiting for their end. */
export async function start(
  notebook: vscode.NotebookDocument,
  from = 0,
  to = notebook.cellCount,
): Promise<void> {
  await vscode.commands.executeCommand("notebook.cell.execute", {
    ranges: [{ start: from, end: to }],
    document: notebook.uri,
  });
}

/** Runs one cell and waits for its end. */
export async function run(
  notebook: vscode.NotebookDocument,
  index: number,
): Promise<vscode.NotebookCell> {
  return ended(notebook.cellAt(index), () => start(notebook, index, index + 1));
}

/** Waits until the cell, started by `begin`, has ended. */
export async function ended(
  cell: vscode.NotebookCell,
  begin: () => Thenable<unknown>,
): Promise<vscode.NotebookCell> {
  const before = cell.executionSummary?.timing?.endTime;
  await begin();
  await until(
    () => {
      const summary = cell.executionSummary;
      return summary?.success !== undefined && summary.timing?.endTime !== before;
    },
    `cell ${String(cell.index)} to end`,
    60_000,
  );
  return cell;
}

export async function until(
  condition: () => boolean,
  what: string,
  timeout = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${String(timeout / 1000)} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export function mimes(cell: vscode.NotebookCell): string[] {
  return cell.outputs.flatMap((o) => o.items.map((i) => i.mime));
}

function item(cell: vscode.NotebookCell, mime: string): string | undefined {
  for (const output of cell.outputs) {
    const found = output.items.find((i) => i.mime === mime);
    if (found !== undefined) return new TextDecoder().decode(found.data);
  }
  return undefined;
}

interface ShownReport {
  readonly check: { readonly verdict: string; readonly sentence: string };
  readonly loss: { readonly value: number | null };
  readonly gradient: { readonly text: string; readonly values?: readonly (number | null)[] };
  readonly assumptions?: readonly string[];
  readonly autogradRuns?: readonly {
    readonly library: string;
    readonly version: string;
    readonly verdict: string;
    readonly maxUlps?: number | null;
    readonly failure?: string | null;
  }[];
  readonly numbers?: { readonly columns: readonly string[] };
  readonly pairs?: readonly { readonly sentence: string }[];
}

/** The report that a cell shows. */
export function report(cell: vscode.NotebookCell): ShownReport {
  const text = item(cell, REPORT);
  assert.ok(text, `the cell shows no report but ${mimes(cell).join()}: ${errorText(cell)}`);
  return JSON.parse(text) as ShownReport;
}

/** The error that a cell shows: everything a reader sees of it. */
export function errorText(cell: vscode.NotebookCell): string {
  const text = item(cell, "application/vnd.code.notebook.error");
  return text === undefined ? "" : (JSON.parse(text) as { stack: string }).stack;
}

export function printed(cell: vscode.NotebookCell): string {
  return item(cell, "application/vnd.code.notebook.stdout") ?? "";
}
