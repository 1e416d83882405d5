/** Python files and notebooks of a workspace, without installed packages and what tools make. */
import * as vscode from "vscode";

/** Folders whose names begin with a dot are tools' own: environments, caches, notebooks' checkpoints. */
const LEFT_OUT = "**/{node_modules,site-packages,__pycache__,venv,env,build,dist,.*}/**";

export type FileKind = "py" | "{py,ipynb}";

/** @param below a folder; all of the workspace without it */
export function findPythonFiles(
  kind: FileKind,
  below?: vscode.Uri,
  most?: number,
  token?: vscode.CancellationToken,
): Thenable<vscode.Uri[]> {
  const files = `**/*.${kind}`;
  const pattern = below === undefined ? files : new vscode.RelativePattern(below, files);
  return vscode.workspace.findFiles(pattern, LEFT_OUT, most, token);
}
