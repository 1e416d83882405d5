/**
 * NRRD files with their elements in them, unpacked, packed by gzip or as text.
 *
 * Axes are those of pynrrd's `nrrd.read(path)[0]`: in the order of the header's `sizes`, of which the
 * first varies fastest in the file. (SimpleITK gives the same array with its axes reversed.)
 * Source: the format's definition, "Definition of NRRD File Format" of Teem.
 */
import { writer } from "../convert.ts";
import { dtypes, integerRange, type DType } from "../dtype.ts";
import { arrayOf, reversedAxes, type Layout } from "../elements.ts";
import { arrayBytes, bytesAt, checkThere, damaged, quoted, refusal } from "../fileErrors.ts";
import { checkRatio, inflateParts, inflateWhole } from "../inflate.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import { elementCount, type ArraySpace, type NdArray } from "../ndarray.ts";
import { permuteAxes } from "../permute.ts";
import { latin1, partOf, type ByteSource, type Tick } from "../source.ts";
import { putAfter, type PutBytes, type StoredElements } from "../stored.ts";
import { numbersIn, placeOfField, shapeIn, textHeader } from "./textHeader.ts";

const REMEDY = 'nrrd.write("mask.nrrd", arr) writes one that is read here.';
const MAX_AXES = 16;

interface NrrdHeader extends Layout {
  readonly encoding: "raw" | "gzip" | "text";
  readonly headerBytes: number;
  /** Bytes between the header and unpacked elements; -1 if those end with the file. */
  readonly byteSkip: number;
  readonly space: ArraySpace | undefined;
}

/** Opens a .nrrd file. @throws ArrayError */
export function openNrrd(source: ByteSource, name: string, options: ReadOptions): ArrayInFile {
  const header = readNrrdHeader(source, name);
  const { dtype, shape, space } = header;
  return {
    dtype,
    shape,
    ...(space === undefined ? {} : { space }),
    ...(header.encoding === "text" ? {} : { stored: () => storedElements(source, header, name) }),
    read: () => {
      const size = arrayBytes(dtype, shape, name, options);
      const origin = { kind: "file", path: name } as const;
      const data = partOf(source, header.headerBytes, source.size);
      const { encoding, byteSkip, headerBytes } = header;
      if (encoding === "text") {
        const values = textElements(data, header, name);
        return { ...permuteAxes(values, reversedAxes(shape.length)), origin, ...inSpace(space) };
      }
      const place = { label: name, file: name, byteOffset: headerBytes };
      const start = byteSkip === -1 ? Math.max(0, data.size - size) : byteSkip;
      const bytes =
        encoding === "gzip"
          ? inflateWhole(data, size + byteSkip, "gzip", place, options.tick).subarray(byteSkip)
          : bytesAt(data, start, size, "elements", name, place);
      return arrayOf(bytes, header, origin, space, options.tick);
    },
  };
}

function storedElements(source: ByteSource, header: NrrdHeader, name: string): StoredElements {
  const { dtype, shape, encoding, byteSkip, headerBytes } = header;
  const size = arrayBytes(dtype, shape, name, { maxBytes: Infinity });
  const data = partOf(source, headerBytes, source.size);
  const place = { label: name, file: name, byteOffset: headerBytes };
  if (encoding === "gzip") {
    checkRatio(data.size, size + byteSkip, place);
    const unpack = (put: PutBytes, tick: Tick): void => {
      inflateParts(data, size + byteSkip, "gzip", place, putAfter(byteSkip, size, put, tick));
    };
    return { layout: header, bytes: { kind: "packed", packing: "gzip", unpack } };
  }
  const offset = byteSkip === -1 ? Math.max(0, data.size - size) : byteSkip;
  checkThere(data, offset, size, "elements", name, place);
  return { layout: header, bytes: { kind: "flat", source: data, offset } };
}

function inSpace(space: ArraySpace | undefined): { space?: ArraySpace } {
  return space === undefined ? {} : { space };
}

