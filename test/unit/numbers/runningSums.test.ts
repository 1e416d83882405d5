import assert from "node:assert/strict";
import { type Axis, UNIT, axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { evaluateNodeByNode, evaluateReference } from "../../../src/numbers/reference.ts";

type Range = "le" | "lt" | "ge" | "gt";

const COUNTS: Readonly<Record<Range, (j: number, i: number) => boolean>> = {
  le: (j, i) => j <= i,
  lt: (j, i) => j < i,
  ge: (j, i) => j >= i,
  gt: (j, i) => j > i,
};

/** Σ_j [j range i]·x[r,j]·y[r,i], along the second axis of two rows. */
function product(n: number, range: Range): { sums: Expr; x: Expr; y: Expr } {
  const [r, i, j] = [axis("r", 2), axis("i", n), axis("j", n)];
  const [x, y] = [b.input("x", [r, i]), b.input("y", [r, i])];
  const places = b.positions("positions", axis("i", n));
  const at = (own: Axis, other: Axis): Expr => b.reshape(places, [UNIT, own, other]);
  const condition = b.binary(range, at(UNIT, j), at(i, UNIT));
  const terms = b.mul(b.reshape(y, [r, i, UNIT]), b.reshape(x, [r, UNIT, j]));
  return { sums: b.reduce("sum", b.mul(condition, terms), [2]), x, y };
}

const numbers = (n: number, scale: number): Float64Array =>
  Float64Array.from({ length: n }, (_, k) => Math.sin(k * scale) + 0.3);

/** The sums one entry after the other. */
function expected(n: number, range: Range, x: Float64Array, y: Float64Array): number[] {
  const counts = COUNTS[range];
  return Array.from({ length: 2 * n }, (_, k) => {
    const [row, i] = [Math.floor(k / n), k % n];
    let total = 0;
    for (let j = 0; j < n; j++) if (counts(j, i)) total += x[row * n + j]!;
    return total * y[k]!;
  });
}

describe("sums up to a position", () => {
  for (const range of Object.keys(COUNTS) as Range[]) {
    for (const n of [2, 64, 65, 400, 1009, 5000]) {
      it(`are those of all entries that count: ${range}, over ${n}`, () => {
        const { sums } = product(n, range);
        const [x, y] = [numbers(2 * n, 0.7), numbers(2 * n, 1.3)];
        const bindings = new Map([
          ["x", x],
          ["y", y],
        ]);
        const want = expected(n, range, x, y);
        const all = [
          compileKernel([sums]).run(bindings).outputs[0]!.data,
          compileKernel([sums], { vectors: "always" }).run(bindings).outputs[0]!.data,
          compileKernel([sums], { arithmetic: "double-double" }).run(bindings).outputs[0]!.data,
          evaluateReference([sums], bindings)[0]!.hi,
          ...(n < 500 ? [evaluateNodeByNode([sums], bindings)[0]!.hi] : []),
        ];
        for (const got of all) {
          want.forEach((w, k) => {
            assert.ok(Math.abs(got[k]! - w) <= 1e-12 * n, `entry ${k}: ${got[k]}, not ${w}`);
          });
        }
      });
    }
  }

  for (const range of Object.keys(COUNTS) as Range[]) {
    it(`are made along an axis with others around it: ${range}`, () => {
      const [o, i, j, k] = [axis("o", 3), axis("i", 50), axis("j", 50), axis("k", 7)];
      const places = b.positions("positions", axis("i", 50));
      const condition = b.binary(
        range,
        b.reshape(places, [UNIT, UNIT, j, UNIT]),
        b.reshape(places, [UNIT, i, UNIT, UNIT]),
      );
      const x = b.unary("exp", b.input("x", [o, i, k]));
      const terms = b.reshape(x, [o, UNIT, j, k]);
      const sums = b.reduce("sum", b.mul(condition, terms), [2]);
      const bindings = new Map([["x", numbers(3 * 50 * 7, 0.3)]]);
      const want = evaluateNodeByNode([sums], bindings)[0]!.hi;
      for (const vectors of ["always", "never"] as const) {
        const got = compileKernel([sums], { vectors }).run(bindings).outputs[0]!.data;
        got.forEach((v, at) => {
          assert.ok(Math.abs(v - want[at]!) <= 1e-13, `entry ${at}: ${v}, not ${want[at]}`);
        });
      }
    });
  }

  it("are made of quotients too, whose denominators stand on either side", () => {
    const { sums, x, y } = product(300, "ge");
    const [r, i, j] = [axis("r", 2), axis("i", 300), axis("j", 300)];
    const term = b.reduce("sum", b.div(sums.args[0]!, b.reshape(y, [r, UNIT, j])), [2]);
    const quotient = b.reduce("sum", b.div(term.args[0]!, b.reshape(x, [r, i, UNIT])), [2]);
    const kernel = compileKernel([quotient]);
    const bindings = new Map([
      ["x", numbers(600, 0.7).map((v) => v + 2)],
      ["y", numbers(600, 1.3).map((v) => v + 2)],
    ]);
    const want = evaluateNodeByNode([quotient], bindings)[0]!.hi;
    kernel.run(bindings).outputs[0]!.data.forEach((v, at) => {
      assert.ok(Math.abs(v - want[at]!) <= 1e-11, `entry ${at}: ${v}, not ${want[at]}`);
    });
    assert.ok(kernel.passes.every((p) => p.total <= 600));
  });

  it("carry their rounding errors along, and pass infinities on", () => {
    const n = 200_000;
    const { sums } = product(n, "le");
    const x = new Float64Array(2 * n).fill(0.1);
    x[2 * n - 3] = Infinity;
    const bindings = new Map([
      ["x", x],
      ["y", new Float64Array(2 * n).fill(1)],
    ]);
    for (const vectors of ["always", "never"] as const) {
      const got = compileKernel([sums], { vectors }).run(bindings).outputs[0]!.data;
      const tenth = 0.1000000000000000055511151231257827;
      // Added up without them, the sum of the first row is off by 1e-8.
      assert.ok(Math.abs(got[n - 1]! - n * tenth) < 1e-11);
      assert.deepEqual([...got.slice(2 * n - 3)], [Infinity, Infinity, Infinity]);
      assert.ok(Number.isFinite(got[2 * n - 4]!));
    }
  });

  it("take no square of their number, nor do their gradients", () => {
    const n = 300_000;
    const { sums, x } = product(n, "le");
    const loss = b.mean(b.mul(sums, sums));
    const gradient = derive(loss, x);
    const bindings = new Map([
      ["x", new Float64Array(2 * n).fill(1)],
      ["y", new Float64Array(2 * n).fill(2)],
    ]);
    const [value, slopes] = compileKernel([loss, gradient]).run(bindings).outputs;
    // 4·Σ k² / n, and of the last entry 8·n / 2n.
    assert.ok(Math.abs(value!.data[0]! / ((4 * (n + 1) * (2 * n + 1)) / 6) - 1) < 1e-13);
    assert.ok(Math.abs(slopes!.data.at(-1)! - 4) < 1e-12);
    const exact = evaluateReference([gradient], bindings)[0]!;
    assert.ok(Math.abs(exact.hi[0]! / (2 * (n + 1)) - 1) < 1e-15);
  });

  it("are looked for by what an input is, not by its name", () => {
    const n = 100;
    const { sums, x, y } = product(n, "le");
    const given = b.input("positions", [axis("i", n)], "int");
    const same = b.withArgs(sums, [
      b.mul(
        b.binary(
          "le",
          b.reshape(given, [UNIT, UNIT, axis("j", n)]),
          b.reshape(given, [UNIT, axis("i", n), UNIT]),
        ),
        b.mul(
          b.reshape(y, [axis("r", 2), axis("i", n), UNIT]),
          b.reshape(x, [axis("r", 2), UNIT, axis("j", n)]),
        ),
      ),
    ]);
    const zeros = new Float64Array(n);
    const bindings = new Map([
      ["x", new Float64Array(2 * n).fill(1)],
      ["y", new Float64Array(2 * n).fill(1)],
      ["positions", zeros],
    ]);
    // Every entry stands at 0 here, so that all count for each.
    assert.equal(compileKernel([same]).run(bindings).outputs[0]!.data[0], n);
  });
});
