/** Reading and writing .npy files. */
import type { DType } from "./dtype.ts";
import { arrayOf, bytesOf } from "./elements.ts";
import { arrayBytes, bytesAt } from "./fileErrors.ts";
import { bfloat16ToFloat64 } from "./half.ts";
import type { ArrayInFile, ReadOptions } from "./members.ts";
import { ArrayError, formatShape, type ArrayOrigin, type NdArray } from "./ndarray.ts";
import {
  MAX_NPY_HEADER_BYTES,
  NPY_MAGIC,
  readNpyHeader,
  startsAsNpy,
  type NpyHeader,
} from "./npyHeader.ts";
import { sourceOf, type ByteSource } from "./source.ts";

export { readNpyHeader, type NpyHeader } from "./npyHeader.ts";

/**
 * Reads a .npy file of numbers, of any dtype, byte order and memory order. Where the file's elements
 * are already as they are kept in memory, the array's data is a view of `bytes`, not a copy.
 *
 * @param name the file's name or path, for errors and as the array's origin.
 * @param origin the origin to record instead of a file of that name.
 * @throws ArrayError if the file is damaged, cut short, goes on after the array, or holds no numbers.
 */
export function readNpy(
  bytes: Uint8Array,
  name: string,
  origin?: ArrayOrigin,
  options: Pick<ReadOptions, "tick"> = {},
): NdArray {
  return openNpy(bytes, name, options, origin).read();
}

/** Opens a .npy file: reads its header, and the elements when asked. @throws ArrayError */
export function openNpy(
  file: Uint8Array | ByteSource,
  name: string,
  options: ReadOptions = {},
  origin: ArrayOrigin = { kind: "file", path: name },
): ArrayInFile {
  const source = sourceOf(file);
  const header = readNpyHeader(source.read(0, MAX_NPY_HEADER_BYTES), name);
  const { dtype, shape, dataOffset } = header;
  return {
    dtype,
    shape,
    stored: () => {
      checkLength(source, header, name);
      return { layout: header, bytes: { kind: "flat", source, offset: dataOffset } };
    },
    read: () => {
      checkLength(source, header, name);
      const expected = arrayBytes(dtype, shape, name, options);
      const bytes = bytesAt(source, dataOffset, expected, "elements", name);
      return arrayOf(bytes, header, origin, undefined, options.tick);
    },
  };
}

/** @throws ArrayError unless the file has the elements that its header says, and nothing after them */
export function checkLength(
  source: Pick<ByteSource, "size" | "read">,
  header: NpyHeader,
  name: string,
): void {
  const { dtype, shape, dataOffset } = header;
  const expected = arrayBytes(dtype, shape, name, { maxBytes: Infinity });
  const found = source.size - dataOffset;
  if (found < expected) {
    throw new ArrayError(
      `${name} is cut short: ${dtype} elements of shape ${formatShape(shape)} take ${Number.isFinite(expected) ? String(expected) : "more than 1e308"} bytes, and ${String(found)} are there.`,
      { where: { file: name, byteOffset: source.size }, remedy: "Copy or save the file again." },
    );
  }
  if (found > expected) {
    const end = dataOffset + expected;
    const second = startsAsNpy(source.read(end, NPY_MAGIC.length));
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
  const header = npyHeaderBytes(a.dtype, a.shape);
  const file = new Uint8Array(header.length + a.data.byteLength);
  file.set(header);
  file.set(bytesOf(a.data, a.dtype), header.length);
  return file;
}

/** What stands before the elements of a .npy file: version 1.0, little-endian, C order. */
export function npyHeaderBytes(
  dtype: Exclude<DType, "bfloat16">,
  shape: readonly number[],
  fortranOrder = false,
): Uint8Array {
  const description = `{'descr': '${TYPE_STRINGS[dtype]}', 'fortran_order': ${fortranOrder ? "True" : "False"}, 'shape': ${formatShape(shape)}, }`;
  // The elements begin at a multiple of 64, and the header ends in a newline.
  const dataOffset = Math.ceil((10 + description.length + 1) / 64) * 64;
  const header = new Uint8Array(dataOffset);
  header.set(NPY_MAGIC);
  header[6] = 1;
  new DataView(header.buffer).setUint16(8, dataOffset - 10, true);
  const text = `${description.padEnd(dataOffset - 11)}\n`;
  for (let i = 0; i < text.length; i += 1) header[10 + i] = text.charCodeAt(i);
  return header;
}
