/** PNG's rows: each is unfiltered as it comes, beside the one above it, and its samples are spread. */
import { damaged } from "../fileErrors.ts";
import { inflateParts } from "../inflate.ts";
import type { ByteSource } from "../source.ts";
import { unfilter } from "./pngFilters.ts";

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly channels: number;
  readonly palette: boolean;
  readonly interlaced: boolean;
}

/** A row of a pass: every how many pixels apart its pixels are, from which on, in which row. */
export interface PngRow {
  readonly y: number;
  readonly x: number;
  readonly step: number;
  readonly columns: number;
  /** One byte each, or two with the higher first; they are gone with the next row. */
  readonly samples: Uint8Array;
}

interface Pass {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
}

const WHOLE: readonly Pass[] = [{ x: 0, y: 0, stepX: 1, stepY: 1 }];

/** Where the passes of an interlaced image begin and how far apart their pixels are (Adam7). */
const INTERLACED: readonly Pass[] = [
  { x: 0, y: 0, stepX: 8, stepY: 8 },
  { x: 4, y: 0, stepX: 8, stepY: 8 },
  { x: 0, y: 4, stepX: 4, stepY: 8 },
  { x: 2, y: 0, stepX: 4, stepY: 4 },
  { x: 0, y: 2, stepX: 2, stepY: 4 },
  { x: 1, y: 0, stepX: 2, stepY: 2 },
  { x: 0, y: 1, stepX: 1, stepY: 2 },
];

/** The bytes that a sample takes when it is spread. */
export function sampleBytes({ bits }: PngHeader): number {
  return bits === 16 ? 2 : 1;
}

/**
 * Unpacks an image row by row: in memory are two rows of it.
 *
 * @param packed its image data, read from front to back.
 * @param give takes the rows in the order of the file, and how much is done then.
 * @throws ArrayError if it is damaged, or holds more or fewer pixels than its header says.
 */
export function unpackRows(
  packed: ByteSource,
  header: PngHeader,
  name: string,
  give: (row: PngRow, done: number) => void,
): void {
  const { width, height, bits, channels, interlaced } = header;
  // A pass without pixels has no rows, and those no filter either.
  const passes = (interlaced ? INTERLACED : WHOLE).flatMap((pass) => {
    const columns = Math.ceil((width - pass.x) / pass.stepX);
    const rows = Math.ceil((height - pass.y) / pass.stepY);
    const rowBytes = Math.ceil((columns * channels * bits) / 8);
    return columns > 0 && rows > 0 ? [{ ...pass, columns, rows, rowBytes }] : [];
  });
  const size = passes.reduce((sum, pass) => sum + pass.rows * (pass.rowBytes + 1), 0);
  const pixelBytes = Math.max(1, (channels * bits) / 8);
  let k = 0;
  let row = 0;
  let done = 0;
  let filled = 0;
  // With the byte that names its filter.
  let line = new Uint8Array(0);
  let above = new Uint8Array(0);
  const take = (part: Uint8Array): void => {
    for (let at = 0; at < part.length;) {
      const pass = passes[k]!;
      const lineBytes = pass.rowBytes + 1;
      if (row === 0 && filled === 0) {
        line = new Uint8Array(lineBytes);
        above = new Uint8Array(lineBytes);
      }
      const count = Math.min(lineBytes - filled, part.length - at);
      line.set(part.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < lineBytes) return;
      filled = 0;
      done += lineBytes;
      const pixels = line.subarray(1);
      if (!unfilter(line[0]!, pixels, above.subarray(1), pixelBytes)) {
        const where = `its row ${String(row + 1)}`;
        throw damaged(name, `${where} has the unknown filter ${String(line[0])}`);
      }
      const { columns, x, stepX: step } = pass;
      const samples = bits < 8 ? unpackedBits(pixels, columns, header) : pixels;
      give({ y: pass.y + row * pass.stepY, x, step, columns, samples }, done / size);
      [line, above] = [above, line];
      row += 1;
      if (row === pass.rows) [k, row] = [k + 1, 0];
    }
  };
  inflateParts(packed, size, "zlib", { label: name, file: name }, take);
}

/** Samples of less than a byte, one byte each. */
function unpackedBits(line: Uint8Array, columns: number, header: PngHeader): Uint8Array {
  const { bits, palette } = header;
  const mask = (1 << bits) - 1;
  const factor = palette || bits === 1 ? 1 : 255 / mask;
  const samples = new Uint8Array(columns);
  for (let column = 0; column < columns; column += 1) {
    const bit = column * bits;
    samples[column] = ((line[bit >> 3]! >> (8 - bits - (bit & 7))) & mask) * factor;
  }
  return samples;
}
