/**
 * Sums in normal form: like terms collected, one exact coefficient each. Over arrays the terms are
 * grouped by what is constant over a region (a sum, a class's ratio), so that the gradient of a
 * ratio N/U reads as the quotient rule has it: N·U′/U² − N′/U.
 */
import { type Shape, isUnit } from "./axis.ts";
import * as b from "./build.ts";
import { spend } from "./effort.ts";
import type { Expr } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import { mergedTerms } from "./simplifyMerge.ts";
import {
  type Monomial,
  type Power,
  buildProduct,
  coefficient,
  keyOf,
  monomialOf,
  multiply,
  scale,
} from "./simplifyProduct.ts";
import { partsOf } from "./simplifyParts.ts";
import { commonShape, coversAll, fit, pullView, sameSizes, unstretched } from "./simplifyShape.ts";
import { summands } from "./simplifySummands.ts";
import {
  type Terms,
  abs,
  addends,
  collected,
  isNumber,
  isSign,
  isSum,
  regionOf,
  shapeOf,
  soleSum,
  termsOfFactor,
} from "./simplifyTerms.ts";

/** The normal form of a tree of sums, differences and negations. */
export function normalSum(e: Expr, ctx: Context): Expr {
  const list = summands(e).flatMap(([leaf, c]) => addends(ctx.norm(leaf), c, ctx));
  return buildSum(mergedTerms(collected(list), e.shape, ctx), e.shape, ctx);
}

function buildSum(terms: Terms, shape: Shape, ctx: Context): Expr {
  const list = [...terms.values()];
  const first = list[0];
  if (first === undefined) return fit(b.ZERO, shape);
  if (list.length === 1) return buildProduct(first, shape, ctx);
  spend(list.length);
  const key = `${[...terms]
    .map(([k, m]) => `${m.c.n}/${m.c.d}·${k}`)
    .sort()
    .join("+")}|${shape.map((a) => a.size ?? a.name).join()}`;
  const known = ctx.sums.get(key);
  if (known !== undefined) return known;
  const common = commonFactor(list, shape);
  const built = common === null ? grouped(list, shape, ctx) : timesCommon(common, list, shape, ctx);
  const result = fit(built, shape);
  ctx.sums.set(key, result);
  return result;
}

/**
 * What stands before the whole sum: an equal coefficient, and factors above the line in every term
 * that are numbers or constant over regions; of divisors those that divide each term equally often
 * (of sizes: if all do). N/U² − 2g/U stays as it is: its terms' absolute values say how far they cancel.
 */
function commonFactor(list: readonly Monomial[], shape: Shape): Monomial | null {
  const first = list[0]!;
  const powers = new Map<Expr, Power>();
  const sized = new Set(list.map((m) => keyOf(sizesOf(m)))).size === 1;
  for (const e of first.powers.keys()) {
    const isSize = e.kind === "size";
    const region = !isSize && !coversAll(e, shape) && !shape.every(isUnit);
    const over = (isSize ? sized : isNumber(e) || region) ? least(list, e, "over") : 0;
    const even = isSize ? sized : isEvenDivisor(list, e, region, shape);
    const under = even ? least(list, e, "under") : 0;
    if (over > 0 || under > 0) powers.set(e, { over, under });
  }
  const c = commonCoefficient(list, powers.size > 0);
  return powers.size > 0 || c !== null ? { c: c ?? q.R1, powers } : null;
}

/** A divisor over regions that divides each term equally often, as the weights of classes do. */
function isEvenDivisor(list: readonly Monomial[], e: Expr, region: boolean, shape: Shape): boolean {
  const first = list[0]!.powers.get(e)?.under ?? 0;
  const even = list.every((m) => (m.powers.get(e)?.under ?? 0) === first);
  return even && (region || shape.every(isUnit));
}

function sizesOf(m: Monomial): Monomial {
  return { c: q.R1, powers: new Map([...m.powers].filter(([e]) => e.kind === "size")) };
}

function least(list: readonly Monomial[], e: Expr, side: "over" | "under"): number {
  return Math.min(...list.map((m) => m.powers.get(e)?.[side] ?? 0));
}

/** `anyway`: other factors are taken out as well, so that a bare term is no reason not to. */
function commonCoefficient(list: readonly Monomial[], anyway: boolean): q.Rational | null {
  const sizes = list.map((m) => abs(m.c));
  const first = sizes[0]!;
  const smallest = sizes.reduce((x, y) => (x.n * y.d <= y.n * x.d ? x : y), first);
  const multiples = sizes.every((c) => q.times(c, q.invert(smallest)).d === 1n);
  // 2 − 0.5x keeps its whole number, 1 + 2x its one.
  const whole = list.some((m) => m.powers.size === 0 && m.c.d === 1n && smallest.d !== 1n);
  if (whole) return null;
  const bare = sizes.some((c) => q.equal(c, q.R1));
  if (multiples && (!bare || anyway)) return q.equal(smallest, q.R1) ? null : smallest;
  const sameDivisor = sizes.every((c) => c.d === first.d) && first.d !== 1n;
  const awkward = sizes.every((c) => coefficient(c).divisor !== null);
  return sameDivisor && awkward ? { n: 1n, d: first.d } : null;
}

function timesCommon(
  common: Monomial,
  list: readonly Monomial[],
  shape: Shape,
  ctx: Context,
): Expr {
  const rest = collected(list.flatMap((m) => flattened(without(m, common), ctx)));
  const inner = buildSum(mergedTerms(rest, shape, ctx), shapeOf(rest.values()), ctx);
  return buildProduct(multiply(common, monomialOf(inner, ctx), ctx), shape, ctx);
}

