import assert from "node:assert/strict";
import fc from "fast-check";
import { UNIT, axis, flattenAxes } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { decideEqual } from "../../../src/expression/equality.ts";
import { evaluate } from "../../../src/expression/evaluate.ts";
import { namesFor } from "../../../src/expression/names.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { type SimplifyOptions, simplify } from "../../../src/expression/simplify.ts";
import { toText } from "../../../src/expression/text.ts";
import { leaves } from "../../../src/expression/walk.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { expressions, prediction } from "./randomExpressions.ts";

const B = axis("b", 4, "batch");
const C = axis("c", 3, "class");
const H = axis("h", 8, "space");
const W = axis("w", 8, "space");
const N = axis("n", 6);
const x = b.input("x", [N]);
const y = b.input("y", [N]);
const z = b.input("z", [N]);
const p = b.input("p", [B, C, H, W]);
const g = b.input("g", [B, C, H, W]);
const eps = b.parameter("eps", 1e-5);
const c = (v: number): Expr => b.constant(v);
const TWO = c(2);

/** The simplified expression is the expected one, node for node. */
function becomes(e: Expr, expected: Expr, options?: SimplifyOptions): void {
  const got = simplify(e, options);
  if (got === expected) return;
  const names = namesFor([got, expected]);
  assert.equal(toText(got, names), toText(expected, names));
  assert.fail("printed alike, built otherwise");
}
function stays(e: Expr): void {
  becomes(e, e);
}

describe("simplify: sums", () => {
  it("collects like terms with exact decimals and fractions", () => {
    becomes(b.add(x, x), b.mul(TWO, x));
    becomes(b.sub(b.mul(c(3), x), b.mul(c(2), x)), x);
    becomes(b.add(b.mul(c(1e-7), x), b.mul(c(0.1), x)), b.mul(c(0.1000001), x));
    becomes(b.add(b.mul(c(0.1), x), b.mul(c(0.2), x)), b.mul(c(0.3), x));
    becomes(b.add(b.div(x, c(3)), b.div(x, c(3))), b.div(b.mul(TWO, x), c(3)));
    becomes(b.div(x, c(262144)), b.div(x, c(262144)));
  });
  it("drops zeros and what cancels", () => {
    becomes(b.add(x, b.ZERO), x);
    becomes(b.sub(x, x), b.expand(b.ZERO, [N]));
    becomes(b.sub(b.add(x, y), x), y);
    becomes(b.sub(b.ONE, b.sub(b.ONE, x)), x);
    becomes(b.neg(b.neg(x)), x);
    becomes(b.neg(b.sub(x, y)), b.sub(y, x));
  });
  it("keeps the writer's order, with a positive term first", () => {
    stays(b.add(b.add(b.sum(p), b.sum(g)), eps));
    becomes(b.add(b.neg(x), y), b.sub(y, x));
    stays(b.neg(b.add(x, y)));
  });
  it("multiplies out only where terms then meet", () => {
    stays(b.mul(x, b.add(y, z)));
    becomes(b.sub(b.mul(x, b.add(y, z)), b.mul(x, z)), b.mul(x, y));
    becomes(b.add(x, b.mul(TWO, b.add(x, y))), b.add(b.mul(c(3), x), b.mul(TWO, y)));
  });
  it("takes a shared coefficient or factor over regions out of the sum", () => {
    becomes(b.sub(b.mul(TWO, x), b.mul(TWO, y)), b.mul(TWO, b.sub(x, y)));
    const total = b.sum(z);
    becomes(b.add(b.mul(total, x), b.mul(total, y)), b.mul(total, b.add(x, y)));
    const n = b.size([N]);
    becomes(b.sub(b.div(x, n), b.div(y, n)), b.div(b.sub(x, y), n));
  });
  it("lets a whole number stand apart from a mean", () => {
    becomes(b.mean(b.sub(b.ONE, x)), b.sub(b.ONE, b.div(b.sum(x), b.size([N]))));
    stays(b.sub(c(2), b.mul(c(0.5), x)));
  });
  it("multiplies out where everything cancels: the cross entropy of a sigmoid", () => {
    const s = b.sigmoid(x);
    const slope = b.sub(b.div(b.sub(b.ONE, y), b.sub(b.ONE, s)), b.div(y, s));
    becomes(b.mul(b.mul(slope, s), b.sub(b.ONE, s)), b.sub(s, y));
    const stable = b.sub(b.mul(b.sub(b.ONE, y), s), b.mul(y, b.sigmoid(b.neg(x))));
    becomes(stable, b.sub(s, y));
    stays(b.sub(b.mul(b.sub(b.ONE, y), z), b.mul(b.sub(b.ONE, z), b.sub(x, y))));
  });
  it("adds up behind one mask, and keeps numbers before it", () => {
    const inside = b.binary("gt", x, b.ZERO);
    const masked = (e: Expr): Expr => b.where(inside, e, b.ZERO);
    becomes(b.sub(masked(y), b.mul(masked(b.ONE), z)), masked(b.sub(y, z)));
    becomes(masked(b.div(y, c(3))), b.div(masked(y), c(3)));
  });
  it("joins branches under one condition", () => {
    const above = b.binary("gt", x, y);
    const left = b.where(above, x, b.ZERO);
    becomes(b.add(left, b.where(above, b.ZERO, y)), b.where(above, x, y));
  });
});

