/** Terms and expressions as one line of plain Unicode text: `∂L/∂p[i] = −2·g[i]/(P+G+ε) + …`. */
import { type Index, isSumIndex } from "./indices.ts";
import { type PrintOptions, partLetter } from "./latex.ts";
import type { Names, SymbolName } from "./names.ts";
import { FormulaTooLong, Notation } from "./notation.ts";
import type { Expr } from "./node.ts";
import { numeralOf } from "./numerals.ts";
import { type BigOp, type Binder, type RelationOp, type Term, isCount } from "./term.ts";

/** The element of `e` at its axes' letters, as plain text. */
export function toText(e: Expr, names: Names, options: PrintOptions = {}): string {
  try {
    return textOf(new Notation(names, options).element(e, options.indices));
  } catch (error) {
    if (error instanceof FormulaTooLong) return "(too long to be written out)";
    throw error;
  }
}

/** A term as plain text. */
export function textOf(t: Term): string {
  return form(t, false)[0];
}

const Level = { any: 0, sum: 1, term: 2, product: 3, factor: 4, power: 5, atom: 6 };

function write(t: Term, least: number): string {
  const [body, level] = form(t, true);
  return level >= least ? body : `(${body})`;
}

/** Only the outermost sum is spaced out; inside brackets and fractions everything stands close. */
function form(t: Term, compact: boolean): [string, number] {
  switch (t.kind) {
    case "number":
      return writeNumber(t.value);
    case "symbol":
      return writeSymbol(t.symbol, t.indices);
    case "index":
      return [textIndex(t.index), isSumIndex(t.index) ? Level.sum : Level.atom];
    case "sum": {
      const [first, ...rest] = t.terms;
      const gap = compact ? "" : " ";
      const term = (x: Term): string => write(x, Level.term);
      const head = (first!.negative ? "−" : "") + term(first!.term);
      const tail = rest.map((s) => `${gap}${s.negative ? "−" : "+"}${gap}${term(s.term)}`);
      return [head + tail.join(""), Level.sum];
    }
    case "negative":
      return [`−${write(t.of, Level.term)}`, Level.sum];
    case "product":
      return writeProduct(t.numerator, t.denominator);
    case "power": {
      const base = write(t.base, Level.atom);
      const n = t.exponent.kind === "number" ? t.exponent.value : NaN;
      return Number.isInteger(n)
        ? [base + superscript(n), Level.power]
        : [`${base}^${write(t.exponent, Level.atom)}`, Level.power];
    }
    case "root":
      return [`√(${write(t.of, Level.any)})`, Level.atom];
    case "fence": {
      const [open, close] = FENCES[t.fence];
      return [open + write(t.of, Level.any) + close, Level.atom];
    }
    case "call":
      return writeCall(t.name, t.args, t.over ?? [], t.indices ?? []);
    case "big":
      return writeBig(t.op, t.over, t.body);
    case "relation":
      return [
        `${write(t.left, Level.sum)} ${RELATIONS[t.op]} ${write(t.right, Level.sum)}`,
        Level.any,
      ];
    case "logic":
      return [
        t.args
          .map((a) => (a.kind === "logic" ? `(${write(a, Level.any)})` : write(a, Level.any)))
          .join(t.op === "and" ? " and " : " or "),
        Level.any,
      ];
    case "not":
      return [`not ${write(t.of, Level.atom)}`, Level.any];
    case "bracket":
      return [`[${write(t.of, Level.any)}]`, Level.atom];
    case "cases": {
      const branches = t.branches.map(
        (b) => `${write(b.value, Level.sum)} if ${write(b.condition, Level.any)} else `,
      );
      return [branches.join("") + write(t.otherwise, Level.sum), Level.any];
    }
  }
}

const FENCES = { abs: ["|", "|"], floor: ["⌊", "⌋"], ceil: ["⌈", "⌉"] } as const;

const RELATIONS: Readonly<Record<RelationOp, string>> = {
  eq: "=",
  ne: "≠",
  lt: "<",
  le: "≤",
  gt: ">",
  ge: "≥",
};

