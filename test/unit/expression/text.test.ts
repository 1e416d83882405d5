import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { namesFor } from "../../../src/expression/names.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { toText } from "../../../src/expression/text.ts";

const I = axis("i", 6);
const p = b.input("p", [I]);
const g = b.input("target", [I]);
const eps = b.parameter("eps", 1e-7);
const TWO = b.constant(2);
const text = (e: Expr): string => toText(e, namesFor([e]));

describe("text of an expression", () => {
  it("stands on one line, spaced out at the outermost sum alone", () => {
    const top = b.add(b.mul(TWO, b.sum(b.mul(p, g))), eps);
    const bottom = b.add(b.add(b.sum(p), b.sum(g)), eps);
    assert.equal(
      text(b.sub(b.ONE, b.div(top, bottom))),
      "1 − (2·Σ_i p[i]·g[i]+ε)/(Σ_i p[i]+Σ_i g[i]+ε)",
    );
  });

  it("leaves no doubt what a fraction's line covers", () => {
    assert.equal(text(b.div(p, b.mul(g, eps))), "p[i]/(g[i]·ε)");
    assert.equal(text(b.div(b.mul(p, g), eps)), "p[i]·g[i]/ε");
    assert.equal(text(b.mul(b.div(p, g), eps)), "p[i]·ε/g[i]");
    assert.equal(text(b.div(b.sum(p), eps)), "(Σ_i p[i])/ε");
    assert.equal(text(b.mean(p)), "(1/6)·Σ_i p[i]");
    assert.equal(text(b.div(p, b.pow(g, TWO))), "p[i]/g[i]²");
  });

  it("writes powers with superscripts where they are whole numbers", () => {
    assert.equal(text(b.pow(p, TWO)), "p[i]²");
    assert.equal(text(b.pow(b.sub(p, g), b.constant(12))), "(p[i]−g[i])¹²");
    assert.equal(text(b.div(b.ONE, b.pow(p, b.constant(3)))), "1/p[i]³");
    assert.equal(text(b.pow(p, b.parameter("gamma", 2))), "p[i]^γ");
    assert.equal(text(b.pow(p, b.sub(b.parameter("gamma", 2), b.ONE))), "p[i]^(γ−1)");
    assert.equal(text(b.constant(-2.5e-9)), "−2.5·10⁻⁹");
  });

  it("writes conditions as words", () => {
    const both = b.binary("and", b.binary("gt", p, b.ZERO), b.binary("le", p, b.ONE));
    assert.equal(text(b.where(both, p, b.ZERO)), "p[i] if p[i] > 0 and p[i] ≤ 1 else 0");
    assert.equal(
      text(b.mul(TWO, b.where(both, p, b.ZERO))),
      "2·(p[i] if p[i] > 0 and p[i] ≤ 1 else 0)",
    );
  });

  it("adds up along each axis where axes are joined, and along all at once where they stay so", () => {
    const shape = [axis("b", 2), axis("c", 3), axis("h", 4), axis("w", 5)] as const;
    const q = b.input("p", shape);
    const perClass = b.reshape(b.transpose(q, [1, 0, 2, 3]), [shape[1], axis("i", 40)]);
    assert.equal(text(b.sum(perClass, [1])), "Σ_{b,h,w} p[b,c,h,w]");
    const perPicture = b.reshape(q, [shape[0], axis("i", 60)]);
    assert.equal(text(b.sum(perPicture, [1])), "Σ_i p[b,i]");
    const weight = b.input("w", [axis("i", 40)]);
    assert.equal(text(b.sum(b.mul(perClass, weight), [1])), "Σ_i p[b(i),c,h(i),w(i)]·w[i]");
  });
});
