/** Conversions between dtypes, with NumPy's casting rules where those are defined. */
import { dtypes, integerRange, type ArrayData, type DType } from "./dtype.ts";
import {
  bfloat16ToFloat64,
  float16ToFloat64,
  float64ToBfloat16,
  float64ToFloat16,
} from "./half.ts";
import {
  ArrayError,
  elementCount,
  elementIndex,
  placeOf,
  type ArrayOrigin,
  type NdArray,
} from "./ndarray.ts";
import type { Tick } from "./source.ts";

/** Elements that are converted between two ticks. */
const CHUNK = 1 << 16;

/**
 * An array of another dtype, with each element rounded once to nearest even.
 *
 * @param values one value for each element, in C order.
 * @param tick told of how many have been converted.
 * @throws ArrayError for an integer dtype that cannot hold an element, once truncated.
 */
export function fromFloat64(
  values: Float64Array,
  dtype: DType,
  shape: readonly number[],
  origin?: ArrayOrigin,
  tick?: Tick,
): NdArray {
  const exact: NdArray = {
    dtype: "float64",
    shape,
    data: values,
    ...(origin === undefined ? {} : { origin }),
  };
  return castArray(exact, dtype, tick);
}

/** One element as a number, or a bigint for 64-bit integers; the real part of a complex one. */
export function elementAt(a: NdArray, flat: number): number | bigint {
  const value = a.data[dtypes[a.dtype].kind === "complex" ? 2 * flat : flat]!;
  if (a.dtype === "float16") return float16ToFloat64(value as number);
  if (a.dtype === "bfloat16") return bfloat16ToFloat64(value as number);
  return value;
}

/**
 * The array with its elements converted to `dtype`; the same array if it has that dtype already.
 *
 * Floating-point elements become integers by truncation, wider integers narrower ones modulo 2^bits,
 * and anything but zero becomes true, as `ndarray.astype` does. Where NumPy's result depends on the
 * machine (an infinity, a NaN or too large a number as an integer) this refuses.
 *
 * @throws ArrayError in those cases, naming the element, and from complex to real.
 */
export function castArray(a: NdArray, dtype: DType, tick?: Tick): NdArray {
  if (a.dtype === dtype) return a;
  const from = dtypes[a.dtype];
  const to = dtypes[dtype];
  const count = elementCount(a.shape);
  const data = to.store(count);
  if (from.kind === "complex") {
    if (to.kind !== "complex") {
      throw new ArrayError(
        `An array of ${a.dtype} cannot become ${dtype}: it has imaginary parts.`,
        {
          ...placeOf(a),
          remedy: "Take its real part or its magnitude: arr.real or np.abs(arr).",
        },
      );
    }
    (data as Float64Array).set(a.data as Float64Array);
    return { ...a, dtype, data };
  }
  const write = writer(dtype, data);
  const range = from.kind === "float" ? integerRange(dtype) : undefined;
  for (let i = 0; i < count; i += 1) {
    if (i % CHUNK === 0) tick?.(i / count);
    const value = elementAt(a, i);
    if (range === undefined) {
      write(i, value);
    } else {
      const whole = Math.trunc(value as number);
      if (!(whole >= Number(range.min) && whole < Number(range.max) + 1)) {
        const index = `[${elementIndex(i, a.shape).join(", ")}]`;
        throw new ArrayError(
          `Element ${index} is ${String(value)}, which ${dtype} cannot hold.`,
          placeOf(a),
        );
      }
      write(i, BigInt(whole));
    }
  }
  return { ...a, dtype, data };
}

/**
 * A function that stores a value as an element of `dtype` in `data`: rounded to nearest even, cut to
 * an integer's low bits, or the real part of a complex number. A number given for an integer dtype
 * must be whole.
 */
export function writer(
  dtype: DType,
  data: ArrayData,
): (flat: number, value: number | bigint) => void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return (i, value) => (data[i] = BigInt(value));
  }
  const info = dtypes[dtype];
  if (info.kind === "bool") return (i, value) => (data[i] = Number(value) === 0 ? 0 : 1);
  if (info.kind !== "float" && info.kind !== "complex") {
    return (i, value) =>
      (data[i] = typeof value === "bigint" ? Number(BigInt.asIntN(32, value)) : value);
  }
  if (dtype === "float16") return (i, value) => (data[i] = float64ToFloat16(roundedToOdd(value)));
  if (dtype === "bfloat16") return (i, value) => (data[i] = float64ToBfloat16(roundedToOdd(value)));
  const units = info.kind === "complex" ? 2 : 1;
  if (data instanceof Float32Array) return (i, value) => (data[i * units] = roundedToOdd(value));
  return (i, value) => (data[i * units] = Number(value));
}

/**
 * A number that rounds to every narrower format as the value itself does. A 64-bit integer that
 * float64 cannot hold is rounded to odd, so that the second rounding sees which side it was on.
 */
function roundedToOdd(value: number | bigint): number {
  if (typeof value === "number") return value;
  if (value <= 2n ** 53n && value >= -(2n ** 53n)) return Number(value);
  const sticky = (value & 2047n) === 0n ? 0n : 1n;
  return Number((value >> 11n) | sticky) * 2048;
}
