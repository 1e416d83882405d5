import assert from "node:assert/strict";
import { UNIT, axis, flattenAxes } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { type EqualityOptions, decideEqual } from "../../../src/expression/equality.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";

const B = axis("b", 4, "batch");
const C = axis("c", 3, "class");
const H = axis("h", 64, "space");
const W = axis("w", 64, "space");
const p = b.input("p", [B, C, H, W]);
const g = b.input("g", [B, C, H, W]);
const two = b.constant(2);

function dice(p: Expr, g: Expr, dims: readonly number[] | null, eps: Expr | null): Expr {
  const overlap = b.mul(two, b.sum(b.mul(p, g), dims));
  const total = b.add(b.sum(p, dims), b.sum(g, dims));
  const score =
    eps === null ? b.div(overlap, total) : b.div(b.add(overlap, eps), b.add(total, eps));
  return b.sub(b.ONE, b.mean(score));
}
const equal = (x: Expr, y: Expr, options?: EqualityOptions): unknown =>
  decideEqual(x, y, options).equal;

describe("decideEqual", () => {
  it("sees one expression written in two ways, over large arrays", () => {
    const flat = [flattenAxes([B, C, H, W])];
    const one = dice(p, g, null, b.constant(1));
    const other = dice(b.reshape(p, flat), b.reshape(g, flat), null, b.constant(1));
    const union = b.sum(b.add(p, g));
    const third = b.div(b.sub(union, b.mul(two, b.sum(b.mul(g, p)))), b.add(union, b.ONE));
    assert.deepEqual(decideEqual(one, one).how, "same expression");
    assert.deepEqual(decideEqual(one, other), { equal: true, how: "rational identity" });
    assert.deepEqual(decideEqual(one, third), { equal: true, how: "rational identity" });
  });

  it("tells 1e-7 from 1.0000001e-7 in a denominator, with an example", () => {
    const verdict = decideEqual(
      dice(p, g, null, b.constant(1e-7)),
      dice(p, g, null, b.constant(1.0000001e-7)),
    );
    assert.equal(verdict.equal, false);
    assert.equal(verdict.counterexample?.degenerate, false);
    assert.notEqual(verdict.counterexample.a, verdict.counterexample.b);
    assert.deepEqual(Object.keys(verdict.counterexample.inputs).sort(), ["g", "p"]);
  });

  it("tells apart what only a reduction's order or axes distinguish", () => {
    const eps = b.constant(1e-5);
    assert.equal(equal(dice(p, g, [2, 3], eps), dice(p, g, [0, 2, 3], eps)), false);
    assert.equal(equal(dice(p, g, [1, 2, 3], eps), dice(p, g, null, eps)), false);
  });

  it("tells apart gradients with a missing factor", () => {
    const s = b.sigmoid(p);
    const loss = dice(s, g, null, b.constant(1));
    const full = derive(loss, p);
    assert.equal(equal(full, derive(dice(b.sigmoid(p), g, null, b.constant(1)), p)), true);
    assert.equal(equal(full, derive(loss, s)), false);
    assert.equal(equal(full, b.mul(b.constant(1 + 1e-15), full)), false);
  });

  it("holds irrational identities to 50 digits", () => {
    const z = b.input("z", [C]);
    const byHand = b.div(b.ONE, b.add(b.ONE, b.exp(b.neg(z))));
    assert.deepEqual(decideEqual(b.sigmoid(z), byHand), {
      equal: true,
      how: "50 digits at random points",
    });
    const shifted = b.sub(z, b.reduce("max", z, [0], true));
    const soft = b.div(b.exp(shifted), b.sum(b.exp(shifted), [0], true));
    assert.equal(equal(b.softmax(z, 0), soft), true);
    assert.equal(equal(b.softmax(z, 0), b.exp(b.softmax(z, 0, true))), true);
    assert.equal(equal(b.sqrt(b.mul(z, z)), b.abs(z)), true);
    assert.equal(equal(b.sqrt(b.mul(z, z)), z, { ranges: { z: "logit" } }), false);
  });

  it("knows a logit from a probability by its use, and takes a caller's word over that", () => {
    const z = b.input("z", [C]);
    const s = b.sigmoid(z);
    assert.equal(equal(b.abs(z), z), true, "equal on (0, 1)");
    assert.equal(equal(b.mul(b.abs(z), s), b.mul(z, s)), false, "z is a logit here");
    assert.equal(equal(b.mul(g, g), g), false);
    assert.equal(equal(b.mul(g, g), g, { ranges: { g: "binary" } }), true);
    const labels = b.input("y", [H], "int");
    const hot = b.oneHot(labels, C, 0);
    const byHand = b.stack(
      [0, 1, 2].map((k) => b.cast(b.binary("eq", labels, b.constant(k, "int")), "int")),
      0,
      C,
    );
    assert.equal(equal(hot, byHand), true);
  });

  it("compares parameters by value, or as one unknown of that name", () => {
    const with5 = dice(p, g, null, b.parameter("eps", 1e-5));
    const with7 = dice(p, g, null, b.parameter("eps", 1e-7));
    assert.equal(equal(with5, with7), false);
    assert.equal(equal(with5, with7, { parameters: "free" }), true);
    const literal = dice(p, g, null, b.constant(1e-5));
    assert.equal(equal(with5, literal), true);
    assert.equal(equal(with5, literal, { parameters: "free" }), false);
  });

  it("finds what differs only on empty masks, and says so", () => {
    const plain = dice(p, g, null, null);
    const total = b.add(b.sum(p), b.sum(g));
    const guarded = b.where(b.binary("eq", total, b.ZERO), b.ZERO, plain);
    const verdict = decideEqual(plain, guarded);
    assert.equal(verdict.equal, false);
    assert.equal(verdict.counterexample?.degenerate, true);
    assert.equal(equal(plain, guarded, { degenerate: false }), true);
  });

  it("keeps the sizes of axes that are indexed, sliced or stacked", () => {
    const classes = [0, 1, 2].map((k) => b.sum(b.index(p, 1, k)));
    const looped = b.add(b.add(classes[0]!, classes[1]!), classes[2]!);
    assert.equal(equal(looped, b.sum(p)), true);
    assert.equal(equal(b.sum(b.slice(p, 1, 1, null)), b.add(classes[1]!, classes[2]!)), true);
    assert.equal(equal(b.sum(b.stack(classes, 0)), b.sum(p)), true);
  });

  it("works without known sizes", () => {
    const N = axis("n", null);
    const q = b.input("q", [N, UNIT]);
    assert.equal(equal(b.mean(q), b.div(b.sum(q), b.size([N]))), true);
    assert.equal(equal(b.mean(q), b.sum(q)), false);
  });

  it("does not decide where a fixed axis is too large, or nothing is defined", () => {
    const long = b.input("v", [axis("n", 500_000)]);
    const first = b.index(long, 0, 0);
    const e = b.add(b.sum(long), first);
    assert.equal(equal(e, b.add(first, b.sum(b.mul(long, b.ONE)))), "undecided");
    const never = b.unary("log", b.constant(-1));
    const verdict = decideEqual(b.mul(never, b.sum(g)), never);
    assert.equal(verdict.equal, "undecided");
    assert.match(verdict.reason ?? "", /defined at any point/);
  });

  it("matches inputs by name, whatever their axes are called and their types are", () => {
    const [M, K] = [axis("m", 4), axis("k", 100)];
    const [R, S] = [axis("r", 4), axis("s", 100)];
    const one = b.sum(b.mul(b.input("a", [M, K]), b.input("t", [M, K])));
    const other = b.sum(b.mul(b.input("t", [R, S], "int"), b.input("a", [R, S])));
    assert.equal(equal(one, other), true);
    const flat = b.input("a", [axis("v", 400)]);
    const verdict = decideEqual(one, b.add(b.sum(flat), b.sum(b.input("t", [M, K]))));
    assert.deepEqual([verdict.equal, verdict.reason], ["undecided", "an input has two shapes"]);
  });

  it("says that other shapes are another function", () => {
    assert.equal(decideEqual(b.sum(p, [0]), b.sum(p, [1])).how, "different shapes");
  });
});
