import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadArrayFile } from "../../../src/arrays/loadArray.node.ts";
import { ArrayError, type NdArray, toFloat64 } from "../../../src/arrays/ndarray.ts";
import { writeNpy, readNpy } from "../../../src/arrays/npy.ts";
import { readerFor } from "../../../src/arrays/readers.ts";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { BindingError, NotStreamable } from "../../../src/numbers/typedArrays.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { checkStreamed } from "../../../src/session/streamedCheck.node.ts";
import { type StoredFile, storedArray } from "../../../src/session/stored.node.ts";
import { evaluateStreamed } from "../../../src/session/streamed.node.ts";
import { goldenFiles } from "../arrays/goldenFiles.ts";
import {
  chunkedHdf5,
  largeFiles,
  matlab73,
  packedNifti,
  packedPng,
  writeLarge,
} from "../arrays/largeFiles.ts";
import { root } from "../../../scripts/lib/root.mjs";

const WATCH = {};

function losses(n: number): { x: Input; of: Readonly<Record<string, Expr>> } {
  const shape = [axis("c", 3), axis("i", n)];
  const x = b.input("x", shape) as Input;
  const t = b.input("t", shape);
  const dice = (p: Expr, dims: readonly number[] | null): Expr =>
    b.div(b.sum(b.mul(p, t), dims), b.add(b.sum(p, dims), b.sum(t, dims)));
  return {
    x,
    of: {
      "a sigmoid": b.sub(b.ONE, dice(b.sigmoid(x), null)),
      "a softmax over classes": b.sub(b.ONE, b.mean(dice(b.softmax(x, 0), [1]))),
    },
  };
}

function tryStored(from: string, member: string | undefined): StoredFile | null {
  try {
    return storedArray(from, member, () => undefined);
  } catch (e) {
    if (e instanceof ArrayError) return null;
    throw e;
  }
}

/** Null for whole numbers that float64 cannot hold. */
function exactly(array: NdArray): Float64Array | null {
  try {
    return toFloat64(array);
  } catch (e) {
    if (e instanceof ArrayError) return null;
    throw e;
  }
}

/** Sums are made in another order. */
function near(a: number, b: number): boolean {
  return Object.is(a + 0, b + 0) || Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(b));
}

