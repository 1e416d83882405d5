import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { type Known, FormulaError, parseFormula } from "../../../src/formula/parse.ts";

const nothing = (): null => null;
const array = (...shape: number[]): Known => ({ kind: "array", shape, type: "float" });

function failure(text: string, lookup: (name: string) => Known | null = nothing): FormulaError {
  try {
    parseFormula(text, lookup);
  } catch (e) {
    assert.ok(e instanceof FormulaError, String(e));
    return e;
  }
  throw new assert.AssertionError({ message: `${text} was accepted` });
}

describe("a typed formula", () => {
  it("reads the Dice loss as it is written", () => {
    const { loss } = parseFormula("1 - (2*sum(p .* g) + eps) / (sum(p) + sum(g) + eps)", nothing);
    const p = b.input("p", [axis("i", null)]);
    const g = b.input("g", [axis("i", null)]);
    const eps = b.parameter("eps", null);
    const n = b.add(b.mul(b.constant(2), b.sum(b.mul(p, g))), eps);
    const u = b.add(b.add(b.sum(p), b.sum(g)), eps);
    assert.equal(loss, b.sub(b.constant(1), b.div(n, u)));
  });

  it("binds names line by line and takes the last line as the loss", () => {
    const known: Record<string, Known> = { probability: array(4), mask: array(4) };
    const trace = parseFormula(
      "# prediction and target\np = probability\ng = mask\neps = 1e-7\n1 - 2*dot(p, g)/(sum(p) + sum(g) + eps)",
      (n) => known[n] ?? null,
    );
    assert.deepEqual(
      trace.inputs.map((x) => [x.symbol, x.source]),
      [
        ["p", "probability"],
        ["g", "mask"],
      ],
    );
    assert.equal(trace.line, 5);
  });

  it("says what it takes for granted about names it does not know", () => {
    const { assumptions } = parseFormula("sum(p) + eps", nothing);
    assert.deepEqual(assumptions, [
      "p is taken to be an array of any length, indexed by i",
      "eps is taken to be a scalar",
    ]);
  });

  it("sums over chosen axes, kept on request", () => {
    const { loss } = parseFormula("sum(z, 2, -1, keep)", () => array(2, 3, 4, 5));
    assert.deepEqual(
      loss.shape.map((a) => a.size),
      [2, 3, 1, 1],
    );
  });

  it("applies an activation along the class axis", () => {
    const { loss } = parseFormula("sum(softmax(z))", () => array(2, 3, 4, 5));
    const softmax = loss.args[0]!;
    assert.equal(softmax.kind === "softmax" && softmax.dim, 1);
  });

  it("refuses an ambiguous product of arrays and says what to write", () => {
    const e = failure("sum(p * g)");
    assert.match(e.message, /ambiguous/);
    assert.match(e.remedy ?? "", /\.\*/);
    assert.equal(e.column, 7);
  });

  it("puts the caret under an unknown function", () => {
    const e = failure("eps = 1\n1 - summ(p)");
    assert.equal(e.line, 2);
    assert.equal(e.column, 5);
    assert.equal(e.caretText, "1 - summ(p)\n    ^");
  });

  it("reports a syntax error at its column", () => {
    const e = failure("1 - (2*sum(p)");
    assert.match(e.message, /Parenthesis/);
    assert.ok(e.column > 10);
  });

  it("names both shapes when they do not broadcast", () => {
    const e = failure("sum(p .* g)", (n) => (n === "p" ? array(3) : array(4)));
    assert.match(e.message, /\(3,\) and \(4,\)/);
  });

  for (const text of [
    "",
    "# only a comment",
    "p = 3",
    "[1, 2]",
    "p[1]",
    "f(x) = x",
    "sum(",
    "sum()",
    "sum(p, 0.5)",
    '"p"',
    "p'",
    "max()",
    "keep",
    "2 .^ 'a'",
  ]) {
    it(`refuses ${JSON.stringify(text)} with a formula error`, () => {
      failure(text);
    });
  }
});
