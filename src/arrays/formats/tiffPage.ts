/** The pixels of one image of a TIFF file, from its strips or tiles. */
import { dtypes, type DType } from "../dtype.ts";
import { elementsOf } from "../elements.ts";
import { damaged, bytesAt } from "../fileErrors.ts";
import type { ByteSource } from "../source.ts";
import { BLOCK_BYTES, type PutBytes } from "../stored.ts";
import {
  COMPRESSIONS,
  undoDifferences,
  undoFloatingDifferences,
  type TiffCodec,
} from "./tiffCodecs.ts";
import { TIFF_TAGS as TAG, type TiffDirectory } from "./tiffDirectory.ts";

/** An image whose fields have been read and found to be ones that are known. */
export interface TiffPage {
  readonly directory: TiffDirectory;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** Planes of one sample each, one after the other; 1 if samples stand side by side. */
  readonly planes: number;
  /** Samples of a pixel that stand side by side. */
  readonly group: number;
  /** Whether a sample is one bit. */
  readonly bitwise: boolean;
  readonly codec: TiffCodec;
  readonly predictor: number;
}

/** A strip is a tile as wide as the image; the last one may have fewer rows. */
interface Grid {
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly across: number;
  readonly down: number;
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  readonly strips: boolean;
}

/** Gives a plane's elements, in native byte order, piece by piece. @throws ArrayError */
export function readPlane(
  source: ByteSource,
  page: TiffPage,
  plane: number,
  put: PutBytes,
  label: string,
  file: string,
): void {
  const { rows, columns, group, bitwise, dtype } = page;
  const grid = gridOf(page, label, file);
  const { tileRows, tileColumns, across, down } = grid;
  const pixelBytes = group * dtypes[dtype].bytes;
  const rowBytes = columns * pixelBytes;
  for (let y = 0; y < down; y += 1) {
    const wanted = Math.min(tileRows, rows - y * tileRows);
    const stored = grid.strips ? wanted : tileRows;
    const packedRow = bitwise ? Math.ceil(tileColumns / 8) : tileColumns * pixelBytes;
    for (let x = 0; x < across; x += 1) {
      const tile = (plane * down + y) * across + x;
      const offset = grid.offsets[tile]!;
      const size = grid.sizes[tile]!;
      const place = { label, file, byteOffset: offset };
      const packed = bytesAt(source, offset, size, "a strip or tile", label, place);
      const unpacked = page.codec.unpack(packed, stored * packedRow, place);
      const pixels = nativeRows(unpacked, page, tileColumns, packedRow);
      const tileRowBytes = tileColumns * pixelBytes;
      const used = Math.min(tileRowBytes, rowBytes - x * tileRowBytes);
      if (used === rowBytes && tileRowBytes === rowBytes) {
        put(y * tileRows * rowBytes, pixels.subarray(0, wanted * rowBytes));
        continue;
      }
      for (let row = 0; row < wanted; row += 1) {
        const from = row * tileRowBytes;
        const to = (y * tileRows + row) * rowBytes + x * tileRowBytes;
        put(to, pixels.subarray(from, from + used));
      }
    }
  }
}

function gridOf(page: TiffPage, label: string, file: string): Grid {
  const { directory, rows, columns, planes } = page;
  const strips = !directory.has(TAG.tileOffsets);
  const tileRows = strips
    ? Math.min(directory.number(TAG.rowsPerStrip, rows), rows)
    : directory.number(TAG.tileLength);
  const tileColumns = strips ? columns : directory.number(TAG.tileWidth);
  const across = Math.ceil(columns / tileColumns);
  const down = Math.ceil(rows / tileRows);
  const count = across * down * planes;
  const offsets = directory.numbers(strips ? TAG.stripOffsets : TAG.tileOffsets);
  const sizes = directory.numbers(strips ? TAG.stripByteCounts : TAG.tileByteCounts);
  // A tile that is far larger than the image would be unpacked whole.
  const tooWide = tileRows < 1 || tileColumns < 1 || tileColumns > columns + 65_536;
  if (tooWide || tileRows > rows + 65_536 || offsets.length < count || sizes.length < count) {
    throw damaged(label, "its strips or tiles do not cover an image in it", {
      file,
      byteOffset: directory.offset,
    });
  }
  const grid = { tileRows, tileColumns, across, down, offsets, sizes, strips };
  return strips && page.codec === UNPACKED ? inLowStrips(grid, page) : grid;
}

