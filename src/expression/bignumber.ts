/**
 * Values in mathjs's BigNumber, 64 digits unless asked otherwise: where two expressions are to be
 * told apart, or a derivative to be confirmed, beyond any doubt of rounding.
 */
import { type BigNumber, BigNumberDependencies, create } from "mathjs";
import { type Arithmetic, interpretAll } from "./interpret.ts";
import type { BinaryOp, Expr, UnaryOp } from "./node.ts";

export type { BigNumber };

/** Digits that every operation is rounded to. */
export const DIGITS = 64;

export interface BigBinding {
  readonly shape: readonly number[];
  readonly data: ArrayLike<BigNumber | number>;
}

export interface BigArray {
  readonly shape: number[];
  readonly data: BigNumber[];
}

/**
 * The value of `e` to `digits` digits. A number stands for its shortest decimal: 0.1 is one tenth.
 *
 * @throws ShapeError when an input is not bound, or to an array of another shape.
 */
export function evaluateBig(
  e: Expr,
  bindings: ReadonlyMap<string, BigBinding>,
  digits = DIGITS,
): BigArray {
  return evaluateAllBig([e], bindings, digits)[0]!;
}

/** The values of several expressions; what they share is computed once. */
export function evaluateAllBig(
  roots: readonly Expr[],
  bindings: ReadonlyMap<string, BigBinding>,
  digits = DIGITS,
): BigArray[] {
  const on = arithmetic(digits);
  const bound = new Map(
    [...bindings].map(([name, { shape, data }]) => [
      name,
      { shape, data: Array.from(data, (v) => big(v, digits)) },
    ]),
  );
  return interpretAll(roots, bound, on).map(({ shape, data }) => ({
    shape: [...shape],
    data: Array.from(data),
  }));
}

/** A number of `digits` digits from a double, a decimal or another such number. */
export function big(value: BigNumber | number | string, digits = DIGITS): BigNumber {
  return new (classFor(digits))(value);
}

type BigClass = new (value: BigNumber | number | string) => BigNumber;

const classes = new Map<number, BigClass>();
function classFor(digits: number): BigClass {
  let known = classes.get(digits);
  if (known === undefined) {
    const math = create({ ...BigNumberDependencies }, { number: "BigNumber", precision: digits });
    known = (math as unknown as { readonly BigNumber: BigClass }).BigNumber;
    classes.set(digits, known);
  }
  return known;
}

const arithmetics = new Map<number, Arithmetic<BigNumber>>();
function arithmetic(digits: number): Arithmetic<BigNumber> {
  let known = arithmetics.get(digits);
  if (known === undefined) arithmetics.set(digits, (known = makeArithmetic(classFor(digits))));
  return known;
}

const HALF_EVEN = 6;

/** Values that one function keeps: what is compared is compared at the same points again and again. */
const MOST_REMEMBERED = 20_000;

function remembered(f: (x: BigNumber) => BigNumber): (x: BigNumber) => BigNumber {
  const values = new Map<string, BigNumber>();
  return (x) => {
    const key = x.toString();
    let value = values.get(key);
    if (value === undefined) {
      value = f(x);
      if (values.size >= MOST_REMEMBERED) values.clear();
      values.set(key, value);
    }
    return value;
  };
}

function makeArithmetic(Big: BigClass): Arithmetic<BigNumber> {
  const zero = new Big(0);
  const one = new Big(1);
  const nan = new Big(NaN);
  const truth = (yes: boolean): BigNumber => (yes ? one : zero);
  const exp = remembered((x) => x.exp());
  const ln = remembered((x) => x.ln());
  const logistic = (x: BigNumber): BigNumber => one.div(one.plus(exp(x.neg())));
  /** ln(1 + eˣ), split so that the exponential stays small. */
  const softplus = (x: BigNumber): BigNumber =>
    (x.isNegative() ? zero : x).plus(ln(one.plus(exp(x.abs().neg()))));
  const floorDiv = (x: BigNumber, y: BigNumber): BigNumber => x.div(y).floor();

  const unary: Readonly<Record<UnaryOp, (x: BigNumber) => BigNumber>> = {
    neg: (x) => x.neg(),
    exp,
    log: ln,
    log1p: (x) => ln(one.plus(x)),
    expm1: (x) => exp(x).minus(one),
    sqrt: (x) => x.sqrt(),
    abs: (x) => x.abs(),
    sign: (x) => (x.isNaN() ? nan : x.isZero() ? zero : x.isNegative() ? one.neg() : one),
    sigmoid: logistic,
    logsigmoid: (x) => softplus(x.neg()).neg(),
    softplus,
    tanh: (x) => x.tanh(),
    relu: (x) => (x.isNaN() ? nan : x.greaterThan(zero) ? x : zero),
    cosh: (x) => x.cosh(),
    sinh: (x) => x.sinh(),
    sin: (x) => x.sin(),
    cos: (x) => x.cos(),
    round: (x) => x.toDecimalPlaces(0, HALF_EVEN),
    floor: (x) => x.floor(),
    ceil: (x) => x.ceil(),
    not: (x) => truth(x.isZero()),
    isnan: (x) => truth(x.isNaN()),
    isfinite: (x) => truth(x.isFinite()),
  };
  const binary: Readonly<Record<BinaryOp, (x: BigNumber, y: BigNumber) => BigNumber>> = {
    add: (x, y) => x.plus(y),
    sub: (x, y) => x.minus(y),
    mul: (x, y) => x.times(y),
    div: (x, y) => x.div(y),
    pow: (x, y) => (x.equals(one) ? one : x.pow(y)),
    max: (x, y) => (x.isNaN() || y.isNaN() ? nan : x.greaterThanOrEqualTo(y) ? x : y),
    min: (x, y) => (x.isNaN() || y.isNaN() ? nan : x.lessThanOrEqualTo(y) ? x : y),
    mod: (x, y) => x.minus(y.times(floorDiv(x, y))),
    floordiv: floorDiv,
    eq: (x, y) => truth(x.equals(y)),
    ne: (x, y) => truth(!x.equals(y)),
    lt: (x, y) => truth(x.lessThan(y)),
    le: (x, y) => truth(x.lessThanOrEqualTo(y)),
    gt: (x, y) => truth(x.greaterThan(y)),
    ge: (x, y) => truth(x.greaterThanOrEqualTo(y)),
    and: (x, y) => truth(!x.isZero() && !y.isZero()),
    or: (x, y) => truth(!x.isZero() || !y.isZero()),
  };
  return {
    of: (value) => new Big(value),
    unary: (op, x) => unary[op](x),
    binary: (op, x, y) => binary[op](x, y),
    truthy: (x) => !x.isZero(),
    isNaN: (x) => x.isNaN(),
    toNumber: (x) => x.toNumber(),
  };
}
