/** The grammar of array literals: a subset of Python's expressions, evaluated as it is read. */
import { Tokens } from "../pythonTokens.ts";
import { binary, unary, type Operator } from "./arithmetic.ts";
import type { Call } from "./arguments.ts";
import { callFunction } from "./calls.ts";
import { attribute, callMethod } from "./methods.ts";
import { nameValue } from "./names.ts";
import { describe, isScalar, type LiteralContext, type Value } from "./value.ts";

/** NumPy's greatest number of axes; calls and parentheses count too. */
const MAX_NESTING = 64;

/** Python's own limit on the digits of an integer. */
const MAX_INTEGER_DIGITS = 4300;

const PRINTED_WITHOUT_COMMAS =
  "If this was printed by NumPy, print its repr(arr), which has commas, or save it with np.save.";

/** Reads the whole text as one value. */
export function parseValue(text: string, context: LiteralContext): Value {
  const parser = new Parser(text, context);
  return parser.whole();
}

class Parser {
  private readonly tokens: Tokens;
  private readonly context: LiteralContext;
  private readonly length: number;
  private depth = 0;

  constructor(text: string, context: LiteralContext) {
    this.context = context;
    this.length = text.length;
    this.tokens = new Tokens(text, context.fail);
  }

  whole(): Value {
    const { tokens } = this;
    const { kind, start } = tokens.ahead;
    if (kind === "end") this.context.fail(0, "There is no array here: the text is empty.");
    const first = this.expression();
    let value = first;
    if (tokens.at(",")) {
      // A tuple needs no parentheses.
      const items = [first];
      while (tokens.take(",") && !this.atEnd()) items.push(this.expression());
      value = { kind: "list", items, at: start };
    }
    this.expectEnd(first);
    return value;
  }

  private atEnd(): boolean {
    return this.tokens.ahead.kind === "end";
  }

  private expectEnd(before: Value): void {
    const { ahead } = this.tokens;
    if (ahead.kind === "end") return;
    if (before.kind === "name" && this.tokens.at("=")) {
      this.context.fail(
        ahead.start,
        "This is an assignment.",
        `Give what stands to the right of "${before.path} =".`,
      );
    }
    this.context.fail(
      ahead.start,
      `The array has ended, but ${this.tokens.describeAhead()} follows.`,
    );
  }

  private nested<T>(at: number, read: () => T): T {
    this.depth += 1;
    if (this.depth > MAX_NESTING) {
      this.context.fail(at, `This is nested more than ${String(MAX_NESTING)} deep.`);
    }
    const result = read();
    this.depth -= 1;
    return result;
  }

  /** Sums, the loosest of the operators read here. */
  private expression(): Value {
    let left = this.product();
    while (this.tokens.at("+") || this.tokens.at("-")) {
      const { text, start } = this.tokens.next();
      left = binary(text as Operator, left, this.product(), start, this.context);
    }
    return left;
  }

  private product(): Value {
    let left = this.signed();
    while (["*", "/", "//", "%"].some((operator) => this.tokens.at(operator))) {
      const { text, start } = this.tokens.next();
      left = binary(text as Operator, left, this.signed(), start, this.context);
    }
    if (this.tokens.at("@")) {
      this.context.fail(this.tokens.ahead.start, "A matrix product is not read in a literal.");
    }
    return left;
  }

  private signed(): Value {
    const signs = [];
    while (this.tokens.at("-") || this.tokens.at("+")) signs.push(this.tokens.next());
    let value = this.powered();
    for (const sign of signs.reverse()) {
      value = unary(sign.text as "+" | "-", value, sign.start, this.context);
    }
    return value;
  }

  private powered(): Value {
    const base = this.postfixed();
    if (!this.tokens.at("**")) return base;
    const { start } = this.tokens.next();
    const exponent = this.nested(start, () => this.signed());
    return binary("**", base, exponent, start, this.context);
  }

  private postfixed(): Value {
    let value = this.atom();
    for (;;) {
      const { ahead } = this.tokens;
      if (this.tokens.take(".")) {
        value = this.member(value, ahead.start);
      } else if (this.tokens.at("[") && value.kind !== "name" && !isScalar(value)) {
        return value.kind === "list"
          ? this.context.fail(ahead.start, 'A comma is missing before "[".', PRINTED_WITHOUT_COMMAS)
          : this.context.fail(ahead.start, `Indexing ${describe(value)} is not read in a literal.`);
      } else {
        return value;
      }
    }
  }

  private member(value: Value, at: number): Value {
    const name = this.tokens.next();
    if (name.kind !== "name") return this.context.fail(name.start, 'A name is missing after ".".');
    const called = this.tokens.at("(");
    if (value.kind !== "array") {
      return this.context.fail(
        at,
        `.${name.text}${called ? "(…)" : ""} needs an array before it, and this is ${describe(value)}.`,
        value.kind === "list" ? "Wrap the list: np.array([…])" : undefined,
      );
    }
    if (!called) return attribute(value, name.text, name.start, this.context);
    return callMethod(value, this.call(name.text, name.start), this.context);
  }

