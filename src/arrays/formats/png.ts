/**
 * PNG images as `np.asarray(PIL.Image.open(path))` gives them: grey as (rows, columns), a palette as
 * its indices, which are the labels of a mask, colours and transparency as (rows, columns, channels).
 * One bit a pixel is bool; two and four bits of grey are spread over 0 to 255. Sixteen bits stay
 * sixteen, also for colours, of which Pillow keeps eight. Nothing is done about gamma.
 *
 * A reader of our own: what is left beside fflate's inflating is small, and the libraries inflate
 * without a limit. Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)".
 */
import type { DType } from "../dtype.ts";
import { elementsOf } from "../elements.ts";
import { arrayBytes, bytesAt, damaged, refusal } from "../fileErrors.ts";
import type { ArrayInFile, ReadOptions } from "../members.ts";
import type { NdArray } from "../ndarray.ts";
import { latin1, viewOf, type ByteSource, type Tick } from "../source.ts";
import type { PutBytes } from "../stored.ts";
import { imageData } from "./pngChunks.ts";
import { type PngHeader, sampleBytes, unpackRows } from "./pngRows.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const HEADER_END = 8 + 8 + 13;
const REMEDY = 'PIL.Image.fromarray(mask.astype(np.uint8)).save("mask.png") writes one.';

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
    stored: () => ({
      layout: { dtype, shape, littleEndian: false, fortranOrder: false },
      bytes: {
        kind: "packed",
        packing: "rows",
        unpack: (put, tick) => {
          unpackImage(source, header, name, put, tick);
        },
      },
    }),
    read: () => {
      const size = arrayBytes(dtype, shape, name, options);
      // Not before the packed data is known to be large enough for them.
      let samples = new Uint8Array(0);
      const put: PutBytes = (at, bytes) => {
        if (samples.length === 0) samples = new Uint8Array(size);
        samples.set(bytes, at);
      };
      unpackImage(source, header, name, put, options.tick);
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

/** Gives the elements' bytes as they come, once each. @throws ArrayError */
function unpackImage(
  source: ByteSource,
  header: PngHeader,
  name: string,
  put: PutBytes,
  tick?: Tick,
): void {
  const packed = imageData(source, SIGNATURE.length, name, tick);
  const pixel = header.channels * sampleBytes(header);
  const one = new Uint8Array(pixel);
  unpackRows(packed, header, name, ({ y, x, step, columns, samples }, done) => {
    const at = (y * header.width + x) * pixel;
    if (step === 1) put(at, samples);
    else {
      for (let column = 0; column < columns; column += 1) {
        for (let i = 0; i < pixel; i += 1) one[i] = samples[column * pixel + i]!;
        put(at + column * step * pixel, one);
      }
    }
    tick?.(done);
  });
}
