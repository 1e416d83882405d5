import assert from "node:assert/strict";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { structureOf } from "../../../src/gradient/structure.ts";
import {
  c,
  diceLoss,
  diceScore,
  focalTversky,
  generalizedDice,
  iouLoss,
  logCoshDice,
  tverskyScore,
  vector,
  volume,
} from "./lossExpressions.ts";

const p = vector("p", 9);
const t = vector("t", 9);
const P = volume("P", 2, 3, 9);
const T = volume("T", 2, 3, 9);

function degreeOf(loss: Expr, wrt: Input = p): number | null {
  return structureOf(loss, wrt).degree;
}

describe("structure of a loss along a path", () => {
  const rewritings: Record<string, Expr> = {
    "one fraction": diceLoss(p, t),
    "without smoothing": diceLoss(p, t, { smooth: 0 }),
    "two fractions over the same sum": (() => {
      const u = b.add(b.sum(p), b.sum(t));
      return b.sub(c(1), b.add(b.div(b.mul(c(2), b.sum(b.mul(p, t))), u), b.div(c(1), u)));
    })(),
    "a reciprocal": b.sub(
      c(1),
      b.div(c(1), b.div(b.add(b.sum(p), b.sum(t)), b.mul(c(2), b.sum(b.mul(p, t))))),
    ),
    "a negative power": b.mul(b.sum(b.mul(p, t)), b.pow(b.add(b.sum(p), b.sum(t)), c(-1))),
    "means for sums": b.div(b.mul(c(2), b.mean(b.mul(p, t))), b.add(b.mean(p), b.mean(t))),
    "precision and recall": (() => {
      const tp = b.sum(b.mul(p, t));
      const precision = b.div(tp, b.sum(p));
      const recall = b.div(tp, b.sum(t));
      return b.div(b.mul(c(2), b.mul(precision, recall)), b.add(precision, recall));
    })(),
  };
  for (const [name, loss] of Object.entries(rewritings)) {
    it(`is a Möbius function of the step for linear Dice written as ${name}`, () => {
      const found = degreeOf(loss);
      // The quotient of quotients may keep a factor that cancels only in numbers.
      assert.ok(found === 1 || (name === "precision and recall" && found === 2), String(found));
    });
  }

  it("is a Möbius function for IoU and Tversky", () => {
    assert.equal(degreeOf(iouLoss(p, t)), 1);
    assert.equal(degreeOf(tverskyScore(p, t)), 1);
  });

  it("is a quotient of quadratics for squared sums, and for Dice plus IoU", () => {
    assert.equal(degreeOf(diceLoss(p, t, { squared: true })), 2);
    assert.equal(degreeOf(b.add(diceLoss(p, t), iouLoss(p, t))), 2);
  });

  it("is a polynomial for a mean squared error", () => {
    const error = b.mean(b.pow(b.sub(p, t), c(2)));
    assert.equal(degreeOf(error), 2);
    assert.equal(structureOf(error, p).cells.length, 0);
  });

  it("is merely smooth for powers, logarithms and mixtures with cross-entropy", () => {
    for (const loss of [
      focalTversky(p, t),
      logCoshDice(p, t),
      b.sub(diceLoss(p, t), b.mean(b.mul(t, b.log(p)))),
    ]) {
      const s = structureOf(loss, p);
      assert.equal(s.degree, null);
      assert.notEqual(s.smooth, null);
      assert.equal(s.cells.length, 0);
    }
  });

  it("takes a whole power of a Dice loss for a quotient of that power", () => {
    assert.equal(degreeOf(b.pow(diceLoss(p, t), c(2))), 2);
    assert.equal(degreeOf(b.pow(diceLoss(p, t, { squared: true }), c(2))), null);
  });

  it("moves one part at a time where every sample and class has its own denominator", () => {
    const s = structureOf(diceLoss(P, T, { dims: [2] }), P);
    assert.equal(s.degree, null);
    assert.deepEqual(
      s.cells.map((x) => x.degree),
      [1],
    );
  });

  it("moves one class at a time where a loop over classes was unrolled", () => {
    const scores = [0, 1, 2].map((k) => diceScore(b.index(P, 1, k), b.index(T, 1, k)));
    const s = structureOf(b.stack(scores, 0), P);
    assert.equal(s.degree, null);
    const mean = structureOf(b.sub(c(1), b.mean(b.stack(scores, 0))), P);
    assert.equal(mean.cells.length, 3);
    assert.ok(mean.cells.every((x) => x.degree === 1));
  });

  it("takes weights from the labels for constants", () => {
    assert.deepEqual(
      structureOf(generalizedDice(P, T), P).cells.map((x) => x.degree),
      [1],
    );
  });

  it("sees weights from the prediction", () => {
    const w = b.div(c(1), b.sum(b.mul(p, p)));
    const weighted = b.div(b.mul(w, b.sum(b.mul(p, t))), b.add(b.mul(w, b.sum(p)), b.sum(t)));
    assert.equal(degreeOf(weighted), 2);
  });

  it("moves the activation's result in a straight line", () => {
    const s = structureOf(diceLoss(b.sigmoid(p), t), p);
    assert.equal(s.moving.kind, "sigmoid");
    assert.equal(s.degree, 1);
    const m = structureOf(diceLoss(b.softmax(P, 1), T, { dims: [2] }), P);
    assert.equal(m.moving.kind, "softmax");
    assert.deepEqual(
      m.cells.map((x) => x.degree),
      [1],
    );
  });

  it("moves the input itself where it is used beside its activation", () => {
    const s = structureOf(b.add(diceLoss(b.sigmoid(p), t), b.mean(b.mul(p, p))), p);
    assert.equal(s.moving.kind, "line");
    assert.equal(s.degree, null);
  });

  it("names kinks and steps that depend on the input, and no others", () => {
    const clamped = b.clamp(p, c(1e-7), c(1));
    const hard = b.cast(b.binary("gt", p, c(0.5)), "float32");
    const targets = b.cast(b.binary("gt", t, c(0.5)), "float32");
    const s = structureOf(b.add(diceLoss(clamped, targets), b.mean(hard)), p);
    assert.deepEqual(s.kinks, [clamped]);
    assert.deepEqual(s.steps, [hard.args[0]]);
    assert.equal(s.degree, 1);
  });

  it("has no bound on the degree for an unknown number of factors", () => {
    assert.equal(degreeOf(b.reduce("prod", p, null)), null);
  });
});
