import assert from "node:assert/strict";
import fc from "fast-check";
import type { BigNumber } from "mathjs";
import type { BinaryOp, UnaryOp } from "../../../src/expression/node.ts";
import { evaluate } from "../../../src/expression/evaluate.ts";
import * as b from "../../../src/expression/build.ts";
import { LOW, twoProduct, twoSum } from "../../../src/numbers/doubledouble.ts";
import { cosDD, sinDD } from "../../../src/numbers/doubledoubleFunctions.ts";
import { BINARY_DD, UNARY_DD } from "../../../src/numbers/referenceFunctions.ts";
import { exact, exactDD, math, relativeError } from "./exact.ts";

/** Relative error promised of every function below. */
const BOUND = 1e-30;

/** Double-double numbers: a float64 from `high`, half of the time with a low part. */
function dd(high: fc.Arbitrary<number>): fc.Arbitrary<readonly [number, number]> {
  const share = fc.oneof(fc.constant(0), signed(fc.double({ min: 1e-3, max: 0.5, noNaN: true })));
  return fc.tuple(high, share).map(([hi, s]) => {
    const lo = s * Math.abs(hi) * 2 ** -53;
    return [hi, hi + lo === hi ? lo : 0] as const;
  });
}
const between = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true }).filter((x) => x === 0 || Math.abs(x) > 1e-12);
/** Evenly over the orders of magnitude. */
const magnitudes = (from: number, to: number): fc.Arbitrary<number> =>
  fc.double({ min: from, max: to, noNaN: true }).map((e) => 10 ** e);
const signed = (a: fc.Arbitrary<number>): fc.Arbitrary<number> =>
  fc.tuple(a, fc.boolean()).map(([x, negative]) => (negative ? -x : x));

const one = math.bignumber(1);
const expm1 = (x: BigNumber): BigNumber => x.exp().minus(1);
const log1p = (x: BigNumber): BigNumber => x.plus(1).ln();

const FUNCTIONS: readonly [UnaryOp, fc.Arbitrary<number>, (x: BigNumber) => BigNumber][] = [
  ["exp", between(-650, 700), (x) => x.exp()],
  ["exp", between(-1, 1), (x) => x.exp()],
  ["expm1", signed(magnitudes(-12, 1)), expm1],
  ["expm1", between(-2, 2), expm1],
  ["log", magnitudes(-290, 300), (x) => x.ln()],
  ["log", between(0.5, 2), (x) => x.ln()],
  ["log1p", signed(magnitudes(-12, -0.01)), log1p],
  ["log1p", magnitudes(-3, 200), log1p],
  ["sqrt", magnitudes(-250, 300), (x) => x.sqrt()],
  ["sigmoid", between(-600, 600), (x) => one.div(x.neg().exp().plus(1))],
  ["softplus", between(-100, 100), (x) => log1p(x.exp())],
  ["logsigmoid", between(-100, 100), (x) => log1p(x.neg().exp()).neg()],
  ["tanh", signed(magnitudes(-6, 2)), (x) => expm1(x.times(2)).div(expm1(x.times(2)).plus(2))],
  ["sinh", signed(magnitudes(-6, 2.8)), (x) => expm1(x).minus(expm1(x.neg())).div(2)],
  ["cosh", signed(magnitudes(-6, 2.8)), (x) => x.exp().plus(x.neg().exp()).div(2)],
  ["sin", signed(magnitudes(-3, 6)), (x) => x.sin()],
  ["cos", signed(magnitudes(-3, 6)), (x) => x.cos()],
];

function assertClose(hi: number, lo: number, want: BigNumber, what: string): void {
  const error = relativeError(exactDD(hi, lo), want);
  assert.ok(error <= BOUND, `${what}: relative error ${error}`);
  assert.equal(hi + lo, hi, `${what}: the low part is too large`);
}

