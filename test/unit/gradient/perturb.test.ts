import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import {
  type BoundArray,
  evaluate,
  evaluateAll,
  float64,
} from "../../../src/expression/evaluate.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import { labelsOf } from "../../../src/gradient/cells.ts";
import { layoutOf, sourceEntry, targetEntries } from "../../../src/gradient/entries.ts";
import { elementDerivative } from "../../../src/gradient/elements.ts";
import { Perturbation } from "../../../src/gradient/perturb.ts";
import { uniform } from "./data.ts";
import {
  c,
  diceLoss,
  diceScore,
  focalTversky,
  generalizedDice,
  vector,
  volume,
} from "./lossExpressions.ts";

const P = volume("P", 2, 3, 100);
const T = volume("T", 2, 3, 100);
const p = vector("p", 100);
const t = vector("t", 100);

function bind(...inputs: readonly Input[]): Map<string, BoundArray> {
  return new Map(
    inputs.map((e, k) => {
      const { sizes, count } = layoutOf(e);
      const random = uniform(k + 1);
      const data = Float64Array.from({ length: count }, () =>
        e.name.toLowerCase() === "t" ? (random() < 0.3 ? 1 : 0) : 0.05 + 0.9 * random(),
      );
      return [e.name, { shape: sizes, data }];
    }),
  );
}

function perturbation(
  loss: Expr,
  wrt: Input,
  arrays: ReadonlyMap<string, BoundArray>,
): Perturbation<number> {
  const sums = Perturbation.reductions(loss);
  const values = new Map(evaluateAll(sums, arrays).map((v, k) => [sums[k]!, v.data]));
  return new Perturbation(loss, wrt, float64, {
    input: (e, at) => arrays.get(e.name)!.data[at]!,
    reduction: (e, at) => values.get(e)![at]!,
    parameter: (e) => (e.kind === "parameter" ? e.value! : NaN),
  });
}

/** The expression through every kind of node that only moves entries. */
function shuffled(x: Expr): Expr {
  const swapped = b.transpose(x, [2, 0, 1]);
  const parts = [b.slice(swapped, 0, 0, 60), b.slice(swapped, 0, 60, 100)];
  const again = b.transpose(b.concat(parts, 0), [1, 2, 0]);
  const classes = [0, 1, 2].map((k) => b.index(again, 1, k));
  const stacked = b.stack(classes, 1);
  const even = b.spread(b.slice(stacked, 2, 0, 100, 2), 2, 0, 2, axis("i", 100));
  const odd = b.spread(b.slice(stacked, 2, 1, 100, 2), 2, 1, 2, axis("i", 100));
  return b.reshape(b.add(even, odd), [axis("b", 2), axis("k", 300)]);
}

/** Means over windows of 25 along the last axis, which reach over its ends. */
function smoothed(x: Expr): Expr {
  const within = axis("w", 25);
  const wide = b.expand(b.unsqueeze(x, 3), [...x.shape, within]);
  return b.mean(b.slide(wide, 2, 3, 1, -12, x.shape[2]!), [3]);
}

const losses: Record<string, [Expr, Input]> = {
  "linear Dice": [diceLoss(p, t), p],
  "squared Dice": [diceLoss(p, t, { squared: true }), p],
  "focal Tversky": [focalTversky(p, t), p],
  "Dice by sample and class": [diceLoss(P, T, { dims: [2] }), P],
  "generalised Dice": [generalizedDice(P, T), P],
  "Dice of a softmax": [diceLoss(b.softmax(P, 1), T, { dims: [2] }), P],
  "Dice of a log-softmax's exponential": [diceLoss(b.exp(b.softmax(P, 1, true)), T), P],
  "one class after a softmax": [
    diceLoss(b.index(b.softmax(P, 1), 1, 1), b.index(T, 1, 1), { dims: [1] }),
    P,
  ],
  "Dice through views": [diceLoss(shuffled(P), b.reshape(T, [axis("b", 2), axis("k", 300)])), P],
  "Dice of means over windows": [diceLoss(smoothed(P), smoothed(T), { squared: true }), P],
  "an unrolled loop over classes": [
    b.mean(
      b.stack(
        [0, 1, 2].map((k) => diceScore(b.index(P, 1, k), b.index(T, 1, k))),
        0,
      ),
    ),
    P,
  ],
  "a clamped and thresholded mixture": [
    b.add(
      diceLoss(b.clamp(p, c(0.1), c(0.8)), t),
      b.mean(b.mul(b.where(b.binary("gt", p, c(0.4)), p, b.abs(b.sub(p, t))), t)),
    ),
    p,
  ],
  "a product over classes": [b.mean(b.reduce("prod", P, [1])), P],
  "a largest entry a class": [b.mean(b.reduce("max", P, [1])), P],
  "a detached weight": [b.mul(diceLoss(p, t), b.stopGradient(b.add(c(1), b.mean(p)))), p],
  "a position of the largest": [
    b.mean(
      b.mul(P, b.transpose(b.oneHot(b.argReduce("argmax", P, 1), axis("c", 3), 2), [0, 2, 1])),
    ),
    P,
  ],
};

