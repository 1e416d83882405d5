/**
 * Elementary functions of vectors. Polynomials are Chebyshev fits on the reduced interval, with
 * errors far below a unit in the last place, so that the bounds below are those of the roundings.
 *
 * - exp: n = round(x/ln 2), r = x − n·ln 2 (ln 2 in two parts, the first times n exact), and
 *   e^x = 2ⁿ(1 + r + r²q(r)). Within 1.5 ulp, also where results are subnormal.
 * - log: x = 2ᵏ(1 + f), s = f/(2 + f), log(1 + f) = f − f²/2 + s(f²/2 + s²P(s²)). Within 1.5 ulp.
 * - sigmoid by e^−x, softplus by e^−|x|: within 3 ulp, and within the smallest normal number below
 *   that.
 * - tanh, expm1 by 2ⁿ(r + r²q(r)) + (2ⁿ − 1): within 3 ulp.
 *
 * An ulp is one of the lanes' type: 2^-24 or 2^-53 relative, at most.
 */
import type { Lanes, Vector } from "./lanes.ts";

interface Tables {
  /** (e^r − 1 − r)/r² on |r| ≤ ln 2/2. */
  readonly exp: readonly number[];
  /** 2(artanh(s)/s − 1)/s² by s² on |s| ≤ 3 − 2√2. */
  readonly log: readonly number[];
  readonly ln2High: number;
  readonly ln2Low: number;
  /** e^x is 0 below and infinite above. */
  readonly expMin: number;
  readonly expMax: number;
  /** Down to here e^x is a normal number. */
  readonly normalMin: number;
  /** 2^lift times e^x is a normal number for all x from `expMin` to 0. */
  readonly lift: number;
  /** From here on tanh is 1, and expm1 is exp. */
  readonly saturated: number;
}

const FLOAT32: Tables = {
  exp: [
    0.5, 0.16666576989698775, 0.041666554617204574, 0.008363179052722578, 0.0013926183587713494,
  ],
  log: [0.6666668504099458, 0.39988779985346423, 0.29579975746473025],
  ln2High: 0.693359375,
  ln2Low: Math.LN2 - 0.693359375,
  expMin: -104,
  expMax: 89,
  normalMin: -87.336,
  lift: 32,
  saturated: 20,
};

const FLOAT64: Tables = {
  exp: [
    0.5000000000000001, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062,
    0.0013888888917213717, 0.00019841269863053618, 2.4801521295954376e-5, 2.7557268459997064e-6,
    2.7620088445409746e-7, 2.510038549551032e-8,
  ],
  log: [
    0.666666666666667, 0.3999999999989949, 0.2857142862598255, 0.22222211133642084,
    0.18182889209266595, 0.1533171880828007, 0.14616484198366603,
  ],
  // The first part has 32 trailing zero bits.
  ln2High: 0.69314718036912381649,
  ln2Low: 1.90821492927058770002e-10,
  expMin: -746,
  expMax: 710,
  normalMin: -708.396,
  lift: 64,
  saturated: 40,
};

function tablesOf(v: Lanes): Tables {
  return v.type === "float32" ? FLOAT32 : FLOAT64;
}

/**
 * Adding and taking away this number rounds to a whole one, which the sum's low bits hold.
 * @param lift a whole number that the low bits hold more
 */
function rounder(v: Lanes, lift = 0): Vector {
  return v.constant(1.5 * 2 ** v.format.mantissa + lift);
}

/** 2ⁿ for a whole number in the low bits of `n`, where that is a normal number. */
function powerOfTwo(v: Lanes, n: Vector): Vector {
  const one = v.bits(BigInt(v.format.bias) << BigInt(v.format.mantissa));
  return v.addBits(v.shiftLeft(n, v.format.mantissa), one);
}

/**
 * n as a number and (with `lift` added) in low bits, and r, of x or of −x = n·ln 2 + r.
 * @param sign −1 for −x, which costs nothing more
 */
