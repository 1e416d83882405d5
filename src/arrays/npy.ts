/** Reading and writing .npy files. */
import { dtypes, type ArrayData, type DType } from "./dtype.ts";
import { bfloat16ToFloat64 } from "./half.ts";
import {
  ArrayError,
  elementCount,
  formatShape,
  type ArrayOrigin,
  type NdArray,
} from "./ndarray.ts";
import { NPY_MAGIC, readNpyHeader, startsAsNpy, type NpyHeader } from "./npyHeader.ts";
import { permuteAxes } from "./permute.ts";

export { readNpyHeader, type NpyHeader } from "./npyHeader.ts";

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Reads a .npy file of numbers, of any dtype, byte order and memory order. Where the file's elements
 * are already as they are kept in memory, the array's data is a view of `bytes`, not a copy.
 *
 * @param name the file's name or path, for errors and as the array's origin.
 * @param origin the origin to record instead of a file of that name.
 * @throws ArrayError if the file is damaged, cut short, goes on after the array, or holds no numbers.
 */
export function readNpy(bytes: Uint8Array, name: string, origin?: ArrayOrigin): NdArray {
  const header = readNpyHeader(bytes, name);
  const { dtype, shape, fortranOrder } = header;
  const count = elementCount(shape);
  checkLength(bytes, header, count, name);
  const array: NdArray = {
    dtype,
    shape: fortranOrder ? shape.toReversed() : shape,
    data: elements(bytes, header, count),
    origin: origin ?? { kind: "file", path: name },
  };
  // Fortran order is C order of the reversed axes.
  return fortranOrder
    ? permuteAxes(
        array,
        shape.map((_, axis) => shape.length - 1 - axis),
      )
    : array;
}

function checkLength(bytes: Uint8Array, header: NpyHeader, count: number, name: string): void {
  const { dtype, shape, dataOffset } = header;
  const expected = count * dtypes[dtype].bytes;
  const found = bytes.length - dataOffset;
  if (found < expected) {
    throw new ArrayError(
      `${name} is cut short: ${dtype} elements of shape ${formatShape(shape)} take ${Number.isFinite(expected) ? String(expected) : "more than 1e308"} bytes, and ${String(found)} are there.`,
      { where: { file: name, byteOffset: bytes.length }, remedy: "Copy or save the file again." },
    );
  }
  if (found > expected) {
    const end = dataOffset + expected;
    const second = startsAsNpy(bytes, end);
    throw new ArrayError(
      `${name} goes on for ${String(found - expected)} bytes after its array of shape ${formatShape(shape)}${second ? ": another array begins there" : ""}.`,
      {
        where: { file: name, byteOffset: end },
        remedy: second
          ? "Save each array to a file of its own, or all to one .npz: np.savez(path, pred=p, target=t)"
          : "Save it again with np.save(path, arr).",
      },
    );
  }
}

function elements(bytes: Uint8Array, header: NpyHeader, count: number): ArrayData {
  const { dtype, littleEndian, dataOffset } = header;
  const { unitBytes, bytes: elementBytes, store } = dtypes[dtype];
  const start = bytes.byteOffset + dataOffset;
  const swap = unitBytes > 1 && littleEndian !== HOST_IS_LITTLE_ENDIAN;
  if (!swap && start % unitBytes === 0) {
    const data = store(count, bytes.buffer, start);
    // NumPy takes any byte but 0 as True; memory holds only 0 and 1.
    const odd = dtype === "bool" && (data as Uint8Array).some((value) => value > 1);
    return odd ? (data as Uint8Array).map((value) => (value === 0 ? 0 : 1)) : data;
  }
  // Not bytes.slice: that of Node's Buffer does not copy.
  const copy = new Uint8Array(bytes.subarray(dataOffset, dataOffset + count * elementBytes));
  if (swap) swapUnits(copy, unitBytes);
  return store(count, copy.buffer, copy.byteOffset);
}

function swapUnits(bytes: Uint8Array, unitBytes: number): void {
  for (let start = 0; start < bytes.length; start += unitBytes) {
    for (let low = start, high = start + unitBytes - 1; low < high; low += 1, high -= 1) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}

const TYPE_STRINGS: Readonly<Record<Exclude<DType, "bfloat16">, string>> = {
  bool: "|b1",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
  complex64: "<c8",
  complex128: "<c16",
};

/**
 * The array as a .npy file: version 1.0, little-endian, C order. NumPy has no bfloat16, so such an
 * array is written as float32, which holds its values exactly.
 */
export function writeNpy(a: NdArray): Uint8Array {
  if (a.dtype === "bfloat16") {
    const data = Float32Array.from(a.data as Uint16Array, bfloat16ToFloat64);
    return writeNpy({ ...a, dtype: "float32", data });
  }
  const description = `{'descr': '${TYPE_STRINGS[a.dtype]}', 'fortran_order': False, 'shape': ${formatShape(a.shape)}, }`;
  // The elements begin at a multiple of 64, and the header ends in a newline.
  const dataOffset = Math.ceil((10 + description.length + 1) / 64) * 64;
  const file = new Uint8Array(dataOffset + a.data.byteLength);
  file.set(NPY_MAGIC);
  file[6] = 1;
  new DataView(file.buffer).setUint16(8, dataOffset - 10, true);
  const text = `${description.padEnd(dataOffset - 11)}\n`;
  for (let i = 0; i < text.length; i += 1) file[10 + i] = text.charCodeAt(i);
  const body = file.subarray(dataOffset);
  body.set(new Uint8Array(a.data.buffer, a.data.byteOffset, a.data.byteLength));
  if (!HOST_IS_LITTLE_ENDIAN) swapUnits(body, dtypes[a.dtype].unitBytes);
  return file;
}
