/**
 * MATLAB's files, by their version; and those of version 5 (which its versions 6 and 7 write): numeric
 * and logical arrays, also compressed. Shape and dtype are those of `scipy.io.loadmat(path)[name]`: at least two axes, and the
 * dtype that the elements are stored in, which for an array of doubles may be a narrower one.
 *
 * A reader of our own, as there is no JavaScript library for it whose licence fits.
 * Source: MathWorks, "MAT-File Format" (the document of that name), section 1.
 */
import { dtypes, type DType } from "../dtype.ts";
import { arrayOf } from "../elements.ts";
import { arrayBytes, bytesAt, checkThere, damaged, refusal } from "../fileErrors.ts";
import { inflateParts, inflateStart, inflateWhole } from "../inflate.ts";
import { MAX_ARRAY_BYTES, type ArrayInFile, type ReadOptions } from "../members.ts";
import { elementCount, formatShape, type NdArray } from "../ndarray.ts";
import { latin1, partOf, sourceOf, viewOf, type ByteSource, type Tick } from "../source.ts";
import { putAfter, type PutBytes, type StoredElements } from "../stored.ts";
import { beginsAsMatlab4, openMatlab4 } from "./matlab4.ts";
import { openMatlab73 } from "./matlab73.ts";
import { joined, MATLAB_REMEDY } from "./matlabParts.ts";

const FILE_HEADER_BYTES = 128;
const MATRIX = 14;
const COMPRESSED = 15;
/** What surely holds everything of a variable that comes before its elements. */
const START_BYTES = 4096;
const MAX_AXES = 64;

/** Elements of a variable by the number of their type. */
const TYPES: Readonly<Record<number, DType>> = {
  1: "int8",
  2: "uint8",
  3: "int16",
  4: "uint16",
  5: "int32",
  6: "uint32",
  7: "float32",
  9: "float64",
  12: "int64",
  13: "uint64",
};

/** Variables that are no arrays of numbers, by the number of their class. */
const OTHER_CLASSES: Readonly<Record<number, string>> = {
  1: "a cell array",
  2: "a struct",
  3: "an object",
  4: "text",
  5: "a sparse matrix",
  16: "a function",
  17: "an object",
};

/** Opens a .mat file of any version: its variables by name. @throws ArrayError */
export function openMatlab(
  source: ByteSource,
  name: string,
  options: ReadOptions,
): ReadonlyMap<string, () => ArrayInFile> {
  if (latin1(source.read(0, 10)) === "MATLAB 7.3") return openMatlab73(source, name, options);
  if (beginsAsMatlab4(source)) return openMatlab4(source, name, options);
  return openMatlab5(source, name, options);
}

function openMatlab5(
  source: ByteSource,
  name: string,
  options: ReadOptions,
): ReadonlyMap<string, () => ArrayInFile> {
  const littleEndian = byteOrder(source, name);
  const members = new Map<string, () => ArrayInFile>();
  let at = FILE_HEADER_BYTES;
  while (at < source.size) {
    const tag = viewOf(bytesAt(source, at, 8, "a variable's tag", name));
    const type = tag.getUint32(0, littleEndian);
    const size = tag.getUint32(4, littleEndian);
    if (size > source.size - at - 8) {
      throw damaged(
        name,
        `a variable in it should have ${String(size)} bytes, and ${String(source.size - at - 8)} are there`,
        { byteOffset: at },
      );
    }
    if (type !== COMPRESSED && type !== MATRIX) {
      throw damaged(
        name,
        `there is something of the type ${String(type)} where a variable should be`,
        {
          byteOffset: at,
        },
      );
    }
    const variable = openVariable(source, at, size, type === COMPRESSED, littleEndian, name);
    // What has no name belongs to MATLAB.
    if (variable.name !== "") {
      members.set(variable.name, () => inFile(variable, name, options));
    }
    // Compressed variables alone are not filled up to eight bytes.
    at += 8 + (type === COMPRESSED ? size : Math.ceil(size / 8) * 8);
  }
  return members;
}

