/**
 * Arrays read part by part. A format says where the elements lie in its file and how they are laid
 * out; from that, the whole array and any part of it are read in one way.
 */
import { dtypes, type ArrayData, type DType } from "./dtype.ts";
import { elementsOf, isAsInMemory, type Layout } from "./elements.ts";
import { cutShort } from "./fileErrors.ts";
import { decodeFloat64, elementCount } from "./ndarray.ts";
import type { ByteSource, Tick } from "./source.ts";

/** What each element is multiplied by, and what is added then. */
export interface Scaling {
  readonly slope: number;
  readonly intercept: number;
}

/** Takes a part of the elements' unpacked bytes; `at` counts from the first element's first byte. */
export type PutBytes = (at: number, bytes: Uint8Array) => void;

/** The part of unpacked bytes after the first `skipped`, which are not elements. */
export function putAfter(skipped: number, size: number, put: PutBytes, tick: Tick): PutPart {
  let at = 0;
  return (part) => {
    const end = at + part.length;
    const first = Math.max(at, skipped);
    if (end > first) put(first - skipped, part.subarray(first - at));
    at = end;
    tick(Math.min(1, at / (skipped + size)));
  };
}

/** Takes the next part of unpacked bytes. */
export type PutPart = (bytes: Uint8Array) => void;

/** Elements that lie in a file as they are, one after the other. */
export interface FlatElements {
  readonly kind: "flat";
  readonly source: ByteSource;
  /** Where the first element begins. */
  readonly offset: number;
  /**
   * Compares the elements with their checksum, where the file has one: reads them all.
   * @throws ArrayError if they do not match
   */
  readonly verify?: (tick: Tick) => void;
}

/** Elements that have to be unpacked first. */
export interface PackedElements {
  readonly kind: "packed";
  /** What unpacks them, as "gzip". */
  readonly packing: string;
  /**
   * Gives all of their bytes piece by piece, each once, with little memory.
   * @throws ArrayError if the packed data is damaged
   */
  readonly unpack: (put: PutBytes, tick: Tick) => void;
}

/** How an array's elements lie in its file. */
export interface StoredElements {
  readonly layout: Layout;
  readonly scaling?: Scaling | undefined;
  readonly bytes: FlatElements | PackedElements;
}

/** The dtype that reading elements of `dtype` gives where they are scaled: that of Python's numbers. */
export function scaledDtype(dtype: DType): DType {
  return dtypes[dtype].kind === "complex" ? "complex128" : "float64";
}

/** Bytes that are copied or unpacked between two looks at the clock. */
export const BLOCK_BYTES = 1 << 20;

/** Reads elements in the order in which they lie in the file. */
export interface ElementReader {
  /** Of the elements that are given: as the whole array is read. */
  readonly dtype: DType;
  readonly count: number;
  /**
   * Fills `into`, storage of {@link dtype}, with the elements from `first` on.
   * @throws ArrayError if the file has become shorter or cannot be read
   */
  readonly read: (first: number, into: ArrayData) => void;
}

/**
 * A reader of elements that lie flat in a source.
 * @param label the array, for errors
 */
export function elementReader(
  source: ByteSource,
  offset: number,
  { layout, scaling }: Pick<StoredElements, "layout" | "scaling">,
  label: string,
): ElementReader {
  const { dtype, shape, littleEndian } = layout;
  const { bytes: width, kind } = dtypes[dtype];
  const units = kind === "complex" ? 2 : 1;
  const isPlain = scaling === undefined && isAsInMemory(dtype, littleEndian) && dtype !== "bool";
  const fill = (first: number, bytes: Uint8Array): void => {
    const filled = readInto(source, offset + first * width, bytes);
    if (filled < bytes.length) {
      throw cutShort(label, `${String(bytes.length)} bytes of elements there`, filled, {
        byteOffset: offset + first * width,
      });
    }
  };
  const read = (first: number, into: ArrayData): void => {
    if (isPlain) {
      fill(first, new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
      return;
    }
    const count = into.length / units;
    const bytes = new Uint8Array(count * width);
    fill(first, bytes);
    const elements = elementsOf(bytes, dtype, littleEndian);
    if (scaling === undefined) (into as Float64Array).set(elements as Float64Array);
    else scaleInto(elements, dtype, scaling, into as Float64Array);
  };
  return {
    dtype: scaling === undefined ? dtype : scaledDtype(dtype),
    count: elementCount(shape),
    read,
  };
}

/** Fills `bytes` from `offset` on; how many there were. */
export function readInto(source: ByteSource, offset: number, bytes: Uint8Array): number {
  if (source.readInto !== undefined) return source.readInto(offset, bytes);
  const there = source.read(offset, bytes.length);
  bytes.set(there);
  return there.length;
}

const CHUNK = 1 << 16;

/** Scaled elements, as NIfTI has them: float64, or complex128 with its parts alternating. */
export function scaleInto(
  data: ArrayData,
  dtype: DType,
  { slope, intercept }: Scaling,
  into: Float64Array,
  tick?: Tick,
): void {
  if (dtypes[dtype].kind === "complex") {
    const from = data as Float32Array | Float64Array;
    for (let i = 0; i < into.length; i += 2) {
      if (i % CHUNK === 0) tick?.(i / into.length);
      const [real, imaginary] = [from[i]!, from[i + 1]!];
      // A product of two complex numbers, as NumPy has it: infinity times 0 is not a number.
      into[i] = real * slope - imaginary * 0 + intercept;
      into[i + 1] = real * 0 + imaginary * slope;
    }
    return;
  }
  const array = { dtype, data, shape: [data.length] };
  for (let start = 0; start < into.length; start += CHUNK) {
    tick?.(start / into.length);
    const chunk = into.subarray(start, start + CHUNK);
    decodeFloat64(array, start, chunk);
    // Two roundings, as nibabel has them; a factor of 1 and a shift of 0 are left out, which keeps -0.
    if (slope !== 1) for (let i = 0; i < chunk.length; i += 1) chunk[i]! *= slope;
    if (intercept !== 0) for (let i = 0; i < chunk.length; i += 1) chunk[i]! += intercept;
  }
}
