import type * as vscode from "vscode";

/** Called by VS Code when the extension is first needed. */
export function activate(_context: vscode.ExtensionContext): void {
  // The editor's parts register themselves here.
}
