/**
 * The notebook controller "Dice Gradient Inspector": runs the cells of ordinary .ipynb notebooks by
 * symbolic execution. It needs neither Python nor the Jupyter extension.
 */
import { dirname } from "node:path";
import { homedir } from "node:os";
import * as vscode from "vscode";
import type { KernelAnswer, KernelAsk, KernelVariable } from "../session/arrays/protocol.ts";
import type { AutogradWish } from "../session/autograd/job.ts";
import type { CellLanguage, CellOutput, Failure, Usage } from "../session/protocol.ts";
import { type Engine, EngineFailure, type Session } from "./engine.ts";
import { toNotebookOutput } from "./outputs.ts";
import { pythonLeave } from "./autograd/leave.ts";
import { pythonFor } from "./settings.ts";

export const CONTROLLER_ID = "dice-gradient-inspector";
export const NOTEBOOK_TYPE = "jupyter-notebook";
export const FORMULA_LANGUAGE = "dice-formula";

/** Progress is shown for what takes longer than this. */
const PATIENCE_MS = 500;

/** A run that a command asked for, with real autograd. */
export interface PythonRun {
  readonly ask: AutogradWish;
  onProgress(what: string): void;
  onOutput(output: CellOutput): void;
}

interface Kernel {
  readonly session: Session;
  executionOrder: number;
  /** Cells run one after the other, in the order they were asked for. */
  queue: Promise<void>;
  /** Raised by an interrupt: cells queued before it do not start. */
  interrupts: number;
}

export class NotebookController implements vscode.Disposable {
  private readonly controller: vscode.NotebookController;
  private readonly engine: Engine;
  private readonly kernels = new Map<string, Kernel>();
  private readonly problems = vscode.languages.createDiagnosticCollection("dice-gradient-cells");
  private readonly disposables: vscode.Disposable[] = [];
  /** Notebooks that have this kernel selected. */
  private readonly driven = new Set<vscode.NotebookDocument>();

