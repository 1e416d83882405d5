import assert from "node:assert/strict";
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadArrayFile } from "../../../../src/arrays/loadArray.node.ts";
import { type ArraySummary, summarize } from "../../../../src/arrays/ndarray.ts";
import { npyHeaderBytes } from "../../../../src/arrays/npy.ts";
import { loadParserFromDisk } from "../../../../src/python/parser.node.ts";
import { answerAboutArrays } from "../../../../src/session/arrays/answer.ts";
import { UNPACKED } from "../../../../src/session/scratch.node.ts";
import { summaryInFile } from "../../../../src/session/arrays/fileSummary.node.ts";
import { readHeaderFile } from "../../../../src/arrays/loadArray.node.ts";
import { arrayError } from "../../arrays/expected.ts";

/** Beyond what is read whole though it can be read in parts. */
const COUNT = 6_000_000;

function values(): Float32Array {
  const numbers = new Float32Array(COUNT);
  for (let i = 0; i < COUNT; i += 1) numbers[i] = Math.sin(i) * 3 - 1;
  numbers[COUNT - 1] = NaN;
  numbers[7] = Infinity;
  return numbers;
}

/** The start of a NIfTI-1 file of that many values. */
function niftiHeader(datatype: number, bits: number, shape: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(352));
  view.setInt32(0, 348, true);
  [shape.length, ...shape].forEach((length, i) => {
    view.setInt16(40 + 2 * i, length, true);
  });
  view.setInt16(70, datatype, true);
  view.setInt16(72, bits, true);
  view.setFloat32(108, 352, true);
  view.setFloat32(112, 0.5, true);
  view.setFloat32(116, 2, true);
  view.setUint32(344, 0x00312b6e, true);
  return new Uint8Array(view.buffer);
}

describe("the range of an array in a file", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-summary-"));
  const path = (name: string): string => join(folder, name);
  const unpacked = (): string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(UNPACKED));
  const quiet = { onProgress: () => undefined, isCancelled: () => false };

  before(() => {
    const bytes = new Uint8Array(values().buffer);
    for (const [name, reversed] of [
      ["c.npy", false],
      ["f.npy", true],
    ] as const) {
      const header = npyHeaderBytes("float32", [2, COUNT / 2], reversed);
      writeFileSync(path(name), Buffer.concat([header, bytes]));
    }
    const labels = new Uint8Array(4 * COUNT).map((_, i) => i % 5);
    const header = niftiHeader(2, 8, [200, 300, 400]);
    writeFileSync(path("scaled.nii.gz"), gzipSync(Buffer.concat([header, labels]), { level: 1 }));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("is that of the whole array, whether it lies as it is, reversed, or packed and scaled", () => {
    for (const name of ["c.npy", "f.npy", "scaled.nii.gz"]) {
      const { mean, ...whole } = summarize(loadArrayFile(path(name)));
      const shares: number[] = [];
      const onProgress = (share: number | null): void => {
        shares.push(share!);
      };
      const found = summaryInFile(path(name), undefined, { ...quiet, onProgress })!;
      const { mean: foundMean, ...rest } = found;
      assert.deepEqual(rest, whole, name);
      assert.ok(Math.abs(foundMean! - mean!) <= 1e-15 * Math.abs(mean!), name);
      assert.ok(shares.length > 20, `${name} is read in ${String(shares.length)} parts`);
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => a - b),
        name,
      );
      assert.ok(shares.at(-1)! > 0.9 && shares.at(-1)! <= 1, name);
    }
  });

  it("takes no more memory than a part, of an array that would not be read whole", () => {
    const large = path("large.npy");
    const file = openSync(large, "w");
    const header = npyHeaderBytes("uint8", [300, 1000, 1000]);
    writeSync(file, header);
    ftruncateSync(file, header.length + 300_000_000);
    writeSync(file, Uint8Array.of(3), 0, 1, header.length + 299_999_999);
    closeSync(file);
    let most = 0;
    const before = process.memoryUsage().arrayBuffers;
    const onProgress = (): void => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    };
    const found: ArraySummary | null = summaryInFile(large, undefined, { ...quiet, onProgress });
    assert.deepEqual([found!.min, found!.max, found!.count], [0, 3, 300_000_000]);
    assert.ok(most < 2 ** 26, `${String(most)} bytes`);
  });

  it("is left out when nobody waits any more, while it is unpacked or looked at", () => {
    const before = unpacked();
    for (const name of ["c.npy", "scaled.nii.gz"]) {
      for (const last of [0, 0.2, 0.7]) {
        let reached = 0;
        const watch = {
          onProgress: (share: number | null): void => {
            reached = share!;
          },
          isCancelled: () => reached >= last,
        };
        assert.equal(summaryInFile(path(name), undefined, watch), null);
        assert.ok(reached < last + 0.1, `${name} ended at ${String(reached)}`);
      }
    }
    assert.deepEqual(unpacked(), before);
  });

  it("is refused where the elements cannot be read", () => {
    const cut = path("cut.npy");
    writeFileSync(cut, npyHeaderBytes("float32", [COUNT]));
    const error = arrayError(() => summaryInFile(cut, undefined, quiet));
    assert.match(error.message, /cut short/);
  });

  it("comes with the answer about a member, and an answer without it is one as well", async () => {
    const parser = await loadParserFromDisk();
    const files = { header: readHeaderFile, summary: summaryInFile };
    const ask = { kind: "member", path: path("c.npy"), member: null } as const;
    const array = { member: null, shape: [2, COUNT / 2], dtype: "float32" };
    const whole = answerAboutArrays(ask, parser, files, quiet);
    assert.ok(whole.kind === "member" && whole.summary?.infCount === 1);
    assert.deepEqual(whole.array, array);
    const stopped = answerAboutArrays(ask, parser, files, { ...quiet, isCancelled: () => true });
    assert.deepEqual(stopped, { kind: "member", array, summary: null });
    const none = answerAboutArrays({ ...ask, member: "x" }, parser, files, quiet);
    assert.ok(none.kind === "refused" && none.message.includes("c.npy"), JSON.stringify(none));
  });

  it("comes after the file's arrays, and what is left out of them is told with its reason", async () => {
    const parser = await loadParserFromDisk();
    const files = { header: readHeaderFile, summary: summaryInFile };
    const asked = (text: string) => {
      writeFileSync(path("wide.csv"), text);
      const ask = { kind: "file", path: path("wide.csv") } as const;
      const answer = answerAboutArrays(ask, parser, files, quiet);
      assert.ok(answer.kind === "file", JSON.stringify(answer));
      return answer;
    };
    const names = Array.from({ length: 1200 }, (_, k) => `c${String(k)}`);
    const wide = asked(`${names.join()}\n${names.map(() => "1").join()}\n`);
    assert.equal(wide.arrays.length, 1000);
    assert.match(wide.unreadable.join(), /^200 more arrays of .*wide\.csv are not listed/);
  });
});
