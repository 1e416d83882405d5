import assert from "node:assert/strict";
import fc from "fast-check";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr } from "../../../src/expression/node.ts";
import {
  errorBound,
  errorScale,
  operationDepth,
  reductionDepth,
} from "../../../src/numbers/errorScale.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { evaluateReference } from "../../../src/numbers/reference.ts";
import { randomCase } from "./randomExpression.ts";

const U64 = 2 ** -53;
const U32 = 2 ** -24;

type Round = (x: number) => number;
const float64: Round = (x) => x;
const float32: Round = Math.fround;

/** Sum in halves, as libraries do it. */
function pairwise(values: Float64Array, r: Round, from = 0, to = values.length): number {
  if (to - from <= 8) {
    let s = 0;
    for (let k = from; k < to; k++) s = r(s + values[k]!);
    return s;
  }
  const half = (from + to) >> 1;
  return r(pairwise(values, r, from, half) + pairwise(values, r, half, to));
}

interface Case {
  readonly p: Float64Array;
  readonly t: Float64Array;
  readonly s: number;
}

/** The gradient of 1 − (2Σpt + s)/(Σp + Σt + s) by p, written in six equivalent ways. */
const FORMS: Readonly<Record<string, (c: Case, r: Round) => Float64Array>> = {
  "two terms": ({ p, t, s }, r) => {
    const { I, U } = sums(p, t, s, r);
    const a = r(r(r(2 * I) + s) / r(U * U));
    return t.map((x) => r(a - r(r(2 * x) / U)));
  },
  "one fraction": ({ p, t, s }, r) => {
    const { I, U } = sums(p, t, s, r);
    const n = r(r(2 * I) + s);
    const d = r(U * U);
    return t.map((x) => r(r(n - r(r(2 * x) * U)) / d));
  },
  "a reciprocal": ({ p, t, s }, r) => {
    const { I, U } = sums(p, t, s, r);
    const q = r(1 / U);
    const dice = r(r(r(2 * I) + s) * q);
    return t.map((x) => r(q * r(dice - r(2 * x))));
  },
  "true and false positives": ({ p, t, s }, r) => {
    const tp = pairwise(
      p.map((x, k) => r(x * t[k]!)),
      r,
    );
    const fp = pairwise(
      p.map((x, k) => r(x * r(1 - t[k]!))),
      r,
    );
    const fn = pairwise(
      p.map((x, k) => r(r(1 - x) * t[k]!)),
      r,
    );
    const n = r(r(2 * tp) + s);
    const d = r(r(r(r(2 * tp) + fp) + fn) + s);
    return t.map((x) => {
      const dd = r(r(r(2 * x) + r(1 - x)) - x);
      return r(r(r(n * dd) - r(r(2 * x) * d)) / r(d * d));
    });
  },
  means: ({ p, t, s }, r) => {
    const n = p.length;
    const I = r(
      pairwise(
        p.map((x, k) => r(x * t[k]!)),
        r,
      ) / n,
    );
    const U = r(r(r(pairwise(p, r) / n) + r(pairwise(t, r) / n)) + r(s / n));
    const a = r(r(r(2 * I) + r(s / n)) / r(U * U));
    return t.map((x) => r(r(a - r(r(2 * x) / U)) / n));
  },
  logarithms: ({ p, t, s }, r) => {
    const { I, U } = sums(p, t, s, r);
    const n = r(r(2 * I) + s);
    const dice = r(n / U);
    return t.map((x) => r(dice * r(r(1 / U) - r(r(2 * x) / n))));
  },
};

function sums(p: Float64Array, t: Float64Array, s: number, r: Round): { I: number; U: number } {
  const I = pairwise(
    p.map((x, k) => r(x * t[k]!)),
    r,
  );
  return { I, U: r(r(pairwise(p, r) + pairwise(t, r)) + s) };
}

function diceGradient(n: number, s: number): Expr {
  const i = axis("i", n);
  const p = b.input("p", [i]);
  const t = b.input("t", [i]);
  const numerator = b.add(b.mul(b.constant(2), b.sum(b.mul(p, t))), b.constant(s));
  const denominator = b.add(b.add(b.sum(p), b.sum(t)), b.constant(s));
  return b.sub(
    b.div(numerator, b.mul(denominator, denominator)),
    b.div(b.mul(b.constant(2), t), denominator),
  );
}

