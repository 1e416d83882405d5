/**
 * float16 and bfloat16 bit patterns, to and from float64.
 *
 * Both directions are exact where a value is representable; encoding rounds once, straight from
 * float64, to nearest with ties to even (IEEE 754 roundTiesToEven). A library that goes through
 * float32 first rounds twice; apply Math.fround before encoding to reproduce that.
 */
import { getFloat16, setFloat16 } from "@petamoriken/float16";

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

/** The float16 bit pattern nearest to `value`; beyond 65,519.99… it is an infinity. */
export function float64ToFloat16(value: number): number {
  setFloat16(scratch, 0, value);
  return scratch.getUint16(0);
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
