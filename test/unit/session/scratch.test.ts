import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadArrayFile, openArrayInFile } from "../../../src/arrays/loadArray.node.ts";
import { ArrayError } from "../../../src/arrays/ndarray.ts";
import { writeNpy } from "../../../src/arrays/npy.ts";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { PART } from "../../../src/numbers/interruption.ts";
import { Cancelled } from "../../../src/numbers/typedArrays.ts";
import { writeGradient as writeInspected } from "../../../src/session/gradientFile.node.ts";
import type { Inspection } from "../../../src/session/inspect.ts";
import { UNPACKED, folderWithRoom, newScratchFolder } from "../../../src/session/scratch.node.ts";
import { openStored, storedArray } from "../../../src/session/stored.node.ts";
import { evaluateStreamed } from "../../../src/session/streamed.node.ts";
import { arrayError } from "../arrays/expected.ts";
import { PACKINGS, goldenFiles } from "../arrays/goldenFiles.ts";
import { root } from "../../../scripts/lib/root.mjs";

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
    const open = openStored(path, undefined, () => undefined);
    try {
      assert.deepEqual(unpackedIn(where, process.pid), []);
      const read = new Float32Array(4);
      open.reader.read(0, read);
      assert.deepEqual([...read], [1, 2, 3, 4]);
    } finally {
      open.close();
      rmSync(dirname(path), { recursive: true });
    }
  });

  it("is cleared of what killed processes have left, and of nothing else", () => {
    const where = folderWithRoom(16, "a.nii.gz");
    const ended = spawnSync(process.execPath, ["--version"]).pid;
    const [theirs, running] = [ended, process.ppid].map((pid) =>
      mkdtempSync(join(where, `${UNPACKED}${pid}-`)),
    ) as [string, string];
    const other = mkdtempSync(join(where, "dice-gradient-other-"));
    writeFileSync(join(theirs, "elements"), "left");
    const own = newScratchFolder(16, "a.nii.gz");
    try {
      assert.deepEqual(
        [theirs, running, other, own].map((path) => existsSync(path)),
        [false, true, true, true],
      );
    } finally {
      for (const path of [running, other, own]) rmSync(path, { recursive: true });
    }
  });
});

describe("arrays that are unpacked", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-packed-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** Files of libraries whose elements have to be unpacked, of every packing there is. */
  const packed = () =>
    goldenFiles.files.flatMap(({ file, member }) => {
      const path = join(root, "test/golden/files", file);
      const array = openArrayInFile(path, member);
      const bytes = array.stored?.().bytes;
      return bytes?.kind === "packed" ? [{ path, member, packing: bytes.packing }] : [];
    });

  it("leave neither a file nor an open one behind where that is cancelled or fails", function () {
    const handles = (): number => readdirSync("/proc/self/fd").length;
    if (process.platform !== "linux") this.skip();
    const where = folderWithRoom(16, "any");
    const packings = new Set<string>();
    for (const { path, member, packing } of packed()) {
      let ticks = 0;
      openStored(path, member, () => ticks++).close();
      // Nothing of it was ever written.
      if (ticks === 0) continue;
      const before = handles();
      for (const at of new Set([1, ticks])) {
        let k = 0;
        const tick = (): void => {
          if (++k === at) throw new Cancelled();
        };
        assert.throws(() => openStored(path, member, tick), Cancelled, path);
      }
      assert.equal(handles(), before, path);
      packings.add(packing);
    }
    assert.deepEqual([...packings].sort(), PACKINGS);
    const cut = join(folder, "cut.nii.gz");
    const whole = gzipSync(niftiOf(Float32Array.from({ length: 1e5 }, (_, k) => Math.sin(k))));
    writeFileSync(cut, whole.subarray(0, whole.length / 2));
    const before = handles();
    assert.throws(() => openStored(cut, undefined, () => undefined), ArrayError);
    assert.equal(handles(), before);
    assert.deepEqual(unpackedIn(where, process.pid), []);
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`leave nothing behind where the process is ended by ${signal} meanwhile`, async function () {
      if (process.platform === "win32") this.skip();
      const path = join(folder, "large.nii.gz");
      const values = Float32Array.from({ length: 1 << 20 }, (_, k) => Math.sin(k * k));
      writeFileSync(path, gzipSync(niftiOf(values), { level: 1 }));
      // It says when it has unpacked a part, and waits there to be ended.
      const script = `
        import { openStored } from "./src/session/stored.node.ts";
        const wait = new Int32Array(new SharedArrayBuffer(4));
        openStored(process.argv[1], undefined, (share) => {
          if (share < 0.5) return;
          process.stderr.write("half");
          Atomics.wait(wait, 0, 0);
        });`;
      const child = spawn(
        process.execPath,
        ["--import=tsx", "--input-type=module", "--eval", script, path],
        { cwd: root, stdio: ["ignore", "ignore", "pipe"] },
      );
      const [said] = (await once(child.stderr, "data")) as [Buffer];
      assert.equal(String(said), "half");
      const where = folderWithRoom(16, path);
      child.kill(signal);
      await once(child, "exit");
      assert.deepEqual(unpackedIn(where, child.pid!), []);
    }).timeout(30_000);
  }
});

