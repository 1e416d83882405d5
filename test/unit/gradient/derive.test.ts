import assert from "node:assert/strict";
import { UNIT, axis, flattenAxes } from "../../../src/expression/axis.ts";
import { type BigBinding, evaluateBig } from "../../../src/expression/bignumber.ts";
import * as b from "../../../src/expression/build.ts";
import { generator } from "../../../src/expression/equalityPoints.ts";
import { evaluate } from "../../../src/expression/evaluate.ts";
import { type BinaryOp, type Expr, type UnaryOp, annotate } from "../../../src/expression/node.ts";
import { adjoints, blockers, derive, receivesGradient } from "../../../src/gradient/derive.ts";
import { centralDifferences, largestGap } from "./centralDifference.ts";

const I = axis("i", 2);
const J = axis("j", 3);
const K = axis("k", 4);
const x = b.input("x", [I, J]);
const y = b.input("y", [I, J]);
const row = b.input("row", [J]);
const column = b.input("column", [I, UNIT]);
const half = b.constant(0.5);

/** Values in (0.1, 0.9), all different: away from kinks at 0, at 1 and between entries. */
function bindings(seed: number): Map<string, BigBinding> {
  const next = generator(seed);
  const array = (...shape: number[]): BigBinding => ({
    shape,
    data: Array.from({ length: shape.reduce((n, s) => n * s, 1) }, () => 0.1 + 0.8 * next()),
  });
  return new Map([
    ["x", array(2, 3)],
    ["y", array(2, 3)],
    ["row", array(3)],
    ["column", array(2, 1)],
    ["w", array(2, 3)],
  ]);
}

/** A scalar in which every entry of `e` counts differently. */
function weighted(e: Expr): Expr {
  const count = e.shape.reduce((n, a) => n * a.size!, 1);
  const weights = Array.from({ length: count }, (_, k) => b.constant(0.3 + ((k * 7) % 11) / 10));
  const flat = b.reshape(e, [axis("flat", count)]);
  return b.sum(b.mul(b.stack(weights, 0, axis("flat", count)), flat));
}

function agrees(e: Expr, wrt: Expr & { readonly kind: "input" }, seed = 1): void {
  const at = bindings(seed);
  const loss = weighted(e);
  const derived = evaluateBig(derive(loss, wrt), at, 100);
  assert.deepEqual(
    derived.shape,
    wrt.shape.map((a) => a.size),
  );
  const gap = largestGap(derived.data, centralDifferences(loss, wrt.name, at));
  assert.ok(gap < 1e-30, `gap ${gap}`);
}
const X = x as Expr & { readonly kind: "input" };
const ROW = row as typeof X;
const COLUMN = column as typeof X;

const unaryOps: UnaryOp[] = [
  ...(["neg", "exp", "log", "log1p", "expm1", "sqrt", "abs", "sigmoid", "logsigmoid"] as const),
  ...(["softplus", "tanh", "relu", "cosh", "sinh", "sin", "cos"] as const),
];
const flatOps: UnaryOp[] = ["sign", "round", "floor", "ceil", "not", "isnan", "isfinite"];
const binaryOps: BinaryOp[] = ["add", "sub", "mul", "div", "pow", "max", "min", "mod"];

