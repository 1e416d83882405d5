import assert from "node:assert/strict";
import { input } from "../../../src/expression/build.ts";
import { axis } from "../../../src/expression/axis.ts";
import { pathAlong, sizeOfEntries } from "../../../src/gradient/paths.ts";
import {
  type Noise,
  type PathFunction,
  UNIT_ROUNDOFF,
  rationalProbe,
  relativeNoise,
} from "../../../src/gradient/probe.ts";
import { ridders } from "../../../src/gradient/ridders.ts";
import { dice, diceGradient, dot, masks, uniform } from "./data.ts";
import { movedAlong } from "./movedAlong.ts";
import { RIGHT, WRONG, gradientBy, oneVoxelZero } from "./mutants.ts";

const SMOOTH = 1e-5;
const line = { kind: "line", node: input("p", [axis("i", 1)]), dim: -1 } as const;

function noiseOf(n: number, unit?: number): Noise {
  const relative = relativeNoise(n, unit);
  return (f) => relative * Math.max(Math.abs(f), Math.abs(1 - f));
}

interface Along {
  readonly f: PathFunction;
  readonly velocity: Float64Array;
}

/** `loss` along the sign of `toward`, in float64 or with every operation rounded to float32. */
function along(
  p: Float64Array,
  toward: Float64Array,
  loss: (p: Float64Array) => number,
  round: (x: number) => number = (x) => x,
): Along {
  const path = pathAlong({
    base: p,
    size: sizeOfEntries(p),
    toward,
    moving: line,
    scope: null,
    mayLeaveDomain: true,
  });
  const moved = movedAlong(path, p);
  return { velocity: path.velocity, f: (x) => loss(moved(x).map((v) => round(v))) };
}

