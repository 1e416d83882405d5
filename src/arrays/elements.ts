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
    return dtype === "bool" ? zerosAndOnes(data as Uint8Array) : data;
  }
  // Not bytes.slice: that of Node's Buffer does not copy.
  const copy = new Uint8Array(bytes);
  if (swap) swapUnits(copy, unitBytes, tick);
  return store(count, copy.buffer, copy.byteOffset);
}

/** NumPy takes any byte but 0 as True; memory holds only 0 and 1. */
function zerosAndOnes(data: Uint8Array): Uint8Array {
  // What is in any of them, four at a time: looking at each takes twenty times as long.
  const start = Math.min(data.length, -data.byteOffset & 3);
  const count = Math.floor((data.length - start) / 4);
  let all = 0;
  if (count > 0) {
    const words = new Uint32Array(data.buffer, data.byteOffset + start, count);
    for (let k = 0; k < count; k += 1) all |= words[k]!;
  }
  for (let k = 0; k < start; k += 1) all |= data[k]!;
  for (let k = start + 4 * count; k < data.length; k += 1) all |= data[k]!;
  return (all & ~0x01010101) === 0 ? data : data.map((value) => (value === 0 ? 0 : 1));
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

/** Turns the bytes of units of 2, 4 or 8 round, in place. @param bytes in memory of their own */
function swapUnits(bytes: Uint8Array, unitBytes: number, tick?: Tick): void {
  for (let start = 0; start < bytes.length; start += PART) {
    tick?.(start / bytes.length);
    const at = bytes.byteOffset + start;
    const length = Math.min(PART, bytes.length - start);
    if (unitBytes === 2) swapHalves(new Uint16Array(bytes.buffer, at, length / 2));
    else swapWords(new Uint32Array(bytes.buffer, at, length / 4), unitBytes === 8);
  }
}

function swapHalves(units: Uint16Array): void {
  for (let k = 0; k < units.length; k += 1) units[k] = (units[k]! << 8) | (units[k]! >>> 8);
}

/** @param inPairs whether two words make up a unit, and change places too */
function swapWords(words: Uint32Array, inPairs: boolean): void {
  for (let k = 0; k < words.length; k += 1) {
    const word = words[k]!;
    words[k] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  }
  if (!inPairs) return;
  for (let k = 0; k + 1 < words.length; k += 2)
    [words[k], words[k + 1]] = [words[k + 1]!, words[k]!];
}
