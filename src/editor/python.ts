/** Whether, and with which interpreter, the user's code may run in Python. */
import * as vscode from "vscode";
import type { PythonLeave } from "../session/protocol.ts";

/** What the Python extension's API is used for here: the interpreter that the user chose in it. */
interface PythonExtension {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
  };
}

/**
 * Leave to run cells in Python, or null where the workspace is not trusted.
 * @param always whether also cells without a directive are run there
 */
export function pythonLeave(always: boolean): PythonLeave | null {
  if (!vscode.workspace.isTrusted) return null;
  const settings = vscode.workspace.getConfiguration("dice-gradient");
  return {
    interpreter: interpreter(),
    timeoutSeconds: settings.get<number>("python.timeout", 120),
    always,
  };
}

/** The setting, else the Python extension's choice, else python3. */
export function interpreter(): string {
  const setting = vscode.workspace.getConfiguration("dice-gradient").get<string>("pythonPath", "");
  if (setting !== "") return setting;
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  const chosen = extension?.isActive
    ? extension.exports.environments?.getActiveEnvironmentPath().path
    : undefined;
  if (chosen !== undefined && chosen !== "") return chosen;
  return process.platform === "win32" ? "python" : "python3";
}
