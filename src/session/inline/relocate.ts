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

/** A copy with every `line` and `lines` moved. A line without a file belongs to `file`. */
export function relocate<T>(value: T, map: LineMap, file: string): T {
  if (Array.isArray(value)) return value.map((v: unknown) => relocate(v, map, file)) as T;
  if (typeof value !== "object" || value === null) return value;
  const own = (value as { file?: unknown }).file;
  const where = typeof own === "string" ? own : file;
  const moved = Object.entries(value).map(([name, v]: [string, unknown]) => {
    if (typeof v === "number" && ONE_LINE.test(name)) return [name, map(where, v)];
    if (name === "lines" && Array.isArray(v))
      return [name, v.map((line: unknown) => (typeof line === "number" ? map(where, line) : line))];
    return [name, relocate(v, map, where)];
  });
  return Object.fromEntries(moved) as T;
}