describe("a file that is written", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-written-"));
  const path = (name: string): string => join(folder, name);
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const loss = (): { loss: Expr; x: Expr } => {
    const x = b.input("x", [axis("i", 1000)]);
    return { x, loss: b.div(b.sum(b.mul(x, x)), b.add(b.sum(x), b.ONE)) };
  };

  function writeGradient(isCancelled: () => boolean, out = "gradient.npy"): void {
    const { loss: e, x } = loss();
    const file = storedArray(path("x.npy"), undefined, () => undefined);
    const written = { expr: derive(e, x), path: path(out) };
    const files = new Map([["x", file]]);
    try {
      evaluateStreamed({ scalars: [e], written, files, arithmetic: "float64" }, { isCancelled });
    } finally {
      file.close();
    }
  }

  before(() => {
    const data = Float32Array.from({ length: 1000 }, (_, k) => k / 1000);
    writeFileSync(path("x.npy"), writeNpy({ dtype: "float32", shape: [1000], data }));
  });

  it("is there whole or not at all: what had its name stays where it is cancelled", () => {
    assert.throws(() => {
      writeGradient(() => true);
    }, Cancelled);
    assert.deepEqual(readdirSync(folder), ["x.npy"]);
    writeFileSync(path("gradient.npy"), "what was there");
    writeFileSync(path("gradient.npy.partial"), "left by a process that was killed");
    assert.throws(() => {
      writeGradient(() => true);
    }, Cancelled);
    assert.equal(readFileSync(path("gradient.npy"), "utf8"), "what was there");
    writeGradient(() => false);
    assert.deepEqual(readdirSync(folder).sort(), ["gradient.npy", "x.npy"]);
    assert.equal(loadArrayFile(path("gradient.npy")).data.length, 1000);
  });

  it("is there whole or not at all where the gradient is in memory, wherever it is cancelled", () => {
    const n = 3 * PART;
    const gradient = Float64Array.from({ length: n }, (_, k) => Math.sin(k));
    const array = { dtype: "float64", shape: [3, PART], data: gradient };
    const inspection = { gradient, wrt: { array } } as unknown as Inspection;
    const out = path("whole.npy");
    writeFileSync(out, "what was there");
    const watch = { onProgress: () => undefined, isCancelled: () => false };
    for (let looks = 1; looks <= 4; looks++) {
      let looked = 0;
      assert.throws(() => {
        writeInspected(out, inspection, { ...watch, isCancelled: () => ++looked === looks });
      }, Cancelled);
      assert.equal(looked, looks, "it stops at once");
      assert.equal(readFileSync(out, "utf8"), "what was there");
      assert.equal(existsSync(`${out}.partial`), false);
    }
    writeInspected(out, inspection, watch);
    assert.deepEqual(loadArrayFile(out).data, gradient);
    rmSync(out);
  });

  it("follows a link, and is refused in a sentence where there is no folder or no file can be", function () {
    if (process.platform === "win32") this.skip();
    mkdirSync(path("elsewhere"));
    writeFileSync(path("elsewhere/own.npy"), "old");
    symlinkSync(path("elsewhere/own.npy"), path("link.npy"));
    writeGradient(() => false, "link.npy");
    assert.equal(readlinkSync(path("link.npy")), path("elsewhere/own.npy"));
    assert.equal(loadArrayFile(path("elsewhere/own.npy")).data.length, 1000);
    for (const [name, why] of [
      ["nowhere/g.npy", /nowhere\/g\.npy cannot be written: ENOENT/],
      ["elsewhere", /elsewhere cannot be written: EISDIR/],
      ["x.npy/g.npy", /g\.npy cannot be written: ENOTDIR/],
    ] as const) {
      const error = arrayError(() => {
        writeGradient(() => false, name);
      });
      assert.match(error.message, why);
      assert.match(error.remedy ?? "", /a folder that is there/);
    }
  });
});

function unpackedIn(where: string, pid: number): string[] {
  return readdirSync(where).filter((f) => f.startsWith(`${UNPACKED}${pid}-`));
}

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
