/**
 * exp, and log(1 + e) for 0 ≤ e ≤ 1, by tables and polynomials, as statements that generated code
 * contains in place: calls of `Math.exp` and `Math.log1p` cost two to three times as much, and
 * their values depend on the engine.
 *
 * exp: x = (64 k + j)·ln2/64 + r with |r| ≤ ln2/128; e^x = 2^k · 2^(j/64) · (1 + p(r)), with the
 * Taylor polynomial of degree 5 (relative error below 4e-17). Within 1.25 ulp.
 *
 * log(1 + e): with c = 1 + j/128 next to 1 + e, log(1 + e) = log c + log(1 + r), r = (1 + e − c)/c,
 * |r| ≤ 1/256, and the Taylor polynomial of degree 7 (relative error below 2e-18). Within 2 ulp; next
 * to 0 c is 1, so that a small e keeps its bits.
 */
import { POWERS_OF_TWO, logsOfRatios, rootsOfTwo } from "../doubledoubleTables.ts";

/** Arguments of this absolute value or more are left to `Math.exp`: results get subnormal. */
export const EXP_LIMIT = 708;

/** 64/ln 2. */
const INVERSE = 92.33248261893498;
/** ln 2/64 in two parts; the first has 32 trailing zero bits, so that n times it is exact. */
const STEP_HIGH = 6.9314718036912381649e-1 / 64;
const STEP_LOW = 1.90821492927058770002e-10 / 64;
/** Adding and taking away this number rounds to a whole one. */
const ROUND = 1.5 * 2 ** 52;

let known: Readonly<Record<string, Float64Array>> | null = null;

/** The tables by the names that statements know them by; made when first needed. */
export function tables(): Readonly<Record<string, Float64Array>> {
  known ??= {
    /** 2^(j/64), j = 0 … 63. */
    roots: rootsOfTwo(64),
    /** 2^(k − 1023), k = 0 … 2046. */
    powers: POWERS_OF_TWO,
    /** log(1 + j/128) and 1/(1 + j/128), j = 0 … 128. */
    logs: logsOfRatios(128),
    inverses: Float64Array.from({ length: 129 }, (_, j) => 128 / (128 + j)),
  };
  return known;
}

/** Defines `to` as exp(`x`) for |x| < EXP_LIMIT. `x` must be a variable or a literal. */
export function expStatements(to: string, x: string): string {
  return (
    `const n = ${x} * ${INVERSE} + ${ROUND} - ${ROUND}, k = n | 0, ` +
    `r = ${x} - n * ${STEP_HIGH} - n * ${STEP_LOW}, w = roots[k & 63], ` +
    `${to} = (w + w * (r + r * r * (0.5 + r * (${1 / 6} + r * (${1 / 24} + r * ${1 / 120}))))) ` +
    `* powers[(k >> 6) + 1023];`
  );
}

/** Defines `to` as log(1 + `e`) for 0 ≤ e ≤ 1. `e` must be a variable. */
export function log1pStatements(to: string, e: string): string {
  const p = `q * q * (-0.5 + q * (${1 / 3} + q * (-0.25 + q * (0.2 + q * (${-1 / 6} + q * ${1 / 7})))))`;
  return (
    `const j = ${e} * 128 + 0.5 | 0, q = (${e} - j * ${1 / 128}) * inverses[j], ` +
    `${to} = logs[j] + (q + ${p});`
  );
}

type Unary = (x: number) => number;

/** A function that computes what statements in generated code compute; made when first called. */
function compiled(statements: string): Unary {
  let made: Unary | null = null;
  const make = (): Unary =>
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- made of constants only
    new Function(...Object.keys(tables()), `return function (x) { ${statements} return y; };`)(
      ...Object.values(tables()),
    ) as Unary;
  return (x) => (made ??= make())(x);
}

const insideExp = compiled(expStatements("y", "x"));
const insideLog1p = compiled(log1pStatements("y", "x"));

/** exp as generated code computes it. */
export function exponential(x: number): number {
  return Math.abs(x) < EXP_LIMIT ? insideExp(x) : Math.exp(x);
}

/** 1/(1 + e^-x). */
export function sigmoid(x: number): number {
  // e^-x overflows below -709, where the quotient is e^x to the last bit.
  return x < -EXP_LIMIT ? Math.exp(x) : 1 / (1 + exponential(-x));
}

/** log(1 + e^x). */
export function softplus(x: number): number {
  const e = exponential(-Math.abs(x));
  return Math.max(x, 0) + (e >= 0 ? insideLog1p(e) : e);
}

/** log(1/(1 + e^-x)). */
export function logsigmoid(x: number): number {
  return -softplus(-x);
}
