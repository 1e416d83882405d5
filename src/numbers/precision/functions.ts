/**
 * Functions of one number, and operators of two, as PyTorch's CPU kernels round them. Half precision
 * is computed in float32 and rounded to the type. Each is exact or correctly rounded except where
 * its comment says otherwise.
 */
import { unaryFunctions } from "../../expression/evaluate.ts";
import type { BinaryOp, UnaryOp } from "../../expression/node.ts";
import type { ElementType } from "../../expression/tape.ts";
import { mod, pow, roundHalfEven } from "../kernel/scalar.ts";
import { arithmeticRounder, isHalf } from "./held.ts";
import { type BinaryFunction, type UnaryFunction, roundedBinary, roundedUnary } from "./loops.ts";

const { fround } = Math;

/** As everywhere, except where PyTorch's kernels go another way to the last digit or at NaN and -0. */
const EXACT: Readonly<Record<UnaryOp, (x: number) => number>> = {
  ...unaryFunctions,
  sign: (x) => (x === 0 ? 0 : Math.sign(x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  softplus: (x) => (x > 20 ? x : Math.log1p(Math.exp(x))),
  relu: (x) => (x < 0 ? 0 : x),
  round: roundHalfEven,
};

/** In float32, step by step where PyTorch's kernel has steps. */
const SINGLE: Partial<Readonly<Record<UnaryOp, (x: number) => number>>> = {
  sigmoid: (x) => fround(1 / fround(1 + fround(Math.exp(-x)))),
  logsigmoid: (x) => fround(Math.min(x, 0) - fround(Math.log1p(fround(Math.exp(-Math.abs(x)))))),
  softplus: (x) => (x > 20 ? x : fround(Math.log1p(fround(Math.exp(x))))),
};

/** A unary function as an array of `dtype` computes it. */
export function unaryFunction(op: UnaryOp, dtype: ElementType): UnaryFunction {
  const own = dtype === "float64" ? undefined : SINGLE[op];
  return roundedUnary(own ?? EXACT[op], arithmeticRounder(dtype));
}

const OPERATORS: Readonly<Record<BinaryOp, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  pow,
  max: (x, y) => Math.max(x, y),
  min: (x, y) => Math.min(x, y),
  mod,
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

/** Operators whose result is a truth value. */
export const COMPARISONS: ReadonlySet<BinaryOp> = new Set<BinaryOp>([
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "and",
  "or",
]);

/** A binary operator as arrays of `dtype` compute it. */
export function binaryFunction(op: BinaryOp, dtype: ElementType): BinaryFunction {
  const f = OPERATORS[op];
  return COMPARISONS.has(op) ? f : roundedBinary(f, arithmeticRounder(dtype), op);
}

/**
 * `x ** p` for a Python number p. PyTorch has kernels of their own for some powers: a cube in
 * bfloat16 and float32 is two products, each rounded.
 */
export function powerFunction(p: number, dtype: ElementType): UnaryFunction {
  const round = arithmeticRounder(dtype);
  const inSteps = dtype !== "float16";
  switch (p) {
    case 0.5:
      return roundedUnary(Math.sqrt, round);
    case 2:
      return roundedUnary((x) => x * x, round);
    case 3:
      return inSteps ? (x) => round(round(x * x) * x) : (x) => round(x ** 3);
    case -2:
      return inSteps ? (x) => round(1 / round(x * x)) : (x) => round(x ** -2);
    case -1:
      return roundedUnary((x) => 1 / x, round);
    case -0.5:
      return dtype === "float32"
        ? (x) => fround(1 / fround(Math.sqrt(x)))
        : (x) => round(1 / Math.sqrt(x));
    default: {
      const exponent = round(p);
      return roundedUnary((x) => pow(x, exponent), round);
    }
  }
}

/** Entries that PyTorch's loops over contiguous float32 arrays take at once: two vectors. */
export const singleBlock = (vectorBytes: number): number => (2 * vectorBytes) / 4;

/** The powers that {@link powerFunction} has steps of its own for. */
const OWN_STEPS: ReadonlySet<number> = new Set([0.5, 2, 3, -2, -1, -0.5]);

/**
 * `x ** p` for a Python number p and the entries of a float32 array that do not fill a block, a
 * lone number among them: they keep the exponent in float64, where whole blocks, and half
 * precision everywhere, round it to the type first.
 */
export function powerFunctionOfRest(p: number): (x: number) => number {
  return OWN_STEPS.has(p) ? powerFunction(p, "float32") : (x) => fround(pow(x, p));
}

/** What a product or quotient takes its right side for: unrounded where it is one half-precision number. */
export function scalarRounder(dtype: ElementType): (x: number) => number {
  return isHalf(dtype) ? fround : arithmeticRounder(dtype);
}
