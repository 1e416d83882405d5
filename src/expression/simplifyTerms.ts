/** Terms: normalized expressions taken apart into monomials that are added up. */
import { type Shape, isUnit } from "./axis.ts";
import type { Expr } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import {
  type Monomial,
  type Power,
  buildProduct,
  keyOf,
  monomialOf,
  scale,
  viewOf,
} from "./simplifyProduct.ts";
import { commonShape, coversAll } from "./simplifyShape.ts";

/** Monomials by what identifies them apart from their coefficient. */
export type Terms = Map<string, Monomial>;

/** The terms of a normalized expression, like ones not collected yet. */
export function termsOf(e: Expr, ctx: Context): Monomial[] {
  return addends(e, q.R1, ctx);
}

export function addends(e: Expr, c: q.Rational, ctx: Context): Monomial[] {
  if (e.kind === "binary" && (e.op === "add" || e.op === "sub")) {
    const right = e.op === "add" ? c : q.negate(c);
    return [...addends(e.args[0]!, c, ctx), ...addends(e.args[1]!, right, ctx)];
  }
  if (e.kind === "unary" && e.op === "neg") return addends(e.args[0]!, q.negate(c), ctx);
  if (e.kind === "expand") return addends(e.args[0]!, c, ctx);
  if (e.kind === "reshape" || e.kind === "transpose") {
    const seen = viewedAddends(e, ctx);
    if (seen !== null) return seen.map((m) => scale(m, c));
  }
  const m = monomialOf(e, ctx);
  const inner = soleSum(m);
  if (inner !== null && inner !== e && isSign(m.c)) return addends(inner, q.times(c, m.c), ctx);
  return [scale(m, c)];
}

/** The terms of a view of a sum: the views of its terms, where each can be viewed alone. */
function viewedAddends(
  e: Extract<Expr, { kind: "reshape" | "transpose" }>,
  ctx: Context,
): Monomial[] | null {
  const x = e.args[0]!;
  const inner = addends(x, q.R1, ctx);
  if (inner.length < 2) return null;
  const seen: Monomial[] = [];
  for (const m of inner) {
    const term = buildProduct(m, commonShape([...m.powers.keys()]), ctx);
    const view = viewOf(e, term, ctx);
    if (view === null) return null;
    seen.push(view === term ? m : monomialOf(view, ctx));
  }
  return seen;
}

export const isSign = (c: q.Rational): boolean => c.d === 1n && (c.n === 1n || c.n === -1n);

/** The sum that a monomial is a multiple of. */
export function soleSum(m: Monomial): Expr | null {
  if (m.powers.size !== 1) return null;
  const [e, p] = [...m.powers][0]!;
  return p.over === 1 && p.under === 0 && isSum(e) ? e : null;
}

export function isSum(e: Expr): boolean {
  if (e.kind === "expand" || e.kind === "reshape" || e.kind === "transpose") {
    return isSum(e.args[0]!);
  }
  return e.kind === "binary" && (e.op === "add" || e.op === "sub");
}

/** The terms of a sum that stands as a single factor (power one) of a product; `null` elsewhere. */
export function termsOfFactor(e: Expr, p: Power, ctx: Context): Monomial[] | null {
  if (p.over !== 1 || p.under !== 0 || !isSum(e)) return null;
  const terms = addends(e, q.R1, ctx);
  return terms.length > 1 ? terms : null;
}

export function collected(list: readonly Monomial[]): Terms {
  const terms: Terms = new Map();
  for (const m of list) add(terms, m);
  return terms;
}

function add(terms: Terms, m: Monomial): void {
  const key = keyOf(m);
  const known = terms.get(key);
  if (known === undefined) {
    if (m.c.n !== 0n) terms.set(key, m);
    return;
  }
  const c = q.plus(known.c, m.c);
  if (c.n === 0n) terms.delete(key);
  else terms.set(key, { c, powers: known.powers });
}

/** The part of a monomial that does not vary with every axis of `shape`, named numbers aside. */
export function regionOf(m: Monomial, shape: Shape): { region: Monomial; local: Monomial } {
  const region = new Map<Expr, Power>();
  const local = new Map<Expr, Power>();
  for (const [e, p] of m.powers) {
    (isNumber(e) || shape.every(isUnit) || coversAll(e, shape) ? local : region).set(e, p);
  }
  return { region: { c: q.R1, powers: region }, local: { c: m.c, powers: local } };
}

export function regionKey(m: Monomial, shape: Shape): string {
  return keyOf(regionOf(m, shape).region);
}

export function isNumber(e: Expr): boolean {
  return e.kind === "parameter" || e.kind === "size";
}

export function soleFactor(m: Monomial): Expr | null {
  if (m.powers.size !== 1) return null;
  const [e, p] = [...m.powers][0]!;
  return p.over === 1 && p.under === 0 ? e : null;
}

export function abs(c: q.Rational): q.Rational {
  return c.n < 0n ? q.negate(c) : c;
}

/** The shape in which monomials are added up. */
export function shapeOf(terms: Iterable<Monomial>): Shape {
  return commonShape([...terms].flatMap((m) => [...m.powers.keys()]));
}

/** How much there is to read: factors, and the terms of sums among them. */
export function costOf(terms: Iterable<Monomial>, ctx: Context): number {
  let cost = 0;
  for (const m of terms) {
    let own = isSign(m.c) ? 0 : 1;
    for (const e of m.powers.keys()) {
      const terms = isSum(e) ? addends(e, q.R1, ctx) : [];
      own += terms.length > 1 ? costOf(terms, ctx) : 1;
    }
    cost += Math.max(own, 1);
  }
  return cost;
}

/** The numbers among the factors of an array, apart from the rest; `null` where there are none. */
export function numbersApart(x: Expr, ctx: Context): { front: Expr; rest: Expr } | null {
  if (x.kind === "const" || x.kind === "expand") return null;
  const m = monomialOf(x, ctx);
  const numbers = [...m.powers].filter(([e]) => isNumber(e));
  if (numbers.length === m.powers.size || (q.equal(m.c, q.R1) && numbers.length === 0)) return null;
  const others = [...m.powers].filter(([e]) => !isNumber(e));
  return {
    front: buildProduct({ c: m.c, powers: new Map(numbers) }, [], ctx),
    rest: buildProduct({ c: q.R1, powers: new Map(others) }, x.shape, ctx),
  };
}
