/** Shapes and element types of HDF5 datasets. Source: the specification, sections IV.A.2.b and d. */
import { dtypes, type DType } from "../../dtype.ts";
import type { ArrayError } from "../../ndarray.ts";
import { viewOf } from "../../source.ts";
import type { Fields } from "./file.ts";

export interface ElementType {
  readonly dtype: DType;
  readonly littleEndian: boolean;
  /** The bits of an integer that count, where not all do. */
  readonly bits?: Bits;
}

/** Some of an integer's bits. */
export interface Bits {
  /** The place of the lowest. */
  readonly offset: number;
  readonly precision: number;
}

/** Raises the error for elements that are no numbers; `what` follows "holds". */
export type Refuse = (what: string) => ArrayError;

const MAX_AXES = 32;

/** The shape in a dataspace message; undefined for a dataset without elements. */
export function shapeOf(fields: Fields): number[] | undefined {
  const version = fields.uint(1);
  const axes = fields.uint(1);
  fields.skip(1);
  const kind = fields.uint(1);
  if (version === 1) fields.skip(4);
  if ((version !== 1 && version !== 2) || axes > MAX_AXES) {
    throw fields.file.damaged("a dataset's shape cannot be read", fields.address);
  }
  if (version === 2 && kind === 2) return undefined;
  return Array.from({ length: axes }, () => fields.length());
}

/** What the lengths in a dataspace message may grow to, Infinity where that is open; undefined: nothing. */
export function limitsOf(fields: Fields): number[] | undefined {
  const shape = shapeOf(fields.again());
  fields.skip(2);
  const hasLimits = (fields.uint(1) & 1) !== 0;
  if (shape === undefined || !hasLimits) return undefined;
  fields.skip((fields.bytes[0] === 1 ? 5 : 1) + shape.length * fields.file.lengthBytes);
  return shape.map(() => {
    const limit = fields.length();
    return Number.isSafeInteger(limit) ? limit : Infinity;
  });
}

const OTHER_CLASSES: Readonly<Record<number, string>> = {
  2: "times",
  3: "text",
  4: "bit fields",
  5: "bytes without a meaning",
  6: "records of several fields",
  7: "references to other objects",
  9: "lists or texts of different lengths",
  10: "arrays inside of elements",
};

/** The element type in a datatype message. @throws ArrayError if it is no number */
export function elementType(fields: Fields, refuse: Refuse): ElementType {
  const head = fields.uint(1);
  const version = head >> 4;
  const kind = head & 15;
  const bits = fields.uint(3);
  const size = fields.uint(4);
  switch (kind) {
    case 0:
      return integer(fields, bits, size, refuse);
    case 1:
      return float(fields, bits, size, refuse);
    case 6:
      return complexRecord(fields, version, bits & 0xffff, size, refuse);
    case 8:
      return enumeration(fields, version, bits & 0xffff, size, refuse);
    case 11:
      return complexOf(elementType(fields, refuse), size, refuse);
    default:
      throw refuse(OTHER_CLASSES[kind] ?? `elements of the unknown class ${String(kind)}`);
  }
}

function integer(fields: Fields, bits: number, size: number, refuse: Refuse): ElementType {
  const bitOffset = fields.uint(2);
  const precision = fields.uint(2);
  const fits = precision >= 1 && bitOffset + precision <= 8 * size;
  if (![1, 2, 4, 8].includes(size) || !fits) {
    throw refuse(`integers of ${String(precision)} bits in ${String(size)} bytes`);
  }
  const type = {
    dtype: `${bits & 8 ? "int" : "uint"}${String(8 * size)}` as DType,
    littleEndian: (bits & 1) === 0,
  };
  return precision === 8 * size ? type : { ...type, bits: { offset: bitOffset, precision } };
}

