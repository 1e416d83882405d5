/** Files of the machine: arrays by extension, and modules where Python looks for them. */
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { homedir } from "node:os";
import { loadArrayFile, openArrayFile } from "../arrays/loadArray.node.ts";
import type { NdArray } from "../arrays/ndarray.ts";
import { activeInterpreter, sitePackagesOf } from "./environment.node.ts";
import type { Files } from "./files.ts";
import { ModuleFinder } from "./modules.node.ts";

export function resolvePath(path: string, directory: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
  return isAbsolute(path) ? path : resolve(directory, path);
}

/**
 * Files for one session (or inspection) whose Python is that interpreter.
 * @param python path of the interpreter or of its environment; `null`: the active one
 */
export function filesFor(python: string | null = null): Files {
  const interpreter = python ?? activeInterpreter();
  const sites = interpreter === null ? [] : sitePackagesOf(interpreter);
  const roots = (process.env["PYTHONPATH"] ?? "").split(delimiter).filter((p) => p !== "");
  return filesWith(new ModuleFinder(sites, roots));
}

/** Files of this machine, with modules where the finder looks for them. */
export function filesWith(modules: ModuleFinder): Files {
  return {
    openArrays(path, directory) {
      const content = openArrayFile(resolvePath(path, directory));
      if ("shape" in content) return asGiven(content, path);
      return new Map([...content].map(([name, read]) => [name, () => asGiven(read(), path)]));
    },
    readArray: (path, member, directory) =>
      asGiven(loadArrayFile(resolvePath(path, directory), member), path),
    readModule: (dottedName, fromFile, directory) => modules.find(dottedName, fromFile, directory),
  };
}

// Reports are saved in notebooks that people share: they name files as the code does, and do not
// tell where on this machine the folder lies.

function asGiven(array: NdArray, path: string): NdArray {
  return array.origin?.kind === "file" ? { ...array, origin: { ...array.origin, path } } : array;
}
