/**
 * Exact fractions of whole numbers of any length. Constants of expressions are decimals somebody
 * wrote, so a double stands for its shortest decimal: 0.1 is 1/10, 1e-7 is 1/10⁷.
 */
import { spend } from "./effort.ts";
import { type Arithmetic, type NumericArray, interpretAll } from "./interpret.ts";
import type { BinaryOp, Expr, UnaryOp } from "./node.ts";
import { topological } from "./walk.ts";

/** Lowest terms, positive denominator. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

export const R0: Rational = { n: 0n, d: 1n };
export const R1: Rational = { n: 1n, d: 1n };
export const RM1: Rational = { n: -1n, d: 1n };

/** Thrown where a value is no fraction: a division by zero, an irrational operation. */
export class NotRational extends Error {
  override readonly name = "NotRational";
}

export function rational(n: bigint, d: bigint): Rational {
  if (d === 0n) throw new NotRational("division by zero");
  const g = gcd(n < 0n ? -n : n, d < 0n ? -d : d);
  const s = d < 0n ? -g : g;
  return s === 1n ? { n, d } : { n: n / s, d: d / s };
}

/** The decimal that `value` prints as. @throws NotRational for NaN and infinities. */
export function toRational(value: number): Rational {
  if (Number.isSafeInteger(value)) return { n: BigInt(value), d: 1n };
  if (!Number.isFinite(value)) throw new NotRational(String(value));
  const [mantissa, exponent] = value.toExponential().split("e");
  const [whole, fraction = ""] = mantissa!.split(".");
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(`${whole!}${fraction}`);
  return power >= 0
    ? { n: digits * 10n ** BigInt(power), d: 1n }
    : rational(digits, 10n ** BigInt(-power));
}

/** The double that prints as exactly this decimal; `null` where there is none (such as 1/3). */
export function toNumber(r: Rational): number | null {
  const places = decimalPlaces(r.d);
  if (places === null) return null;
  const value = Number(`${(r.n * 10n ** BigInt(places)) / r.d}e-${places}`);
  return Number.isFinite(value) && equal(toRational(value), r) ? value : null;
}

/** Digits after the point of a fraction with this denominator; `null` where they never end. */
function decimalPlaces(d: bigint): number | null {
  const twos = timesDividing(d, 2n);
  const fives = timesDividing(twos.rest, 5n);
  return fives.rest === 1n ? Math.max(twos.count, fives.count) : null;
}

function timesDividing(n: bigint, prime: bigint): { count: number; rest: bigint } {
  let [count, rest] = [0, n];
  for (; rest % prime === 0n; count++) rest /= prime;
  return { count, rest };
}

export function equal(a: Rational, b: Rational): boolean {
  return a.n === b.n && a.d === b.d;
}
export function plus(a: Rational, b: Rational): Rational {
  return a.d === b.d ? rational(a.n + b.n, a.d) : rational(a.n * b.d + b.n * a.d, a.d * b.d);
}
export function times(a: Rational, b: Rational): Rational {
  return rational(a.n * b.n, a.d * b.d);
}
export function negate(a: Rational): Rational {
  return { n: -a.n, d: a.d };
}
export function invert(a: Rational): Rational {
  return rational(a.d, a.n);
}
export function power(a: Rational, exponent: number): Rational {
  const base = exponent < 0 ? invert(a) : a;
  const k = BigInt(Math.abs(exponent));
  return { n: base.n ** k, d: base.d ** k };
}

function gcd(a: bigint, b: bigint): bigint {
  let steps = 0;
  for (; b !== 0n; steps++) [a, b] = [b, a % b];
  spend(steps / 2);
  return a;
}

/** Whether `e` is a rational function of its inputs: only + − × ÷ and whole literal powers. */
export function isRationalFunction(e: Expr): boolean {
  return topological(e).every((node) => {
    switch (node.kind) {
      case "unary":
        return node.op === "neg";
      case "binary":
        if (node.op === "pow") return isWholePower(node.args[1]!);
        return node.op === "add" || node.op === "sub" || node.op === "mul" || node.op === "div";
      case "reduce":
        return node.op === "sum" || node.op === "mean" || node.op === "prod";
      case "const":
        return Number.isFinite(node.value);
      case "cast":
        return node.type === "float";
      case "where":
      case "clamp":
      case "argReduce":
      case "softmax":
      case "oneHot":
        return false;
      default:
        return true;
    }
  });
}

function isWholePower(e: Expr): boolean {
  return e.kind === "const" && Number.isInteger(e.value) && Math.abs(e.value) <= 16;
}

/**
 * The exact values of rational functions (`isRationalFunction`) over exact inputs.
 * @throws NotRational at a division by zero.
 */
export function evaluateRational(
  roots: readonly Expr[],
  bindings: ReadonlyMap<string, NumericArray<Rational>>,
): NumericArray<Rational>[] {
  return interpretAll(roots, bindings, exact);
}

const exact: Arithmetic<Rational> = {
  of: toRational,
  unary: (op: UnaryOp, x) => {
    if (op === "neg") return negate(x);
    throw new NotRational(op);
  },
  binary: (op: BinaryOp, x, y) => {
    switch (op) {
      case "add":
        return plus(x, y);
      case "sub":
        return plus(x, negate(y));
      case "mul":
        return times(x, y);
      case "div":
        return times(x, invert(y));
      case "pow":
        return power(x, Number(y.n));
      default:
        throw new NotRational(op);
    }
  },
  truthy: (x) => x.n !== 0n,
  isNaN: () => false,
  toNumber: (x) => Number(x.n) / Number(x.d),
};
