/**
 * Products in normal form: one exact coefficient and whole powers of factors. A factor that is both
 * multiplied and divided by cancels only as far as nothing is lost where it is zero: x²/x keeps a
 * divisor x unless x is known not to be zero.
 */
import { type Shape, isUnit } from "./axis.ts";
import * as b from "./build.ts";
import type { Expr } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import {
  axisAt,
  commonShape,
  coversAll,
  fit,
  pullView,
  sameSizes,
  unstretched,
} from "./simplifyShape.ts";

/** How often a factor stands above and below the line. */
export interface Power {
  readonly over: number;
  readonly under: number;
}

export interface Monomial {
  readonly c: q.Rational;
  readonly powers: ReadonlyMap<Expr, Power>;
}

/** Powers beyond this are left as they are written. */
const MAX_POWER = 16;

export const constantMonomial = (c: q.Rational): Monomial => ({ c, powers: new Map() });

/** What identifies a monomial apart from its coefficient. */
export function keyOf(m: Monomial): string {
  return [...m.powers]
    .map(([e, p]) => `${e.id}^${p.over}/${p.under}`)
    .sort()
    .join("·");
}

/** A normalized expression as a monomial; any expression is at least a factor of itself. */
export function monomialOf(e: Expr, ctx: Context): Monomial {
  switch (e.kind) {
    case "const":
      return Number.isFinite(e.value) ? constantMonomial(q.toRational(e.value)) : factor(e);
    case "size": {
      const parts = e.axes.filter((a) => !isUnit(a)).map((a) => factor(b.size([a])));
      return parts.reduce((m, p) => multiply(m, p, ctx), constantMonomial(q.R1));
    }
    case "unary":
      return e.op === "neg" ? scale(monomialOf(e.args[0]!, ctx), q.RM1) : factor(e);
    case "binary":
      return binaryMonomial(e, ctx);
    case "expand":
      return monomialOf(e.args[0]!, ctx);
    case "reshape":
    case "transpose":
      return viewedMonomial(e, ctx);
    default:
      return factor(e);
  }
}

function binaryMonomial(e: Extract<Expr, { kind: "binary" }>, ctx: Context): Monomial {
  const [x, y] = [e.args[0]!, e.args[1]!];
  if (e.op === "mul") return multiply(monomialOf(x, ctx), monomialOf(y, ctx), ctx);
  if (e.op === "div") {
    const below = monomialOf(y, ctx);
    return below.c.n === 0n ? factor(e) : multiply(monomialOf(x, ctx), inverse(below), ctx);
  }
  if (e.op === "pow" && y.kind === "const") {
    const n = y.value;
    const base = monomialOf(x, ctx);
    const whole = Number.isInteger(n) && n !== 0 && Math.abs(n) <= MAX_POWER;
    if (whole && (n > 0 || base.c.n !== 0n)) return raise(base, n, ctx);
  }
  return factor(e);
}

/** A view of a product is the product of its factors' views, where each can be viewed alone. */
function viewedMonomial(
  e: Extract<Expr, { kind: "reshape" | "transpose" }>,
  ctx: Context,
): Monomial {
  const x = e.args[0]!;
  const inner = monomialOf(x, ctx);
  const only = inner.powers.get(x);
  if (only !== undefined && inner.powers.size === 1) return factor(e);
  let seen = constantMonomial(inner.c);
  for (const [f, p] of inner.powers) {
    const view = viewOf(e, f, ctx);
    if (view === null) return factor(e);
    seen = multiply(seen, toPower(monomialOf(view, ctx), p, ctx), ctx);
  }
  return seen;
}

/** What is seen of a part (a term, a factor) of the viewed array; `null` if not by itself. */
export function viewOf(
  e: Extract<Expr, { kind: "reshape" | "transpose" }>,
  part: Expr,
  ctx: Context,
): Expr | null {
  if (part.shape.length === 0) return part;
  const view = ctx.norm(b.withArgs(e, [fit(part, e.args[0]!.shape)]));
  const stuck =
    (view.kind === "reshape" || view.kind === "transpose") && view.args[0]!.kind === "expand";
  return stuck ? null : view;
}

export function factor(e: Expr): Monomial {
  return { c: q.R1, powers: new Map([[e, { over: 1, under: 0 }]]) };
}

export function scale(m: Monomial, c: q.Rational): Monomial {
  return { c: q.times(m.c, c), powers: m.powers };
}

