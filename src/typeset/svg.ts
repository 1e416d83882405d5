/**
 * A TeX formula as a picture of its own: SVG with the glyphs drawn as outlines, for places that take
 * pictures and no mathematics, such as an editor's hovers. Needs no document and waits for nothing.
 */
import { mathjax } from "@mathjax/src/js/mathjax.js";
import { liteAdaptor } from "@mathjax/src/js/adaptors/liteAdaptor.js";
import { RegisterHTMLHandler } from "@mathjax/src/js/handlers/html.js";
import "@mathjax/src/js/input/tex/ams/AmsConfiguration.js";
import "@mathjax/src/js/input/tex/base/BaseConfiguration.js";
import { TeX } from "@mathjax/src/js/input/tex.js";
import { SVG } from "@mathjax/src/js/output/svg.js";
import { MathJaxNewcmFont } from "@mathjax/mathjax-newcm-font/js/svg.js";
// The range of the font that our formulas use beyond its base: the others would be loaded later,
// from files, which no formula here may wait for. A character without a glyph is set as text.
import "@mathjax/mathjax-newcm-font/js/svg/dynamic/accents.js";

export class TypesettingError extends Error {
  override readonly name = "TypesettingError";
}

/** The size of the letters in CSS pixels. */
const EM = 15;
const EX = 0.45 * EM;

mathjax.asyncLoad = () => ({});
mathjax.asyncIsSynchronous = true;
const adaptor = liteAdaptor();
RegisterHTMLHandler(adaptor);
const page = mathjax.document("", {
  InputJax: new TeX({
    packages: ["base", "ams"],
    formatError: (_jax: unknown, error: { readonly message: string }) => {
      throw new TypesettingError(error.message);
    },
  }),
  OutputJax: new SVG({
    fontData: MathJaxNewcmFont,
    fontCache: "local",
    displayOverflow: "linebreak",
    linebreaks: { width: "100%" },
  }),
});

/**
 * @param latex a display formula, without `$`
 * @param ink colour of the letters, as CSS writes it
 * @param width CSS pixels after which a line is broken where the formula allows it
 * @returns an SVG document, its size in CSS pixels
 * @throws TypesettingError for what is no TeX
 */
export function toSvg(latex: string, ink: string, width: number): string {
  const node = page.convert(latex, {
    display: true,
    em: EM,
    ex: EX,
    containerWidth: width,
  }) as Parameters<typeof adaptor.innerHTML>[0];
  const svg = adaptor.tags(node, "svg")[0];
  if (svg === undefined) throw new TypesettingError("nothing was drawn");
  for (const side of ["width", "height"]) {
    const size = parseFloat(String(adaptor.getAttribute(svg, side)));
    adaptor.setAttribute(svg, side, `${(size * EX).toFixed(1)}px`);
  }
  adaptor.setAttribute(svg, "style", `color:${ink}`);
  return lean(adaptor.outerHTML(svg));
}

/**
 * Without what only a page's scripts would read, and with short names for the glyphs: half the
 * size, where every character counts.
 */
function lean(svg: string): string {
  const names = new Map<string, string>();
  const short = (id: string): string => {
    const known = names.get(id) ?? `g${names.size.toString(36)}`;
    names.set(id, known);
    return known;
  };
  return svg
    .replace(/ (?:data-[\w-]+|role|focusable|aria-[\w-]+)="[^"]*"/g, "")
    .replace(/ (id|xlink:href)="(#?)(MJX-[^"]*)"/g, (_whole, name: string, hash, id: string) => {
      return ` ${name}="${String(hash)}${short(id)}"`;
    })
    .replace(/<g>(<use [^>]*><\/use>)<\/g>/g, "$1")
    .replace(/><\/(?:use|path|rect)>/g, "/>");
}
