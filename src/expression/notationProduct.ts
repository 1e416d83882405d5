/** Products in index notation: one sign, one fraction, numbers first, equal factors as a power. */
import type { Axis } from "./axis.ts";
import { type Index, alignIndices, indexKey, isDropped } from "./indices.ts";
import type { Scope } from "./letters.ts";
import type { Lowering } from "./lowering.ts";
import type { Expr } from "./node.ts";
import { gcd, numeralOf } from "./numerals.ts";
import { type Term, number, productOf } from "./term.ts";

/** A factor of a product, raised to `exponent`. */
interface Factor {
  readonly x: Expr;
  readonly i: readonly Index[];
  exponent: number;
  /** A mean whose 1/N already stands among the numbers. */
  readonly asSum: boolean;
}

export function product(n: Lowering, e: Expr, idx: readonly Index[], scope: Scope): Term {
  let negative = false;
  const factors = new Map<string, Factor>();
  const numbers: [Term[], Term[]] = [[], []];
  let zero = false;
  const collect = (x0: Expr, at0: readonly Index[], exponent: number): void => {
    const [x, i] = n.peel(x0, at0);
    const side = (k: number): readonly Index[] => alignIndices(x.shape, i, x.args[k]!.shape);
    if (n.names.symbolOf(x) === undefined) {
      if (x.kind === "const" && Math.abs(exponent) === 1) {
        if (x.value < 0) negative = !negative;
        addNumber(Math.abs(x.value), exponent > 0 ? numbers : [numbers[1], numbers[0]]);
        return;
      }
      if (x.kind === "unary" && x.op === "neg" && Number.isInteger(exponent)) {
        if (exponent % 2 !== 0) negative = !negative;
        collect(x.args[0]!, side(0), exponent);
        return;
      }
      if (x.kind === "binary" && (x.op === "mul" || x.op === "div") && Number.isInteger(exponent)) {
        collect(x.args[0]!, side(0), exponent);
        collect(x.args[1]!, side(1), x.op === "mul" ? exponent : -exponent);
        return;
      }
      if (x.kind === "size" && Math.abs(exponent) === 1) {
        numbers[exponent > 0 ? 0 : 1].push(...sizeTerms(n, x.axes));
        return;
      }
      if (x.kind === "binary" && x.op === "pow") {
        const p = x.args[1]!;
        if (p.kind === "const" && Number.isFinite(p.value) && (exponent === 1 || exponent === -1)) {
          const power = p.value * exponent;
          const base = x.args[0]!;
          // A product under a power stays in its brackets: (ab)², not a²b².
          add(base, side(0), power);
          return;
        }
      }
      if (x.kind === "reduce" && x.op === "mean" && exponent === 1) {
        const gone = x.dims.map((d) => x.args[0]!.shape[d]!).filter((a) => !isDropped(a));
        numbers[1].push(...sizeTerms(n, gone));
        add(x, i, 1, true);
        return;
      }
    }
    add(x, i, exponent);
  };
  const add = (x: Expr, i: readonly Index[], exponent: number, asSum = false): void => {
    const key = `${x.id}@${i.map(indexKey).join()}${asSum ? "Σ" : ""}`;
    const known = factors.get(key);
    if (known === undefined) factors.set(key, { x, i, exponent, asSum });
    else known.exponent += exponent;
  };
  collect(e, idx, 1);
  const top: Term[] = [];
  const bottom: Term[] = [];
  for (const { x, i, exponent, asSum } of factors.values()) {
    let term: Term;
    if (asSum && x.kind === "reduce") {
      term = n.reduction(x, "sum", i, scope);
    } else if (isPower(n, x)) {
      // Its exponent is itself an expression; `collect` cannot take it apart any further.
      term = power(n, x, i, scope);
    } else term = n.value(x, i, scope);
    if (exponent === 0) continue;
    if (term.kind === "negative" && Number.isInteger(exponent)) {
      if (exponent % 2 !== 0) negative = !negative;
      term = term.of;
    }
    if (term.kind === "number" && term.value === 0 && exponent > 0) zero = true;
    const raised = raise(term, Math.abs(exponent));
    if (raised.kind === "product" && raised.denominator.length > 0) {
      // A mean, or a placed fraction, inside a product: one fraction for the whole.
      (exponent > 0 ? top : bottom).push(...raised.numerator);
      (exponent > 0 ? bottom : top).push(...raised.denominator);
    } else if (raised.kind === "product") (exponent > 0 ? top : bottom).push(...raised.numerator);
    else (exponent > 0 ? top : bottom).push(raised);
  }
  if (zero) return number(0);
  if (!n.asWritten) reduceNumbers(numbers);
  return productOf(negative, [...numbers[0], ...top], [...numbers[1], ...bottom]);
}

function isPower(n: Lowering, e: Expr): boolean {
  return e.kind === "binary" && e.op === "pow" && n.names.symbolOf(e) === undefined;
}

function power(n: Lowering, e: Expr, idx: readonly Index[], scope: Scope): Term {
  const part = (k: number): Term => {
    const x = e.args[k]!;
    return n.value(x, alignIndices(e.shape, idx, x.shape), scope);
  };
  return { kind: "power", base: part(0), exponent: part(1) };
}

function addNumber(v: number, [top, bottom]: readonly [Term[], Term[]]): void {
  if (v === 1) return;
  const numeral = numeralOf(v);
  if (numeral.kind === "fraction") {
    top.push(number(Number(numeral.numerator)));
    bottom.push(number(Number(numeral.denominator)));
  } else top.push(number(v));
}

/** The number of entries over these axes: what is known as one number, a letter for each other. */
function sizeTerms(n: Lowering, axes: readonly Axis[]): Term[] {
  const flat = axes.flatMap((a) => (a.size === null && a.parts.length > 0 ? a.parts : [a]));
  const known = flat.reduce((n, a) => n * (a.size ?? 1), 1);
  const unknown = flat
    .filter((a) => a.size === null)
    .map((a): Term => ({
      kind: "symbol",
      symbol: n.names.sizeOf(a),
      indices: [],
      isSize: true,
    }));
  return known === 1 ? unknown : [number(known), ...unknown];
}

/** Whole numbers above and below the line multiplied out, without their common factor. */
function reduceNumbers([top, bottom]: readonly [Term[], Term[]]): void {
  const product = (terms: Term[]): number => {
    let n = 1;
    for (let k = terms.length - 1; k >= 0; k--) {
      const t = terms[k]!;
      const isWhole = t.kind === "number" && Number.isInteger(t.value) && t.value > 0;
      if (!isWhole || n * t.value > Number.MAX_SAFE_INTEGER) continue;
      n *= t.value;
      terms.splice(k, 1);
    }
    return n;
  };
  const [n, d] = [product(top), product(bottom)];
  const common = gcd(n, d);
  if (n !== common) top.unshift(number(n / common));
  if (d !== common) bottom.unshift(number(d / common));
}

function raise(term: Term, exponent: number): Term {
  if (exponent === 1) return term;
  if (exponent === 0.5) return { kind: "root", of: term };
  return { kind: "power", base: term, exponent: number(exponent) };
}
