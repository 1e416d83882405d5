/** Lines of the source as links that open it there. */
import { lineRanges } from "./derivation.ts";
import { button, h, type Child } from "./dom.ts";
import type { View } from "./view.ts";

/** Runs of neighbouring lines, a link each; plain words where nothing could open them. */
export function lineLinks(view: View, file: string, lines: readonly number[]): Child {
  if (lines.length === 0) return null;
  const { open } = view;
  if (open === null) return h("span", { class: "dim lines" }, lineRanges(lines));
  return h(
    "span",
    { class: "lines" },
    ...runsOf(lines).map(([first, last]) =>
      button(
        lineRanges(first === last ? [first] : [first, last]),
        { class: "line-link", title: `Open ${file} at line ${String(first)}` },
        () => {
          open(file, first);
        },
      ),
    ),
  );
}

function runsOf(lines: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const line of [...new Set(lines)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.[1] === line - 1) last[1] = line;
    else runs.push([line, line]);
  }
  return runs;
}
