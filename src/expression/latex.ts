/** Terms and expressions as LaTeX that KaTeX accepts under `strict`. */
import { type Index, isSumIndex } from "./indices.ts";
import type { Names, SymbolName } from "./names.ts";
import { FormulaTooLong, Notation, type NotationOptions } from "./notation.ts";
import type { Expr } from "./node.ts";
import { numeralOf } from "./numerals.ts";
import { type BigOp, type Binder, type RelationOp, type Term, isCount } from "./term.ts";

export interface PrintOptions extends NotationOptions {
  /** Indices of the element to print; by default a letter for each axis of the expression. */
  readonly indices?: readonly Index[];
}

/** The element of `e` at its axes' letters, as LaTeX. Inputs and parameters need their names. */
export function toLatex(e: Expr, names: Names, options: PrintOptions = {}): string {
  try {
    return latexOf(new Notation(names, options).element(e, options.indices));
  } catch (error) {
    if (error instanceof FormulaTooLong) return "\\text{(too long to be written out)}";
    throw error;
  }
}

/** A term as LaTeX. */
export function latexOf(t: Term): string {
  return write(t, Level.any);
}

/** How tightly a form binds; a part that binds less than its place asks for gets brackets. */
const Level = { any: 0, sum: 1, term: 2, product: 3, factor: 4, function: 5, power: 6, atom: 7 };

function write(t: Term, least: number): string {
  const [body, level] = form(t);
  return level >= least ? body : bracketed(body);
}

function bracketed(body: string): string {
  return isTall(body) ? `\\left(${body}\\right)` : `(${body})`;
}

function isTall(body: string): boolean {
  return /\\(frac|sum|prod|big|begin|left|max_|min_|sqrt)/.test(body);
}

function form(t: Term): [string, number] {
  switch (t.kind) {
    case "number":
      return writeNumber(t.value);
    case "symbol":
      return writeSymbol(t.symbol, t.indices.map(latexIndex));
    case "index":
      return [latexIndex(t.index), isSumIndex(t.index) ? Level.sum : Level.atom];
    case "sum": {
      const [first, ...rest] = t.terms;
      const head = (first!.negative ? "-" : "") + write(first!.term, Level.term);
      const tail = rest.map((s) => (s.negative ? " - " : " + ") + write(s.term, Level.term));
      return [head + tail.join(""), Level.sum];
    }
    case "negative":
      return [`-${write(t.of, Level.term)}`, Level.sum];
    case "product":
      return writeProduct(t.numerator, t.denominator);
    case "power":
      return [`${write(t.base, Level.atom)}^{${write(t.exponent, Level.any)}}`, Level.power];
    case "root":
      return [`\\sqrt{${latexOf(t.of)}}`, Level.atom];
    case "fence": {
      const [open, close] = FENCES[t.fence];
      const body = latexOf(t.of);
      return isTall(body)
        ? [`\\left${open}${body}\\right${close}`, Level.atom]
        : [`${open}${body}${close}`, Level.atom];
    }
    case "call":
      return writeCall(t.name, t.args, t.over ?? [], t.indices ?? []);
    case "big":
      return [`${writeBig(t.op, t.over)} ${write(t.body, Level.product)}`, Level.product];
    case "relation":
      return [
        `${write(t.left, Level.sum)} ${RELATIONS[t.op]} ${write(t.right, Level.sum)}`,
        Level.any,
      ];
    case "logic":
      return [
        t.args
          .map((a) => (a.kind === "logic" ? bracketed(latexOf(a)) : latexOf(a)))
          .join(t.op === "and" ? " \\land " : " \\lor "),
        Level.any,
      ];
    case "not":
      return [`\\lnot ${write(t.of, Level.atom)}`, Level.factor];
    case "bracket": {
      const body = latexOf(t.of);
      return isTall(body) ? [`\\left[${body}\\right]`, Level.atom] : [`[${body}]`, Level.atom];
    }
    case "cases": {
      const rows = t.branches.map(
        (b) => `${latexOf(b.value)} & \\text{if } ${latexOf(b.condition)}`,
      );
      rows.push(`${latexOf(t.otherwise)} & \\text{otherwise}`);
      return [`\\begin{cases} ${rows.join(" \\\\ ")} \\end{cases}`, Level.any];
    }
  }
}

