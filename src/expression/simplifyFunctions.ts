/** Elementwise operations other than sums and products, and casts. */
import * as b from "./build.ts";
import { evaluate } from "./evaluate.ts";
import type { BinaryOp, Binary, Cast, Clamp, Expr, Unary, UnaryOp, Where } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import { buildProduct, monomialOf, scale } from "./simplifyProduct.ts";
import { partsOf } from "./simplifyParts.ts";
import { commonShape, fit, isZero, pullView, sameSizes, unstretched } from "./simplifyShape.ts";
import { numbersApart, termsOf } from "./simplifyTerms.ts";

/**
 * Any elementwise operation done before its operands are stretched or viewed otherwise; `null`
 * where nothing is to be moved.
 */
export function moveViewsOut(e: Expr, ctx: Context): Expr | null {
  const bare = e.args.map(unstretched);
  if (bare.some((x, k) => x !== e.args[k])) {
    const inner = b.withArgs(e, bare);
    if (sameSizes(inner.shape, e.shape)) return inner;
    // A leading axis of size 1 must come from somewhere: only a true stretch is taken out.
    if (e.args.some((x, k) => x.kind === "expand" && x !== bare[k])) {
      return fit(inner, e.shape);
    }
  }
  const pulled = pullView(e.args, e.shape);
  if (pulled !== null) return pulled.back(b.withArgs(e, pulled.items.map(ctx.norm)));
  const parts = partsOf(e.args, e.shape.length);
  return parts === null ? null : parts.join(parts.operands.map((items) => b.withArgs(e, items)));
}

/** Functions whose value at a whole number or fraction is exact when it is one of these. */
const EXACT: Partial<Record<UnaryOp, readonly (readonly [number, number])[]>> = {
  exp: [[0, 1]],
  log: [[1, 0]],
  log1p: [[0, 0]],
  expm1: [[0, 0]],
  sigmoid: [[0, 0.5]],
  tanh: [[0, 0]],
  cosh: [[0, 1]],
  sinh: [[0, 0]],
  sin: [[0, 0]],
  cos: [[0, 1]],
};
const FOLDABLE = new Set<UnaryOp>(["abs", "sign", "relu", "round", "floor", "ceil", "not"]);
/** f(−x) = −f(x), or f(x). */
const ODD = new Set<UnaryOp>(["tanh", "sinh", "sin", "sign"]);
const EVEN = new Set<UnaryOp>(["abs", "cosh", "cos"]);

export function unaryStep(e: Unary, ctx: Context): Expr | null {
  const x = e.args[0]!;
  if (x.kind === "const") return folded(e, x.value);
  const inner = x.kind === "unary" ? x.args[0]! : null;
  const { c } = monomialOf(x, ctx);
  if (c.n < 0n && (ODD.has(e.op) || EVEN.has(e.op))) {
    const positive = buildProduct(scale(monomialOf(x, ctx), q.RM1), x.shape, ctx);
    const value = b.unary(e.op, positive);
    return ODD.has(e.op) ? b.neg(value) : value;
  }
  switch (e.op) {
    case "exp":
      if (x.kind === "unary" && x.op === "logsigmoid") return b.sigmoid(inner!);
      if (x.kind === "softmax" && x.log) return b.softmax(x.args[0]!, x.dim);
      if (x.kind === "unary" && x.op === "log" && ctx.isPositive(inner!)) return inner!;
      return null;
    case "log":
      return x.kind === "unary" && x.op === "exp" ? inner! : null;
    case "abs":
      if (ctx.isNonNegative(x)) return x;
      return positiveFactorOut(e, x, ctx);
    case "relu":
      return ctx.isNonNegative(x) ? x : null;
    case "sign":
      return ctx.isPositive(x) ? fit(b.ONE, x.shape) : null;
    case "not":
      return x.kind === "unary" && x.op === "not" && inner!.type === "bool" ? inner! : null;
    default:
      return null;
  }
}

function folded(e: Unary, value: number): Expr | null {
  const type = e.type;
  if (FOLDABLE.has(e.op)) return b.constant(evaluate(e, new Map()).data[0]!, type);
  if (e.op === "sqrt") {
    const root = Math.sqrt(value);
    return Number.isInteger(root) && root * root === value ? b.constant(root) : null;
  }
  const hit = EXACT[e.op]?.find(([at]) => at === value);
  return hit === undefined ? null : b.constant(hit[1]);
}

/** |c·x| = c·|x| for a positive number c. */
function positiveFactorOut(e: Unary, x: Expr, ctx: Context): Expr | null {
  const m = monomialOf(x, ctx);
  if (q.equal(m.c, q.R1) || m.powers.size === 0) return null;
  const rest = buildProduct({ c: q.R1, powers: m.powers }, x.shape, ctx);
  const number = buildProduct({ c: m.c, powers: new Map() }, [], ctx);
  return b.mul(number, b.unary(e.op, rest));
}