/** The terms of a monomial that has become a sum by itself. */
function flattened(m: Monomial, ctx: Context): Monomial[] {
  const sum = isSign(m.c) ? soleSum(m) : null;
  return sum === null ? [m] : addends(sum, m.c, ctx);
}

function without(m: Monomial, common: Monomial): Monomial {
  const powers = new Map<Expr, Power>();
  for (const [e, p] of m.powers) {
    const gone = common.powers.get(e) ?? { over: 0, under: 0 };
    const left = { over: p.over - gone.over, under: p.under - gone.under };
    if (left.over > 0 || left.under > 0) powers.set(e, left);
  }
  return { c: q.times(m.c, q.invert(common.c)), powers };
}

/** A product with a sum multiplied out where that makes it shorter; `null` elsewhere. */
export function distributed(m: Monomial, ctx: Context): Expr | null {
  return numberApart(m, ctx) ?? cancelled(m, ctx);
}

/** (a/x − b/y)·x·y: each term of the sum cancels against something beside it. */
function cancelled(m: Monomial, ctx: Context): Expr | null {
  for (const [sum, p] of m.powers) {
    const terms = termsOfFactor(sum, p, ctx);
    if (terms === null) continue;
    const rest = new Map(m.powers);
    rest.delete(sum);
    const beside: Monomial = { c: m.c, powers: rest };
    const parts = terms.map((t) => multiply(beside, t, ctx));
    const shorter = parts.every((part, k) => sizeOf(part) < sizeOf(beside) + sizeOf(terms[k]!));
    if (!shorter) continue;
    const shape = shapeOf(parts);
    return buildSum(mergedTerms(collected(parts), shape, ctx), shape, ctx);
  }
  return null;
}

function sizeOf(m: Monomial): number {
  return [...m.powers.values()].reduce((n, p) => n + p.over + p.under, 0);
}

/**
 * A sum divided by a number that one of its terms is a multiple of: mean(1 − x) sums up to
 * (n − Σx)/n, which reads 1 − Σx/n.
 */
function numberApart(m: Monomial, ctx: Context): Expr | null {
  const factors = [...m.powers];
  const sums = factors.filter(([e, p]) => isSum(e) && p.over === 1 && p.under === 0);
  const divides = factors.every(
    ([e, p]) => e === sums[0]?.[0] || (e.kind === "size" && p.over === 0),
  );
  if (sums.length !== 1 || !divides) return null;
  const sum = sums[0]![0];
  const front: Monomial = { c: m.c, powers: new Map(factors.filter(([e]) => e !== sum)) };
  const terms = addends(sum, q.R1, ctx);
  const k = terms.findIndex((t) => [...t.powers.keys()].every((e) => e.kind === "size"));
  if (k < 0 || (front.powers.size === 0 && front.c.d === 1n)) return null;
  const apart = multiply(front, terms[k]!, ctx);
  if (apart.powers.size > 0 || apart.c.d !== 1n) return null;
  const rest = buildSum(collected(terms.toSpliced(k, 1)), sum.shape, ctx);
  const other = multiply(front, monomialOf(rest, ctx), ctx);
  const order = k === 0 ? [apart, other] : [other, apart];
  return buildSum(collected(order), sum.shape, ctx);
}

/** Terms with one factor over regions are written as that factor times what varies inside. */
function grouped(list: readonly Monomial[], shape: Shape, ctx: Context): Expr {
  const groups = new Map<string, { region: Monomial; local: Monomial[] }>();
  for (const m of list) {
    const { region, local } = regionOf(m, shape);
    const key = region.powers.size === 0 ? `alone ${keyOf(m)}` : keyOf(region);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { region, local: [local] });
    else known.local.push(local);
  }
  const items = [...groups.values()].map(({ region, local }) => {
    const only = local[0]!;
    if (local.length === 1) return multiply(region, only, ctx);
    const terms = collected(local);
    const inner = buildSum(mergedTerms(terms, shape, ctx), shapeOf(terms.values()), ctx);
    return multiply(region, monomialOf(inner, ctx), ctx);
  });
  return written(items, shape, ctx);
}

/** Terms in their order, a positive one first if there is any. */
function written(items: readonly Monomial[], shape: Shape, ctx: Context): Expr {
  const lead = items.findIndex((m) => m.c.n > 0n);
  if (lead < 0)
    return b.neg(
      written(
        items.map((m) => scale(m, q.RM1)),
        shape,
        ctx,
      ),
    );
  const order = [items[lead]!, ...items.filter((_, k) => k !== lead)];
  const exprs = order.map((m) => {
    const size = m.c.n < 0n ? scale(m, q.RM1) : m;
    return buildProduct(size, commonShape([...m.powers.keys()]), ctx);
  });
  const trimmed = exprs.map(unstretched);
  const full = commonShape(exprs);
  const operands = sameSizes(commonShape(trimmed), full) ? trimmed : exprs;
  const pulled = pullView(operands, full);
  if (pulled !== null) {
    const inner = joined(pulled.items.map(ctx.norm), order);
    return ctx.norm(pulled.back(ctx.norm(inner)));
  }
  const parts = partsOf(operands, full.length);
  if (parts !== null) {
    const results = parts.operands.map((items) => ctx.norm(joined(items.map(ctx.norm), order)));
    return ctx.norm(parts.join(results));
  }
  return joined(operands, order);
}

function joined(operands: readonly Expr[], signs: readonly Monomial[]): Expr {
  return operands.reduce((acc, e, k) => (signs[k]!.c.n < 0n ? b.sub(acc, e) : b.add(acc, e)));
}