const FENCES = {
  abs: ["|", "|"],
  floor: ["\\lfloor ", "\\rfloor "],
  ceil: ["\\lceil ", "\\rceil "],
} as const;

const RELATIONS: Readonly<Record<RelationOp, string>> = {
  eq: "=",
  ne: "\\ne",
  lt: "<",
  le: "\\le",
  gt: ">",
  ge: "\\ge",
};

function writeNumber(value: number): [string, number] {
  const n = numeralOf(value);
  switch (n.kind) {
    case "plain":
      return [n.digits, Level.atom];
    case "power":
      return n.mantissa === "1"
        ? [`10^{${n.exponent}}`, Level.power]
        : [`${n.mantissa} \\cdot 10^{${n.exponent}}`, Level.product];
    case "fraction":
      return [`\\frac{${n.numerator}}{${n.denominator}}`, Level.factor];
    case "infinity":
      return ["\\infty", Level.atom];
    case "nan":
      return ["\\mathrm{NaN}", Level.atom];
  }
}

function writeSymbol(s: SymbolName, indices: readonly string[]): [string, number] {
  if (s.derivativeOf !== undefined) {
    const [of] = writeSymbol(s.derivativeOf, indices);
    return [`\\frac{\\partial ${s.latex}}{\\partial ${of}}`, Level.factor];
  }
  const base = s.primes > 0 ? `{${s.latex}${"'".repeat(s.primes)}}` : s.latex;
  const sub = s.sub === "" || /^[\d,]+$|^[a-z]$/.test(s.sub) ? s.sub : `\\mathrm{${s.sub}}`;
  const subs = [sub, ...indices].filter((x) => x !== "");
  return [subs.length === 0 ? base : `${base}_{${subs.join(",")}}`, Level.atom];
}

/** A symbol without indices, for a legend. */
export function latexSymbol(s: SymbolName, indices: readonly Index[] = []): string {
  return writeSymbol(s, indices.map(latexIndex))[0];
}

function writeProduct(numerator: readonly Term[], denominator: readonly Term[]): [string, number] {
  if (denominator.length === 0) return [juxtaposed(numerator), Level.product];
  const last = numerator.at(-1);
  // 1/N Σ…: a mean keeps its factor before the sign.
  if (last?.kind === "big" && denominator.every(isCount)) {
    const factor = `\\frac{${fractionPart(numerator.slice(0, -1))}}{${fractionPart(denominator)}}`;
    return [`${factor} ${write(last, Level.product)}`, Level.product];
  }
  return [`\\frac{${fractionPart(numerator)}}{${fractionPart(denominator)}}`, Level.factor];
}

function fractionPart(factors: readonly Term[]): string {
  if (factors.length === 0) return "1";
  return factors.length === 1 ? latexOf(factors[0]!) : juxtaposed(factors);
}

/** Factors side by side: a thin space, or a dot where two numbers would run together. */
function juxtaposed(factors: readonly Term[]): string {
  let out = "";
  factors.forEach((f, k) => {
    const isLast = k === factors.length - 1;
    const least =
      f.kind === "number" || (isLast && f.kind === "big") ? Level.product : Level.factor;
    const piece = write(f, least);
    if (k === 0) out = piece;
    else {
      const before = factors[k - 1]!;
      const dot =
        /^\d/.test(piece) ||
        (before.kind === "number" && (before.value === 0 || piece.startsWith("\\frac{1}")));
      out += (dot ? " \\cdot " : "\\,") + piece;
    }
  });
  return out;
}

const FUNCTIONS: Readonly<Record<string, string>> = {
  log: "\\log",
  exp: "\\exp",
  sin: "\\sin",
  cos: "\\cos",
  tanh: "\\tanh",
  sinh: "\\sinh",
  cosh: "\\cosh",
  max: "\\max",
  min: "\\min",
  sigmoid: "\\sigma",
  sign: "\\operatorname{sgn}",
  round: "\\operatorname{round}",
  trunc: "\\operatorname{trunc}",
  sg: "\\operatorname{sg}",
  isnan: "\\operatorname{isnan}",
  isfinite: "\\operatorname{isfinite}",
  concat: "\\operatorname{concat}",
  clip: "\\operatorname{clip}",
  softmax: "\\operatorname{softmax}",
  "log softmax": "\\log\\operatorname{softmax}",
};

