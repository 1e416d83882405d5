/**
 * Elements. Everything the renderer draws goes through these functions, so that data can only ever
 * become text nodes and attribute values, never markup.
 */

const SVG = "http://www.w3.org/2000/svg";

export type Child = Node | string | null;
export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** An HTML element. An attribute that is null or false is left out; true is an empty attribute. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill<E extends Element>(
  element: E,
  attributes: Attributes,
  children: readonly Child[],
): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false)
      element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

let ids = 0;

/** An id that no other output in the frame has: all outputs of a notebook share one document. */
export function uniqueId(what: string): string {
  ids += 1;
  return `dice-gradient-${what}-${ids}`;
}

/** A push button with visible text. */
export function button(
  text: string,
  attributes: Attributes,
  pressed: () => void,
): HTMLButtonElement {
  const element = h("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", pressed);
  return element;
}

/** A titled part of a report, named for screen readers by its heading. */
export function section(title: string, name: string, ...children: readonly Child[]): HTMLElement {
  const id = uniqueId("heading");
  return h(
    "section",
    { class: `part ${name}`, "aria-labelledby": id },
    h("h3", { id }, title),
    ...children,
  );
}

/** Text that only a screen reader gets. */
export function unseen(text: string): HTMLElement {
  return h("span", { class: "unseen" }, text);
}