/** Largest error in units of u·S. */
function worst(
  got: Float64Array,
  hi: Float64Array,
  lo: Float64Array,
  scale: Float64Array,
  u: number,
): number {
  let most = 0;
  got.forEach((g, k) => {
    const error = Math.abs(g - hi[k]! - lo[k]!);
    if (error !== 0) most = Math.max(most, error / (u * scale[k]!));
  });
  return most;
}

/** Predictions uniform or sharp, float32, with 5 % foreground. */
function randomDice(n: number, seed: number, sharp: boolean, s: number): Case {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const t = Float64Array.from({ length: n }, () => (uniform() < 0.05 ? 1 : 0));
  const p = Float64Array.from({ length: n }, (_, k) =>
    Math.fround(sharp ? 1 / (1 + Math.exp(-6 * (uniform() + t[k]! * 1.5 - 1))) : uniform()),
  );
  return { p, t, s: Math.fround(s) };
}

describe("the scale of rounding errors", () => {
  for (const n of [1, 2, 7, 64, 1000, 30_000, 1_000_000]) {
    it(`right code stays within half the bound in six ways of writing it, n = ${n}`, () => {
      const repeats = n > 1e5 ? 1 : n > 1e4 ? 3 : 20;
      for (let seed = 1; seed <= repeats; seed++) {
        const c = randomDice(n, seed * 7919 + n, seed % 2 === 0, seed % 3 === 0 ? 1 : 1e-5);
        const e = diceGradient(n, c.s);
        const arrays = new Map([
          ["p", c.p],
          ["t", c.t],
        ]);
        const [reference] = evaluateReference([e], arrays);
        const scale = errorScale(e, arrays).data;
        const bound = errorBound(reductionDepth(e), operationDepth(e));
        for (const [name, form] of Object.entries(FORMS)) {
          for (const [r, u] of [
            [float64, U64],
            [float32, U32],
          ] as const) {
            const most = worst(form(c, r), reference!.hi, reference!.lo, scale, u);
            assert.ok(most <= bound / 2, `${name}, seed ${seed}, u = ${u}: ${most} of ${bound}`);
          }
        }
      }
    });
  }

  it("a wrong gradient is far beyond the bound, even among a million entries", () => {
    const n = 1_000_000;
    const c = randomDice(n, 5, false, 1);
    const e = diceGradient(n, c.s);
    const arrays = new Map([
      ["p", c.p],
      ["t", c.t],
    ]);
    const [reference] = evaluateReference([e], arrays);
    const scale = errorScale(e, arrays).data;
    const bound = errorBound(reductionDepth(e), operationDepth(e));
    // The smoothing left out of the denominator: relatively 1/U.
    const wrong = FORMS["two terms"]!({ ...c, s: 0 }, float64);
    assert.ok(worst(wrong, reference!.hi, reference!.lo, scale, U64) > 1e4 * bound);
  });

  it("holds for kernels of random expressions, with every node kind", () => {
    fc.assert(
      fc.property(randomCase, ({ outputs, arrays }) => {
        const got = compileKernel(outputs).run(arrays).outputs;
        const reference = evaluateReference(outputs, arrays);
        outputs.forEach((e, k) => {
          const scale = errorScale(e, arrays).data;
          const bound = errorBound(reductionDepth(e), operationDepth(e));
          got[k]!.data.forEach((g, i) => {
            const { hi, lo } = reference[k]!;
            if (!Number.isFinite(hi[i]!)) return;
            const error = Math.abs(g - hi[i]! - lo[i]!);
            const allowed = bound * U64 * scale[i]! + 1e-300;
            assert.ok(error <= allowed, `entry ${i}: ${error} of ${allowed}, value ${g}`);
          });
        });
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it("counts the terms of sums on the way, sums of sums together", () => {
    const x = b.input("x", [axis("b", 4), axis("i", 100)]);
    assert.equal(reductionDepth(b.exp(x)), 1);
    assert.equal(reductionDepth(b.sum(x, [1])), 100);
    assert.equal(reductionDepth(b.mean(b.div(b.sum(x, [1]), b.add(b.sum(x, [1]), b.ONE)))), 400);
    assert.equal(reductionDepth(b.softmax(x, 0)), 4);
    assert.equal(errorBound(1), 8);
    assert.equal(errorBound(1_000_000), 48);
    assert.equal(errorBound(0), 8);
  });

  it("gives long chains of operations their own depth", () => {
    let e = b.input("x", [axis("i", 5)]);
    for (let k = 0; k < 40; k++) e = b.add(b.mul(e, b.constant(0.5)), b.constant(0.1));
    assert.equal(operationDepth(e), 80);
    assert.equal(errorBound(1, operationDepth(e)), 80);
    const x = b.input("x", [axis("i", 5)]);
    assert.equal(operationDepth(b.where(b.binary("gt", x, b.ZERO), b.neg(x), x)), 0);
  });

  it("is the sum of absolute terms where nothing cancels, however long the formula", () => {
    const i = axis("i", 50);
    const [p, t] = [b.input("p", [i]), b.input("t", [i])];
    const arrays = new Map([
      ["p", Float64Array.from({ length: 50 }, (_, k) => (k + 1) / 60)],
      ["t", Float64Array.from({ length: 50 }, (_, k) => k % 2)],
    ]);
    const w = b.div(b.ONE, b.pow(b.sum(t), b.constant(2)));
    const u = b.mul(w, b.sum(b.add(p, t)));
    const numerator = b.mul(w, b.sum(b.mul(p, t)));
    const term = b.mul(b.div(numerator, b.pow(u, b.constant(2))), b.unary("sqrt", u));
    const value = compileKernel([term]).run(arrays).outputs[0]!.data[0]!;
    assert.ok(Math.abs(errorScale(term, arrays).data[0]! / value - 1) < 1e-12);
    assert.ok(operationDepth(term) < 40);
  });

  it("adds up the errors of factors and takes the larger of terms", () => {
    const x = b.input("x", [axis("i", 5)]);
    const y = b.add(x, b.ONE); // 1
    assert.equal(operationDepth(b.mul(y, y)), 3);
    assert.equal(operationDepth(b.add(y, y)), 2);
    assert.equal(operationDepth(b.pow(y, b.constant(3))), 5);
    assert.equal(operationDepth(b.div(b.mul(y, y), y)), 5);
  });

  it("does not charge exact data with errors, and charges cancellation", () => {
    const x = b.input("x", []);
    const at = (e: Expr, v: number): number => errorScale(e, new Map([["x", v]])).data[0]!;
    assert.equal(at(b.neg(x), -3), 3);
    assert.equal(at(b.sub(b.add(x, b.ONE), b.ONE), 0.5), 2.5);
    assert.ok(Math.abs(at(b.exp(x), 2) - Math.exp(2)) < 1e-14);
    assert.ok(Math.abs(at(b.exp(b.sub(x, b.ONE)), 2) - Math.E * 3) < 1e-14);
    assert.equal(at(b.log(x), 1), 0);
    assert.equal(at(b.div(b.ONE, b.sub(x, b.constant(1.5))), 2), 14);
  });

  it("is a number where a power of 0 is, and infinite where its slope is", () => {
    const x = b.input("x", []);
    const y = b.sub(x, b.ONE); // 0 at 1
    const gamma = b.parameter("gamma", 1);
    const at = (e: Expr): number => errorScale(e, new Map([["x", 1]])).data[0]!;
    assert.equal(at(b.pow(y, b.div(b.ONE, gamma))), 2);
    assert.equal(at(b.pow(y, b.sub(gamma, b.ONE))), 1);
    assert.equal(at(b.pow(y, b.parameter("half", 0.5))), Infinity);
    const t = b.input("t", []);
    const product = b.mul(t, b.pow(y, b.parameter("half", 0.5)));
    const arrays = new Map([
      ["x", 1],
      ["t", 0],
    ]);
    assert.equal(errorScale(product, arrays).data[0], 0);
  });

  it("is infinite where a number without a digit was clamped", () => {
    const x = b.input("x", []);
    const clamped = b.clamp(b.log(b.sub(x, b.ONE)), b.constant(-100), b.constant(Infinity));
    const at = (v: number): number => errorScale(clamped, new Map([["x", v]])).data[0]!;
    assert.equal(at(1), Infinity);
    assert.ok(at(1.5) < 10);
  });
});
