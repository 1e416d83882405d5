/**
 * Sums in normal form: like terms collected, one exact coefficient each. Over arrays the terms are
 * grouped by what is constant over a region (a sum, a class's ratio), so that the gradient of a
 * ratio N/U reads as the quotient rule has it: N·U′/U² − N′/U.
 */
import { type Axis, type Shape, axis, isUnit } from "./axis.ts";
import * as b from "./build.ts";
import type { Expr } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import { Skeletons, rolled, runsOf } from "./simplifyLoops.ts";
import {
  type Monomial,
  type Power,
  buildProduct,
  coefficient,
  keyOf,
  monomialOf,
  multiply,
  scale,
  viewOf,
} from "./simplifyProduct.ts";
import { commonShape, coversAll, fit, pullView, sameSizes, unstretched } from "./simplifyShape.ts";

/** Sums longer than this are not multiplied out in search of like terms. */
const MAX_TERMS = 64;

type Terms = Map<string, Monomial>;

/** The normal form of a tree of sums, differences and negations. */
export function normalSum(e: Expr, ctx: Context): Expr {
  const list = summands(e).flatMap(([leaf, c]) => addends(ctx.norm(leaf), c, ctx));
  return buildSum(mergedTerms(collected(list), e.shape, ctx), e.shape, ctx);
}

export function isSumNode(e: Expr): boolean {
  return (
    (e.kind === "binary" && (e.op === "add" || e.op === "sub")) ||
    (e.kind === "unary" && e.op === "neg")
  );
}

/**
 * What a tree of sums adds up and how often, in order of appearance. The tree may share parts (a
 * running total added to itself), so that each of its nodes is entered once.
 */
export function summands(root: Expr): [Expr, q.Rational][] {
  const times = new Map<Expr, q.Rational>([[root, q.R1]]);
  const leaves: Expr[] = [];
  const order = sumOrder(root);
  for (const e of order.toReversed()) {
    const c = times.get(e)!;
    e.args.forEach((arg, k) => {
      const share = e.kind === "unary" || (k === 1 && isSub(e)) ? q.negate(c) : c;
      times.set(arg, q.plus(times.get(arg) ?? q.R0, share));
    });
  }
  const seen = new Set<Expr>();
  const visit = [root];
  for (let e = visit.pop(); e !== undefined; e = visit.pop()) {
    if (seen.has(e)) continue;
    seen.add(e);
    if (isSumNode(e)) visit.push(...e.args.toReversed());
    else leaves.push(e);
  }
  return leaves.map((e) => [e, times.get(e)!]);
}

const isSub = (e: Expr): boolean => e.kind === "binary" && e.op === "sub";

/** The sum nodes of a tree of sums, arguments before their users. */
function sumOrder(root: Expr): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>([root]);
  const stack = isSumNode(root) ? [{ e: root, next: 0 }] : [];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const arg = top.e.args[top.next++];
    if (arg === undefined) {
      order.push(top.e);
      stack.pop();
    } else if (isSumNode(arg) && !seen.has(arg)) {
      seen.add(arg);
      stack.push({ e: arg, next: 0 });
    }
  }
  return order;
}

/** The terms of a normalized expression, like ones not collected yet. */
export function termsOf(e: Expr, ctx: Context): Monomial[] {
  return addends(e, q.R1, ctx);
}

