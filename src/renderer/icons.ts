/** Small pictures of our own, drawn with the colour of the text around them. */
import { s } from "./dom.ts";

export type Icon =
  "check" | "cross" | "question" | "empty" | "corner" | "dash" | "warning" | "info" | "chevron";

const CIRCLE = "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 1 1 0-12.5z";

/** Outlines on a field of 16 by 16. */
const PATHS: Readonly<Record<Icon, readonly string[]>> = {
  check: [CIRCLE, "M5 8.2l2.1 2.1L11 6.1"],
  cross: [CIRCLE, "M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6"],
  question: [CIRCLE, "M6.1 6.5a1.9 1.9 0 1 1 2.7 1.7c-.6.3-.8.6-.8 1.2M8 11.3v.1"],
  empty: [CIRCLE, "M3.6 12.4l8.8-8.8"],
  corner: [CIRCLE, "M4.6 10.6L8 5.4l3.4 5.2"],
  dash: [CIRCLE, "M5.2 8h5.6"],
  warning: ["M8 2.2l6.3 11.3H1.7z", "M8 6.4v3.4M8 11.6v.1"],
  info: [CIRCLE, "M8 7.3v3.9M8 4.8v.1"],
  chevron: ["M6 3.8L10.2 8L6 12.2"],
};

/** An icon; always beside a word that says the same, so it is hidden from screen readers. */
export function icon(name: Icon): SVGSVGElement {
  return s(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    ...PATHS[name].map((d) => s("path", { d })),
  );
}
