/** Python files of a workspace, without installed packages and what tools make. */
import * as vscode from "vscode";

const LEFT_OUT =
  "**/{node_modules,site-packages,__pycache__,.venv,venv,env,build,dist,.git,.tox,.cache}/**";

/** @param below a folder; all of the workspace without it */
export function findPythonFiles(
  below?: vscode.Uri,
  most?: number,
  token?: vscode.CancellationToken,
): Thenable<vscode.Uri[]> {
  const pattern = below === undefined ? "**/*.py" : new vscode.RelativePattern(below, "**/*.py");
  return vscode.workspace.findFiles(pattern, LEFT_OUT, most, token);
}
