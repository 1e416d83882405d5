/** Arrays in files, part by part: those larger than memory, read and written. */
import { type ArrayData, dtypes } from "../arrays/dtype.ts";
import type { Layout } from "../arrays/elements.ts";
import { openArrayInFile, readFrom } from "../arrays/loadArray.node.ts";
import type { ArrayInFile } from "../arrays/members.ts";
import { ArrayError, decodeFloat64, elementCount } from "../arrays/ndarray.ts";
import { npyHeaderBytes } from "../arrays/npy.ts";
import type { ByteSource, Tick } from "../arrays/source.ts";
import {
  type ElementReader,
  type PackedElements,
  type StoredElements,
  elementReader,
} from "../arrays/stored.ts";
import type { StoredArray, TypedArray } from "../numbers/typedArrays.ts";
import { NewFile } from "./newFile.node.ts";
import { PagedWriter } from "./pagedWriter.node.ts";
import { newScratchFile } from "./scratch.node.ts";

export interface StoredFile extends StoredArray {
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Its first axis is the fastest: entries come in the order of the reversed axes. */
  readonly isReversed: boolean;
  close(): void;
}

/** The arrays that parts of a dtype are read into; those of other dtypes are made float64. */
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
 * What a file says of an array that can be read part by part.
 * @throws ArrayError if it holds none, or cannot be read so
 */
export function storedHeader(path: string, member?: string): Pick<ArrayInFile, "shape" | "dtype"> {
  const array = openArrayInFile(path, member);
  readable(array, path, member);
  return array;
}

/** An array in a file, as its reader reads it part by part. */
export interface OpenStored {
  readonly reader: ElementReader;
  readonly layout: Layout;
  readonly label: string;
  readonly close: () => void;
}

/**
 * Opens an array for reading its elements in the order of its file; one that is packed is unpacked into
 * a temporary file first.
 * @param tick told how much of that is done; may throw to end it
 * @throws ArrayError if the file holds none, or cannot be read part by part
 */
export function openStored(path: string, member: string | undefined, tick: Tick): OpenStored {
  const array = openArrayInFile(path, member);
  const stored = readable(array, path, member);
  const label = labelOf(path, member);
  const { layout, bytes } = stored;
  const size = elementCount(layout.shape) * dtypes[layout.dtype].bytes;
  const flat: Flat =
    bytes.kind === "packed"
      ? unpacked(bytes, size, label, tick)
      : { source: bytes.source, offset: bytes.offset, close: () => undefined };
  try {
    if (bytes.kind === "flat") bytes.verify?.(tick);
    const reader = elementReader(flat.source, flat.offset, stored, label);
    return { reader, layout, label, close: flat.close };
  } catch (error) {
    flat.close();
    throw error;
  }
}

/**
 * An array in a file, to compute with parts of.
 * @param tick told how much of the unpacking is done
 * @throws ArrayError as {@link openStored} does
 */
export function storedArray(path: string, member: string | undefined, tick: Tick): StoredFile {
  const { reader, layout, label, close } = openStored(path, member, tick);
  return {
    ...readingInto(reader, label),
    dtype: reader.dtype,
    shape: layout.shape,
    length: reader.count,
    isReversed: layout.fortranOrder && layout.shape.filter((n) => n > 1).length > 1,
    write: () => {
      throw new Error(`${label} is not written to`);
    },
    close,
  };
}

function labelOf(path: string, member: string | undefined): string {
  return member === undefined ? path : `${path}[${member}]`;
}

/** Whether the elements lie one after the other in the file, packed or not, and are real numbers. */
export function isReadInParts({ stored, dtype }: ArrayInFile): boolean {
  return stored !== undefined && dtypes[dtype].kind !== "complex";
}

function readable(array: ArrayInFile, path: string, member: string | undefined): StoredElements {
  const stored = array.stored?.();
  const label = labelOf(path, member);
  const isReal = dtypes[array.dtype].kind !== "complex";
  if (stored !== undefined && isReal) return stored;
  throw new ArrayError(
    `${label} cannot be read part by part: ${isReal ? "its elements do not lie one after the other" : `its array is ${array.dtype}`}.`,
    {
      where: { file: path },
      remedy: "Save it as numbers in an array file: np.save(path, a)",
    },
  );
}

function readingInto(reader: ElementReader, label: string): Pick<StoredFile, "like" | "read"> {
  const own = LIKE[reader.dtype];
  if (own !== undefined) {
    return {
      like: own,
      read: (first, into) => {
        reader.read(first, into as ArrayData);
      },
    };
  }
  return {
    like: new Float64Array(0),
    read: (first, into) => {
      const data = dtypes[reader.dtype].store(into.length);
      reader.read(first, data);
      const part = { dtype: reader.dtype, shape: [into.length], data };
      try {
        decodeFloat64(part, 0, into as Float64Array, true);
      } catch (e) {
        if (!(e instanceof ArrayError)) throw e;
        throw new ArrayError(
          `${label} holds whole numbers beyond 2^53, which float64 cannot hold.`,
          {
            remedy: "Save it as float64, if they may be rounded.",
            cause: e,
          },
        );
      }
    },
  };
}

interface Flat {
  readonly source: ByteSource;
  readonly offset: number;
  readonly close: () => void;
}

/** A file that is gone when it is closed, or the program ends. */
function unpacked(packed: PackedElements, size: number, label: string, tick: Tick): Flat {
  const { file, guarded, close } = newScratchFile(size, label);
  try {
    guarded(() => {
      const writer = new PagedWriter(file);
      packed.unpack((at, bytes) => {
        writer.put(at, bytes);
      }, tick);
      writer.flush();
    });
    return { source: sourceOfFile(file, size), offset: 0, close };
  } catch (error) {
    close();
    throw error;
  }
}

function sourceOfFile(file: number, size: number): ByteSource {
  return {
    size,
    readInto: (offset, into) => readFrom(file, offset, into),
    read: (offset, length) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      return bytes.subarray(0, readFrom(file, offset, bytes));
    },
  };
}

/** A file that takes its place when it is finished; closing it before removes it. */
export interface NewStoredFile extends StoredFile {
  /** @throws ArrayError */
  finish(): void;
}

/**
 * A new .npy file (or one that is overwritten) whose entries are written part by part.
 * @param isReversed entries are written in the order of the reversed axes
 * @throws ArrayError if it cannot be written
 */
export function createNpy(
  path: string,
  shape: readonly number[],
  like: Float32Array | Float64Array,
  isReversed = false,
): NewStoredFile {
  const file = new NewFile(path);
  const dtype = like instanceof Float32Array ? "float32" : "float64";
  const header = npyHeaderBytes(dtype, shape, isReversed);
  file.write(header, 0);
  const placeOf = (first: number): number => header.length + first * like.BYTES_PER_ELEMENT;
  return {
    like,
    dtype,
    shape,
    isReversed,
    length: elementCount(shape),
    read(first, into) {
      readFrom(file.handle, placeOf(first), bytesOf(into));
    },
    write(first, from) {
      file.write(bytesOf(from), placeOf(first));
    },
    finish() {
      file.finish();
    },
    close() {
      file.close();
    },
  };
}

/** The memory that an array lies in. */
export function bytesOf(part: TypedArray): Uint8Array {
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}
