/** Real autograd as the referee: its commands, and the log of the Python processes. */
import * as vscode from "vscode";
import type { NotebookController } from "../controller.ts";
import type { Engine } from "../engine.ts";
import { BackendChoice } from "./choice.ts";
import { PythonRuns } from "./runs.ts";

export interface AutogradCommands {
  readonly runs: PythonRuns;
  readonly disposables: readonly { dispose(): unknown }[];
}

export function registerAutograd(
  context: vscode.ExtensionContext,
  engine: Engine,
  controller: NotebookController,
): AutogradCommands {
  const log = vscode.window.createOutputChannel("Dice Gradient: Python");
  engine.onPythonLog = (text) => {
    log.append(text);
  };
  const runs = new PythonRuns(controller, new BackendChoice(context.workspaceState), log);
  const register = (name: string, f: (argument: unknown) => Promise<void>): vscode.Disposable =>
    vscode.commands.registerCommand(`dice-gradient.${name}`, f);
  return {
    runs,
    disposables: [
      log,
      register("runCellInPython", async (a) => runs.run(await runs.cellsOf(a))),
      register("runCellInPythonWith", async (a) => runs.run(await runs.cellsOf(a), true)),
      vscode.commands.registerCommand("dice-gradient.restartPython", () => {
        engine.restartPython();
        vscode.window.setStatusBarMessage("Dice Gradient Inspector: Python restarted", 3000);
      }),
      vscode.commands.registerCommand("dice-gradient.showPythonLog", () => {
        log.show();
      }),
    ],
  };
}
