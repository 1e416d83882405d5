import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArrayInFile, openArraysInFile } from "../../../src/arrays/loadArray.node.ts";
import { openFile } from "../../../src/arrays/readers.ts";
import type { ByteSource } from "../../../src/arrays/source.ts";
import { elementReader } from "../../../src/arrays/stored.ts";
import { readFrom } from "../../../src/arrays/loadArray.node.ts";
import { WIDTH, largeFiles, writeLarge } from "./largeFiles.ts";

describe("files beyond 4 GiB, whose elements are a hole that takes no room", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-huge-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  // 8 GiB: signed and unsigned offsets of 32 bits are both too short for it.
  const [rows, columns] = [1 << 13, 1 << 18];
  const count = rows * columns;
  /** Places around 2 and 4 GiB from the first element on, and the last. */
  const places = [0, 2 ** 29 - 1, 2 ** 29 + 3, 2 ** 30 - 1, 2 ** 30 + 5, count - 1];

  for (const file of largeFiles(rows, columns)) {
    it(`${file.name}: its header costs the header, and its elements are where they are`, function () {
      const path = join(folder, file.name);
      if (!writeLarge(path, file)) this.skip();
      const handle = openSync(path, "r+");
      try {
        places.forEach((k, n) => {
          const value = new Uint8Array(Float32Array.of(n + 0.5).buffer);
          writeSync(handle, value, 0, WIDTH, file.elementsAt! + WIDTH * k);
        });
        let bytesRead = 0;
        const source: ByteSource = {
          size: statSync(path).size,
          read: (offset, length) => {
            bytesRead += length;
            const bytes = new Uint8Array(length);
            return bytes.subarray(0, readFrom(handle, offset, bytes));
          },
        };
        const opened = openFile(source, path);
        const array = "shape" in opened ? opened : opened.get(file.member!)!();
        assert.deepEqual([array.dtype, array.shape], ["float32", [rows, columns]]);
        assert.ok(bytesRead < 2 ** 20, `${bytesRead} bytes were read for the header`);
        const stored = array.stored!();
        assert.ok(stored.bytes.kind === "flat");
        const { offset, source: own } = stored.bytes;
        const reader = elementReader(own, offset, stored, file.name);
        assert.equal(reader.count, count);
        places.forEach((k, n) => {
          const found = new Float32Array(3);
          const first = Math.max(0, Math.min(k - 1, count - 3));
          reader.read(first, found);
          assert.equal(found[k - first], n + 0.5, `element ${k}`);
        });
        assert.ok(statSync(path).blocks * 512 < 2 ** 21, "it takes room");
      } finally {
        closeSync(handle);
        rmSync(path);
      }
    });
  }

  it("are refused as a whole, with what reads them", function () {
    const [file] = largeFiles(rows, columns);
    const path = join(folder, file!.name);
    if (!writeLarge(path, file!)) this.skip();
    const array = openArrayInFile(path);
    assert.throws(() => array.read(), /8589934592 bytes; at most 2147483648/);
    assert.ok("shape" in openArraysInFile(path));
    rmSync(path);
  });
});
