/**
 * Symbols for inputs, parameters and named sub-expressions: how each is written in LaTeX, in plain
 * text and in Python. Every printer takes its symbols from one `Names`, so that a formula, the code
 * generated from it and the legend agree, and two things never share a symbol.
 */
import type { Axis } from "./axis.ts";
import { type Expr, isPositions } from "./node.ts";
import { leaves } from "./walk.ts";

/** A symbol without its indices: base, then primes, then a fixed subscript, as in P′₂. */
export interface SymbolName {
  /** LaTeX of the base alone, e.g. `\hat{y}`. */
  readonly latex: string;
  readonly text: string;
  /** Fixed subscript: digits or letters, empty when there is none. */
  readonly sub: string;
  readonly primes: number;
  /** A valid Python identifier. */
  readonly python: string;
  /** What the symbol differentiates, for a derivative that stands as one symbol: ∂L/∂(this). */
  readonly derivativeOf?: SymbolName;
}

/** What a symbol would like to be; `Names` adds what keeps it apart from the others. */
export interface Wish {
  readonly latex: string;
  readonly text: string;
  readonly sub?: string;
  readonly python: string;
  readonly derivativeOf?: SymbolName;
}

export interface NamedSymbol {
  readonly expr: Expr;
  readonly symbol: SymbolName;
}

export class Names {
  private readonly symbols = new Map<Expr, SymbolName>();
  private readonly sizes = new Map<string, SymbolName>();
  private readonly used = new Set<string>();
  private readonly usedPython = new Set<string>(RESERVED_PYTHON);

  symbolOf(e: Expr): SymbolName | undefined {
    return this.symbols.get(e);
  }

  /** Names `e`. The first wish that is still free is taken; else the first gets primes. */
  define(e: Expr, ...wishes: readonly [Wish, ...Wish[]]): SymbolName {
    const symbol = this.claim(wishes);
    this.symbols.set(e, symbol);
    return symbol;
  }

  /** Another node that stands for the same thing (e.g. the sum behind a placeholder). */
  alias(e: Expr, symbol: SymbolName): void {
    this.symbols.set(e, symbol);
  }

  /** The symbol for the number of entries along an axis whose size is not known. */
  sizeOf(axis: Axis): SymbolName {
    const known = this.sizes.get(axis.name);
    if (known !== undefined) return known;
    const letter = axis.name.charAt(0).toUpperCase();
    const counts = ["N", "n", "M"].map((s) => plainWish(s, `n_${axis.name}`));
    // B, C, D, H and W say what they count; I and J would pass for sums.
    const own = "BCDHWT".includes(letter) ? [plainWish(letter, `n_${axis.name}`)] : [];
    const wishes = [...own, ...counts];
    const symbol = this.claim(wishes as [Wish, ...Wish[]]);
    this.sizes.set(axis.name, symbol);
    return symbol;
  }

  /** Takes a symbol out of circulation, e.g. L for the loss. */
  reserve(wish: Wish): SymbolName {
    return this.claim([wish]);
  }

  /** Whether an index letter would be mistaken for a symbol. */
  isTaken(letter: string): boolean {
    return this.used.has(`${letter}||0`);
  }

  /** A Python identifier of its own, derived from `wish`. */
  freshPython(wish: string): string {
    const base = pythonIdentifier(wish);
    let name = base;
    for (let n = 2; this.usedPython.has(name); n++) name = `${base}_${n}`;
    this.usedPython.add(name);
    return name;
  }

  /** Python identifiers that generated code must not use for something else. */
  pythonNames(): ReadonlySet<string> {
    return this.usedPython;
  }

  /** Everything named, in order of naming. */
  entries(): NamedSymbol[] {
    return [...this.symbols].map(([expr, symbol]) => ({ expr, symbol }));
  }

  sizeEntries(): { readonly axis: string; readonly symbol: SymbolName }[] {
    return [...this.sizes].map(([axis, symbol]) => ({ axis, symbol }));
  }

  private claim(wishes: readonly [Wish, ...Wish[]]): SymbolName {
    const free = wishes.find((w) => !this.used.has(keyOf(w, 0)));
    const wish = free ?? wishes[0];
    let primes = 0;
    while (this.used.has(keyOf(wish, primes))) primes++;
    this.used.add(keyOf(wish, primes));
    return {
      latex: wish.latex,
      text: wish.text,
      sub: wish.sub ?? "",
      primes,
      python: this.freshPython(wish.python),
      ...(wish.derivativeOf === undefined ? {} : { derivativeOf: wish.derivativeOf }),
    };
  }
}

function keyOf(w: Wish, primes: number): string {
  const of = w.derivativeOf;
  return of === undefined
    ? `${w.text}|${w.sub ?? ""}|${primes}`
    : `∂${w.text}/∂${keyOf(of, of.primes)}|${primes}`;
}

/** Names for all inputs and parameters of the roots; positions are written as the index itself. */
export function namesFor(roots: readonly Expr[], names = new Names()): Names {
  const all = roots
    .flatMap((r) => leaves(r))
    .filter((e) => names.symbolOf(e) === undefined && !isPositions(e));
  const identifier = (e: Expr): string =>
    e.kind === "input" || e.kind === "parameter" ? e.name : "";
  // Who is called `p` in the code keeps p; who is called `probs` gets what is left.
  const literal = all.filter((e) => identifier(e).length === 1);
  for (const e of [...literal, ...all]) {
    if (names.symbolOf(e) === undefined) names.define(e, wishFor(identifier(e)));
  }
  return names;
}

/** A wish for a plain one-letter (or ready-made LaTeX-safe) symbol. */
export function plainWish(letter: string, python = letter, sub = ""): Wish {
  return { latex: letter, text: letter, sub, python };
}

