/** Python files of tests: one definition of many, and what edits make of a text. */
import type { SourceEdit } from "../../../src/report/schema.ts";

/** The file with nothing but its imports and the definition that a line is in, at its place. */
export function definitionAt(source: string, line: number): string {
  const lines = source.split("\n");
  const starts = lines.flatMap((l, k) => (/^(def|class) /.test(l) ? [k] : []));
  const from = starts.findLast((k) => k < line)!;
  const to = starts.find((k) => k > from) ?? lines.length;
  const isKept = (k: number): boolean => k < starts[0]! || (from <= k && k < to);
  return lines.map((l, k) => (isKept(k) ? l : "")).join("\n");
}

export function withEdits(source: string, edits: readonly SourceEdit[]): string {
  const lines = source.split("\n");
  const offset = (line: number, column: number): number =>
    lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + column - 1;
  const ordered = [...edits].sort((a, b) => b.line - a.line || b.column - a.column);
  return ordered.reduce(
    (s, e) =>
      s.slice(0, offset(e.line, e.column)) + e.newText + s.slice(offset(e.endLine, e.endColumn)),
    source,
  );
}
