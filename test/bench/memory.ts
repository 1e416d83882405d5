/**
 * Prints how much more memory than the arrays a kernel takes for loss and gradient of a volume (or
 * the reference in double-double for the gradient, whose two parts are counted as arrays too), in
 * MB; volumes.ts runs it in a process of its own.
 */
import { axis } from "../../src/expression/axis.ts";
import * as b from "../../src/expression/build.ts";
import type { Input } from "../../src/expression/node.ts";
import { derive } from "../../src/gradient/derive.ts";
import { compileKernel } from "../../src/numbers/kernel.ts";
import { evaluateReference } from "../../src/numbers/reference.ts";
import { Arena } from "../../src/numbers/wasm/arena.ts";

const n = Number(process.argv[2]);
const isReference = process.argv[3] === "reference";
const x = b.input("x", [axis("i", n)]) as Input;
const t = b.input("t", [axis("i", n)]);
const p = b.sigmoid(x);
const loss = b.div(b.sum(b.mul(p, t)), b.add(b.sum(p), b.sum(t)));
const kernel = compileKernel([loss, derive(loss, x)], { vectors: "always", arithmetic: "float32" });
const arrays = new Map([
  ["x", new Float32Array(n).fill(0.5)],
  ["t", new Float32Array(n).fill(1)],
]);
// What stands now, not the highest so far: what starting took and gave back does not count.
const before = process.memoryUsage().rss / 1024;
const entries = isReference
  ? evaluateReference([derive(loss, x)], arrays, { arena: new Arena() })[0]!.hi.length
  : kernel.run(arrays).outputs[1]!.data.length;
if (entries !== n) throw new Error("no gradient");
const grown = (process.resourceUsage().maxRSS - before) / 1024;
console.log((grown - ((isReference ? 16 : 4) * n) / 2 ** 20).toFixed(0));
