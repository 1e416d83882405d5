/** *Check Dice Gradient…* in each place where arrays live. */
import * as vscode from "vscode";
import type { NotebookController } from "../controller.ts";
import type { Engine } from "../engine.ts";
import { type InlineDocuments, notebookOf } from "../inline/documents.ts";
import { ArrayChecks } from "./flow.ts";
import { swapInForm } from "./form.ts";
import { JupyterKernels } from "./jupyterKernel.ts";
import { LiveArrays } from "./liveArray.ts";
import { PausedPrograms } from "./pausedProgram.ts";
import { FileArrays } from "./sources/files.ts";
import { NotebookArrays } from "./sources/notebook.ts";
import { TextArrays } from "./sources/text.ts";

export interface Arrays {
  /** What a place hands its picked arrays to. */
  readonly checks: ArrayChecks;
  readonly disposables: readonly { dispose(): unknown }[];
}

export function registerArrays(
  context: vscode.ExtensionContext,
  controller: NotebookController,
  documents: InlineDocuments,
  engine: Engine,
): Arrays {
  const files = new FileArrays(documents);
  const text = new TextArrays(documents, files);
  const checks = new ArrayChecks(documents, controller, engine, context, {
    openEditors: () => text.inSight(),
    files: () => files.offers(),
  });

  const live = new LiveArrays(context.extensionUri, checks);
  const paused = new PausedPrograms(live);
  const kernels = new JupyterKernels(live);

  const notebooks = new NotebookArrays(controller);

  async function ofNotebook(found: ReturnType<NotebookArrays["ofOutput"]>): Promise<void> {
    const chosen = await found;
    if (chosen === null) return;
    const { picked, others } = chosen;
    await checks.checkDiceGradient(picked, { others: () => Promise.resolve(others) });
  }

  async function ofKernel(): Promise<void> {
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    if (notebook === undefined || !controller.drives(notebook)) {
      void vscode.window.showInformationMessage(
        "Open a notebook whose kernel is Dice Gradient Inspector, and run its cells.",
      );
      return;
    }
    await ofNotebook(notebooks.ofKernel(notebook, null));
  }

  async function ofFiles(uris: readonly vscode.Uri[]): Promise<void> {
    const picked = await files.picked(uris);
    if (picked === null) return;
    await checks.checkDiceGradient(picked, { others: () => files.besides(picked) });
  }

  /** The variable of our own kernel whose name is under the cursor in a cell. */
  async function variableAt({ document, selection }: vscode.TextEditor): Promise<string | null> {
    const notebook = notebookOf(document);
    const range = document.getWordRangeAtPosition(selection.active, /[\p{L}_][\p{L}\p{N}_]*/u);
    if (notebook === null || range === undefined || !selection.isEmpty) return null;
    if (!controller.drives(notebook)) return null;
    const name = document.getText(range);
    return (await controller.variables(notebook)).some((v) => v.name === name) ? name : null;
  }

  async function ofEditor(editor: vscode.TextEditor): Promise<void> {
    const variable = editor.selections.length === 1 ? await variableAt(editor) : null;
    if (variable !== null) {
      await ofNotebook(notebooks.ofKernel(notebookOf(editor.document)!, variable));
      return;
    }
    if (await kernels.checkName(editor)) return;
    const found = await text.at(editor);
    if (found === null) return;
    const { picked, others } = found;
    await checks.checkDiceGradient(picked, { others: () => Promise.resolve(others) });
  }

  /** The palette's way: the array in the editor, else the file that is open. */
  async function ofWhatIsOpen(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    if (editor !== undefined) return ofEditor(editor);
    if (input instanceof vscode.TabInputCustom) return ofFiles([input.uri]);
    void vscode.window.showInformationMessage(
      "Put the cursor into an array in an editor, or right-click an array file in the Explorer.",
    );
  }

  const register = (
    name: string,
    f: (...args: readonly unknown[]) => Promise<void>,
  ): vscode.Disposable => vscode.commands.registerCommand(`dice-gradient.${name}`, f);
  return {
    checks,
    disposables: [
      register("checkArray", () => ofWhatIsOpen()),
      register("checkArrayFile", (one, all) => {
        const uris = (Array.isArray(all) && all.length > 0 ? all : [one]) as readonly unknown[];
        const picked = uris.filter((u) => u instanceof vscode.Uri);
        return picked.length === 0 ? ofWhatIsOpen() : ofFiles(picked);
      }),
      register("checkReportArray", (a) => ofNotebook(notebooks.ofOutput(a))),
      register("checkNotebookArrays", () => ofKernel()),
      register("checkPausedVariable", (a) => paused.checkVariable(a)),
      register("checkPausedName", () => paused.checkName()),
      register("checkKernelVariable", (a) => kernels.checkVariable(a)),
      register("swapArrays", () => {
        swapInForm();
        return Promise.resolve();
      }),
    ],
  };
}
