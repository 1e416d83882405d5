/** Files of the machine: arrays by extension, and modules where Python looks for them. */
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { homedir, totalmem } from "node:os";
import { loadArrayFile, openArraysInFile } from "../arrays/loadArray.node.ts";
import type { ArrayInFile, ReadOptions } from "../arrays/members.ts";
import type { Tick } from "../arrays/source.ts";
import { type NdArray, elementCount } from "../arrays/ndarray.ts";
import { activeInterpreter, sitePackagesOf } from "./environment.node.ts";
import type { Files, OpenedArray } from "./files.ts";
import { checkLarge } from "./largeCheck.node.ts";
import { ModuleFinder } from "./modules.node.ts";
import { isReadInParts } from "./stored.node.ts";

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

/** A check in memory takes about this much an element. */
const CHECK_BYTES = 64;

/** The most elements of an array that is read whole: a check on it takes half of the memory. */
function largestWhole(): number {
  return totalmem() / 2 / CHECK_BYTES;
}

/**
 * Files of this machine, with modules where the finder looks for them.
 * @param mostElements of arrays that are read whole
 */
export function filesWith(modules: ModuleFinder, mostElements = largestWhole()): Files {
  const opened = (array: ArrayInFile, path: string, full: string, member?: string): OpenedArray => {
    const { shape, dtype } = array;
    const isSmall = elementCount(shape) <= mostElements;
    if (isSmall || !isReadInParts(array)) return asGiven(array.read(), path);
    return { isLarge: true, shape, dtype, path: full, member };
  };
  return {
    openArrays(path, directory, tick) {
      const full = resolvePath(path, directory);
      const content = openArraysInFile(full, optionsOf(tick));
      if ("shape" in content) return opened(content, path, full);
      return new Map(
        [...content].map(([name, open]) => [name, () => opened(open(), path, full, name)]),
      );
    },
    checkLarge: (inspection, inputs, watch) => checkLarge(inspection, inputs, null, watch),
    readArray: (path, member, directory, tick) =>
      asGiven(loadArrayFile(resolvePath(path, directory), member, optionsOf(tick)), path),
    readModule: (dottedName, fromFile, directory) => modules.find(dottedName, fromFile, directory),
  };
}

function optionsOf(tick: Tick | undefined): ReadOptions {
  return tick === undefined ? {} : { tick };
}

// Reports are saved in notebooks that people share: they name files as the code does, and do not
// tell where on this machine the folder lies.

function asGiven(array: NdArray, path: string): NdArray {
  return array.origin?.kind === "file" ? { ...array, origin: { ...array.origin, path } } : array;
}