  constructor(engine: Engine) {
    this.engine = engine;
    this.controller = vscode.notebooks.createNotebookController(
      CONTROLLER_ID,
      NOTEBOOK_TYPE,
      "Dice Gradient Inspector",
      (cells, notebook) => {
        void this.run(cells, notebook);
      },
    );
    this.controller.supportedLanguages = ["python", FORMULA_LANGUAGE];
    this.controller.supportsExecutionOrder = true;
    this.controller.description = "symbolic gradients, no Python needed";
    this.controller.detail = "Derives and checks gradients of the losses in the cells";
    this.controller.interruptHandler = (notebook) => {
      this.interrupt(notebook);
    };
    this.disposables.push(
      this.controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => {
        if (selected) this.driven.add(notebook);
        else this.driven.delete(notebook);
      }),
      vscode.workspace.onDidOpenNotebookDocument((n) => {
        this.prefer(n);
      }),
      vscode.workspace.onDidCloseNotebookDocument((n) => {
        this.drop(n);
      }),
      vscode.workspace.onDidChangeTextDocument((e) => {
        if (e.contentChanges.length > 0) this.problems.delete(e.document.uri);
      }),
    );
    for (const notebook of vscode.workspace.notebookDocuments) this.prefer(notebook);
  }

  dispose(): void {
    for (const kernel of this.kernels.values()) kernel.session.close();
    for (const d of this.disposables) d.dispose();
    this.problems.dispose();
    this.controller.dispose();
  }

  /** Forgets every name and array of the notebook; running cells are interrupted first. */
  restart(notebook: vscode.NotebookDocument): void {
    this.interrupt(notebook);
    this.drop(notebook);
  }

  /** Whether this kernel is the notebook's. */
  drives(notebook: vscode.NotebookDocument): boolean {
    return this.driven.has(notebook);
  }

  /** The same, or that it would be without a choice: it was made for this kernel. */
  isAtHomeIn(notebook: vscode.NotebookDocument): boolean {
    return this.drives(notebook) || isMadeForUs(notebook);
  }

  /** Stops the running cell, and those that wait for it. */
  interrupt(notebook: vscode.NotebookDocument): void {
    const kernel = this.kernels.get(notebook.uri.toString());
    if (kernel === undefined) return;
    kernel.interrupts++;
    kernel.session.interrupt();
  }

  private drop(notebook: vscode.NotebookDocument): void {
    const key = notebook.uri.toString();
    this.kernels.get(key)?.session.close();
    this.kernels.delete(key);
    if (notebook.isClosed) this.driven.delete(notebook);
    for (const cell of notebook.getCells()) this.problems.delete(cell.document.uri);
  }

  /** What the notebook's cells have made of a function so far. */
  async usage(
    notebook: vscode.NotebookDocument,
    name: string,
    parameters: readonly string[],
  ): Promise<Usage> {
    const kernel = this.kernels.get(notebook.uri.toString());
    if (kernel === undefined) return { isDefined: false, call: null };
    await kernel.queue;
    return kernel.session.usage(name, parameters);
  }

  /** The notebook's variables that are arrays. */
  async variables(notebook: vscode.NotebookDocument): Promise<readonly KernelVariable[]> {
    const answer = await this.array(notebook, { kind: "variables" });
    return answer.kind === "variables" ? answer.variables : [];
  }

  /** What the notebook's kernel has in arrays, once its cells have run. */
  async array(notebook: vscode.NotebookDocument, ask: KernelAsk): Promise<KernelAnswer> {
    const kernel = this.kernels.get(notebook.uri.toString());
    if (kernel === undefined) {
      return { kind: "refused", message: "The notebook's kernel has not started. Run a cell." };
    }
    await kernel.queue;
    try {
      return await kernel.session.arrays(ask);
    } catch (e) {
      if (e instanceof EngineFailure) return { kind: "refused", message: e.message };
      throw e;
    }
  }

  /** A notebook made for this kernel offers it first; every other notebook just has it listed. */
  private prefer(notebook: vscode.NotebookDocument): void {
    if (notebook.notebookType !== NOTEBOOK_TYPE) return;
    this.controller.updateNotebookAffinity(
      notebook,
      isMadeForUs(notebook)
        ? vscode.NotebookControllerAffinity.Preferred
        : vscode.NotebookControllerAffinity.Default,
    );
  }

  private kernelOf(notebook: vscode.NotebookDocument): Kernel {
    const key = notebook.uri.toString();
    let kernel = this.kernels.get(key);
    if (kernel === undefined) {
      kernel = {
        session: this.engine.openSession(key, directoryOf(notebook), pythonFor(notebook.uri)),
        executionOrder: 0,
        queue: Promise.resolve(),
        interrupts: 0,
      };
      this.kernels.set(key, kernel);
    }
    return kernel;
  }

  /**
   * Runs cells in order; resolves when the last has ended.
   * @param python leave out for the kernel's own run, which asks autograd only where a cell does
   */
  async run(
    cells: readonly vscode.NotebookCell[],
    notebook: vscode.NotebookDocument,
    python: PythonRun | null = null,
  ): Promise<void> {
    const kernel = this.kernelOf(notebook);
    const interrupts = kernel.interrupts;
    let failed = false;
    for (const cell of cells) {
      const execution = this.controller.createNotebookCellExecution(cell);
      kernel.queue = kernel.queue.then(async () => {
        // As in Jupyter, a failing cell stops the cells that were started together with it.
        if (failed || kernel.interrupts !== interrupts) {
          execution.start();
          execution.end(undefined);
          return;
        }
        failed = !(await this.execute(cell, execution, kernel, python));
      });
    }
    await kernel.queue;
  }

  private async execute(
    cell: vscode.NotebookCell,
    execution: vscode.NotebookCellExecution,
    kernel: Kernel,
    python: PythonRun | null,
  ): Promise<boolean> {
    execution.executionOrder = ++kernel.executionOrder;
    execution.start(Date.now());
    const progress = new LateProgress(`Cell ${String(cell.index + 1)}`);
    // Outputs are appended one after the other; VS Code keeps their order only if they are awaited.
    let written = Promise.resolve(execution.clearOutput());
    this.problems.delete(cell.document.uri);
    let ok = false;
    try {
      ok = await kernel.session.execute(
        {
          language: languageOf(cell),
          source: cell.document.getText(),
          file: `Cell ${String(cell.index + 1)}`,
          python: pythonLeave(cell.notebook.uri, python?.ask ?? null),
        },
        {
          onOutput: (output) => {
            written = written.then(() => execution.appendOutput(toNotebookOutput(output)));
            if (output.kind === "failure") this.mark(cell, output.failure);
            python?.onOutput(output);
          },
          onProgress: (fraction, what) => {
            if (python === null) progress.report(fraction, what);
            else python.onProgress(what);
          },
        },
      );
    } catch (e) {
      const message = e instanceof EngineFailure ? e.message : String(e);
      written = written.then(() =>
        execution.appendOutput(
          toNotebookOutput({
            kind: "failure",
            failure: {
              name: "EngineFailure",
              message,
              file: null,
              line: null,
              column: null,
              caretText: null,
              remedy: null,
            },
          }),
        ),
      );
    }
    await written;
    progress.done();
    execution.end(ok, Date.now());
    return ok;
  }

  /** A squiggle at the place that a failure names, until the cell is edited or run again. */
  private mark(cell: vscode.NotebookCell, f: Failure): void {
    if (f.line === null || f.file !== `Cell ${String(cell.index + 1)}`) return;
    const line = Math.min(f.line - 1, cell.document.lineCount - 1);
    const text = cell.document.lineAt(line).text;
    const start = Math.min(Math.max(0, (f.column ?? 1) - 1), text.length);
    const word = cell.document.getWordRangeAtPosition(new vscode.Position(line, start));
    const range = word ?? new vscode.Range(line, start, line, Math.max(start + 1, text.length));
    const problem = new vscode.Diagnostic(
      range,
      f.remedy === null ? f.message : `${f.message}\n${f.remedy}`,
      vscode.DiagnosticSeverity.Error,
    );
    problem.source = "Dice Gradient";
    this.problems.set(cell.document.uri, [problem]);
  }
}

