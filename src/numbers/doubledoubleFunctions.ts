/**
 * Elementary functions in double-double. Conventions as in `doubledouble.ts`.
 *
 * Relative error at most 1e-30 (about 2^-99.6), and mostly below 1e-31, where the result is above
 * 1e-290; the tests compare with 64-digit arithmetic. The exceptions: `powDD` with an exponent that
 * is not a small whole number or ½ loses as many units as |y·log x| is large, up to 1e-28; `sinDD`
 * and `cosDD` have that error relative to their own value except next to a multiple of π/2, where
 * an absolute error of 1e-32 remains for double-double (not float64) arguments.
 */
import { LOW, addDD, divDD, mulDD, quickSum, sqrtDD, twoSum } from "./doubledouble.ts";
import {
  COARSE_HALF,
  FINE_HALF,
  FINE_LOG_HALF,
  LOG_FIRST,
  POWERS_OF_TWO,
  fixed,
  piTimes2To,
  tables,
} from "./doubledoubleTables.ts";
import { pow } from "./kernel/scalar.ts";

const SIXTH_LOW = 9.25185853854297e-18; // 1/6 − its float64
const THIRD_LOW = 1.850371707708594e-17;

function result(hi: number, lo = 0): number {
  LOW[0] = lo;
  return hi;
}

/**
 * e^x. Everything is written out in place: this is where evaluating a reference spends its time.
 *
 * x = k·ln2 + c/64 + f/2^12 + g/2^18 + r with |r| ≤ 2^-19, and e^x = 2^k·C·F·G·e^r with C, F and G
 * from tables; for so small an r its series needs double-double up to r² only.
 */
export function expDD(xh: number, xl: number): number {
  if (!(Math.abs(xh) < 746)) return result(Math.exp(xh));
  const t = tables();
  const k = Math.round(xh / Math.LN2);
  // Exact: k times the first two parts of ln 2, and the difference of numbers this close.
  const x1 = xh - k * t.ln2[0]!;
  const x2 = -k * t.ln2[1]!;
  let s = x1 + x2;
  let z = s - x1;
  let low = x1 - (s - z) + (x2 - z) - k * t.ln2[2]!;
  const rest = s;
  s = rest + xl;
  z = s - rest;
  low += rest - (s - z) + (xl - z);
  let rh = s;
  const c = Math.round(rh * 64);
  rh -= c / 64;
  const f = Math.round(rh * 4096);
  rh -= f / 4096;
  const g = Math.round(rh * 262144);
  rh -= g / 262144;
  s = rh + low;
  z = s - rh;
  const rl = rh - (s - z) + (low - z);
  rh = s;
  // e^r − 1
  const qh = rh * rh;
  const split = 134217729 * rh;
  const r1 = split - (split - rh);
  const r2 = rh - r1;
  const ql = r1 * r1 - qh + 2 * r1 * r2 + r2 * r2;
  const ph = rh + qh / 2;
  const pl =
    qh / 2 - (ph - rh) + (rl + rh * rl + ql / 2 + rh * qh * (1 / 6 + rh * (1 / 24 + rh / 120)));
  const a = c + COARSE_HALF;
  const b = f + FINE_HALF;
  const d = g + FINE_HALF;
  let w = mulDD(t.coarse.high[a]!, t.coarse.low[a]!, t.fine.high[b]!, t.fine.low[b]!);
  w = mulDD(w, LOW[0]!, t.finest.high[d]!, t.finest.low[d]!);
  const wl = LOW[0]!;
  let y = mulDD(w, wl, ph, pl);
  y = addDD(w, wl, y, LOW[0]!);
  // In two steps, as 2^k alone can be out of range.
  const half = k >> 1;
  const scale = POWERS_OF_TWO[1023 + half]!;
  const more = POWERS_OF_TWO[1023 + k - half]!;
  return quickSum(y * scale * more, LOW[0]! * scale * more);
}

