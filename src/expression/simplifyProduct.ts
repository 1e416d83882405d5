/**
 * Products in normal form: one exact coefficient and whole powers of factors. A factor that is both
 * multiplied and divided by cancels only as far as nothing is lost where it is zero: x²/x keeps a
 * divisor x unless x is known not to be zero.
 */
import { type Shape, isUnit } from "./axis.ts";
import * as b from "./build.ts";
import { spend } from "./effort.ts";
import type { Expr } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import { partsOf } from "./simplifyParts.ts";
import { recognize } from "./simplifyRecognize.ts";
import {
  commonShape,
  coversAll,
  fit,
  isZero,
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
  spend(m.powers.size);
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
  spend(1 + m.powers.size);
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
  if (e.kind === "reshape" || e.kind === "transpose" || e.kind === "expand") {
    return isIndicator(e.args[0]!);
  }
  return e.type === "bool" || (e.kind === "cast" && e.args[0]!.type === "bool");
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
  const asSum = ctx.distributed(m);
  if (asSum !== null) return asSum;
  const items = [...m.powers.keys()].map(unstretched);
  const shape = commonShape([...m.powers.keys()]);
  const trimmed = sameSizes(commonShape(items), shape) ? items : [...m.powers.keys()];
  const powers = [...m.powers.values()];
  const pulled = trimmed.length > 0 ? pullView(trimmed, shape) : null;
  if (pulled !== null) {
    const inner = productOf(m.c, pulled.items.map(ctx.norm), powers, ctx);
    return ctx.norm(pulled.back(inner));
  }
  const parts = partsOf(trimmed, shape.length);
  if (parts !== null) {
    const results = parts.operands.map((items) => productOf(m.c, items.map(ctx.norm), powers, ctx));
    return ctx.norm(parts.join(results));
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
  above.sort((x, y) => Number(y.kind === "parameter") - Number(x.kind === "parameter"));
  if (sizes.length > 0) above.unshift(mergedSize(sizes));
  if (sizesBelow.length > 0) below.unshift(mergedSize(sizesBelow));
  const halved = c.n === 1n && (c.d === 2n || (sizesBelow.length > 0 && c.d <= 100n));
  const { front, divisor } =
    halved && below.length > 0 && c.d > 1n
      ? { front: null, divisor: b.constant(Number(c.d)) }
      : coefficient(c);
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
  const e = [...m.powers].find(
    ([f, p]) => f.kind === "where" && asMask(f, ctx) !== null && p.over === 1 && p.under === 0,
  )?.[0];
  const mask = e === undefined ? null : asMask(e, ctx);
  if (e === undefined || mask === null) return null;
  const inside = new Map<Expr, Power>();
  const outside = new Map<Expr, Power>();
  for (const [f, p] of m.powers) {
    if (f === e) continue;
    (coversAll(f, e.shape) && f.shape.length > 0 ? inside : outside).set(f, p);
  }
  if (inside.size === 0) return null;
  const shape = commonShape([mask.body, ...inside.keys()]);
  const factors = multiply({ c: q.R1, powers: inside }, monomialOf(mask.body, ctx), ctx);
  const masked = ctx.norm(mask.behind(buildProduct(factors, shape, ctx)));
  const all = multiply({ c: m.c, powers: outside }, monomialOf(masked, ctx), ctx);
  return buildProduct(all, commonShape([...all.powers.keys()]), ctx);
}

/** A choice of which one side is zero, also seen through a view. */
export interface Mask {
  readonly condition: Expr;
  /** The side that is not zero. */
  readonly body: Expr;
  /** Which side that is: masks of one condition and side can be joined. */
  readonly onTrue: boolean;
  /** Another array behind the same mask. */
  readonly behind: (body: Expr) => Expr;
}

export function asMask(e: Expr, ctx: Context): Mask | null {
  if (e.kind === "reshape" || e.kind === "transpose") {
    const x = e.args[0]!;
    const inner = x.kind === "where" ? asMask(x, ctx) : null;
    const condition = inner && viewOf(e, inner.condition, ctx);
    const body = inner && viewOf(e, inner.body, ctx);
    return condition && body && maskOf(condition, body, inner.onTrue);
  }
  if (e.kind !== "where") return null;
  const [condition, a, otherwise] = [e.args[0]!, e.args[1]!, e.args[2]!];
  if (isZero(otherwise)) return maskOf(condition, a, true);
  return isZero(a) ? maskOf(condition, otherwise, false) : null;
}

function maskOf(condition: Expr, body: Expr, onTrue: boolean): Mask {
  const behind = (x: Expr): Expr =>
    onTrue ? b.where(condition, x, b.ZERO) : b.where(condition, b.ZERO, x);
  return { condition, body, onTrue, behind };
}
