/** Finding the source of a Python module, in Python's order, without running anything. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { ModuleSource } from "./files.ts";
import { decodeSource } from "../python/encoding.ts";

/** A file's place, and what it is to be called where people read it. */
interface Place {
  readonly path: string;
  readonly shown: string;
  readonly installed: boolean;
}

/** Larger files are tables, not code that computes a loss. */
const LARGEST_MODULE = 2_000_000;

/**
 * Finds modules for the files of one session. It remembers where the files that it has handed out
 * lie: reports name them without the folders of this machine, and relative imports start from them.
 */
export class ModuleFinder {
  private readonly places = new Map<string, Place>();
  private readonly sitePackages: readonly string[];
  private readonly roots: readonly string[];

  /**
   * @param sitePackages folders of the installed packages
   * @param roots further folders in which absolute imports start, e.g. those of PYTHONPATH
   */
  constructor(sitePackages: readonly string[], roots: readonly string[] = []) {
    this.sitePackages = sitePackages;
    this.roots = roots;
  }

  /**
   * @param name dotted; leading dots are relative to `fromFile`, as in Python
   * @param fromFile the importing file, as it was handed out or relative to `directory`
   */
  find(name: string, fromFile: string, directory: string): ModuleSource | null {
    const from = this.places.get(fromFile) ?? {
      path: resolve(directory, fromFile),
      shown: fromFile,
      installed: false,
    };
    const dots = /^\.*/.exec(name)![0].length;
    const parts = name
      .slice(dots)
      .split(".")
      .filter((p) => p !== "");
    if (dots > 0) {
      let folder = dirname(from.path);
      for (let k = 1; k < dots; k++) folder = dirname(folder);
      const found = moduleIn(folder, parts);
      if (found === null) return null;
      return this.handOut(found, from.installed ? this.siteOf(found) : null, directory);
    }
    // A folder without `__init__.py` is a part of a package, if no root has a whole one.
    const portions: { readonly root: string; readonly installed: boolean }[] = [];
    for (const { root, installed } of this.searched(from, directory)) {
      const top = moduleIn(root, parts.slice(0, 1));
      if (top === null || top === from.path) continue;
      if (kindOf(top) === null) {
        portions.push({ root, installed });
        continue;
      }
      const found = parts.length === 1 ? top : moduleIn(root, parts);
      return found === null ? null : this.handOut(found, installed ? root : null, directory);
    }
    for (const { root, installed } of portions) {
      const found = moduleIn(root, parts);
      if (found === null || (kindOf(found) === null && !holdsModules(dirname(found)))) continue;
      return this.handOut(found, installed ? root : null, directory);
    }
    return null;
  }

  /** Where a file that was handed out lies, for opening it. */
  pathOf(shown: string): string | null {
    return this.places.get(shown)?.path ?? null;
  }

  /** Folders in which an absolute import starts, in order. */
  private *searched(
    from: Place,
    directory: string,
  ): Generator<{ readonly root: string; readonly installed: boolean }> {
    // An installed package does not see the user's files before its own kind.
    if (!from.installed) {
      const seen = new Set<string>();
      for (const root of [...enclosing(dirname(from.path), directory), ...this.roots]) {
        for (const folder of [root, join(root, "src")]) {
          if (seen.has(folder)) continue;
          seen.add(folder);
          yield { root: folder, installed: false };
        }
      }
    }
    for (const root of this.sitePackages) yield { root, installed: true };
  }

  private siteOf(path: string): string | null {
    return this.sitePackages.find((site) => inside(path, site)) ?? null;
  }

  private handOut(path: string, site: string | null, directory: string): ModuleSource {
    const installed = site !== null;
    const relativePath = relative(site ?? directory, path)
      .split(sep)
      .join("/");
    const outside = relativePath.startsWith("../") || isAbsolute(relativePath);
    let shown = outside ? path : relativePath;
    // The workspace may hold a file of the same name, e.g. a checkout of the library itself.
    while ((this.places.get(shown)?.path ?? path) !== path) {
      shown = installed ? `site-packages/${shown}` : `./${shown}`;
    }
    this.places.set(shown, { path, shown, installed });
    return {
      file: shown,
      name: nameOf(outside ? path : relativePath),
      installed,
      get text() {
        return path.endsWith(".py") ? readText(path) : null;
      },
    };
  }
}

/** `monai/losses/dice.py` is monai.losses.dice. */
function nameOf(path: string): string {
  const parts = path.replace(/\.[^/]*$/, "").split("/");
  const named = path.startsWith("/") || /^[A-Za-z]:/.test(path) ? parts.slice(-1) : parts;
  if (named[0] === "src") named.shift();
  if (named.length > 1 && named.at(-1) === "__init__") named.pop();
  return named.join(".");
}

/** The folder itself and those above it up to `directory`, or else to the top of its package. */
function enclosing(folder: string, directory: string): string[] {
  const found = [folder];
  const within = inside(folder, directory);
  for (let f = folder; within ? f !== directory : kindOf(join(f, "__init__.py")) === "file";) {
    f = dirname(f);
    found.push(f);
  }
  if (!within) found.push(directory);
  return found;
}

function inside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!way.startsWith("..") && !isAbsolute(way));
}

/** Whether a folder without `__init__.py` can be a package: it has modules or further folders. */
function holdsModules(folder: string): boolean {
  return list(folder).some(
    (name) => name.endsWith(".py") || kindOf(join(folder, name)) === "folder",
  );
}

/** A package's `__init__.py` (which need not exist: it is empty then), a module, a compiled one. */
function moduleIn(folder: string, parts: readonly string[]): string | null {
  const base = join(folder, ...parts);
  const init = join(base, "__init__.py");
  if (kindOf(init) === "file") return init;
  if (parts.length > 0 && kindOf(`${base}.py`) === "file") return `${base}.py`;
  const own = parts.at(-1);
  if (own !== undefined) {
    const compiled = list(dirname(base)).find(
      (name) => name.startsWith(`${own}.`) && /\.(so|pyd)$/.test(name),
    );
    if (compiled !== undefined) return join(dirname(base), compiled);
  }
  return kindOf(base) === "folder" ? init : null;
}

function readText(path: string): string | null {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return "";
  return size > LARGEST_MODULE ? null : readSource(path);
}

function kindOf(path: string): "file" | "folder" | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : found.isDirectory() ? "folder" : "file";
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A Python file's text, in the encoding that it names. @throws Error of the file system */
export function readSource(path: string): string {
  return decodeSource(readFileSync(path));
}
