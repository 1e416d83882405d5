/**
 * Where arrays are kept that are in no file: those of the debugger, of a notebook's outputs, long
 * literals. They must be there as long as the notebook whose cell loads them. Beside a notebook that
 * is saved they lie in a folder of its name, `check.arrays` for `check.ipynb`, and the cell names them
 * relative to it, so that both can be moved, committed and shared together. A notebook that was never
 * saved has no place of its own: its arrays lie in the extension's storage, and the cell has the whole
 * path, which stays right wherever the notebook is saved later on this machine.
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import * as vscode from "vscode";
import type { NdArray } from "../../arrays/ndarray.ts";
import { writeNpy } from "../../arrays/npy.ts";
import { identifierOf } from "./identifier.ts";

/** Characters of the contents' hash that tell arrays of one name apart. */
const HASH_LENGTH = 8;

export class ArrayStore {
  private readonly storage: vscode.Uri;

  /** @param storage the extension's own folder */
  constructor(storage: vscode.Uri) {
    this.storage = storage;
  }

  /**
   * Writes an array as .npy for a notebook, and gives the path by which its cells load it
   * (null for a notebook that is still to be made). The same
   * elements under the same name are written once; a file is never written over with other ones.
   */
  async keep(
    array: NdArray,
    name: string,
    notebook: vscode.NotebookDocument | null,
  ): Promise<string> {
    const bytes = writeNpy(array);
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, HASH_LENGTH);
    const file = `${identifierOf(name)}-${hash}.npy`;
    const folder = folderBeside(notebook);
    const directory = folder?.uri ?? vscode.Uri.joinPath(this.storage, "arrays");
    const uri = vscode.Uri.joinPath(directory, file);
    if (!(await exists(uri))) {
      await vscode.workspace.fs.createDirectory(directory);
      await vscode.workspace.fs.writeFile(uri, bytes);
    }
    return folder === null ? uri.fsPath : `${folder.name}/${file}`;
  }
}

/** The folder of a saved notebook's arrays; null for a notebook that is on no disk. */
function folderBeside(
  notebook: vscode.NotebookDocument | null,
): { readonly uri: vscode.Uri; readonly name: string } | null {
  if (notebook?.isUntitled !== false || notebook.uri.scheme !== "file") return null;
  const name = `${basename(notebook.uri.fsPath).replace(/\.ipynb$/, "")}.arrays`;
  return { uri: vscode.Uri.joinPath(notebook.uri, "..", name), name };
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}