const UNPACKED = COMPRESSIONS[1];

/** Bytes of a row of a plane as it is stored without being packed. */
function unpackedRow({ bitwise, columns, group, dtype }: TiffPage): number {
  return bitwise ? Math.ceil(columns / 8) : columns * group * dtypes[dtype].bytes;
}

/** Strips that are not packed can be read in lower ones: some writers make one strip of an image. */
function inLowStrips(grid: Grid, page: TiffPage): Grid {
  const { rows } = page;
  const rowBytes = unpackedRow(page);
  const tileRows = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes));
  if (grid.tileRows <= tileRows) return grid;
  const offsets: number[] = [];
  const sizes: number[] = [];
  for (let strip = 0; strip < grid.down * page.planes; strip += 1) {
    const first = (strip % grid.down) * grid.tileRows;
    const height = Math.min(grid.tileRows, rows - first);
    for (let row = 0; row < height; row += tileRows) {
      offsets.push(grid.offsets[strip]! + row * rowBytes);
      sizes.push(Math.max(0, Math.min(tileRows * rowBytes, grid.sizes[strip]! - row * rowBytes)));
    }
  }
  return { ...grid, tileRows, down: Math.ceil(rows / tileRows), offsets, sizes };
}

/**
 * Where the elements of pages begin that lie one after the other as they are; undefined where they do
 * not.
 */
export function flatOffset(
  pages: readonly TiffPage[],
  label: string,
  file: string,
): number | undefined {
  let first: number | undefined;
  let next = 0;
  for (const page of pages) {
    const { codec, predictor, bitwise, rows, directory } = page;
    const isAsItIs = codec === UNPACKED && predictor === 1 && !bitwise;
    if (!isAsItIs || directory.littleEndian !== pages[0]!.directory.littleEndian) return undefined;
    const { strips, offsets, sizes, tileRows, down } = gridOf(page, label, file);
    if (!strips) return undefined;
    const rowBytes = unpackedRow(page);
    for (let strip = 0; strip < down * page.planes; strip += 1) {
      first ??= next = offsets[strip]!;
      const height = Math.min(tileRows, rows - (strip % down) * tileRows);
      if (offsets[strip] !== next || sizes[strip]! < height * rowBytes) return undefined;
      next += height * rowBytes;
    }
  }
  return first;
}

/** A tile's rows of elements in native order, without prediction, one byte a bit. */
function nativeRows(
  bytes: Uint8Array,
  page: TiffPage,
  tileColumns: number,
  packedRow: number,
): Uint8Array {
  const { dtype, group, bitwise, predictor, directory } = page;
  if (bitwise) {
    const rows = bytes.length / packedRow;
    const bits = new Uint8Array(rows * tileColumns);
    for (let i = 0; i < bits.length; i += 1) {
      const column = i % tileColumns;
      const byte = bytes[((i - column) / tileColumns) * packedRow + (column >> 3)]!;
      bits[i] = (byte >> (7 - (column & 7))) & 1;
    }
    return bits;
  }
  const width = dtypes[dtype].bytes;
  if (predictor === 3) {
    const planes = undoFloatingDifferences(bytes, packedRow, group, width);
    return asBytes(elementsOf(planes, dtype, false));
  }
  // Differences are of whole numbers, also where the elements are not.
  const whole = WHOLE[width]!;
  const values = elementsOf(bytes, whole, directory.littleEndian);
  if (predictor === 1) return asBytes(values);
  const own = values.slice();
  undoDifferences(own, tileColumns * group, group);
  return asBytes(own);
}

const WHOLE: Readonly<Record<number, DType>> = {
  1: "uint8",
  2: "uint16",
  4: "uint32",
  8: "uint64",
};

function asBytes(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