function inverse(m: Monomial): Monomial {
  const powers = new Map<Expr, Power>();
  for (const [e, p] of m.powers) powers.set(e, { over: p.under, under: p.over });
  return { c: q.invert(m.c), powers };
}

function raise(m: Monomial, n: number, ctx: Context): Monomial {
  const base = n < 0 ? inverse(m) : m;
  const k = Math.abs(n);
  const powers = new Map<Expr, Power>();
  for (const [e, p] of base.powers) {
    powers.set(e, { over: p.over * k, under: p.under * k });
  }
  return tidy({ c: q.power(base.c, k), powers }, ctx);
}

/** A product in the place of a factor that stood at this power. */
export function toPower(m: Monomial, p: Power, ctx: Context): Monomial {
  const over = p.over > 0 ? raise(m, p.over, ctx) : constantMonomial(q.R1);
  return p.under > 0 ? multiply(over, raise(m, -p.under, ctx), ctx) : over;
}

export function multiply(m: Monomial, n: Monomial, ctx: Context): Monomial {
  const powers = new Map(m.powers);
  for (const [e, p] of n.powers) {
    const known = powers.get(e);
    const both = known ? { over: known.over + p.over, under: known.under + p.under } : p;
    powers.set(e, both);
  }
  return tidy({ c: q.times(m.c, n.c), powers }, ctx);
}

/** Cancels what may be cancelled and recognizes sigmoid, softmax and tanh written out. */
function tidy(m: Monomial, ctx: Context): Monomial {
  const powers = new Map<Expr, Power>();
  for (const [e, p] of m.powers) {
    const lost = Math.min(p.over, p.under);
    let { over, under } = p;
    if (lost > 0) {
      // Down to one divisor left, or none where e cannot be zero.
      const keep = over >= under && !ctx.nonzero(e) ? 1 : 0;
      over -= lost - keep;
      under -= lost - keep;
    }
    if (isIndicator(e)) over = Math.min(over, 1);
    if (over > 0 || under > 0) powers.set(e, { over, under });
  }
  let known: Monomial = { c: m.c, powers };
  for (;;) {
    const next = recognize(known, ctx);
    if (next === known) return known;
    known = next;
  }
}

/** An indicator (0 or 1) is its own square. */
function isIndicator(e: Expr): boolean {
  return e.type === "bool" || (e.kind === "cast" && e.args[0]!.type === "bool");
}

/** A product being rewritten: factors change their powers in place. */
class Factors {
  readonly powers: Map<Expr, Power>;
  changed = false;
  constructor(m: Monomial) {
    this.powers = new Map(m.powers);
  }
  over(e: Expr): number {
    return this.powers.get(e)?.over ?? 0;
  }
  under(e: Expr): number {
    return this.powers.get(e)?.under ?? 0;
  }
  add(e: Expr, over: number, under = 0): void {
    const next = { over: this.over(e) + over, under: this.under(e) + under };
    if (next.over === 0 && next.under === 0) this.powers.delete(e);
    else this.powers.set(e, next);
    this.changed = true;
  }
}

function recognize(m: Monomial, ctx: Context): Monomial {
  const found = new Factors(m);
  for (const e of m.powers.keys()) {
    const p = { over: found.over(e), under: found.under(e) };
    const u = p.under > 0 ? onePlusExp(e) : null;
    if (u !== null) {
      // 1 / (1 + eᵘ) = σ(−u)
      found.add(e, 0, -p.under);
      found.add(ctx.norm(b.sigmoid(b.neg(u))), p.under);
    }
    if (e.kind !== "unary" || p.over === 0) continue;
    if (e.op === "exp") recognizeExp(e, found, ctx);
    if (e.op === "sinh") recognizeTanh(e, found, ctx);
    if (e.op === "sigmoid") recognizeComplement(e, found, ctx);
  }
  return found.changed ? { c: m.c, powers: found.powers } : m;
}

/** eᵘ σ(−u) = σ(u), and eᵘ / Σ eᵘ = softmax(u). */
function recognizeExp(e: Expr, found: Factors, ctx: Context): void {
  const u = e.args[0]!;
  const other = ctx.norm(b.sigmoid(b.neg(u)));
  const pairs = Math.min(found.over(e), found.over(other));
  if (pairs > 0) {
    found.add(e, -pairs);
    found.add(other, -pairs);
    found.add(ctx.norm(b.sigmoid(u)), pairs);
    return;
  }
  const soft = softmaxOver(u, found.powers);
  if (soft === null) return;
  const k = Math.min(found.over(e), found.under(soft.total));
  found.add(e, -k);
  found.add(soft.total, 0, -k);
  found.add(ctx.norm(b.softmax(u, soft.dim)), k);
}

