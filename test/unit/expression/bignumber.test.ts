import assert from "node:assert/strict";
import fc from "fast-check";
import { big, evaluateBig } from "../../../src/expression/bignumber.ts";
import * as b from "../../../src/expression/build.ts";
import { generator } from "../../../src/expression/equalityPoints.ts";
import { type BoundArray, evaluate } from "../../../src/expression/evaluate.ts";
import type { Expr, UnaryOp } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { expressions, prediction } from "./randomExpressions.ts";

const none = new Map<string, BoundArray>();
const digits = (e: Expr, n = 50): string =>
  evaluateBig(e, none, 64).data[0]!.toSignificantDigits(n).toString();
const c = (v: number): Expr => b.constant(v);

describe("evaluateBig", () => {
  it("takes a double for the decimal it prints as", () => {
    assert.equal(digits(b.add(c(0.1), c(0.2))), "0.3");
    assert.equal(digits(b.mul(c(1e-7), c(3))), "3e-7");
  });

  it("knows the first digits of familiar numbers", () => {
    assert.equal(digits(b.exp(c(1)), 40), "2.718281828459045235360287471352662497757");
    assert.equal(digits(b.sqrt(c(2)), 40), "1.41421356237309504880168872420969807857");
    assert.equal(digits(b.log(c(2)), 40), "0.6931471805599453094172321214581765680755");
    assert.equal(digits(b.sigmoid(c(0))), "0.5");
  });

  it("keeps small sigmoids and softplus that float64 has lost", () => {
    assert.equal(digits(b.sigmoid(c(-800)), 5), "3.6679e-348");
    assert.equal(digits(b.unary("logsigmoid", c(40)), 5), "-4.2484e-18");
    assert.equal(digits(b.unary("softplus", c(-50)), 5), "1.9287e-22");
  });

  it("rounds halves to even, and follows Python's division of negative numbers", () => {
    const round = (v: number): string => digits(b.unary("round", c(v)));
    assert.deepEqual([0.5, 1.5, 2.5, -1.5].map(round), ["0", "2", "2", "-2"]);
    assert.equal(digits(b.binary("mod", c(-7), c(3))), "2");
    assert.equal(digits(b.binary("floordiv", c(-7), c(2))), "-4");
  });

  it("says undefined where the mathematics does", () => {
    assert.equal(digits(b.div(b.ZERO, b.ZERO)), "NaN");
    assert.equal(digits(b.log(c(-1))), "NaN");
    assert.equal(digits(b.div(b.ONE, b.ZERO)), "Infinity");
    assert.equal(digits(b.unary("isnan", b.div(b.ZERO, b.ZERO))), "1");
    assert.equal(digits(b.binary("max", b.div(b.ZERO, b.ZERO), b.ONE)), "NaN");
  });

  it("goes to as many digits as asked", () => {
    const third = evaluateBig(b.div(c(1), c(3)), none, 100).data[0]!;
    assert.equal(third.toString().length, 102);
    assert.equal(big("0.1", 20).times(3).toString(), "0.3");
  });

  it("agrees with float64 on every function of one number", () => {
    const all = (
      "neg exp log log1p expm1 sqrt abs sign sigmoid logsigmoid softplus tanh relu cosh sinh " +
      "sin cos round floor ceil not isnan isfinite"
    ).split(" ") as UnaryOp[];
    for (const op of all) {
      for (const v of [-2.5, -0.7, 0, 0.3, 1.9]) {
        const e = b.unary(op, c(v));
        const [exact, double] = [evaluateBig(e, none).data[0]!, evaluate(e, none).data[0]!];
        const same = Object.is(exact.toNumber() + 0, double + 0);
        const near = Math.abs(exact.toNumber() - double) <= 4e-16 * Math.abs(double);
        assert.ok(same || near, `${op}(${v}): ${exact.toString()} against ${double}`);
      }
    }
  });

  it("agrees with float64 on any expression and its derivative", () => {
    const next = generator(5);
    const array = (...shape: number[]): BoundArray => ({
      shape,
      data: Array.from({ length: shape.reduce((n, s) => n * s, 1) }, () => 0.1 + 0.8 * next()),
    });
    const bindings = new Map([
      ["p", array(2, 3, 2)],
      ["g", array(2, 3, 2)],
      ["w", array(3, 1)],
    ]);
    fc.assert(
      fc.property(expressions, (e) => {
        for (const f of [e, derive(e, prediction)]) {
          const [exact, double] = [evaluateBig(f, bindings), evaluate(f, bindings)];
          assert.deepEqual(exact.shape, double.shape);
          const scale = Math.max(1, ...double.data.map(Math.abs));
          exact.data.forEach((v, k) => {
            const gap = Math.abs(v.toNumber() - double.data[k]!);
            // At a threshold the two may decide differently: nothing to learn from such a point.
            assert.ok(!(gap > 1e-9 * scale) || decides(f), `${v.toString()} ${double.data[k]!}`);
          });
        }
      }),
      { seed: 99, numRuns: 60 },
    );
  });
});

/** Whether an expression jumps anywhere. */
function decides(e: Expr): boolean {
  return (
    e.kind === "where" || (e.kind === "cast" && e.args[0]!.type === "bool") || e.args.some(decides)
  );
}