function readNrrdHeader(source: ByteSource, name: string): NrrdHeader {
  const magic = latin1(source.read(0, 8));
  if (!/^NRRD000[1-9]$/u.test(magic)) {
    throw refusal(`${name} is not a NRRD file: it does not begin with NRRD000.`, name, {
      byteOffset: 0,
      remedy: REMEDY,
    });
  }
  const text = textHeader(
    source,
    (text) => {
      const blank = /\r?\n\r?\n/u.exec(text);
      return blank === null ? undefined : blank.index + blank[0].length;
    },
    name,
    `${name} has no empty line after its header, where the elements begin; they may be in another file.`,
    REMEDY,
  );
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/u).slice(1)) {
    // Lines with := are keys and values of the user's own.
    const parts = /^([^#:=]+):\s(.*)$/u.exec(line);
    if (parts !== null) fields.set(parts[1]!.trim().toLowerCase(), parts[2]!.trim());
  }
  const wrong = (key: string, what: string) => damaged(name, what, placeOfField(text, key));

  const elsewhere = fields.get("data file") ?? fields.get("datafile");
  if (elsewhere !== undefined) {
    throw refusal(
      `${name} has its elements in another file, ${quoted(elsewhere)}; that is not read.`,
      name,
      { ...placeOfField(text, "data ?file"), remedy: REMEDY },
    );
  }
  const type = fields.get("type") ?? "";
  const dtype = TYPES.get(type.toLowerCase().replace(/\s+/gu, " "));
  if (dtype === undefined) {
    throw refusal(`${name} holds elements of the type ${quoted(type)}, which is not read.`, name, {
      ...placeOfField(text, "type"),
      remedy: 'nrrd.write("mask.nrrd", arr.astype(np.float32))',
    });
  }
  const axes = numbersIn(fields.get("dimension"))?.[0] ?? 0;
  if (!(Number.isInteger(axes) && axes >= 1 && axes <= MAX_AXES)) {
    throw wrong("dimension", `its header gives ${quoted(fields.get("dimension") ?? "")} axes`);
  }
  const shape = shapeIn(fields.get("sizes"), axes);
  if (shape === undefined) {
    throw wrong("sizes", `its header gives the shape ${quoted(fields.get("sizes") ?? "")}`);
  }
  const encoding = ENCODINGS.get((fields.get("encoding") ?? "").toLowerCase());
  if (encoding === undefined) {
    throw refusal(
      `${name} is encoded as ${quoted(fields.get("encoding") ?? "")}; raw, gzip and text are read.`,
      name,
      {
        ...placeOfField(text, "encoding"),
        remedy: 'nrrd.write("mask.nrrd", arr, {"encoding": "gzip"})',
      },
    );
  }
  const skip = (words: string): number => {
    const value = fields.get(words) ?? fields.get(words.replace(" ", ""));
    return value === undefined ? 0 : (numbersIn(value)?.[0] ?? NaN);
  };
  const byteSkip = skip("byte skip");
  const negative = encoding === "raw" ? -1 : 0;
  if (skip("line skip") !== 0 || !Number.isSafeInteger(byteSkip) || byteSkip < negative) {
    throw refusal(
      `${name} skips lines or bytes after its header in a way that is not read.`,
      name,
      {
        ...placeOfField(text, "(?:line|byte) ?skip"),
        remedy: REMEDY,
      },
    );
  }
  const endian = (fields.get("endian") ?? "").toLowerCase();
  const ordered =
    dtypes[dtype].bytes === 1 || encoding === "text" || /^(?:little|big)$/u.test(endian);
  if (!ordered) throw wrong("endian", "its header does not give the order of an element's bytes");
  return {
    dtype,
    shape,
    littleEndian: endian !== "big",
    fortranOrder: true,
    encoding,
    headerBytes: text.length,
    byteSkip,
    space: spaceOf(fields, axes),
  };
}

const ENCODINGS: ReadonlyMap<string, NrrdHeader["encoding"]> = new Map([
  ["raw", "raw"],
  ["gzip", "gzip"],
  ["gz", "gzip"],
  ["text", "text"],
  ["txt", "text"],
  ["ascii", "text"],
]);

const TYPES: ReadonlyMap<string, DType> = new Map(
  Object.entries({
    int8: "signed char, int8, int8_t",
    uint8: "uchar, unsigned char, uint8, uint8_t",
    int16: "short, short int, signed short, signed short int, int16, int16_t",
    uint16: "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    int32: "int, signed int, int32, int32_t",
    uint32: "uint, unsigned int, uint32, uint32_t",
    int64:
      "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t",
    uint64: "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    float32: "float",
    float64: "double",
  }).flatMap(([dtype, names]) => names.split(", ").map((name) => [name, dtype as DType] as const)),
);

/** Elements as text, in the file's order: an array with its axes reversed. */
function textElements(data: ByteSource, header: NrrdHeader, name: string): NdArray {
  const { dtype, shape, headerBytes } = header;
  const count = elementCount(shape);
  // Each element takes a character and a blank, so that memory is taken only for what can be there.
  if (2 * count - 1 > data.size) {
    throw damaged(
      name,
      `${String(data.size)} bytes of text cannot hold ${String(count)} elements`,
      {
        byteOffset: headerBytes,
      },
    );
  }
  const text = latin1(data.read(0, data.size));
  const store = dtypes[dtype].store(count);
  const write = writer(dtype, store);
  const range = integerRange(dtype);
  const word = /\S+/gu;
  for (let i = 0; i < count; i += 1) {
    const found = word.exec(text);
    const value = found === null ? undefined : elementIn(found[0], range);
    if (value === undefined) {
      throw damaged(
        name,
        found === null
          ? `it has ${String(i)} elements, not ${String(count)}`
          : `${quoted(found[0])} is no ${dtype} number`,
        { byteOffset: headerBytes + (found?.index ?? text.length) },
      );
    }
    write(i, value);
  }
  return { dtype, shape: shape.toReversed(), data: store };
}

function elementIn(
  text: string,
  range: { min: bigint; max: bigint } | undefined,
): number | bigint | undefined {
  if (range === undefined) {
    if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/iu.test(text)) return Number(text);
    const special = /^([-+]?)(nan|inf|infinity)$/iu.exec(text);
    if (special === null) return undefined;
    const size = special[2]!.toLowerCase() === "nan" ? NaN : Infinity;
    return special[1] === "-" ? -size : size;
  }
  if (!/^[-+]?\d{1,20}$/u.test(text)) return undefined;
  const value = BigInt(text.replace("+", ""));
  return value >= range.min && value <= range.max ? value : undefined;
}

