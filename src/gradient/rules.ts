/**
 * The rules of derivation, one line each: what an argument receives (`a` is the adjoint of the
 * node, of the node's shape) before broadcasting is undone. `null`: no gradient passes.
 *
 * Where a function has a kink the value is a convention; each is the one of PyTorch, stated beside
 * its rule.
 */
import { type Shape, UNIT, isUnit } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { BinaryOp, Expr, ExprKind, UnaryOp } from "../expression/node.ts";

/** `a` adjoint, `x` argument, `y` the node itself. */
type UnaryRule = (a: Expr, x: Expr, y: Expr) => Expr;
/** `a` adjoint, `x` and `y` the arguments, `r` the node itself. */
type BinaryRule = (a: Expr, x: Expr, y: Expr, r: Expr) => Expr;

const HALF = b.constant(0.5);
const TWO = b.constant(2);
const square = (x: Expr): Expr => b.pow(x, TWO);
const only = (condition: Expr, a: Expr): Expr => b.where(condition, a, b.ZERO);
const compare = (op: BinaryOp, x: Expr, y: Expr): Expr => b.binary(op, x, y);

export const unaryRules: Readonly<Record<UnaryOp, UnaryRule | null>> = {
  neg: (a) => b.neg(a),
  exp: (a, _x, y) => times(a, y),
  log: (a, x) => b.div(a, x),
  log1p: (a, x) => b.div(a, b.add(b.ONE, x)),
  expm1: (a, x) => times(a, b.exp(x)),
  sqrt: (a, _x, y) => b.div(a, b.mul(TWO, y)),
  abs: (a, x) => times(a, b.sign(x)), // 0 at 0
  sigmoid: (a, _x, y) => times(times(a, y), b.sub(b.ONE, y)),
  logsigmoid: (a, x) => times(a, b.sigmoid(b.neg(x))),
  softplus: (a, x) => times(a, b.sigmoid(x)),
  tanh: (a, _x, y) => times(a, b.sub(b.ONE, square(y))),
  relu: (a, x) => only(compare("gt", x, b.ZERO), a), // 0 at 0
  cosh: (a, x) => times(a, b.unary("sinh", x)),
  sinh: (a, x) => times(a, b.unary("cosh", x)),
  sin: (a, x) => times(a, b.unary("cos", x)),
  cos: (a, x) => b.neg(times(a, b.unary("sin", x))),
  sign: null,
  round: null,
  floor: null,
  ceil: null,
  not: null,
  isnan: null,
  isfinite: null,
};

export const binaryRules: Readonly<Record<BinaryOp, readonly [BinaryRule, BinaryRule] | null>> = {
  add: [(a) => a, (a) => a],
  sub: [(a) => a, (a) => b.neg(a)],
  mul: [(a, _x, y) => times(a, y), (a, x) => times(a, x)],
  div: [(a, _x, y) => b.div(a, y), (a, x, y) => b.neg(b.div(times(a, x), square(y)))],
  pow: [(a, x, n) => times(a, powerSlope(x, n)), (a, x, _n, r) => times(a, exponentSlope(x, r))],
  max: [(a, x, y) => winner("gt", a, x, y), (a, x, y) => winner("gt", a, y, x)], // ½ each at a tie
  min: [(a, x, y) => winner("lt", a, x, y), (a, x, y) => winner("lt", a, y, x)], // ½ each at a tie
  mod: [(a) => a, (a, x, y) => b.neg(times(a, b.unary("floor", b.div(x, y))))],
  floordiv: null,
  eq: null,
  ne: null,
  lt: null,
  le: null,
  gt: null,
  ge: null,
  and: null,
  or: null,
};

type NodeOf<K extends ExprKind> = Extract<Expr, { kind: K }>;
/** What argument `k` of node `e` receives. */
type Rules = { readonly [K in ExprKind]: (a: Expr, e: NodeOf<K>, k: number) => Expr | null };

