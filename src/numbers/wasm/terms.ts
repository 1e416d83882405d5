/** Single operations of loops on vectors. Truth values are masks: all bits of a lane, or none. */
import type { ArgReduce, BinaryOp, UnaryOp } from "../../expression/node.ts";
import type { Computation } from "../kernel/loops.ts";
import * as elementary from "./elementary.ts";
import type { Lanes, Vector } from "./lanes.ts";
import { SIMD } from "./opcodes.ts";

/** An operand, as a number in each lane or as a mask. */
export interface Operands {
  readonly number: (k: number) => Vector;
  readonly truth: (k: number) => Vector;
  /** The value of a literal, else null. */
  readonly literal: (k: number) => number | null;
  readonly count: number;
}

type UnaryTerm = (v: Lanes, x: Vector) => Vector;

const imported =
  (name: string): UnaryTerm =>
  (v, x) =>
    v.imported(name, [x]);

const UNARY: Readonly<Record<Exclude<UnaryOp, "not">, UnaryTerm>> = {
  neg: (v, x) => v.of("neg", x),
  exp: elementary.exp,
  log: elementary.log,
  log1p: elementary.log1p,
  expm1: elementary.expm1,
  sqrt: (v, x) => v.of("sqrt", x),
  abs: (v, x) => v.of("abs", x),
  sign,
  sigmoid: elementary.sigmoid,
  logsigmoid: elementary.logsigmoid,
  softplus: elementary.softplus,
  tanh: elementary.tanh,
  // 0 is added for the sake of −0.
  relu: (v, x) => v.of("add", v.of("pmax", x, v.constant(0)), v.constant(0)),
  cosh: imported("cosh"),
  sinh: imported("sinh"),
  sin: imported("sin"),
  cos: imported("cos"),
  round: (v, x) => v.of("nearest", x),
  floor: (v, x) => v.of("floor", x),
  ceil: (v, x) => v.of("ceil", x),
  isnan: (v, x) => v.of("ne", x, x),
  isfinite: (v, x) => v.of("eq", v.of("sub", x, x), v.constant(0)),
};

type BinaryTerm = (v: Lanes, x: Vector, y: Vector) => Vector;

const BINARY: Readonly<Record<Exclude<BinaryOp, "and" | "or">, BinaryTerm>> = {
  add: (v, x, y) => v.of("add", x, y),
  sub: (v, x, y) => v.of("sub", x, y),
  mul: (v, x, y) => v.of("mul", x, y),
  div: (v, x, y) => v.of("div", x, y),
  pow: (v, x, y) => v.imported("pow", [x, y]),
  max: (v, x, y) => extreme(v, "pmax", x, y),
  min: (v, x, y) => extreme(v, "pmin", x, y),
  mod: (v, x, y) => v.imported("mod", [x, y]),
  floordiv: (v, x, y) => v.of("floor", v.of("div", x, y)),
  eq: (v, x, y) => v.of("eq", x, y),
  ne: (v, x, y) => v.of("ne", x, y),
  lt: (v, x, y) => v.of("lt", x, y),
  le: (v, x, y) => v.of("le", x, y),
  gt: (v, x, y) => v.of("gt", x, y),
  ge: (v, x, y) => v.of("ge", x, y),
};

/**
 * The larger or smaller of two numbers, NaN if one is. Of two zeros it is either, as in NumPy; the
 * instruction that orders them takes eight of the processor's.
 */
export function extreme(v: Lanes, op: "pmax" | "pmin", x: Vector, y: Vector): Vector {
  return v.or(v.of(op, x, y), v.of("ne", y, y));
}

function sign(v: Lanes, x: Vector): Vector {
  const [zero, one] = [v.constant(0), v.constant(1)];
  const above = v.and(v.of("gt", x, zero), one);
  const below = v.and(v.of("lt", x, zero), one);
  return v.select(v.of("eq", x, x), v.of("sub", above, below), x);
}

