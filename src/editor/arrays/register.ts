/** *Check Dice Gradient…* in each place where arrays live. */
import * as vscode from "vscode";
import type { NotebookController } from "../controller.ts";
import type { InlineDocuments } from "../inline/documents.ts";
import { ArrayChecks } from "./flow.ts";
import { JupyterKernels } from "./jupyterKernel.ts";
import { LiveArrays } from "./liveArray.ts";
import { PausedPrograms } from "./pausedProgram.ts";

export interface Arrays {
  /** What a place hands its picked arrays to. */
  readonly checks: ArrayChecks;
  readonly disposables: readonly { dispose(): unknown }[];
}

export function registerArrays(
  context: vscode.ExtensionContext,
  controller: NotebookController,
  documents: InlineDocuments,
): Arrays {
  const checks = new ArrayChecks(documents, controller, context);
  const live = new LiveArrays(context.extensionUri, checks);
  const paused = new PausedPrograms(live);
  const kernels = new JupyterKernels(live);
  const register = (name: string, f: (argument: unknown) => Promise<void>): vscode.Disposable =>
    vscode.commands.registerCommand(`dice-gradient.${name}`, f);
  return {
    checks,
    disposables: [
      register("checkPausedVariable", (a) => paused.checkVariable(a)),
      register("checkPausedName", () => paused.checkName()),
      register("checkKernelVariable", (a) => kernels.checkVariable(a)),
    ],
  };
}