/** e^x − 1, to its own last bits. */
export function expm1DD(xh: number, xl: number): number {
  if (Math.abs(xh) > 0.34 || Number.isNaN(xh)) {
    const e = expDD(xh, xl);
    return addDD(e, LOW[0]!, -1, 0);
  }
  if (xh === 0) return result(xh);
  const t = tables();
  const c = Math.round(xh * 64);
  let rh = addDD(xh, xl, -c / 64, 0);
  let rl = LOW[0]!;
  const f = Math.round(rh * 4096);
  rh = addDD(rh, rl, -f / 4096, 0);
  rl = LOW[0]!;
  // With |r| ≤ 2^-13 and p = e^r − 1, C = e^(c/64), F = e^(f/4096):
  // C·F·(1 + p) − 1 = (C − 1)·F(1 + p) + (F − 1) + F·p, where C − 1 and F − 1 are tabulated.
  const ph = expm1Small(rh, rl);
  const b = f + FINE_HALF;
  let dh = mulDD(t.fine.high[b]!, t.fine.low[b]!, ph, LOW[0]!);
  dh = addDD(dh, LOW[0]!, t.fineLess1.high[b]!, t.fineLess1.low[b]!);
  const dl = LOW[0]!;
  if (c === 0) return result(dh, dl);
  const fh = addDD(dh, dl, 1, 0);
  const a = c + COARSE_HALF;
  const mh = mulDD(t.coarseLess1.high[a]!, t.coarseLess1.low[a]!, fh, LOW[0]!);
  return addDD(mh, LOW[0]!, dh, dl);
}

/** e^r − 1 for |r| ≤ 2^-13: four terms in double-double, the small ones in float64. */
function expm1Small(rh: number, rl: number): number {
  const tail = rh * rh * (1 / 120 + rh * (1 / 720 + rh * (1 / 5040)));
  let ch = mulDD(rh, rl, 1 / 24, SIXTH_LOW / 4);
  ch = addDD(ch, LOW[0]!, tail, 0);
  ch = addDD(ch, LOW[0]!, 1 / 6, SIXTH_LOW);
  ch = mulDD(ch, LOW[0]!, rh, rl);
  ch = addDD(ch, LOW[0]!, 0.5, 0);
  ch = mulDD(ch, LOW[0]!, rh, rl);
  ch = mulDD(ch, LOW[0]!, rh, rl);
  return addDD(ch, LOW[0]!, rh, rl);
}

/**
 * log(x) for x = 2^k·m with m between 0.7 and 1.42, given as x = 2^k·(base + (mh, ml)) so that
 * log1p need not round 1 + x. Tables give log(c/64) and log(1 + f/4096) for the number
 * q = (c/64)(1 + f/4096) next to m; the rest is 2·artanh((m − q)/(m + q)), at most 2^-13.
 */
function logParts(k: number, base: number, mh: number, ml: number): number {
  const c = Math.round((base + mh) * 64);
  const f = Math.round((((base + mh) * 64) / c) * 4096) - 4096;
  const q = (c / 64) * (1 + f / 4096);
  const nh = addDD(mh, ml, base - q, 0);
  const nl = LOW[0]!;
  const dh = addDD(mh, ml, base + q, 0);
  const sh = divDD(nh, nl, dh, LOW[0]!);
  const sl = LOW[0]!;
  const zh = mulDD(sh, sl, sh, sl);
  let yh = mulDD(zh, LOW[0]!, 1 / 3, THIRD_LOW);
  yh = quickSum(yh, LOW[0]! + zh * zh * (1 / 5 + zh * (1 / 7)));
  yh = mulDD(yh, LOW[0]!, sh, sl);
  yh = 2 * addDD(sh, sl, yh, LOW[0]!);
  LOW[0] = 2 * LOW[0]!;
  const t = tables();
  if (f !== 0)
    yh = addDD(t.fineLogs.high[f + FINE_LOG_HALF]!, t.fineLogs.low[f + FINE_LOG_HALF]!, yh, LOW[0]);
  if (c !== 64) yh = addDD(t.logs.high[c - LOG_FIRST]!, t.logs.low[c - LOG_FIRST]!, yh, LOW[0]);
  return k === 0 ? yh : addLn2(k, yh, LOW[0]);
}

export function logDD(xh: number, xl: number): number {
  if (!(xh > 0) || xh === Infinity) return result(Math.log(xh));
  if (xh < 1e-300) {
    // Subnormal numbers have no exponent to take off.
    const y = logDD(xh * 2 ** 200, xl * 2 ** 200);
    return addLn2(-200, y, LOW[0]!);
  }
  let k = Math.floor(Math.log2(xh));
  // In two steps, as 2^-k alone can be out of range.
  const half = -k >> 1;
  let scale = POWERS_OF_TWO[1023 + half]!;
  const more = POWERS_OF_TWO[1023 - k - half]!;
  if (xh * scale * more > 1.41) {
    k++;
    scale /= 2;
  }
  return logParts(k, 0, xh * scale * more, xl * scale * more);
}