/** A number beside which neither NaN nor the sign of 0 needs care. */
function isBound(literal: number | null): literal is number {
  return literal !== null && Math.fround(literal) !== 0 && !Number.isNaN(literal);
}

/** The larger or smaller of a value and a literal; null where neither is a literal. */
function withBound(v: Lanes, op: "max" | "min", args: Operands): Vector | null {
  const at = [0, 1].find((k) => args.literal(k) !== null);
  if (at === undefined) return null;
  const [x, bound] = [args.number(1 - at), args.literal(at)!];
  if (!isBound(bound)) return v.of(op, args.number(0), args.number(1));
  return op === "max" ? v.between(x, bound, Infinity) : v.between(x, -Infinity, bound);
}

/** Small whole exponents as products, which are faster and as exact. */
function power(v: Lanes, x: Vector, exponent: number): Vector {
  const square = (): Vector => v.of("mul", x, x);
  const inverse = (y: Vector): Vector => v.of("div", v.constant(1), y);
  switch (exponent) {
    case 0:
      return v.constant(1);
    case 1:
      return x;
    case 2:
      return square();
    case 3:
      return v.of("mul", square(), x);
    case 4: {
      const s = square();
      return v.of("mul", s, s);
    }
    case -1:
      return inverse(x);
    case -2:
      return inverse(square());
    default:
      return v.imported("pow", [x, v.constant(exponent)]);
  }
}

/** Position of the first largest or smallest operand, of the first NaN if there is one. */
function first(v: Lanes, op: ArgReduce["op"], args: Operands): Vector {
  let best = args.number(0);
  let position = v.constant(0);
  for (let k = 1; k < args.count; k++) {
    const x = args.number(k);
    const isFirstNaN = v.and(v.of("ne", x, x), v.of("eq", best, best));
    const wins = v.or(v.of(op === "argmax" ? "gt" : "lt", x, best), isFirstNaN);
    best = v.select(wins, x, best);
    position = v.select(wins, v.constant(k), position);
  }
  return position;
}

/** The computation's result, or null if it is not one that vectors have. */
export function term(v: Lanes, c: Computation, args: Operands, roundCasts: boolean): Vector | null {
  switch (c.kind) {
    case "unary":
      if (c.op === "not") return v.not(args.truth(0));
      if (c.op === "exp" && c.ofNonPositive === true) {
        return elementary.expOfNonPositive(v, args.number(0));
      }
      return UNARY[c.op](v, args.number(0));
    case "binary": {
      if (c.op === "and") return v.and(args.truth(0), args.truth(1));
      if (c.op === "or") return v.or(args.truth(0), args.truth(1));
      const exponent = c.op === "pow" ? args.literal(1) : null;
      if (exponent !== null) return power(v, args.number(0), exponent);
      if (c.op === "max" || c.op === "min") {
        const bounded = withBound(v, c.op, args);
        if (bounded !== null) return bounded;
      }
      return BINARY[c.op](v, args.number(0), args.number(1));
    }
    case "where":
      return v.select(args.truth(0), args.number(1), args.number(2));
    case "clamp": {
      const [low, high] = [args.literal(1), args.literal(2)];
      const x = args.number(0);
      if (isBound(low) && isBound(high)) return v.between(x, low, high);
      const raised = low === -Infinity ? x : v.of("max", x, args.number(1));
      return high === Infinity ? raised : v.of("min", raised, args.number(2));
    }
    case "cast":
      if (c.to === "bool") return args.truth(0);
      if (c.to === "int") return v.of("trunc", args.number(0));
      if (!roundCasts || c.to === "float64") return args.number(0);
      if (c.to !== "float32") return v.imported(c.to, [args.number(0)]);
      if (v.type === "float32") return args.number(0);
      return v.raw(SIMD.f64x2PromoteLow, v.raw(SIMD.f32x4DemoteF64x2, args.number(0)));
    case "first":
      return first(v, c.op, args);
  }
}
