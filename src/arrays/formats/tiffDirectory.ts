/** The directories of a TIFF file, one an image. Source: "TIFF Revision 6.0", section 2; BigTIFF. */
import { bytesAt, damaged, refusal } from "../fileErrors.ts";
import { latin1, partOf, viewOf, type ByteSource } from "../source.ts";

/** The tags that are read, by their names in the specification. */
export const TIFF_TAGS = {
  newSubfileType: 254,
  imageWidth: 256,
  imageLength: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  imageDescription: 270,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planarConfiguration: 284,
  predictor: 317,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  sampleFormat: 339,
  imageDepth: 32997,
} as const;

const NAMES = new Map<number, string>(Object.entries(TIFF_TAGS).map(([name, tag]) => [tag, name]));

/** Bytes of a value, by its type's number. */
const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};

/** An image's fields. */
export interface TiffDirectory {
  readonly offset: number;
  readonly littleEndian: boolean;
  readonly has: (tag: number) => boolean;
  /** A field's one number, or `otherwise`. @throws ArrayError if there is neither */
  readonly number: (tag: number, otherwise?: number) => number;
  /** A field's numbers, or `otherwise`. @throws ArrayError if there are neither */
  readonly numbers: (tag: number, otherwise?: readonly number[]) => readonly number[];
  /** A field's text; empty if there is none. */
  readonly text: (tag: number) => string;
}

interface Field {
  readonly type: number;
  readonly count: number;
  /** Where the value is. */
  readonly at: number;
}

interface Form {
  readonly littleEndian: boolean;
  /** Whether it is a BigTIFF, whose offsets have eight bytes. */
  readonly big: boolean;
}

/** Descriptions are of some hundred characters; OME's XML may be longer, and nothing is read of it. */
const MAX_TEXT = 65_536;

/** All directories of a file, in order. @throws ArrayError */
export function readDirectories(source: ByteSource, name: string): TiffDirectory[] {
  const start = source.read(0, 16);
  const form = formOf(start, name);
  const view = viewOf(start);
  const { littleEndian, big } = form;
  let offset = big ? wide(view, 8, littleEndian) : view.getUint32(4, littleEndian);
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  // Directories that do not overlap have at most so many entries; others could take for ever.
  let entriesLeft = source.size / (big ? 20 : 12);
  while (offset !== 0) {
    if (seen.has(offset)) throw damaged(name, "its images form a circle", { byteOffset: offset });
    seen.add(offset);
    const { fields, count, next } = readDirectory(source, offset, form, name);
    entriesLeft -= count;
    if (entriesLeft < 0) {
      throw damaged(name, "its directories overlap", { byteOffset: offset });
    }
    directories.push(directoryOf(source, offset, fields, littleEndian, name));
    offset = next;
  }
  return directories;
}

function formOf(start: Uint8Array, name: string): Form {
  const order = latin1(start.subarray(0, 2));
  const littleEndian = order === "II";
  const magic = start.length < 16 ? 0 : viewOf(start).getUint16(2, littleEndian);
  if ((!littleEndian && order !== "MM") || (magic !== 42 && magic !== 43)) {
    throw refusal(`${name} is not a TIFF image: it does not begin as one.`, name, {
      byteOffset: 0,
      remedy: 'tifffile.imwrite("mask.tif", mask) writes one.',
    });
  }
  return { littleEndian, big: magic === 43 };
}

function wide(view: DataView, at: number, littleEndian: boolean): number {
  return Number(view.getBigUint64(at, littleEndian));
}

function readDirectory(
  source: ByteSource,
  offset: number,
  { littleEndian, big }: Form,
  name: string,
): { fields: Map<number, Field>; count: number; next: number } {
  const bytesOf = (start: number, length: number) =>
    viewOf(bytesAt(source, start, length, "a directory", name));
  const countBytes = big ? 8 : 2;
  const head = bytesOf(offset, countBytes);
  const count = big ? wide(head, 0, littleEndian) : head.getUint16(0, littleEndian);
  const entryBytes = big ? 20 : 12;
  const entries = bytesOf(offset + countBytes, count * entryBytes + (big ? 8 : 4));
  const fields = new Map<number, Field>();
  for (let i = 0; i < count; i += 1) {
    const at = i * entryBytes;
    const tag = entries.getUint16(at, littleEndian);
    const type = entries.getUint16(at + 2, littleEndian);
    const values = big
      ? wide(entries, at + 4, littleEndian)
      : entries.getUint32(at + 4, littleEndian);
    const valueAt = at + (big ? 12 : 8);
    const size = (TYPE_BYTES[type] ?? 0) * values;
    const inline = size <= (big ? 8 : 4);
    const pointer = big
      ? wide(entries, valueAt, littleEndian)
      : entries.getUint32(valueAt, littleEndian);
    const inFile = offset + countBytes + valueAt;
    // Of two fields with one tag the first counts, as for libtiff.
    if (!fields.has(tag)) fields.set(tag, { type, count: values, at: inline ? inFile : pointer });
  }
  const end = count * entryBytes;
  const next = big ? wide(entries, end, littleEndian) : entries.getUint32(end, littleEndian);
  return { fields, count, next };
}

function directoryOf(
  source: ByteSource,
  offset: number,
  fields: ReadonlyMap<number, Field>,
  littleEndian: boolean,
  name: string,
): TiffDirectory {
  const title = (tag: number): string => NAMES.get(tag) ?? String(tag);
  const numbers = (tag: number, otherwise?: readonly number[]): readonly number[] => {
    const field = fields.get(tag);
    if (field === undefined) {
      if (otherwise !== undefined) return otherwise;
      throw damaged(name, `an image in it has no field ${title(tag)}`, { byteOffset: offset });
    }
    return integers(source, field, littleEndian, title(tag), name);
  };
  return {
    offset,
    littleEndian,
    has: (tag) => fields.has(tag),
    numbers,
    number: (tag, otherwise) => {
      const [value] = numbers(tag, otherwise === undefined ? undefined : [otherwise]);
      if (value !== undefined) return value;
      throw damaged(name, `its field ${title(tag)} is empty`, { byteOffset: offset });
    },
    text: (tag) => {
      const field = fields.get(tag);
      if (field?.type !== 2) return "";
      return latin1(partOf(source, field.at, Math.min(field.count, MAX_TEXT)).read(0, MAX_TEXT));
    },
  };
}

function integers(
  source: ByteSource,
  { type, count, at }: Field,
  littleEndian: boolean,
  title: string,
  name: string,
): readonly number[] {
  const width = TYPE_BYTES[type];
  if (width === undefined || type === 2) {
    throw damaged(name, `its field ${title} has the unfitting type ${String(type)}`, {
      byteOffset: at,
    });
  }
  const view = viewOf(bytesAt(source, at, count * width, `the field ${title}`, name));
  const values = new Array<number>(count);
  for (let i = 0; i < count; i += 1) {
    values[i] =
      width === 1
        ? view.getUint8(i)
        : width === 2
          ? view.getUint16(2 * i, littleEndian)
          : width === 4
            ? view.getUint32(4 * i, littleEndian)
            : wide(view, 8 * i, littleEndian);
  }
  return values;
}
