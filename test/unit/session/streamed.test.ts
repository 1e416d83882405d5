import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNpy, readNpy } from "../../../src/arrays/npy.ts";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { NotStreamable, compileKernel } from "../../../src/numbers/kernel.ts";
import { BindingError } from "../../../src/numbers/typedArrays.ts";
import { evaluateStreamed } from "../../../src/session/streamed.node.ts";
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

describe("losses of files, part by part", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-streamed-"));
  const path = (name: string): string => join(folder, name);
  after(() => {
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
        ["x", path("x.npy")],
        ["t", path("t.npy")],
      ]);
      const out = path("gradient.npy");
      const value = evaluateStreamed({ loss, wrt: x, files, out, arithmetic: "float64" }, WATCH);
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
      const written = readNpy(readFileSync(out), out);
      assert.deepEqual(written.shape, [3, n]);
      assert.deepEqual(written.data, gradient!.data, name);
    }
  });

  it("say what does not fit, and which file cannot be read so", () => {
    write(10);
    const { x, of } = losses(11);
    const files = new Map([
      ["x", path("x.npy")],
      ["t", path("t.npy")],
    ]);
    const request = { loss: of["a sigmoid"]!, wrt: x, out: null, arithmetic: "float64" as const };
    assert.throws(() => evaluateStreamed({ ...request, files }, WATCH), BindingError);
    writeFileSync(
      path("h.npy"),
      writeNpy({ dtype: "float16", shape: [33], data: new Uint16Array(33) }),
    );
    assert.throws(
      () => evaluateStreamed({ ...request, files: new Map([["x", path("h.npy")]]) }, WATCH),
      /h\.npy cannot be read part by part: its array is float16/,
    );
    const y = b.input("x", [axis("i", 30)]) as Input;
    const sorted = b.argReduce("argmax", y, 0);
    assert.throws(
      () => evaluateStreamed({ ...request, loss: sorted, wrt: y, files }, WATCH),
      NotStreamable,
    );
  });

  it("take at most 64 MB of memory, whatever the size of the files", () => {
    const n = 1 << 24;
    const script = `
      import { openSync, ftruncateSync, writeSync } from "node:fs";
      import { npyHeaderBytes } from "./src/arrays/npy.ts";
      import { axis } from "./src/expression/axis.ts";
      import * as b from "./src/expression/build.ts";
      import { evaluateStreamed } from "./src/session/streamed.node.ts";
      const x = b.input("x", [axis("i", ${n})]);
      const p = b.sigmoid(x);
      const loss = b.div(b.sum(b.mul(p, p)), b.add(b.sum(p), b.ONE));
      const file = openSync(process.argv[1], "w");
      const header = npyHeaderBytes("float32", [${n}]);
      writeSync(file, header);
      ftruncateSync(file, header.length + 4 * ${n});
      const run = (size) => evaluateStreamed({ loss, wrt: x, files: new Map([["x", process.argv[1]]]), out: process.argv[2], arithmetic: "float32" }, {});
      const before = process.resourceUsage().maxRSS;
      const value = run();
      console.log(JSON.stringify({ value, grown: (process.resourceUsage().maxRSS - before) / 1024 }));
    `;
    const output = execFileSync(
      process.execPath,
      ["--import=tsx", "--input-type=module", "--eval", script, path("big.npy"), path("out.npy")],
      { cwd: root, encoding: "utf8" },
    );
    const { value, grown } = JSON.parse(output) as { value: number; grown: number };
    assert.ok(Math.abs(value - 0.5) < 1e-6, `the loss of zeros is ${value}`);
    assert.ok(grown <= 64, `${grown.toFixed(0)} MB more for 128 MB of files`);
  });
});
