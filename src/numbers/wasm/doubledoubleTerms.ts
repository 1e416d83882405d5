/**
 * Single operations of loops on vectors in double-double, as `../referenceFunctions.ts` defines
 * them. Truth values are masks.
 */
import type { BinaryOp, UnaryOp } from "../../expression/node.ts";
import type { Computation } from "../kernel/loops.ts";
import type { DoubleDoubles, Pair } from "./doubledouble.ts";
import type { Vector } from "./lanes.ts";
import type { Operands } from "./terms.ts";

/** An operation that is not here is left to loops without vectors. */
const UNARY: Partial<Record<UnaryOp, (v: DoubleDoubles, x: Pair) => Pair>> = {
  neg: (v, x) => v.neg(x),
  exp: (v, x) => v.exp(x),
  log: (v, x) => v.log(x),
  sqrt: (v, x) => v.sqrt(x),
  abs: (v, x) =>
    v.choose(v.of("lt", x.hi, v.constant(0)), v.neg(x), { hi: v.of("abs", x.hi), lo: x.lo }),
  sign: (v, { hi }) => {
    const one = v.constant(1);
    const above = v.and(v.of("gt", hi, v.constant(0)), one);
    const below = v.and(v.of("lt", hi, v.constant(0)), one);
    const isZeroOrNaN = v.not(v.of("gt", v.of("abs", hi), v.constant(0)));
    return { hi: v.select(isZeroOrNaN, hi, v.of("sub", above, below)), lo: null };
  },
  sigmoid: (v, x) => v.sigmoid(x),
  softplus: (v, x) => v.softplus(x),
  logsigmoid: (v, x) => v.neg(v.softplus(v.neg(x))),
  relu: (v, x) => {
    const zero = v.constant(0);
    const isPositive = v.of("gt", x.hi, zero);
    return {
      hi: v.of("max", x.hi, zero),
      lo: x.lo === null ? null : v.and(x.lo, isPositive),
    };
  },
};

const ARITHMETIC: Partial<Record<BinaryOp, (v: DoubleDoubles, x: Pair, y: Pair) => Pair>> = {
  add: (v, x, y) => v.add(x, y),
  sub: (v, x, y) => v.sub(x, y),
  mul: (v, x, y) => v.mul(x, y),
  div: (v, x, y) => v.div(x, y),
  max: (v, x, y) => v.larger(x, y),
  min: (v, x, y) => v.larger(x, y, "min"),
};

type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

function isComparison(op: BinaryOp): op is Comparison {
  return ["eq", "ne", "lt", "le", "gt", "ge"].includes(op);
}

/** By the high parts, and where those are equal by the low parts. */
function compared(v: DoubleDoubles, op: Comparison, x: Pair, y: Pair): Vector {
  if (x.lo === null && y.lo === null) return v.of(op, x.hi, y.hi);
  const zero = v.constant(0);
  const low = v.of(op, x.lo ?? zero, y.lo ?? zero);
  const isTie = v.of("eq", x.hi, y.hi);
  if (op === "ne") return v.or(v.of("ne", x.hi, y.hi), low);
  if (op === "eq") return v.and(isTie, low);
  const strict = op === "lt" || op === "le" ? "lt" : "gt";
  return v.or(v.of(strict, x.hi, y.hi), v.and(isTie, low));
}

function power(v: DoubleDoubles, x: Pair, exponent: number | null): Pair | null {
  if (exponent === 0) return v.exact(1);
  if (exponent === null || !Number.isInteger(exponent) || Math.abs(exponent) > 32) return null;
  return v.power(x, exponent);
}

/** Where the high part is whole, the low part decides on which side of it the number is. */
function towardsZero(v: DoubleDoubles, { hi, lo }: Pair): Pair {
  const whole = v.of("trunc", hi);
  if (lo === null) return { hi: whole, lo: null };
  const one = v.constant(1);
  const cut = v.of("trunc", lo);
  const floor = v.of("sub", cut, v.and(v.of("lt", lo, cut), one));
  const ceil = v.of("add", cut, v.and(v.of("gt", lo, cut), one));
  const rest = v.select(v.of("lt", hi, v.constant(0)), ceil, floor);
  const isWhole = v.of("eq", hi, whole);
  return v.add({ hi: whole, lo: null }, { hi: v.and(rest, isWhole), lo: null });
}

/** The computation's result, or null if it is not one that is done here. */
export function pairTerm(v: DoubleDoubles, c: Computation, args: Operands): Vector | null {
  const at = (k: number): Pair => v.pair(args.number(k));
  const done = (result: Pair | null | undefined): Vector | null =>
    result === null || result === undefined ? null : v.joined(result);
  switch (c.kind) {
    case "unary": {
      if (c.op === "not") return v.not(args.truth(0));
      const x = at(0);
      if (c.op === "isnan") return v.of("ne", x.hi, x.hi);
      if (c.op === "isfinite") return v.isFinite(x.hi);
      return done(UNARY[c.op]?.(v, x));
    }
    case "binary": {
      if (c.op === "and") return v.and(args.truth(0), args.truth(1));
      if (c.op === "or") return v.or(args.truth(0), args.truth(1));
      if (c.op === "pow") return done(power(v, at(0), args.literal(1)));
      if (isComparison(c.op)) return compared(v, c.op, at(0), at(1));
      return done(ARITHMETIC[c.op]?.(v, at(0), at(1)));
    }
    case "where":
      return done(v.choose(args.truth(0), at(1), at(2)));
    case "clamp":
      return done(v.larger(v.larger(at(0), at(1)), at(2), "min"));
    case "cast":
      // Casts between types of floating-point numbers keep the mathematical value.
      if (c.to === "bool") return args.truth(0);
      return c.to === "int" ? done(towardsZero(v, at(0))) : args.number(0);
    case "first":
      return null;
  }
}
