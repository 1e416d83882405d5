import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { ArrayError } from "../../../src/arrays/ndarray.ts";
import { folderWithRoom } from "../../../src/session/scratch.node.ts";
import { openStored } from "../../../src/session/stored.node.ts";

describe("the folder that arrays are unpacked in", () => {
  it("is one that is there, with room", () => {
    assert.ok(existsSync(folderWithRoom(1000, "a.nii.gz")));
  });

  it("is refused before anything is written where there is no room, with how much there is", () => {
    assert.throws(
      () => folderWithRoom(2 ** 60, "a.nii.gz"),
      (e) => {
        assert.ok(e instanceof ArrayError);
        assert.match(
          e.message,
          /^There is no room to unpack a\.nii\.gz: it takes 1152921504\.6 GB, and /,
        );
        assert.match(e.message, / has \d+\.\d [MG]B/);
        assert.match(e.describe(), /TMPDIR/);
        return true;
      },
    );
  });

  it("holds nothing with a name while an array is unpacked, so a crash leaves nothing behind", function () {
    // Windows keeps the name of a file that is open.
    if (process.platform === "win32") this.skip();
    const path = join(mkdtempSync(join(tmpdir(), "scratch-test-")), "a.nii.gz");
    writeFileSync(path, gzipSync(niftiOf(Float32Array.of(1, 2, 3, 4))));
    const where = folderWithRoom(16, path);
    const named = (): string[] => readdirSync(where).filter((f) => f.startsWith("dice-gradient-"));
    const before = new Set(named());
    const open = openStored(path, undefined, () => undefined);
    try {
      assert.deepEqual(
        named().filter((f) => !before.has(f)),
        [],
      );
      const read = new Float32Array(4);
      open.reader.read(0, read);
      assert.deepEqual([...read], [1, 2, 3, 4]);
    } finally {
      open.close();
      rmSync(dirname(path), { recursive: true });
    }
  });
});

/** A NIfTI-1 file of one axis. */
function niftiOf(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(352 + values.byteLength);
  const header = new DataView(bytes.buffer);
  header.setInt32(0, 348, true);
  [1, values.length, 1, 1, 1, 1, 1, 1].forEach((n, k) => {
    header.setInt16(40 + 2 * k, n, true);
  });
  header.setInt16(70, 16, true);
  header.setInt16(72, 32, true);
  header.setFloat32(108, 352, true);
  header.setInt32(344, 0x0031_2b6e, true);
  bytes.set(new Uint8Array(values.buffer), 352);
  return bytes;
}