describe("simplify: products", () => {
  it("collects powers and puts the number in front", () => {
    becomes(b.mul(x, x), b.pow(x, TWO));
    becomes(b.mul(b.pow(x, TWO), b.pow(x, c(3))), b.pow(x, c(5)));
    becomes(b.mul(b.mul(x, c(3)), b.mul(TWO, y)), b.mul(b.mul(c(6), x), y));
    becomes(b.mul(b.neg(x), y), b.neg(b.mul(x, y)));
    becomes(b.mul(b.neg(x), b.neg(y)), b.mul(x, y));
    becomes(b.mul(x, b.ONE), x);
    becomes(b.mul(x, b.ZERO), b.expand(b.ZERO, [N]));
    becomes(b.pow(b.mul(TWO, x), c(3)), b.mul(c(8), b.pow(x, c(3))));
  });
  it("makes one fraction of several", () => {
    becomes(b.div(b.div(x, y), z), b.div(x, b.mul(y, z)));
    becomes(b.div(x, b.div(y, z)), b.div(b.mul(x, z), y));
    becomes(b.div(x, b.ONE), x);
    becomes(b.div(x, c(0.5)), b.mul(TWO, x));
    becomes(b.mul(b.div(b.ONE, y), x), b.div(x, y));
  });
  it("does not divide by what may be zero: x/x stays, x/x² is 1/x", () => {
    stays(b.div(x, x));
    becomes(b.div(x, b.pow(x, TWO)), b.div(b.ONE, x));
    becomes(b.div(b.pow(x, c(3)), x), b.div(b.pow(x, c(3)), x));
    becomes(b.div(b.exp(x), b.exp(x)), b.expand(b.ONE, [N]));
    becomes(b.div(eps, eps), b.ONE);
    becomes(b.div(x, x), b.expand(b.ONE, [N]), { nonzero: [x] });
  });
  it("keeps √x², log x·y and x^½·x^½ as they are", () => {
    stays(b.sqrt(b.pow(x, TWO)));
    stays(b.log(b.mul(x, y)));
    stays(b.pow(b.pow(x, TWO), c(0.5)));
    becomes(b.pow(b.pow(b.exp(x), c(0.5)), c(0.5)), b.pow(b.exp(x), c(0.25)));
  });
  it("keeps named numbers by name, whatever their value", () => {
    stays(b.mul(b.parameter("one", 1), x));
    stays(b.add(x, b.parameter("none", 0)));
    stays(b.pow(x, b.parameter("gamma", 2)));
  });
  it("takes factors into the branch that a mask lets through", () => {
    const inside = b.binary("gt", x, b.ZERO);
    const mask = b.where(inside, y, b.ZERO);
    const expected = b.where(inside, b.div(y, x), b.ZERO);
    becomes(b.div(mask, x), expected);
    const at0 = new Map([
      ["x", { shape: [6], data: [0, 0, 0, 0, 0, 0] }],
      ["y", { shape: [6], data: [1, 1, 1, 1, 1, 1] }],
    ]);
    assert.deepEqual([...evaluate(simplify(b.div(mask, x)), at0).data], [0, 0, 0, 0, 0, 0]);
  });
  it("squares an indicator to itself", () => {
    const m = b.cast(b.binary("gt", x, y), "float64");
    becomes(b.mul(m, m), m);
  });
});