describe("known-degree probe", () => {
  for (const squared of [false, true]) {
    const degree = squared ? 2 : 1;
    const name = squared ? "squared" : "linear";
    for (const n of [64, 4096, 65_536]) {
      it(`is exact along the gradient's sign for ${name} Dice at ${n} voxels in float64`, () => {
        for (let seed = 1; seed <= 5; seed++) {
          const m = masks(n, seed);
          const g = diceGradient(m, SMOOTH, squared);
          const { f, velocity } = along(m.p, g, (p) => dice(p, m.t, SMOOTH, squared));
          const probe = rationalProbe(f, degree, noiseOf(n));
          const truth = dot(g, velocity);
          assert.ok(
            Math.abs(probe.derivative / truth - 1) < 3e-15,
            `${probe.derivative / truth - 1}`,
          );
          assert.ok(Math.abs(probe.derivative - truth) < probe.bar);
          assert.ok(probe.residual < 0.5, `residual ${probe.residual}`);
          assert.equal(probe.evaluations, squared ? 7 : 5);
        }
      });
    }
    it(`stays within 1e-6 for ${name} Dice with a float32 forward pass`, () => {
      const n = 65_536;
      for (let seed = 1; seed <= 3; seed++) {
        const m = masks(n, seed);
        m.p.forEach((x, i) => (m.p[i] = Math.fround(x)));
        const g = diceGradient(m, SMOOTH, squared);
        const { f, velocity } = along(
          m.p,
          g,
          (p) => dice(p, m.t, SMOOTH, squared, Math.fround),
          Math.fround,
        );
        const probe = rationalProbe(f, degree, noiseOf(n, 2 ** -24));
        const truth = dot(g, velocity);
        assert.ok(Math.abs(probe.derivative / truth - 1) < 1e-6, `${probe.derivative / truth - 1}`);
        assert.ok(Math.abs(probe.derivative - truth) < probe.bar);
        assert.ok(probe.residual < 1);
      }
    });
  }

  it("keeps the right derivative inside its bar along random directions", () => {
    let worst = 0;
    for (let trial = 0; trial < 240; trial++) {
      const n = [64, 512, 4096][trial % 3]!;
      const squared = trial % 2 === 1;
      const unit = trial % 4 < 2 ? 2 ** -24 : UNIT_ROUNDOFF;
      const round = unit === UNIT_ROUNDOFF ? (x: number): number => x : Math.fround;
      const m = masks(n, 1000 + trial, trial % 5);
      m.p.forEach((x, i) => (m.p[i] = Math.fround(x)));
      const random = uniform(trial);
      const direction = Float64Array.from(m.p, () => random() - 0.5);
      const { f, velocity } = along(
        m.p,
        direction,
        (p) => dice(p, m.t, SMOOTH, squared, round),
        round,
      );
      const probe = rationalProbe(f, squared ? 2 : 1, noiseOf(n, unit));
      const off = Math.abs(probe.derivative - dot(diceGradient(m, SMOOTH, squared), velocity));
      worst = Math.max(worst, off / probe.bar);
      assert.ok(probe.residual < 1, `residual ${probe.residual} in trial ${trial}`);
    }
    assert.ok(worst < 1, `largest error is ${worst} of the bar`);
  });

  it("rules between right and wrong gradients, from float32 values too, and never for the wrong one", () => {
    const decided = { float64: 0, float32: 0 };
    let all = 0;
    for (const squared of [false, true]) {
      for (const n of [64, 4096, 65_536]) {
        const m = masks(n, 31 + n);
        m.p.forEach((x, i) => (m.p[i] = Math.fround(x)));
        const right = gradientBy(RIGHT["two terms"]!, m, SMOOTH, squared);
        const wrong = Object.values(WRONG).map((e) => gradientBy(e, m, SMOOTH, squared));
        for (const g of [...wrong, oneVoxelZero(m, right)]) {
          all++;
          const difference = g.map((x, i) => x - right[i]!);
          for (const [name, unit, round] of [
            ["float64", UNIT_ROUNDOFF, (x: number): number => x],
            ["float32", 2 ** -24, Math.fround],
          ] as const) {
            const { f, velocity } = along(
              m.p,
              difference,
              (p) => dice(p, m.t, SMOOTH, squared, round),
              round,
            );
            const probe = rationalProbe(f, squared ? 2 : 1, noiseOf(n, unit));
            const excludes = (claim: number): boolean =>
              Math.abs(probe.derivative - claim) > probe.bar;
            assert.equal(excludes(dot(right, velocity)), false);
            if (excludes(dot(g, velocity))) decided[name]++;
          }
        }
      }
    }
    assert.equal(decided.float64, all);
    assert.ok(decided.float32 >= 0.85 * all, `${decided.float32} of ${all}`);
    assert.ok(decided.float32 < all, "float32 values cannot show smoothing of 1e-5 everywhere");
  });

  it("takes a quotient of lower degree, a line and a constant for what they are", () => {
    const noise = noiseOf(1);
    const cases: [PathFunction, number][] = [
      [(x) => (3 + x) / (4 + x), 1 / 16],
      [(x) => 2 + 0.5 * x, 0.5],
      [() => 0.7, 0],
      [(x) => 1 + x * x, 0],
    ];
    for (const [f, truth] of cases) {
      const probe = rationalProbe(f, 2, noise);
      assert.ok(
        Math.abs(probe.derivative - truth) <= probe.bar,
        `${probe.derivative} ± ${probe.bar}`,
      );
      assert.ok(probe.bar < 1e-13, `bar ${probe.bar}`);
      assert.ok(probe.residual <= 1, `residual ${probe.residual}`);
    }
  });

  describe("residual at the unused steps", () => {
    const n = 4096;
    const m = masks(n, 7);
    const extras: Record<string, (d: number, p: Float64Array) => number> = {
      "a clamp": (_d, p) =>
        dice(
          p.map((x) => Math.max(x, 0.2)),
          m.t,
          SMOOTH,
        ),
      "a threshold": (_d, p) =>
        dice(
          p.map((x) => (x > 0.5 ? 1 : x)),
          m.t,
          SMOOTH,
        ),
      rounding: (_d, p) =>
        dice(
          p.map((x) => Math.round(x * 50) / 50),
          m.t,
          SMOOTH,
        ),
      "a power": (d) => d ** 0.75,
      "a cross-entropy term": (d, p) =>
        d -
        (1e-4 / n) *
          dot(
            m.t,
            p.map((x) => Math.log(x)),
          ),
    };
    for (const [name, change] of Object.entries(extras)) {
      it(`shows ${name}`, () => {
        for (const degree of [1, 2] as const) {
          const g = diceGradient(m, SMOOTH, degree === 2);
          const { f } = along(m.p, g, (p) => change(dice(p, m.t, SMOOTH, degree === 2), p));
          const probe = rationalProbe(f, degree, noiseOf(n));
          assert.ok(probe.residual > 20, `residual ${probe.residual}`);
        }
      });
    }
  });

  it("answers with an infinite bar where the function is not finite", () => {
    const probe = rationalProbe((x) => Math.log(x), 1, noiseOf(1));
    assert.equal(probe.bar, Infinity);
    assert.equal(probe.residual, Infinity);
  });
});

