/**
 * What the first kernel of a process takes beyond a later run, for one of the losses that volumes
 * are timed with: planning its passes, writing them down and the engine's own compiling. Prints
 * milliseconds. `main.ts` bundles it as the extension is bundled, and runs it in new processes.
 */
import * as b from "../../src/expression/build.ts";
import type { Input } from "../../src/expression/node.ts";
import { derive } from "../../src/gradient/derive.ts";
import { compileKernel } from "../../src/numbers/kernel.ts";
import { LOSSES, fill, shapeOf } from "./volumeLosses.ts";

const ENTRIES = 1 << 13;

const loss = LOSSES.find((l) => l.key === process.argv[2])!;
const shape = shapeOf(loss, ENTRIES);
const [x, t] = [b.input("x", shape) as Input, b.input("t", shape)];
const [xs, ts] = [new Float32Array(ENTRIES), new Float32Array(ENTRIES)];
fill(loss, xs, ts);
const arrays = new Map([
  ["x", xs],
  ["t", ts],
]);
const outputs = [loss.of(x, t), derive(loss.of(x, t), x)];
const began = performance.now();
const kernel = compileKernel(outputs, { vectors: "always", arithmetic: "float32" });
kernel.run(arrays);
const first = performance.now();
kernel.run(arrays);
console.log(String(2 * first - began - performance.now()));
