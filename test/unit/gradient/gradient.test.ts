import assert from "node:assert/strict";
import { UNIT, axis, flattenAxes } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { type EqualityOptions, decideEqual } from "../../../src/expression/equality.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import { divisorsOf, gradient } from "../../../src/gradient/gradient.ts";

const B = axis("b", 2, "batch");
const C = axis("c", 3, "class");
const H = axis("h", 64, "space");
const W = axis("w", 64, "space");
const z = b.input("z", [B, C, H, W]);
const p = b.input("p", [B, C, H, W]);
const t = b.input("t", [B, C, H, W]);
const smooth = b.parameter("smooth", 1e-5);
const alpha = b.parameter("alpha", 0.3);
const beta = b.parameter("beta", 0.7);
const gamma = b.parameter("gamma", 0.75);
const TWO = b.constant(2);
const square = (x: Expr): Expr => b.pow(x, TWO);
const complement = (x: Expr): Expr => b.sub(b.ONE, x);

/** A ratio N/U over a region with the slopes of N and U by one probability of the region. */
interface Family {
  readonly ratio: (p: Expr, sum: (x: Expr) => Expr) => { readonly N: Expr; readonly U: Expr };
  readonly slopes: (p: Expr) => { readonly N: Expr; readonly U: Expr };
}

const overlap = (p: Expr, sum: (x: Expr) => Expr): Expr => sum(b.mul(p, t));
const families: Record<string, Family> = {
  "linear Dice": {
    ratio: (p, sum) => ({
      N: b.add(b.mul(TWO, overlap(p, sum)), smooth),
      U: b.add(b.add(sum(p), sum(t)), smooth),
    }),
    slopes: () => ({ N: b.mul(TWO, t), U: b.ONE }),
  },
  "squared Dice": {
    ratio: (p, sum) => ({
      N: b.add(b.mul(TWO, overlap(p, sum)), smooth),
      U: b.add(b.add(sum(b.mul(p, p)), sum(square(t))), smooth),
    }),
    slopes: (p) => ({ N: b.mul(TWO, t), U: b.mul(TWO, p) }),
  },
  Tversky: {
    ratio: (p, sum) => {
      const falsePositives = sum(b.mul(p, complement(t)));
      const falseNegatives = sum(b.mul(complement(p), t));
      const errors = b.add(b.mul(alpha, falsePositives), b.mul(beta, falseNegatives));
      return {
        N: b.add(overlap(p, sum), smooth),
        U: b.add(b.add(overlap(p, sum), errors), smooth),
      };
    },
    slopes: () => ({
      N: t,
      U: b.add(alpha, b.mul(b.sub(complement(alpha), beta), t)),
    }),
  },
  Jaccard: {
    ratio: (p, sum) => ({
      N: b.add(overlap(p, sum), smooth),
      U: b.add(b.sub(b.add(sum(p), sum(t)), overlap(p, sum)), smooth),
    }),
    slopes: () => ({ N: t, U: complement(t) }),
  },
  "L1 semimetric": {
    ratio: (p, sum) => {
      const both = b.add(sum(p), sum(t));
      const shared = b.mul(b.constant(0.5), b.sub(both, sum(b.abs(b.sub(p, t)))));
      return { N: b.add(b.mul(TWO, shared), smooth), U: b.add(both, smooth) };
    },
    slopes: (p) => ({ N: complement(b.sign(b.sub(p, t))), U: b.ONE }),
  },
};

/** Regions: everything at once, a sample, a class over the batch, a class of a sample. */
const regions: Record<string, readonly number[]> = {
  everything: [0, 1, 2, 3],
  "each sample": [1, 2, 3],
  "each class": [0, 2, 3],
  "each class of each sample": [2, 3],
};

/** (−N′U + NU′)/U², the slope of 1 − N/U by a probability. */
function quotientRule(family: Family, p: Expr, dims: readonly number[]): Expr {
  const { N, U } = family.ratio(p, (x) => b.sum(x, dims, true));
  const slope = family.slopes(p);
  return b.div(b.sub(b.mul(N, slope.U), b.mul(slope.N, U)), square(U));
}

function lossOf(family: Family, p: Expr, dims: readonly number[]): Expr {
  const { N, U } = family.ratio(p, (x) => b.sum(x, dims));
  return b.mean(complement(b.div(N, U)));
}