export const rules: Rules = {
  const: () => null,
  parameter: () => null,
  input: () => null,
  size: () => null,
  unary: (a, e) => unaryRules[e.op]?.(a, e.args[0]!, e) ?? null,
  binary: (a, e, k) => binaryRules[e.op]?.[k === 0 ? 0 : 1](a, e.args[0]!, e.args[1]!, e) ?? null,
  // A `where`, not a product with 0 or 1: an infinite adjoint on the other side must not make NaN.
  where: (a, e, k) =>
    k === 0 ? null : k === 1 ? only(e.args[0]!, a) : b.where(e.args[0]!, b.ZERO, a),
  clamp: (a, e, k) => clampShare(a, e, k), // passes on its bounds
  cast: (a, e) => (e.to === "int" || e.to === "bool" ? null : a),
  stopGradient: () => null,
  reduce: (a, e) => reduceRules[e.op]?.(restored(a, e), e.args[0]!, e) ?? null,
  argReduce: () => null,
  softmax: (a, e) => (e.log ? logSoftmaxShare(a, e) : softmaxShare(a, e)),
  reshape: (a, e) => b.reshape(a, e.args[0]!.shape),
  transpose: (a, e) => b.transpose(a, inverse(e.perm)),
  expand: (a) => a,
  index: (a, e) => b.place(a, e.dim, e.at, e.args[0]!.shape[e.dim]!),
  slice: (a, e) => b.spread(a, e.dim, e.start, e.step, e.args[0]!.shape[e.dim]!),
  place: (a, e) => b.index(a, e.dim, e.at),
  spread: (a, e) => taken(a, e.args[0]!, e.dim, e.start, e.step),
  slide: (a, e) => b.slide(a, e.dim, e.by, -e.factor, -e.start, e.args[0]!.shape[e.dim]!),
  stack: (a, e, k) => b.index(a, e.dim, k),
  concat: (a, e, k) => taken(a, e.args[k]!, e.dim, offsetOf(e, k), 1),
  oneHot: () => null,
};

/** `a` is the adjoint stretched to the argument's shape already. */
type ReduceRule = (a: Expr, x: Expr, e: NodeOf<"reduce">) => Expr;

export const reduceRules: Readonly<Record<NodeOf<"reduce">["op"], ReduceRule | null>> = {
  sum: (a) => a,
  mean: (a, x, e) => b.div(a, b.size(e.dims.map((d) => x.shape[d]!))),
  prod: (a, x, e) => times(a, otherFactors(x, e)),
  max: (a, x, e) => sharedAmongTies(a, x, e), // equal shares at ties
  min: (a, x, e) => sharedAmongTies(a, x, e), // equal shares at ties
  any: null,
  all: null,
};

/** a·x without writing a factor of one. */
function times(a: Expr, x: Expr): Expr {
  const bare = a.kind === "expand" ? a.args[0]! : a;
  const isOne = bare.kind === "const" && bare.value === 1;
  return isOne && a.shape.length === x.shape.length && sameSizes(a.shape, x.shape)
    ? x
    : b.mul(a, x);
}

/** d xⁿ/dx. A literal exponent of 0 gives 0 also at x = 0. */
function powerSlope(x: Expr, n: Expr): Expr {
  if (n.kind !== "const") return b.mul(n, b.pow(x, b.sub(n, b.ONE)));
  if (n.value === 0) return b.ZERO;
  if (n.value === 1) return b.ONE;
  return b.mul(n, n.value === 2 ? x : b.pow(x, b.constant(n.value - 1)));
}

/** d xⁿ/dn = xⁿ ln x, continued by 0 at x = 0. */
function exponentSlope(x: Expr, r: Expr): Expr {
  return b.where(compare("eq", x, b.ZERO), b.ZERO, b.mul(r, b.log(x)));
}

/** All of `a` where x beats y, half of it at a tie. */
function winner(op: "gt" | "lt", a: Expr, x: Expr, y: Expr): Expr {
  return b.where(compare(op, x, y), a, only(compare("eq", x, y), b.mul(HALF, a)));
}