function byteOrder(source: ByteSource, name: string): boolean {
  const header = source.read(0, FILE_HEADER_BYTES);
  const order = latin1(header.subarray(126, 128));
  if (order !== "IM" && order !== "MI") {
    throw refusal(`${name} is not a MATLAB file: it does not begin as one.`, name, {
      byteOffset: Math.min(126, header.length),
      remedy: MATLAB_REMEDY,
    });
  }
  return order === "IM";
}

interface Variable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly classNumber: number;
  readonly complex: boolean;
  readonly littleEndian: boolean;
  /** Where the elements' tag is in the unpacked variable. */
  readonly dataAt: number;
  /** The first bytes, and all bytes. */
  readonly start: Uint8Array;
  readonly all: (maxBytes: number, tick?: Tick) => Uint8Array;
  /** How the bytes from a place on lie in the file, so many of them. */
  readonly stored: (from: number, size: number, label: string) => StoredElements["bytes"];
}

function openVariable(
  source: ByteSource,
  at: number,
  size: number,
  compressed: boolean,
  littleEndian: boolean,
  name: string,
): Variable {
  const place = { label: name, file: name, byteOffset: at };
  const packed = partOf(source, at + 8, size);
  let start = packed.read(0, START_BYTES);
  let all: Variable["all"] = (maxBytes) => limited(packed, size, maxBytes, name);
  let stored: Variable["stored"] = (from, length, label) => {
    checkThere(packed, from, length, "elements", label, { file: name });
    return { kind: "flat", source: packed, offset: from };
  };
  if (compressed) {
    start = inflateStart(packed, START_BYTES, "zlib", place);
    const tag = viewOf(bytesAt(sourceOf(start), 0, 8, "a variable's tag", name, place));
    const inner = tag.getUint32(4, littleEndian);
    if (tag.getUint32(0, littleEndian) !== MATRIX) {
      throw damaged(name, "a compressed variable in it is no matrix", place);
    }
    start = start.subarray(8);
    all = (maxBytes, tick) => {
      if (Math.max(size, inner) > maxBytes) throw tooLong(name, Math.max(size, inner), maxBytes);
      return inflateWhole(packed, inner + 8, "zlib", place, tick).subarray(8);
    };
    stored = (from, length, label) => {
      checkThere({ size: inner }, from, length, "elements", label, { file: name });
      const unpack = (put: PutBytes, tick: Tick): void => {
        // What fills the variable up to eight bytes comes after the elements.
        const own: PutBytes = (at, bytes) => {
          if (at < length) put(at, bytes.subarray(0, length - at));
        };
        inflateParts(packed, inner + 8, "zlib", place, putAfter(8 + from, length, own, tick));
      };
      return { kind: "packed", packing: "zlib", unpack };
    };
  }
  const reader = new Subelements(start, littleEndian, name, at);
  const flags = reader.next();
  const flagBytes = viewOf(flags.bytes);
  if (flags.bytes.length < 8) throw reader.wrong("flags");
  const word = flagBytes.getUint32(0, littleEndian);
  const lengths = reader.next();
  const axes = lengths.bytes.length / 4;
  if (
    (lengths.type !== 5 && lengths.type !== 6) ||
    !Number.isInteger(axes) ||
    axes < 1 ||
    axes > MAX_AXES
  ) {
    throw reader.wrong("shape");
  }
  const view = viewOf(lengths.bytes);
  const shape = Array.from({ length: axes }, (_, axis) => view.getInt32(4 * axis, littleEndian));
  if (shape.some((length) => length < 0)) throw reader.wrong("shape");
  return {
    name: latin1(reader.next().bytes),
    shape,
    classNumber: word & 0xff,
    complex: (word & 0x800) !== 0,
    littleEndian,
    dataAt: reader.position,
    start,
    all,
    stored,
  };
}

function limited(packed: ByteSource, size: number, maxBytes: number, name: string): Uint8Array {
  if (size > maxBytes) throw tooLong(name, size, maxBytes);
  return bytesAt(packed, 0, size, "a variable", name);
}