/** Over how many regions the loss is a mean. */
function regionCount(dims: readonly number[]): Expr {
  return b.size(p.shape.filter((_, d) => !dims.includes(d)));
}

function same(x: Expr, y: Expr, options: EqualityOptions = {}): void {
  const verdict = decideEqual(x, y, { parameters: "free", ...options });
  assert.equal(verdict.equal, true, JSON.stringify(verdict.counterexample ?? verdict.reason));
}
function different(x: Expr, y: Expr): void {
  assert.equal(decideEqual(x, y, { parameters: "free" }).equal, false);
}

describe("the gradient equals the hand-derived one", () => {
  for (const [name, family] of Object.entries(families)) {
    for (const [over, dims] of Object.entries(regions)) {
      it(`for ${name} over ${over}`, () => {
        const expected = b.div(quotientRule(family, p, dims), regionCount(dims));
        const derived = gradient(lossOf(family, p, dims), p);
        same(derived, expected);
        different(derived, b.mul(b.constant(1 + 1e-12), expected));
      });
    }
  }

  for (const name of ["linear Dice", "squared Dice", "Tversky", "Jaccard"]) {
    const family = families[name]!;
    it(`for ${name} with the sigmoid inside`, () => {
      const s = b.sigmoid(z);
      const chain = b.mul(s, complement(s));
      const expected = b.mul(quotientRule(family, s, [0, 1, 2, 3]), chain);
      same(gradient(lossOf(family, s, [0, 1, 2, 3]), z), expected);
      different(gradient(lossOf(family, s, [0, 1, 2, 3]), z), b.div(expected, s));
    });
    it(`for ${name} of each class with the softmax inside`, () => {
      const s = b.softmax(z, 1);
      const inner = b.div(quotientRule(family, s, [0, 2, 3]), regionCount([0, 2, 3]));
      const expected = b.mul(s, b.sub(inner, b.sum(b.mul(inner, s), [1], true)));
      same(gradient(lossOf(family, s, [0, 2, 3]), z), expected);
    });
  }

  it("for focal Tversky: γ(1 − TI)^(γ−1) in front", () => {
    const family = families["Tversky"]!;
    const dims = [0, 1, 2, 3];
    const { N, U } = family.ratio(p, (x) => b.sum(x));
    const distance = complement(b.div(N, U));
    const front = b.mul(gamma, b.pow(distance, b.sub(gamma, b.ONE)));
    same(gradient(b.pow(distance, gamma), p), b.mul(front, quotientRule(family, p, dims)));
  });

  it("for log-cosh Dice: tanh(1 − D) in front", () => {
    const family = families["linear Dice"]!;
    const loss = lossOf(family, p, [0, 1, 2, 3]);
    const derived = gradient(b.log(b.unary("cosh", loss)), p);
    same(derived, b.mul(b.unary("tanh", loss), quotientRule(family, p, [0, 1, 2, 3])));
    assert.ok(topological(derived).some((e) => e.kind === "unary" && e.op === "tanh"));
  });

  it("for log Dice: the denominators of the ratio part", () => {
    const { N, U } = families["linear Dice"]!.ratio(p, (x) => b.sum(x));
    const derived = gradient(b.neg(b.log(b.div(N, U))), p);
    same(derived, b.sub(b.div(b.ONE, U), b.div(b.mul(TWO, t), N)));
    assert.ok(!topological(derived).some((e) => e.kind === "binary" && e.op === "pow"));
  });

  it("for generalized Dice: the class weight in front", () => {
    const dims = [0, 2, 3];
    const weight = b.div(b.ONE, square(b.add(b.sum(t, dims), smooth)));
    const N = b.mul(TWO, b.sum(b.mul(weight, b.sum(b.mul(p, t), dims))));
    const U = b.sum(b.mul(weight, b.add(b.sum(p, dims), b.sum(t, dims))));
    const w = b.reshape(weight, [C, UNIT, UNIT]);
    const slope = b.div(b.sub(N, b.mul(b.mul(TWO, t), U)), square(U));
    same(gradient(complement(b.div(N, U)), p), b.mul(w, slope));
  });

  it("for Dice plus cross entropy, each with its own gradient", () => {
    const s = b.sigmoid(z);
    const entropy = b.neg(
      b.mean(b.add(b.mul(t, b.log(s)), b.mul(complement(t), b.log(complement(s))))),
    );
    const dice = lossOf(families["linear Dice"]!, s, [0, 1, 2, 3]);
    const chain = b.mul(s, complement(s));
    const expected = b.add(
      b.mul(quotientRule(families["linear Dice"]!, s, [0, 1, 2, 3]), chain),
      b.div(b.sub(s, t), b.size([B, C, H, W])),
    );
    same(gradient(b.add(dice, entropy), z), expected);
  });
});

