/** Files of the machine: arrays by extension, and modules beside the file that imports them. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { homedir } from "node:os";
import { loadArrayFile, openArrayFile } from "../arrays/loadArray.node.ts";
import type { NdArray } from "../arrays/ndarray.ts";
import type { Files } from "./files.ts";

export function resolvePath(path: string, directory: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
  return isAbsolute(path) ? path : resolve(directory, path);
}

export const nodeFiles: Files = {
  openArrays(path, directory) {
    const content = openArrayFile(resolvePath(path, directory));
    if ("shape" in content) return asGiven(content, path);
    return new Map([...content].map(([name, read]) => [name, () => asGiven(read(), path)]));
  },

  readArray(path, member, directory) {
    return asGiven(loadArrayFile(resolvePath(path, directory), member), path);
  },

  readModule(dottedName, fromFile, directory) {
    // Leading dots are relative imports, as in Python: one is the file's own package.
    const dots = /^\.*/.exec(dottedName)![0].length;
    const parts = dottedName
      .slice(dots)
      .split(".")
      .filter((p) => p !== "");
    let folder = dirname(resolvePath(fromFile, directory));
    for (let k = 1; k < dots; k++) folder = dirname(folder);
    const base = join(folder, ...parts);
    for (const file of [`${base}.py`, join(base, "__init__.py")]) {
      if (existsSync(file))
        return { file: within(file, directory), text: readFileSync(file, "utf8") };
    }
    return null;
  },
};

// Reports are saved in notebooks that people share: they name files as the code does, and do not
// tell where on this machine the folder lies.

function asGiven(array: NdArray, path: string): NdArray {
  return array.origin?.kind === "file" ? { ...array, origin: { ...array.origin, path } } : array;
}

/** The path from `directory` for a file inside it, else the whole path. */
function within(file: string, directory: string): string {
  const path = relative(directory, file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}