function tooLong(name: string, size: number, maxBytes: number): Error {
  return refusal(
    `A variable of ${name} has ${String(size)} bytes; at most ${String(maxBytes)} are read.`,
    name,
    { remedy: "Save a crop of it, or a narrower type: single(pred)" },
  );
}

/** The parts of a variable, each with a tag of type and length. */
class Subelements {
  private readonly source: ByteSource;
  private readonly littleEndian: boolean;
  private readonly name: string;
  private readonly variableAt: number;
  position = 0;

  constructor(bytes: Uint8Array, littleEndian: boolean, name: string, variableAt: number) {
    this.source = sourceOf(bytes);
    this.littleEndian = littleEndian;
    this.name = name;
    this.variableAt = variableAt;
  }

  next(): { type: number; bytes: Uint8Array } {
    const { type, at, size, end } = this.tag();
    this.position = end;
    return { type, bytes: this.bytes(at, size) };
  }

  /** Steps over nothing: the type of the next part, and where its bytes are. */
  tag(): { type: number; at: number; size: number; end: number } {
    const { position, littleEndian } = this;
    const view = viewOf(this.bytes(position, 8));
    const word = view.getUint32(0, littleEndian);
    // Up to four bytes stand inside the tag.
    const short = word >>> 16;
    if (short > 4) throw this.wrong("parts");
    if (short > 0) return { type: word & 0xffff, at: position + 4, size: short, end: position + 8 };
    const size = view.getUint32(4, littleEndian);
    const at = position + 8;
    return { type: word, at, size, end: at + Math.ceil(size / 8) * 8 };
  }

  bytes(at: number, size: number): Uint8Array {
    const place = { byteOffset: this.variableAt };
    return bytesAt(this.source, at, size, "a part of a variable", this.name, place);
  }

  wrong(what: string): Error {
    return damaged(this.name, `the ${what} of a variable in it cannot be read`, {
      byteOffset: this.variableAt,
    });
  }
}

function inFile(variable: Variable, name: string, options: ReadOptions): ArrayInFile {
  const { shape, classNumber, complex, littleEndian, dataAt, start } = variable;
  const label = `${name}[${variable.name}]`;
  const other = OTHER_CLASSES[classNumber];
  if (other !== undefined) {
    throw refusal(`${label} is ${other}; only arrays of numbers are read.`, label, {
      file: name,
      remedy: classNumber === 5 ? "In MATLAB: pred = full(pred)" : MATLAB_REMEDY,
    });
  }
  const parts = new Subelements(start, littleEndian, label, 0);
  parts.position = dataAt;
  const stored = TYPES[parts.tag().type];
  if (stored === undefined) {
    throw damaged(label, "the type of its elements is unknown", { file: name });
  }
  const dtype = complex ? (stored === "float32" ? "complex64" : "complex128") : stored;
  const layout = { dtype: stored, shape, littleEndian, fortranOrder: true };
  const size = elementCount(shape) * dtypes[stored].bytes;
  const refuseSize = (type: number, found: number): Error =>
    damaged(
      label,
      `${stored} elements of shape ${formatShape(shape)} take ${String(size)} bytes, and ${String(found)} of type ${String(type)} are there`,
      { file: name },
    );
  return {
    dtype,
    shape,
    // Of complex numbers all real parts come before all others.
    ...(complex
      ? {}
      : {
          stored: () => {
            const { type, at, size: found } = parts.tag();
            if (found !== size) throw refuseSize(type, found);
            return { layout, bytes: variable.stored(at, size, label) };
          },
        }),
    read: () => {
      arrayBytes(dtype, shape, label, options, { file: name });
      const maxBytes = options.maxBytes ?? MAX_ARRAY_BYTES;
      const all = new Subelements(variable.all(maxBytes, options.tick), littleEndian, label, 0);
      all.position = dataAt;
      const part = (): NdArray => {
        const { type, bytes } = all.next();
        if (TYPES[type] !== stored || bytes.length !== size) throw refuseSize(type, bytes.length);
        const origin = { kind: "file", path: name, member: variable.name } as const;
        return arrayOf(bytes, layout, origin, undefined, options.tick);
      };
      const real = part();
      return complex ? joined(real, part(), dtype) : real;
    },
  };
}