function writeNumber(value: number): [string, number] {
  const n = numeralOf(value);
  switch (n.kind) {
    case "plain":
      return [n.digits, Level.atom];
    case "power":
      return n.mantissa === "1"
        ? [`10${superscript(n.exponent)}`, Level.power]
        : [`${n.mantissa}·10${superscript(n.exponent)}`, Level.product];
    case "fraction":
      return [`${n.numerator}/${n.denominator}`, Level.product];
    case "infinity":
      return ["∞", Level.atom];
    case "nan":
      return ["NaN", Level.atom];
  }
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const superscript = (n: number): string =>
  String(n)
    .replace(/\d/g, (d) => SUPERSCRIPTS[Number(d)]!)
    .replace("-", "⁻");

function writeSymbol(s: SymbolName, indices: readonly Index[]): [string, number] {
  if (s.derivativeOf !== undefined) {
    return [`∂${s.text}/∂${writeSymbol(s.derivativeOf, indices)[0]}`, Level.product];
  }
  const sub = /^[\d,]*$/.test(s.sub)
    ? s.sub.replace(/\d/g, (d) => SUBSCRIPTS[Number(d)]!)
    : `_${s.sub}`;
  const at = indices.length === 0 ? "" : `[${indices.map(textIndex).join(",")}]`;
  return [s.text + "'".repeat(s.primes) + sub + at, Level.atom];
}

/** A symbol with or without indices, for a legend. */
export function textSymbol(s: SymbolName, indices: readonly Index[] = []): string {
  return writeSymbol(s, indices)[0];
}

function writeProduct(numerator: readonly Term[], denominator: readonly Term[]): [string, number] {
  const last = numerator.at(-1);
  const lastIsBig = last?.kind === "big";
  if (denominator.length === 0) return [joined(numerator, true), Level.product];
  if (lastIsBig && denominator.every(isCount)) {
    const [factor] = writeProduct(numerator.slice(0, -1), denominator);
    return [`(${factor})·${write(last, Level.term)}`, Level.product];
  }
  const top = numerator.length === 0 ? "1" : joined(numerator, false);
  const bottom =
    denominator.length === 1
      ? write(denominator[0]!, Level.power)
      : `(${joined(denominator, true)})`;
  return [`${top}/${bottom}`, Level.product];
}

/** Factors with dots between; a sum sign at the very end needs no brackets. */
function joined(factors: readonly Term[], endsHere: boolean): string {
  return factors
    .map((f, k) => {
      if (f.kind === "number" && k === 0) return write(f, Level.product);
      const open = f.kind === "big" && k === factors.length - 1 && endsHere;
      return write(f, open ? Level.term : Level.factor);
    })
    .join("·");
}

const FUNCTIONS: Readonly<Record<string, string>> = {
  sigmoid: "σ",
  sign: "sgn",
  "log softmax": "log_softmax",
};

function writeCall(
  name: string,
  args: readonly Term[],
  over: readonly Term[],
  indices: readonly Index[],
): [string, number] {
  if (name === "mod") {
    return [`${write(args[0]!, Level.atom)} mod ${write(args[1]!, Level.atom)}`, Level.term];
  }
  const all = name === "clip" ? [...args, ...over] : args;
  const runs =
    over.length === 0 || name === "clip"
      ? ""
      : `_${over.map((o) => write(o, Level.any)).join(",")}`;
  const at = indices.length === 0 ? "" : `[${indices.map(textIndex).join(",")}]`;
  const head = FUNCTIONS[name] ?? name;
  return [`${head}${runs}(${all.map((a) => write(a, Level.any)).join(", ")})${at}`, Level.atom];
}

const BIG: Readonly<Record<BigOp, string>> = {
  sum: "Σ",
  prod: "Π",
  max: "max",
  min: "min",
  any: "any",
  all: "all",
  argmax: "argmax",
  argmin: "argmin",
};

function writeBig(op: BigOp, over: readonly Binder[], body: Term): [string, number] {
  const letters = over.map((b) =>
    b.from === undefined ? b.letter : `${b.letter}=${b.from}…${b.to}`,
  );
  const plain = letters.length === 1 && over[0]!.from === undefined;
  const runs = plain ? letters[0]! : `{${letters.join(",")}}`;
  const sign = `${BIG[op]}_${runs}`;
  return op === "sum" || op === "prod"
    ? [`${sign} ${write(body, Level.product)}`, Level.term]
    : [`${sign}(${write(body, Level.any)})`, Level.atom];
}

/** An index as it stands between square brackets. */
export function textIndex(i: Index): string {
  switch (i.kind) {
    case "at":
      return String(i.at);
    case "letter":
      return i.letter;
    case "affine": {
      if (i.scale > 0 && i.scale < 1) {
        const step = Math.round(1 / i.scale);
        const start = Math.round(-i.offset * step);
        if (start === 0) return `${factorOf(i.of)}/${step}`;
        return `(${textIndex(i.of)}${signed(-start)})/${step}`;
      }
      const of = i.scale === 1 ? textIndex(i.of) : factorOf(i.of);
      return scaled(i.scale, of) + signed(i.offset);
    }
    case "plus": {
      const by = scaled(Math.abs(i.scale), i.scale === 1 ? textIndex(i.right) : factorOf(i.right));
      return textIndex(i.left) + (i.scale < 0 ? "−" : "+") + by + signed(i.offset);
    }
    case "part":
      return `${partLetter(i.axes[i.k]!.name)}(${i.whole.kind === "tuple" ? i.whole.parts.map(textIndex).join(",") : textIndex(i.whole)})`;
    case "tuple":
      return `(${i.parts.map(textIndex).join(",")})`;
  }
}

/** An index that is multiplied, divided or taken away as a whole. */
function factorOf(i: Index): string {
  return isSumIndex(i) ? `(${textIndex(i)})` : textIndex(i);
}

function scaled(by: number, of: string): string {
  if (Math.abs(by) === 1) return (by < 0 ? "−" : "") + of;
  return `${by < 0 ? "−" : ""}${Math.abs(by)}·${of}`;
}

const signed = (n: number): string => (n === 0 ? "" : n > 0 ? `+${n}` : `−${-n}`);
