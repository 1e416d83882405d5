/** Whether, and with which interpreter, the user's code may run in Python. */
import * as vscode from "vscode";
import type { PythonLeave } from "../session/protocol.ts";
import { pythonFor, pythonTimeout } from "./settings.ts";

/**
 * Leave to run cells in Python, or null where the workspace is not trusted.
 * @param always whether also cells without a directive are run there
 */
export function pythonLeave(always: boolean): PythonLeave | null {
  if (!vscode.workspace.isTrusted) return null;
  return {
    interpreter: interpreter(),
    timeoutSeconds: pythonTimeout(),
    always,
  };
}

/** The setting, else the Python extension's choice, else python3. */
export function interpreter(): string {
  return pythonFor() ?? (process.platform === "win32" ? "python" : "python3");
}
