/** Finding the source of a Python module, in Python's order, without running anything. */
import { statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Unreadable } from "../python/host.ts";
import type { ModuleSource } from "./files.ts";
import { Folders } from "./folders.node.ts";
import { SourceFileError, readSource } from "./sourceFile.node.ts";

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
  private readonly folders = new Folders();

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
      const found = this.moduleIn(folder, parts);
      if (found === null) return null;
      return this.handOut(found, from.installed ? this.siteOf(found) : null, directory);
    }
    // A folder without `__init__.py` is a part of a package, if no root has a whole one.
    const portions: { readonly root: string; readonly installed: boolean }[] = [];
    for (const { root, installed } of this.searched(from, directory)) {
      const top = this.moduleIn(root, parts.slice(0, 1));
      if (top === null || top === from.path) continue;
      if (kindOf(top) === null) {
        portions.push({ root, installed });
        continue;
      }
      const found = parts.length === 1 ? top : this.moduleIn(root, parts);
      return found === null ? null : this.handOut(found, installed ? root : null, directory);
    }
    for (const { root, installed } of portions) {
      const found = this.moduleIn(root, parts);
      if (found === null || (kindOf(found) === null && !this.holdsModules(dirname(found))))
        continue;
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
    return new FileSource(path, shown, nameOf(outside ? path : relativePath), installed);
  }

  /** A package's `__init__.py` (which need not exist: it is empty then), a module, a compiled one. */
  private moduleIn(folder: string, parts: readonly string[]): string | null {
    const base = join(folder, ...parts);
    const init = join(base, "__init__.py");
    const inside = this.folders.names(base);
    if (inside.has("__init__.py") && kindOf(init) === "file") return init;
    const own = parts.at(-1);
    if (own !== undefined) {
      const beside = this.folders.names(dirname(base));
      if (beside.has(`${own}.py`) && kindOf(`${base}.py`) === "file") return `${base}.py`;
      for (const name of beside) {
        if (name.startsWith(`${own}.`) && /\.(so|pyd)$/.test(name))
          return join(dirname(base), name);
      }
    }
    return inside.size > 0 || kindOf(base) === "folder" ? init : null;
  }

  /** Whether a folder without `__init__.py` can be a package: it has modules or further folders. */
  private holdsModules(folder: string): boolean {
    return [...this.folders.names(folder)].some(
      (name) => name.endsWith(".py") || kindOf(join(folder, name)) === "folder",
    );
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
function enclosing(from: string, top: string): string[] {
  const [folder, directory] = [resolve(from), resolve(top)];
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

function kindOf(path: string): "file" | "folder" | null {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? null : found.isDirectory() ? "folder" : "file";
  } catch {
    // A link that leads back to itself, a name that is too long, a folder that may not be entered.
    return null;
  }
}

type Content = Pick<ModuleSource, "text" | "unreadable">;

/** A module's file, read when its text is asked for. */
class FileSource implements ModuleSource {
  readonly file: string;
  readonly name: string;
  readonly installed: boolean;
  private readonly path: string;
  private content: Content | null = null;

  constructor(path: string, file: string, name: string, installed: boolean) {
    this.path = path;
    this.file = file;
    this.name = name;
    this.installed = installed;
  }

  get text(): string | null {
    return this.read().text;
  }

  get unreadable(): Unreadable | undefined {
    return this.read().unreadable;
  }

  private read(): Content {
    this.content ??= readModule(this.path, this.file);
    return this.content;
  }
}

function readModule(path: string, shown: string): Content {
  if (!path.endsWith(".py")) return { text: null };
  // A folder is a package without the file, too.
  if (kindOf(path) === null && basename(path) === "__init__.py") return { text: "" };
  try {
    return { text: readSource(path, shown, LARGEST_MODULE) };
  } catch (e) {
    if (!(e instanceof SourceFileError)) throw e;
    return { text: null, unreadable: { problem: e.message, remedy: e.remedy } };
  }
}
