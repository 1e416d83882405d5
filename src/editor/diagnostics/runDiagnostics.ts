/** *Run Gradient Diagnostics*: the rules on files, folders or the workspace, as problems. */
import * as vscode from "vscode";
import type { LintFinding, LintResult } from "../../session/lint.ts";
import { lintFiles } from "../../session/lintThreads.node.ts";
import { placeOfCell } from "../../session/notebookCells.ts";
import { withSeverities } from "../../session/severities.ts";
import { problemOf } from "../inline/findings.ts";
import { pythonFor, severitiesSet } from "../settings.ts";
import { findPythonFiles } from "./pythonFiles.ts";

export class GradientDiagnostics implements vscode.Disposable {
  private readonly script: string;
  private readonly rules: vscode.Uri;
  private readonly problems = vscode.languages.createDiagnosticCollection("dice-gradient-run");
  private readonly disposables: vscode.Disposable[];

  /** @param script worker bundle; @param rules folder of the pages about the rules */
  constructor(script: string, rules: vscode.Uri) {
    this.script = script;
    this.rules = rules;
    // What is open is looked at as it is being typed, and knows better.
    this.disposables = [
      vscode.workspace.onDidOpenTextDocument((d) => {
        this.problems.delete(d.uri);
      }),
      vscode.workspace.onDidOpenNotebookDocument((n) => {
        this.problems.delete(n.uri);
      }),
    ];
  }

  dispose(): void {
    for (const d of this.disposables) d.dispose();
    this.problems.dispose();
  }

  /**
   * @param clicked file or folder of the Explorer's context menu
   * @param selected all that are selected there
   */
  async run(clicked?: unknown, selected?: unknown): Promise<void> {
    const roots = rootsOf(clicked, selected);
    if (roots.length === 0) {
      void vscode.window.showInformationMessage(
        "There is no folder open and no Python file or notebook in the editor to look at.",
      );
      return;
    }
    await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: "Gradient diagnostics",
        cancellable: true,
      },
      (progress, token) => this.lint(roots, progress, token),
    );
  }

  private async lint(
    roots: readonly vscode.Uri[],
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    progress.report({ message: "looking for Python files and notebooks" });
    await vscode.workspace.saveAll(false);
    const files = await filesBelow(roots, token);
    const started = files.length;
    const results = await lintFiles(files, pythonFor(roots[0]), this.script, {
      onDone: (done) => {
        const message = `${done.toLocaleString()} of ${started.toLocaleString()} files`;
        progress.report({ message, increment: 100 / started });
      },
      isCancelled: () => token.isCancellationRequested,
    });
    const found = this.publish(results);
    void this.summarize(results, found, token.isCancellationRequested ? started : null);
  }

  /** @returns how many problems there are now */
  private publish(results: readonly LintResult[]): number {
    const { textDocuments, notebookDocuments } = vscode.workspace;
    const open = new Set([...textDocuments, ...notebookDocuments].map((d) => d.uri.toString()));
    let count = 0;
    for (const r of results) {
      const uri = vscode.Uri.file(r.file);
      const findings = withSeverities(r.findings, severitiesSet(uri)).filter(
        (f) => placeOfCell(f.location?.file ?? "").file === r.file,
      );
      count += findings.length;
      if (open.has(uri.toString())) continue;
      this.problems.set(
        uri,
        findings.map((f) => problemOf(inNotebook(f), null, uri, this.rules)),
      );
    }
    return count;
  }

  private async summarize(
    results: readonly LintResult[],
    found: number,
    cancelledOf: number | null,
  ): Promise<void> {
    const losses = results.reduce((n, r) => n + r.losses, 0);
    const untraced = results.reduce((n, r) => n + r.untraced.length, 0);
    const words = [
      `${count(found, "finding", "findings")} in ${count(losses, "loss", "losses")} of ${count(results.length, "file", "files")}`,
      ...(untraced === 0 ? [] : [`${untraced.toLocaleString()} could not be traced`]),
      ...(cancelledOf === null
        ? []
        : [`stopped before all ${cancelledOf.toLocaleString()} were done`]),
    ];
    const show = "Show Problems";
    const choice = await vscode.window.showInformationMessage(
      `Gradient diagnostics: ${words.join("; ")}.`,
      ...(found === 0 ? [] : [show]),
    );
    if (choice === show) await vscode.commands.executeCommand("workbench.actions.view.problems");
  }
}

/** The cells of a notebook that is not open have no address of their own: the message names them. */
function inNotebook(f: LintFinding): LintFinding {
  const { location } = f;
  const { file, cell } = placeOfCell(location?.file ?? "");
  if (location === null || cell === null) return f;
  const message = `Cell ${cell}, line ${location.line ?? 1}: ${f.message}`;
  return {
    ...f,
    message,
    location: { file, line: 1, column: 1, endLine: 1, endColumn: 1 },
    related: [],
  };
}

function count(n: number, one: string, more: string): string {
  return `${n.toLocaleString()} ${n === 1 ? one : more}`;
}

/** What was clicked; else the workspace; where none is open, the active notebook or Python file. */
function rootsOf(clicked: unknown, selected: unknown): vscode.Uri[] {
  const chosen = Array.isArray(selected) && selected.length > 0 ? selected : [clicked];
  const uris = chosen.filter((u): u is vscode.Uri => u instanceof vscode.Uri);
  if (uris.length > 0) return uris;
  const folders = vscode.workspace.workspaceFolders?.map((f) => f.uri) ?? [];
  if (folders.length > 0) return folders;
  const notebook = vscode.window.activeNotebookEditor?.notebook.uri;
  if (notebook?.scheme === "file") return [notebook];
  const document = vscode.window.activeTextEditor?.document;
  return document?.languageId === "python" && document.uri.scheme === "file" ? [document.uri] : [];
}

async function filesBelow(
  roots: readonly vscode.Uri[],
  token: vscode.CancellationToken,
): Promise<string[]> {
  const found = new Set<string>();
  for (const root of roots) {
    const { type } = await vscode.workspace.fs.stat(root);
    if ((type & vscode.FileType.Directory) === 0) {
      found.add(root.fsPath);
      continue;
    }
    for (const u of await findPythonFiles("{py,ipynb}", root, undefined, token))
      found.add(u.fsPath);
  }
  return [...found].sort();
}
