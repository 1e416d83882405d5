/**
 * A first pass over Python source, line by line: blanks what IPython adds to the language, and finds
 * the errors of layout (brackets, quotes, indentation) that the parser accepts or misplaces.
 */

export interface LayoutError {
  readonly type: "SyntaxError" | "IndentationError" | "TabError";
  readonly message: string;
  /** Offset of the offending text, and its length. */
  readonly offset: number;
  readonly length: number;
}

/** A logical line: one simple statement or one compound statement's header. */
export interface LogicalLine {
  readonly start: number;
  readonly end: number;
  /** Ends with the `:` of a compound statement. */
  readonly opensBlock: boolean;
}

export interface Layout {
  /** The source with IPython's lines blanked; every other character keeps its place. */
  readonly text: string;
  readonly logicalLines: readonly LogicalLine[];
  readonly error: LayoutError | null;
}

const CLOSES: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };
const STRING_START = /(?:[rRbBuU]|[rR][bB]|[bB][rR]|[fFtT]|[fFtT][rR]|[rR][fFtT])?("""|'''|"|')/y;
/** Names and numbers are skipped whole, so that the b of `ab"…"` is no string prefix. */
const WORD = /[\p{L}\p{N}_]+/uy;
const CONFLICT = /(?:<{7} |>{7} |={7}[\r\n])/y;
const COMPOUND = /(?:async\s+)?(if|elif|else|for|while|def|class|with|try|except|finally)\b/y;

class Fault extends Error {
  readonly error: LayoutError;
  constructor(
    message: string,
    offset: number,
    length = 1,
    type: LayoutError["type"] = "SyntaxError",
  ) {
    super(message);
    this.error = { type, message, offset, length };
  }
}

export function layout(source: string): Layout {
  const scanner = new Scanner(source);
  try {
    scanner.run();
  } catch (e) {
    if (!(e instanceof Fault)) throw e;
    return { text: scanner.text, logicalLines: scanner.logicalLines, error: e.error };
  }
  return { text: scanner.text, logicalLines: scanner.logicalLines, error: null };
}

interface Indent {
  /** Width with tabs to the next multiple of 8, and with tabs counted as 1: they must order alike. */
  readonly wide: number;
  readonly narrow: number;
}

class Scanner {
  text: string;
  readonly logicalLines: LogicalLine[] = [];
  private at = 0;
  private readonly indents: Indent[] = [{ wide: 0, narrow: 0 }];
  /** The header whose body must come next. */
  private opener: { readonly what: string; readonly line: number } | null = null;
  private lineCache = { offset: 0, line: 1 };

  constructor(text: string) {
    this.text = text;
  }

  run(): void {
    const nul = this.text.indexOf("\0");
    if (nul >= 0) throw new Fault("source code cannot contain null bytes", nul);
    this.blankCellMagic();
    while (this.at < this.text.length) {
      const lineStart = this.at;
      const indent = this.readIndent();
      const c = this.text[this.at];
      if (c === undefined) break;
      if (c === "\n" || c === "\r") {
        this.at++;
        continue;
      }
      if (c === "#") {
        this.skipToLineEnd();
        continue;
      }
      if (this.isIPython()) {
        this.blankLine(this.at);
        continue;
      }
      if (indent.narrow === 0) this.refuseConflict();
      this.checkIndent(indent, lineStart);
      this.logicalLine();
    }
    if (this.opener !== null) this.missingBlock(this.text.trimEnd().length);
  }

  /** What git leaves in a file that it could not merge. */
  private refuseConflict(): void {
    CONFLICT.lastIndex = this.at;
    if (CONFLICT.test(this.text))
      throw new Fault("this merge conflict is not resolved", this.at, 7);
  }

  private readIndent(): Indent {
    let wide = 0;
    let narrow = 0;
    for (; ; this.at++) {
      const c = this.text[this.at];
      if (c === " ") wide++;
      else if (c === "\t") wide = (Math.floor(wide / 8) + 1) * 8;
      else if (c === "\f" || c === "\uFEFF") {
        wide = narrow = 0;
        continue;
      } else return { wide, narrow };
      narrow++;
    }
  }

  /** `%magic`, `!shell`, `?help` and `help?` as a line of its own. */
  private isIPython(): boolean {
    const c = this.text[this.at]!;
    if (c === "%" || c === "!" || c === "?") return true;
    const line = this.text.slice(this.at, this.lineEnd());
    return /^[\w.]+\?{1,2}\s*$/.test(line);
  }

  /** `%%time` leaves Python below it; `%%bash` and its like make the whole cell something else. */
  private blankCellMagic(): void {
    const m = /^\s*%%(\w+)/.exec(this.text);
    if (m === null) return;
    const isPython = /^(time|timeit|capture|prun|python3?|pypy|debug|script_?magic)$/.test(m[1]!);
    const keep = isPython ? this.text.indexOf("\n") : this.text.length;
    const end = keep < 0 ? this.text.length : keep;
    this.text = this.text.slice(0, end).replace(/[^\r\n]/g, " ") + this.text.slice(end);
  }

  private blankLine(from: number): void {
    const end = this.lineEnd();
    const width = end - from;
    // `pass` keeps a block that has no other statement whole.
    const filler = width >= 4 ? "pass" + " ".repeat(width - 4) : " ".repeat(width);
    this.text = this.text.slice(0, from) + filler + this.text.slice(end);
    if (width >= 4) this.opener = null;
    this.at = end;
  }

  private checkIndent(indent: Indent, lineStart: number): void {
    const top = this.indents.at(-1)!;
    if (indent.wide === top.wide || indent.wide > top.wide) {
      const agrees =
        indent.wide === top.wide ? indent.narrow === top.narrow : indent.narrow > top.narrow;
      if (!agrees) this.tabError(lineStart);
    }
    if (indent.wide > top.wide) {
      if (this.opener === null) {
        throw new Fault("unexpected indent", lineStart, this.at - lineStart, "IndentationError");
      }
      this.indents.push(indent);
      this.opener = null;
      return;
    }
    if (this.opener !== null) this.missingBlock(this.at);
    while (this.indents.at(-1)!.wide > indent.wide) this.indents.pop();
    const outer = this.indents.at(-1)!;
    if (outer.wide !== indent.wide) {
      const message = "unindent does not match any outer indentation level";
      throw new Fault(message, lineStart, Math.max(1, this.at - lineStart), "IndentationError");
    }
    if (outer.narrow !== indent.narrow) this.tabError(lineStart);
  }

  private tabError(lineStart: number): never {
    const message = "inconsistent use of tabs and spaces in indentation";
    throw new Fault(message, lineStart, Math.max(1, this.at - lineStart), "TabError");
  }

  private missingBlock(offset: number): never {
    const { what, line } = this.opener!;
    const message = `expected an indented block after ${what} on line ${line}`;
    const length = Math.max(1, /\S*/.exec(this.text.slice(offset, offset + 200))![0].length);
    throw new Fault(message, offset, length, "IndentationError");
  }

  /** Reads to the end of the statement line, over brackets, strings and continued lines. */
  private logicalLine(): void {
    const start = this.at;
    COMPOUND.lastIndex = start;
    const keyword = COMPOUND.exec(this.text)?.[1] ?? null;
    const brackets: number[] = [];
    let sawColon = false;
    let last = "";
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined || ((c === "\n" || c === "\r") && brackets.length === 0)) break;
      if (c === "#") {
        this.skipToLineEnd();
        continue;
      }
      if (c === "\\" && /[\r\n]/.test(this.text[this.at + 1] ?? "")) {
        this.at += this.text.startsWith("\r\n", this.at + 1) ? 3 : 2;
        continue;
      }
      if (this.skipString()) {
        last = '"';
        continue;
      }
      WORD.lastIndex = this.at;
      const word = WORD.exec(this.text);
      if (word !== null) {
        this.at += word[0].length;
        last = "a";
        continue;
      }
      if (c === "(" || c === "[" || c === "{") brackets.push(this.at);
      else if (c in CLOSES) this.close(brackets, c);
      else if (c === ":" && brackets.length === 0) sawColon = true;
      if (!/\s/.test(c)) last = c;
      this.at++;
    }
    const open = brackets.at(-1);
    if (open !== undefined) throw new Fault(`'${this.text[open]}' was never closed`, open);
    const end = this.at;
    const opensBlock = last === ":";
    if (keyword !== null && !sawColon) {
      const stop = start + this.text.slice(start, end).replace(/#.*$/, "").trimEnd().length;
      throw new Fault("expected ':'", stop);
    }
    if (opensBlock) this.opener = { what: describe(keyword), line: this.lineOf(start) };
    this.logicalLines.push({ start, end, opensBlock });
  }

  private close(brackets: number[], c: string): void {
    const open = brackets.pop();
    if (open === undefined) throw new Fault(`unmatched '${c}'`, this.at);
    const opening = this.text[open]!;
    if (opening === CLOSES[c]) return;
    const line = this.lineOf(open);
    const where = line === this.lineOf(this.at) ? "" : ` on line ${line}`;
    throw new Fault(
      `closing parenthesis '${c}' does not match opening parenthesis '${opening}'${where}`,
      this.at,
    );
  }

  /** Moves past a string literal that starts here. @returns whether one does */
  private skipString(): boolean {
    STRING_START.lastIndex = this.at;
    const m = STRING_START.exec(this.text);
    if (m === null) return false;
    const start = this.at;
    const quote = m[1]!;
    const formatted = /[fFtT]/.test(m[0].slice(0, -quote.length));
    this.at += m[0].length;
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined || ((c === "\n" || c === "\r") && quote.length === 1)) {
        const kind =
          (quote.length === 3 ? "triple-quoted " : "") + (formatted ? "f-string" : "string");
        const last = c === undefined && this.text.endsWith("\n") ? this.at - 1 : this.at;
        const message = `unterminated ${kind} literal (detected at line ${this.lineOf(last)})`;
        throw new Fault(message, start, m[0].length);
      }
      if (c === "\\") this.at += this.text.startsWith("\r\n", this.at + 1) ? 3 : 2;
      else if (this.text.startsWith(quote, this.at)) {
        this.at += quote.length;
        return true;
      } else if (formatted && c === "{") this.skipReplacement(quote);
      else this.at++;
    }
  }

  /** `{…}` of an f-string, which may hold strings of its own. */
  private skipReplacement(quote: string): void {
    if (this.text[this.at + 1] === "{") {
      this.at += 2;
      return;
    }
    let depth = 0;
    for (;;) {
      const c = this.text[this.at];
      // Before Python 3.12 the outer quote always ended the literal; an unbalanced brace leaves it so.
      if (c === undefined || (c === "\n" && quote.length === 1)) return;
      if (c === "{" || c === "(" || c === "[") depth++;
      else if (c === "}" || c === ")" || c === "]") {
        depth--;
        if (depth === 0) {
          this.at++;
          return;
        }
      } else if (c === '"' || c === "'") {
        if (depth === 1 && this.text.startsWith(quote, this.at)) return;
        if (this.skipString()) continue;
      }
      this.at++;
    }
  }

  private lineEnd(): number {
    const end = this.text.indexOf("\n", this.at);
    return end < 0 ? this.text.length : this.text[end - 1] === "\r" ? end - 1 : end;
  }

  private skipToLineEnd(): void {
    this.at = this.lineEnd();
  }

  /** Line number of an offset; asked in rising order almost always. */
  private lineOf(offset: number): number {
    if (offset < this.lineCache.offset) this.lineCache = { offset: 0, line: 1 };
    let { offset: from, line } = this.lineCache;
    for (; ; line++) {
      const next = this.text.indexOf("\n", from);
      if (next < 0 || next >= offset) break;
      from = next + 1;
    }
    this.lineCache = { offset: from, line };
    return line;
  }
}

function describe(keyword: string | null): string {
  if (keyword === "def") return "function definition";
  if (keyword === "class") return "class definition";
  return keyword === null ? "':'" : `'${keyword}' statement`;
}
