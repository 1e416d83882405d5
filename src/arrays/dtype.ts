/** Element types and how each is kept in memory. */

/** An element type, named as NumPy names it (bfloat16 as ml_dtypes and PyTorch name it). */
export type DType =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64"
  | "complex64"
  | "complex128";

/**
 * The storage of an array's elements.
 *
 * bool is a Uint8Array of 0 and 1; float16 and bfloat16 are Uint16Array bit patterns (half.ts
 * converts them); complex64 and complex128 are Float32Array and Float64Array with real and imaginary
 * parts alternating, so twice as long as the array has elements.
 */
export type ArrayData =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What a dtype is: its kind, the bytes one element takes, and its storage. */
export interface DTypeInfo {
  readonly kind: "bool" | "int" | "uint" | "float" | "complex";
  /** Bytes of one element (both parts of a complex one). */
  readonly bytes: number;
  /** Bytes of the unit whose order is swapped between machines: half an element for complex. */
  readonly unitBytes: number;
  /** Storage of `count` elements, over `buffer` from `byteOffset` or newly allocated. */
  readonly store: (count: number, buffer?: ArrayBufferLike, byteOffset?: number) => ArrayData;
}

interface StorageType {
  new (length: number): ArrayData;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ArrayData;
  readonly BYTES_PER_ELEMENT: number;
}

function info(kind: DTypeInfo["kind"], Storage: StorageType): DTypeInfo {
  const units = kind === "complex" ? 2 : 1;
  return {
    kind,
    bytes: Storage.BYTES_PER_ELEMENT * units,
    unitBytes: Storage.BYTES_PER_ELEMENT,
    store: (count, buffer, byteOffset) =>
      buffer === undefined
        ? new Storage(count * units)
        : new Storage(buffer, byteOffset, count * units),
  };
}

/** Every dtype, one row each. */
export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  bool: info("bool", Uint8Array),
  int8: info("int", Int8Array),
  uint8: info("uint", Uint8Array),
  int16: info("int", Int16Array),
  uint16: info("uint", Uint16Array),
  int32: info("int", Int32Array),
  uint32: info("uint", Uint32Array),
  int64: info("int", BigInt64Array),
  uint64: info("uint", BigUint64Array),
  float16: info("float", Uint16Array),
  bfloat16: info("float", Uint16Array),
  float32: info("float", Float32Array),
  float64: info("float", Float64Array),
  complex64: info("complex", Float32Array),
  complex128: info("complex", Float64Array),
};

/** The smallest and largest value of an integer dtype; undefined for the others. */
export function integerRange(dtype: DType): { min: bigint; max: bigint } | undefined {
  const { kind, bytes } = dtypes[dtype];
  const bits = BigInt(bytes * 8);
  if (kind === "int") return { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n };
  if (kind === "uint") return { min: 0n, max: (1n << bits) - 1n };
  return undefined;
}

/**
 * The dtype that holds both: NumPy's `np.promote_types`, for the dtypes here. bfloat16 follows
 * float16's place in the order, and the two together need float32.
 */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a;
  const kindA = dtypes[a].kind;
  const kindB = dtypes[b].kind;
  if (kindA === "bool") return b;
  if (kindB === "bool") return a;
  if (kindA === "complex" || kindB === "complex") {
    const partA = realPart(a);
    const partB = realPart(b);
    return promoteTypes(partA, partB) === "float64" || isWideInteger(a) || isWideInteger(b)
      ? "complex128"
      : "complex64";
  }
  if (kindA === "float" && kindB === "float") {
    const widest = dtypes[a].bytes > dtypes[b].bytes ? a : b;
    return dtypes[a].bytes === dtypes[b].bytes ? "float32" : widest;
  }
  if (kindA === "float") return floatAndInteger(a, b);
  if (kindB === "float") return floatAndInteger(b, a);
  if (kindA === kindB) return dtypes[a].bytes > dtypes[b].bytes ? a : b;
  const [signed, unsigned] = kindA === "int" ? [a, b] : [b, a];
  if (dtypes[signed].bytes > dtypes[unsigned].bytes) return signed;
  return SIGNED_ABOVE[dtypes[unsigned].bytes] ?? "float64";
}

const SIGNED_ABOVE: Readonly<Record<number, DType>> = { 1: "int16", 2: "int32", 4: "int64" };

function floatAndInteger(float: DType, integer: DType): DType {
  const { bytes } = dtypes[integer];
  if (float === "float64" || bytes >= 4) return "float64";
  return float === "float32" || bytes === 2 ? "float32" : float;
}

function realPart(dtype: DType): DType {
  if (dtype === "complex64") return "float32";
  return dtype === "complex128" ? "float64" : dtype;
}

function isWideInteger(dtype: DType): boolean {
  const { kind, bytes } = dtypes[dtype];
  return (kind === "int" || kind === "uint") && bytes >= 4;
}
