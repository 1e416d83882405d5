import assert from "node:assert/strict";
import fc from "fast-check";
import katex from "katex";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { latexSymbol } from "../../../src/expression/latex.ts";
import {
  Names,
  namesFor,
  plainWish,
  pythonIdentifier,
  uprightLatex,
  wishFor,
} from "../../../src/expression/names.ts";
import { textSymbol } from "../../../src/expression/text.ts";

const shown = (...identifiers: string[]): string[] => {
  const inputs = identifiers.map((name) => b.input(name, [axis("i", 3)]));
  const names = namesFor(inputs);
  return inputs.map((x) => textSymbol(names.symbolOf(x)!));
};

describe("symbols", () => {
  it("are those a reader expects for the usual names", () => {
    assert.deepEqual(shown("y_pred", "y_true"), ["ŷ", "y"]);
    assert.deepEqual(shown("logits", "targets"), ["z", "g"]);
    assert.deepEqual(shown("probs", "mask"), ["p", "g"]);
    assert.deepEqual(shown("inputs", "label", "weight"), ["p", "g", "w"]);
    assert.deepEqual(shown("epsilon", "alpha", "beta", "gamma"), ["ε", "α", "β", "γ"]);
    assert.deepEqual(shown("smooth", "smooth_nr", "smooth_dr"), ["s", "s_nr", "s_dr"]);
    assert.deepEqual(shown("self.eps", "p1", "pred_2"), ["ε", "p₁", "p₂"]);
    assert.deepEqual(shown("my_name"), ["my_name"]);
    assert.equal(wishFor("my_name").latex, "\\mathrm{my\\_name}");
  });

  it("stay apart when names collide; a name that is the symbol itself keeps it", () => {
    assert.deepEqual(shown("probs", "p"), ["p'", "p"]);
    assert.deepEqual(shown("pred", "preds", "prediction"), ["p", "p'", "p''"]);
    const names = new Names();
    const [x, y] = [b.input("x", []), b.input("y", [])];
    names.define(x, plainWish("I"));
    const second = names.define(y, plainWish("I"), plainWish("J"));
    assert.equal(second.text, "J");
  });

  it("print primes so that an exponent may follow", () => {
    const [, second] = [b.input("pred", [axis("i", 3)]), b.input("preds", [axis("i", 3)])];
    const names = namesFor([b.input("pred", [axis("i", 3)]), second]);
    const latex = `${latexSymbol(names.symbolOf(second)!)}^{2}`;
    assert.equal(latex, "{p'}^{2}");
    katex.renderToString(latex, { throwOnError: true, strict: "error" });
  });

  it("have Python names that are identifiers, never keywords or names the code uses", () => {
    assert.equal(pythonIdentifier("self.smooth"), "smooth");
    assert.equal(pythonIdentifier("lambda"), "lambda_");
    assert.equal(pythonIdentifier("np"), "np_");
    assert.equal(pythonIdentifier("1st"), "_1st");
    assert.equal(pythonIdentifier('x"); import os'), "x____import_os");
    assert.equal(pythonIdentifier(""), "_");
    const names = namesFor([b.input("a.x", []), b.input("b.x", [])]);
    assert.deepEqual(
      names.entries().map((e) => e.symbol.python),
      ["x", "x_2"],
    );
  });

  it("let no identifier write LaTeX of its own", () => {
    const commands = [
      "\\href{javascript:x}{y}",
      "\\url{x}",
      "\\htmlData{a=b}{c}",
      "a}b{c",
      "x^2_3",
      "$$",
      "%",
      "&",
      "#1",
      "~",
      "\u0000\u202e",
    ];
    for (const name of commands) {
      const latex = uprightLatex(name);
      assert.doesNotMatch(latex.replace(/^\\(mathrm|text)\{|\}$|\\_/g, ""), /[\\{}$%&#^~_]/);
    }
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        const e = b.input(name, [axis("i", 3)]);
        const symbol = namesFor([e]).symbolOf(e)!;
        const html = katex.renderToString(latexSymbol(symbol), {
          throwOnError: true,
          strict: "error",
        });
        assert.doesNotMatch(html, /<a\s/);
        assert.match(symbol.python, /^[\p{L}_][\p{L}\p{Nd}_]*$/u);
        assert.doesNotMatch(symbol.text, /[\s<>"'`\\{}[\]()$]/);
      }),
      { numRuns: 2000, seed: 5 },
    );
  });

  it("set every character there is, or an underscore for it", () => {
    for (let first = 0; first < 0x10000; first += 40) {
      const identifier = Array.from({ length: 40 }, (_, k) => String.fromCodePoint(first + k));
      const latex = uprightLatex(identifier.join(""));
      katex.renderToString(latex, { throwOnError: true, strict: "error" });
    }
    assert.equal(uprightLatex("预测"), "\\text{预测}");
    assert.equal(uprightLatex("😀"), "\\mathrm{\\_}");
  });

  it("name unknown sizes after their axes", () => {
    const names = new Names();
    assert.equal(names.sizeOf(axis("c", null, "class")).text, "C");
    assert.equal(names.sizeOf(axis("i", null)).text, "N");
    assert.equal(names.sizeOf(axis("i", null)).text, "N");
    assert.equal(names.sizeOf(axis("j", null)).text, "n");
  });
});
