import assert from "node:assert/strict";
import { JSDOM } from "jsdom";
import { TypesettingError, toSvg } from "../../../src/typeset/svg.ts";

const GRADIENT =
  "\\frac{\\partial L}{\\partial \\hat{y}_{i}} = \\frac{2\\,I}{(G + P)^{2}} - \\frac{2\\,y_{i}}{G + P}";

function parsed(svg: string): Document {
  return new JSDOM(svg, { contentType: "image/svg+xml" }).window.document;
}

describe("a formula as a picture", () => {
  it("is well-formed SVG with a size in pixels and the ink it was asked for", () => {
    const { documentElement: svg } = parsed(toSvg(GRADIENT, "#cccccc", 500));
    assert.equal(svg.tagName, "svg");
    assert.match(svg.getAttribute("width")!, /^\d+\.\dpx$/);
    assert.match(svg.getAttribute("height")!, /^\d+\.\dpx$/);
    assert.equal(svg.getAttribute("style"), "color:#cccccc");
  });

  it("draws every letter as an outline: no font is needed where it is shown", () => {
    const svg = toSvg(
      `${GRADIENT} \\quad \\sigma(z) \\; \\operatorname{max} \\; \\varepsilon`,
      "#000",
      500,
    );
    assert.doesNotMatch(svg, /<text/);
  });

  it("sets a letter that its font lacks as text", () => {
    assert.match(toSvg("\\mathrm{größe}_{漢}", "#000", 500), /<text[^>]*>漢<\/text>/);
  });

  it("breaks a long sum into lines that fit the width", () => {
    const terms = Array.from({ length: 20 }, (_, k) => `\\frac{2\\,a_{${k}}}{b_{${k}}}`);
    const sizes = [300, 100_000].map((width) => {
      const svg = parsed(toSvg(`L = ${terms.join(" + ")}`, "#000", width)).documentElement;
      return [svg.getAttribute("width"), svg.getAttribute("height")].map((s) => parseFloat(s!));
    });
    const [broken, whole] = sizes;
    assert.ok(broken![0]! <= 300, `${String(broken![0])} wide`);
    assert.ok(whole![0]! > 600 && whole![1]! < broken![1]!);
  });

  it("refuses what is no TeX", () => {
    assert.throws(() => toSvg("\\frac{1}{", "#000", 500), TypesettingError);
    assert.throws(() => toSvg("\\nosuchcommand", "#000", 500), TypesettingError);
  });
});