describe("derive agrees with central differences in 100 digits", () => {
  for (const op of unaryOps) {
    it(`for ${op}`, () => {
      agrees(b.unary(op, x), X);
      if (op !== "log" && op !== "sqrt") agrees(b.unary(op, b.sub(x, half)), X, 2);
    });
  }
  for (const op of binaryOps) {
    it(`for ${op}, by either argument and through broadcasting`, () => {
      agrees(b.binary(op, x, y), X);
      agrees(b.binary(op, y, x), X, 2);
      agrees(b.binary(op, x, row), ROW, 3);
      agrees(b.binary(op, column, x), COLUMN, 4);
      agrees(b.binary(op, column, row), ROW, 5);
      agrees(b.binary(op, x, x), X, 6);
    });
  }
  it("for powers with literal exponents 0, 1, 2, 3, −1, ½ and a named one", () => {
    for (const n of [0, 1, 2, 3, -1, 0.5]) agrees(b.pow(x, b.constant(n)), X);
    agrees(b.pow(x, b.parameter("gamma", 0.75)), X);
  });
  it("for where, clamp and casts to float", () => {
    const above = b.binary("gt", x, half);
    agrees(b.where(above, b.mul(x, x), b.exp(x)), X);
    agrees(b.where(b.binary("gt", y, half), column, x), COLUMN);
    agrees(b.clamp(b.mul(x, x), b.constant(0.2), b.constant(0.6)), X);
    agrees(b.clamp(x, null, half), X);
    agrees(b.clamp(y, b.mul(x, half), b.add(x, b.constant(0.1))), X);
    agrees(b.cast(b.mul(x, x), "float32"), X);
  });
  for (const op of ["sum", "mean", "prod", "max", "min"] as const) {
    it(`for ${op} over chosen axes`, () => {
      for (const keep of [false, true]) {
        for (const dims of [[0], [1], [0, 1], [-1], null]) {
          agrees(b.reduce(op, b.mul(x, y), dims, keep), X);
        }
      }
    });
  }
  it("for a product with zeros among its factors", () => {
    for (const zeros of [[], [1], [1, 2], [0, 4]]) {
      const at = bindings(7);
      const data = Array.from(at.get("x")!.data, (v, k) => (zeros.includes(k) ? 0 : v));
      at.set("x", { shape: [2, 3], data });
      const loss = weighted(b.reduce("prod", x, [1]));
      const gap = largestGap(
        evaluateBig(derive(loss, x), at, 100).data,
        centralDifferences(loss, "x", at),
      );
      assert.ok(gap < 1e-30, `gap ${gap} with zeros at ${zeros.join()}`);
    }
  });
  it("for softmax and log-softmax along each axis", () => {
    for (const log of [false, true]) {
      for (const dim of [0, 1]) agrees(b.softmax(b.mul(x, b.constant(3)), dim, log), X);
    }
  });
  it("for reshape, transpose and expand", () => {
    agrees(b.mul(b.reshape(x, [flattenAxes([I, J])]), b.reshape(y, [flattenAxes([I, J])])), X);
    agrees(b.transpose(b.mul(x, x), [1, 0]), X);
    agrees(b.mul(b.expand(row, [K, I, J]), x), ROW);
    agrees(b.expand(column, [I, J]), COLUMN);
    const three = b.reshape(x, [I, UNIT, J]);
    agrees(b.transpose(b.expand(three, [I, K, J]), [2, 0, 1]), X);
  });
  it("for index, slice, place, spread, slide, stack and concat", () => {
    agrees(b.mul(b.index(x, 1, 2), b.index(x, 1, 0)), X);
    agrees(b.slice(x, 1, 1, null), X);
    agrees(b.slice(x, 1, 0, null, 2), X);
    agrees(b.place(b.index(x, 0, 1), 1, 2, K), X);
    agrees(b.spread(b.slice(x, 1, 0, 2), 1, 1, 2, K), X);
    agrees(b.slide(b.mul(x, x), 1, 0, 2, -1, K), X);
    agrees(b.slide(b.mul(x, y), 0, 1, -1, 1, axis("n", 5)), X);
    agrees(b.stack([b.mul(x, x), y, x], 1), X);
    agrees(b.concat([y, b.exp(x), x], 1), X);
    agrees(b.concat([x, b.slice(x, 0, 1, 2)], 0), X);
  });
  it("for a node used many times", () => {
    const s = b.sigmoid(x);
    agrees(b.div(b.add(b.mul(s, y), s), b.add(b.sum(s), b.mul(s, s))), X);
  });
});

const at = (data: readonly number[]): Map<string, { shape: number[]; data: readonly number[] }> =>
  new Map([["v", { shape: [data.length], data }]]);
const v = b.input("v", [axis("n", 3)]);
const gradient = (e: Expr, data: readonly number[]): number[] => [
  ...evaluate(derive(e, v), at(data)).data,
];

describe("derive at kinks", () => {
  it("takes 0 for the slope of |x| and relu at 0", () => {
    assert.deepEqual(gradient(b.abs(v), [-2, 0, 2]), [-1, 0, 1]);
    assert.deepEqual(gradient(b.unary("relu", v), [-2, 0, 2]), [0, 0, 1]);
  });
  it("passes gradient on the bounds of a clamp, not outside", () => {
    assert.deepEqual(gradient(b.clamp(v, b.ZERO, b.ONE), [0, 1, 1.5]), [1, 1, 0]);
    assert.deepEqual(gradient(b.clamp(v, b.ZERO, null), [-1, 0, 9]), [0, 1, 1]);
  });
  it("halves the gradient at a tie of a binary maximum and minimum", () => {
    assert.deepEqual(gradient(b.binary("max", v, b.ONE), [0, 1, 2]), [0, 0.5, 1]);
    assert.deepEqual(gradient(b.binary("min", b.ONE, v), [0, 1, 2]), [1, 0.5, 0]);
    assert.deepEqual(gradient(b.binary("max", v, v), [0, 1, 2]), [1, 1, 1]);
  });
  it("shares the gradient of a maximum equally among ties", () => {
    assert.deepEqual(gradient(b.reduce("max", v, null), [3, 1, 3]), [0.5, 0, 0.5]);
    assert.deepEqual(gradient(b.reduce("min", v, null), [2, 2, 2]), [1 / 3, 1 / 3, 1 / 3]);
  });
  it("keeps infinities out of the branch that where did not take", () => {
    const root = b.sqrt(b.where(b.binary("gt", v, b.ZERO), v, b.ZERO));
    assert.deepEqual(gradient(root, [-1, 0, 4]), [0, 0, 0.25]);
  });
  it("gives 0, not NaN, for x⁰, x¹ and x² at 0", () => {
    for (const [n, slope] of [
      [0, 0],
      [1, 1],
      [2, 0],
    ] as const) {
      assert.deepEqual(gradient(b.pow(v, b.constant(n)), [0, 0, 0]), [slope, slope, slope]);
    }
  });
});