  private atom(): Value {
    const { tokens, context } = this;
    const { kind, text, start } = tokens.ahead;
    if (kind === "number") return this.number();
    if (kind === "string") {
      tokens.next();
      return { kind: "text", value: text, at: start };
    }
    if (kind === "name") return this.named();
    if (tokens.at("[") || tokens.at("(")) return this.nested(start, () => this.bracketed());
    if (tokens.at("<")) return this.printedTensor();
    if (tokens.at("{")) {
      return context.fail(start, "A dictionary or a set is no array.", "Give a list of numbers.");
    }
    if (tokens.at("...")) {
      return context.fail(
        start,
        '"..." stands for values that were left out when the array was printed.',
        "Save the whole array and give the file: np.save(path, arr)",
      );
    }
    return context.fail(
      start,
      `A number or a list is expected here, not ${tokens.describeAhead()}.`,
    );
  }

  private number(): Value {
    const { text, start } = this.tokens.next();
    const plain = text.replaceAll("_", "");
    const prefixed = /^0[xXoObB]/u.test(plain);
    if (!prefixed && /[.eE]/u.test(plain))
      return { kind: "float", value: Number(plain), at: start };
    if (plain.length > MAX_INTEGER_DIGITS) {
      return this.context.fail(start, `This integer has ${String(plain.length)} digits.`);
    }
    return { kind: "int", value: BigInt(plain), at: start };
  }

  /** A dotted name, and its call where one follows. */
  private named(): Value {
    const { tokens } = this;
    const { text, start } = tokens.next();
    let path = text;
    while (tokens.at(".")) {
      tokens.next();
      const part = tokens.next();
      if (part.kind !== "name")
        return this.context.fail(part.start, 'A name is missing after ".".');
      path += `.${part.text}`;
    }
    if (tokens.at("(")) return callFunction(this.call(path, start), this.context);
    const value = nameValue(path, start);
    if (value.kind === "name" && tokens.at("[")) {
      return this.context.fail(start, `"${path}[…]" is code; a literal holds numbers only.`);
    }
    return value;
  }

  private call(path: string, at: number): Call {
    const { tokens, context } = this;
    const open = tokens.next();
    const positional: Value[] = [];
    const keywords = new Map<string, Value>();
    this.nested(open.start, () => {
      while (!tokens.take(")")) {
        const value = this.item(open.start, "(");
        if (value.kind === "name" && tokens.take("=")) {
          keywords.set(value.path, this.item(open.start, "("));
        } else if (keywords.size > 0) {
          context.fail(value.at, "A positional argument cannot follow a named one.");
        } else {
          positional.push(value);
        }
        this.separator(open.start, "(", ")");
      }
    });
    return { path, at, positional, keywords };
  }

  /** A list, a tuple, or an expression in parentheses. */
  private bracketed(): Value {
    const { tokens } = this;
    const open = tokens.next();
    const close = open.text === "[" ? "]" : ")";
    const items: Value[] = [];
    let comma = false;
    while (!tokens.take(close)) {
      this.context.tick?.(tokens.ahead.start / this.length);
      items.push(this.item(open.start, open.text));
      comma = this.separator(open.start, open.text, close);
    }
    const [first] = items;
    if (close === ")" && items.length === 1 && !comma && first !== undefined) return first;
    return { kind: "list", items, at: open.start };
  }

  private item(open: number, bracket: string): Value {
    if (this.tokens.ahead.kind === "end") this.unclosed(open, bracket);
    return this.expression();
  }

  /** Moves past a comma; anything else but the closing bracket is an error. */
  private separator(open: number, bracket: string, close: string): boolean {
    const { tokens, context } = this;
    if (tokens.take(",")) return true;
    if (tokens.at(close)) return false;
    const { kind, text, start } = tokens.ahead;
    if (kind === "end") this.unclosed(open, bracket);
    if (kind === "name" && (text === "for" || text === "if")) {
      context.fail(start, `"${text}" makes this code; a literal holds numbers only.`);
    }
    const value = kind === "number" || kind === "name" || tokens.at("[") || tokens.at("(");
    return context.fail(
      start,
      value
        ? `A comma is missing before ${tokens.describeAhead()}.`
        : `"," or "${close}" is expected here, not ${tokens.describeAhead()}.`,
      value ? PRINTED_WITHOUT_COMMAS : undefined,
    );
  }

  private unclosed(open: number, bracket: string): never {
    return this.context.fail(open, `This "${bracket}" is never closed.`);
  }

  /**
   * What printing leaves in angle brackets: the array in `<tf.Tensor: …, numpy=array(…)>`, or
   * something of no value, like `<MeanBackward0>`.
   */
  private printedTensor(): Value {
    const { tokens, context } = this;
    const { start } = tokens.ahead;
    const inner = /^<tf\.[^<>]*?\bnumpy=/u.exec(tokens.text.slice(start, start + 4096));
    if (inner !== null) {
      tokens.moveTo(start + inner[0].length);
      const value = this.nested(start, () => this.expression());
      if (!tokens.take(">")) context.fail(start, 'This "<" is never closed.');
      return value;
    }
    const end = tokens.text.indexOf(">", start);
    if (end < 0) return context.fail(start, 'This "<" is never closed.');
    tokens.moveTo(end + 1);
    return { kind: "opaque", at: start };
  }
}
