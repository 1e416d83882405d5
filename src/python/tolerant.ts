/** Parsing a file that is being edited: the block with a mistake is left out, the rest is read. */
import { PythonError } from "./errors.ts";
import type { PythonParser } from "./parser.ts";
import type { Module } from "./syntax.ts";

/** Mistakes after which a file is given up. */
const MOST_FAULTS = 8;

/** A line that begins a statement at the margin; clauses such as `else:` continue one. */
const BLOCK_START = /^(?:@|(?!(?:else|elif|except|finally)\b)[\p{L}_])/u;

export interface ToleratedModule {
  /** The statements that could be read, at their places. */
  readonly module: Module;
  /** What is wrong with the others, in the order found. */
  readonly faults: readonly PythonError[];
}

/** Never throws for what is wrong with the text. */
export function parseTolerantly(parser: PythonParser, text: string, file: string): ToleratedModule {
  const lines = text.split(/\r\n|\r|\n/);
  const faults: PythonError[] = [];
  let left = text;
  for (;;) {
    try {
      const module = parser.parse(left, file, true);
      return { module: { ...module, source: { file, lines } }, faults };
    } catch (e) {
      if (!(e instanceof PythonError)) throw e;
      faults.push(e);
      const next = faults.length < MOST_FAULTS ? withoutBlock(left, e.line) : null;
      if (next === null) return { module: { source: { file, lines }, body: [] }, faults };
      left = next;
    }
  }
}

/** The text with the lines of one top-level block blanked; null if they are blank already. */
function withoutBlock(text: string, line: number): string | null {
  const lines = text.split(/\r\n|\r|\n/);
  let from = Math.min(line, lines.length) - 1;
  while (from > 0 && !BLOCK_START.test(lines[from]!)) from--;
  // Decorators belong to what they stand above.
  while (from > 0 && lines[from - 1]!.startsWith("@")) from--;
  let to = from + 1;
  while (to < lines.length && (lines[to - 1]!.startsWith("@") || !BLOCK_START.test(lines[to]!)))
    to++;
  if (lines.slice(from, to).every((l) => l.trim() === "")) return null;
  return lines.map((l, k) => (k >= from && k < to ? "" : l)).join("\n");
}
