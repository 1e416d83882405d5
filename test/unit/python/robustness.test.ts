/**
 * Every Python file below some folders: none may crash the front end or keep it busy for long.
 * Opt-in, since it takes minutes: PYTHON_SOURCES=/usr/lib/python3:/some/venv npx mocha …
 */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { PythonError } from "../../../src/python/errors.ts";
import { PythonProgram } from "../../../src/python/program.ts";
import { root } from "../../../scripts/lib/root.mjs";
import { TestHost, sharedParser } from "./session.ts";

function* pythonFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* pythonFiles(path);
    else if (entry.isFile() && entry.name.endsWith(".py")) yield path;
  }
}

async function readAll(
  folders: readonly string[],
): Promise<{ files: number; crashes: string[]; slow: string[] }> {
  const parser = await sharedParser();
  const crashes: string[] = [];
  const slow: string[] = [];
  let files = 0;
  for (const path of folders.flatMap((f) => [...pythonFiles(f)])) {
    files++;
    const started = performance.now();
    try {
      const source = readFileSync(path, "utf8");
      const program = new PythonProgram(parser, new TestHost(), { file: path });
      program.load(source, path);
      program.callables();
    } catch (e) {
      if (!(e instanceof PythonError)) crashes.push(`${path}: ${String(e)}`);
    }
    if (performance.now() - started > 1000) slow.push(path);
  }
  return { files, crashes, slow };
}

describe("Any Python file", () => {
  it("of this project is read without a crash", async () => {
    const { files, crashes } = await readAll([join(root, "media"), join(root, "test")]);
    assert.ok(files > 0);
    assert.deepEqual(crashes, []);
  });

  it("below PYTHON_SOURCES is read without a crash, each within a second", async function () {
    const folders = process.env["PYTHON_SOURCES"];
    if (folders === undefined) this.skip();
    this.timeout(3_600_000);
    const { files, crashes, slow } = await readAll(folders.split(delimiter));
    console.log(`      ${files} files`);
    assert.deepEqual(crashes, []);
    assert.deepEqual(slow, []);
  });
});