describe("derive", () => {
  it("gives zeros of the right shape where no gradient arrives", () => {
    for (const op of flatOps) assert.deepEqual(gradient(b.unary(op, v), [1, 2, 3]), [0, 0, 0]);
    for (const op of ["floordiv", "eq", "ne", "lt", "le", "gt", "ge", "and", "or"] as const) {
      assert.deepEqual(gradient(b.binary(op, v, b.ONE), [1, 2, 3]), [0, 0, 0]);
    }
    for (const e of [
      b.stopGradient(v),
      b.cast(v, "int"),
      b.cast(v, "bool"),
      b.argReduce("argmax", v, 0),
      b.oneHot(v, K, 1),
      b.reduce("any", v, null),
      b.sum(b.constant(3)),
    ]) {
      assert.deepEqual(gradient(e, [1, 2, 3]), [0, 0, 0]);
      assert.equal(receivesGradient(e, v), false);
    }
  });

  it("derives the sum of a loss that is no scalar, or what a seed weights", () => {
    assert.deepEqual(gradient(b.pow(v, b.constant(2)), [1, 2, 3]), [2, 4, 6]);
    const seed = b.input("s", v.shape);
    const seeded = derive(b.pow(v, b.constant(2)), v, seed);
    const bound = at([1, 2, 3]).set("s", { shape: [3], data: [1, 0, -1] });
    assert.deepEqual([...evaluate(seeded, bound).data], [2, 0, -6]);
    assert.throws(() => derive(v, v, b.input("t", [K])), /seed of shape \(4,\) does not fit/);
  });

  it("derives by a whole-number input as if it were real", () => {
    const n = b.input("v", [axis("n", 3)], "int");
    const e = b.sum(b.mul(b.cast(n, "float64"), n));
    assert.deepEqual([...evaluate(derive(e, n), at([1, 2, 3])).data], [2, 4, 6]);
  });

  it("gives the quotient rule's terms by the named sums", () => {
    const [overlap, total] = [b.sum(b.mul(v, v)), b.sum(v)];
    const ratio = b.div(overlap, total);
    const by = adjoints(ratio, [overlap, total]);
    const [p, q] = [
      evaluate(by.get(overlap)!, at([1, 2, 3])),
      evaluate(by.get(total)!, at([1, 2, 3])),
    ];
    assert.deepEqual([p.data[0], q.data[0]], [1 / 6, -14 / 36]);
  });

  it("takes chosen nodes as independent where one is computed from another", () => {
    const s = b.sum(v);
    const square = b.mul(s, s);
    const by = adjoints(b.add(square, s), [s, square]);
    assert.equal(evaluate(by.get(s)!, at([1, 2, 3])).data[0], 1);
    assert.equal(evaluate(by.get(square)!, at([1, 2, 3])).data[0], 1);
  });
});

describe("blockers", () => {
  it("names what stops the gradient, with its place in the source", () => {
    const hard = b.binary("gt", v, half);
    annotate(hard, { file: "loss.py", line: 4, column: 10 });
    const found = blockers(b.sum(b.cast(hard, "float32")), v);
    assert.deepEqual(
      found.map((f) => [f.reason, f.partial, f.annotation?.spans[0]?.line]),
      [["comparison", false, 4]],
    );
  });
  it("knows each kind of blocker", () => {
    const reasons = (e: Expr): string[] => blockers(e, v).map((f) => f.reason);
    assert.deepEqual(reasons(b.stopGradient(v)), ["stop-gradient"]);
    assert.deepEqual(reasons(b.unary("round", v)), ["rounding"]);
    assert.deepEqual(reasons(b.binary("floordiv", v, half)), ["rounding"]);
    assert.deepEqual(reasons(b.argReduce("argmax", v, 0)), ["argmax"]);
    assert.deepEqual(reasons(b.oneHot(b.cast(v, "int"), K, 1)), ["one-hot"]);
    assert.deepEqual(reasons(b.cast(v, "int")), ["integer-cast"]);
    assert.deepEqual(reasons(b.unary("sign", v)), ["sign"]);
    assert.deepEqual(reasons(b.unary("isnan", v)), ["comparison"]);
    assert.deepEqual(reasons(b.where(b.binary("gt", v, half), v, b.ZERO)), ["comparison"]);
  });
  it("reports a clamp as partial, and gradient still arrives", () => {
    const clamped = b.clamp(v, b.ZERO, b.ONE);
    assert.deepEqual(
      blockers(clamped, v).map((f) => [f.reason, f.partial]),
      [["clamp", true]],
    );
    assert.equal(receivesGradient(clamped, v), true);
  });
  it("reports a detached denominator while the numerator still passes", () => {
    const loss = b.div(b.sum(v), b.stopGradient(b.sum(b.mul(v, v))));
    assert.equal(receivesGradient(loss, v), true);
    assert.deepEqual(
      blockers(loss, v).map((f) => f.reason),
      ["stop-gradient"],
    );
  });
  it("finds none on a smooth loss, and none away from the input", () => {
    assert.deepEqual(blockers(b.exp(v), v), []);
    assert.deepEqual(blockers(b.mul(v, b.unary("round", row)), v), []);
    assert.equal(receivesGradient(row, v), false);
  });
});