function reduced(
  v: Lanes,
  x: Vector,
  { sign = 1, lift = 0 } = {},
): { n: Vector; bits: Vector; r: Vector } {
  const t = tablesOf(v);
  const round = rounder(v, lift);
  const bits = v.madd(x, v.constant(sign / Math.LN2), round);
  const n = v.of("sub", bits, round);
  // For −x this is −r: both parts of n·ln 2 are added to x.
  const less = (part: number, from: Vector): Vector => v.madd(n, v.constant(-sign * part), from);
  const r = less(t.ln2Low, less(t.ln2High, x));
  return { n, bits, r };
}

/** e^r of |r| ≤ ln 2/2, where `r` holds r or, for a sign of −1, −r. */
function mantissaOf(v: Lanes, r: Vector, sign = 1): Vector {
  const coefficients = tablesOf(v).exp.map((c, k) => c * sign ** k);
  const slope = v.madd(v.polynomial(r, coefficients), r, v.constant(sign));
  return v.madd(slope, r, v.constant(1));
}

export function exp(v: Lanes, x: Vector): Vector {
  const t = tablesOf(v);
  const { n, bits, r } = reduced(v, v.between(x, t.expMin, t.expMax));
  // In two steps, so that results may be subnormal or infinite.
  const half = v.madd(n, v.constant(0.5), rounder(v));
  const halfway = v.of("mul", mantissaOf(v, r), powerOfTwo(v, half));
  return v.of("mul", halfway, powerOfTwo(v, v.subBits(bits, half)));
}

/** e^x of x ≤ 0 (or NaN), as in a softmax. Subnormal results are made of larger ones. */
export function expOfNonPositive(v: Lanes, x: Vector): Vector {
  const { lift, expMin } = tablesOf(v);
  const { bits, r } = reduced(v, v.between(x, expMin, Infinity), { lift });
  const lifted = v.of("mul", mantissaOf(v, r), powerOfTwo(v, bits));
  return v.of("mul", lifted, v.constant(2 ** -lift));
}

/** e^−|x|, and 0 where it is below the smallest normal number. */
export function expOfMinusAbs(v: Lanes, x: Vector): Vector {
  const { normalMin } = tablesOf(v);
  const signBit = v.bits(1n << BigInt(v.format.bits - 1));
  const argument = v.or(x, signBit);
  const { bits, r } = reduced(v, v.between(argument, normalMin, Infinity));
  const power = v.of("mul", mantissaOf(v, r), powerOfTwo(v, bits));
  return v.select(v.of("lt", argument, v.constant(normalMin)), v.constant(0), power);
}

/** 1/(1 + e^−x), which is as exact on either side of 0. */
export function sigmoid(v: Lanes, x: Vector): Vector {
  const { normalMin, expMax } = tablesOf(v);
  const { bits, r } = reduced(v, v.between(x, -expMax, -normalMin), { sign: -1 });
  const one = v.constant(1);
  // The power is infinite at the end, where the result is 0.
  return v.of("div", one, v.madd(mantissaOf(v, r, -1), powerOfTwo(v, bits), one));
}

/** log(1 + e) for 0 ≤ e ≤ 1. */
export function log1pOfFraction(v: Lanes, e: Vector): Vector {
  const isLarge = v.of("gt", e, v.constant(Math.SQRT2 - 1));
  const halved = v.of("mul", v.of("sub", e, v.constant(1)), v.constant(0.5));
  const k = v.and(isLarge, v.constant(1));
  return logOf(v, k, v.select(isLarge, halved, e));
}

/** k·ln 2 + log(1 + f). */
function logOf(v: Lanes, k: Vector, f: Vector): Vector {
  const t = tablesOf(v);
  const s = v.of("div", f, v.of("add", f, v.constant(2)));
  const z = v.of("mul", s, s);
  const tail = v.of("mul", z, v.polynomial(z, t.log));
  const half = v.of("mul", v.of("mul", f, f), v.constant(0.5));
  const low = v.madd(k, v.constant(t.ln2Low), v.of("mul", s, v.of("add", half, tail)));
  const inside = v.of("sub", v.of("sub", half, low), f);
  return v.of("sub", v.of("mul", k, v.constant(t.ln2High)), inside);
}

