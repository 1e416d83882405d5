/**
 * float16 and bfloat16 bit patterns, to and from float64.
 *
 * Both directions are exact where a value is representable; encoding rounds once, straight from
 * float64, to nearest with ties to even (IEEE 754 roundTiesToEven). A library that goes through
 * float32 first rounds twice; apply Math.fround before encoding to reproduce that.
 */
import { getFloat16 } from "@petamoriken/float16";

const scratch = new DataView(new ArrayBuffer(4));

let float16Values: Float32Array | undefined;

/** The values of all 65,536 float16 bit patterns; float32 holds each of them exactly. */
function float16Table(): Float32Array {
  if (float16Values === undefined) {
    float16Values = new Float32Array(0x10000);
    for (let bits = 0; bits < 0x10000; bits += 1) {
      scratch.setUint16(0, bits);
      float16Values[bits] = getFloat16(scratch, 0);
    }
  }
  return float16Values;
}

/** The value of a float16 bit pattern (IEEE 754 binary16). */
export function float16ToFloat64(bits: number): number {
  return float16Table()[bits & 0xffff]!;
}

const wide = new Float64Array(1);
const wideHalves = new Uint32Array(wide.buffer);
/** Which half of a float64 holds the sign and the exponent: that depends on the machine. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The smallest normal float16; below it the spacing is 2^-24. */
const FLOAT16_MIN_NORMAL = 2 ** -14;

/**
 * The float16 bit pattern nearest to `value`; from 65,520 on it is an infinity, and every NaN
 * becomes the quiet NaN 0x7e00.
 */
export function float64ToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  wide[0] = value;
  const high = wideHalves[HIGH]!;
  const low = wideHalves[1 - HIGH]!;
  const sign = (high >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (magnitude >= 65_520) return sign | 0x7c00;
  if (magnitude < FLOAT16_MIN_NORMAL) {
    // Adding 2^52 rounds to a whole multiple of 2^-24, ties to even; 1024 of them are the smallest
    // normal number, whose bit pattern is 1024 as well.
    return sign | (magnitude * 2 ** 24 + 2 ** 52 - 2 ** 52);
  }
  // 5 exponent bits rebiased from 1023 to 15, then the mantissa's upper 10 of 52 bits; a carry out of
  // the mantissa goes to the exponent by itself.
  const upper = (((high & 0x7fffffff) >>> 20) - 1008) << 10;
  const bits = upper | ((high >>> 10) & 0x3ff);
  const rest = high & 0x3ff;
  const up = rest > 0x200 || (rest === 0x200 && (low !== 0 || (bits & 1) === 1));
  return sign | (up ? bits + 1 : bits);
}

/** The value of a bfloat16 bit pattern: the upper half of a float32. */
export function bfloat16ToFloat64(bits: number): number {
  scratch.setUint32(0, (bits & 0xffff) << 16);
  return scratch.getFloat32(0);
}

/** The bfloat16 bit pattern nearest to `value`. Every NaN becomes the quiet NaN 0x7fc0. */
export function float64ToBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  const single = Math.fround(value);
  scratch.setFloat32(0, single);
  const bits = scratch.getUint32(0);
  const upper = bits >>> 16;
  const lower = bits & 0xffff;
  if (lower !== 0x8000) return lower > 0x8000 ? upper + 1 : upper;
  // Halfway between two bfloat16 values. If rounding to float32 moved the value here, the side it
  // came from decides; only a value that is exactly halfway goes to the even neighbour.
  const magnitude = Math.abs(value);
  const rounded = Math.abs(single);
  if (magnitude > rounded) return upper + 1;
  if (magnitude < rounded) return upper;
  return upper + (upper & 1);
}
