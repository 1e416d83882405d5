/**
 * PNG images as `np.asarray(PIL.Image.open(path))` gives them: grey as (rows, columns), a palette as
 * its indices, which are the labels of a mask, colours and transparency as (rows, columns, channels).
 * One bit a pixel is bool; two and four bits of grey are spread over 0 to 255. Sixteen bits stay
 * sixteen, also for colours, of which Pillow keeps eight. Nothing is done about gamma.
 *
 * A reader of our own: what is left beside fflate's inflating is small, and the libraries inflate
 * without a limit. Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)".
 */
import { crc32 } from "../checksums.ts";
import type { DType } from "../dtype.ts";
import { elementsOf } from "../elements.ts";
import { arrayBytes, bytesAt, damaged, quoted, refusal, wholeFile } from "../fileErrors.ts";
import { inflateWhole } from "../inflate.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import type { NdArray } from "../ndarray.ts";
import { latin1, sourceOf, viewOf, type ByteSource, type Tick } from "../source.ts";
import { unfilterRows } from "./pngFilters.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const HEADER_END = 8 + 8 + 13;
const REMEDY = 'PIL.Image.fromarray(mask.astype(np.uint8)).save("mask.png") writes one.';

interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly channels: number;
  readonly palette: boolean;
  readonly interlaced: boolean;
}

/** The channels of each colour type, and the bits that a sample of it may have. */
const COLOUR_TYPES: Readonly<Record<number, { channels: number; bits: readonly number[] }>> = {
  0: { channels: 1, bits: [1, 2, 4, 8, 16] },
  2: { channels: 3, bits: [8, 16] },
  3: { channels: 1, bits: [1, 2, 4, 8] },
  4: { channels: 2, bits: [8, 16] },
  6: { channels: 4, bits: [8, 16] },
};

/** Opens a .png file. @throws ArrayError */
export function openPng(source: ByteSource, name: string, options: ReadOptions): ArrayInFile {
  const header = readPngHeader(source, name);
  const { width, height, channels, bits, palette } = header;
  const shape = [height, width, ...(channels === 1 ? [] : [channels])];
  const dtype: DType = bits === 16 ? "uint16" : bits === 1 && !palette ? "bool" : "uint8";
  return {
    dtype,
    shape,
    read: () => {
      arrayBytes(dtype, shape, name, options);
      const packed = packedPixels(wholeFile(source, name, options), name);
      const samples = readSamples(packed, header, name, options.tick);
      const array: NdArray = {
        dtype,
        shape,
        data: elementsOf(samples, dtype, false),
        origin: { kind: "file", path: name },
      };
      return array;
    },
  };
}

function readPngHeader(source: ByteSource, name: string): PngHeader {
  const start = source.read(0, HEADER_END);
  if (!SIGNATURE.every((byte, i) => start[i] === byte)) {
    throw refusal(`${name} is not a PNG image: it does not begin as one.`, name, {
      byteOffset: 0,
      remedy: REMEDY,
    });
  }
  const bytes = bytesAt(source, 0, HEADER_END, "header", name, { byteOffset: 0 });
  const view = viewOf(bytes);
  if (view.getUint32(8) !== 13 || latin1(bytes.subarray(12, 16)) !== "IHDR") {
    throw damaged(name, "it does not begin with its header", { byteOffset: 8 });
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const bits = view.getUint8(24);
  const colour = COLOUR_TYPES[view.getUint8(25)];
  if (width === 0 || height === 0) {
    throw damaged(name, "its header gives it no pixels", { byteOffset: 16 });
  }
  const [compression, filter, interlace] = [26, 27, 28].map((at) => view.getUint8(at));
  if (!colour?.bits.includes(bits) || compression !== 0 || filter !== 0 || interlace! > 1) {
    throw damaged(name, "its header gives a kind of pixels that there is not", { byteOffset: 24 });
  }
  return {
    width,
    height,
    bits,
    channels: colour.channels,
    palette: view.getUint8(25) === 3,
    interlaced: interlace === 1,
  };
}

/** The bytes of all image data chunks, each chunk checked against its checksum. */
function packedPixels(bytes: Uint8Array, name: string): Uint8Array {
  const view = viewOf(bytes);
  const parts: Uint8Array[] = [];
  let at = SIGNATURE.length;
  for (;;) {
    const length = at + 12 <= bytes.length ? view.getUint32(at) : Infinity;
    if (at + 12 + length > bytes.length) {
      throw damaged(name, "it ends in the middle of a chunk", { byteOffset: at });
    }
    const type = latin1(bytes.subarray(at + 4, at + 8));
    const contents = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IEND") break;
    // Whoever wrote a chunk that is not needed for the pixels may have written it badly.
    if (/^[A-Z]/u.test(type)) {
      if (view.getUint32(at + 8 + length) !== crc32(bytes.subarray(at + 4, at + 8 + length))) {
        throw damaged(name, `its chunk ${quoted(type)} does not match its checksum`, {
          byteOffset: at,
        });
      }
      if (type === "IDAT") parts.push(contents);
    }
    at += 12 + length;
  }
  if (parts.length === 1) return parts[0]!;
  const packed = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    packed.set(part, filled);
    filled += part.length;
  }
  return packed;
}