export function softplus(v: Lanes, x: Vector): Vector {
  const rest = log1pOfFraction(v, expOfMinusAbs(v, x));
  return v.of("add", v.of("pmax", x, v.constant(0)), rest);
}

export function logsigmoid(v: Lanes, x: Vector): Vector {
  const rest = log1pOfFraction(v, expOfMinusAbs(v, x));
  return v.of("sub", v.of("pmin", x, v.constant(0)), rest);
}

/** k and f of x = 2ᵏ(1 + f), √½ − 1 ≤ f < √2 − 1, for positive finite x. */
function split(v: Lanes, x: Vector): { k: Vector; f: Vector } {
  const { mantissa, bias } = v.format;
  const lift = mantissa + 2;
  const smallest = v.constant(v.type === "float32" ? 2 ** -126 : 2 ** -1022);
  const isSmall = v.of("lt", x, smallest);
  const scaled = v.select(isSmall, v.of("mul", x, v.constant(2 ** lift)), x);
  // √½ in bits taken away, the exponent changes where the fraction passes √2.
  const root = BigInt(Math.floor((Math.SQRT1_2 * 2 - 1) * 2 ** mantissa));
  const rootBits = (BigInt(bias - 1) << BigInt(mantissa)) + root;
  const shift = BigInt(bias + 1) << BigInt(mantissa);
  const counted = v.shiftRight(v.addBits(scaled, v.bits(shift - rootBits)), mantissa);
  const magnitude = 2 ** mantissa;
  const magnitudeBits = BigInt(bias + mantissa) << BigInt(mantissa);
  const k = v.of("sub", v.or(counted, v.bits(magnitudeBits)), v.constant(magnitude + bias + 1));
  const exponent = v.subBits(counted, v.bits(BigInt(bias + 1)));
  const fraction = v.subBits(scaled, v.shiftLeft(exponent, mantissa));
  const lifted = v.and(isSmall, v.constant(lift));
  return { k: v.of("sub", k, lifted), f: v.of("sub", fraction, v.constant(1)) };
}

export function log(v: Lanes, x: Vector): Vector {
  const { k, f } = split(v, x);
  const zero = v.constant(0);
  const regular = logOf(v, k, f);
  const atZero = v.select(v.of("eq", x, zero), v.constant(-Infinity), v.constant(NaN));
  const finite = v.select(v.of("gt", x, zero), regular, atZero);
  return v.select(v.of("eq", x, v.constant(Infinity)), x, finite);
}

export function log1p(v: Lanes, x: Vector): Vector {
  const one = v.constant(1);
  const u = v.of("add", x, one);
  // log(1 + x) = log u + log((1 + x)/u), and what 1 + x lost by rounding is known.
  const lost = v.of("sub", x, v.of("sub", u, one));
  const correction = v.of("div", lost, u);
  const isFinite = v.of("eq", v.of("sub", correction, correction), v.constant(0));
  const sum = v.of("add", log(v, u), v.and(correction, isFinite));
  return v.select(v.of("eq", u, one), x, sum);
}

/** e^x − 1 for |x| up to the point where taking away 1 no longer matters. */
function expm1Inside(v: Lanes, x: Vector): Vector {
  const { bits, r } = reduced(v, x);
  const less1 = v.madd(v.of("mul", r, r), v.polynomial(r, tablesOf(v).exp), r);
  const scale = powerOfTwo(v, bits);
  return v.madd(scale, less1, v.of("sub", scale, v.constant(1)));
}

export function expm1(v: Lanes, x: Vector): Vector {
  const { saturated } = tablesOf(v);
  const inside = expm1Inside(v, v.between(x, -saturated, saturated));
  return v.select(v.of("gt", x, v.constant(saturated)), exp(v, x), inside);
}

export function tanh(v: Lanes, x: Vector): Vector {
  const { saturated } = tablesOf(v);
  const twice = v.between(v.of("mul", v.of("abs", x), v.constant(2)), -Infinity, saturated);
  const e = expm1Inside(v, twice);
  const magnitude = v.of("div", e, v.of("add", e, v.constant(2)));
  const signBit = v.bits(1n << BigInt(v.format.bits - 1));
  return v.or(magnitude, v.and(x, signBit));
}
