/** The array that every reader returns, the error that every reader raises, and their basics. */
import { dtypes, type ArrayData, type DType } from "./dtype.ts";
import { bfloat16ToFloat64, float16ToFloat64 } from "./half.ts";
import type { Tick } from "./source.ts";

export type { ArrayData, DType } from "./dtype.ts";

/** Where an array came from. Lines and columns count from 1. */
export type ArrayOrigin =
  | { readonly kind: "file"; readonly path: string; readonly member?: string }
  | {
      readonly kind: "literal";
      readonly file?: string;
      readonly line?: number;
      readonly column?: number;
    }
  | { readonly kind: "computed"; readonly description: string };

/** Where a volume's elements lie in space. */
export interface ArraySpace {
  /**
   * The rows of the 4 by 4 matrix that takes an element's index along the three spatial axes, in the
   * order of {@link axes}, and 1, to millimetres.
   */
  readonly affine: readonly (readonly number[])[];
  /** The array's axes that the affine's columns stand for. */
  readonly axes: readonly number[];
  /** What the three coordinates grow towards: right, anterior, superior; or left, posterior, superior. */
  readonly towards: "RAS" | "LPS";
}

/** An array in memory. */
export interface NdArray {
  /** The dtype that the file or the literal has. */
  readonly dtype: DType;
  /** The length of each axis; [] is a scalar. */
  readonly shape: readonly number[];
  /** The elements in C order (last axis fastest) and native byte order; see {@link ArrayData}. */
  readonly data: ArrayData;
  readonly origin?: ArrayOrigin;
  /** Where the elements lie in space, if the file says so. No reader moves elements by it. */
  readonly space?: ArraySpace;
}

/** The place an {@link ArrayError} speaks of. Lines and columns count from 1, bytes from 0. */
export interface ArrayErrorPlace {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly byteOffset?: number;
}

/** What was wrong with an array's text, file or use, in words for the person who owns it. */
export class ArrayError extends Error {
  override readonly name = "ArrayError";
  readonly where: ArrayErrorPlace | undefined;
  /** What the person can do about it, as one sentence or a line of code. */
  readonly remedy: string | undefined;

  constructor(
    message: string,
    details: { where?: ArrayErrorPlace; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.where = details.where;
    this.remedy = details.remedy;
  }

  /** Place, message and remedy in one text, as a terminal shows it. */
  describe(): string {
    const { file, line, column, byteOffset } = this.where ?? {};
    const place: string[] = [];
    // A message that names the file itself needs it as a place only with a line or a byte of it.
    const isPlace = line !== undefined || byteOffset !== undefined;
    const isNamed = file !== undefined && this.message.includes(file);
    if (file !== undefined && (isPlace || !isNamed)) place.push(file);
    if (line !== undefined) place.push(file === undefined ? `line ${String(line)}` : String(line));
    if (line !== undefined && column !== undefined) {
      place.push(file === undefined ? `column ${String(column)}` : String(column));
    }
    if (byteOffset !== undefined) place.push(`byte ${String(byteOffset)}`);
    const prefix = place.length === 0 ? "" : `${place.join(file === undefined ? ", " : ":")}: `;
    return prefix + this.message + (this.remedy === undefined ? "" : `\n${this.remedy}`);
  }
}

/** Elements that are gone through between two ticks. */
const CHUNK = 1 << 16;

/** The number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  // Separately, since a product of huge lengths may reach Infinity, and Infinity times 0 is NaN.
  return shape.includes(0) ? 0 : shape.reduce((count, length) => count * length, 1);
}

/** The index along each axis of the element at `flat` in C order. */
export function elementIndex(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const length = shape[axis]!;
    index[axis] = rest % length;
    rest = Math.floor(rest / length);
  }
  return index;
}

/** A shape as Python prints it: `()`, `(3,)`, `(2, 3)`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${String(shape[0])},)` : `(${shape.join(", ")})`;
}

/**
 * Writes the values of the elements from `start` on, in C order, into all of `out`. Integers beyond
 * 2^53 are rounded to nearest, or refused with the element named when `exact` is set.
 *
 * @throws ArrayError for a complex array.
 */
export function decodeFloat64(a: NdArray, start: number, out: Float64Array, exact = false): void {
  const { data, dtype } = a;
  if (dtypes[dtype].kind === "complex") {
    throw new ArrayError(`An array of ${dtype} has no real values.`, {
      ...placeOf(a),
      remedy: "Give its real part or its magnitude: arr.real or np.abs(arr).",
    });
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i += 1) {
      const value = data[start + i]!;
      if (exact && (value > EXACT_LIMIT || value < -EXACT_LIMIT)) {
        throw beyondExact(a, start + i, value);
      }
      out[i] = Number(value);
    }
  } else if (dtype === "float16") {
    for (let i = 0; i < out.length; i += 1) out[i] = float16ToFloat64(data[start + i]!);
  } else if (dtype === "bfloat16") {
    for (let i = 0; i < out.length; i += 1) out[i] = bfloat16ToFloat64(data[start + i]!);
  } else {
    out.set(data.subarray(start, start + out.length));
  }
}

