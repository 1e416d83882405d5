/** Elements as they lie in files, made into arrays in memory. */
import { dtypes, type ArrayData, type DType } from "./dtype.ts";
import type { ArrayOrigin, ArraySpace, NdArray } from "./ndarray.ts";
import { permuteAxes } from "./permute.ts";
import type { Tick } from "./source.ts";

export const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** How elements lie in a file. */
export interface Layout {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly littleEndian: boolean;
  /** Whether the first axis varies fastest in the file. */
  readonly fortranOrder: boolean;
}

/**
 * An array of the elements in `bytes`, which has as many as the shape asks for. Where they lie as
 * memory keeps them, the array's data is a view of `bytes`, not a copy.
 *
 * @param tick told of how many elements have been moved.
 */
export function arrayOf(
  bytes: Uint8Array,
  layout: Layout,
  origin: ArrayOrigin,
  space?: ArraySpace,
  tick?: Tick,
): NdArray {
  const { dtype, shape, littleEndian, fortranOrder } = layout;
  const array: NdArray = {
    dtype,
    shape: fortranOrder ? shape.toReversed() : shape,
    data: elementsOf(bytes, dtype, littleEndian, tick),
    origin,
    ...(space === undefined ? {} : { space }),
  };
  // Fortran order is C order of the reversed axes.
  return fortranOrder ? permuteAxes(array, reversedAxes(shape.length), tick) : array;
}

/** The axes of an array from the last to the first. */
export function reversedAxes(count: number): number[] {
  return Array.from({ length: count }, (_, axis) => count - 1 - axis);
}

/** Whether elements lie in a file with their bytes in the order in which this machine keeps them. */
export function isAsInMemory(dtype: DType, littleEndian: boolean): boolean {
  return dtypes[dtype].unitBytes === 1 || littleEndian === HOST_IS_LITTLE_ENDIAN;
}

/** The elements in `bytes`, in native order: a view where they lie so, or a copy. */
export function elementsOf(
  bytes: Uint8Array,
  dtype: DType,
  littleEndian: boolean,
  tick?: Tick,
): ArrayData {
  const { unitBytes, bytes: elementBytes, store } = dtypes[dtype];
  const count = bytes.length / elementBytes;
  const swap = !isAsInMemory(dtype, littleEndian);
  if (!swap && bytes.byteOffset % unitBytes === 0) {
    const data = store(count, bytes.buffer, bytes.byteOffset);
    // NumPy takes any byte but 0 as True; memory holds only 0 and 1.
    const odd = dtype === "bool" && (data as Uint8Array).some((value) => value > 1);
    return odd ? (data as Uint8Array).map((value) => (value === 0 ? 0 : 1)) : data;
  }
  // Not bytes.slice: that of Node's Buffer does not copy.
  const copy = new Uint8Array(bytes);
  if (swap) swapUnits(copy, unitBytes, tick);
  return store(count, copy.buffer, copy.byteOffset);
}

/** The bytes of elements, little-endian: a view where memory keeps them so, or a copy. */
export function bytesOf(data: ArrayData, dtype: DType): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (HOST_IS_LITTLE_ENDIAN) return bytes;
  const copy = new Uint8Array(bytes);
  swapUnits(copy, dtypes[dtype].unitBytes);
  return copy;
}

const PART = 1 << 20;

function swapUnits(bytes: Uint8Array, unitBytes: number, tick?: Tick): void {
  for (let start = 0; start < bytes.length; start += unitBytes) {
    if (start % PART === 0) tick?.(start / bytes.length);
    for (let low = start, high = start + unitBytes - 1; low < high; low += 1, high -= 1) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}
