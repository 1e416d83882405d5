/**
 * NumPy's array-interface type strings: byte order, kind letter, item size (`<f4`, `|b1`, `>c16`).
 * Source: NumPy's "The array interface protocol" and "Data type objects (dtype)".
 */
import type { DType } from "./dtype.ts";

/** A numeric type string's meaning. */
export interface TypeString {
  readonly dtype: DType;
  /** Undefined where one byte has no order, or the string leaves it to the machine. */
  readonly littleEndian: boolean | undefined;
}

/** A type that holds no numbers that are read here: why, and what to do. */
export interface RefusedType {
  readonly reason: string;
  readonly remedy: string;
}

const NUMERIC: Readonly<Record<string, DType>> = {
  "?": "bool",
  b1: "bool",
  i1: "int8",
  u1: "uint8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
  c8: "complex64",
  c16: "complex128",
};

/** Reads a type string; undefined if it is none. */
export function parseTypeString(text: string): TypeString | RefusedType | undefined {
  const parts = /^([<>|=]?)([?a-zA-Z])(\d{0,9})(\[[^\]]*\])?$/u.exec(text);
  if (parts === null) return undefined;
  const [, order, kind, size] = parts as unknown as [string, string, string, string];
  const dtype = NUMERIC[kind + size];
  if (dtype !== undefined) {
    return { dtype, littleEndian: order === "<" ? true : order === ">" ? false : undefined };
  }
  return refusal(kind, size, text);
}

function refusal(kind: string, size: string, text: string): RefusedType | undefined {
  switch (kind) {
    case "O":
      return {
        reason:
          "holds Python objects (dtype object), stored as a pickle, and unpickling can run any code",
        remedy: "np.save(path, arr.astype(np.float32), allow_pickle=False)",
      };
    case "f":
    case "c":
    case "g":
    case "G":
      return {
        reason: `holds numbers of type ${text}, ${
          Number(size) > 8 ? "an extended precision that differs between machines" : "unknown here"
        }`,
        remedy: `np.save(path, arr.astype(${kind.toLowerCase() === "c" || kind === "G" ? "np.complex128" : "np.float64"}))`,
      };
    case "U":
      return {
        reason: `holds Unicode text of up to ${size} characters (${text})`,
        remedy: NUMBERS_FROM_TEXT,
      };
    case "S":
    case "a":
      return {
        reason: `holds byte strings of up to ${size} bytes (${text})`,
        remedy: NUMBERS_FROM_TEXT,
      };
    case "M":
      return { reason: `holds dates (datetime64, ${text})`, remedy: NUMBERS_WANTED };
    case "m":
      return { reason: `holds durations (timedelta64, ${text})`, remedy: NUMBERS_WANTED };
    case "V":
      return {
        reason: `holds raw bytes without a meaning (${text})`,
        remedy:
          size === "2"
            ? "bfloat16 arrays end up like this when saved by np.save; use np.save(path, arr.astype(np.float32))"
            : NUMBERS_WANTED,
      };
    default:
      return undefined;
  }
}

const NUMBERS_FROM_TEXT = "If the text spells numbers: np.save(path, arr.astype(np.float64))";
const NUMBERS_WANTED = "Save an array of numbers: np.save(path, arr.astype(np.float32))";
