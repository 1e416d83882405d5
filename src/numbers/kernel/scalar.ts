/** Functions of one or two numbers that generated code calls where `Math` has none. */
import { exponential, logsigmoid, sigmoid, softplus } from "./elementary.ts";

/** To the nearest whole number, ties to even, as NumPy, PyTorch and TensorFlow do. */
export function roundHalfEven(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** IEEE 754 pow. JavaScript's gives NaN where the base is ±1 and the exponent not finite. */
export function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return x ** y;
}

/** Python's remainder: it has the sign of the divisor. */
export function mod(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
}

const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);
const high = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/**
 * By a number's exponent as float64 holds it, what to add and take away again to round it to `digits`
 * significant bits: a number whose last bit is worth one spacing. Below 2^lowest the spacing stays
 * that of the smallest normal numbers.
 */
function shiftsOf(digits: number, lowest: number): Float64Array {
  return Float64Array.from({ length: 2048 }, (_, biased) => {
    const spacing = Math.max(biased - 1023, lowest) - digits + 1;
    return 1.5 * 2 ** (52 + spacing);
  });
}

/** Nearest number by these shifts, ties to even; from `overflow` on it is infinite. */
function rounded(x: number, shifts: Float64Array, overflow: number): number {
  if (x === 0 || x - x !== 0) return x;
  if (Math.abs(x) >= overflow) return x < 0 ? -Infinity : Infinity;
  bits[0] = x;
  const shift = shifts[(words[high]! >>> 20) & 0x7ff]!;
  const r = x + shift - shift;
  return r === 0 && x < 0 ? -0 : r;
}

const FLOAT16_SHIFTS = shiftsOf(11, -14);
const BFLOAT16_SHIFTS = shiftsOf(8, -126);
const BFLOAT16_OVERFLOW = (2 - 2 ** -8) * 2 ** 127;

/** To the nearest half-precision number (11 significant bits). */
export function float16(x: number): number {
  return rounded(x, FLOAT16_SHIFTS, 65520);
}

/** To the nearest bfloat16 number (8 significant bits, the exponents of float32). */
export function bfloat16(x: number): number {
  return rounded(x, BFLOAT16_SHIFTS, BFLOAT16_OVERFLOW);
}

/** Position of the first largest entry; of the first NaN if there is one. */
function firstLargest(values: readonly number[]): number {
  let best = 0;
  for (let k = 0; k < values.length; k++) {
    const x = values[k]!;
    const o = values[best]!;
    if (x > o || (x !== x && o === o)) best = k;
  }
  return best;
}

/** Position of the first smallest entry; of the first NaN if there is one. */
function firstSmallest(values: readonly number[]): number {
  let best = 0;
  for (let k = 0; k < values.length; k++) {
    const x = values[k]!;
    const o = values[best]!;
    if (x < o || (x !== x && o === o)) best = k;
  }
  return best;
}

export const scalarFunctions = {
  exp: exponential,
  sigmoid,
  logsigmoid,
  softplus,
  roundHalfEven,
  pow,
  mod,
  float16,
  bfloat16,
  firstLargest,
  firstSmallest,
};