function clampShare(a: Expr, e: NodeOf<"clamp">, k: number): Expr {
  const [x, lo, hi] = [e.args[0]!, e.args[1]!, e.args[2]!];
  if (k === 1) return only(compare("lt", x, lo), a);
  if (k === 2) return only(compare("gt", x, hi), a);
  const above = isOpen(lo) ? null : compare("ge", x, lo);
  const below = isOpen(hi) ? null : compare("le", x, hi);
  if (above !== null && below !== null) return only(compare("and", above, below), a);
  const inside = above ?? below;
  return inside === null ? a : only(inside, a);
}

function isOpen(bound: Expr): boolean {
  return bound.kind === "const" && Math.abs(bound.value) === Infinity;
}

function softmaxShare(a: Expr, e: NodeOf<"softmax">): Expr {
  return b.mul(e, b.sub(a, b.sum(times(a, e), [e.dim], true)));
}

function logSoftmaxShare(a: Expr, e: NodeOf<"softmax">): Expr {
  return b.sub(a, b.mul(b.softmax(e.args[0]!, e.dim), b.sum(a, [e.dim], true)));
}

/** What reduced axes were, put back with size 1 and stretched to the argument's shape. */
function restored(reduced: Expr, e: NodeOf<"reduce">): Expr {
  return b.expand(kept(reduced, e), e.args[0]!.shape);
}

/** A value of the reduction's shape with the reduced axes at size 1, if its position needs them. */
function kept(reduced: Expr, e: NodeOf<"reduce">): Expr {
  const x = e.args[0]!;
  // Leading axes come back by broadcasting alone.
  if (e.keepDims || e.dims.every((d, k) => d === k)) return reduced;
  return b.reshape(
    reduced,
    x.shape.map((axis, d) => (e.dims.includes(d) ? UNIT : axis)),
  );
}

function sharedAmongTies(a: Expr, x: Expr, e: NodeOf<"reduce">): Expr {
  const tied = compare("eq", x, kept(e, e));
  const count = b.sum(b.cast(tied, "float64"), e.dims, true);
  return only(tied, b.div(a, count));
}

/** ∏ over the other entries, right also where entries are zero (a quotient would not be). */
function otherFactors(x: Expr, e: NodeOf<"reduce">): Expr {
  const zero = compare("eq", x, b.ZERO);
  const zeros = b.sum(b.cast(zero, "float64"), e.dims, true);
  const factors = b.where(zero, b.ONE, x);
  const product = b.reduce("prod", factors, e.dims, true);
  const atZero = only(compare("eq", zeros, b.ONE), product);
  const elsewhere = only(compare("eq", zeros, b.ZERO), b.div(product, factors));
  return b.where(zero, atZero, elsewhere);
}

function inverse(perm: readonly number[]): number[] {
  const back: number[] = [];
  perm.forEach((p, d) => (back[p] = d));
  return back;
}

/** The entries of `a` that `part` stands at. */
function taken(a: Expr, part: Expr, dim: number, start: number, step: number): Expr {
  const count = part.shape[dim]!.size;
  const stop = count === null ? null : start + Math.max(count - 1, 0) * step + Math.min(count, 1);
  return b.slice(a, dim, start, stop, step);
}

function offsetOf(e: NodeOf<"concat">, k: number): number {
  return e.args.slice(0, k).reduce((n, part) => n + (part.shape[e.dim]!.size ?? NaN), 0);
}

function sameSizes(s: Shape, t: Shape): boolean {
  return s.every((axis, d) => axis.size === t[d]!.size);
}

/** The sum of `a` over the axes along which an array of shape `shape` was stretched to it. */
export function unbroadcast(a: Expr, shape: Shape): Expr {
  const lead = a.shape.length - shape.length;
  const dropped = lead > 0 ? b.sum(a, [...Array(lead).keys()]) : a;
  const stretched = shape.flatMap((axis, d) =>
    isUnit(axis) && !isUnit(dropped.shape[d]!) ? [d] : [],
  );
  return stretched.length > 0 ? b.sum(dropped, stretched, true) : dropped;
}