function addends(e: Expr, c: q.Rational, ctx: Context): Monomial[] {
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

const isSign = (c: q.Rational): boolean => c.d === 1n && (c.n === 1n || c.n === -1n);

/** The sum that a monomial is a multiple of. */
function soleSum(m: Monomial): Expr | null {
  if (m.powers.size !== 1) return null;
  const [e, p] = [...m.powers][0]!;
  return p.over === 1 && p.under === 0 && isSum(e) ? e : null;
}

function isSum(e: Expr): boolean {
  if (e.kind === "expand" || e.kind === "reshape" || e.kind === "transpose") {
    return isSum(e.args[0]!);
  }
  return e.kind === "binary" && (e.op === "add" || e.op === "sub");
}

function collected(list: readonly Monomial[]): Terms {
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

/** Multiplies out where that brings like terms together, and joins complementary branches. */
function mergedTerms(terms: Terms, shape: Shape, ctx: Context): Terms {
  let current = terms;
  for (let round = 0; round < MAX_TERMS && current.size <= MAX_TERMS; round++) {
    const next =
      multipliedOut(current, shape, ctx) ??
      joinedPlaces(current, ctx) ??
      joinedBranches(current, ctx) ??
      rolledTerms(current, ctx);
    if (next === null) break;
    current = next;
  }
  return current;
}

function multipliedOut(terms: Terms, shape: Shape, ctx: Context): Terms | null {
  if (terms.size < 2) return null;
  for (const [key, m] of terms) {
    const sum = [...m.powers].find(([e, p]) => p.over === 1 && p.under === 0 && isSum(e))?.[0];
    if (sum === undefined) continue;
    const rest = new Map(m.powers);
    rest.delete(sum);
    const parts = addends(sum, q.R1, ctx).map((t) => multiply({ c: m.c, powers: rest }, t, ctx));
    const others = [...terms].filter(([k]) => k !== key).map(([, t]) => t);
    if (!meets(parts, others, shape)) continue;
    return collected([...terms].flatMap(([k, t]) => (k === key ? parts : [t])));
  }
  return null;
}

/** Whether a part is like one of the other terms, or has the factor over regions that one has. */
function meets(parts: readonly Monomial[], others: readonly Monomial[], shape: Shape): boolean {
  const keys = new Set(others.map(keyOf));
  if (parts.some((m) => keys.has(keyOf(m)))) return true;
  const regions = new Set(others.map((m) => regionKey(m, shape)).filter((k) => k !== ""));
  const shares = parts.map((m) => regionKey(m, shape));
  return shares.some((k) => regions.has(k)) && new Set(shares).size > 1;
}

/** The part of a monomial that does not vary with every axis of `shape`, named numbers aside. */
function regionOf(m: Monomial, shape: Shape): { region: Monomial; local: Monomial } {
  const region = new Map<Expr, Power>();
  const local = new Map<Expr, Power>();
  for (const [e, p] of m.powers) {
    (isNumber(e) || shape.every(isUnit) || coversAll(e, shape) ? local : region).set(e, p);
  }
  return { region: { c: q.R1, powers: region }, local: { c: m.c, powers: local } };
}

function regionKey(m: Monomial, shape: Shape): string {
  return keyOf(regionOf(m, shape).region);
}

function isNumber(e: Expr): boolean {
  return e.kind === "parameter" || e.kind === "size";
}

/** Entries put at positions of one axis: those at one position added, all positions stacked. */
function joinedPlaces(terms: Terms, ctx: Context): Terms | null {
  const groups = new Map<
    string,
    { key: string; m: Monomial; e: Extract<Expr, { kind: "place" }> }[]
  >();
  for (const [key, m] of terms) {
    const e = soleFactor(m);
    if (e?.kind !== "place") continue;
    const id = `${e.dim}|${e.shape.map((a) => a.size ?? a.name).join()}`;
    groups.set(id, [...(groups.get(id) ?? []), { key, m, e }]);
  }
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    const { dim, shape } = group[0]!.e;
    const byPosition = new Map<number, Expr>();
    for (const { m, e } of group) {
      const entry = buildProduct(scale(monomialOf(e.args[0]!, ctx), m.c), e.args[0]!.shape, ctx);
      const known = byPosition.get(e.at);
      byPosition.set(e.at, known === undefined ? entry : ctx.norm(b.add(known, entry)));
    }
    const along = shape[dim]!;
    const entries = [...byPosition].sort(([i], [j]) => i - j);
    const start = entries[0]![0];
    const inOrder = entries.length > 1 && entries.every(([at], k) => at === start + k);
    if (!inOrder && entries.length === group.length) continue;
    const joined = inOrder
      ? [
          stacked(
            entries.map(([, e]) => e),
            dim,
            start,
            along,
          ),
        ]
      : entries.map(([at, e]) => b.place(e, dim, at, along));
    const gone = new Set(group.map((g) => g.key));
    return collected([
      ...[...terms].filter(([key]) => !gone.has(key)).map(([, m]) => m),
      ...joined.flatMap((e) => addends(ctx.norm(e), q.R1, ctx)),
    ]);
  }
  return null;
}

/** Entries that follow each other from `start` along a new axis, zero elsewhere. */
function stacked(entries: readonly Expr[], dim: number, start: number, along: Axis): Expr {
  if (entries.length === along.size) return b.stack(entries, dim, along);
  const part = axis(
    `${along.name}′${start}:${start + entries.length}:1`,
    entries.length,
    along.role,
  );
  return b.spread(b.stack(entries, dim, part), dim, start, 1, along);
}

/** c·where(k, a, b) + d·where(k, a′, b′) under one condition becomes one where. */
function joinedBranches(terms: Terms, ctx: Context): Terms | null {
  const found = [...terms].flatMap(([key, m]) => {
    const e = soleFactor(m);
    return e?.kind === "where" ? [{ key, c: m.c, e }] : [];
  });
  for (const [k, first] of found.entries()) {
    const second = found.slice(k + 1).find((f) => f.e.args[0] === first.e.args[0]);
    if (second === undefined) continue;
    const branch = (arg: 1 | 2): Expr => {
      const sum = [first, second].map((f) => {
        const x = f.e.args[arg]!;
        return buildProduct(scale(monomialOf(x, ctx), f.c), x.shape, ctx);
      });
      return ctx.norm(b.add(sum[0]!, sum[1]!));
    };
    const joined = ctx.norm(b.where(first.e.args[0]!, branch(1), branch(2)));
    const rest = [...terms].filter(([key]) => key !== first.key && key !== second.key);
    return collected([...rest.map(([, m]) => m), ...addends(joined, q.R1, ctx)]);
  }
  return null;
}

/** Terms that a loop over an axis left, as one sum over that axis. */
function rolledTerms(terms: Terms, ctx: Context): Terms | null {
  if (terms.size < 2) return null;
  const skeletons = new Skeletons();
  const alike = new Map<string, { key: string; m: Monomial; e: Expr }[]>();
  for (const [key, m] of terms) {
    const e = buildProduct({ c: q.R1, powers: m.powers }, commonShape([...m.powers.keys()]), ctx);
    const id = `${m.c.n}/${m.c.d} ${skeletons.of(e)}`;
    alike.set(id, [...(alike.get(id) ?? []), { key, m, e }]);
  }
  for (const group of alike.values()) {
    if (group.length < 2) continue;
    // All runs of a group at once: the rolled inner loops are what the outer loop runs over.
    const sums = new Map<string, Monomial[]>();
    for (const run of runsOf(group.map((g) => g.e))) {
      const whole = rolled(run);
      if (whole === null) continue;
      const members = group.filter((g) => run.includes(g.e));
      for (const g of members) sums.set(g.key, []);
      sums.set(members[0]!.key, addends(ctx.norm(b.sum(whole, [0])), members[0]!.m.c, ctx));
    }
    if (sums.size > 0) return collected([...terms].flatMap(([key, m]) => sums.get(key) ?? [m]));
  }
  return null;
}

function soleFactor(m: Monomial): Expr | null {
  if (m.powers.size !== 1) return null;
  const [e, p] = [...m.powers][0]!;
  return p.over === 1 && p.under === 0 ? e : null;
}

function buildSum(terms: Terms, shape: Shape, ctx: Context): Expr {
  const list = [...terms.values()];
  const first = list[0];
  if (first === undefined) return fit(b.ZERO, shape);
  if (list.length === 1) return buildProduct(first, shape, ctx);
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
 * that are numbers or constant over regions; of divisors sizes, and those that divide each term
 * equally often. N/U² − 2g/U stays as it is: its terms' absolute values say how far they cancel.
 */
function commonFactor(list: readonly Monomial[], shape: Shape): Monomial | null {
  const first = list[0]!;
  const powers = new Map<Expr, Power>();
  for (const e of first.powers.keys()) {
    const region = !coversAll(e, shape) && !shape.every(isUnit);
    const over = isNumber(e) || region ? least(list, e, "over") : 0;
    const under =
      e.kind === "size" || isEvenDivisor(list, e, region, shape) ? least(list, e, "under") : 0;
    if (over > 0 || under > 0) powers.set(e, { over, under });
  }
  const c = commonCoefficient(list);
  return powers.size > 0 || c !== null ? { c: c ?? q.R1, powers } : null;
}

/** A divisor over regions that divides each term equally often, as the weights of classes do. */
function isEvenDivisor(list: readonly Monomial[], e: Expr, region: boolean, shape: Shape): boolean {
  const first = list[0]!.powers.get(e)?.under ?? 0;
  const even = list.every((m) => (m.powers.get(e)?.under ?? 0) === first);
  return even && (region || shape.every(isUnit));
}

function least(list: readonly Monomial[], e: Expr, side: "over" | "under"): number {
  return Math.min(...list.map((m) => m.powers.get(e)?.[side] ?? 0));
}

function commonCoefficient(list: readonly Monomial[]): q.Rational | null {
  const sizes = list.map((m) => abs(m.c));
  const first = sizes[0]!;
  const smallest = sizes.reduce((x, y) => (x.n * y.d <= y.n * x.d ? x : y), first);
  const multiples = sizes.every((c) => q.times(c, q.invert(smallest)).d === 1n);
  // 2 − 0.5x keeps its whole number, 1 + 2x its one.
  const whole = list.some((m) => m.powers.size === 0 && m.c.d === 1n && smallest.d !== 1n);
  if (whole) return null;
  if (multiples && !sizes.some((c) => q.equal(c, q.R1))) return smallest;
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
  const inner = buildSum(mergedTerms(rest, shape, ctx), innerShape(rest), ctx);
  return buildProduct(multiply(common, monomialOf(inner, ctx), ctx), shape, ctx);
}

/** The terms of a monomial that has become a sum by itself. */
function flattened(m: Monomial, ctx: Context): Monomial[] {
  const sum = isSign(m.c) ? soleSum(m) : null;
  return sum === null ? [m] : addends(sum, m.c, ctx);
}

function innerShape(terms: Terms): Shape {
  return commonShape([...terms.values()].flatMap((m) => [...m.powers.keys()]));
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

/**
 * A sum divided by a number that one of its terms is a multiple of: mean(1 − x) sums up to
 * (n − Σx)/n, which reads 1 − Σx/n.
 */
export function numberApart(m: Monomial, ctx: Context): Expr | null {
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

function abs(c: q.Rational): q.Rational {
  return c.n < 0n ? q.negate(c) : c;
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
    const inner = buildSum(mergedTerms(terms, shape, ctx), innerShape(terms), ctx);
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
  return joined(operands, order);
}

function joined(operands: readonly Expr[], signs: readonly Monomial[]): Expr {
  return operands.reduce((acc, e, k) => (signs[k]!.c.n < 0n ? b.sub(acc, e) : b.add(acc, e)));
}
