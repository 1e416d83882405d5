/** Everything that is shown where code is read: hovers, lenses, problems, and their commands. */
import { join } from "node:path";
import * as vscode from "vscode";
import { GradientTests } from "../diagnostics/gradientTests.ts";
import { GradientDiagnostics } from "../diagnostics/runDiagnostics.ts";
import type { NotebookController } from "../controller.ts";
import { LossLenses, isShown } from "./codeLens.ts";
import { LossCommands } from "./commands.ts";
import { Comparisons } from "./compare.ts";
import { InlineDocuments } from "./documents.ts";
import { LossFindings } from "./findings.ts";
import { LossHovers } from "./hover.ts";
import type { PythonRuns } from "../autograd/runs.ts";
import { Typesetter } from "./typesetter.ts";

/** Python files on disk or not yet saved, and the Python cells of notebooks. */
const PYTHON: vscode.DocumentSelector = [
  { language: "python", scheme: "file" },
  { language: "python", scheme: "untitled" },
  { language: "python", scheme: "vscode-remote" },
  { language: "python", scheme: "vscode-notebook-cell" },
];

/** Context key: the file in the active editor has a loss, so its title bar offers the report. */
const HAS_LOSSES = "dice-gradient.hasLosses";

export interface Inline {
  readonly documents: InlineDocuments;
  readonly comparisons: Comparisons;
  readonly disposables: readonly { dispose(): unknown }[];
}

export function registerInline(
  context: vscode.ExtensionContext,
  controller: NotebookController,
  python: PythonRuns,
): Inline {
  const dist = join(context.extensionPath, "dist");
  const documents = new InlineDocuments(join(dist, "inline.js"));
  const typesetter = new Typesetter(join(dist, "typeset.js"));
  const lenses = new LossLenses(documents);
  const rules = vscode.Uri.joinPath(context.extensionUri, "media", "rules");
  const findings = new LossFindings(documents, rules);
  const diagnostics = new GradientDiagnostics(join(dist, "inline.js"), rules);
  const commands = new LossCommands(documents, context.globalStorageUri, python);
  const comparisons = new Comparisons(documents, controller, context);
  const register = (name: string, f: (argument: unknown) => Promise<void>): vscode.Disposable =>
    vscode.commands.registerCommand(`dice-gradient.${name}`, f);
  const disposables = [
    documents,
    typesetter,
    lenses,
    findings,
    diagnostics,
    new GradientTests(join(dist, "inline.js"), documents),
    vscode.commands.registerCommand("dice-gradient.runDiagnostics", (a: unknown, all: unknown) =>
      diagnostics.run(a, all),
    ),
    vscode.languages.registerHoverProvider(PYTHON, new LossHovers(documents, typesetter)),
    vscode.languages.registerCodeLensProvider(PYTHON, lenses),
    vscode.languages.registerCodeActionsProvider(PYTHON, findings, {
      providedCodeActionKinds: LossFindings.kinds,
    }),
    register("deriveGradient", (a) => commands.derive(a)),
    register("checkLoss", (a) => commands.check(a)),
    register("explainGradient", (a) => commands.explain(a)),
    register("runLossInPython", (a) => commands.runInPython(a)),
    register("compareLosses", (a) => comparisons.compare(a)),
    register("setShapes", (a) => commands.setShapes(a)),
    ...followActiveEditor(documents),
  ];
  return { documents, comparisons, disposables };
}

function followActiveEditor(documents: InlineDocuments): vscode.Disposable[] {
  let shown: boolean | null = null;
  const update = (): void => {
    const document = vscode.window.activeTextEditor?.document;
    const losses = document === undefined ? [] : documents.lossesBeside(document);
    const has = losses.some((loss) => isShown(loss, losses));
    if (has === shown) return;
    shown = has;
    void vscode.commands.executeCommand("setContext", HAS_LOSSES, has);
  };
  update();
  return [vscode.window.onDidChangeActiveTextEditor(update), documents.onDidChange(update)];
}
