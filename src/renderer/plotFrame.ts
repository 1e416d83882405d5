/** What every plot has: its title, its axes, words for it, and the same numbers as a table. */
import { h, s, uniqueId, type Child } from "./dom.ts";
import { powerOfTen } from "./format.ts";
import { drawTable, type TableContent } from "./table.ts";
import type { Axis } from "./ticks.ts";
import type { View } from "./view.ts";

export const WIDTH = 400;
export const HEIGHT = 230;
export const LEFT = 58;
export const RIGHT = 14;
export const TOP = 10;
export const BOTTOM = 42;

export interface Figure {
  readonly title: string;
  readonly description: string;
  readonly x: string;
  readonly y: string;
  readonly axes: readonly Child[];
  readonly marks: readonly Child[];
  readonly table: () => TableContent;
  /** Which line is which. */
  readonly legend?: Child;
  /** What is shown, below the title. */
  readonly note?: string;
}

export function figure(view: View, f: Figure): HTMLElement {
  const [title, description] = [uniqueId("title"), uniqueId("description")];
  const table = h("details", { class: "as-table" }, h("summary", {}, "As a table"));
  table.addEventListener("toggle", () => {
    if (table.childElementCount === 1) table.append(drawTable(view, f.table()));
  });
  return h(
    "figure",
    { class: "plot" },
    h("figcaption", {}, f.title),
    f.note === undefined ? null : h("p", { class: "dim plot-note" }, f.note),
    s(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: "img",
        "aria-labelledby": title,
        "aria-describedby": description,
      },
      s("title", { id: title }, f.title),
      s("desc", { id: description }, f.description),
      ...f.axes,
      ...f.marks,
      s(
        "text",
        {
          class: "axis-title",
          x: (LEFT + WIDTH - RIGHT) / 2,
          y: HEIGHT - 6,
          "text-anchor": "middle",
        },
        f.x,
      ),
      s(
        "text",
        {
          class: "axis-title",
          transform: `translate(12 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`,
          "text-anchor": "middle",
        },
        f.y,
      ),
    ),
    f.legend ?? null,
    table,
  );
}

export function axisTitle(name: string, axis: Axis): string {
  return axis.exponent === 0 ? name : `${name} (× ${powerOfTen(axis.exponent)})`;
}

/** Where a value of the axis lies between two places. */
export function along(axis: Axis, from: number, to: number): (value: number) => number {
  const scale = (to - from) / (axis.high - axis.low);
  return (value) => from + (value - axis.low) * scale;
}

export function drawX(axis: Axis, toX: (value: number) => number): Child[] {
  const base = HEIGHT - BOTTOM;
  return [
    s("line", { class: "axis", x1: LEFT, y1: base, x2: WIDTH - RIGHT, y2: base }),
    ...axis.ticks.flatMap(({ at, label }) => [
      s("line", { class: "axis", x1: round(toX(at)), y1: base, x2: round(toX(at)), y2: base + 4 }),
      s("text", { x: round(toX(at)), y: base + 16, "text-anchor": "middle" }, label),
    ]),
  ];
}

export function drawY(axis: Axis, toY: (value: number) => number): Child[] {
  return axis.ticks.flatMap(({ at, label }) => [
    s("line", {
      class: "grid",
      x1: LEFT,
      y1: round(toY(at)),
      x2: WIDTH - RIGHT,
      y2: round(toY(at)),
    }),
    s("text", { x: LEFT - 7, y: round(toY(at) + 3.5), "text-anchor": "end" }, label),
  ]);
}

export function round(x: number): number {
  return Math.round(x * 100) / 100;
}