/** y + k·ln 2. */
function addLn2(k: number, yh: number, yl: number): number {
  const [l1, l2, l3] = tables().ln2 as [number, number, number];
  const lh = twoSum(k * l2, k * l3);
  const y = addDD(lh, LOW[0]!, yh, yl);
  return addDD(k * l1, 0, y, LOW[0]!);
}

export function log1pDD(xh: number, xl: number): number {
  if (!(xh > -0.29 && xh < 0.4)) {
    const y = addDD(xh, xl, 1, 0);
    return logDD(y, LOW[0]!);
  }
  return xh === 0 ? result(xh) : logParts(0, 1, xh, xl);
}

/** 1/(1 + e^-x). */
export function sigmoidDD(xh: number, xl: number): number {
  const e = expDD(-Math.abs(xh), xh > 0 ? -xl : xl);
  const el = LOW[0]!;
  const d = addDD(1, 0, e, el);
  return xh < 0 ? divDD(e, el, d, LOW[0]!) : divDD(1, 0, d, LOW[0]!);
}

/** log(1 + e^x). */
export function softplusDD(xh: number, xl: number): number {
  const e = expDD(-Math.abs(xh), xh > 0 ? -xl : xl);
  const y = log1pDD(e, LOW[0]!);
  return xh > 0 ? addDD(xh, xl, y, LOW[0]!) : result(y, LOW[0]);
}

/** log(1/(1 + e^-x)). */
export function logsigmoidDD(xh: number, xl: number): number {
  const y = softplusDD(-xh, -xl);
  return result(-y, -LOW[0]!);
}

export function tanhDD(xh: number, xl: number): number {
  if (Math.abs(xh) > 40) return result(Math.sign(xh));
  if (xh === 0) return result(xh);
  const e = expm1DD(2 * xh, 2 * xl);
  const el = LOW[0]!;
  const d = addDD(e, el, 2, 0);
  return divDD(e, el, d, LOW[0]!);
}

export function sinhDD(xh: number, xl: number): number {
  if (xh === 0) return result(xh);
  const sign = Math.sign(xh);
  if (Math.abs(xh) > 700) return hugeHyperbolic(xh, xl, sign);
  // (e + e/(e + 1))/2 with e = e^|x| − 1 keeps the last bits of a small x.
  const e = expm1DD(sign * xh, sign * xl);
  const el = LOW[0]!;
  const d = addDD(e, el, 1, 0);
  const q = divDD(e, el, d, LOW[0]!);
  const y = addDD(e, el, q, LOW[0]!);
  return result((sign * y) / 2, (sign * LOW[0]!) / 2);
}

export function coshDD(xh: number, xl: number): number {
  if (Math.abs(xh) > 700) return hugeHyperbolic(xh, xl, 1);
  const e = expDD(xh, xl);
  const el = LOW[0]!;
  const q = divDD(1, 0, e, el);
  const y = addDD(e, el, q, LOW[0]!);
  return result(y / 2, LOW[0]! / 2);
}

/** ±e^|x|/2 where e^|x| may be out of range though its half is not. */
function hugeHyperbolic(xh: number, xl: number, sign: number): number {
  const s = Math.sign(xh);
  const e = expDD((s * xh) / 2, (s * xl) / 2);
  const el = LOW[0]!;
  const y = mulDD(e / 2, el / 2, e, el);
  return result(sign * y, sign * LOW[0]!);
}

/** IEEE 754 pow. */
export function powDD(xh: number, xl: number, yh: number, yl: number): number {
  const isSpecial = xh === 0 || yh === 0 || xh - xh !== 0 || yh - yh !== 0;
  if (isSpecial || (xh === 1 && xl === 0)) return result(pow(xh, yh));
  const isWhole = Number.isInteger(yh) && Number.isInteger(yl);
  if (xh < 0 && !isWhole) return result(NaN);
  if (yl === 0 && yh === 0.5) return sqrtDD(xh, xl);
  if (yl === 0 && isWhole && Math.abs(yh) <= 32) return wholePower(xh, xl, yh);
  const lh = logDD(Math.abs(xh), xh < 0 ? -xl : xl);
  const ph = mulDD(lh, LOW[0]!, yh, yl);
  const eh = expDD(ph, LOW[0]!);
  const isOdd = Math.abs(yh % 2) !== Math.abs(yl % 2);
  return xh < 0 && isOdd ? result(-eh, -LOW[0]!) : result(eh, LOW[0]);
}

