import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Input } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { useCrew } from "../../../src/numbers/crew.ts";
import { ThreadLost, startCrew } from "../../../src/numbers/crew.node.ts";
import { CONTROL } from "../../../src/numbers/crewWork.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { Cancelled, type TypedArray } from "../../../src/numbers/typedArrays.ts";
import { heap } from "../../../src/numbers/wasm/heap.ts";
import { threadFile } from "../../threadFile.ts";

const N = 1 << 21;
const shape = [axis("c", 4), axis("i", N / 4)];
const x = b.input("x", shape) as Input;
const t = b.input("t", shape);
const p = b.softmax(x, 0);
const ratio = b.div(b.sum(b.mul(p, t), [1]), b.add(b.sum(p, [1]), b.sum(t, [1])));
const loss = b.sub(b.ONE, b.mean(ratio));
const outputs = [loss, derive(loss, x), b.reduce("max", p, null)];

describe("a crew of threads", () => {
  const on = heap();
  const xs = on.array(Float32Array, N);
  const ts = on.array(Uint8Array, N);
  const gradient = on.array(Float64Array, N);
  xs.forEach((_, k) => (xs[k] = Math.sin(k * k) * 5));
  ts.forEach((_, k) => (ts[k] = k % 5 === 0 ? 1 : 0));
  const arrays = new Map<string, TypedArray>([
    ["x", xs],
    ["t", ts],
  ]);
  const kernel = compileKernel(outputs, { vectors: "always" });
  const values = (): Float64Array[] =>
    kernel.run(arrays, { into: [undefined, gradient] }).outputs.map((o) => o.data.slice());

  after(() => {
    useCrew(null);
    for (const a of [xs, ts, gradient]) on.release(a.byteOffset);
  });

  it("gives the very bits that one thread gives, however many there are", async () => {
    const alone = values();
    for (const threads of [2, 3, 5]) {
      const crew = startCrew(threads, threadFile())!;
      useCrew(crew);
      for (let k = 0; k < 10; k++) {
        values().forEach((data, o) => {
          const at = data.findIndex((v, n) => v !== alone[o]![n]);
          assert.equal(at, -1, `${threads} threads: output ${o}, entry ${at}`);
        });
        // Threads start while this one waits.
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      useCrew(null);
      await crew.stop();
    }
  });

  it("gives the same bits of arrays outside the memory that it shares", async () => {
    const crew = startCrew(2, threadFile())!;
    const outside = new Map<string, TypedArray>([
      ["x", Float32Array.from(xs)],
      ["t", Uint8Array.from(ts)],
    ]);
    const alone = values();
    useCrew(crew);
    for (let k = 0; k < 5; k++) {
      kernel.run(outside).outputs.forEach(({ data }, o) => {
        const at = data.findIndex((v, n) => v !== alone[o]![n]);
        assert.equal(at, -1, `output ${o}, entry ${at}`);
      });
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    useCrew(null);
    await crew.stop();
  });

  it("says how far it is, and stops when asked to", async () => {
    const crew = startCrew(2, threadFile())!;
    useCrew(crew);
    const seen: number[] = [];
    for (let k = 0; k < 20; k++) kernel.run(arrays, { onProgress: (f) => seen.push(f) });
    assert.ok(seen.length > 0 && seen.every((f) => f > 0 && f <= 1));
    let asked = 0;
    const isCancelled = (): boolean => ++asked > 1;
    assert.throws(() => {
      for (let k = 0; k < 20; k++) kernel.run(arrays, { isCancelled });
    }, Cancelled);
    // And goes on with the next job as if nothing had been.
    const [value] = kernel.run(arrays).outputs;
    useCrew(null);
    assert.equal(value!.data[0], kernel.run(arrays).outputs[0]!.data[0]);
    await crew.stop();
  });

  it("goes on alone after a thread has died in the middle of its work", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dice-gradient-thread-"));
    const file = join(folder, "thread.mjs");
    // Claims a piece of every job and never does it.
    writeFileSync(
      file,
      `import { workerData } from "node:worker_threads";
       const { control } = workerData;
       Atomics.add(control, ${CONTROL.started}, 1);
       for (let seen = 0; ; seen = Atomics.load(control, ${CONTROL.generation})) {
         Atomics.wait(control, ${CONTROL.generation}, seen);
         Atomics.add(control, ${CONTROL.next}, 1);
       }`,
    );
    const alone = values();
    const crew = startCrew(2, pathToFileURL(file), 100)!;
    useCrew(crew);
    try {
      await assert.rejects(async () => {
        for (;;) {
          values();
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }, ThreadLost);
      assert.deepEqual(values(), alone);
    } finally {
      useCrew(null);
      await crew.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it("is woken for long work only, and is asleep again soon", async () => {
    const crew = startCrew(2, threadFile())!;
    useCrew(crew);
    const short = compileKernel([b.sum(b.input("x", [axis("i", N / 4)]))], { vectors: "always" });
    const own = new Map([["x", xs.subarray(0, N / 4)]]);
    short.run(own);
    assert.equal(crew.isAwake, false);
    const long = compileKernel([loss], { vectors: "always" });
    const wakes = async (): Promise<boolean> => {
      long.run(arrays);
      const isAwake = crew.isAwake;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return isAwake;
    };
    // It takes a while to start.
    let woken = false;
    for (let k = 0; k < 200 && !woken; k++) woken = await wakes();
    assert.ok(woken);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(crew.isAwake, false);
    useCrew(null);
    await crew.stop();
  });

  it("is none where there is one thread", () => {
    assert.equal(startCrew(1, threadFile()), null);
  });
});
