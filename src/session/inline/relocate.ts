/** Line numbers of a result that was derived when its code stood elsewhere in the file. */
import type { TopLevel } from "../../python/dependencies.ts";

/** The line in the present text, given the line in the text that was traced. */
export type LineMap = (file: string | null, line: number) => number;

/** `before` and `now` are the same statements, in the same order. */
export function lineMap(before: readonly TopLevel[], now: readonly TopLevel[]): LineMap {
  return (file, line) => {
    const k = before.findIndex(
      (s) => (file === null || s.file === file) && s.firstLine <= line && line <= s.lastLine,
    );
    return k < 0 ? line : line + now[k]!.firstLine - before[k]!.firstLine;
  };
}

/** Whether the map changes nothing. */
export function isInPlace(before: readonly TopLevel[], now: readonly TopLevel[]): boolean {
  return before.every((s, k) => s.firstLine === now[k]!.firstLine && s.file === now[k]!.file);
}

const ONE_LINE = /^(line|endLine|firstLine|lastLine|startLine)$/;
/** What is written by the user, or to be pasted: a number in it is theirs. */
const NO_PROSE = /^(code|python|numpy|torch|source|latex|newText)$/;
/** `on line 7`, `(line 7, 9)`, `(helpers.py, line 7)`. */
const LINES_IN_PROSE = /(\(([^()]+), )?\bline (\d+(?:, \d+)*)/g;

/** A copy with every line moved, in what is said as well. A line without a file belongs to `file`. */
export function relocate<T>(value: T, map: LineMap, file: string): T {
  if (typeof value === "string") return inProse(value, map, file) as T;
  if (Array.isArray(value)) return value.map((v: unknown) => relocate(v, map, file)) as T;
  if (typeof value !== "object" || value === null) return value;
  const own = (value as { file?: unknown }).file;
  const where = typeof own === "string" ? own : file;
  const moved = Object.entries(value).map(([name, v]: [string, unknown]) => {
    if (typeof v === "number" && ONE_LINE.test(name)) return [name, map(where, v)];
    if (typeof v === "string" && NO_PROSE.test(name)) return [name, v];
    if (name === "lines" && Array.isArray(v))
      return [name, v.map((line: unknown) => (typeof line === "number" ? map(where, line) : line))];
    return [name, relocate(v, map, where)];
  });
  return Object.fromEntries(moved) as T;
}

function inProse(text: string, map: LineMap, file: string): string {
  if (!text.includes("line ")) return text;
  return text.replace(
    LINES_IN_PROSE,
    (_, before: string | undefined, other: string | undefined, lines: string) => {
      const moved = lines.split(", ").map((line) => map(other ?? file, Number(line)));
      return `${before ?? ""}line ${moved.join(", ")}`;
    },
  );
}