describe("moving one element of an input", () => {
  for (const [name, [loss, wrt]] of Object.entries(losses)) {
    it(`gives the same value as evaluating everything: ${name}`, () => {
      const arrays = bind(...topological(loss).filter((e): e is Input => e.kind === "input"));
      const moved = perturbation(loss, wrt, arrays);
      const detached = topological(loss).find((e) => e.kind === "stopGradient");
      const held = detached === undefined ? null : evaluate(detached, arrays).data[0]!;
      const own = arrays.get(wrt.name)!;
      for (let k = 0; k < own.data.length; k += 41) {
        const reach = moved.reach(k);
        assert.ok(reach !== null);
        for (const step of [0, 0.03, -0.02]) {
          const data = Float64Array.from(own.data);
          data[k] = data[k]! + step;
          const all = new Map(arrays).set(wrt.name, { shape: own.shape, data });
          let want = evaluate(loss, all).data[0]!;
          if (held !== null) want *= held / evaluate(detached!, all).data[0]!;
          const got = moved.value(reach, step);
          assert.ok(got !== null);
          assert.ok(Math.abs(got - want) < 1e-12, `${got} against ${want} at ${k}`);
        }
      }
    });
  }

  it("goes through a long unrolled chain of scalars", () => {
    let loss = b.sum(p);
    for (let k = 0; k < 20_000; k++) loss = b.add(loss, b.mul(loss, c(1e-9)));
    const arrays = bind(p);
    const moved = perturbation(loss, p, arrays);
    const before = moved.value(moved.reach(3)!, 0)!;
    const after = moved.value(moved.reach(3)!, 0.5)!;
    assert.ok(Math.abs(after - before - 0.5 * Math.exp(2e-5)) < 1e-9);
  });

  it("is declined where one element reaches a whole volume", () => {
    const big = vector("big", 3000);
    const normalised = b.mean(b.pow(b.div(big, b.sum(big)), c(3)));
    assert.equal(perturbation(normalised, big, bind(big)).reach(5), null);
  });

  it("is declined where the largest of a long line moves inward", () => {
    const loss = b.reduce("max", p, null);
    const arrays = bind(p);
    const data = arrays.get("p")!.data as Float64Array;
    const top = data.indexOf(Math.max(...data));
    const moved = perturbation(loss, p, arrays);
    assert.equal(moved.value(moved.reach(top)!, -0.1), null);
    assert.equal(moved.value(moved.reach((top + 1) % 100)!, -0.01), data[top]);
  });
});

describe("entries of nodes", () => {
  it("go to the entries that take them, for every kind of node", () => {
    for (const [loss] of Object.values(losses)) {
      for (const e of topological(loss)) {
        e.args.forEach((arg, which) => {
          if (["reduce", "softmax", "argReduce"].includes(e.kind)) return;
          for (let k = 0; k < layoutOf(e).count; k += 5) {
            const from = sourceEntry(e, which, k);
            if (from < 0) continue;
            const back = targetEntries(e, which, from, 10_000);
            assert.ok(back?.includes(k), `${e.kind}: ${k} from ${from}`);
          }
          assert.ok(layoutOf(arg).count > 0);
        });
      }
    }
  });

  it("carry labels to the parts of an input that each denominator depends on", () => {
    const loss = diceLoss(P, T, { dims: [2] });
    const den = topological(loss).find((e) => e.kind === "binary" && e.op === "div")!.args[1]!;
    const labels = labelsOf(P, new Map([[den, Int32Array.from([1, 2, 3, 4, 5, 6])]]));
    for (let k = 0; k < 600; k++) assert.equal(labels[k], Math.floor(k / 100) + 1);
  });

  it("carry labels through views and unrolled loops, and tell what several reach", () => {
    const [one, two] = [0, 1].map((k) => b.sum(b.index(P, 1, k)));
    const both = b.sum(b.index(P, 0, 1));
    const labels = labelsOf(
      P,
      new Map([
        [one!, Int32Array.of(1)],
        [two!, Int32Array.of(2)],
        [both, Int32Array.of(3)],
      ]),
    );
    assert.deepEqual([labels[5], labels[105], labels[205]], [1, 2, 0]);
    assert.deepEqual([labels[305], labels[405], labels[505]], [-1, -1, 3]);
  });

  it("carry labels through a softmax to its whole line", () => {
    const s = b.softmax(P, 1);
    const labels = labelsOf(P, new Map([[b.sum(b.index(s, 1, 2)), Int32Array.of(7)]]));
    assert.ok(labels.every((l) => l === 7));
  });
});

describe("numeric derivative by one element", () => {
  const source = (f: (x: number) => number, x: number) => ({
    on: float64,
    toNumber: (v: number): number => v,
    noise: 2 ** -53,
    valueAt: (_element: number, step: number): number => f(x + step),
    entry: (): number => x,
  });

  it("is a central difference without truncation error to speak of", () => {
    const d = elementDerivative(
      source((x) => x / (2 + x), 0.4),
      0,
    )!;
    assert.ok(Math.abs(d.numeric - 2 / 2.4 ** 2) <= d.bar);
    assert.ok(d.bar < 1e-9);
    assert.equal(d.kink, false);
  });

  it("tells the slopes on both sides of a kink, and a jump", () => {
    const d = elementDerivative(
      source((x) => Math.abs(x - 0.5) + x, 0.5),
      0,
    )!;
    assert.equal(d.kink, true);
    assert.ok(Math.abs(d.left) < 1e-6 && Math.abs(d.right - 2) < 1e-6);
    assert.equal(
      elementDerivative(
        source((x) => (x > 0.5 ? 1 : 0), 0.5),
        0,
      )!.kink,
      true,
    );
  });

  it("passes by a kink that is near but not at the point", () => {
    const d = elementDerivative(
      source((x) => Math.max(x, 0.50002), 0.5),
      0,
    )!;
    assert.equal(d.kink, false);
    assert.ok(Math.abs(d.numeric) < 1e-3);
  });

  it("takes one side at the end of a domain", () => {
    const d = elementDerivative(
      source((x) => x + x ** 1.5, 0),
      0,
    )!;
    assert.ok(Math.abs(d.numeric - 1) < 1e-3, `${d.numeric}`);
    assert.equal(d.kink, false);
  });
});
