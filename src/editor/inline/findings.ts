/**
 * What is wrong with a loss, as problems at their lines, and the edits that put it right as quick
 * fixes. General: anything a report finds at a place in the user's file comes through here.
 */
import * as vscode from "vscode";
import type { Diagnostic, Report, SourceLocation } from "../../report/schema.ts";
import { withSeverities } from "../../session/severities.ts";
import { areProblemsOn, severitiesSet } from "../settings.ts";
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
  private readonly rules: vscode.Uri;
  private readonly problems = vscode.languages.createDiagnosticCollection("dice-gradient");
  private readonly disposables: vscode.Disposable[];

  /** @param rules folder of the pages about the rules */
  constructor(documents: InlineDocuments, rules: vscode.Uri) {
    this.documents = documents;
    this.rules = rules;
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
        const actions = fix === null ? [] : [quickFix(document, problem, fix.title, fix.edits)];
        if (typeof problem.code === "object") actions.push(ignoring(document, problem));
        return actions;
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
    for (const finding of this.documents
      .lossesIn(document)
      .flatMap((l) => findingsOf(l, this.rules))) {
      // A class and the function that applies it come to the same finding.
      const { range, message } = finding.problem;
      const key = `${String(range.start.line)} ${message}`;
      if ((found.get(key)?.fix ?? null) === null) found.set(key, finding);
    }
    return [...found.values()];
  }
}

function quickFix(
  document: vscode.TextDocument,
  problem: vscode.Diagnostic,
  title: string,
  edits: readonly vscode.TextEdit[],
): vscode.CodeAction {
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.diagnostics = [problem];
  action.edit = new vscode.WorkspaceEdit();
  action.edit.set(document.uri, [...edits]);
  return action;
}

/** The comment that silences a rule on a line, added to one that is there for another rule. */
function ignoring(document: vscode.TextDocument, problem: vscode.Diagnostic): vscode.CodeAction {
  const code = String((problem.code as { value: unknown }).value);
  const line = document.lineAt(problem.range.start.line);
  const there = /#\s*dice-gradient:\s*ignore\s*\[[^\]]*(?=\])/.exec(line.text);
  const [at, text] =
    there === null
      ? [line.range.end, `  # dice-gradient: ignore[${code}]`]
      : [new vscode.Position(line.lineNumber, there.index + there[0].length), `, ${code}`];
  const edits = [vscode.TextEdit.insert(at, text)];
  return quickFix(document, problem, `Ignore ${code} on this line`, edits);
}

function findingsOf(loss: Loss, rules: vscode.Uri): Finding[] {
  const { result, isStale, candidate, document } = loss;
  // A place in a text that has changed since may be any other; the next result is on its way.
  if (result === null || isStale || candidate.kind === "imported") return [];
  if (!areProblemsOn(document.uri)) return [];
  const found = result.kind === "derived" ? result.report.diagnostics : result.findings;
  // Elsewhere a division is nobody's denominator: only what is named like a loss is held to the rules.
  const own = found.filter((d) => candidate.named || !isRule(d.code));
  const diagnostics = withSeverities(own, severitiesSet(document.uri));
  if (result.kind === "derived")
    return findings({ ...result.report, diagnostics }, document, rules);
  return diagnostics.map((d) => ({
    problem: problemOf(d, document, document.uri, rules),
    fix: editsOf(d.fix, d.location?.file),
  }));
}

function isRule(code: string): boolean {
  return /^DG\d/.test(code) && code !== "DG015";
}

/**
 * The report's findings that lie in the document itself. Information without a code of its own is for
 * the report alone.
 * @param rules folder of the pages about the rules
 */
export function findings(
  report: Report,
  document: vscode.TextDocument,
  rules: vscode.Uri,
): Finding[] {
  return report.diagnostics.flatMap((d) => {
    const { location } = d;
    if ((d.severity === "information" && !isRule(d.code)) || location?.line === undefined)
      return [];
    if (location.file !== report.function.file) return [];
    return [{ problem: problemOf(d, document, document.uri, rules), fix: fixOf(d, report) }];
  });
}

/** @param document the text, where it is open; without it columns are taken as they come */
export function problemOf(
  d: Diagnostic,
  document: vscode.TextDocument | null,
  uri: vscode.Uri,
  rules: vscode.Uri,
): vscode.Diagnostic {
  const problem = new vscode.Diagnostic(
    rangeOf(d.location, document),
    d.remedy === null ? d.message : `${d.message}\n${d.remedy}`,
    SEVERITIES[d.severity],
  );
  problem.source = "Dice Gradient";
  problem.code = d.code.startsWith("DG")
    ? { value: d.code, target: vscode.Uri.joinPath(rules, `${d.code}.md`) }
    : d.code;
  problem.relatedInformation = (d.related ?? []).flatMap(({ location, message }) =>
    location.file === d.location?.file
      ? [
          new vscode.DiagnosticRelatedInformation(
            new vscode.Location(uri, rangeOf(location, document)),
            message,
          ),
        ]
      : [],
  );
  return problem;
}

function rangeOf(l: SourceLocation | null, document: vscode.TextDocument | null): vscode.Range {
  const line = l?.line ?? 1;
  if (l?.column !== undefined && l.endColumn !== undefined) {
    return new vscode.Range(line - 1, l.column - 1, (l.endLine ?? line) - 1, l.endColumn - 1);
  }
  return document === null
    ? new vscode.Range(line - 1, 0, line - 1, 1000)
    : lineRange(document, line);
}

/** The edits that a finding's remedy stands for, if they all lie in the loss's own file. */
function fixOf(d: Diagnostic, report: Report): Finding["fix"] {
  return editsOf(d.fix ?? handwrittenFix(d, report), report.function.file);
}

function editsOf(found: Diagnostic["fix"], file: string | undefined): Finding["fix"] {
  if (found?.edits.every((e) => e.file === file) !== true) return null;
  const edits = found.edits.map((e) =>
    vscode.TextEdit.replace(
      new vscode.Range(e.line - 1, e.column - 1, e.endLine - 1, e.endColumn - 1),
      e.newText,
    ),
  );
  return { title: found.title, edits };
}

function handwrittenFix(d: Diagnostic, report: Report): Diagnostic["fix"] {
  const fixes = (report.handwritten ?? []).flatMap((h) =>
    h.fix === null ? [] : [{ ...h.fix, h }],
  );
  return fixes.find(
    ({ title, h }) =>
      title === d.remedy &&
      h.location.file === d.location?.file &&
      [h.location.line, ...h.faults.flatMap((f) => f.lines)].includes(d.location.line),
  );
}

/** The text of a line, without its indentation. */
function lineRange(document: vscode.TextDocument, line: number): vscode.Range {
  const { range, firstNonWhitespaceCharacterIndex } = document.lineAt(
    Math.min(line, document.lineCount) - 1,
  );
  return range.with(range.start.translate(0, firstNonWhitespaceCharacterIndex));
}
