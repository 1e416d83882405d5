/** *Run Cell in Python* and what belongs to it: progress, failures, the log, the restart. */
import * as vscode from "vscode";
import { STOPPED } from "../../session/autograd/stopped.ts";
import type { CellOutput } from "../../session/protocol.ts";
import { isComparison } from "../../report/plain.ts";
import { type NotebookController, NOTEBOOK_TYPE } from "../controller.ts";
import { selectKernel } from "../notebooks.ts";
import type { BackendChoice } from "./choice.ts";
import { mayRunPython } from "./leave.ts";

const SHOW_LOG = "Show Log";
const USE_KERNEL = "Use Dice Gradient Inspector";

export class PythonRuns {
  private readonly controller: NotebookController;
  private readonly choice: BackendChoice;
  private readonly log: vscode.OutputChannel;

  constructor(controller: NotebookController, choice: BackendChoice, log: vscode.OutputChannel) {
    this.controller = controller;
    this.choice = choice;
    this.log = log;
  }

  /**
   * Runs cells of one notebook with the libraries last chosen.
   * @param asking whether to ask for the libraries anew
   */
  async run(cells: readonly vscode.NotebookCell[], asking = false): Promise<void> {
    const notebook = cells[0]?.notebook;
    if (notebook === undefined || !(await mayRunPython()) || !(await this.hasKernel(notebook))) {
      return;
    }
    const ask = await (asking ? this.choice.ask() : this.choice.get());
    if (ask === null) return;
    const failures: string[] = [];
    await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: "Running in Python",
        cancellable: true,
      },
      async (progress, token) => {
        token.onCancellationRequested(() => {
          this.controller.interrupt(notebook);
        });
        await this.controller.run(cells, notebook, {
          ask,
          onProgress: (what) => {
            progress.report({ message: what });
          },
          onOutput: (output) => {
            failures.push(...failuresIn(output));
          },
        });
      },
    );
    // Not awaited: the run has ended, whether or not its message is read.
    if (failures.length > 0) void this.say(failures);
  }

  /** The cells that a command is about: the one of its button, else those selected. */
  async cellsOf(argument: unknown): Promise<vscode.NotebookCell[]> {
    if (isCell(argument)) return [argument];
    const editor = vscode.window.activeNotebookEditor;
    const selected =
      editor?.notebook.notebookType === NOTEBOOK_TYPE
        ? editor.selections.flatMap((range) => editor.notebook.getCells(range))
        : [];
    const cells = selected.filter((cell) => cell.kind === vscode.NotebookCellKind.Code);
    if (cells.length === 0) {
      await vscode.window.showInformationMessage(
        "Open a notebook and select the code cell that calls the loss.",
      );
    }
    return cells;
  }

  private async hasKernel(notebook: vscode.NotebookDocument): Promise<boolean> {
    if (this.controller.drives(notebook)) return true;
    const answer = await vscode.window.showInformationMessage(
      "Another kernel runs this notebook. Real autograd is the referee of what the Dice Gradient Inspector derives, so the cell has to run with it.",
      USE_KERNEL,
    );
    if (answer !== USE_KERNEL) return false;
    const editor = vscode.window.visibleNotebookEditors.find((e) => e.notebook === notebook);
    if (editor === undefined) return false;
    await selectKernel(editor, notebook);
    return this.controller.drives(notebook);
  }

  private async say(failures: readonly string[]): Promise<void> {
    const answer = await vscode.window.showErrorMessage(failures.join("\n"), SHOW_LOG);
    if (answer === SHOW_LOG) this.log.show(true);
  }
}

/** What could not be run, in a line each; what the user stopped is no failure. */
function failuresIn(output: CellOutput): string[] {
  if (output.kind !== "report") return [];
  const { report } = output.drawn;
  if (isComparison(report)) return [];
  return (report.autogradRuns ?? []).flatMap(({ library, failure }) => {
    const [reason] = (failure ?? "").split("\n");
    return reason === undefined || reason === "" || reason === STOPPED
      ? []
      : [`${library} could not run ${report.function.name}: ${reason}.`];
  });
}

function isCell(value: unknown): value is vscode.NotebookCell {
  return typeof value === "object" && value !== null && "notebook" in value && "document" in value;
}
