/** Puts the style sheets into the document: KaTeX's, which names its fonts, and our own. */
import { h } from "./dom.ts";
import { STYLE_SHEET } from "./styleSheet.ts";

/** Does nothing when they are there already: an extension update may load the renderer twice. */
export function loadStyles(): void {
  const mark = "data-dice-gradient-styles";
  if (document.head.querySelector(`[${mark}]`) !== null) return;
  document.head.append(
    h("link", {
      rel: "stylesheet",
      href: new URL("./katex/katex.min.css", import.meta.url).href,
      [mark]: "katex",
    }),
    h("style", { [mark]: "own" }, STYLE_SHEET),
  );
}