function spaceOf(fields: ReadonlyMap<string, string>, axes: number): ArraySpace | undefined {
  const space = (fields.get("space") ?? "").toLowerCase();
  const signs = SPACES.get(space);
  const directions = [
    ...(fields.get("space directions") ?? "").matchAll(/none|\(([^)]*)\)/giu),
  ].map((match) => vector(match[1]));
  const spatial = directions.flatMap((direction, axis) => (direction === undefined ? [] : [axis]));
  if (signs === undefined || directions.length !== axes || spatial.length !== 3) return undefined;
  const origin = vector(/\(([^)]*)\)/u.exec(fields.get("space origin") ?? "")?.[1]) ?? [0, 0, 0];
  const rows = [0, 1, 2].map((world) =>
    [...spatial.map((axis) => directions[axis]![world]!), origin[world]!].map(
      (value) => value * signs[world]! + 0,
    ),
  );
  return {
    affine: [...rows, [0, 0, 0, 1]],
    axes: spatial,
    towards: space.startsWith("r") ? "RAS" : "LPS",
  };
}

/** What the world's three coordinates are multiplied by to be those of RAS or LPS. */
const SPACES: ReadonlyMap<string, readonly number[]> = new Map([
  ["right-anterior-superior", [1, 1, 1]],
  ["ras", [1, 1, 1]],
  ["left-posterior-superior", [1, 1, 1]],
  ["lps", [1, 1, 1]],
  ["left-anterior-superior", [1, -1, 1]],
  ["las", [1, -1, 1]],
]);

function vector(text: string | undefined): number[] | undefined {
  const numbers = numbersIn(text?.replaceAll(",", " "));
  return numbers?.length === 3 ? numbers : undefined;
}
