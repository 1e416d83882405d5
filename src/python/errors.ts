/** Errors as a Python user knows them: kind, message, file, line, caret. */
import type { SourceSpan } from "../expression/node.ts";
import type { Source } from "./syntax.ts";

export interface TracebackFrame {
  /** Name of the function, or "<module>". */
  readonly name: string;
  readonly file: string;
  /** The line that was being executed in it. */
  readonly line: number;
}

export interface ErrorPlace {
  readonly span: SourceSpan;
  readonly source: Source | null;
}

/**
 * What the tracer throws for everything wrong in the user's code, and for everything in it that
 * cannot be traced (`type` is then "Unsupported").
 */
export class PythonError extends Error {
  override readonly name = "PythonError";
  /** Python's name of the exception ("TypeError", "SyntaxError", …) or "Unsupported". */
  readonly type: string;
  readonly file: string;
  /** Lines and columns start at 1, columns count UTF-16 units. */
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  /** The source line, and under it a caret at the place; empty if the source is not at hand. */
  readonly caretText: string;
  /** What to do about it; null where the message says enough. */
  readonly remedy: string | null;
  /** Calls that led there, outermost first. */
  readonly traceback: readonly TracebackFrame[];

  constructor(
    type: string,
    message: string,
    place: ErrorPlace,
    options: {
      remedy?: string | null;
      traceback?: readonly TracebackFrame[];
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const { span, source } = place;
    this.type = type;
    this.file = span.file;
    this.line = span.line;
    this.column = span.column;
    this.endColumn =
      span.endLine === undefined || span.endLine === span.line
        ? (span.endColumn ?? span.column + 1)
        : (source?.lines[span.line - 1]?.length ?? span.column) + 1;
    this.caretText =
      source === null ? "" : caretUnder(source, this.line, this.column, this.endColumn);
    this.remedy = options.remedy ?? null;
    this.traceback = options.traceback ?? [];
  }

  /** `TypeError: unsupported operand …`, the last line of a Python traceback. */
  get headline(): string {
    if (this.type === "Unsupported") return this.message;
    return this.message === "" ? this.type : `${this.type}: ${this.message}`;
  }
}

/** The engine's call stack ran out: the code is nested, or calls itself, too deeply. */
export function isStackOverflow(e: unknown): e is RangeError {
  return e instanceof RangeError && /call stack/i.test(e.message);
}

/** The engine ran out of room for something that grew and grew: its stack, a set, a list or a text. */
export function isOutOfRoom(e: unknown): e is RangeError {
  if (isStackOverflow(e)) return true;
  return e instanceof RangeError && /maximum size|invalid \w+ length|allocation/i.test(e.message);
}

/** Characters of a line that are shown; generated code has lines of many thousands. */
const WIDEST = 160;

/**
 * The line with `^^^` below columns `column` to `endColumn` (exclusive); tabs keep their width. Of a
 * long line the part around the place.
 */
function caretUnder(source: Source, line: number, column: number, endColumn: number): string {
  const text = source.lines[line - 1];
  if (text === undefined) return "";
  const from = text.length <= WIDEST ? 0 : Math.max(0, column - 1 - WIDEST / 2);
  const before = (from === 0 ? "" : "…") + text.slice(from, column - 1);
  const after = text.slice(column - 1, from + WIDEST);
  const end = from + WIDEST < text.length ? "…" : "";
  const indent = before.replace(/[^\t]/g, " ");
  const width = Math.max(1, Math.min(endColumn - column, after.length));
  return `${before}${after}${end}\n${indent}${"^".repeat(width)}`;
}
