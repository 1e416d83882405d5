/** Splits Python (or JSON) literal text into tokens, on demand. */

/** One token; `text` of a string is its content, of everything else the source text. */
export interface Token {
  readonly kind: "number" | "name" | "string" | "operator" | "end";
  readonly text: string;
  /** Offsets into the text, in UTF-16 code units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Raises the error for an offset in the text; the caller knows what lines or bytes that means. */
export type Fail = (offset: number, message: string, remedy?: string) => never;

const SPACE = /(?:[\s\uFEFF]|#[^\n]*|\\\r?\n)*/uy;
const NUMBER =
  /(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][-+]?\d(?:_?\d)*)?)/uy;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const OPERATOR = /\.\.\.|\*\*|\/\/|[-+*/%()[\]{},:=.<>@]/uy;
const STRING = /(["'])((?:\\.|(?!\1)[^\\\n])*)\1/suy;

/** Characters that look like ASCII ones and come along when text is copied from a document. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  "\u2212": "-",
  "\u2013": "-",
  "\u2014": "-",
  "\u00d7": "*",
  "\u00b7": "*",
  "\uff0c": ",",
  "\u2018": "'",
  "\u2019": "'",
  "\u201c": '"',
  "\u201d": '"',
  "\u2026": "...",
};

/** A reader over the tokens of a text, one token ahead. */
export class Tokens {
  readonly text: string;
  readonly fail: Fail;
  /** The token that {@link next} will return. */
  ahead: Token;

  constructor(text: string, fail: Fail) {
    this.text = text;
    this.fail = fail;
    this.ahead = this.scan(0);
  }

  /** Returns the token ahead and moves past it. */
  next(): Token {
    const token = this.ahead;
    if (token.kind !== "end") this.ahead = this.scan(token.end);
    return token;
  }

  /** Whether the token ahead is this operator. */
  at(operator: string): boolean {
    return this.ahead.kind === "operator" && this.ahead.text === operator;
  }

  /** Moves past this operator if it is ahead. */
  take(operator: string): boolean {
    const found = this.at(operator);
    if (found) this.next();
    return found;
  }

  /** Moves to an offset of the text, whatever stands between. */
  moveTo(offset: number): void {
    this.ahead = this.scan(offset);
  }

  /** The token ahead, as an error message names it. */
  describeAhead(): string {
    const { kind } = this.ahead;
    if (kind === "end") return "the end of the text";
    const text = this.ahead.text.length > 40 ? `${this.ahead.text.slice(0, 40)}…` : this.ahead.text;
    return kind === "string" ? `the string "${text}"` : `"${text}"`;
  }

  private scan(offset: number): Token {
    const start = offset + (match(SPACE, this.text, offset)?.[0].length ?? 0);
    if (start >= this.text.length) return { kind: "end", text: "", start, end: start };
    const number = match(NUMBER, this.text, start);
    if (number !== undefined) return this.number(number[0], start);
    const name = match(NAME, this.text, start);
    if (name !== undefined) return token("name", name[0], start);
    const operator = match(OPERATOR, this.text, start);
    if (operator !== undefined) return token("operator", operator[0], start);
    const string = match(STRING, this.text, start);
    if (string !== undefined) {
      const content = string[2]!.replace(/\\(.)/gsu, "$1");
      return { kind: "string", text: content, start, end: start + string[0].length };
    }
    return this.unexpected(start);
  }

  private number(text: string, start: number): Token {
    const end = start + text.length;
    const suffix = match(NAME, this.text, end)?.[0];
    if (suffix === "j" || suffix === "J") {
      return this.fail(start, `${text}${suffix} is a complex number; a loss needs real ones.`);
    }
    if (suffix !== undefined) return this.fail(start, `"${text}${suffix}" is not a number.`);
    if (/^0[\d_]*[1-9]/u.test(text) && !/[.eE]/u.test(text)) {
      return this.fail(start, `"${text}" is not a number: Python allows no leading zeros.`);
    }
    return token("number", text, start);
  }

  private unexpected(start: number): never {
    const character = String.fromCodePoint(this.text.codePointAt(start)!);
    if (character === '"' || character === "'") {
      return this.fail(start, "This string is not closed on its line.");
    }
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    const intended = LOOKALIKES[character];
    return this.fail(
      start,
      `The character "${character}" (U+${code}) has no place in an array literal.`,
      intended === undefined ? undefined : `Write ${intended} instead.`,
    );
  }
}

function token(kind: Token["kind"], text: string, start: number): Token {
  return { kind, text, start, end: start + text.length };
}

function match(pattern: RegExp, text: string, offset: number): RegExpExecArray | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text) ?? undefined;
}