describe("losses of files, part by part", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-streamed-"));
  const path = (name: string): string => join(folder, name);
  const stored = (name: string): StoredFile => {
    const file = storedArray(path(name), undefined, () => undefined);
    open.push(file);
    return file;
  };
  const open: StoredFile[] = [];
  after(() => {
    for (const file of open) file.close();
    rmSync(folder, { recursive: true });
  });

  function write(n: number): { logits: Float32Array; mask: Uint8Array } {
    const logits = Float32Array.from({ length: 3 * n }, (_, k) => Math.sin(k * k) * 4);
    const mask = Uint8Array.from({ length: 3 * n }, (_, k) => (k % 6 === 0 ? 1 : 0));
    writeFileSync(path("x.npy"), writeNpy({ dtype: "float32", shape: [3, n], data: logits }));
    writeFileSync(path("t.npy"), writeNpy({ dtype: "uint8", shape: [3, n], data: mask }));
    return { logits, mask };
  }

  it("have the value and the gradient that they have in memory, to the last bit", () => {
    const n = 40_000;
    const { logits, mask } = write(n);
    const { x, of } = losses(n);
    for (const [name, loss] of Object.entries(of)) {
      const files = new Map([
        ["x", stored("x.npy")],
        ["t", stored("t.npy")],
      ]);
      const out = path("gradient.npy");
      const written = { expr: derive(loss, x), path: out };
      const [value] = evaluateStreamed(
        { scalars: [loss], written, files, arithmetic: "float64" },
        WATCH,
      );
      const [inMemory, gradient] = compileKernel([loss, derive(loss, x)], {
        vectors: "always",
        limits: { leastKept: Infinity, mostTemporary: 0 },
      }).run(
        new Map<string, Float32Array | Uint8Array>([
          ["x", logits],
          ["t", mask],
        ]),
      ).outputs;
      assert.equal(value, inMemory!.data[0], name);
      const read = readNpy(readFileSync(out), out);
      assert.deepEqual(read.shape, [3, n]);
      assert.deepEqual(read.data, gradient!.data, name);
    }
  });

  it("say what does not fit, and which file cannot be read so", () => {
    write(10);
    const { of } = losses(11);
    const files = new Map([
      ["x", stored("x.npy")],
      ["t", stored("t.npy")],
    ]);
    const request = {
      scalars: [of["a sigmoid"]!],
      written: null,
      arithmetic: "float64" as const,
    };
    assert.throws(() => evaluateStreamed({ ...request, files }, WATCH), BindingError);
    const complex = { dtype: "complex64", shape: [33], data: new Float32Array(66) } as const;
    writeFileSync(path("h.npy"), writeNpy(complex));
    assert.throws(
      () => stored("h.npy"),
      /h\.npy cannot be read part by part: its array is complex64/,
    );
    const y = b.input("x", [axis("i", 30)]) as Input;
    const sorted = b.argReduce("argmax", y, 0);
    assert.throws(
      () => evaluateStreamed({ ...request, scalars: [sorted], files }, WATCH),
      NotStreamable,
    );
  });

  it("have them in every format, packed or not, in whatever order its elements lie", () => {
    const formats = new Set<string>();
    let reversed = 0;
    for (const { file, member, shape } of goldenFiles.files) {
      const label = `${file}[${member ?? ""}]`;
      const from = join(root, "test/golden/files", file);
      const count = shape.reduce((n, k) => n * k, 1);
      const file0 = tryStored(from, member);
      if (file0 === null || count < 6) continue;
      open.push(file0);
      const x = b.input("x", shape.map((n, d) => axis(`a${d}`, n))) as Input; // prettier-ignore
      const rows = b.sum(b.sigmoid(x), shape.length > 1 ? [0] : null);
      const loss = b.div(b.sum(b.mul(rows, rows)), b.add(b.sum(b.mul(x, b.sigmoid(x))), b.ONE));
      const gradient = derive(loss, x);
      const out = path("gradient-of-file.npy");
      const files = new Map([["x", file0]]);
      const written = { expr: gradient, path: out };
      const request = { scalars: [loss], written, files, arithmetic: "float64" } as const;
      const whole = exactly(loadArrayFile(from, member));
      if (whole === null) {
        assert.throws(() => evaluateStreamed(request, WATCH), /whole numbers beyond 2\^53/);
        continue;
      }
      const [value] = evaluateStreamed(request, WATCH);
      const inMemory = compileKernel([loss, gradient]).run(new Map([["x", whole]])).outputs;
      assert.ok(near(value!, inMemory[0]!.data[0]!), `${label}: the loss`);
      const read = loadArrayFile(out);
      assert.deepEqual(read.shape, shape, label);
      inMemory[1]!.data.forEach((g, k) => {
        assert.ok(near(Number(read.data[k]), g), `${label}: element ${k} of the gradient`);
      });
      formats.add(readerFor(file)!.extensions[0]!);
      if (file0.isReversed) reversed++;
    }
    const all = [".h5", ".mat", ".mha", ".nii", ".nrrd", ".png", ".pt", ".safetensors", ".tif"];
    assert.deepEqual([...formats].sort(), all);
    assert.ok(reversed >= 10, `${reversed} with the first axis fastest`);
  });

  describe("take at most 64 MB of memory, whatever the size of the files:", () => {
    const [rows, columns] = [1 << 12, 1 << 12];

    /** By what each is: a loss of x, as the script's code. */
    const ofLosses = {
      "a quotient of sums": `
        const x = b.input("x", [axis("i", ${rows}), axis("j", ${columns})]);
        const p = b.sigmoid(x);
        const loss = b.div(b.sum(b.mul(p, p)), b.add(b.sum(p), b.ONE));`,
      "a softmax over 4 classes": `
        const x = b.input("x", [axis("c", 4), axis("i", ${rows / 4}), axis("j", ${columns})]);
        const p = b.softmax(x, 0);
        const sums = (e) => b.sum(e, [1, 2]);
        const loss = b.mean(b.div(sums(b.mul(p, p)), b.add(sums(p), b.ONE)));`,
      "a reduction a sample with a term that is stretched back": `
        const x = b.input("x", [axis("b", 8), axis("i", ${rows / 8}), axis("j", ${columns})]);
        const p = b.sigmoid(x);
        const sums = (e) => b.sum(e, [1, 2]);
        const weighted = b.mul(p, b.add(b.mean(p, [1, 2], true), b.ONE));
        const loss = b.mean(b.div(sums(b.mul(p, p)), b.add(sums(weighted), b.ONE)));`,
      "max-pooling": `
        const x = b.input("x", [axis("i", ${rows}), axis("j", ${columns})]);
        const cells = [axis("i", ${rows / 2}), axis("u", 2), axis("j", ${columns / 2}), axis("v", 2)];
        const p = b.reduce("max", b.reshape(b.sigmoid(x), cells), [1, 3]);
        const loss = b.div(b.sum(b.mul(p, p)), b.add(b.sum(p), b.ONE));`,
    } as const;

    /** In a process of its own: the loss of the file and how much memory that took; its gradient in a file. */
    function measured(
      name: string,
      member: string | undefined,
      loss: keyof typeof ofLosses,
      shape: readonly number[],
      isTurned = false,
    ): { value: number; grown: number } {
      const script = `
        import { readFileSync, writeFileSync } from "node:fs";
        import { axis } from "./src/expression/axis.ts";
        import * as b from "./src/expression/build.ts";
        import { derive } from "./src/gradient/derive.ts";
        import { storedArray } from "./src/session/stored.node.ts";
        import { evaluateStreamed } from "./src/session/streamed.node.ts";
        import { turned } from "./src/session/turned.node.ts";
        ${ofLosses[loss]}
        // What the system tells of a process as its most counts what its parent took when it began.
        const isLinux = process.platform === "linux";
        const status = (name) =>
          Number(new RegExp(name + ":\\\\s+(\\\\d+)").exec(readFileSync("/proc/self/status", "utf8"))[1]);
        const most = () => (isLinux ? status("VmHWM") : process.resourceUsage().maxRSS);
        // The most from now on, not what starting took.
        if (isLinux) writeFileSync("/proc/self/clear_refs", "5");
        const before = most();
        const found = storedArray(process.argv[1], process.argv[3], () => {});
        const file = ${isTurned} ? turned(found, "x", () => {}) : found;
        const files = new Map([["x", { ...file, shape: ${JSON.stringify(shape)} }]]);
        const written = { expr: derive(loss, x), path: process.argv[2] };
        const request = { scalars: [loss], written, files, arithmetic: "float32" };
        const value = evaluateStreamed(request, {})[0];
        const grown = (most() - before) / 1024;
        console.log(JSON.stringify({ value, grown }));
        process.exit(0);
      `;
      const output = execFileSync(
        process.execPath,
        [
          ...["--import=tsx", "--input-type=module", "--eval", script],
          ...[path(name), path("out.npy"), ...(member === undefined ? [] : [member])],
        ],
        { cwd: root, encoding: "utf8" },
      );
      return JSON.parse(output) as { value: number; grown: number };
    }

    function within({ value, grown }: { value: number; grown: number }, wanted: number): void {
      assert.ok(Math.abs(value - wanted) < 0.02, `the loss is ${value}`);
      assert.ok(grown > 1, "it is measured");
      assert.ok(grown <= 64, `${grown.toFixed(0)} MB more for 128 MB of files`);
    }

    for (const file of [
      ...largeFiles(rows, columns),
      packedNifti(rows, columns),
      chunkedHdf5(rows, columns, [8, 40]),
      matlab73(chunkedHdf5(rows, columns, [8, 40])),
      packedPng(rows, columns),
      packedPng(rows, columns, true),
    ]) {
      it(`${file.name}, a quotient of sums`, () => {
        writeLarge(path(file.name), file);
        const found = measured(file.name, file.member, "a quotient of sums", [rows, columns]);
        // Of zeros, of sines, or of large whole numbers.
        within(found, file.elementsAt !== undefined ? 0.5 : file.name.endsWith("png") ? 1 : 0.555);
        rmSync(path(file.name));
      }).timeout(60_000);
    }

    it("an array whose axes are turned round, a quotient of sums", () => {
      const [file] = largeFiles(rows, columns);
      writeLarge(path(file!.name), file!);
      within(measured(file!.name, undefined, "a quotient of sums", [rows, columns], true), 0.5);
      rmSync(path(file!.name));
    }).timeout(60_000);

    const [plain] = largeFiles(rows, columns);
    for (const [loss, shape, wanted] of [
      ["a softmax over 4 classes", [4, rows / 4, columns], 0.25],
      ["a reduction a sample with a term that is stretched back", [8, rows / 8, columns], 1 / 3],
      ["max-pooling", [rows, columns], 0.5],
    ] as const) {
      it(`${plain!.name}, ${loss}`, () => {
        writeLarge(path(plain!.name), plain!);
        within(measured(plain!.name, undefined, loss, shape), wanted);
        rmSync(path(plain!.name));
      }).timeout(60_000);
    }
  });

  describe("as check --stream gives them", () => {
    const code = `
import torch
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    p = torch.sigmoid(y_pred)
    intersection = (p * y_true).sum(dim=1)
    return 1 - ((2 * intersection + smooth) / (p.sum(dim=1) + y_true.sum(dim=1) + smooth)).mean()
`;
    const check = async (source: string, values: string[], out: string | null = null) => {
      const job = {
        source, file: "losses.py", callable: "dice_loss", values, wrt: null, directory: folder, out,
      }; // prettier-ignore
      const engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
      return checkStreamed(job, engine, { onProgress: () => undefined, isCancelled: () => false });
    };

    it("agree along the gradient, with the gradient in a file", async () => {
      const n = 30_000;
      const { logits, mask } = write(n);
      const out = path("streamed.npy");
      const result = await check(code, ["y_pred=x.npy", "y_true=t.npy", "smooth=2.0"], out);
      assert.ok("inspection" in result, JSON.stringify(result));
      const { report } = result.inspection;
      assert.equal(report.check.verdict, "agrees", report.check.sentence);
      const whole = compileKernel([result.inspection.loss, result.inspection.gradientExpr]).run(
        new Map<string, Float32Array | Uint8Array>([
          ["y_pred", logits],
          ["y_true", mask],
        ]),
      ).outputs;
      assert.ok(Math.abs(report.loss.value! - whole[0]!.data[0]!) < 1e-14);
      const gradient = readNpy(readFileSync(out), out).data as Float64Array;
      const gap = gradient.reduce((m, g, k) => Math.max(m, Math.abs(g - whole[1]!.data[k]!)), 0);
      assert.ok(gap < 1e-18, String(gap));
    });

    it("differ where the code's own backward is wrong", async () => {
      write(3000);
      const wrong = `
import torch
class Dice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, t):
        total = p.sum() + t.sum() + 90000.0
        ctx.save_for_backward(t, total)
        return 1 - 2 * (p * t).sum() / total
    @staticmethod
    def backward(ctx, grad_output):
        t, total = ctx.saved_tensors
        return grad_output * -2 * t / total, None
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    return Dice.apply(y_pred, y_true)
`;
      const result = await check(wrong, ["y_pred=x.npy", "y_true=t.npy"]);
      assert.ok("inspection" in result, JSON.stringify(result));
      assert.equal(result.inspection.report.check.verdict, "differs");
    });

    it("say what cannot be streamed", async () => {
      writeFileSync(path("rows.csv"), "0.5,1\n0.25,0\n");
      const result = await check(code, ["y_pred=rows.csv", "y_true=t.npy"]);
      assert.ok("failure" in result);
      assert.match(result.failure.message, /rows\.csv cannot be read part by part/);
      assert.match(result.failure.remedy ?? "", /np\.save/);
    });
  });
});
