/** A sample of any Python files; `npm run sweep -- FOLDER…` takes whole folders. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { pythonFiles, traceFile } from "../../robustness/traceFile.ts";
import { sharedParser } from "./session.ts";

/** Where Debian and its like keep Python's standard library. */
const STANDARD_LIBRARY = ["/usr/lib/python3.11", "/usr/lib/python3.12", "/usr/lib/python3.13"];
const SAMPLE = 100;

async function traceAll(paths: readonly string[]): Promise<void> {
  const parser = await sharedParser();
  const crashes: string[] = [];
  for (const path of paths) {
    try {
      traceFile(parser, readFileSync(path, "utf8"), path);
    } catch (e) {
      crashes.push(`${path}: ${String(e)}`);
    }
  }
  assert.deepEqual(crashes, []);
}

describe("Any Python file", () => {
  it("of this project is traced without a crash", async () => {
    const files = ["media", "test"].flatMap((folder) => [...pythonFiles(join(root, folder))]);
    assert.ok(files.length > 0);
    await traceAll(files);
  });

  it("of Python's standard library, every so many, is traced without a crash", async function () {
    const folder = STANDARD_LIBRARY.find((f) => existsSync(f));
    if (folder === undefined) this.skip();
    this.timeout(60_000);
    const files = [...pythonFiles(folder)];
    const stride = Math.ceil(files.length / SAMPLE);
    await traceAll(files.filter((_, k) => k % stride === 0));
  });
});
