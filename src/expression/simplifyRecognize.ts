/** Functions that were written out: sigmoid, softmax, tanh, powers of one base. */
import * as b from "./build.ts";
import type { Expr } from "./node.ts";
import type { Context } from "./simplifyContext.ts";
import type { Monomial, Power } from "./simplifyProduct.ts";
import { axisAt } from "./simplifyShape.ts";

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

export function recognize(m: Monomial, ctx: Context): Monomial {
  const found = new Factors(m);
  for (const e of m.powers.keys()) {
    const p = { over: found.over(e), under: found.under(e) };
    const u = p.under > 0 ? onePlusExp(e) : null;
    if (u !== null) {
      // 1 / (1 + eᵘ) = σ(−u)
      found.add(e, 0, -p.under);
      found.add(ctx.norm(b.sigmoid(b.neg(u))), p.under);
    }
    if (e.kind === "binary" && e.op === "pow" && p.over === 1) recognizePower(e, found, ctx);
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

/** xᵃ·xᵏ = xᵃ⁺ᵏ for positive x. */
function recognizePower(e: Expr, found: Factors, ctx: Context): void {
  const [x, n] = [e.args[0]!, e.args[1]!];
  const k = found.over(x) - found.under(x);
  if (k === 0 || !ctx.isPositive(x)) return;
  const exponent = ctx.norm(b.add(n, b.constant(k)));
  if (exponent.kind === "const" && Number.isInteger(exponent.value)) return;
  found.add(e, -1);
  found.add(x, -found.over(x), -found.under(x));
  found.add(ctx.norm(b.pow(x, exponent)), 1);
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
