/** Arrays in files, part by part: .npy files larger than memory, read and written. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { MAX_NPY_HEADER_BYTES, readNpyHeader } from "../arrays/npyHeader.ts";
import { npyHeaderBytes } from "../arrays/npy.ts";
import { ArrayError, elementCount } from "../arrays/ndarray.ts";
import type { StoredArray, TypedArray } from "../numbers/typedArrays.ts";

export interface StoredFile extends StoredArray {
  readonly shape: readonly number[];
  readonly dtype: string;
  close(): void;
}

/** The arrays that parts of a dtype are read into; other dtypes need all of the file in memory. */
const LIKE: Readonly<Record<string, TypedArray>> = {
  bool: new Uint8Array(0),
  int8: new Int8Array(0),
  uint8: new Uint8Array(0),
  int16: new Int16Array(0),
  uint16: new Uint16Array(0),
  int32: new Int32Array(0),
  uint32: new Uint32Array(0),
  float32: new Float32Array(0),
  float64: new Float64Array(0),
};

/**
 * A .npy file to read parts of.
 * @throws ArrayError if it is none, or cannot be read part by part
 */
export function storedNpy(path: string): StoredFile {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(MAX_NPY_HEADER_BYTES);
    const header = readNpyHeader(head.subarray(0, readSync(file, head, 0, head.length, 0)), path);
    const { dtype, shape, dataOffset, littleEndian, fortranOrder } = header;
    const like = LIKE[dtype];
    const isPlain = !fortranOrder || shape.filter((n) => n > 1).length <= 1;
    if (like === undefined || !littleEndian || !isPlain) {
      throw new ArrayError(
        `${path} cannot be read part by part: its array is ${dtype}${isPlain ? "" : " in Fortran order"}.`,
        {
          where: { file: path },
          remedy:
            "Save it as float32 or uint8 in C order: np.save(path, np.ascontiguousarray(a, dtype=np.float32))",
        },
      );
    }
    const length = elementCount(shape);
    const bytes = dataOffset + length * like.BYTES_PER_ELEMENT;
    if (fstatSync(file).size < bytes) {
      throw new ArrayError(`${path} is cut short: its array takes ${bytes} bytes.`, {
        where: { file: path },
        remedy: "Copy or save the file again.",
      });
    }
    return opened(file, like, dtype, shape, dataOffset);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** A new .npy file (or one that is overwritten) whose entries are written part by part. */
export function createNpy(
  path: string,
  shape: readonly number[],
  like: Float32Array | Float64Array,
): StoredFile {
  const file = openSync(path, "w+");
  const dtype = like instanceof Float32Array ? "float32" : "float64";
  const header = npyHeaderBytes(dtype, shape);
  writeSync(file, header, 0, header.length, 0);
  return opened(file, like, dtype, shape, header.length);
}

function opened(
  file: number,
  like: TypedArray,
  dtype: string,
  shape: readonly number[],
  dataOffset: number,
): StoredFile {
  const width = like.BYTES_PER_ELEMENT;
  const transfer = (
    part: TypedArray,
    first: number,
    move: (bytes: Uint8Array, done: number, position: number) => number,
  ): void => {
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    for (let done = 0; done < bytes.length;) {
      const moved = move(bytes, done, dataOffset + first * width + done);
      if (moved === 0) throw new ArrayError("a file has become shorter while it was read");
      done += moved;
    }
  };
  return {
    like,
    dtype,
    shape,
    length: elementCount(shape),
    read(first, into) {
      transfer(into, first, (b, at, position) => readSync(file, b, at, b.length - at, position));
    },
    write(first, from) {
      transfer(from, first, (b, at, position) => writeSync(file, b, at, b.length - at, position));
    },
    close() {
      closeSync(file);
    },
  };
}
