import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { decideEqual } from "../../../src/expression/equality.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { scalarDerivatives } from "../../../src/gradient/outer.ts";

const N = axis("n", 5);
const C = axis("c", 3);
const p = b.input("p", [N]);
const g = b.input("g", [N]);
const [I, P, G] = [b.sum(b.mul(p, g)), b.sum(p), b.sum(g)];
const eps = b.parameter("eps", 1e-7);
const U = b.add(b.add(P, G), eps);
const dice = b.div(b.add(b.mul(b.constant(2), I), eps), U);
const loss = b.sub(b.ONE, dice);

const engines = (outer: Expr, symbols: readonly Expr[] = [I, P]): string[] =>
  scalarDerivatives(outer, symbols).map((d) => d.engine);

describe("scalarDerivatives", () => {
  it("gives the quotient rule's terms, reached by mathjs and by us", () => {
    const [byI, byP] = scalarDerivatives(loss, [I, P]);
    assert.deepEqual([byI!.engine, byP!.engine], ["mathjs", "mathjs"]);
    assert.equal(byI!.derivative, b.neg(b.div(b.constant(2), U)));
    const numerator = b.add(b.mul(b.constant(2), I), eps);
    assert.equal(byP!.derivative, b.div(numerator, b.pow(U, b.constant(2))));
  });

  it("adds up to the gradient by the chain rule", () => {
    for (const outer of [loss, b.neg(b.log(dice)), b.log(b.unary("cosh", loss))]) {
      const [byI, byP] = scalarDerivatives(outer, [I, P]);
      const chained = b.add(b.mul(byI!.derivative, g), byP!.derivative);
      assert.equal(decideEqual(chained, derive(outer, p)).equal, true);
    }
  });

  it("confirms powers, exponentials and hyperbolic functions", () => {
    const outers = [
      b.pow(loss, b.constant(0.75)),
      b.pow(loss, b.parameter("gamma", 1.5)),
      b.exp(b.neg(dice)),
      b.unary("tanh", loss),
      b.sqrt(dice),
      b.sigmoid(dice),
    ];
    for (const outer of outers) assert.deepEqual(engines(outer), ["mathjs", "mathjs"]);
  });

  it("differentiates one function of each entry of region sums", () => {
    const classes = b.input("q", [C, N]);
    const sums = b.sum(classes, [1]);
    const outer = b.div(b.ONE, b.add(sums, eps));
    const [only] = scalarDerivatives(outer, [sums]);
    assert.equal(only!.engine, "mathjs");
    assert.equal(only!.derivative, b.neg(b.div(b.ONE, b.pow(b.add(sums, eps), b.constant(2)))));
  });

  it("stands alone, and says why, where mathjs cannot follow", () => {
    const clipped = b.binary("max", loss, b.ZERO);
    const [byI] = scalarDerivatives(clipped, [I]);
    assert.equal(byI!.engine, "own");
    assert.match(byI!.note ?? "", /max/);
    const perClass = b.sum(b.input("q", [C, N]), [1]);
    const [coupled] = scalarDerivatives(b.mean(b.mul(perClass, perClass)), [perClass]);
    assert.equal(coupled!.engine, "own");
    assert.match(coupled!.note ?? "", /single numbers/);
    assert.equal(
      decideEqual(coupled!.derivative, b.div(b.mul(b.constant(2), perClass), b.size([C]))).equal,
      true,
    );
  });
});