/** Where the passes of an interlaced image begin and how far apart their pixels are (Adam7). */
const PASSES = [
  { x: 0, y: 0, stepX: 8, stepY: 8 },
  { x: 4, y: 0, stepX: 8, stepY: 8 },
  { x: 0, y: 4, stepX: 4, stepY: 8 },
  { x: 2, y: 0, stepX: 4, stepY: 4 },
  { x: 0, y: 2, stepX: 2, stepY: 4 },
  { x: 1, y: 0, stepX: 2, stepY: 2 },
  { x: 0, y: 1, stepX: 1, stepY: 2 },
] as const;

/** All samples in order, one byte each, or two with the higher first. */
function readSamples(packed: Uint8Array, header: PngHeader, name: string, tick?: Tick): Uint8Array {
  const { width, height, bits, channels, interlaced } = header;
  const passes = (interlaced ? PASSES : [{ x: 0, y: 0, stepX: 1, stepY: 1 }]).map((pass) => {
    const columns = Math.ceil((width - pass.x) / pass.stepX);
    const rows = Math.ceil((height - pass.y) / pass.stepY);
    const rowBytes = Math.ceil((columns * channels * bits) / 8);
    // A pass without pixels has no rows, and those no filter either.
    return { ...pass, columns, rows, rowBytes, size: columns === 0 ? 0 : rows * (rowBytes + 1) };
  });
  const size = passes.reduce((sum, pass) => sum + pass.size, 0);
  const place = { label: name, file: name };
  // Each chunk has been checked already, and some writers leave bytes after the stream.
  const lines = inflateWhole(sourceOf(packed), size, "zlib", place, tick, false);
  const pixelBytes = Math.max(1, (channels * bits) / 8);
  const sampleBytes = bits === 16 ? 2 : 1;
  const samples = new Uint8Array(width * height * channels * sampleBytes);
  let start = 0;
  for (const pass of passes) {
    const { rows, rowBytes, columns } = pass;
    if (pass.size === 0) continue;
    unfilterRows(lines.subarray(start, start + pass.size), rows, rowBytes, pixelBytes, name, tick);
    for (let row = 0; row < rows; row += 1) {
      tick?.(row / rows);
      const from = start + row * (rowBytes + 1) + 1;
      const line = lines.subarray(from, from + rowBytes);
      const y = pass.y + row * pass.stepY;
      const spread = bits < 8 ? unpackedBits(line, columns, header) : line;
      const group = channels * sampleBytes;
      if (pass.stepX === 1) {
        samples.set(spread, (y * width + pass.x) * group);
      } else {
        for (let column = 0; column < columns; column += 1) {
          const to = (y * width + pass.x + column * pass.stepX) * group;
          for (let i = 0; i < group; i += 1) samples[to + i] = spread[column * group + i]!;
        }
      }
    }
    start += pass.size;
  }
  return samples;
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
