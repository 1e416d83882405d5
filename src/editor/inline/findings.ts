/**
 * What is wrong with a loss, as problems at their lines, and the edits that put it right as quick
 * fixes. General: anything a report finds at a place in the user's file comes through here.
 */
import * as vscode from "vscode";
import type { Diagnostic, Report } from "../../report/schema.ts";
import { type InlineDocuments, type Loss, keyOf } from "./documents.ts";

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
} as const;

/** A finding of a report at its place in the text. */
export interface Finding {
  readonly problem: vscode.Diagnostic;
  readonly fix: { readonly title: string; readonly edits: readonly vscode.TextEdit[] } | null;
}

export class LossFindings implements vscode.CodeActionProvider, vscode.Disposable {
  static readonly kinds = [vscode.CodeActionKind.QuickFix];
  private readonly documents: InlineDocuments;
  private readonly problems = vscode.languages.createDiagnosticCollection("dice-gradient");
  private readonly disposables: vscode.Disposable[];

  constructor(documents: InlineDocuments) {
    this.documents = documents;
    this.disposables = [
      documents.onDidChange((key) => {
        this.refresh(key);
      }),
    ];
  }

  dispose(): void {
    for (const d of this.disposables) d.dispose();
    this.problems.dispose();
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    return this.findingsIn(document)
      .filter(({ problem }) => problem.range.intersection(range) !== undefined)
      .flatMap(({ problem, fix }) => {
        if (fix === null) return [];
        const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
        action.diagnostics = [problem];
        action.edit = new vscode.WorkspaceEdit();
        action.edit.set(document.uri, [...fix.edits]);
        return [action];
      });
  }

  private refresh(key: string): void {
    const open = vscode.workspace.textDocuments.filter((d) => keyOf(d) === key);
    for (const document of open) {
      if (document.languageId !== "python") continue;
      this.problems.set(
        document.uri,
        this.findingsIn(document).map((f) => f.problem),
      );
    }
    if (open.length === 0) this.problems.delete(vscode.Uri.parse(key));
  }

  private findingsIn(document: vscode.TextDocument): Finding[] {
    const found = new Map<string, Finding>();
    for (const finding of this.documents.lossesIn(document).flatMap((l) => findingsOf(l))) {
      // A class and the function that applies it come to the same finding.
      const { range, message } = finding.problem;
      const key = `${String(range.start.line)} ${message}`;
      if ((found.get(key)?.fix ?? null) === null) found.set(key, finding);
    }
    return [...found.values()];
  }
}

function findingsOf(loss: Loss): Finding[] {
  const { result, isStale, candidate } = loss;
  // A place in a text that has changed since may be any other; the next result is on its way.
  if (result?.kind !== "derived" || isStale || candidate.kind === "imported") return [];
  return findings(result.report, loss.document);
}

/** The report's findings that are more than information and lie in the document itself. */
export function findings(report: Report, document: vscode.TextDocument): Finding[] {
  return report.diagnostics.flatMap((d) => {
    const { location } = d;
    if (d.severity === "information" || location?.line === undefined) return [];
    if (location.file !== report.function.file) return [];
    const problem = new vscode.Diagnostic(
      lineRange(document, location.line),
      d.remedy === null ? d.message : `${d.message}\n${d.remedy}`,
      SEVERITIES[d.severity],
    );
    problem.source = "Dice Gradient";
    problem.code = d.code;
    return [{ problem, fix: fixOf(d, report) }];
  });
}

/** The edits that a finding's remedy stands for, if they all lie in the loss's own file. */
function fixOf(d: Diagnostic, report: Report): Finding["fix"] {
  const fixes = (report.handwritten ?? []).flatMap((h) =>
    h.fix === null ? [] : [{ ...h.fix, h }],
  );
  const found = fixes.find(
    ({ title, h }) =>
      title === d.remedy &&
      h.location.file === d.location?.file &&
      [h.location.line, ...h.faults.flatMap((f) => f.lines)].includes(d.location.line),
  );
  if (found?.edits.every((e) => e.file === report.function.file) !== true) return null;
  const edits = found.edits.map((e) =>
    vscode.TextEdit.replace(
      new vscode.Range(e.line - 1, e.column - 1, e.endLine - 1, e.endColumn - 1),
      e.newText,
    ),
  );
  return { title: found.title, edits };
}

/** The text of a line, without its indentation. */
function lineRange(document: vscode.TextDocument, line: number): vscode.Range {
  const { range, firstNonWhitespaceCharacterIndex } = document.lineAt(
    Math.min(line, document.lineCount) - 1,
  );
  return range.with(range.start.translate(0, firstNonWhitespaceCharacterIndex));
}
