/** Whether, and with which interpreter, the user's code may run in Python. */
import * as vscode from "vscode";
import type { AutogradWish } from "../../session/autograd/job.ts";
import { activeInterpreter, executableAt } from "../../session/environment.node.ts";
import type { PythonLeave } from "../../session/protocol.ts";
import { pythonFor, pythonTimeout, startPythonExtension } from "../settings.ts";

/**
 * Leave to run cells in Python, or null where the workspace is not trusted.
 * @param ask what to ask of it whatever the cell says; null leaves it to the cell
 */
export function pythonLeave(
  scope: vscode.Uri | undefined,
  ask: AutogradWish | null,
): PythonLeave | null {
  if (!vscode.workspace.isTrusted) return null;
  return { interpreter: interpreter(scope), timeoutSeconds: pythonTimeout(scope), ask };
}

/** The setting, else the Python extension's choice, else that of the environment, else python3. */
export function interpreter(scope: vscode.Uri | undefined): string {
  const chosen = pythonFor(scope);
  if (chosen !== null) return executableAt(chosen);
  return activeInterpreter() ?? (process.platform === "win32" ? "python" : "python3");
}

const MANAGE = "Manage Workspace Trust";

/**
 * Before a command runs code: true in a trusted workspace; elsewhere says why not, and how to trust it.
 */
export async function mayRunPython(): Promise<boolean> {
  if (vscode.workspace.isTrusted) {
    await startPythonExtension();
    return true;
  }
  const answer = await vscode.window.showWarningMessage(
    "Real autograd runs the loss's own code, and no code is run in a workspace that is not trusted. " +
      "Deriving and checking need no trust.",
    MANAGE,
  );
  if (answer === MANAGE) await vscode.commands.executeCommand("workbench.trust.manage");
  return false;
}