const CONVENTIONS: readonly (readonly [RegExp, string, string])[] = [
  [/^(y_?pred(icted|iction|ictions|s)?|y_?hat)$/, "\\hat{y}", "ŷ"],
  [/^(y|y_?true|y_?target)$/, "y", "y"],
  [
    /^(p|pred|preds|prediction|predictions|predicted|prob|probs|proba|probability|probabilities|inputs?|outputs?)$/,
    "p",
    "p",
  ],
  [/^(g|gt|target|targets|mask|masks|label|labels|truth|ground_?truth|true)$/, "g", "g"],
  [/^(z|logit|logits)$/, "z", "z"],
  [/^(w|weight|weights|class_?weights?)$/, "w", "w"],
  [/^(epsilon|eps)$/, "\\varepsilon", "ε"],
  [/^(smooth|smoothing)$/, "s", "s"],
  [/^alpha$/, "\\alpha", "α"],
  [/^beta$/, "\\beta", "β"],
  [/^gamma$/, "\\gamma", "γ"],
  [/^delta$/, "\\delta", "δ"],
  [/^(lambda|lam|lambda_)$/, "\\lambda", "λ"],
  [/^(tau|temperature)$/, "\\tau", "τ"],
  [/^theta$/, "\\theta", "θ"],
  [/^kappa$/, "\\kappa", "κ"],
];
const GREEK: ReadonlyMap<string, string> = new Map(
  Object.entries({
    α: "\\alpha",
    β: "\\beta",
    γ: "\\gamma",
    δ: "\\delta",
    ε: "\\varepsilon",
    ζ: "\\zeta",
    η: "\\eta",
    θ: "\\theta",
    κ: "\\kappa",
    λ: "\\lambda",
    μ: "\\mu",
    ν: "\\nu",
    ξ: "\\xi",
    π: "\\pi",
    ρ: "\\rho",
    σ: "\\varsigma",
    τ: "\\tau",
    φ: "\\varphi",
    χ: "\\chi",
    ψ: "\\psi",
    ω: "\\omega",
  }),
);

/** The symbol a reader expects for an identifier: ŷ for `y_pred`, ε for `self.eps`, p₁ for `p1`. */
export function wishFor(identifier: string): Wish {
  const python = pythonIdentifier(identifier);
  const last = identifier.slice(identifier.lastIndexOf(".") + 1).replace(/^_+/, "");
  const whole = byConvention(last, "", python);
  if (whole !== null) return whole;
  // s_nr for smooth_nr, p_1 for p1 and pred_1: a known word and a short ending.
  const split = /^(.*?[A-Za-z])_?(\d{1,2}|(?<=_)[a-z]{1,2})$/.exec(last);
  const parted = split === null ? null : byConvention(split[1]!, split[2]!, python);
  if (parted !== null) return parted;
  const greek = GREEK.get(last);
  if (greek !== undefined) return { latex: greek, text: last, python };
  if (/^[A-Za-z]$/.test(last)) return { latex: last, text: last, python };
  const shown = last === "" ? identifier : last;
  return { latex: uprightLatex(shown), text: plainIdentifier(shown), python };
}

function byConvention(word: string, sub: string, python: string): Wish | null {
  const known = CONVENTIONS.find(([pattern]) => pattern.test(word.toLowerCase()));
  if (known !== undefined) return { latex: known[1], text: known[2], sub, python };
  if (sub !== "" && /^[A-Za-z]$/.test(word)) return { latex: word, text: word, sub, python };
  return null;
}

/** Letters outside ASCII that KaTeX can set in text mode: Latin-1, Cyrillic, kana, Han, Hangul. */
const TEXT_LETTERS = /[À-ÖØ-öø-ÿА-яぁ-ゖァ-ヺ一-龯가-힣]/u;

/**
 * An identifier set upright. Only letters, digits and underscores pass; anything else, so above all
 * a backslash or a brace of hostile code, becomes an underscore.
 */
export function uprightLatex(identifier: string): string {
  let plain = true;
  let body = "";
  for (const ch of identifier.slice(0, MAX_IDENTIFIER)) {
    if (/[A-Za-z0-9]/.test(ch)) body += ch;
    else if (TEXT_LETTERS.test(ch)) {
      body += ch;
      plain = false;
    } else body += "\\_";
  }
  return plain ? `\\mathrm{${body}}` : `\\text{${body}}`;
}

const MAX_IDENTIFIER = 60;

/** The same for plain text: no control characters, brackets or operators get through. */
export function plainIdentifier(identifier: string): string {
  return identifier.slice(0, MAX_IDENTIFIER).replace(/[^\p{L}\p{N}_]/gu, "_");
}

/** Names that generated code uses itself, builtins it calls, and Python's keywords. */
const RESERVED_PYTHON: readonly string[] = (
  "False None True and as assert async await break class continue def del elif else except " +
  "finally for from global if import in is lambda nonlocal not or pass raise return try while " +
  "with yield match case np torch math F ctx grad_output gradient float int len sum max " +
  "min abs round range tuple print self _sigmoid _softmax _log_softmax"
).split(" ");

/** A valid Python identifier near `name`: `self.smooth` gives `smooth`, `lambda` gives `lambda_`. */
export function pythonIdentifier(name: string): string {
  const last = name.slice(name.lastIndexOf(".") + 1);
  let safe = last
    .normalize("NFKC")
    .replace(/[^\p{L}\p{N}_]/gu, "_")
    .slice(0, MAX_IDENTIFIER);
  // \p{N} holds digits that Python does not take (½, ②).
  safe = safe.replace(/[^\p{L}\p{Nd}_]/gu, "_");
  if (!/^[\p{L}_]/u.test(safe)) safe = `_${safe}`;
  return RESERVED_PYTHON.includes(safe) ? `${safe}_` : safe;
}
