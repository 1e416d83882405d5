/**
 * MetaImage files, as ITK and SimpleITK write them: .mha, and .mhd with its elements in a file beside
 * it.
 *
 * Axes are those of `sitk.GetArrayFromImage`: the last axis of the image first, so (z, y, x), and the
 * channels of a vector image last. Source: MetaIO's documentation and ITK's MetaImageIO.
 */
import type { DType } from "../dtype.ts";
import { arrayOf, type Layout } from "../elements.ts";
import { arrayBytes, bytesAt, checkThere, damaged, quoted, refusal } from "../fileErrors.ts";
import { checkRatio, inflateParts, inflateWhole, type PackedPlace } from "../inflate.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import type { ArraySpace } from "../ndarray.ts";
import { partOf, type ByteSource, type Tick } from "../source.ts";
import { putAfter, type StoredElements } from "../stored.ts";
import { numbersIn, placeOfField, shapeIn, textHeader } from "./textHeader.ts";

const ELEMENT_TYPES: Readonly<Record<string, DType>> = {
  MET_CHAR: "int8",
  MET_UCHAR: "uint8",
  MET_SHORT: "int16",
  MET_USHORT: "uint16",
  MET_INT: "int32",
  MET_UINT: "uint32",
  // MetaIO's own sizes, whatever a machine's long is.
  MET_LONG: "int32",
  MET_ULONG: "uint32",
  MET_LONG_LONG: "int64",
  MET_ULONG_LONG: "uint64",
  MET_FLOAT: "float32",
  MET_DOUBLE: "float64",
};

const REMEDY = 'sitk.WriteImage(image, "mask.mha") writes one file that is read here.';
const MAX_AXES = 10;

interface MetaHeader extends Layout {
  readonly space: ArraySpace | undefined;
  readonly compressed: boolean;
  /** Bytes of the compressed data; undefined if it goes to the end of its file. */
  readonly compressedBytes: number | undefined;
  /** The file with the elements; undefined if they follow the header. */
  readonly dataFile: string | undefined;
  /** Where they begin in that file; -1 if they end with it. */
  readonly dataOffset: number;
}

/** Opens a .mha or .mhd file. @throws ArrayError */
export function openMetaImage(source: ByteSource, name: string, options: ReadOptions): ArrayInFile {
  const header = readMetaHeader(source, name);
  const { dtype, shape, space } = header;
  return {
    dtype,
    shape,
    ...(space === undefined ? {} : { space }),
    stored: () => {
      const size = arrayBytes(dtype, shape, name, { maxBytes: Infinity });
      return { layout: header, bytes: storedBytes(placeOfElements(source, header, size, name)) };
    },
    read: () => {
      const size = arrayBytes(dtype, shape, name, options);
      const bytes = elementBytes(placeOfElements(source, header, size, name), options.tick);
      return arrayOf(bytes, header, { kind: "file", path: name }, space, options.tick);
    },
  };
}

function readMetaHeader(source: ByteSource, name: string): MetaHeader {
  const text = textHeader(
    source,
    (text) => {
      const last = /^[ \t]*ElementDataFile[ \t]*=[^\n]*\n?/imu.exec(text);
      return last === null ? undefined : last.index + last[0].length;
    },
    name,
    `${name} is not a MetaImage file: its header has no "ElementDataFile".`,
    REMEDY,
  );
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals < 0) continue;
    fields.set(line.slice(0, equals).trim().toLowerCase(), line.slice(equals + 1).trim());
  }
  const field = (...keys: readonly string[]): string | undefined =>
    keys.map((key) => fields.get(key.toLowerCase())).find((value) => value !== undefined);
  const truth = (...keys: readonly string[]): boolean =>
    /^(?:true|1)$/iu.test(field(...keys) ?? "");
  const wrong = (key: string, what: string) =>
    damaged(name, what, placeOfField(text, key.toLowerCase()));

  const axes = numbersIn(field("NDims"))?.[0] ?? 0;
  if (!(Number.isInteger(axes) && axes >= 1 && axes <= MAX_AXES)) {
    throw wrong("NDims", `its header gives ${quoted(field("NDims") ?? "")} axes`);
  }
  const lengths = shapeIn(field("DimSize"), axes);
  const channels = numbersIn(field("ElementNumberOfChannels") ?? "1")?.[0] ?? 0;
  if (lengths === undefined || !Number.isSafeInteger(channels) || channels < 1) {
    throw wrong("DimSize", `its header gives the shape ${quoted(field("DimSize") ?? "")}`);
  }
  const type = field("ElementType") ?? "";
  const dtype = ELEMENT_TYPES[type.toUpperCase()];
  if (dtype === undefined) {
    throw refusal(`${name} holds elements of the type ${quoted(type)}, which is not read.`, name, {
      ...placeOfField(text, "elementtype"),
      remedy: 'Convert it: sitk.WriteImage(sitk.Cast(image, sitk.sitkFloat32), "mask.mha")',
    });
  }
  if (field("BinaryData") !== undefined && !truth("BinaryData")) {
    throw refusal(`${name} holds its elements as text, which is not read.`, name, {
      ...placeOfField(text, "binarydata"),
      remedy: REMEDY,
    });
  }
  const compressed = truth("CompressedData");
  const local = /^local$/iu.test(field("ElementDataFile") ?? "");
  const size = numbersIn(field("CompressedDataSize"))?.[0];
  const skipped = local ? text.length : (numbersIn(field("HeaderSize") ?? "0")?.[0] ?? NaN);
  if (!(Number.isSafeInteger(skipped) && skipped >= -1)) {
    throw wrong("HeaderSize", `its header gives the header size ${quoted(field("HeaderSize")!)}`);
  }
  return {
    dtype,
    shape: [...lengths.toReversed(), ...(channels === 1 ? [] : [channels])],
    littleEndian: !truth("BinaryDataByteOrderMSB", "ElementByteOrderMSB"),
    fortranOrder: false,
    space: spaceOf(
      axes,
      numbersIn(field("TransformMatrix", "Rotation", "Orientation")),
      numbersIn(field("ElementSpacing", "ElementSize")),
      numbersIn(field("Offset", "Position", "Origin")),
    ),
    compressed,
    compressedBytes: size,
    dataFile: local ? undefined : neighbour(field("ElementDataFile") ?? "", name, text),
    dataOffset: skipped,
  };
}

