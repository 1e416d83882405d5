/**
 * The real debug adapter of the Python package debugpy, as a debugger of VS Code. Microsoft's own
 * extension cannot be had from npm; what it starts is the same program.
 */
import * as vscode from "vscode";

export function activate(context: vscode.ExtensionContext): void {
  const python = process.env["DICE_GRADIENT_PYTHON"] ?? "python3";
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory("debugpy", {
      createDebugAdapterDescriptor: () =>
        new vscode.DebugAdapterExecutable(python, ["-m", "debugpy.adapter"]),
    }),
  );
}