/** sinh u / cosh u = tanh u. */
function recognizeTanh(e: Expr, found: Factors, ctx: Context): void {
  const below = b.unary("cosh", e.args[0]!);
  const k = Math.min(found.over(e), found.under(below));
  if (k === 0) return;
  found.add(e, -k);
  found.add(below, 0, -k);
  found.add(ctx.norm(b.unary("tanh", e.args[0]!)), k);
}

/** σ(−x) beside σ(x) reads better as 1 − σ(x). */
function recognizeComplement(e: Expr, found: Factors, ctx: Context): void {
  const u = e.args[0]!;
  if (u.kind !== "unary" || u.op !== "neg") return;
  const s = b.sigmoid(u.args[0]!);
  if (!found.powers.has(s)) return;
  const k = found.over(e);
  found.add(e, -k);
  found.add(ctx.norm(b.sub(b.ONE, s)), k);
}

/** u of 1 + eᵘ. */
function onePlusExp(e: Expr): Expr | null {
  if (e.kind !== "binary" || e.op !== "add") return null;
  for (const [one, power] of [
    [e.args[0]!, e.args[1]!],
    [e.args[1]!, e.args[0]!],
  ] as const) {
    const isOne = one.kind === "const" && one.value === 1;
    if (isOne && power.kind === "unary" && power.op === "exp") return power.args[0]!;
  }
  return null;
}

/** The divisor Σ eᵘ along one axis of u (kept at size 1), if there is one. */
function softmaxOver(
  u: Expr,
  powers: ReadonlyMap<Expr, Power>,
): { total: Expr; dim: number } | null {
  const rank = u.shape.length;
  for (const [total, p] of powers) {
    if (p.under === 0) continue;
    const sum = total.kind === "reshape" || total.kind === "expand" ? total.args[0]! : total;
    if (sum.kind !== "reduce" || sum.op !== "sum" || sum.dims.length !== 1) continue;
    if (sum.args[0] !== b.exp(u)) continue;
    const dim = sum.dims[0]!;
    const kept = u.shape.every((a, d) => axisAt(total, d, rank).size === (d === dim ? 1 : a.size));
    if (kept) return { total, dim };
  }
  return null;
}

/** The product in the form a reader expects, of shape `shape`: sign and coefficient in front. */
export function buildProduct(m: Monomial, shape: Shape, ctx: Context): Expr {
  if (m.c.n === 0n) return fit(b.ZERO, shape);
  const key = `${m.c.n}/${m.c.d}|${keyOf(m)}|${shape.map((a) => a.size ?? a.name).join()}`;
  const known = ctx.products.get(key);
  if (known !== undefined) return known;
  const built = fit(signed(m, ctx), shape);
  ctx.products.set(key, built);
  return built;
}

function signed(m: Monomial, ctx: Context): Expr {
  if (m.c.n < 0n) return negated(scale(m, q.RM1), ctx);
  const masked = maskOutside(m, ctx);
  if (masked !== null) return masked;
  const apart = ctx.numberApart(m);
  if (apart !== null) return apart;
  const items = [...m.powers.keys()].map(unstretched);
  const shape = commonShape([...m.powers.keys()]);
  const trimmed = sameSizes(commonShape(items), shape) ? items : [...m.powers.keys()];
  const powers = [...m.powers.values()];
  const pulled = trimmed.length > 0 ? pullView(trimmed, shape) : null;
  if (pulled !== null) {
    const inner = productOf(m.c, pulled.items.map(ctx.norm), powers, ctx);
    return ctx.norm(pulled.back(inner));
  }
  return quotient(m.c, trimmed, powers);
}

/** −1 times a product; times a single sum: the sum with all signs turned. */
function negated(m: Monomial, ctx: Context): Expr {
  const [only] = m.powers.keys();
  const positive = signed(m, ctx);
  const turns =
    positive === only &&
    positive.kind === "binary" &&
    (positive.op === "add" || positive.op === "sub");
  return turns ? ctx.norm(b.neg(positive)) : b.neg(positive);
}

/** A product of new factors, which may themselves be products. */
function productOf(
  c: q.Rational,
  items: readonly Expr[],
  powers: readonly Power[],
  ctx: Context,
): Expr {
  const m = items.reduce<Monomial>(
    (acc, e, k) => multiply(acc, toPower(monomialOf(e, ctx), powers[k]!, ctx), ctx),
    constantMonomial(c),
  );
  return buildProduct(m, commonShape(items), ctx);
}