function isMadeForUs(notebook: vscode.NotebookDocument): boolean {
  const metadata = notebook.metadata as {
    metadata?: { kernelspec?: { name?: unknown } };
    kernelspec?: { name?: unknown };
  };
  return (metadata.metadata ?? metadata).kernelspec?.name === CONTROLLER_ID;
}

function languageOf(cell: vscode.NotebookCell): CellLanguage {
  return cell.document.languageId === FORMULA_LANGUAGE ? "dice-formula" : "python";
}

/** Where np.load looks for relative paths: beside the notebook, else in the workspace. */
export function directoryOf(notebook: vscode.NotebookDocument | null): string {
  if (notebook?.isUntitled === false && notebook.uri.scheme === "file") {
    return dirname(notebook.uri.fsPath);
  }
  return vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? homedir();
}

/** A line in the status bar for work that takes long; nothing flickers for what is quick. */
class LateProgress {
  private readonly label: string;
  private readonly timer: NodeJS.Timeout;
  private message = "";
  private reporter: vscode.Progress<{ message: string }> | null = null;
  private finish: (() => void) | null = null;

  constructor(label: string) {
    this.label = label;
    // What takes long may have little to say: its first word is kept until it is time to show it.
    this.timer = setTimeout(() => {
      this.show();
    }, PATIENCE_MS);
  }

  report(fraction: number | null, what: string): void {
    const share = fraction === null ? "" : ` ${String(Math.round(fraction * 100))} %`;
    this.message = `${this.label}: ${what}${share}`;
    this.reporter?.report({ message: this.message });
  }

  done(): void {
    clearTimeout(this.timer);
    this.finish?.();
  }

  private show(): void {
    void vscode.window.withProgress({ location: vscode.ProgressLocation.Window }, (p) => {
      this.reporter = p;
      p.report({ message: this.message === "" ? `${this.label}: running` : this.message });
      return new Promise<void>((resolve) => {
        this.finish = resolve;
      });
    });
  }
}
