import assert from "node:assert/strict";
import katex from "katex";
import { UNIT, axis, flattenAxes } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { at, letterIndex } from "../../../src/expression/indices.ts";
import { toLatex } from "../../../src/expression/latex.ts";
import { Names, namesFor } from "../../../src/expression/names.ts";
import type { Expr, UnaryOp } from "../../../src/expression/node.ts";

const I = axis("i", null);
const [B, C, H, W] = [
  axis("b", 2, "batch"),
  axis("c", 3, "class"),
  axis("h", 4, "space"),
  axis("w", 5, "space"),
];
const y = b.input("y_pred", [I]);
const t = b.input("y_true", [I]);
const p = b.input("p", [B, C, H, W]);
const labels = b.input("target", [B, H, W], "int");
const TWO = b.constant(2);
const one = (x: Expr): Expr => b.sub(b.ONE, x);

function latex(e: Expr): string {
  const text = toLatex(e, namesFor([e]));
  katex.renderToString(text, { throwOnError: true, strict: "error" });
  return text;
}

describe("LaTeX of an expression", () => {
  it("is one element in index notation, with bound letters for sums", () => {
    const dice = one(b.div(b.mul(TWO, b.sum(b.mul(y, t))), b.add(b.sum(y), b.sum(t))));
    assert.equal(
      latex(dice),
      "1 - \\frac{2\\,\\sum_{i} \\hat{y}_{i}\\,y_{i}}{\\sum_{i} \\hat{y}_{i} + \\sum_{i} y_{i}}",
    );
    assert.equal(latex(b.sigmoid(y)), "\\sigma(\\hat{y}_{i})");
    assert.equal(latex(b.parameter("epsilon", 1e-7)), "\\varepsilon");
  });

  it("gives a sum beside the same letter a fresh one", () => {
    assert.equal(
      latex(b.mul(y, b.sum(b.mul(y, t)))),
      "\\hat{y}_{i}\\,\\sum_{j} \\hat{y}_{j}\\,y_{j}",
    );
    const nested = b.sum(b.mul(y, b.sum(b.mul(t, b.sum(y)))));
    assert.equal(
      latex(nested),
      "\\sum_{i} \\hat{y}_{i}\\,\\sum_{j} y_{j}\\,\\sum_{k} \\hat{y}_{k}",
    );
  });

  it("gives an index no letter that is a symbol", () => {
    const i = b.input("i", [I]);
    assert.equal(latex(b.mul(i, y)), "i_{j}\\,\\hat{y}_{j}");
  });

  it("brackets by precedence and no further", () => {
    assert.equal(latex(b.mul(y, b.add(t, b.ONE))), "\\hat{y}_{i}\\,(y_{i} + 1)");
    assert.equal(latex(b.sub(y, b.sub(t, b.ONE))), "\\hat{y}_{i} - y_{i} + 1");
    assert.equal(latex(b.neg(b.add(y, t))), "-(\\hat{y}_{i} + y_{i})");
    assert.equal(latex(b.pow(b.neg(y), b.parameter("gamma", 2))), "(-\\hat{y}_{i})^{\\gamma}");
    assert.equal(latex(b.neg(b.pow(y, TWO))), "-\\hat{y}_{i}^{2}");
    assert.equal(latex(b.sum(b.add(y, t))), "\\sum_{i} (\\hat{y}_{i} + y_{i})");
    assert.equal(latex(b.mul(b.sum(y), t)), "y_{i}\\,\\sum_{j} \\hat{y}_{j}");
    assert.equal(latex(b.pow(b.div(y, t), TWO)), "\\left(\\frac{\\hat{y}_{i}}{y_{i}}\\right)^{2}");
  });

  it("writes negative terms as subtraction and equal factors as a power", () => {
    assert.equal(latex(b.add(y, b.mul(b.constant(-3), t))), "\\hat{y}_{i} - 3\\,y_{i}");
    assert.equal(latex(b.add(y, b.neg(t))), "\\hat{y}_{i} - y_{i}");
    assert.equal(latex(b.sub(y, b.constant(-1))), "\\hat{y}_{i} + 1");
    assert.equal(latex(b.mul(y, y)), "\\hat{y}_{i}^{2}");
    assert.equal(latex(b.mul(b.neg(y), b.neg(t))), "\\hat{y}_{i}\\,y_{i}");
  });

  it("puts numbers first and keeps them apart", () => {
    assert.equal(latex(b.mul(y, TWO)), "2\\,\\hat{y}_{i}");
    assert.equal(
      toLatex(b.mul(b.mul(TWO, b.constant(1e-7)), y), namesFor([y]), { asWritten: true }),
      "2 \\cdot 10^{-7}\\,\\hat{y}_{i}",
    );
  });

  it("never shows rounding noise in a number", () => {
    const shown = (v: number): string => latex(b.constant(v));
    assert.equal(shown(1e-7), "10^{-7}");
    assert.equal(shown(1.5e-8), "1.5 \\cdot 10^{-8}");
    assert.equal(shown(0.1 + 0.2), "0.3");
    assert.equal(shown(1 / 3), "\\frac{1}{3}");
    assert.equal(shown(1 / 373248), "\\frac{1}{373248}");
    assert.equal(shown(373248), "373248");
    assert.equal(shown(1e6), "10^{6}");
    assert.equal(shown(-0.5), "-0.5");
    assert.equal(shown(Infinity), "\\infty");
    assert.equal(shown(NaN), "\\mathrm{NaN}");
    assert.equal(latex(b.pow(b.constant(1 / 3), y)), "\\left(\\frac{1}{3}\\right)^{\\hat{y}_{i}}");
  });

  it("writes a mean as 1/N of a sum, with a number where the size is known", () => {
    assert.equal(latex(b.mean(y)), "\\frac{1}{N} \\sum_{i} \\hat{y}_{i}");
    assert.equal(latex(b.mean(p)), "\\frac{1}{120} \\sum_{b,c,h,w} p_{b,c,h,w}");
    assert.equal(
      latex(b.pow(b.mean(y), TWO)),
      "\\left(\\frac{1}{N} \\sum_{i} \\hat{y}_{i}\\right)^{2}",
    );
  });

  it("reads broadcasting and changes of shape into the indices", () => {
    const w = b.input("weight", [C, UNIT, UNIT]);
    assert.equal(latex(b.mul(p, w)), "p_{b,c,h,w'}\\,w_{c}");
    assert.equal(latex(b.transpose(p, [0, 2, 3, 1])), "p_{b,c,h,w}");
    assert.equal(latex(b.index(p, 1, 1)), "p_{b,1,h,w}");
    assert.equal(latex(b.slice(p, 1, 1, null)), "p_{b,c,h,w}");
    assert.equal(latex(b.sum(b.slice(p, 1, 1, null), [1])), "\\sum_{c=1}^{2} p_{b,c,h,w}");
    assert.equal(latex(b.slice(p, 2, 1, null, 2)), "p_{b,c,2h+1,w}");
    assert.equal(latex(b.unsqueeze(p, 0)), "p_{b,c,h,w}");
  });

  it("writes one letter for an index over several axes", () => {
    const flat = b.reshape(p, [flattenAxes([B, C, H, W])]);
    assert.equal(latex(b.sum(flat)), "\\sum_{i} p_{i}");
    const rows = b.reshape(p, [B, C, flattenAxes([H, W])]);
    assert.equal(latex(b.sum(rows, [2])), "\\sum_{i} p_{b,c,i}");
    // Back again: the flattened element at (b, c, h, w) is that of p.
    assert.equal(latex(b.reshape(b.mul(flat, flat), [B, C, H, W])), "p_{b,c,h,w}^{2}");
    // What knows only some of the axes says which of them it takes from the letter.
    const weights = b.expand(b.input("u", [C, UNIT, UNIT]), [B, C, H, W]);
    assert.equal(
      latex(b.mul(flat, b.reshape(weights, [flattenAxes([B, C, H, W])]))),
      "p_{i}\\,u_{c(i)}",
    );
    assert.equal(
      toLatex(b.sum(p), namesFor([p]), { joint: [["b", "c", "h", "w"]] }),
      "\\sum_{i} p_{i}",
    );
  });

  it("reshapes through sizes where the axes are not known to belong together", () => {
    const other = b.reshape(p, [axis("a", 6), axis("d", 20)]);
    assert.equal(latex(other), "p_{a,d}"); // a over (b, c), d over (h, w)
    const across = b.reshape(p, [axis("a", 4), axis("d", 30)]);
    assert.equal(latex(across), "p_{a,d}"); // all four axes from the pair
    const back = b.reshape(b.reshape(p, [axis("a", 120)]), [B, C, H, W]);
    assert.equal(latex(back), "p_{b,c,h,w}");
  });

  it("writes one-hot, placed and compared entries with brackets that are 1 or 0", () => {
    assert.equal(latex(b.oneHot(labels, C, 1)), "[g_{b,h,w} = c]");
    assert.equal(latex(b.index(b.oneHot(labels, C, 1), 1, 2)), "[g_{b,h,w} = 2]");
    assert.equal(latex(b.place(b.index(p, 1, 1), 1, 1, C)), "[c = 1]\\,p_{b,1,h,w}");
    assert.equal(latex(b.binary("gt", y, b.constant(0.5))), "[\\hat{y}_{i} > 0.5]");
    assert.equal(latex(b.spread(b.slice(p, 1, 1, null), 1, 1, 1, C)), "[c \\ge 1]\\,p_{b,c,h,w}");
    const open = axis("c", null, "class");
    assert.equal(
      latex(b.spread(b.input("x", [axis("k", 3)]), 0, 0, 1, open)),
      "[c \\le 2]\\,x_{c}",
    );
    // Where the position is known, nothing is left of the question.
    assert.equal(latex(b.index(b.place(b.index(p, 1, 1), 1, 1, C), 1, 1)), "p_{b,1,h,w}");
    assert.equal(latex(b.index(b.place(b.index(p, 1, 1), 1, 1, C), 1, 0)), "0");
  });

  it("writes windows by what is added to the position", () => {
    const [n, w] = [axis("n", 9), axis("w", 3)];
    const wide = b.expand(b.reshape(b.input("x", [n]), [n, UNIT]), [n, w]);
    const inside = b.slide(wide, 0, 1, 1, 0, axis("m", 7));
    assert.equal(latex(b.sum(inside, [1])), "\\sum_{w} x_{m+w}");
    const padded = b.slide(wide, 0, 1, 2, -2, n);
    assert.equal(
      latex(b.sum(padded, [1])),
      "\\sum_{w} [n+2w-2 \\ge 0 \\land n+2w-2 \\le 8]\\,x_{n+2w-2}",
    );
    // What each entry of the array gives to the windows that hold it.
    assert.equal(
      latex(b.slide(b.input("g", [axis("m", 7), w]), 0, 1, -1, 0, n)),
      "[n-w \\ge 0 \\land n-w \\le 6]\\,g_{n-w,w}",
    );
    // Of windows some steps apart: the whole position is divided by the step.
    const apart = b.spread(b.input("g", [axis("m", 2), w]), 0, 0, 3, axis("k", 4));
    assert.match(latex(b.slide(apart, 0, 1, -1, 0, n)), /g_\{\(n-w\)\/3,w\}$/);
    // Where a position is known, only what is left of it stands there.
    assert.equal(latex(b.index(inside, 1, 2)), "x_{m+2}");
    assert.equal(latex(b.index(padded, 0, 0)), "[2w-2 \\ge 0]\\,x_{2w-2}");
  });

  it("writes cases, limits and functions by their usual names", () => {
    assert.equal(
      latex(b.where(b.binary("gt", y, b.ZERO), y, b.neg(y))),
      "\\begin{cases} \\hat{y}_{i} & \\text{if } \\hat{y}_{i} > 0 \\\\ -\\hat{y}_{i} & \\text{otherwise} \\end{cases}",
    );
    assert.equal(latex(b.clamp(y, b.ZERO, b.ONE)), "\\operatorname{clip}_{[0,1]}(\\hat{y}_{i})");
    assert.equal(latex(b.clamp(y, b.constant(1e-7), null)), "\\max(\\hat{y}_{i}, 10^{-7})");
    assert.equal(latex(b.softmax(p, 1)), "\\operatorname{softmax}_{c}(p)_{b,c,h,w}");
    assert.equal(latex(b.index(b.softmax(p, 1), 1, 1)), "\\operatorname{softmax}_{c}(p)_{b,1,h,w}");
    assert.equal(
      latex(b.softmax(b.mul(TWO, p), 1)),
      "\\operatorname{softmax}_{c}(2\\,p_{b,c,h,w})",
    );
    assert.equal(latex(b.argReduce("argmax", p, 1)), "\\operatorname*{arg\\,max}_{c} p_{b,c,h,w}");
    assert.equal(latex(b.stopGradient(y)), "\\operatorname{sg}(\\hat{y}_{i})");
    assert.equal(latex(b.cast(y, "float32")), "\\hat{y}_{i}");
    assert.equal(latex(b.abs(b.sub(y, t))), "|\\hat{y}_{i} - y_{i}|");
    assert.equal(latex(b.sqrt(y)), "\\sqrt{\\hat{y}_{i}}");
    assert.equal(latex(b.reduce("max", y, null)), "\\max_{i} \\hat{y}_{i}");
  });

  it("has a form for every elementwise function", () => {
    const all: UnaryOp[] = [
      "neg", "exp", "log", "log1p", "expm1", "sqrt", "abs", "sign", "sigmoid", "logsigmoid",
      "softplus", "tanh", "relu", "cosh", "sinh", "sin", "cos", "round", "floor", "ceil", "not",
      "isnan", "isfinite",
    ]; // prettier-ignore
    for (const op of all) assert.ok(latex(b.unary(op, y)).includes("\\hat{y}_{i}"), op);
  });

  it("can be asked for one element", () => {
    const names = namesFor([p]);
    const indices = [at(0), letterIndex("k"), at(3), letterIndex("v")];
    assert.equal(toLatex(b.mul(p, p), names, { indices }), "p_{0,k,3,v}^{2}");
  });

  it("prints a named sub-expression by its symbol, at its own indices", () => {
    const names = new Names();
    const sum = b.sum(p, [0, 2, 3]);
    names.define(sum, { latex: "I", text: "I", python: "intersection" });
    assert.equal(toLatex(b.div(sum, TWO), namesFor([p], names)), "\\frac{I_{c}}{2}");
  });
});
