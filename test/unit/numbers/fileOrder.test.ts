import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { inFileOrder } from "../../../src/numbers/fileOrder.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { inOwnOrder } from "../../../src/numbers/laid.ts";

const [X, Y, Z, C] = [axis("x", 3), axis("y", 4), axis("z", 5), axis("c", 2, "class")];
const volume = [X, Y, Z];

/** The entries with the first axis fastest, as an image file has them. */
function asInFile(data: Float64Array, sizes: readonly number[]): Float64Array {
  const out = new Float64Array(data.length);
  for (let k = 0; k < data.length; k++) {
    let [rest, at, step] = [k, 0, data.length];
    for (const n of sizes.toReversed()) {
      step /= n;
      at += (rest % n) * step;
      rest = Math.floor(rest / n);
    }
    out[at] = data[k]!;
  }
  return out;
}

function slidingSum(e: Expr, dim: number): Expr {
  const rank = e.shape.length;
  const wide = b.expand(b.unsqueeze(e, rank), [...e.shape, axis("w", 3)]);
  return b.sum(b.slide(wide, dim, rank, 1, -1, e.shape[dim]!), [rank]);
}

function values(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => Math.sin((k + 1) * (seed + 1.3)));
}

function sizesOf(e: Expr): number[] {
  return e.shape.map((a) => a.size!);
}

/** The outputs from arrays as they are, and from arrays as they lie in files. */
function bothWays(outputs: readonly Expr[], reversed: readonly Expr[]): void {
  const inputs = topological(...outputs).filter((e) => e.kind === "input");
  const arrays = new Map(inputs.map((x, k) => [x.name, values(sizesOf(x).reduce((n, m) => n * m, 1), k)])); // prettier-ignore
  const want = compileKernel(outputs).run(arrays).outputs;
  const names = new Set(reversed.map((x) => (x as Input).name));
  const lying = inputs.map((x) => {
    const a = arrays.get(x.name)!;
    return [x.name, names.has(x.name) ? asInFile(a, sizesOf(x)) : a] as const;
  });
  const laid = inFileOrder(outputs, names).map((l, k) => inOwnOrder(l, outputs[k]!.shape));
  const have = compileKernel(laid).run(new Map(lying)).outputs;
  have.forEach((h, k) => {
    h.data.forEach((v, i) => {
      const w = want[k]!.data[i]!;
      assert.ok(Math.abs(v - w) <= 1e-14 * Math.max(1, Math.abs(w)), `${i}: ${v}, not ${w}`);
    });
  });
}

/** Entries of the largest array that is transposed. */
function largestTransposed(outputs: readonly Expr[]): number {
  return topological(...outputs)
    .filter((e) => e.kind === "transpose")
    .reduce((n, e) => Math.max(n, sizesOf(e).reduce((m, k) => m * k, 1)), 0); // prettier-ignore
}

describe("expressions in the order of files", () => {
  const p = b.input("p", volume) as Input;
  const t = b.input("t", volume);
  const logits = b.input("logits", [...volume, C]) as Input;
  const labels = b.input("labels", volume, "int");
  const weights = b.input("weights", [C]);
  const first = (x: Expr): Expr => b.transpose(x, [3, 0, 1, 2]);
  const dice = (a: Expr, c: Expr, dims: readonly number[] | null): Expr =>
    b.div(b.sum(b.mul(a, c), dims), b.add(b.add(b.sum(a, dims), b.sum(c, dims)), b.ONE));
  const flat = (x: Expr): Expr => b.flatten(b.unsqueeze(x, 0), 1);
  const onehot = b.oneHot(labels, C, 0);
  const softmax = b.softmax(first(logits), 0);
  const named: Readonly<Record<string, { loss: Expr; wrt: Input; of: readonly Expr[] }>> = {
    "a Dice over all axes": { loss: dice(b.sigmoid(p), t, null), wrt: p, of: [p, t] },
    "a Dice of flattened batches": { loss: b.sum(dice(flat(p), flat(t), [1])), wrt: p, of: [p, t] },
    "a Dice over some axes": { loss: b.mean(dice(p, t, [0, 2])), wrt: p, of: [p, t] },
    "a softmax over classes that come last in the file": {
      loss: b.mean(b.mul(weights, dice(softmax, onehot, [1, 2, 3]))),
      wrt: logits,
      of: [logits, labels],
    },
    "one without the background": {
      loss: b.sum(dice(b.slice(softmax, 0, 1, 2), b.slice(onehot, 0, 1, 2), [1, 2, 3])),
      wrt: logits,
      of: [logits, labels],
    },
    "one class chosen": {
      loss: dice(b.index(softmax, 0, 1), b.index(onehot, 0, 1), null),
      wrt: logits,
      of: [logits, labels],
    },
    "weights from means, stretched": {
      loss: b.sum(b.mul(b.sub(p, b.mean(p, [1, 2], true)), b.expand(b.mean(t, [0], true), volume))),
      wrt: p,
      of: [p, t],
    },
    "a gradient that is stretched whole": {
      loss: b.sum(b.mul(b.sum(p, [1]), b.sum(p, [1]))),
      wrt: p,
      of: [p],
    },
    "two arrays stacked and joined": {
      loss: b.sum(
        b.mul(
          b.stack([p, b.sub(b.ONE, p)], 0),
          b.reshape(b.concat([t, b.cast(b.argReduce("argmax", b.stack([p, t], 3), 3), "float64")], 0), [axis("k", 2), ...volume]), // prettier-ignore
        ),
      ),
      wrt: p,
      of: [p, t],
    },
    "windows that slide along one axis after another": {
      loss: b.sum(b.mul(slidingSum(slidingSum(p, 2), 0), t)),
      wrt: p,
      of: [p, t],
    },
    "conditions and bounds": {
      loss: b.sum(b.where(b.binary("gt", t, b.constant(0)), b.clamp(p, b.constant(-0.3), b.constant(0.4)), b.mul(p, p))), // prettier-ignore
      wrt: p,
      of: [p, t],
    },
  };

  for (const [name, { loss, wrt, of }] of Object.entries(named)) {
    it(`have the values that they have in their own order: ${name}`, () => {
      const gradient = derive(loss, wrt);
      bothWays([loss, gradient], of);
      // And where only one of the arrays lies so.
      for (const x of of) bothWays([loss, gradient], [x]);
    });
  }

  it("go through the files as they lie, with nothing large transposed", () => {
    for (const [name, { loss, wrt, of }] of Object.entries(named)) {
      // Joined arrays are divided otherwise.
      if (name.startsWith("two arrays")) continue;
      const names = new Set(of.map((x) => (x as Input).name));
      const laid = inFileOrder([loss, derive(loss, wrt)], names);
      assert.ok(largestTransposed(laid.map((l) => l.expr)) <= 4 * 5, name);
      const rank = wrt.shape.length;
      const reversed = wrt.shape.map((_, d) => [rank - 1 - d]);
      assert.deepEqual(laid[1]!.axes, reversed, `the gradient of ${name} lies as its array`);
    }
  });
});
