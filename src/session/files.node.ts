/** Files of the machine: arrays by extension, and modules beside the file that imports them. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { homedir } from "node:os";
import { loadArrayFile, openArrayFile } from "../arrays/loadArray.node.ts";
import type { Files } from "./files.ts";

export function resolvePath(path: string, directory: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
  return isAbsolute(path) ? path : resolve(directory, path);
}

export const nodeFiles: Files = {
  openArrays(path, directory) {
    return openArrayFile(resolvePath(path, directory));
  },

  readArray(path, member, directory) {
    return loadArrayFile(resolvePath(path, directory), member);
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
      if (existsSync(file)) return { file, text: readFileSync(file, "utf8") };
    }
    return null;
  },
};