function quotient(c: q.Rational, items: readonly Expr[], powers: readonly Power[]): Expr {
  const sizes: Expr[] = [];
  const below: Expr[] = [];
  const above: Expr[] = [];
  const sizesBelow: Expr[] = [];
  items.forEach((e, k) => {
    const { over, under } = powers[k]!;
    const isSize = e.kind === "size";
    if (over > 0) (isSize && over === 1 ? sizes : above).push(powerOf(e, over));
    if (under > 0) (isSize && under === 1 ? sizesBelow : below).push(powerOf(e, under));
  });
  if (sizes.length > 0) above.unshift(mergedSize(sizes));
  if (sizesBelow.length > 0) below.unshift(mergedSize(sizesBelow));
  const { front, divisor } = coefficient(c);
  if (divisor !== null) below.unshift(divisor);
  const top = chain(front === null ? above : [front, ...above]);
  return below.length === 0 ? top : b.div(top, chain(below));
}

function powerOf(e: Expr, n: number): Expr {
  return n === 1 ? e : b.pow(e, b.constant(n));
}

function chain(items: readonly Expr[]): Expr {
  return items.length === 0 ? b.ONE : items.reduce((x, y) => b.mul(x, y));
}

function mergedSize(sizes: readonly Expr[]): Expr {
  const axes = sizes.flatMap((s) => (s.kind === "size" ? s.axes : []));
  return b.size(axes.sort((s, t) => (s.name < t.name ? -1 : 1)));
}

/** A positive coefficient as a factor in front, a divisor, or both: 0.3, 1/3, 2/3. */
export function coefficient(c: q.Rational): { front: Expr | null; divisor: Expr | null } {
  const decimal = q.toNumber(c);
  if (decimal === 1) return { front: null, divisor: null };
  const [n, d] = [q.toNumber({ n: c.n, d: 1n }), q.toNumber({ n: c.d, d: 1n })];
  if (decimal !== null && (n === null || d === null || isShort(decimal, c))) {
    return { front: b.constant(decimal), divisor: null };
  }
  if (n === null || d === null) throw new q.NotRational("a coefficient with too many digits");
  return { front: n === 1 ? null : b.constant(n), divisor: b.constant(d) };
}

/** Whether the decimal reads better than the fraction: 0.25 does, 0.000003814697265625 does not. */
function isShort(decimal: number, c: q.Rational): boolean {
  if (Number.isInteger(decimal)) return true;
  const text = String(decimal);
  const digits = text.replace(/e.*$/, "").replace(/[.-]/g, "").replace(/^0+/, "");
  return digits.length <= 4 || text.length <= `${c.n}/${c.d}`.length;
}

/**
 * A factor `where(c, a, 0)` takes the factors that vary with it inside: where(c, a·k, 0). Where the
 * condition fails the product is then 0 even if k is not finite there, as the derivative is.
 */
function maskOutside(m: Monomial, ctx: Context): Expr | null {
  const mask = [...m.powers].find(([e, p]) => isMask(e) && p.over === 1 && p.under === 0)?.[0];
  if (mask === undefined) return null;
  const [condition, a, otherwise] = [mask.args[0]!, mask.args[1]!, mask.args[2]!];
  const inside = new Map<Expr, Power>();
  const outside = new Map<Expr, Power>();
  for (const [e, p] of m.powers) {
    if (e === mask) continue;
    (coversAll(e, mask.shape) && e.shape.length > 0 ? inside : outside).set(e, p);
  }
  if (inside.size === 0) return null;
  const onTrue = !isZero(a);
  const kept = onTrue ? a : otherwise;
  const shape = commonShape([kept, ...inside.keys()]);
  const body = buildProduct(
    multiply({ c: q.R1, powers: inside }, monomialOf(kept, ctx), ctx),
    shape,
    ctx,
  );
  const masked = ctx.norm(
    onTrue ? b.where(condition, body, b.ZERO) : b.where(condition, b.ZERO, body),
  );
  const all = multiply({ c: m.c, powers: outside }, monomialOf(masked, ctx), ctx);
  return buildProduct(all, commonShape([...all.powers.keys()]), ctx);
}

function isMask(e: Expr): boolean {
  return e.kind === "where" && (isZero(e.args[1]!) || isZero(e.args[2]!));
}

function isZero(e: Expr): boolean {
  const x = unstretched(e);
  return x.kind === "const" && x.value === 0;
}
