/**
 * MATLAB's files of version 4: full matrices of numbers, one after the other. Shape and dtype are those
 * of `scipy.io.loadmat(path)[name]`. Source: MathWorks, "MAT-File Format", section 2.
 */
import { dtypes, type DType } from "../dtype.ts";
import { arrayOf, type Layout } from "../elements.ts";
import { arrayBytes, bytesAt, damaged, refusal } from "../fileErrors.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import { elementCount, type NdArray } from "../ndarray.ts";
import { latin1, viewOf, type ByteSource } from "../source.ts";
import { joined, MATLAB_REMEDY } from "./matlabParts.ts";

const HEADER_BYTES = 20;
const MAX_NAME_BYTES = 4096;
const DTYPES: readonly DType[] = ["float64", "float32", "int32", "int16", "uint16", "uint8"];
const FULL = 0;
/** Matrices that are no arrays of numbers, by their kind. */
const OTHER_KINDS: Readonly<Record<number, string>> = { 1: "text", 2: "a sparse matrix" };

interface Matrix {
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly dtype: DType;
  readonly complex: boolean;
  readonly kind: number;
  readonly littleEndian: boolean;
  /** Where its elements are, and where the next matrix is. */
  readonly dataAt: number;
  readonly end: number;
}

/** Whether a file begins as one of version 4 does. */
export function beginsAsMatlab4(source: ByteSource): boolean {
  const head = source.read(0, HEADER_BYTES);
  return head.length === HEADER_BYTES && typeOf(viewOf(head)) !== undefined;
}

/** Opens a .mat file of version 4: its matrices by name. @throws ArrayError */
export function openMatlab4(
  source: ByteSource,
  name: string,
  options: ReadOptions,
): ReadonlyMap<string, () => ArrayInFile> {
  const members = new Map<string, () => ArrayInFile>();
  for (let at = 0; at < source.size;) {
    const matrix = matrixAt(source, at, name);
    members.set(matrix.name, () => inFile(source, matrix, name, options));
    at = matrix.end;
  }
  return members;
}

/** The first number of a matrix: its decimal digits are machine, 0, element type and kind. */
function typeOf(
  head: DataView,
): { littleEndian: boolean; element: number; kind: number } | undefined {
  for (const littleEndian of [true, false]) {
    const type = head.getInt32(0, littleEndian);
    const [machine, zero, element, kind] = [1000, 100, 10, 1].map(
      (unit) => Math.floor(type / unit) % 10,
    );
    const own = machine === (littleEndian ? 0 : 1);
    if (type >= 0 && type < 5000 && own && zero === 0 && element! < DTYPES.length && kind! <= 2) {
      return { littleEndian, element: element!, kind: kind! };
    }
  }
  return undefined;
}

function matrixAt(source: ByteSource, at: number, file: string): Matrix {
  const place = { byteOffset: at };
  const head = viewOf(bytesAt(source, at, HEADER_BYTES, "a matrix's header", file, place));
  const type = typeOf(head);
  if (type === undefined) throw damaged(file, "there is no matrix where one should be", place);
  const { littleEndian, element, kind } = type;
  const [rows, columns, complex, nameBytes] = [4, 8, 12, 16].map((offset) =>
    head.getInt32(offset, littleEndian),
  ) as [number, number, number, number];
  const possible = rows >= 0 && columns >= 0 && (complex === 0 || complex === 1);
  if (!possible || nameBytes < 1 || nameBytes > MAX_NAME_BYTES) {
    throw damaged(file, "a matrix's header in it makes no sense", place);
  }
  const nameAt = at + HEADER_BYTES;
  const text = latin1(bytesAt(source, nameAt, nameBytes, "a matrix's name", file, place));
  const dtype = DTYPES[element]!;
  const dataAt = nameAt + nameBytes;
  const size = elementCount([rows, columns]) * dtypes[dtype].bytes * (1 + complex);
  if (size > source.size - dataAt) {
    throw damaged(
      file,
      `a matrix in it should have ${String(size)} bytes, and ${String(source.size - dataAt)} are there`,
      place,
    );
  }
  return {
    name: text.replace(/\0.*$/su, ""),
    shape: [rows, columns],
    dtype,
    complex: complex === 1,
    kind,
    littleEndian,
    dataAt,
    end: dataAt + size,
  };
}

function inFile(
  source: ByteSource,
  { name: member, shape, dtype: stored, complex, kind, littleEndian, dataAt }: Matrix,
  file: string,
  options: ReadOptions,
): ArrayInFile {
  const label = `${file}[${member}]`;
  if (kind !== FULL) {
    throw refusal(`${label} is ${OTHER_KINDS[kind]!}; only arrays of numbers are read.`, label, {
      file,
      remedy: kind === 2 ? "In MATLAB: pred = full(pred)" : MATLAB_REMEDY,
    });
  }
  const layout: Layout = { dtype: stored, shape, littleEndian, fortranOrder: true };
  const size = elementCount(shape) * dtypes[stored].bytes;
  const part = (at: number): NdArray => {
    const bytes = bytesAt(source, at, size, "elements", label, { file });
    return arrayOf(bytes, layout, { kind: "file", path: file, member }, undefined, options.tick);
  };
  if (!complex) {
    return {
      dtype: stored,
      shape,
      read: () => {
        arrayBytes(stored, shape, label, options, { file });
        return part(dataAt);
      },
      stored: () => ({ layout, bytes: { kind: "flat", source, offset: dataAt } }),
    };
  }
  const dtype = stored === "float32" ? "complex64" : "complex128";
  const read = (): NdArray => {
    arrayBytes(dtype, shape, label, options, { file });
    return joined(part(dataAt), part(dataAt + size), dtype);
  };
  return { dtype, shape, read };
}
