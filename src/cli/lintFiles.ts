/** Which files `lint` looks at: Python files and notebooks, and those below folders, as linters go about it. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Folders of tools and installed packages; one that is named itself is looked into all the same. */
const LEFT_OUT = new Set([
  "node_modules",
  "__pycache__",
  "site-packages",
  "venv",
  "env",
  "build",
  "dist",
]);

/** @throws Error naming a path that is not there */
export function pythonFilesIn(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    let stats;
    try {
      stats = statSync(path);
    } catch {
      throw new Error(`There is no file or folder ${path}.`);
    }
    if (stats.isDirectory()) for (const f of below(path)) found.add(f);
    else found.add(path);
  }
  return [...found];
}

function* below(folder: string): Generator<string> {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return; // not ours to read
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    // Links are not followed: they may lead back up.
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && !LEFT_OUT.has(entry.name)) yield* below(path);
    } else if (entry.isFile() && /\.(py|ipynb)$/.test(entry.name)) yield path;
  }
}
