/**
 * exp by table and polynomial, written so that generated code contains it in place: a call of
 * `Math.exp` costs twice as much, and its value depends on the engine.
 *
 * x = (64 k + j)·ln2/64 + r with |r| ≤ ln2/128, and exp(x) = 2^k · 2^(j/64) · (1 + p(r)), where p is
 * the Taylor polynomial of degree 5 (relative error below 4e-17). Result within 1 ulp.
 */

import { POWERS_OF_TWO, rootsOfTwo } from "../doubledoubleTables.ts";

/** Arguments of this absolute value or more are left to `Math.exp`: results get subnormal. */
export const EXP_LIMIT = 708;

/** 64/ln 2. */
const INVERSE = 92.33248261893498;
/** ln 2/64 in two parts; the first has 32 trailing zero bits, so that n times it is exact. */
const STEP_HIGH = 6.9314718036912381649e-1 / 64;
const STEP_LOW = 1.90821492927058770002e-10 / 64;
/** Adding and taking away this number rounds to a whole one. */
const ROUND = 1.5 * 2 ** 52;

/** 2^(j/64), j = 0 … 63. */
export const expRoots = rootsOfTwo(64);
/**
 * Statements that define `to` as exp(`x`), for |x| < EXP_LIMIT, in code where `roots` and `powers`
 * are the tables. `x` must be a variable or a literal.
 */
export function expStatements(to: string, x: string): string {
  return (
    `const n = ${x} * ${INVERSE} + ${ROUND} - ${ROUND}, k = n | 0, ` +
    `r = ${x} - n * ${STEP_HIGH} - n * ${STEP_LOW}, w = roots[k & 63], ` +
    `${to} = (w + w * (r + r * r * (0.5 + r * (${1 / 6} + r * (${1 / 24} + r * ${1 / 120}))))) ` +
    `* powers[(k >> 6) + 1023];`
  );
}

/** exp as generated code computes it. */
export function exponential(x: number): number {
  if (!(Math.abs(x) < EXP_LIMIT)) return Math.exp(x);
  const n = x * INVERSE + ROUND - ROUND;
  const k = n | 0;
  const r = x - n * STEP_HIGH - n * STEP_LOW;
  const w = expRoots[k & 63]!;
  const p = r + r * r * (0.5 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120))));
  return (w + w * p) * POWERS_OF_TWO[(k >> 6) + 1023]!;
}

/** 1/(1 + e^-x) where generated code does not compute it itself. */
export function sigmoidOutside(x: number): number {
  // e^-x overflows below -709, where the quotient is e^x to the last bit.
  return x < -EXP_LIMIT ? Math.exp(x) : 1 / (1 + Math.exp(-x));
}
