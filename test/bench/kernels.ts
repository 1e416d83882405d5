/**
 * `npx tsx test/bench/kernels.ts`: compiled kernels beside loops that a person would write for the
 * same loss and gradient (plain sums, `Math.exp`), in one run, arrays reused on both sides. Medians
 * of alternating repetitions; the ratio is what to look at.
 */
import { cpus } from "node:os";
import { axis } from "../../src/expression/axis.ts";
import * as b from "../../src/expression/build.ts";
import type { Expr, Input } from "../../src/expression/node.ts";
import { derive } from "../../src/gradient/derive.ts";
import { compileKernel } from "../../src/numbers/kernel.ts";
import { evaluateReference } from "../../src/numbers/reference.ts";
import type { TypedArray } from "../../src/numbers/typedArrays.ts";

interface Bench {
  readonly name: string;
  readonly loss: (p: Expr, t: Expr) => Expr;
  /** Writes the gradient and returns the loss. */
  readonly byHand: (x: Float32Array, t: Uint8Array, out: Float64Array) => number;
  readonly classes: number;
}

const EPS = 1e-5;

function dice(p: Expr, t: Expr, dims: readonly number[] | null): Expr {
  const both = b.add(b.sum(p, dims), b.sum(t, dims));
  const shared = b.mul(b.constant(2), b.sum(b.mul(p, t), dims));
  return b.div(b.add(shared, b.constant(EPS)), b.add(both, b.constant(EPS)));
}

function probabilitiesByHand(x: Float32Array, t: Uint8Array, out: Float64Array): number {
  let I = 0;
  let P = 0;
  let G = 0;
  for (let k = 0; k < x.length; k++) {
    I += x[k]! * t[k]!;
    P += x[k]!;
    G += t[k]!;
  }
  const n = 2 * I + EPS;
  const u = P + G + EPS;
  for (let k = 0; k < x.length; k++) out[k] = n / (u * u) - (2 * t[k]!) / u;
  return 1 - n / u;
}

function sigmoidByHand(x: Float32Array, t: Uint8Array, out: Float64Array): number {
  let I = 0;
  let P = 0;
  let G = 0;
  for (let k = 0; k < x.length; k++) {
    const p = 1 / (1 + Math.exp(-x[k]!));
    out[k] = p;
    I += p * t[k]!;
    P += p;
    G += t[k]!;
  }
  const n = 2 * I + EPS;
  const u = P + G + EPS;
  for (let k = 0; k < x.length; k++) {
    const p = out[k]!;
    out[k] = (n / (u * u) - (2 * t[k]!) / u) * p * (1 - p);
  }
  return 1 - n / u;
}

/** Cross-entropy of logits plus Dice. */
function bceDiceByHand(x: Float32Array, t: Uint8Array, out: Float64Array): number {
  let I = 0;
  let P = 0;
  let G = 0;
  let bce = 0;
  for (let k = 0; k < x.length; k++) {
    const z = x[k]!;
    const p = 1 / (1 + Math.exp(-z));
    out[k] = p;
    I += p * t[k]!;
    P += p;
    G += t[k]!;
    bce += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - z * t[k]!;
  }
  const n = 2 * I + EPS;
  const u = P + G + EPS;
  for (let k = 0; k < x.length; k++) {
    const p = out[k]!;
    out[k] = (p - t[k]!) / x.length + (n / (u * u) - (2 * t[k]!) / u) * p * (1 - p);
  }
  return bce / x.length + 1 - n / u;
}

/** Mean over four classes of the Dice of a softmax. */
function softmaxByHand(x: Float32Array, t: Uint8Array, out: Float64Array): number {
  const m = x.length / 4;
  const I = [0, 0, 0, 0];
  const U = [EPS, EPS, EPS, EPS];
  for (let k = 0; k < m; k++) {
    const top = Math.max(x[k]!, x[k + m]!, x[k + 2 * m]!, x[k + 3 * m]!);
    let s = 0;
    for (let c = 0; c < 4; c++) s += out[k + c * m] = Math.exp(x[k + c * m]! - top);
    for (let c = 0; c < 4; c++) {
      const p = (out[k + c * m] = out[k + c * m]! / s);
      I[c]! += p * t[k + c * m]!;
      U[c]! += p + t[k + c * m]!;
    }
  }
  const slope = (c: number, y: number): number =>
    ((2 * I[c]! + EPS) / (U[c]! * U[c]!) - (2 * y) / U[c]!) / 4;
  for (let k = 0; k < m; k++) {
    let inner = 0;
    for (let c = 0; c < 4; c++) inner += slope(c, t[k + c * m]!) * out[k + c * m]!;
    for (let c = 0; c < 4; c++) {
      out[k + c * m] = out[k + c * m]! * (slope(c, t[k + c * m]!) - inner);
    }
  }
  return 1 - I.reduce((sum, i, c) => sum + (2 * i + EPS) / U[c]!, 0) / 4;
}