/** The name of the one file with the elements, which must be in the same folder. */
function neighbour(file: string, name: string, text: string): string {
  const place = { ...placeOfField(text, "elementdatafile"), remedy: REMEDY };
  if (/^list\b/iu.test(file) || file.includes("%") || /\s\d+\s+\d+/u.test(file)) {
    throw refusal(`${name} has its elements in several files, which are not read.`, name, place);
  }
  // A path that leads elsewhere would let a file name any other one of the machine.
  if (file === "" || file === "." || file === ".." || /[/\\:\0]/u.test(file)) {
    throw refusal(
      `${name} has its elements in ${quoted(file)}; only a file in the same folder is read.`,
      name,
      place,
    );
  }
  return file;
}

/** Where the elements are, packed or not, once that is checked. */
interface PlaceOfElements {
  readonly source: ByteSource;
  /** Bytes that they take unpacked. */
  readonly size: number;
  readonly packing: "gzip" | "zlib" | undefined;
  readonly place: PackedPlace;
}

function placeOfElements(
  source: ByteSource,
  header: MetaHeader,
  size: number,
  name: string,
): PlaceOfElements {
  const { compressed, compressedBytes, dataFile, dataOffset } = header;
  let label = name;
  let data = source;
  if (dataFile !== undefined) {
    if (source.beside === undefined) {
      throw refusal(
        `${name} has its elements in the file ${quoted(dataFile)}, which is not at hand here.`,
        name,
        { remedy: REMEDY },
      );
    }
    data = source.beside(dataFile);
    label = `${name} (elements in ${dataFile})`;
  }
  const place = { label, file: name, byteOffset: Math.max(0, dataOffset) };
  if (!compressed) {
    const start = dataOffset === -1 ? Math.max(0, data.size - size) : dataOffset;
    checkThere(data, start, size, "elements", label, { file: name });
    const part = partOf(data, start, size);
    return { source: part, size, packing: undefined, place };
  }
  const rest = data.size - Math.max(0, dataOffset);
  const packedBytes = compressedBytes ?? rest;
  if (!(Number.isSafeInteger(packedBytes) && packedBytes > 0)) {
    throw damaged(label, "its header gives no possible size of the compressed data", place);
  }
  const start = dataOffset === -1 ? Math.max(0, data.size - packedBytes) : dataOffset;
  const magic = data.read(start, 2);
  const isGzip = magic[0] === 0x1f && magic[1] === 0x8b;
  if (!isGzip) {
    checkThere(data, start, packedBytes, "compressed elements", label, { file: name });
  }
  checkRatio(packedBytes, size, place);
  return {
    source: partOf(data, start, packedBytes),
    size,
    packing: isGzip ? "gzip" : "zlib",
    place,
  };
}

function elementBytes({ source, size, packing, place }: PlaceOfElements, tick?: Tick): Uint8Array {
  const { label, file } = place;
  const about = file === undefined ? {} : { file };
  if (packing === undefined) return bytesAt(source, 0, size, "elements", label, about);
  return inflateWhole(source, size, packing, place, tick);
}

function storedBytes(at: PlaceOfElements): StoredElements["bytes"] {
  const { source, size, packing, place } = at;
  if (packing === undefined) return { kind: "flat", source, offset: 0 };
  return {
    kind: "packed",
    packing,
    unpack: (put, tick) => {
      inflateParts(source, size, packing, place, putAfter(0, size, put, tick));
    },
  };
}

/** The three spatial axes' matrix. Each row of MetaIO's matrix is the direction of one axis. */
function spaceOf(
  axes: number,
  matrix: readonly number[] | undefined,
  spacing: readonly number[] | undefined,
  origin: readonly number[] | undefined,
): ArraySpace | undefined {
  if (matrix === undefined && spacing === undefined && origin === undefined) return undefined;
  const spatial = Math.min(axes, 3);
  const rows = [0, 1, 2].map((world) => {
    const directions = [0, 1, 2].map((axis) => {
      const same = world === axis ? 1 : 0;
      if (axis >= spatial || world >= spatial) return same;
      return (matrix?.[axis * axes + world] ?? same) * (spacing?.[axis] ?? 1);
    });
    return [...directions, world < spatial ? (origin?.[world] ?? 0) : 0];
  });
  return {
    affine: [...rows, [0, 0, 0, 1]],
    axes: Array.from({ length: spatial }, (_, axis) => axes - 1 - axis),
    towards: "LPS",
  };
}
