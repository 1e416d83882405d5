/**
 * Double-double arithmetic: a number as the unevaluated sum of two float64, high and low, with
 * |low| at most half a unit in the last place of high. About 106 bits, u² = 2^-106 = 1.2e-32.
 *
 * Functions take the two parts of each operand, return the high part of the result and leave its
 * low part in `LOW[0]`, so that loops over arrays allocate nothing:
 *
 *     const hi = addDD(ah, al, bh, bl);
 *     const lo = LOW[0]!;
 *
 * Relative errors (Joldes, Muller and Popescu, "Tight and rigorous error bounds for basic building
 * blocks of double-word arithmetic", 2017, for the sequences used): sum 3u², product 5u²,
 * quotient 15u², square root 4u². They hold while results are normal numbers above about 1e-290,
 * where the low part is not subnormal. Special values, the sign of zeros among them, follow
 * IEEE 754; their low part is 0.
 */

/** The low part of the latest result. */
export const LOW = new Float64Array(1);

const SPLITTER = 2 ** 27 + 1;
const HUGE = 2 ** 995;

/** a + b, exactly (Knuth). */
export function twoSum(a: number, b: number): number {
  const s = a + b;
  const z = s - a;
  const low = a - (s - z) + (b - z);
  LOW[0] = s - s === 0 ? low : 0;
  return s;
}

/** a·b, exactly (Dekker's splitting, as there is no fused multiply-add). */
export function twoProduct(a: number, b: number): number {
  const p = a * b;
  if (Math.abs(a) > HUGE || Math.abs(b) > HUGE) return twoProductHuge(a, b);
  const ca = SPLITTER * a;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = SPLITTER * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  LOW[0] = p - p === 0 ? ah * bh - p + ah * bl + al * bh + al * bl : 0;
  return p;
}

/** Scaled down, because the splitting would overflow. */
function twoProductHuge(a: number, b: number): number {
  const p = a * b;
  if (p - p !== 0) {
    LOW[0] = 0;
    return p;
  }
  twoProduct(Math.abs(a) > HUGE ? a * 2 ** -54 : a, Math.abs(b) > HUGE ? b * 2 ** -54 : b);
  const scale = (Math.abs(a) > HUGE ? 2 ** 54 : 1) * (Math.abs(b) > HUGE ? 2 ** 54 : 1);
  LOW[0] = LOW[0]! * scale;
  return p;
}

/** Normalises a sum whose second part is smaller than its first. */
export function quickSum(a: number, b: number): number {
  const s = a + b;
  LOW[0] = s - s === 0 ? b - (s - a) : 0;
  return s;
}

export function addDD(ah: number, al: number, bh: number, bl: number): number {
  const s = ah + bh;
  if (s - s !== 0) {
    LOW[0] = 0;
    return s;
  }
  let z = s - ah;
  let e = ah - (s - z) + (bh - z);
  const t = al + bl;
  z = t - al;
  const f = al - (t - z) + (bl - z);
  e += t;
  const v = s + e;
  e = e - (v - s) + f;
  const hi = v + e;
  LOW[0] = e - (hi - v);
  return hi === 0 && s === 0 ? s : hi;
}

export function subDD(ah: number, al: number, bh: number, bl: number): number {
  return addDD(ah, al, -bh, -bl);
}

export function mulDD(ah: number, al: number, bh: number, bl: number): number {
  const p = ah * bh;
  if (Math.abs(ah) > HUGE || Math.abs(bh) > HUGE) return mulHuge(ah, al, bh, bl);
  const ca = SPLITTER * ah;
  const a1 = ca - (ca - ah);
  const a2 = ah - a1;
  const cb = SPLITTER * bh;
  const b1 = cb - (cb - bh);
  const b2 = bh - b1;
  const e = a1 * b1 - p + a1 * b2 + a2 * b1 + a2 * b2 + (ah * bl + al * bh);
  const hi = p + e;
  LOW[0] = hi - hi === 0 ? e - (hi - p) : 0;
  return p - p === 0 && hi !== 0 ? hi : p;
}

function mulHuge(ah: number, al: number, bh: number, bl: number): number {
  const p = twoProduct(ah, bh);
  return p - p === 0 ? quickSum(p, LOW[0]! + (ah * bl + al * bh)) : p;
}

export function divDD(ah: number, al: number, bh: number, bl: number): number {
  const q = ah / bh;
  if (q - q !== 0 || q === 0 || bh - bh !== 0) {
    LOW[0] = 0;
    return q;
  }
  // What is left of a after q·b, which is exact in its leading part, gives the remaining bits.
  const p = twoProduct(q, bh);
  const rest = ah - p - LOW[0]! + (al - q * bl);
  return quickSum(q, rest / bh);
}

export function sqrtDD(ah: number, al: number): number {
  const q = Math.sqrt(ah);
  if (q - q !== 0 || q === 0) {
    LOW[0] = 0;
    return q;
  }
  const p = twoProduct(q, q);
  const r = subDD(ah, al, p, LOW[0]!);
  return quickSum(q, r / (2 * q));
}

/** Negative, zero or positive as a is less than, equal to or greater than b; NaN if unordered. */
export function compareDD(ah: number, al: number, bh: number, bl: number): number {
  if (ah < bh) return -1;
  if (ah > bh) return 1;
  return ah === bh ? (al < bl ? -1 : al > bl ? 1 : 0) : NaN;
}

export function floorDD(ah: number, al: number): number {
  const f = Math.floor(ah);
  if (f !== ah || al === 0) {
    LOW[0] = 0;
    return f;
  }
  return quickSum(f, Math.floor(al));
}

export function ceilDD(ah: number, al: number): number {
  const hi = -floorDD(-ah, -al);
  LOW[0] = -LOW[0]!;
  return hi;
}

/** Towards zero. */
export function truncDD(ah: number, al: number): number {
  return ah < 0 ? ceilDD(ah, al) : floorDD(ah, al);
}

/** To the nearest whole number, ties to even. */
export function roundDD(ah: number, al: number): number {
  const fh = floorDD(ah, al);
  const fl = LOW[0]!;
  const rest = subDD(ah, al, fh, fl);
  const past = compareDD(rest, LOW[0]!, 0.5, 0);
  const isOdd = Math.abs(fh % 2) !== Math.abs(fl % 2);
  if (past < 0 || (past === 0 && !isOdd)) {
    LOW[0] = fl;
    return fh;
  }
  // What is rounded up to zero was negative.
  const above = addDD(fh, fl, 1, 0);
  return above === 0 ? -0 : above;
}

/** Python's remainder, with the sign of the divisor. Exact for float64 operands. */
export function modDD(ah: number, al: number, bh: number, bl: number): number {
  if (al === 0 && bl === 0) {
    const r = ah % bh;
    LOW[0] = 0;
    return r !== 0 && r < 0 !== bh < 0 ? twoSum(r, bh) : r;
  }
  const qh = floorDivDD(ah, al, bh, bl);
  const ph = mulDD(qh, LOW[0]!, bh, bl);
  return subDD(ah, al, ph, LOW[0]!);
}

export function floorDivDD(ah: number, al: number, bh: number, bl: number): number {
  const q = divDD(ah, al, bh, bl);
  return floorDD(q, LOW[0]!);
}