const BENCHES: readonly Bench[] = [
  {
    name: "Dice of probabilities",
    loss: (p, t) => b.sub(b.ONE, dice(p, t, null)),
    byHand: probabilitiesByHand,
    classes: 1,
  },
  {
    name: "Dice of logits (sigmoid)",
    loss: (x, t) => b.sub(b.ONE, dice(b.sigmoid(x), t, null)),
    byHand: sigmoidByHand,
    classes: 1,
  },
  {
    name: "cross-entropy and Dice of logits",
    loss: (x, t) =>
      b.add(
        b.mean(b.sub(b.unary("softplus", x), b.mul(x, t))),
        b.sub(b.ONE, dice(b.sigmoid(x), t, null)),
      ),
    byHand: bceDiceByHand,
    classes: 1,
  },
  {
    name: "Dice of a softmax, 4 classes",
    loss: (x, t) => b.sub(b.ONE, b.mean(dice(b.softmax(x, 0), t, [1]))),
    byHand: softmaxByHand,
    classes: 4,
  },
];

function median(values: readonly number[]): number {
  return [...values].sort((p, q) => p - q)[values.length >> 1]!;
}

function time(f: () => number): { ms: number; value: number } {
  const began = performance.now();
  const value = f();
  return { ms: performance.now() - began, value };
}

function compare(bench: Bench, n: number): string {
  const shape =
    bench.classes === 1 ? [axis("i", n)] : [axis("c", bench.classes), axis("i", n / bench.classes)];
  const x = b.input("x", shape) as Input;
  const loss = bench.loss(x, b.input("t", shape));
  const compiling = time(() => {
    compileKernel([loss, derive(loss, x)]);
    return 0;
  });
  const kernel = compileKernel([loss, derive(loss, x)]);
  const xs = Float32Array.from({ length: n }, () => Math.random());
  const ts = Uint8Array.from({ length: n }, () => (Math.random() < 0.1 ? 1 : 0));
  const arrays = new Map<string, TypedArray>([
    ["x", xs],
    ["t", ts],
  ]);
  const into = [undefined, new Float64Array(n)];
  const out = new Float64Array(n);
  const ours: number[] = [];
  const theirs: number[] = [];
  const repeats = n >= 1e7 ? 9 : n >= 1e6 ? 21 : 201;
  for (let k = 0; k < repeats + 3; k++) {
    const a = time(() => kernel.run(arrays, { into }).outputs[0]!.data[0]!);
    const c = time(() => bench.byHand(xs, ts, out));
    if (!(Math.abs(a.value - c.value) < 1e-9)) throw new Error(`${a.value} is not ${c.value}`);
    if (k >= 3) {
      ours.push(a.ms);
      theirs.push(c.ms);
    }
  }
  const columns = [
    bench.name.padEnd(34),
    n.toExponential(0).padStart(6),
    compiling.ms.toFixed(1).padStart(11),
    median(ours)
      .toFixed(n < 1e5 ? 3 : 1)
      .padStart(10),
    median(theirs)
      .toFixed(n < 1e5 ? 3 : 1)
      .padStart(10),
    (median(ours) / median(theirs)).toFixed(2).padStart(7),
  ];
  return columns.join(" ");
}

console.log(`Node.js ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}\n`);
console.log(`${"".padEnd(34)}      n  compile ms  kernel ms    loop ms   ratio`);
for (const bench of BENCHES) for (const n of [1e4, 1e6, 1e7]) console.log(compare(bench, n));

const n = 1e6;
const x = b.input("x", [axis("i", n)]) as Input;
const t = b.input("t", [axis("i", n)]);
const arrays = new Map<string, TypedArray>([
  ["x", Float32Array.from({ length: n }, () => Math.random())],
  ["t", Uint8Array.from({ length: n }, () => (Math.random() < 0.1 ? 1 : 0))],
]);
console.log("\ndouble-double reference, loss and gradient, ms for 1e6 entries");
for (const { name, loss, classes } of BENCHES) {
  if (classes > 1) continue;
  const e = loss(x, t);
  const outputs = [e, derive(e, x)];
  const taken = [0, 1, 2].map(() => time(() => evaluateReference(outputs, arrays)[0]!.hi[0]!).ms);
  console.log(`${name.padEnd(34)} ${median(taken).toFixed(0).padStart(6)}`);
}
