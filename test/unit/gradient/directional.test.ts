import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { DirectionalProbe } from "../../../src/gradient/directional.ts";
import { LossPoint } from "../../../src/gradient/lossPoint.ts";
import { pathAlong, sizeOfEntries, straightPath } from "../../../src/gradient/paths.ts";
import { UNIT_ROUNDOFF, rationalProbe, relativeNoise } from "../../../src/gradient/probe.ts";
import { normal, uniform } from "./data.ts";
import { diceLoss, diceScore, generalizedDice, vector, volume } from "./lossExpressions.ts";
import { movedAlong } from "./movedAlong.ts";

const n = 512;
const P = volume("P", 2, 3, n);
const T = volume("T", 2, 3, n);
const Z = volume("Z", 2, 3, n);
const z = vector("z", n);
const t = vector("t", n);

function pointOf(loss: Expr, wrt: Input): { point: LossPoint; gradient: Float64Array } {
  const random = uniform(5);
  const gauss = normal(random);
  const bindings = new Map(
    ([P, T, Z, z, t] as const).map((e) => {
      const count = e.shape.reduce((m, a) => m * a.size!, 1);
      const kind = e.name.toLowerCase();
      const entry = (): number =>
        kind === "t" ? (random() < 0.2 ? 1 : 0) : kind === "z" ? 2 * gauss() : random();
      return [e.name, Float64Array.from({ length: count }, entry)] as const;
    }),
  );
  const point = new LossPoint(loss, wrt, bindings);
  return { point, gradient: point.values([derive(loss, wrt)])[0]! };
}

const noise = (f: number): number => relativeNoise(6 * n) * Math.max(Math.abs(f), Math.abs(1 - f));

