/**
 * Constants and tables for double-double functions, computed with whole numbers of 256 bits when
 * they are first needed: cheaper to check than long literals, and under 3 ms.
 */

const BITS = 256n;
const ONE = 1n << BITS;

/** The nearest float64 to a fixed-point number. */
function nearest(x: bigint): number {
  let m = x < 0n ? -x : x;
  let exponent = -Number(BITS);
  // Cut to about 64 bits, with what is lost marked in the last, so that one rounding remains.
  const excess = BigInt(4 * m.toString(16).length - 64);
  if (excess > 0n) {
    const lost = (m & ((1n << excess) - 1n)) !== 0n;
    m = (m >> excess) | (lost ? 1n : 0n);
    exponent += Number(excess);
  }
  const value = Number(m) * 2 ** exponent;
  return x < 0n ? -value : value;
}

/** High and low part of a fixed-point number. */
function split(x: bigint): [number, number] {
  const high = nearest(x);
  return [high, nearest(x - fixed(high))];
}

/** A float64 in fixed point; bits below 2^-256 are dropped. */
export function fixed(x: number): bigint {
  if (x === 0) return 0n;
  const exponent = Math.max(-1074, Math.floor(Math.log2(Math.abs(x))) - 53);
  const m = BigInt(x / 2 ** exponent);
  const shift = BigInt(exponent) + BITS;
  return shift >= 0n ? m << shift : m >> -shift;
}

/** e^x for a small fixed-point x, by its series. */
function fixedExp(x: bigint): bigint {
  let sum = ONE;
  let term = ONE;
  for (let n = 1n; term !== 0n && n < 200n; n++) {
    term = (term * x) / ONE / n;
    sum += term;
  }
  return sum;
}

/** 2·artanh(p/q) = log((q + p)/(q − p)). */
function fixedLog(p: bigint, q: bigint): bigint {
  let sum = 0n;
  let power = (p * ONE) / q;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power = (power * p * p) / (q * q);
  }
  return 2n * sum;
}

/** arctan(1/n), for Machin's formula for π; `one` is the fixed-point unit. */
function fixedArctan(n: bigint, one: bigint): bigint {
  let sum = 0n;
  let power = one / n;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += k % 4n === 1n ? power / k : -power / k;
    power /= n * n;
  }
  return sum;
}

/** π as a whole number of units 2^-bits. */
export function piTimes2To(bits: number): bigint {
  const guard = 32n;
  const one = 1n << (BigInt(bits) + guard);
  return (4n * (4n * fixedArctan(5n, one) - fixedArctan(239n, one))) >> guard;
}

/** A number in parts that hold `bits` bits each and one more, so that small multiples are exact. */
function parts(x: bigint, bits: number, count: number): number[] {
  const out: number[] = [];
  let rest = x;
  for (let k = 0; k < count; k++) {
    const drop = BigInt(Math.max(0, (rest < 0n ? -rest : rest).toString(2).length - bits));
    const part = (rest >> drop) << drop;
    out.push(nearest(part));
    rest -= part;
  }
  out.push(nearest(rest));
  return out;
}

export interface Table {
  readonly high: Float64Array;
  readonly low: Float64Array;
}

function table(values: readonly bigint[]): Table {
  const both = values.map(split);
  return {
    high: Float64Array.from(both, (v) => v[0]),
    low: Float64Array.from(both, (v) => v[1]),
  };
}

/** e^(k·x), k = −half … half: each from the one before, in numbers long enough for that. */
function expLadder(x: bigint, half: number): bigint[] {
  const up = fixedExp(x);
  const down = fixedExp(-x);
  const ladder = [ONE];
  for (let k = 0; k < half; k++) {
    ladder.push((ladder.at(-1)! * up) >> BITS);
    ladder.unshift((ladder[0]! * down) >> BITS);
  }
  return ladder;
}

/** log(k/n), k = from … to: the next is log((k + 1)/k) more. */
function logLadder(n: number, from: number, to: number): bigint[] {
  const ladder = [fixedLog(BigInt(from - n), BigInt(from + n))];
  for (let k = from; k < to; k++) {
    ladder.push(ladder.at(-1)! + fixedLog(1n, BigInt(2 * k + 1)));
  }
  return ladder;
}

/** Halves of the tables' ranges: entry k stands at index k + half. */
export const COARSE_HALF = 23;
export const FINE_HALF = 33;
export const FINE_LOG_HALF = 48;
/** log(c/64) stands at index c − LOG_FIRST. */
export const LOG_FIRST = 44;
const LOG_LAST = 92;

export interface Tables {
  /** ln 2 in three parts; multiples of the first two by whole numbers up to 2^12 are exact. */
  readonly ln2: readonly number[];
  /** π/2 in four parts; multiples of the first two by whole numbers up to 2^20 are exact. */
  readonly halfPi: readonly number[];
  /** e^(k/64) and e^(k/64) − 1. */
  readonly coarse: Table;
  readonly coarseLess1: Table;
  /** e^(k/4096) and e^(k/4096) − 1. */
  readonly fine: Table;
  readonly fineLess1: Table;
  /** e^(k/2^18). */
  readonly finest: Table;
  /** log(c/64). */
  readonly logs: Table;
  /** log(1 + k/4096). */
  readonly fineLogs: Table;
}

let known: Tables | null = null;

export function tables(): Tables {
  if (known !== null) return known;
  const ln2 = fixedLog(1n, 3n);
  const pi = piTimes2To(Number(BITS));
  const coarse = expLadder(ONE / 64n, COARSE_HALF);
  const fine = expLadder(ONE / 4096n, FINE_HALF);
  known = {
    ln2: parts(ln2, 40, 2),
    halfPi: parts(pi / 2n, 32, 3),
    coarse: table(coarse),
    coarseLess1: table(coarse.map((e) => e - ONE)),
    fine: table(fine),
    fineLess1: table(fine.map((e) => e - ONE)),
    finest: table(expLadder(ONE / 262144n, FINE_HALF)),
    fineLogs: table(logLadder(4096, 4096 - FINE_LOG_HALF, 4096 + FINE_LOG_HALF)),
    logs: table(logLadder(64, LOG_FIRST, LOG_LAST)),
  };
  return known;
}

/** 2^(k − 1023), k = 0 … 2046: looked up because `**` costs as much as ten products. */
export const POWERS_OF_TWO = Float64Array.from({ length: 2047 }, (_, k) => 2 ** (k - 1023));

/** log(1 + k/n) for k = 0 … n, correctly rounded. */
export function logsOfRatios(n: number): Float64Array {
  return Float64Array.from(logLadder(n, n, 2 * n), nearest);
}

/** 2^(k/n) for k = 0 … n − 1, correctly rounded. */
export function rootsOfTwo(n: number): Float64Array {
  return Float64Array.from(expLadder(fixedLog(1n, 3n) / BigInt(n), n - 1).slice(n - 1), nearest);
}
