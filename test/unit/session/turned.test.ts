import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NdArray, elementCount } from "../../../src/arrays/ndarray.ts";
import { npyHeaderBytes, readNpy, writeNpy } from "../../../src/arrays/npy.ts";
import { permuteAxes } from "../../../src/arrays/permute.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import type { Watch } from "../../../src/session/inspect.ts";
import type { JobResult } from "../../../src/session/jobs.ts";
import { storedArray } from "../../../src/session/stored.node.ts";
import { checkStreamed } from "../../../src/session/streamedCheck.node.ts";
import { hasOrder, turned } from "../../../src/session/turned.node.ts";

/** The array as it lies with its first axis the fastest. */
function fortran({ dtype, shape, data }: NdArray): Uint8Array {
  assert.ok(dtype !== "bfloat16");
  const axes = shape.map((_, d) => shape.length - 1 - d);
  const reversed = permuteAxes({ dtype, shape, data }, axes).data as TypedArray;
  const header = npyHeaderBytes(dtype, shape, true);
  const bytes = new Uint8Array(header.length + reversed.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(reversed.buffer, reversed.byteOffset, reversed.byteLength), header.length); // prettier-ignore
  return bytes;
}

describe("arrays in files, their axes in the other order", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-turned-"));
  const path = (name: string): string => join(folder, name);
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("have the entries of the transposed array, whatever fits into a slab, wherever they are read", () => {
    let refused = 0;
    let longest = 0;
    for (const shape of [
      [5, 7],
      [3, 4, 5],
      [1, 2, 6, 1, 7],
      [40, 2],
      [2, 40],
      [4, 3, 2, 5],
      [2, 3, 30],
    ]) {
      const count = elementCount(shape);
      const data = Float32Array.from({ length: count }, (_, k) => k);
      const array: NdArray = { dtype: "float32", shape, data };
      const transposed = permuteAxes(array, shape.map((_, d) => shape.length - 1 - d)); // prettier-ignore
      for (const isReversed of [false, true]) {
        writeFileSync(path("x.npy"), isReversed ? fortran(array) : writeNpy(array));
        for (const most of [1, 2, 6, 7, 12, 25, 1000]) {
          const file = storedArray(path("x.npy"), undefined, () => undefined);
          assert.equal(file.isReversed, isReversed);
          const other = turned(file, "x.npy", () => undefined, most);
          if (other === null) {
            refused++;
            file.close();
            continue;
          }
          assert.equal(other.isReversed, !isReversed);
          assert.deepEqual(other.shape, shape);
          const wanted = (isReversed ? array : transposed).data as Float32Array;
          for (const length of [1, 3, 8, count]) {
            for (let first = 0; first < count; first += length) {
              const part = new Float32Array(Math.min(length, count - first));
              other.read(first, part);
              assert.deepEqual(part, wanted.subarray(first, first + part.length), `${shape.join()} ${most} ${first}`); // prettier-ignore
            }
          }
          longest = Math.max(longest, count / most);
          other.close();
          file.close();
        }
      }
    }
    assert.ok(longest > 40, "slabs far smaller than the array are among them");
    assert.ok(refused > 0 && refused < 40, String(refused));
  });

  it("are only those with an order: not with one axis that is longer than 1", () => {
    writeFileSync(path("x.npy"), writeNpy({ dtype: "uint8", shape: [1, 4, 1], data: new Uint8Array(4) })); // prettier-ignore
    const file = storedArray(path("x.npy"), undefined, () => undefined);
    assert.equal(hasOrder(file), false);
    file.close();
  });

  const code = `
import numpy as np
def dice(p, t, smooth=1.0):
    return 1 - (2 * np.sum(p * t) + smooth) / (np.sum(p * p) + np.sum(t) + smooth)
`;
  const check = async (p: string, t: string, watch: Partial<Watch> = {}): Promise<JobResult> => {
    const values = [`p=${p}`, `t=${t}`];
    const job = {
      source: code, file: "losses.py", callable: "dice", values, wrt: null, directory: folder, out: path("g.npy"),
    }; // prettier-ignore
    const engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
    return checkStreamed(job, engine, {
      onProgress: () => undefined,
      isCancelled: () => false,
      ...watch,
    });
  };

  it("let a loss go through a NIfTI image's order and NumPy's together, with the same gradient", async () => {
    // Beyond what is held in memory to be read in any order.
    const shape = [200, 200, 250];
    const count = elementCount(shape);
    const p = { dtype: "float32", shape, data: Float32Array.from({ length: count }, (_, k) => Math.abs(Math.sin(k)) ) } as const; // prettier-ignore
    const t = { dtype: "uint8", shape, data: Uint8Array.from(p.data, (v) => (v > 0.6 ? 1 : 0)) } as const; // prettier-ignore
    writeFileSync(path("p.npy"), writeNpy(p));
    writeFileSync(path("pf.npy"), fortran(p));
    writeFileSync(path("t.npy"), writeNpy(t));
    writeFileSync(path("tf.npy"), fortran(t));
    const gradients = new Map<string, Float64Array>();
    for (const names of [
      ["p.npy", "t.npy"],
      ["p.npy", "tf.npy"],
      ["pf.npy", "t.npy"],
    ]) {
      const read: string[] = [];
      const onProgress = (_: number | null, what: string): void => {
        if (what.startsWith("reading ")) read.push(what);
      };
      const result = await check(names[0]!, names[1]!, { onProgress });
      // The mask is the smaller of the two.
      const isMixed = names.join() !== "p.npy,t.npy";
      assert.deepEqual(new Set(read), new Set(isMixed ? [`reading ${names[1]!}`] : []));
      assert.ok("inspection" in result, JSON.stringify(result));
      assert.equal(result.inspection.report.check.verdict, "agrees", names.join());
      const gradient = readNpy(readFileSync(path("g.npy")), "g.npy");
      assert.deepEqual(gradient.shape, shape);
      gradients.set(names.join(), gradient.data as Float64Array);
    }
    const [first, ...others] = gradients.values();
    for (const other of others) {
      const apart = other.reduce((m, v, k) => Math.max(m, Math.abs(v - first![k]!)), 0);
      assert.ok(apart < 1e-18, String(apart));
    }
  }).timeout(60_000);

  it("are cancelled at the next look, with nothing left open", async function () {
    if (process.platform !== "linux") this.skip();
    const handles = (): number => readdirSync("/proc/self/fd").length;
    const before = handles();
    let looks = 0;
    let isTurning = false;
    const result = await check("pf.npy", "t.npy", {
      onProgress: (_, what) => {
        isTurning ||= what === "reading t.npy";
      },
      isCancelled: () => isTurning && ++looks > 0,
    });
    assert.ok("failure" in result);
    assert.equal(result.failure.name, "Interrupted");
    assert.equal(looks, 1);
    assert.equal(handles(), before);
  }).timeout(60_000);
});