describe("harmonic mean of the two differences", () => {
  type Fraction = readonly [bigint, bigint];
  const div = (a: Fraction, b: Fraction): Fraction => [a[0] * b[1], a[1] * b[0]];
  const mul = (a: Fraction, b: Fraction): Fraction => [a[0] * b[0], a[1] * b[1]];
  const add = (a: Fraction, b: Fraction): Fraction => [a[0] * b[1] + b[0] * a[1], a[1] * b[1]];
  const neg = (a: Fraction): Fraction => [-a[0], a[1]];
  const p = [3n, 41n, 77n, 12n, 90n, 55n].map((x): Fraction => [x, 97n]);
  const t = [0n, 1n, 1n, 0n, 1n, 0n];
  const v = [1n, -2n, 3n, -5n, 7n, 11n].map((x): Fraction => [x, 13n]);
  const sum = (xs: readonly Fraction[]): Fraction => xs.reduce(add, [0n, 1n]);
  // Numerator (a0 + aᵀp) and denominator (b0 + bᵀp) of each loss.
  const weights = (f: (ti: bigint) => Fraction): Fraction[] => t.map(f);
  const total: Fraction = [t.reduce((n, x) => n + x, 0n), 1n];
  const losses: Record<string, { a: Fraction[]; b0: Fraction; b: Fraction[] }> = {
    Dice: { a: weights((x) => [2n * x, 1n]), b0: total, b: weights(() => [1n, 1n]) },
    IoU: { a: weights((x) => [x, 1n]), b0: total, b: weights((x) => [1n - x, 1n]) },
    Tversky: {
      a: weights((x) => [x, 1n]),
      b0: mul(total, [7n, 10n]),
      b: weights((x) => (x === 1n ? [3n, 10n] : [2n, 10n])),
    },
  };
  for (const [name, { a, b0, b }] of Object.entries(losses)) {
    it(`is the derivative of ${name} exactly, at every step`, () => {
      const value = (h: Fraction): Fraction => {
        const at = p.map((x, i) => add(x, mul(h, v[i]!)));
        return div(
          sum(at.map((x, i) => mul(a[i]!, x))),
          add(b0, sum(at.map((x, i) => mul(b[i]!, x)))),
        );
      };
      const A = sum(p.map((x, i) => mul(a[i]!, x)));
      const B = add(b0, sum(p.map((x, i) => mul(b[i]!, x))));
      const dA = sum(v.map((x, i) => mul(a[i]!, x)));
      const dB = sum(v.map((x, i) => mul(b[i]!, x)));
      const truth = div(add(mul(dA, B), neg(mul(A, dB))), mul(B, B));
      for (const h of [
        [1n, 1n],
        [1n, 1000n],
        [1n, 7n],
      ] as Fraction[]) {
        const ahead = div(add(value(h), neg(value([0n, 1n]))), h);
        const behind = div(add(value([0n, 1n]), neg(value(neg(h)))), h);
        const mean = div(mul([2n, 1n], mul(ahead, behind)), add(ahead, behind));
        assert.equal(mean[0] * truth[1], truth[0] * mean[1]);
      }
    });
  }

  it("improves on a central difference by the predicted (h/b)² for one voxel", () => {
    const m = masks(64, 3);
    const b = m.p.reduce((s, x) => s + x, 0) + m.t.reduce((s, x) => s + x, 0) + SMOOTH;
    const truth = diceGradient(m, SMOOTH)[5]!;
    const at = (h: number): number => {
      const p = m.p.slice();
      p[5] = p[5]! + h;
      return dice(p, m.t, SMOOTH);
    };
    const h = 0.5;
    const central = (at(h) - at(-h)) / (2 * h);
    const predicted = (h / b) ** 2 / (1 - (h / b) ** 2);
    assert.ok(Math.abs((central / truth - 1) / predicted - 1) < 1e-6);
    const ahead = (at(h) - at(0)) / h;
    const behind = (at(0) - at(-h)) / h;
    assert.ok(Math.abs((2 * ahead * behind) / (ahead + behind) / truth - 1) < 1e-13);
  });
});