describe("the gradient's form", () => {
  const named = (dims: readonly number[] | null): { N: Expr; U: Expr } =>
    families["linear Dice"]!.ratio(p, (x) => b.sum(x, dims));

  it("is (2I+ε)/(P+T+ε)² − 2t/(P+T+ε) for Dice, flattened or not", () => {
    const { N, U } = named(null);
    const expected = b.sub(b.div(N, square(U)), b.div(b.mul(TWO, t), U));
    assert.ok(gradient(complement(b.div(N, U)), p) === expected);
    const flat = (e: Expr): Expr => b.reshape(e, [flattenAxes([B, C, H, W])]);
    const sum = b.sum(b.mul(flat(p), flat(t)));
    const ratio = b.div(
      b.add(b.mul(TWO, sum), smooth),
      b.add(b.add(b.sum(flat(p)), b.sum(flat(t))), smooth),
    );
    assert.ok(gradient(complement(ratio), p) === expected);
  });

  it("shows N·U′ − N′·U over one fraction each for Jaccard", () => {
    const { N, U } = families["Jaccard"]!.ratio(p, (x) => b.sum(x));
    const expected = b.sub(b.div(b.mul(N, complement(t)), square(U)), b.div(t, U));
    assert.ok(gradient(complement(b.div(N, U)), p) === expected);
  });

  it("keeps the sums of the loss itself, so that their names hold", () => {
    const { N, U } = named([2, 3]);
    const nodes = new Set(topological(gradient(b.mean(complement(b.div(N, U))), p)));
    assert.ok(nodes.has(N) && nodes.has(U));
  });

  it("is the same for a loop over classes as for the whole array", () => {
    const looped = [0, 1, 2]
      .map((k) => {
        const [pk, tk] = [b.index(p, 1, k), b.index(t, 1, k)];
        const ratio = b.div(
          b.add(b.mul(TWO, b.sum(b.mul(pk, tk))), smooth),
          b.add(b.add(b.sum(pk), b.sum(tk)), smooth),
        );
        return complement(ratio);
      })
      .reduce((x, y) => b.add(x, y));
    const { N, U } = named([0, 2, 3]);
    const whole = b.sum(complement(b.div(N, U)));
    assert.ok(gradient(looped, p) === gradient(whole, p));
  });

  it("loses what is constant over classes when softmax meets one ratio for all", () => {
    const s = b.softmax(z, 1);
    const { N, U } = families["linear Dice"]!.ratio(s, (x) => b.sum(x, [0, 1, 2, 3]));
    const derived = gradient(complement(b.div(N, U)), z);
    const total = b.add(b.add(b.size([B, H, W]), b.sum(t)), smooth);
    const shared = b.sum(b.mul(s, t), [1], true);
    same(derived, b.div(b.mul(b.mul(TWO, s), b.sub(shared, t)), total));
    assert.ok(!topological(derived).some((e) => e.kind === "binary" && e.op === "pow"));
  });

  it("drops what was detached, and the numerator alone remains", () => {
    const { N, U } = named(null);
    const derived = gradient(complement(b.div(N, b.stopGradient(U))), p);
    assert.ok(derived === b.neg(b.div(b.mul(TWO, t), U)));
  });
});

describe("divisorsOf", () => {
  it("finds divisors and arguments of logarithms, but none that a branch guards", () => {
    const U = b.sum(p);
    const guarded = b.where(b.binary("gt", U, b.ZERO), b.div(b.sum(t), U), b.ZERO);
    assert.deepEqual(divisorsOf(guarded), []);
    assert.deepEqual(divisorsOf(b.log(b.div(t, p))), [b.div(t, p), p]);
  });
});
