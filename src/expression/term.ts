/**
 * Terms: one element of an expression in index notation, ready to be set. `notation.ts` makes them
 * from the graph; `latex.ts` and `text.ts` write them down.
 */
import type { Index } from "./indices.ts";
import type { SymbolName } from "./names.ts";

export type RelationOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";
export type BigOp = "sum" | "prod" | "max" | "min" | "any" | "all" | "argmax" | "argmin";

/** A bound letter; `from` and `to` (inclusive) when it does not run over the whole axis. */
export interface Binder {
  readonly letter: string;
  readonly from?: number;
  readonly to?: number;
}

export interface SignedTerm {
  readonly negative: boolean;
  readonly term: Term;
}

export type Term =
  /** Not negative: a sign is a `negative` term or part of a `sum`. */
  | { readonly kind: "number"; readonly value: number }
  | {
      readonly kind: "symbol";
      readonly symbol: SymbolName;
      readonly indices: readonly Index[];
      /** Counts entries, so a fraction with it stands before a sum sign as one factor. */
      readonly isSize?: boolean;
    }
  | { readonly kind: "index"; readonly index: Index }
  | { readonly kind: "sum"; readonly terms: readonly SignedTerm[] }
  | { readonly kind: "negative"; readonly of: Term }
  | {
      readonly kind: "product";
      readonly numerator: readonly Term[];
      readonly denominator: readonly Term[];
    }
  | { readonly kind: "power"; readonly base: Term; readonly exponent: Term }
  | { readonly kind: "root"; readonly of: Term }
  | { readonly kind: "fence"; readonly fence: "abs" | "floor" | "ceil"; readonly of: Term }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly args: readonly Term[];
      /** What the function runs over, e.g. the c of softmax_c; or its limits. */
      readonly over?: readonly Term[];
      /** Indices of the result, for a function of a whole array such as softmax. */
      readonly indices?: readonly Index[];
    }
  | {
      readonly kind: "big";
      readonly op: BigOp;
      readonly over: readonly Binder[];
      readonly body: Term;
    }
  // Truth values. In the place of a number they stand in a bracket (1 where true, else 0).
  | {
      readonly kind: "relation";
      readonly op: RelationOp;
      readonly left: Term;
      readonly right: Term;
    }
  | { readonly kind: "logic"; readonly op: "and" | "or"; readonly args: readonly Term[] }
  | { readonly kind: "not"; readonly of: Term }
  | { readonly kind: "bracket"; readonly of: Term }
  | {
      readonly kind: "cases";
      readonly branches: readonly { readonly value: Term; readonly condition: Term }[];
      readonly otherwise: Term;
    };

export const number = (value: number): Term =>
  value < 0
    ? { kind: "negative", of: { kind: "number", value: -value } }
    : { kind: "number", value };

export const isNumber = (t: Term, value: number): boolean =>
  t.kind === "number" && t.value === value;

/** Says how many entries there are: a number, or the letter of a size. */
export function isCount(t: Term): boolean {
  return t.kind === "number" || (t.kind === "symbol" && t.isSize === true);
}

/** Sum of signed terms; a negative term inside flips its sign. */
export function sumOf(terms: readonly SignedTerm[]): Term {
  const flat = terms.flatMap(({ negative, term }): SignedTerm[] => {
    if (term.kind === "negative") return [{ negative: !negative, term: term.of }];
    if (term.kind === "sum") {
      return term.terms.map((s) => ({ negative: s.negative !== negative, term: s.term }));
    }
    return [{ negative, term }];
  });
  const only = flat[0];
  if (only === undefined) return number(0);
  if (flat.length > 1) return { kind: "sum", terms: flat };
  return only.negative ? negated(only.term) : only.term;
}

export function negated(t: Term): Term {
  return t.kind === "negative" ? t.of : { kind: "negative", of: t };
}

/** Numbers first, big operators last (so that they need no brackets), ones dropped. */
export function productOf(
  negative: boolean,
  numerator: readonly Term[],
  denominator: readonly Term[],
): Term {
  const rank = (t: Term): number => (t.kind === "number" ? 0 : t.kind === "big" ? 2 : 1);
  const order = (ts: readonly Term[]): Term[] =>
    ts.filter((t) => !isNumber(t, 1)).sort((a, b) => rank(a) - rank(b));
  const top = order(numerator);
  const bottom = order(denominator);
  const only = top[0];
  let result: Term;
  if (bottom.length === 0 && only === undefined) result = number(1);
  else if (bottom.length === 0 && top.length === 1) result = only!;
  else result = { kind: "product", numerator: top, denominator: bottom };
  return negative ? negated(result) : result;
}

/** The product of terms, with their fractions joined into one and their signs in front. */
export function multiply(...terms: readonly Term[]): Term {
  let negative = false;
  const top: Term[] = [];
  const bottom: Term[] = [];
  for (const t of terms) {
    let of = t;
    if (of.kind === "negative") {
      negative = !negative;
      of = of.of;
    }
    if (of.kind === "number" && of.value === 0) return number(0);
    if (of.kind === "product") {
      top.push(...of.numerator);
      bottom.push(...of.denominator);
    } else top.push(of);
  }
  return productOf(negative, top, bottom);
}

/** The parts of a term, for walking. */
export function subterms(t: Term): readonly Term[] {
  switch (t.kind) {
    case "number":
    case "symbol":
    case "index":
      return [];
    case "sum":
      return t.terms.map((s) => s.term);
    case "negative":
    case "root":
    case "fence":
    case "not":
    case "bracket":
      return [t.of];
    case "product":
      return [...t.numerator, ...t.denominator];
    case "power":
      return [t.base, t.exponent];
    case "call":
      return [...t.args, ...(t.over ?? [])];
    case "big":
      return [t.body];
    case "relation":
      return [t.left, t.right];
    case "logic":
      return t.args;
    case "cases":
      return [...t.branches.flatMap((b) => [b.value, b.condition]), t.otherwise];
  }
}

/** The same term with other indices. */
export function withIndices(t: Term, change: (i: Index) => Index): Term {
  const each = (x: Term): Term => withIndices(x, change);
  switch (t.kind) {
    case "number":
      return t;
    case "symbol":
      return { ...t, indices: t.indices.map(change) };
    case "index":
      return { ...t, index: change(t.index) };
    case "sum":
      return { ...t, terms: t.terms.map((s) => ({ ...s, term: each(s.term) })) };
    case "negative":
    case "root":
    case "fence":
    case "not":
    case "bracket":
      return { ...t, of: each(t.of) };
    case "product":
      return { ...t, numerator: t.numerator.map(each), denominator: t.denominator.map(each) };
    case "power":
      return { ...t, base: each(t.base), exponent: each(t.exponent) };
    case "call":
      return {
        ...t,
        args: t.args.map(each),
        ...(t.over === undefined ? {} : { over: t.over.map(each) }),
        ...(t.indices === undefined ? {} : { indices: t.indices.map(change) }),
      };
    case "big":
      return { ...t, body: each(t.body) };
    case "relation":
      return { ...t, left: each(t.left), right: each(t.right) };
    case "logic":
      return { ...t, args: t.args.map(each) };
    case "cases":
      return {
        ...t,
        branches: t.branches.map(({ value, condition }) => ({
          value: each(value),
          condition: each(condition),
        })),
        otherwise: each(t.otherwise),
      };
  }
}

/** The letters that operators within a term bind. */
export function boundLetters(t: Term): string[] {
  const own = t.kind === "big" ? t.over.map((o) => o.letter) : [];
  return [...own, ...subterms(t).flatMap(boundLetters)];
}
