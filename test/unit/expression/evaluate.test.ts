import assert from "node:assert/strict";
import { UNIT, axis, flattenAxes } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { type BoundArray, evaluate } from "../../../src/expression/evaluate.ts";
import type { BinaryOp, Expr, UnaryOp } from "../../../src/expression/node.ts";

const I = axis("i", 2);
const J = axis("j", 3);
const x = b.input("x", [I, J]);
const X: BoundArray = { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };

function value(e: Expr, bindings: Record<string, BoundArray> = { x: X }): number[] {
  return [...evaluate(e, new Map(Object.entries(bindings))).data];
}
const u = (op: UnaryOp, v: number): number => value(b.unary(op, b.constant(v)))[0]!;
const bin = (op: BinaryOp, v: number, w: number): number =>
  value(b.binary(op, b.constant(v), b.constant(w)))[0]!;

describe("evaluate", () => {
  it("broadcasts as NumPy does, aligned from the right", () => {
    const row = b.input("row", [J]);
    const column = b.input("column", [I, UNIT]);
    const bindings = {
      x: X,
      row: { shape: [3], data: [10, 20, 30] },
      column: { shape: [2, 1], data: [100, 200] },
    };
    assert.deepEqual(value(b.add(b.add(x, row), column), bindings), [111, 122, 133, 214, 225, 236]);
    assert.deepEqual(value(b.add(row, column), bindings), [110, 120, 130, 210, 220, 230]);
  });

  it("reduces over chosen axes, with and without keeping them", () => {
    assert.deepEqual(value(b.sum(x)), [21]);
    assert.deepEqual(value(b.sum(x, [0])), [5, 7, 9]);
    assert.deepEqual(value(b.mean(x, [-1])), [2, 5]);
    assert.deepEqual(evaluate(b.sum(x, [1], true), new Map([["x", X]])).shape, [2, 1]);
    assert.deepEqual(value(b.reduce("prod", x, [1])), [6, 120]);
    assert.deepEqual(value(b.reduce("max", x, [0])), [4, 5, 6]);
    assert.deepEqual(value(b.reduce("min", x, null)), [1]);
    assert.deepEqual(value(b.reduce("any", b.binary("gt", x, b.constant(3)), [1])), [0, 1]);
    assert.deepEqual(value(b.reduce("all", b.binary("gt", x, b.constant(1)), [1])), [0, 1]);
  });

  it("reduces over no entries to 0, 1 or NaN, and refuses their maximum", () => {
    const empty = b.input("e", [axis("n", 0)]);
    const bindings = { e: { shape: [0], data: [] } };
    assert.deepEqual(value(b.sum(empty), bindings), [0]);
    assert.deepEqual(value(b.reduce("prod", empty, null), bindings), [1]);
    assert.deepEqual(value(b.mean(empty), bindings), [NaN]);
    assert.throws(() => value(b.reduce("max", empty, null), bindings), /max of no entries/);
  });

  it("rounds halves to even and takes Python's remainder", () => {
    assert.deepEqual(
      [0.5, 1.5, 2.5, -2.5, -1.5, 2.4].map((v) => u("round", v)),
      [0, 2, 2, -2, -2, 2],
    );
    assert.deepEqual([bin("mod", 7, 3), bin("mod", -7, 3), bin("mod", 7, -3)], [1, 2, -2]);
    assert.equal(bin("floordiv", -7, 2), -4);
  });

  it("keeps sigmoid, its logarithm and softplus finite far from zero", () => {
    assert.equal(u("sigmoid", 0), 0.5);
    assert.equal(u("sigmoid", -800), 0);
    assert.equal(u("sigmoid", 800), 1);
    assert.equal(u("logsigmoid", -800), -800);
    assert.equal(u("softplus", 800), 800);
  });

  it("propagates NaN through maximum, minimum and clamp", () => {
    assert.equal(bin("max", NaN, 1), NaN);
    assert.equal(bin("min", 1, NaN), NaN);
    assert.deepEqual(value(b.clamp(b.constant(NaN), b.ZERO, b.ONE)), [NaN]);
    assert.equal(bin("pow", 1, NaN), 1);
  });

  it("takes the first of equal entries for argmax and argmin", () => {
    const bindings = { x: { shape: [2, 3], data: [1, 3, 3, 0, 0, 2] } };
    assert.deepEqual(value(b.argReduce("argmax", x, 1), bindings), [1, 2]);
    assert.deepEqual(value(b.argReduce("argmin", x, 1), bindings), [0, 0]);
  });

  it("sums a softmax to one along its axis", () => {
    const s = value(b.sum(b.softmax(x, 1), [1]));
    assert.ok(s.every((v) => Math.abs(v - 1) < 1e-15));
    const logs = value(b.exp(b.softmax(x, 1, true)));
    value(b.softmax(x, 1)).forEach((v, k) => {
      assert.ok(Math.abs(v - logs[k]!) < 1e-15);
    });
  });

  it("moves entries: reshape, transpose, index, slice and their adjoints", () => {
    assert.deepEqual(value(b.reshape(x, [flattenAxes([I, J])])), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(value(b.transpose(x, [1, 0])), [1, 4, 2, 5, 3, 6]);
    assert.deepEqual(value(b.index(x, 1, -1)), [3, 6]);
    assert.deepEqual(value(b.slice(x, 1, 0, null, 2)), [1, 3, 4, 6]);
    assert.deepEqual(value(b.place(b.index(x, 1, 1), 1, 1, J)), [0, 2, 0, 0, 5, 0]);
    const cut = b.slice(x, 1, 0, null, 2);
    assert.deepEqual(value(b.spread(cut, 1, 0, 2, J)), [1, 0, 3, 4, 0, 6]);
    // Row 0 begins one entry before its first, row 1 one entry later.
    assert.deepEqual(value(b.slide(x, 1, 0, 1, -1, axis("k", 4))), [0, 1, 2, 3, 4, 5, 6, 0]);
    assert.deepEqual(value(b.slide(x, 1, 0, -2, 1, J)), [2, 3, 0, 0, 4, 5]);
    assert.deepEqual(value(b.stack([b.index(x, 1, 2), b.index(x, 1, 0)], 0)), [3, 6, 1, 4]);
    assert.deepEqual(value(b.concat([x, b.slice(x, 1, 1, 2)], 1)), [1, 2, 3, 2, 4, 5, 6, 5]);
    assert.deepEqual(value(b.oneHot(b.constant(1, "int"), J, 0)), [0, 1, 0]);
  });

  it("drops the fraction when casting to a whole number", () => {
    const e = b.input("v", [axis("k", 3)]);
    const bindings = { v: { shape: [3], data: [-1.7, 0, 2.9] } };
    assert.deepEqual(value(b.cast(e, "int"), bindings), [-1, 0, 2]);
    assert.deepEqual(value(b.cast(e, "bool"), bindings), [1, 0, 1]);
  });

  it("takes unknown sizes and parameters from what is bound", () => {
    const n = axis("n", null);
    const p = b.input("p", [n]);
    const e = b.div(b.add(b.sum(p), b.parameter("eps", 1)), b.size([n]));
    const p3 = { shape: [3], data: [1, 2, 3] };
    assert.deepEqual(value(e, { p: p3 }), [7 / 3]);
    assert.deepEqual(value(e, { p: p3, eps: { shape: [], data: [0] } }), [2]);
  });

  it("names the input that is missing or has another shape", () => {
    assert.throws(() => value(x, {}), /no array for the input x/);
    assert.throws(
      () => value(x, { x: { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] } }),
      /x has shape \(2, 3\), its array \(3, 2\)/,
    );
    assert.throws(() => value(b.parameter("smooth", null)), /smooth has no value/);
  });
});
