/**
 * Values in float64: the plain reference for kernels and tests. Sums run left to right; casts to
 * a float type keep the mathematical value (rounding to a stored precision is the kernels' task).
 */
import { type Arithmetic, interpret, interpretAll } from "./interpret.ts";
import type { BinaryOp, Expr, UnaryOp } from "./node.ts";

export interface BoundArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface EvaluatedArray {
  readonly shape: number[];
  readonly data: Float64Array;
}

/**
 * The value of `e` in float64. Inputs come from `bindings` by name; a scalar bound under a
 * parameter's name replaces its value. Axes of unknown size take theirs from the bound arrays.
 *
 * @throws ShapeError when an input is not bound, or to an array of another shape.
 */
export function evaluate(e: Expr, bindings: ReadonlyMap<string, BoundArray>): EvaluatedArray {
  const { shape, data } = interpret(e, bindings, float64);
  return { shape: [...shape], data: Float64Array.from(data) };
}

/** The values of several expressions; what they share is computed once. */
export function evaluateAll(
  roots: readonly Expr[],
  bindings: ReadonlyMap<string, BoundArray>,
): EvaluatedArray[] {
  return interpretAll(roots, bindings, float64).map(({ shape, data }) => ({
    shape: [...shape],
    data: Float64Array.from(data),
  }));
}

/** Functions of one number in float64. */
export const unaryFunctions: Readonly<Record<UnaryOp, (x: number) => number>> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  expm1: Math.expm1,
  sqrt: Math.sqrt,
  abs: Math.abs,
  sign: Math.sign,
  // Written so that no power overflows: the argument of exp is never positive.
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  logsigmoid: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  cosh: Math.cosh,
  sinh: Math.sinh,
  sin: Math.sin,
  cos: Math.cos,
  round: roundHalfEven,
  floor: Math.floor,
  ceil: Math.ceil,
  not: (x) => (x === 0 ? 1 : 0),
  isnan: (x) => (Number.isNaN(x) ? 1 : 0),
  isfinite: (x) => (Number.isFinite(x) ? 1 : 0),
};

const binary: Readonly<Record<BinaryOp, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  pow,
  max: Math.max,
  min: Math.min,
  // Python's: the sign of the divisor.
  mod: (x, y) => {
    const r = x % y;
    return r !== 0 && r < 0 !== y < 0 ? r + y : r;
  },
  floordiv: (x, y) => Math.floor(x / y),
  eq: (x, y) => (x === y ? 1 : 0),
  ne: (x, y) => (x !== y ? 1 : 0),
  lt: (x, y) => (x < y ? 1 : 0),
  le: (x, y) => (x <= y ? 1 : 0),
  gt: (x, y) => (x > y ? 1 : 0),
  ge: (x, y) => (x >= y ? 1 : 0),
  and: (x, y) => (x !== 0 && y !== 0 ? 1 : 0),
  or: (x, y) => (x !== 0 || y !== 0 ? 1 : 0),
};

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  // Negated twice, so that -0.5 becomes -0.
  return below % 2 === 0 ? below : -(-below - 1);
}

/** IEEE 754 pow. JavaScript's gives NaN where the base is ±1 and the exponent not finite. */
function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return x ** y;
}

export const float64: Arithmetic<number> = {
  of: (value) => value,
  unary: (op, x) => unaryFunctions[op](x),
  binary: (op, x, y) => binary[op](x, y),
  truthy: (x) => x !== 0,
  isNaN: (x) => Number.isNaN(x),
  toNumber: (x) => x,
};
