import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PagedWriter } from "../../../src/session/pagedWriter.node.ts";

describe("a file that is written in runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-pages-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** What is in a file of so many bytes after the runs, each of bytes that tell it from the others. */
  function written(size: number, runs: readonly (readonly [at: number, length: number])[]): void {
    const path = join(folder, "elements");
    const file = openSync(path, "w+");
    const writer = new PagedWriter(file);
    const expected = new Uint8Array(size);
    runs.forEach(([at, length], k) => {
      const run = new Uint8Array(length).fill(1 + (k % 255));
      writer.put(at, run);
      expected.set(run, at);
    });
    writer.flush();
    closeSync(file);
    const found = readFileSync(path).subarray(0, size);
    assert.ok(Buffer.from(expected).equals(found));
  }

  it("holds short runs in any order, over more pages than are held back", () => {
    const size = 12 << 20;
    // By turns all over the file, so that pages are written and taken up again.
    const runs = Array.from(
      { length: 40_000 },
      (_, k) => [(k * 7_919_333) % (size - 400), 1 + (k % 399)] as const,
    );
    written(size, runs);
  });

  it("holds long runs among short ones, the later over the earlier", () => {
    const size = 4 << 20;
    const runs = Array.from({ length: 400 }, (_, k) => {
      const length = k % 7 === 0 ? (1 << 16) + k * 311 : 50 + k;
      return [(k * 104_729) % (size - length), length] as const;
    });
    written(size, runs);
  });
});
