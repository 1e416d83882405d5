/** The parser in Node: its WebAssembly files lie beside the bundle, or in node_modules. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PythonParser, loadParser } from "./parser.ts";

/** @param directory where to look first; the bundle's own folder if left out */
export async function loadParserFromDisk(directory?: string): Promise<PythonParser> {
  const here = directory ?? dirname(fileURLToPath(import.meta.url));
  const [runtime, grammar] = await Promise.all([
    readEither(here, "web-tree-sitter.wasm", "web-tree-sitter/web-tree-sitter.wasm"),
    readEither(
      here,
      "tree-sitter-python.wasm",
      "@vscode/tree-sitter-wasm/wasm/tree-sitter-python.wasm",
    ),
  ]);
  return loadParser({ runtime, grammar });
}

async function readEither(directory: string, name: string, inPackage: string): Promise<Uint8Array> {
  try {
    return await readFile(join(directory, name));
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== "ENOENT") throw e;
    return readFile(createRequire(import.meta.url).resolve(inPackage));
  }
}