describe("derivative along a gradient's sign", () => {
  const cases: Record<string, [Expr, Input, "moebius" | "quadratic", boolean]> = {
    "the mean of Dice over samples and classes": [
      diceLoss(P, T, { dims: [2] }),
      P,
      "moebius",
      true,
    ],
    "squared Dice, one slice": [diceLoss(P, T, { dims: [2], squared: true }), P, "quadratic", true],
    "generalised Dice with weights from the labels": [generalizedDice(P, T), P, "moebius", true],
    "a sigmoid inside": [diceLoss(b.sigmoid(z), t), z, "moebius", false],
    "a softmax inside, generalised Dice": [generalizedDice(b.softmax(Z, 1), T), Z, "moebius", true],
    "a softmax inside, mean over classes, two of which move": [
      diceLoss(b.softmax(Z, 1), T, { dims: [2] }),
      Z,
      "quadratic",
      true,
    ],
    "a softmax inside, one class scored": [
      b.sub(b.ONE, diceScore(b.index(b.softmax(Z, 1), 1, 2), b.index(T, 1, 2))),
      Z,
      "moebius",
      false,
    ],
  };
  for (const [name, [loss, wrt, method, part]] of Object.entries(cases)) {
    it(`is exact by the known-degree probe for ${name}`, () => {
      const { point, gradient } = pointOf(loss, wrt);
      const probe = new DirectionalProbe(point);
      probe.expectGradient(point.figuresOf(gradient).sizeOfMoved);
      const d = probe.along(gradient);
      assert.equal(d.method, method);
      assert.equal(d.part, part);
      const { value } = point.claimOf(gradient, d.velocity);
      assert.ok(Math.abs(value) > 1e-4);
      assert.ok(Math.abs(d.derivative / value - 1) < 1e-13, `${d.derivative / value - 1}`);
      assert.ok(Math.abs(d.derivative - value) <= d.bar);
      assert.ok(d.residual! <= 0.5, `residual ${d.residual}`);
      // Ridders along the straight line agrees.
      const r = probe.ridders(gradient);
      const claim = point.claimOf(gradient, r.velocity);
      const miss = Math.abs(r.derivative - claim.value);
      assert.ok(miss <= r.bar, `${r.derivative} misses by ${miss}, bar ${r.bar}`);
    });
  }

  it("would be wrong, loudly, along a straight line of the logits", () => {
    const { point, gradient } = pointOf(diceLoss(b.sigmoid(z), t), z);
    const path = straightPath({
      base: point.base,
      size: sizeOfEntries(point.base),
      toward: gradient,
      scope: null,
    });
    const probe = rationalProbe(point.along(point.loss, path), 1, noise);
    assert.ok(probe.residual > 1e6, `residual ${probe.residual}`);
  });

  it("would be wrong, loudly, with every denominator moving at once", () => {
    const { point, gradient } = pointOf(diceLoss(P, T, { dims: [2] }), P);
    const path = pathAlong({
      base: point.base,
      size: sizeOfEntries(point.base),
      toward: gradient.map((g, k) => g * (1 + (k % 7))),
      moving: { kind: "line", node: P, dim: -1 },
      scope: null,
      mayLeaveDomain: true,
    });
    const probe = rationalProbe(point.along(point.loss, path), 1, noise);
    assert.ok(probe.residual > 1e3, `residual ${probe.residual}`);
  });

  it("keeps every probability between 0 and 1 for a loss that is not rational", () => {
    const base = Float64Array.of(0, 1e-9, 0.3, 0.999999, 1);
    const path = straightPath({
      base,
      size: sizeOfEntries(base),
      toward: base.map((_, k) => (k % 2 === 0 ? 1 : -1)),
      scope: null,
    });
    for (const x of [-1, -0.5, 0.5, 1]) {
      const at = movedAlong(path, base)(x);
      assert.ok(at.every((v) => v >= 0 && v <= 1));
    }
  });

  it("moves a saturated logit without losing it", () => {
    const base = Float64Array.of(-800, -40, 0, 40, 800);
    const path = pathAlong({
      base,
      size: sizeOfEntries(base),
      toward: Float64Array.of(1, 1, 1, 1, 1),
      moving: { kind: "sigmoid", node: b.sigmoid(z), dim: -1 },
      scope: null,
      mayLeaveDomain: false,
    });
    const at = movedAlong(path, base)(1);
    at.forEach((v, k) => {
      assert.ok(Number.isFinite(v) && Math.abs(v - base[k]!) <= Math.log(3) + UNIT_ROUNDOFF * 1e4);
    });
    // p goes up by half of the smaller of p and 1 − p.
    assert.ok(Math.abs(1 / (1 + Math.exp(-at[2]!)) - 0.75) < 1e-15);
  });

  it("moves pairs of classes so that each voxel's probabilities still sum to 1", () => {
    const { point, gradient } = pointOf(generalizedDice(b.softmax(Z, 1), T), Z);
    const path = pathAlong({
      base: point.base,
      size: sizeOfEntries(point.base),
      toward: gradient,
      moving: { kind: "softmax", node: b.softmax(Z, 1), dim: 1 },
      scope: null,
      mayLeaveDomain: false,
    });
    const at = movedAlong(path, point.base)(0.7);
    for (let i = 0; i < n; i++) {
      const before = [0, 1, 2].reduce((s, k) => s + Math.exp(point.base[k * n + i]!), 0);
      const after = [0, 1, 2].reduce((s, k) => s + Math.exp(at[k * n + i]!), 0);
      assert.ok(Math.abs(after / before - 1) < 1e-14);
    }
  });

  it("moves the likeliest of the classes that are pushed furthest, and shares between equals", () => {
    const velocityOf = (logits: number[], toward: number[], scope: number[] | null = null) => {
      const node = b.softmax(b.input("logits", [axis("c", logits.length)]), 0);
      const base = Float64Array.from(logits, Math.log);
      return pathAlong({
        base,
        size: sizeOfEntries(base),
        toward: Float64Array.from(toward),
        moving: { kind: "softmax", node, dim: 0 },
        scope: scope === null ? null : Uint8Array.from(scope),
        mayLeaveDomain: false,
      }).velocity;
    };
    const near = (got: Float64Array, want: number[]): void => {
      got.forEach((v, k) => {
        assert.ok(Math.abs(v - want[k]!) < 1e-14, `${[...got].join()}, not ${want.join()}`);
      });
    };
    // Logits are logarithms of the probabilities here; V/P with V of half the smaller of two.
    near(velocityOf([0.5, 0.2, 0.3], [1, 1, -1]), [0.3, 0, -0.5]);
    near(velocityOf([0.25, 0.25, 0.5], [1, 1, -1]), [0.25, 0.25, -0.25]);
    near(velocityOf([0.5, 0.2, 0.3], [1, -2, -1], [1, 0, 1]), [0.3, 0, -0.5]);
    near(velocityOf([0.5, 0, 0.5], [1, 3, -1]), [0.5, 0, -0.5]);
    near(velocityOf([0.5, 0.2, 0.3], [NaN, 1, 1]), [0, 0, 0]);
  });
});
