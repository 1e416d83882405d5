import assert from "node:assert/strict";
import fc from "fast-check";
import type { BigNumber } from "mathjs";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { evaluateAll } from "../../../src/expression/evaluate.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import { evaluateReference } from "../../../src/numbers/reference.ts";
import { scalarReference } from "../../../src/numbers/scalarReference.ts";
import { BindingError, Cancelled, type TypedArray } from "../../../src/numbers/typedArrays.ts";
import { exactDD, math, relativeError } from "./exact.ts";
import { boundArrays } from "./plainly.ts";
import { randomCase } from "./randomExpression.ts";

describe("evaluation in double-double", () => {
  it("gives what plain evaluation gives for random expressions, to float64's precision", () => {
    fc.assert(
      fc.property(randomCase, ({ outputs, arrays }) => {
        const all = topological(...outputs);
        const values = evaluateAll(all, boundArrays(outputs, arrays));
        const got = evaluateReference(all, arrays);
        const scale = values.reduce(
          (m, v) => v.data.reduce((n, x) => (Number.isFinite(x) ? Math.max(n, Math.abs(x)) : n), m),
          1,
        );
        values.forEach((want, k) => {
          assert.deepEqual(got[k]!.shape, want.shape);
          assert.equal(got[k]!.hi.length, want.data.length);
          assert.equal(got[k]!.lo.length, want.data.length);
          want.data.forEach((w, i) => {
            const g = got[k]!.hi[i]!;
            const close = Object.is(g, w) || g === w || Math.abs(g - w) <= 1e-11 * scale;
            assert.ok(close, `${nameOf(all[k]!)}, entry ${i}: ${g}, expected ${w}`);
          });
        });
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it("keeps about 100 bits through a whole Dice gradient", () => {
    const n = 50;
    const i = axis("i", n);
    const x = b.input("x", [i]);
    const t = b.input("t", [i]);
    const arrays = new Map<string, TypedArray>([
      ["x", Float64Array.from({ length: n }, (_, k) => Math.sin(k) * 4)],
      ["t", Uint8Array.from({ length: n }, (_, k) => (k % 3) & 1)],
    ]);
    const p = b.sigmoid(x);
    const numerator = b.add(b.mul(b.constant(2), b.sum(b.mul(p, t))), b.constant(1e-7));
    const denominator = b.add(b.add(b.sum(p), b.sum(t)), b.constant(1e-7));
    const slope = b.sub(
      b.div(numerator, b.mul(denominator, denominator)),
      b.div(b.mul(b.constant(2), t), denominator),
    );
    const gradient = b.mul(slope, b.mul(p, b.sub(b.ONE, p)));
    const [got] = evaluateReference([gradient], arrays);

    const big = (v: number): BigNumber => math.bignumber(v);
    const xs = [...arrays.get("x")!].map((v): BigNumber => exactDD(v, 0));
    const ts = [...arrays.get("t")!].map((v) => big(v));
    const ps = xs.map((v) => big(1).div(v.neg().exp().plus(1)));
    const total = (values: readonly BigNumber[]): BigNumber =>
      values.reduce((s, v) => s.plus(v), big(0));
    const eps = exactDD(1e-7, 0);
    const num = total(ps.map((v, k) => v.times(ts[k]!)))
      .times(2)
      .plus(eps);
    const den = total(ps).plus(total(ts)).plus(eps);
    ps.forEach((v, k) => {
      const want = num
        .div(den.times(den))
        .minus(ts[k]!.times(2).div(den))
        .times(v)
        .times(big(1).minus(v));
      const error = relativeError(exactDD(got!.hi[k]!, got!.lo[k]!), want);
      assert.ok(error < 1e-29, `entry ${k}: ${error}`);
    });
  });

  it("sums ten million entries without losing a digit of float64", () => {
    const n = 1e7;
    const x = b.input("x", [axis("i", n)]);
    const array = new Float64Array(n).fill(0.1);
    const [sum] = evaluateReference([b.sum(x)], new Map([["x", array]]));
    const want = exactDD(0.1, 0).times(n);
    assert.ok(relativeError(exactDD(sum!.hi[0]!, sum!.lo[0]!), want) < 1e-24);
  });

  it("says how far it is and stops when asked to", () => {
    const x = b.input("x", [axis("i", 300_000)]);
    const e = b.sum(b.exp(b.mul(x, x)));
    const arrays = new Map([["x", new Float64Array(300_000).fill(0.5)]]);
    const seen: number[] = [];
    evaluateReference([e], arrays, { onProgress: (f) => seen.push(f) });
    assert.ok(seen.length > 0);
    assert.ok(seen.every((f, k) => f <= 1 && f >= (seen[k - 1] ?? 0)));
    let asked = 0;
    const isCancelled = (): boolean => ++asked > 1;
    assert.throws(() => evaluateReference([e], arrays, { isCancelled }), Cancelled);
  });

  it("refuses arrays that are missing or of another length", () => {
    const x = b.input("x", [axis("i", 3)]);
    assert.throws(() => evaluateReference([x], new Map()), BindingError);
    assert.throws(
      () => evaluateReference([x], new Map([["x", new Float32Array(4)]])),
      BindingError,
    );
  });

  it("leaves the caller's arrays alone", () => {
    const x = b.input("x", [axis("i", 4)]);
    const array = Float64Array.of(1, 2, 3, 4);
    const [same, doubled] = evaluateReference([x, b.add(x, x)], new Map([["x", array]]));
    same!.hi[0] = 99;
    assert.deepEqual([...array], [1, 2, 3, 4]);
    assert.deepEqual([...doubled!.hi], [2, 4, 6, 8]);
  });
});

describe("scalars in double-double", () => {
  const names = ["u", "v"];
  const u = b.input("u", []);
  const v = b.parameter("v", null);

  it("are what arrays of one entry are", () => {
    const e: Expr[] = [
      b.div(b.add(b.mul(b.constant(2), u), v), b.add(b.exp(u), b.constant(1e-7))),
      b.where(b.binary("gt", u, v), b.pow(u, b.constant(2.5)), b.neg(v)),
      b.clamp(u, b.constant(0.25), b.constant(0.5)),
      b.mean(b.stack([u, u], 0).shape.length === 1 ? b.reshape(u, [axis("one", 1)]) : u),
      b.cast(b.mul(u, b.constant(10)), "int"),
    ];
    const f = scalarReference(e, names);
    for (const [p, q] of [
      [0.7, 0.3],
      [0.1, 2],
      [3, -1],
    ] as const) {
      const got = f([p, q]);
      const want = evaluateReference(
        e,
        new Map([
          ["u", Float64Array.of(p)],
          ["v", Float64Array.of(q)],
        ]),
      );
      assert.deepEqual(
        [...got.hi],
        want.map((w) => w.hi[0]),
      );
      assert.deepEqual(
        [...got.lo],
        want.map((w) => w.lo[0]),
      );
    }
  });

  it("take the low parts of their arguments into account", () => {
    const f = scalarReference([b.sub(u, v)], names);
    assert.equal(f([1, 1], [1e-20, 0]).hi[0], 1e-20);
  });

  it("are refused where an array is, or a value is missing", () => {
    assert.throws(() => scalarReference([b.input("w", [axis("i", 2)])], ["w"]), /no scalar/);
    assert.throws(() => scalarReference([u], []), BindingError);
    assert.throws(() => scalarReference([v], ["u"]), BindingError);
  });
});

function nameOf(e: Expr): string {
  return "op" in e ? `${e.kind} ${e.op}` : e.kind;
}