describe("simplify: functions", () => {
  it("recognizes sigmoid, softmax and tanh written out", () => {
    const s = b.sigmoid(x);
    becomes(b.div(b.ONE, b.add(b.ONE, b.exp(b.neg(x)))), s);
    becomes(b.div(b.exp(x), b.add(b.exp(x), b.ONE)), s);
    becomes(
      b.div(b.exp(b.neg(x)), b.pow(b.add(b.ONE, b.exp(b.neg(x))), TWO)),
      b.mul(s, b.sub(b.ONE, s)),
    );
    becomes(b.exp(b.unary("logsigmoid", x)), s);
    becomes(b.exp(b.softmax(x, 0, true)), b.softmax(x, 0));
    becomes(b.div(b.unary("sinh", x), b.unary("cosh", x)), b.unary("tanh", x));
    const shifted = b.sub(p, b.reduce("max", p, [1], true));
    const soft = b.div(b.exp(shifted), b.sum(b.exp(shifted), [1], true));
    becomes(soft, b.softmax(p, 1));
  });
  it("folds what is exact and nothing else", () => {
    becomes(b.exp(b.ZERO), b.ONE);
    becomes(b.sqrt(c(4)), TWO);
    stays(b.sqrt(TWO));
    stays(b.exp(b.ONE));
    becomes(b.abs(c(-3)), c(3));
    becomes(b.binary("max", TWO, c(3)), c(3));
    becomes(b.abs(b.neg(x)), b.abs(x));
    becomes(b.unary("tanh", b.neg(x)), b.neg(b.unary("tanh", x)));
  });
  it("drops casts between float types and keeps those of masks and labels", () => {
    becomes(b.cast(x, "float32"), x);
    const labels = b.input("labels", [N], "int");
    stays(b.cast(labels, "float64"));
    stays(b.cast(b.binary("gt", x, y), "float64"));
  });
  it("keeps stop-gradient unless the result is not derived any more", () => {
    const e = b.sub(x, b.stopGradient(x));
    stays(e);
    becomes(e, b.expand(b.ZERO, [N]), { dropStops: true });
  });
  it("decides what conditions and bounds decide", () => {
    becomes(b.where(b.binary("lt", c(1), c(2)), x, y), x);
    becomes(b.where(b.binary("gt", x, y), z, z), z);
    becomes(b.clamp(x, null, null), x);
    becomes(b.abs(b.exp(x)), b.exp(x));
    becomes(b.binary("max", x, x), x);
  });
});

