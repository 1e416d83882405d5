/**
 * Where a Python interpreter keeps the packages that are installed for it, found from the files
 * around it. Python itself is never run.
 */
import { readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { posix, win32 } from "node:path";

/** The parts of a computer that this depends on. */
export interface Machine {
  readonly platform: "linux" | "darwin" | "win32";
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  isFile(path: string): boolean;
  isFolder(path: string): boolean;
  /** Names in a folder; none if it cannot be read. */
  list(folder: string): readonly string[];
  /** `null` if it cannot be read. */
  read(path: string): string | null;
  /** The path with all links resolved, or the path itself. */
  resolved(path: string): string;
}

const kindOf = (path: string): "file" | "folder" | null => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : found.isDirectory() ? "folder" : "file";
};

export const thisMachine: Machine = {
  platform:
    process.platform === "win32" ? "win32" : process.platform === "darwin" ? "darwin" : "linux",
  environment: process.env,
  home: homedir(),
  isFile: (path) => kindOf(path) === "file",
  isFolder: (path) => kindOf(path) === "folder",
  list: (folder) => attempt(() => readdirSync(folder), []),
  read: (path) => attempt(() => readFileSync(path, "utf8"), null),
  resolved: (path) => attempt(() => realpathSync(path), path),
};

function attempt<T>(body: () => T, otherwise: T): T {
  try {
    return body();
  } catch {
    return otherwise;
  }
}

const pathsOf = (m: Machine): typeof posix => (m.platform === "win32" ? win32 : posix);

/** The interpreter of the active environment, else the first on the PATH; `null` if there is none. */
export function activeInterpreter(m: Machine = thisMachine): string | null {
  const { environment } = m;
  const path = pathsOf(m);
  for (const prefix of [environment["VIRTUAL_ENV"], environment["CONDA_PREFIX"]]) {
    const found = prefix === undefined || prefix === "" ? null : interpreterIn(m, prefix);
    if (found !== null) return found;
  }
  const names = m.platform === "win32" ? ["python.exe", "python3.exe"] : ["python3", "python"];
  for (const folder of (environment["PATH"] ?? "").split(path.delimiter)) {
    for (const name of names) {
      if (folder !== "" && m.isFile(path.join(folder, name))) return path.join(folder, name);
    }
  }
  return null;
}

/** An environment's folder in the place of its interpreter is what people give as well. */
function interpreterIn(m: Machine, prefix: string): string | null {
  const path = pathsOf(m);
  for (const inner of ["bin/python3", "bin/python", "Scripts/python.exe", "python.exe"]) {
    const file = path.join(prefix, ...inner.split("/"));
    if (m.isFile(file)) return file;
  }
  return null;
}

/** The interpreter at a path that may also be its environment's folder. */
export function executableAt(interpreter: string, m: Machine = thisMachine): string {
  return (m.isFolder(interpreter) ? interpreterIn(m, interpreter) : null) ?? interpreter;
}

/**
 * The folders that hold an interpreter's installed packages, in Python's order: those of its
 * environment, the user's own, the distribution's, and those that .pth files add.
 * @param interpreter path of python (python.exe), or the folder of an environment
 */
export function sitePackagesOf(interpreter: string, m: Machine = thisMachine): string[] {
  const python = m.isFolder(interpreter) ? interpreterIn(m, interpreter) : interpreter;
  if (python === null) return [];
  const sites = installationSites(m, behindShim(m, python), 0);
  const all: string[] = [];
  const add = (folder: string): void => {
    if (!all.includes(folder) && m.isFolder(folder)) all.push(folder);
  };
  for (const site of sites) {
    if (!m.isFolder(site)) continue;
    add(site);
    for (const folder of addedBy(m, site)) add(folder);
  }
  return all;
}

/** A shim of pyenv is a script: what it starts is written in files beside it. */
function behindShim(m: Machine, python: string): string {
  const path = pathsOf(m);
  const folder = path.dirname(python);
  if (path.basename(folder) !== "shims") return python;
  const root = path.dirname(folder);
  const chosen = m.environment["PYENV_VERSION"] ?? m.read(path.join(root, "version")) ?? "";
  for (const name of chosen.split(/[\s:]+/)) {
    const found = name === "" ? null : interpreterIn(m, path.join(root, "versions", name));
    if (found !== null) return found;
  }
  return python;
}

function installationSites(m: Machine, python: string, depth: number): string[] {
  const path = pathsOf(m);
  const folder = path.dirname(python);
  // A virtual environment is marked by a file beside its interpreter or one folder up; the link to
  // the interpreter that it was made from must not be followed before that file is looked for.
  for (const prefix of [folder, path.dirname(folder)]) {
    const text = m.read(path.join(prefix, "pyvenv.cfg"));
    if (text !== null) return virtualSites(m, prefix, settingsOf(text), python, depth);
  }
  return systemSites(m, m.resolved(python));
}

function settingsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const at = line.indexOf("=");
      return at < 0 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]];
    }),
  );
}

function virtualSites(
  m: Machine,
  prefix: string,
  settings: ReadonlyMap<string, string>,
  python: string,
  depth: number,
): string[] {
  const path = pathsOf(m);
  const version = /^\d+\.\d+/.exec(settings.get("version") ?? settings.get("version_info") ?? "");
  const own = libraryFolders(m, prefix, version?.[0] ?? null).map((f) =>
    path.join(f, "site-packages"),
  );
  const home = settings.get("home");
  if (settings.get("include-system-site-packages") !== "true" || home === undefined) return own;
  if (depth > 3) return own;
  return [...own, ...installationSites(m, path.join(home, path.basename(python)), depth + 1)];
}

/** `lib/python3.11`; of several, that of the version, else the newest. Windows has one, `Lib`. */
function libraryFolders(m: Machine, prefix: string, version: string | null): string[] {
  const path = pathsOf(m);
  if (m.platform === "win32") return [path.join(prefix, "Lib")];
  const found = ["lib", "lib64"].flatMap((lib) =>
    m
      .list(path.join(prefix, lib))
      .filter((name) => /^(python|pypy)\d+\.\d+$/.test(name))
      .map((name) => path.join(prefix, lib, name)),
  );
  const ofVersion = found.filter(
    (f) => version !== null && versionOf(path.basename(f)) === version,
  );
  if (ofVersion.length > 0) return ofVersion;
  const newest = found
    .map((f) => versionOf(path.basename(f)))
    .sort(byVersion)
    .at(-1);
  return found.filter((f) => versionOf(path.basename(f)) === newest);
}

const versionOf = (name: string): string => /\d+\.\d+$/.exec(name)?.[0] ?? "";

function byVersion(a: string, b: string): number {
  const [x, y] = [a, b].map((v) => v.split(".").map(Number));
  return x![0]! - y![0]! || x![1]! - y![1]!;
}

/** An installation without an environment: a system's Python, conda's, pyenv's, python.org's. */
function systemSites(m: Machine, python: string): string[] {
  const path = pathsOf(m);
  const folder = path.dirname(python);
  if (m.platform === "win32") {
    const digits = m
      .list(folder)
      .map((name) => /^python(\d)(\d+)\.dll$/i.exec(name))
      .find((found) => found !== null);
    const roaming = m.environment["APPDATA"];
    const user =
      roaming === undefined || digits === undefined
        ? []
        : [path.join(roaming, "Python", `Python${digits[1]!}${digits[2]!}`, "site-packages")];
    return [...user, path.join(folder, "Lib", "site-packages")];
  }
  const prefix = path.dirname(folder);
  const named = /(\d+\.\d+)$/.exec(path.basename(python))?.[1] ?? null;
  const libraries = libraryFolders(m, prefix, named);
  const version = named ?? versionOf(path.basename(libraries[0] ?? ""));
  const name = `python${version}`;
  const user =
    m.platform === "darwin"
      ? path.join(m.home, "Library", "Python", version, "lib", "python", "site-packages")
      : path.join(m.home, ".local", "lib", name, "site-packages");
  // Debian's Python keeps what apt installs in dist-packages, for all versions 3 together.
  return [
    user,
    ...libraries.map((f) => path.join(f, "site-packages")),
    path.join(prefix, "local", "lib", name, "dist-packages"),
    path.join(prefix, "lib", "python3", "dist-packages"),
    path.join(prefix, "lib", name, "dist-packages"),
  ];
}

/** Folders that a site folder's .pth files name, and those of packages installed for editing. */
function addedBy(m: Machine, site: string): string[] {
  const path = pathsOf(m);
  return m
    .list(site)
    .filter((name) => name.endsWith(".pth") || /^__editable__.*_finder\.py$/.test(name))
    .sort()
    .flatMap((name) => {
      const text = m.read(path.join(site, name)) ?? "";
      if (name.endsWith(".py")) return editableRoots(m, text);
      // Lines that begin with import are code, which is not run.
      return text
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#") && !/^import\s/.test(line))
        .map((line) => path.resolve(site, line));
    });
}

/** setuptools writes `MAPPING = {'package': '/where/it/is/package'}` into a finder of its own. */
function editableRoots(m: Machine, finder: string): string[] {
  const path = pathsOf(m);
  const mapping = /^MAPPING[^=]*=\s*\{([^}]*)\}/m.exec(finder)?.[1] ?? "";
  return [...mapping.matchAll(/(['"])([\w.]+)\1\s*:\s*(['"])(.*?)\3/g)].flatMap(
    ([, , name, , where]) =>
      path.basename(where!) === name ? [path.dirname(where!.replaceAll("\\\\", "\\"))] : [],
  );
}