function wholePower(xh: number, xl: number, n: number): number {
  let rh = 1;
  let rl = 0;
  let bh = xh;
  let bl = xl;
  for (let m = Math.abs(n); m > 0; m = Math.floor(m / 2)) {
    if (m % 2 === 1) {
      rh = mulDD(rh, rl, bh, bl);
      rl = LOW[0]!;
    }
    if (m > 1) {
      bh = mulDD(bh, bl, bh, bl);
      bl = LOW[0]!;
    }
  }
  return n < 0 ? divDD(1, 0, rh, rl) : result(rh, rl);
}

/** x less the nearest multiple of π/2 (returned), and which multiple, by 4 (`quadrant`). */
let quadrant = 0;
function reduceAngle(xh: number, xl: number): number {
  if (Math.abs(xh) > 1e6) return reduceHugeAngle(xh, xl);
  const k = Math.round(xh / (Math.PI / 2));
  quadrant = ((k % 4) + 4) % 4;
  const [p1, p2, p3, p4] = tables().halfPi as [number, number, number, number];
  let rh = addDD(xh, xl, -k * p1, 0);
  rh = addDD(rh, LOW[0]!, -k * p2, 0);
  rh = addDD(rh, LOW[0]!, -k * p3, 0);
  return addDD(rh, LOW[0]!, -k * p4, 0);
}

/** With as many digits of π as the argument has before its point, and 256 bits more. */
function reduceHugeAngle(xh: number, xl: number): number {
  const bits = 256;
  const unit = BigInt(bits);
  const x = fixed(xh) + fixed(xl);
  const digits = Math.ceil(Math.log2(Math.abs(xh)));
  const halfPi = piTimes2To(bits + digits + 8) / 2n;
  const scaled = x << BigInt(digits + 8);
  // Division of whole numbers cuts towards zero; what is rounded here is made positive first.
  const turns = 1n << BigInt(digits + 4);
  const k = (2n * (scaled + turns * halfPi) + halfPi) / (2n * halfPi) - turns;
  quadrant = Number(((k % 4n) + 4n) % 4n);
  const rest = (scaled - k * halfPi) >> BigInt(digits + 8);
  const shift = 1n << (unit - 106n);
  const hi = Number(rest / shift) * 2 ** -106;
  return twoSum(hi, Number(rest - fixed(hi)) * 2 ** -bits);
}

/** sin (or cos) of |r| ≤ π/4 by its series. */
function series(rh: number, rl: number, isCos: boolean): number {
  const zh = mulDD(rh, rl, rh, rl);
  const zl = LOW[0]!;
  let sum = 0;
  let low = 0;
  for (let n = isCos ? 28 : 29; n > 1; n -= 2) {
    // 1 − z/(n(n−1))·(…), innermost first.
    let th = addDD(1, 0, -sum, -low);
    th = mulDD(th, LOW[0]!, zh, zl);
    sum = divDD(th, LOW[0]!, n * (n - 1), 0);
    low = LOW[0]!;
  }
  const fh = addDD(1, 0, -sum, -low);
  return isCos ? result(fh, LOW[0]) : mulDD(fh, LOW[0]!, rh, rl);
}

function trigonometric(xh: number, xl: number, turn: number): number {
  if (xh - xh !== 0) return result(NaN);
  if (xh === 0) return result(turn === 0 ? xh : 1);
  const rh = reduceAngle(xh, xl);
  const q = (quadrant + turn) % 4;
  const y = series(rh, LOW[0]!, q % 2 === 1);
  return q >= 2 ? result(-y, -LOW[0]!) : result(y, LOW[0]);
}

export function sinDD(xh: number, xl: number): number {
  return trigonometric(xh, xl, 0);
}

export function cosDD(xh: number, xl: number): number {
  return trigonometric(xh, xl, 1);
}