describe("double-double functions", () => {
  for (const [op, arguments_, f] of FUNCTIONS) {
    it(`${op} is right to ${BOUND}`, () => {
      fc.assert(
        fc.property(dd(arguments_), ([xh, xl]) => {
          if (xh === 0) return;
          const hi = UNARY_DD[op](xh, xl);
          const lo = LOW[0]!;
          assertClose(hi, lo, f(exactDD(xh, xl)), `${op}(${xh} + ${xl})`);
        }),
        { numRuns: 150, endOnFailure: true },
      );
    });
  }

  it("sin and cos of huge arguments take as many digits of π as they need", () => {
    for (const x of [1e7, -3e8, 1e12 + 0.5, 1e15, 123456789.125, 4e16]) {
      const big = exact(x);
      let hi = sinDD(x, 0);
      assertClose(hi, LOW[0]!, big.sin(), `sin ${x}`);
      hi = cosDD(x, 0);
      assertClose(hi, LOW[0]!, big.cos(), `cos ${x}`);
    }
  });

  const ARITHMETIC: readonly [BinaryOp, (x: BigNumber, y: BigNumber) => BigNumber][] = [
    ["add", (x, y) => x.plus(y)],
    ["sub", (x, y) => x.minus(y)],
    ["mul", (x, y) => x.times(y)],
    ["div", (x, y) => x.div(y)],
  ];
  const operand = dd(signed(magnitudes(-80, 80)));
  const near = dd(between(0.5, 2));
  for (const [op, f] of ARITHMETIC) {
    it(`${op} is right to 2e-31, cancellation included`, () => {
      fc.assert(
        fc.property(fc.oneof(operand, near), fc.oneof(operand, near), ([xh, xl], [yh, yl]) => {
          const hi = BINARY_DD[op](xh, xl, yh, yl);
          const lo = LOW[0]!;
          const want = f(exactDD(xh, xl), exactDD(yh, yl));
          assert.ok(relativeError(exactDD(hi, lo), want) <= 2e-31, `${xh},${xl} ${op} ${yh},${yl}`);
        }),
        { numRuns: 300, endOnFailure: true },
      );
    });
  }

  it("sums and products of two float64 are exact", () => {
    const any = signed(magnitudes(-100, 100));
    fc.assert(
      fc.property(any, any, (x, y) => {
        let hi = twoSum(x, y);
        assert.ok(
          exactDD(hi, LOW[0]!)
            .minus(exact(x).plus(exact(y)))
            .abs()
            .div(hi || 1)
            .abs()
            .lt(1e-60),
        );
        hi = twoProduct(x, y);
        assert.ok(
          exactDD(hi, LOW[0]!)
            .minus(exact(x).times(exact(y)))
            .abs()
            .div(hi)
            .abs()
            .lt(1e-60),
        );
      }),
    );
    // Near overflow Dekker's splitting needs scaling.
    const hi = twoProduct(1.2345e300, 1.7e-2);
    assert.ok(relativeError(exactDD(hi, LOW[0]!), exact(1.2345e300).times(exact(1.7e-2))) < 1e-60);
  });

  it("whole powers are right to 1e-30, others to 1e-28 at worst", () => {
    const cases: [number, number, number][] = [
      [1.7, 3, 1e-30],
      [0.3, -2, 1e-30],
      [-1.25, 7, 1e-30],
      [0.9, 0.5, 1e-30],
      [0.75, 1.5, 1e-30],
      [2.5, 0.3333333333333333, 1e-30],
      [1e-38, 7.5, 1e-28],
      [123.456, 90.25, 1e-28],
      [-2, 101, 1e-28],
    ];
    for (const [x, y, bound] of cases) {
      const hi = BINARY_DD.pow(x, 0, y, 0);
      const want = exact(Math.abs(x))
        .pow(exact(y))
        .times(x < 0 ? -1 : 1);
      assert.ok(relativeError(exactDD(hi, LOW[0]!), want) <= bound, `${x}^${y}`);
    }
  });

  it("follow IEEE 754 at special values, as plain evaluation does", () => {
    const special = [
      0,
      -0,
      1,
      -1,
      0.5,
      -2.5,
      3,
      Infinity,
      -Infinity,
      NaN,
      1e300,
      -1e300,
      5e-324,
      800,
      -800,
    ];
    const x = b.input("x", []);
    const y = b.input("y", []);
    const bound = (p: number, q: number) =>
      new Map([
        ["x", { shape: [], data: [p] }],
        ["y", { shape: [], data: [q] }],
      ]);
    for (const p of special) {
      for (const op of Object.keys(UNARY_DD) as UnaryOp[]) {
        if ((op === "sin" || op === "cos") && Math.abs(p) > 1e299) continue;
        const got = UNARY_DD[op](p, 0);
        const want = evaluate(b.unary(op, x), bound(p, 0)).data[0]!;
        const isSame =
          Object.is(got, want) ||
          Math.abs(got - want) <= 4e-16 * Math.abs(want) ||
          Math.abs(want) < 1e-300;
        assert.ok(isSame, `${op}(${p}) = ${got}, expected ${want}`);
      }
      for (const q of special) {
        for (const op of Object.keys(BINARY_DD) as BinaryOp[]) {
          if ((op === "mod" || op === "floordiv") && Math.abs(p) > 1e299) continue;
          const got = BINARY_DD[op](p, 0, q, 0);
          const want = evaluate(b.binary(op, x, y), bound(p, q)).data[0]!;
          const isSame =
            Object.is(got, want) ||
            (got === want && want !== 0) ||
            Math.abs(got - want) <= 4e-16 * Math.abs(want) ||
            (Math.abs(want) < 1e-300 && want !== 0);
          assert.ok(isSame, `${p} ${op} ${q} = ${got}, expected ${want}`);
        }
      }
    }
  });

  it("rounding to whole numbers sees the low part", () => {
    const cases: [UnaryOp, number, number, number][] = [
      ["floor", 3, -1e-20, 2],
      ["floor", 3, 1e-20, 3],
      ["ceil", 3, 1e-20, 4],
      ["round", 2.5, 1e-20, 3],
      ["round", 2.5, -1e-20, 2],
      ["round", 3.5, -1e-20, 3],
      ["round", 2.5, 0, 2],
      ["round", -2.5, 0, -2],
      ["round", -0.5, -1e-20, -1],
    ];
    for (const [op, hi, lo, want] of cases) assert.equal(UNARY_DD[op](hi, lo), want, `${op} ${hi}`);
    assert.equal(BINARY_DD.lt(1, -1e-20, 1, 0), 1);
    assert.equal(BINARY_DD.eq(1, 1e-20, 1, 0), 0);
  });
});