describe("simplify: reductions", () => {
  it("splits sums and takes constants out", () => {
    becomes(b.sum(b.add(p, g)), b.add(b.sum(p), b.sum(g)));
    becomes(b.sum(b.mul(TWO, b.mul(p, g))), b.mul(TWO, b.sum(b.mul(p, g))));
    becomes(b.sum(b.mul(eps, p)), b.mul(eps, b.sum(p)));
    becomes(b.sum(b.expand(eps, [B, C])), b.mul(b.size([B, C]), eps));
    becomes(b.sum(b.add(x, b.ONE)), b.add(b.sum(x), b.size([N])));
    stays(b.sum(b.mul(p, b.sub(b.ONE, g))));
  });
  it("merges nested sums and means", () => {
    becomes(b.sum(b.sum(p, [2, 3])), b.sum(p));
    becomes(b.mean(b.mean(p, [2, 3])), b.div(b.sum(p), b.size([B, C, H, W])));
    becomes(b.sum(b.sum(p, [1], true), [0]), b.expand(b.sum(p, [0, 1]), [UNIT, H, W]));
  });
  it("counts what is summed without varying, along each axis by itself", () => {
    const w = b.input("w", [C, UNIT, UNIT]);
    const inner = b.mul(b.size([B, H, W]), b.sum(b.reshape(w, [C])));
    assert.ok(decideEqual(simplify(b.sum(b.expand(w, [B, C, H, W]))), inner).equal === true);
    const perClass = b.sum(b.mul(w, p), [0, 2, 3]);
    becomes(perClass, b.mul(b.reshape(w, [C]), b.sum(p, [0, 2, 3])));
  });
  it("sees through flattening, transposing and kept axes", () => {
    const all = flattenAxes([B, C, H, W]);
    const rest = flattenAxes([C, H, W]);
    const flat = (e: Expr): Expr => b.reshape(e, [all]);
    const perSample = (e: Expr): Expr => b.reshape(e, [B, rest]);
    becomes(b.sum(b.mul(flat(p), flat(g))), b.sum(b.mul(p, g)));
    becomes(b.sum(b.mul(perSample(p), perSample(g)), [1]), b.sum(b.mul(p, g), [1, 2, 3]));
    const byClass = b.reshape(b.transpose(p, [1, 0, 2, 3]), [C, flattenAxes([B, H, W])]);
    becomes(b.sum(byClass, [1]), b.sum(p, [0, 2, 3]));
    becomes(b.sum(p, [0, 1, 2, 3], true), b.expand(b.sum(p), [UNIT, UNIT, UNIT, UNIT]));
    becomes(b.reduce("max", flat(p), null), b.reduce("max", p, null));
  });
  it("flattens by sizes where axes have no parts", () => {
    becomes(b.sum(b.reshape(p, [B, axis("v", 192)]), [1]), b.sum(p, [1, 2, 3]));
    const mixed = b.reshape(x, [axis("r", 2), axis("s", 3)]);
    stays(b.sum(mixed, [0]));
  });
  it("sums probabilities over the classes to one", () => {
    becomes(b.sum(b.softmax(p, 1)), b.size([B, H, W]));
    becomes(b.sum(b.softmax(p, 1), [1]), b.expand(b.ONE, [B, H, W]));
  });
});

