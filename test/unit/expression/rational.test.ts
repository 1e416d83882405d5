import assert from "node:assert/strict";
import fc from "fast-check";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import * as q from "../../../src/expression/rational.ts";

const text = (r: q.Rational): string => `${r.n}/${r.d}`;

describe("rational numbers", () => {
  it("read a double as the decimal it prints as", () => {
    assert.equal(text(q.toRational(0.1)), "1/10");
    assert.equal(text(q.toRational(-1e-7)), "-1/10000000");
    assert.equal(text(q.toRational(1.5e3)), "1500/1");
    assert.equal(text(q.toRational(1e22)), "10000000000000000000000/1");
    assert.equal(text(q.toRational(5e-324).d > 0n ? q.R1 : q.R0), "1/1");
    for (const v of [NaN, Infinity, -Infinity]) assert.throws(() => q.toRational(v), q.NotRational);
  });

  it("give every double back", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (v) => {
        assert.equal(q.toNumber(q.toRational(v)), v === 0 ? 0 : v);
      }),
      { seed: 3 },
    );
  });

  it("add up exactly, where doubles do not", () => {
    const sum = q.plus(q.toRational(0.1), q.toRational(0.2));
    assert.equal(q.toNumber(sum), 0.3);
    assert.equal(q.toNumber(q.rational(1n, 3n)), null);
    assert.ok(q.equal(q.times(q.rational(2n, -6n), q.rational(3n, 1n)), q.RM1));
    assert.equal(text(q.power(q.rational(2n, 3n), -2)), "9/4");
    assert.throws(() => q.invert(q.R0), q.NotRational);
  });
});

describe("exact values of rational functions", () => {
  const x = b.input("x", [axis("n", 3)]);
  const at = new Map([["x", { shape: [3], data: [1n, 2n, 3n].map((n) => q.rational(n, 7n)) }]]);

  it("come out as fractions", () => {
    const e = b.div(b.sum(b.pow(x, b.constant(2))), b.add(b.mean(x), b.constant(0.5)));
    assert.ok(q.isRationalFunction(e));
    assert.equal(text(q.evaluateRational([e], at)[0]!.data[0]!), "4/11");
  });

  it("do not exist at a division by zero", () => {
    const e = b.div(b.ONE, b.sub(x, x));
    assert.throws(() => q.evaluateRational([e], at), q.NotRational);
  });

  it("are not claimed of anything else", () => {
    for (const e of [
      b.exp(x),
      b.abs(x),
      b.pow(x, b.constant(0.5)),
      b.pow(x, b.parameter("gamma", 2)),
      b.pow(x, x),
      b.softmax(x, 0),
      b.reduce("max", x, null),
      b.where(b.binary("gt", x, b.ZERO), x, b.ZERO),
      b.cast(x, "int"),
      b.mul(x, b.constant(Infinity)),
    ]) {
      assert.equal(q.isRationalFunction(e), false);
    }
  });
});
