/** The line above a loss: `∂L/∂y_pred · check · compare`. */
import * as vscode from "vscode";
import { SECTION, isCodeLensOn } from "../settings.ts";
import { type InlineDocuments, type Loss } from "./documents.ts";
import { argumentOf } from "./target.ts";

/** Several derivations that end together redraw the lines once. */
const PAUSE_MS = 80;

export class LossLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly documents: InlineDocuments;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly disposables: vscode.Disposable[];
  private timer: NodeJS.Timeout | null = null;
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(documents: InlineDocuments) {
    this.documents = documents;
    this.disposables = [
      documents.onDidChange(() => {
        this.timer ??= setTimeout(() => {
          this.timer = null;
          this.changed.fire();
        }, PAUSE_MS);
      }),
      vscode.workspace.onDidChangeConfiguration((e) => {
        if (e.affectsConfiguration(SECTION)) this.changed.fire();
      }),
    ];
  }

  dispose(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    for (const d of this.disposables) d.dispose();
    this.changed.dispose();
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!isCodeLensOn(document.uri)) return [];
    const all = this.documents.lossesBeside(document);
    return all
      .filter((loss) => loss.document === document && isShown(loss, all))
      .flatMap((loss) => lensesOf(loss));
  }
}

/** What is called a loss, and what turned out to be one unless it is a helper of another. */
export function isShown(loss: Loss, all: readonly Loss[]): boolean {
  if (loss.candidate.kind === "imported") return false;
  if (loss.candidate.named) return true;
  if (loss.result?.kind !== "derived" || !loss.result.isLoss) return false;
  return !all.some(
    (other) =>
      other !== loss &&
      loss.candidate.uses.some(
        (u) =>
          u.part === other.candidate.place.part &&
          other.candidate.firstLine <= u.line &&
          u.line <= other.candidate.lastLine,
      ),
  );
}

function lensesOf(loss: Loss): vscode.CodeLens[] {
  const line = Math.min(loss.candidate.firstLine, loss.document.lineCount) - 1;
  const range = new vscode.Range(line, 0, line, 0);
  const lens = (title: string, command: string, tooltip: string): vscode.CodeLens =>
    new vscode.CodeLens(range, {
      title,
      command: `dice-gradient.${command}`,
      tooltip,
      arguments: [argumentOf(loss)],
    });
  const { result, name } = loss;
  if (result?.kind === "failed") {
    const { line: at, message } = result.failure;
    const where = at === null ? "" : ` (line ${String(at)})`;
    return [lens(`$(warning) no gradient${where}`, "deriveGradient", `${name}: ${message}`)];
  }
  const by = result === null ? "…" : result.report.gradient.wrt;
  return [
    lens(`∂L/∂${by}`, "deriveGradient", `Derive the gradient of ${name} beside the code`),
    lens("check", "checkLoss", `Check the gradient of ${name} on arrays`),
    lens("compare", "compareLosses", `Compare ${name} with another loss`),
  ];
}