describe("simplify: views and entries", () => {
  it("cancels views and lets them float outwards", () => {
    const flat = [flattenAxes([B, C, H, W])];
    becomes(b.reshape(b.mul(b.reshape(p, flat), b.reshape(g, flat)), p.shape), b.mul(p, g));
    becomes(b.transpose(b.transpose(p, [1, 0, 2, 3]), [1, 0, 2, 3]), p);
    becomes(b.exp(b.transpose(p, [0, 2, 3, 1])), b.transpose(b.exp(p), [0, 2, 3, 1]));
    becomes(b.mul(b.expand(eps, p.shape), p), b.mul(eps, p));
    becomes(b.squeeze(b.unsqueeze(x, 1)), x);
  });
  it("picks entries at the inputs", () => {
    becomes(b.index(b.mul(p, g), 1, 0), b.mul(b.index(p, 1, 0), b.index(g, 1, 0)));
    becomes(b.index(b.stack([x, y], 0), 0, 1), y);
    becomes(b.index(b.place(x, 0, 2, C), 0, 2), x);
    becomes(b.index(b.place(x, 0, 2, C), 0, 1), b.expand(b.ZERO, [N]));
    becomes(b.index(b.sum(p, [0]), 0, 2), b.sum(b.index(p, 1, 2), [0]));
    becomes(b.slice(b.concat([x, y], 0), 0, 6, 12), y);
  });
  it("works on the parts that an array was joined from", () => {
    const two = (e: Expr): Expr => b.stack([b.sub(b.ONE, e), e], 0);
    const overlap = b.sum(b.mul(two(x), two(y)), [1]);
    const background = b.sum(b.mul(b.sub(b.ONE, x), b.sub(b.ONE, y)));
    becomes(overlap, b.stack([background, b.sum(b.mul(x, y))], 0, overlap.shape[0]));
    becomes(b.sum(overlap), b.add(background, b.sum(b.mul(x, y))));
    const cut = b.slice(b.reshape(b.concat([x, y], 0), [axis("m", 12), UNIT]), 0, 6, null);
    becomes(cut, b.reshape(y, cut.shape));
  });
  it("rolls a loop over classes up again", () => {
    const terms = [0, 1, 2].map((k) => b.sum(b.mul(b.index(p, 1, k), b.index(g, 1, k))));
    const looped = b.add(b.add(b.add(b.ZERO, terms[0]!), terms[1]!), terms[2]!);
    becomes(looped, b.sum(b.mul(p, g)));
    const hot = [0, 1, 2].map((k) => b.cast(b.binary("eq", b.cast(x, "int"), c(k)), "float64"));
    const counted = hot.map((m) => b.sum(m)).reduce((s, t) => b.add(s, t));
    assert.equal(
      decideEqual(simplify(counted), counted, { ranges: { x: { labels: 3 } } }).equal,
      true,
    );
    becomes(
      b.stack(
        [0, 1, 2].map((k) => b.index(p, 1, k)),
        1,
      ),
      p,
    );
  });
  it("rolls up nested loops, and loops that leave the background out", () => {
    const one = (i: number, k: number): Expr => {
      const [s, t] = [p, g].map((e) => b.index(b.index(e, 0, i), 0, k));
      return b.div(b.sum(b.mul(s!, t!)), b.add(b.sum(s!), eps));
    };
    const nested = [0, 1, 2, 3]
      .flatMap((i) => [0, 1, 2].map((k) => one(i, k)))
      .reduce((s, t) => b.add(s, t));
    const whole = b.sum(b.div(b.sum(b.mul(p, g), [2, 3]), b.add(b.sum(p, [2, 3]), eps)));
    becomes(nested, whole);
    const foreground = b.add(b.sum(b.index(p, 1, 1)), b.sum(b.index(p, 1, 2)));
    becomes(foreground, b.sum(b.slice(p, 1, 1, null)));
  });
  it("leaves terms that only look like a loop", () => {
    stays(b.add(b.sum(b.index(p, 1, 0)), b.sum(b.index(p, 1, 2))));
    const crossed = b.add(
      b.mul(b.index(x, 0, 0), b.index(y, 0, 1)),
      b.mul(b.index(x, 0, 1), b.index(y, 0, 0)),
    );
    stays(crossed);
  });
});

describe("simplify", () => {
  it("is deterministic, settles, and holds for unknown sizes", () => {
    const M = axis("m", null);
    const q = b.input("q", [M]);
    becomes(b.mean(b.add(q, q)), b.div(b.mul(TWO, b.sum(q)), b.size([M])));
    becomes(b.sum(b.reshape(q, [UNIT, M]), [1]), b.expand(b.sum(q), [UNIT]));
  });

  it("does not take long over a total added to itself again and again", () => {
    let total: Expr = b.sum(x);
    for (let k = 0; k < 40; k++) total = b.add(total, total);
    becomes(total, b.mul(c(2 ** 40), b.sum(x)));
  });

  it("takes deep chains of unlike operations", () => {
    let e: Expr = x;
    for (let k = 0; k < 3000; k++) e = b.unary(k % 2 === 0 ? "tanh" : "sin", e);
    stays(e);
  });

  it("keeps the value of any expression, and of its derivative, to 50 digits", () => {
    fc.assert(
      fc.property(expressions, (e) => {
        const simple = simplify(e);
        same(e, simple);
        assert.ok(simplify(simple) === simple, "a second pass changes nothing");
        const derivative = derive(e, prediction);
        const simpleDerivative = simplify(derivative);
        same(derivative, simpleDerivative);
        same(simpleDerivative, simplify(derive(simple, prediction)));
      }),
      { seed: 20240611, numRuns: 150 },
    );
  }).timeout(60000);

  it("brings in no input that was not there", () => {
    fc.assert(
      fc.property(expressions, (e) => {
        const before = new Set(leaves(e));
        assert.ok(leaves(simplify(e)).every((leaf) => before.has(leaf)));
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

function same(e: Expr, f: Expr): void {
  const verdict = decideEqual(e, f, { degenerate: false });
  // Nothing to compare where the expression itself is undefined everywhere.
  assert.ok(verdict.equal !== false, JSON.stringify(verdict.counterexample));
}