/** Elements of which only some bits count, with the others as their values need them. */
export function withAllBits(
  bytes: Uint8Array,
  dtype: DType,
  littleEndian: boolean,
  { offset, precision }: Bits,
): Uint8Array {
  const { bytes: width, kind } = dtypes[dtype];
  const out = new Uint8Array(bytes.length);
  const from = viewOf(bytes);
  const to = viewOf(out);
  const unused = BigInt(64 - precision);
  for (let at = 0; at + width <= bytes.length; at += width) {
    const raw =
      width === 8
        ? from.getBigUint64(at, littleEndian)
        : BigInt(
            width === 4
              ? from.getUint32(at, littleEndian)
              : width === 2
                ? from.getUint16(at, littleEndian)
                : from.getUint8(at),
          );
    const shifted = (raw >> BigInt(offset)) << unused;
    const value =
      kind === "int" ? BigInt.asIntN(64, shifted) >> unused : BigInt.asUintN(64, shifted) >> unused;
    if (width === 8) to.setBigInt64(at, value, littleEndian);
    else if (width === 4) to.setInt32(at, Number(value), littleEndian);
    else if (width === 2) to.setInt16(at, Number(value), littleEndian);
    else to.setInt8(at, Number(value));
  }
  return out;
}

/** Bits of the exponent and the fraction, and the exponent's bias. */
const FLOATS: Readonly<Record<string, DType>> = {
  "2: 5 10 15": "float16",
  "2: 8 7 127": "bfloat16",
  "4: 8 23 127": "float32",
  "8: 11 52 1023": "float64",
};

function float(fields: Fields, bits: number, size: number, refuse: Refuse): ElementType {
  fields.skip(2);
  const precision = fields.uint(2);
  fields.skip(1);
  const exponent = fields.uint(1);
  fields.skip(1);
  const fraction = fields.uint(1);
  const bias = fields.uint(4);
  const dtype = FLOATS[`${String(size)}: ${String(exponent)} ${String(fraction)} ${String(bias)}`];
  // Bit 6 is the order of the VAX.
  if (dtype === undefined || bits & 0x40) {
    throw refuse(`floating-point numbers of ${String(precision)} bits`);
  }
  return { dtype, littleEndian: (bits & 1) === 0 };
}

/** h5py keeps truth values as an enumeration of FALSE and TRUE. */
function enumeration(
  fields: Fields,
  version: number,
  count: number,
  size: number,
  refuse: Refuse,
): ElementType {
  const base = elementType(fields, refuse);
  if (count !== 2 || size !== 1) return base;
  const names = [name(fields, version), name(fields, version)];
  const values = [fields.uint(1), fields.uint(1)];
  const truth = names.join() === "FALSE,TRUE" && values.join() === "0,1";
  return truth ? { ...base, dtype: "bool" } : base;
}

/** Up to version 2 names are filled up to eight bytes. */
function name(fields: Fields, version: number): string {
  const start = fields.position;
  const text = fields.text();
  if (version < 3) fields.skip((8 - ((fields.position - start) % 8)) % 8);
  return text;
}

/** h5py keeps complex numbers as records of r and i, MATLAB of real and imag. */
function complexRecord(
  fields: Fields,
  version: number,
  count: number,
  size: number,
  refuse: Refuse,
): ElementType {
  if (count !== 2) throw refuse(OTHER_CLASSES[6]!);
  const parts = [0, 1].map(() => {
    const title = name(fields, version);
    const at = fields.uint(
      version < 3 || size >= 0x1000000 ? 4 : size < 256 ? 1 : size < 65536 ? 2 : 3,
    );
    if (version === 1) fields.skip(28);
    return { title, at, type: elementType(fields, refuse) };
  });
  const [real, imaginary] = parts as [(typeof parts)[0], (typeof parts)[0]];
  const alike =
    real.type.dtype === imaginary.type.dtype &&
    real.type.littleEndian === imaginary.type.littleEndian;
  const named = ["r,i", "real,imag"].includes(`${real.title},${imaginary.title}`);
  if (!named || !alike || real.at !== 0 || imaginary.at !== size / 2) {
    throw refuse(OTHER_CLASSES[6]!);
  }
  return complexOf(real.type, size, refuse);
}

function complexOf(part: ElementType, size: number, refuse: Refuse): ElementType {
  if (part.dtype === "float32" && size === 8) return { ...part, dtype: "complex64" };
  if (part.dtype === "float64" && size === 16) return { ...part, dtype: "complex128" };
  throw refuse(`complex numbers of ${part.dtype}`);
}