function writeCall(
  name: string,
  args: readonly Term[],
  over: readonly Term[],
  indices: readonly Index[],
): [string, number] {
  if (name === "mod") {
    return [`${write(args[0]!, Level.factor)} \\bmod ${write(args[1]!, Level.factor)}`, Level.term];
  }
  if (name === "exp" && args.length === 1) {
    const exponent = latexOf(args[0]!);
    if (exponent.length <= 24 && !isTall(exponent)) return [`e^{${exponent}}`, Level.power];
  }
  const head = FUNCTIONS[name];
  if (head === undefined) throw new Error(`no LaTeX for the function ${name}`);
  const runs = over.map(latexOf).join(",");
  const limits = over.length === 0 ? "" : name === "clip" ? `_{[${runs}]}` : `_{${runs}}`;
  const body = args.map(latexOf).join(", ");
  const fenced = isTall(body) ? `\\left(${body}\\right)` : `(${body})`;
  const at = indices.length === 0 ? "" : `_{${indices.map(latexIndex).join(",")}}`;
  return [head + limits + fenced + at, Level.function];
}

const BIG: Readonly<Record<BigOp, string>> = {
  sum: "\\sum",
  prod: "\\prod",
  max: "\\max",
  min: "\\min",
  any: "\\bigvee",
  all: "\\bigwedge",
  argmax: "\\operatorname*{arg\\,max}",
  argmin: "\\operatorname*{arg\\,min}",
};

function writeBig(op: BigOp, over: readonly Binder[]): string {
  const whole = over.filter((b) => b.from === undefined).map((b) => latexLetter(b.letter));
  const signs = whole.length > 0 ? [`${BIG[op]}_{${whole.join(",")}}`] : [];
  for (const b of over) {
    if (b.from === undefined) continue;
    const letter = latexLetter(b.letter);
    signs.push(
      op === "sum" || op === "prod"
        ? `${BIG[op]}_{${letter}=${b.from}}^{${b.to}}`
        : `${BIG[op]}_{${b.from} \\le ${letter} \\le ${b.to}}`,
    );
  }
  return signs.join(" ");
}

function latexLetter(letter: string): string {
  const m = /^([A-Za-z])(\d+)('*)$/.exec(letter);
  return m === null ? letter : `${m[1]}_{${m[2]}}${m[3]}`;
}

/** An index as it stands in a subscript. */
export function latexIndex(i: Index): string {
  switch (i.kind) {
    case "at":
      return String(i.at);
    case "letter":
      return latexLetter(i.letter);
    case "affine": {
      if (i.scale > 0 && i.scale < 1) {
        const step = Math.round(1 / i.scale);
        const start = Math.round(-i.offset * step);
        if (start === 0) return `${factorOf(i.of)}/${step}`;
        return `(${latexIndex(i.of)}${signed(-start)})/${step}`;
      }
      const of = i.scale === 1 ? latexIndex(i.of) : factorOf(i.of);
      return scaled(i.scale, of) + signed(i.offset);
    }
    case "plus": {
      const by = scaled(Math.abs(i.scale), i.scale === 1 ? latexIndex(i.right) : factorOf(i.right));
      return latexIndex(i.left) + (i.scale < 0 ? "-" : "+") + by + signed(i.offset);
    }
    case "part":
      return `${latexLetter(partLetter(i.axes[i.k]!.name))}(${indexArgument(i.whole)})`;
    case "tuple":
      return `(${i.parts.map(latexIndex).join(",")})`;
  }
}

/** An index that is multiplied, divided or taken away as a whole. */
function factorOf(i: Index): string {
  return isSumIndex(i) ? `(${latexIndex(i)})` : latexIndex(i);
}

function indexArgument(i: Index): string {
  return i.kind === "tuple" ? i.parts.map(latexIndex).join(",") : latexIndex(i);
}

const scaled = (by: number, of: string): string =>
  (by === 1 ? "" : by === -1 ? "-" : String(by)) + of;

const signed = (n: number): string => (n === 0 ? "" : n > 0 ? `+${n}` : String(n));

/** The letter of an axis that is read off a flattened index; nothing else of a name gets through. */
export function partLetter(name: string): string {
  return /^[A-Za-z]\d{0,2}/.exec(name)?.[0] ?? "k";
}