/** Every integer up to this magnitude is a float64. */
const EXACT_LIMIT = 2n ** 53n;

function beyondExact(a: NdArray, flat: number, value: bigint): ArrayError {
  const index = `[${elementIndex(flat, a.shape).join(", ")}]`;
  return new ArrayError(
    `Element ${index} of the ${a.dtype} array is ${String(value)}, beyond 2^53, where float64 no longer holds every integer.`,
    { ...placeOf(a), remedy: "Predictions and targets of this size are likely a mistake." },
  );
}

/** Where an array came from, as an {@link ArrayError}'s details take it. */
export function placeOf(a: NdArray): { where?: ArrayErrorPlace } {
  const { origin } = a;
  if (origin?.kind === "file") return { where: { file: origin.path } };
  if (origin?.kind === "literal") {
    const { file, line, column } = origin;
    return {
      where: {
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
      },
    };
  }
  return {};
}

/**
 * The element values as float64, in C order. A float64 array's own data is returned, not a copy.
 *
 * @param tick told of how many have been converted
 * @throws ArrayError for a complex array, and for an integer beyond 2^53, naming the element.
 */
export function toFloat64(a: NdArray, tick?: Tick): Float64Array {
  if (a.dtype === "float64" && a.data instanceof Float64Array) return a.data;
  const out = new Float64Array(elementCount(a.shape));
  for (let start = 0; start < out.length; start += CHUNK) {
    tick?.(start / out.length);
    decodeFloat64(a, start, out.subarray(start, start + CHUNK), true);
  }
  return out;
}

/** What a preview says of an array. */
export interface ArraySummary {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly count: number;
  /** Smallest, largest and mean of the finite elements; null where there is none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly nanCount: number;
  readonly infCount: number;
  /** Share of all elements whose value is above 0.5; null for an empty array. */
  readonly foregroundShare: number | null;
  /** Whether there are elements and every one is 0 or 1. */
  readonly binary: boolean;
  /** Whether there are elements and every one is a whole number. */
  readonly integral: boolean;
}

/** Sums of larger numbers are scaled down, so that they stay finite. */
const LARGE = 1e290;

/**
 * Range, mean and make-up of an array, in one pass and constant extra memory.
 *
 * @param tick told of how many elements have been looked at
 * @throws ArrayError for a complex array.
 */
export function summarize(a: NdArray, tick?: Tick): ArraySummary {
  const count = elementCount(a.shape);
  const summary = new RunningSummary();
  const chunk = new Float64Array(Math.min(CHUNK, count));
  for (let start = 0; start < count; start += chunk.length) {
    tick?.(start / count);
    const values = chunk.subarray(0, Math.min(chunk.length, count - start));
    decodeFloat64(a, start, values);
    summary.add(values);
  }
  return summary.of(a);
}

/** A summary of elements that come part by part. */
export class RunningSummary {
  private count = 0;
  private min = Infinity;
  private max = -Infinity;
  /** Elements that are no finite numbers, and those of them that are NaN. */
  private bad = 0;
  private nanCount = 0;
  private foreground = 0;
  private binary = true;
  private integral = true;
  // Scaling by a power of two keeps the sum of any number of finite values finite, and exact until
  // a value is so small that it cannot matter beside one that needed the scaling.
  private scale = 1;
  private sum = 0;
  private lost = 0;

  /** Takes the next elements. */
  add(values: Float64Array): void {
    // Fields are slow in a loop over every element.
    let { min, max, bad, nanCount, foreground, binary, integral, scale, sum, lost } = this;
    for (const value of values) {
      foreground += Number(value > 0.5);
      // One that is not settles it.
      if (binary && value !== 0 && value !== 1) binary = false;
      if (integral && !Number.isInteger(value)) integral = false;
      const size = Math.abs(value);
      if (!(size < Infinity)) {
        bad += 1;
        nanCount += Number(Number.isNaN(value));
        continue;
      }
      if (value < min) min = value;
      if (value > max) max = value;
      if (size > LARGE && scale === 1) {
        scale = 2 ** -64;
        sum *= scale;
        lost *= scale;
      }
      // Knuth's two-sum: what each addition rounds off is added up apart.
      const term = value * scale;
      const next = sum + term;
      const added = next - sum;
      lost += sum - (next - added) + (term - added);
      sum = next;
    }
    this.count += values.length;
    Object.assign(this, {
      min,
      max,
      bad,
      nanCount,
      foreground,
      binary,
      integral,
      scale,
      sum,
      lost,
    });
  }

  /** The summary of all elements so far, which are those of an array of that dtype and shape. */
  of({ dtype, shape }: Pick<NdArray, "dtype" | "shape">): ArraySummary {
    const { count, min, max, bad, nanCount, foreground, binary, integral, scale } = this;
    const finite = count - bad;
    return {
      dtype,
      shape,
      count,
      min: finite === 0 ? null : min,
      max: finite === 0 ? null : max,
      mean: finite === 0 ? null : (this.sum + this.lost) / finite / scale,
      nanCount,
      infCount: bad - nanCount,
      foregroundShare: count === 0 ? null : foreground / count,
      binary: count > 0 && binary,
      integral: count > 0 && integral,
    };
  }
}