describe("Ridders extrapolation", () => {
  const noise: Noise = (f) => 8 * UNIT_ROUNDOFF * Math.max(1, Math.abs(f));
  const smooth: [string, PathFunction, number][] = [
    ["exp", Math.exp, 1],
    ["log cosh", (x) => Math.log(Math.cosh(x + 0.3)), Math.tanh(0.3)],
    ["a focal power", (x) => ((1 + 0.5 * x) / (4 + x)) ** 0.75, 0.75 * 0.25 ** -0.25 * (1 / 16)],
  ];
  for (const [name, f, truth] of smooth) {
    it(`finds the derivative of ${name} within its bar`, () => {
      const r = ridders(f, noise, 0.5);
      assert.ok(Math.abs(r.derivative - truth) <= r.bar);
      assert.ok(r.bar < 1e-10, `bar ${r.bar}`);
      assert.equal(r.kink, null);
      assert.ok(r.evaluations <= 13);
    });
  }

  it("agrees with the known-degree probe on Dice, less exactly", () => {
    const m = masks(4096, 11);
    const g = diceGradient(m, SMOOTH, true);
    const { f, velocity } = along(m.p, g, (p) => dice(p, m.t, SMOOTH, true));
    const r = ridders(f, noiseOf(4096));
    const truth = dot(g, velocity);
    assert.ok(Math.abs(r.derivative - truth) <= r.bar);
    assert.ok(Math.abs(r.derivative / truth - 1) < 1e-10);
  });

  it("keeps the right derivative inside its bar for Dice of a sigmoid, along 60 directions", () => {
    for (let trial = 0; trial < 60; trial++) {
      const n = 64 << (trial % 3);
      const squared = trial % 2 === 1;
      const random = uniform(trial);
      const m = masks(n, 500 + trial);
      const z = m.p.map((x) => Math.log(x / (1 - x)));
      const v = z.map(() => (random() < 0.5 ? 1 : -1) * (0.2 + random()));
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      const f = (x: number): number =>
        dice(
          z.map((q, i) => sigmoid(q + x * v[i]!)),
          m.t,
          SMOOTH,
          squared,
        );
      const p = z.map(sigmoid);
      const g = diceGradient({ p, t: m.t }, SMOOTH, squared).map((x, i) => x * p[i]! * (1 - p[i]!));
      const r = ridders(f, noiseOf(n));
      const miss = Math.abs(r.derivative - dot(g, v));
      assert.ok(miss <= r.bar, `${miss} against ${r.bar} in trial ${trial}`);
    }
  });

  it("reports the slopes on both sides of a kink", () => {
    const r = ridders((x) => Math.abs(x) + 0.3 * x + 0.1 * x * x, noise, 0.5);
    assert.ok(r.kink !== null);
    assert.ok(Math.abs(r.kink.left - -0.7) < 1e-6, `${r.kink.left}`);
    assert.ok(Math.abs(r.kink.right - 1.3) < 1e-6);
  });

  it("takes strong curvature for no kink", () => {
    assert.equal(ridders((x) => Math.exp(8 * x), noise, 0.5).kink, null);
    assert.equal(ridders((x) => 1 / (1.2 + x), noise, 1).kink, null);
  });

  it("takes shorter steps beside an epsilon far below them, and claims no digits that it has not", () => {
    for (const epsilon of [1e-3, 1e-5, 1e-7, 1e-9]) {
      // Smoothed Dice of an empty mask where three samples have next to no prediction.
      const f: PathFunction = (x) =>
        [0, 2, -1].reduce((s, k) => s + 1 - epsilon / (2 ** -10 * x + epsilon * (1 + 1e-3 * k)), 0);
      const truth = [0, 2, -1].reduce((s, k) => s + 2 ** -10 / (epsilon * (1 + 1e-3 * k) ** 2), 0);
      const r = ridders(f, noise);
      assert.ok(Math.abs(r.derivative - truth) <= r.bar, `${epsilon}: ${r.derivative}`);
      assert.ok(r.bar < 1e-3 * truth, `${epsilon}: ± ${r.bar} beside ${truth}`);
    }
  });

  it("gives no digits of a slope that grows without end", () => {
    assert.equal(ridders((x) => Math.cbrt(x), noise).bar, Infinity);
    assert.equal(ridders((x) => (x === 0 ? 0 : x * Math.log(Math.abs(x))), noise).bar, Infinity);
  });

  it("gives an infinite bar when nothing finite comes back", () => {
    assert.equal(ridders(() => NaN, noise).bar, Infinity);
  });
});
