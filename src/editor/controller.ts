/**
 * The notebook controller "Dice Gradient Inspector": runs the cells of ordinary .ipynb notebooks by
 * symbolic execution. It needs neither Python nor the Jupyter extension.
 */
import { dirname } from "node:path";
import { homedir } from "node:os";
import * as vscode from "vscode";
import type { KernelAnswer, KernelAsk, KernelVariable } from "../session/arrays/protocol.ts";
import type { AutogradWish } from "../session/autograd/job.ts";
import type { CellLanguage, CellOutput, Usage } from "../session/protocol.ts";
import { type CellInput, type CellRun, Kernel } from "./cellRun.ts";
import { type Engine, EngineFailure } from "./engine.ts";
import { toNotebookOutput } from "./outputs.ts";
import { pythonLeave } from "./autograd/leave.ts";
import { pythonFor } from "./settings.ts";

export const CONTROLLER_ID = "dice-gradient-inspector";
export const NOTEBOOK_TYPE = "jupyter-notebook";
export const FORMULA_LANGUAGE = "dice-formula";

/** Progress is shown for what takes longer than this. */
const PATIENCE_MS = 500;
/** A new cell waits this long for its outputs before it comes without them. */
const AT_ONCE_MS = 200;

/** A run that a command asked for, with real autograd. */
export interface PythonRun {
  readonly ask: AutogradWish;
  onProgress(what: string): void;
  onOutput(output: CellOutput): void;
}

export class NotebookController implements vscode.Disposable {
  private readonly controller: vscode.NotebookController;
  private readonly engine: Engine;
  private readonly kernels = new Map<string, Kernel>();
  private readonly problems = vscode.languages.createDiagnosticCollection("dice-gradient-cells");
  private readonly disposables: vscode.Disposable[] = [];
  /** Notebooks made with cells that ran already. */
  private made = 0;
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
    this.kernels.get(notebook.uri.toString())?.interrupt();
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
    await kernel.idle;
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
    await kernel.idle;
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
      kernel = this.newKernel(key, notebook);
      this.kernels.set(key, kernel);
    }
    return kernel;
  }

  /** @param notebook null for one that is still to be made, untitled */
  private newKernel(id: string, notebook: vscode.NotebookDocument | null): Kernel {
    const python = pythonFor(notebook?.uri);
    return new Kernel(this.engine.openSession(id, directoryOf(notebook), python));
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
    const leave = pythonLeave(notebook.uri, python?.ask ?? null);
    const runs = this.kernelOf(notebook).begin(cells.map((cell) => () => inputOf(cell, leave)));
    await Promise.all(cells.map((cell, k) => this.show(runs[k]!, cell, python)));
  }

  /**
   * Runs cells that are put into a notebook meanwhile, or into a new one. What is ready at once comes
   * in with its cell, which saves the way to VS Code and back for each change of the output.
   * @param notebook null for a new one
   * @param at where the first cell will stand
   * @param put puts the cells there, and tells in which notebook they are
   */
  async runInserted(
    notebook: vscode.NotebookDocument | null,
    at: number,
    cells: readonly vscode.NotebookCellData[],
    put: () => Promise<vscode.NotebookDocument>,
  ): Promise<void> {
    const kernel =
      notebook === null
        ? this.newKernel(`new notebook ${String(++this.made)}`, null)
        : this.kernelOf(notebook);
    const leave = pythonLeave(notebook?.uri, null);
    const runs = kernel.begin(
      cells.map((cell, k) => () => ({
        language: languageOf(cell.languageId),
        source: cell.value,
        file: fileOf(at + k),
        python: leave,
      })),
    );
    // A new notebook whose cells come with outputs is shown without them when its kernel is chosen.
    const early = notebook === null ? [] : await withOutputs(cells, runs);
    let holder: vscode.NotebookDocument;
    try {
      holder = await put();
    } catch (e) {
      // Nobody will see what they make, nor close a session that has no notebook.
      kernel.interrupt();
      if (notebook === null) kernel.session.close();
      throw e;
    }
    if (notebook === null) this.kernels.set(holder.uri.toString(), kernel);
    const inserted = holder.getCells(new vscode.NotebookRange(at, at + cells.length));
    await Promise.all(
      inserted.map((cell, k) => {
        const run = early[k];
        if (run === undefined) return this.show(runs[k]!, cell, null);
        for (const output of run.outputs) this.mark(cell, output);
        return Promise.resolve();
      }),
    );
  }

  /** Writes to a cell what its run makes; resolves when all is written. */
  private async show(
    begun: Promise<CellRun | null>,
    cell: vscode.NotebookCell,
    python: PythonRun | null,
  ): Promise<void> {
    const execution = this.controller.createNotebookCellExecution(cell);
    const run = await begun;
    if (run === null) {
      execution.start();
      execution.end(undefined);
      return;
    }
    execution.executionOrder = run.executionOrder;
    execution.start(run.startTime);
    const progress = new LateProgress(fileOf(cell.index));
    // Outputs are appended one after the other; VS Code keeps their order only if they are awaited.
    let written =
      cell.outputs.length === 0 ? Promise.resolve() : Promise.resolve(execution.clearOutput());
    this.problems.delete(cell.document.uri);
    run.follow({
      onOutput: (output) => {
        written = written.then(() => execution.appendOutput(toNotebookOutput(output)));
        this.mark(cell, output);
        python?.onOutput(output);
      },
      onProgress: (fraction, what) => {
        if (python === null) progress.report(fraction, what);
        else python.onProgress(what);
      },
    });
    const ok = await run.ended;
    await written;
    progress.done();
    execution.end(ok, run.endTime);
  }

  /** A squiggle at the place that a failure names, until the cell is edited or run again. */
  private mark(cell: vscode.NotebookCell, output: CellOutput): void {
    if (output.kind !== "failure") return;
    const f = output.failure;
    if (f.line === null || f.file !== fileOf(cell.index)) return;
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

function languageOf(languageId: string): CellLanguage {
  return languageId === FORMULA_LANGUAGE ? "dice-formula" : "python";
}

/** Gives cells the outputs of their runs, up to the first that takes longer than a short wait. */
async function withOutputs(
  cells: readonly vscode.NotebookCellData[],
  runs: readonly Promise<CellRun | null>[],
): Promise<readonly CellRun[]> {
  const waited = new Promise<null>((resolve) => {
    setTimeout(resolve, AT_ONCE_MS, null);
  });
  const ended: CellRun[] = [];
  for (const [k, cell] of cells.entries()) {
    const run = await Promise.race([runs[k]!, waited]);
    await Promise.race([run?.ended, waited]);
    if (typeof run?.ok !== "boolean") break;
    cell.outputs = run.outputs.map(toNotebookOutput);
    cell.executionSummary = {
      executionOrder: run.executionOrder,
      success: run.ok,
      timing: { startTime: run.startTime, endTime: run.endTime },
    };
    ended.push(run);
  }
  return ended;
}

/** What messages call the cell at an index. */
function fileOf(index: number): string {
  return `Cell ${String(index + 1)}`;
}

function inputOf(cell: vscode.NotebookCell, python: CellInput["python"]): CellInput {
  return {
    language: languageOf(cell.document.languageId),
    source: cell.document.getText(),
    file: fileOf(cell.index),
    python,
  };
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