const COMPARISONS = new Set<BinaryOp>(["eq", "ne", "lt", "le", "gt", "ge", "and", "or"]);

/** Operations other than + − × ÷, which normal forms of sums and products take care of. */
export function binaryStep(e: Binary, ctx: Context): Expr | null {
  const [x, y] = [e.args[0]!, e.args[1]!];
  if (x.kind === "const" && y.kind === "const") {
    const exact = COMPARISONS.has(e.op) || e.op === "max" || e.op === "min";
    if (exact) return b.constant(evaluate(e, new Map()).data[0]!, e.type);
  }
  switch (e.op) {
    case "pow":
      return powerStep(x, y, e, ctx);
    case "max":
    case "min":
      if (x === y) return x;
      if (isInfinite(x, e.op === "max" ? -1 : 1)) return fit(y, e.shape);
      if (isInfinite(y, e.op === "max" ? -1 : 1)) return fit(x, e.shape);
      return null;
    case "and":
      if (x === y && x.type === "bool") return x;
      if (isConst(x, 1) && y.type === "bool") return fit(y, e.shape);
      if (isConst(y, 1) && x.type === "bool") return fit(x, e.shape);
      return null;
    case "or":
      if (x === y && x.type === "bool") return x;
      if (isConst(x, 0) && y.type === "bool") return fit(y, e.shape);
      if (isConst(y, 0) && x.type === "bool") return fit(x, e.shape);
      return null;
    default:
      return null;
  }
}

function powerStep(x: Expr, n: Expr, e: Binary, ctx: Context): Expr | null {
  if (isConst(n, 0)) return fit(b.ONE, e.shape);
  if (isConst(n, 1)) return x;
  if (isConst(x, 1)) return fit(b.ONE, e.shape);
  if (x.kind !== "binary" || x.op !== "pow") return null;
  // (xᵃ)ᵇ = xᵃᵇ where x is positive; whole powers are multiplied as monomials.
  const product = ctx.norm(b.mul(x.args[1]!, n));
  return ctx.isPositive(x.args[0]!) ? b.pow(x.args[0]!, product) : null;
}

function isConst(e: Expr, value: number): boolean {
  return e.kind === "const" && e.value === value;
}

function isInfinite(e: Expr, sign: 1 | -1): boolean {
  return e.kind === "const" && e.value === sign * Infinity;
}

export function whereStep(e: Where, ctx: Context): Expr | null {
  const [condition, x, y] = [e.args[0]!, e.args[1]!, e.args[2]!];
  if (x === y) return fit(x, e.shape);
  if (condition.kind === "const") return fit(condition.value !== 0 ? x : y, e.shape);
  // Under one condition an inner choice is made already.
  if (x.kind === "where" && x.args[0] === condition) return b.where(condition, x.args[1]!, y);
  if (y.kind === "where" && y.args[0] === condition) return b.where(condition, x, y.args[2]!);
  // Numbers stand before a mask.
  const split = isZero(y) ? numbersApart(x, ctx) : isZero(x) ? numbersApart(y, ctx) : null;
  if (split !== null) {
    const [a, c] = isZero(y) ? [split.rest, y] : [x, split.rest];
    return b.mul(split.front, b.where(condition, a, c));
  }
  return null;
}

export function clampStep(e: Clamp): Expr | null {
  const [x, lo, hi] = [e.args[0]!, e.args[1]!, e.args[2]!];
  if (isInfinite(lo, -1) && isInfinite(hi, 1)) return x;
  if (e.args.every((a) => a.kind === "const")) {
    return b.constant(evaluate(e, new Map()).data[0]!, e.type);
  }
  return null;
}

/** A cast between floating types keeps the mathematical value; one of a mask or index is kept. */
export function castStep(e: Cast): Expr | null {
  const x = e.args[0]!;
  if (e.type === x.type) return x;
  if (e.type !== "float") return null;
  if (x.kind === "const") return b.constant(x.value);
  if (x.kind === "cast" && x.args[0]!.type === "bool") return b.cast(x.args[0]!, e.to);
  // One precision for all: what is summed up must meet like terms.
  return e.to === "float64" ? null : b.cast(x, "float64");
}

/** Probabilities do not change when a constant is added to all logits of a choice. */
export function softmaxStep(e: Extract<Expr, { kind: "softmax" }>, ctx: Context): Expr | null {
  const x = e.args[0]!;
  const terms = termsOf(x, ctx);
  if (terms.length < 2) return null;
  const rank = x.shape.length;
  const varying = terms.filter((m) => {
    const shape = commonShape([...m.powers.keys()]);
    const along = shape[e.dim - (rank - shape.length)];
    return along !== undefined && along.size !== 1;
  });
  if (varying.length === terms.length || varying.length === 0) return null;
  const rest = varying
    .map((m) => buildProduct(m, commonShape([...m.powers.keys()]), ctx))
    .reduce((s, t) => b.add(s, t));
  return b.softmax(fit(rest, x.shape), e.dim, e.log);
}
