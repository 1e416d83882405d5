/** How the strips and tiles of TIFF images are packed. Source: "TIFF Revision 6.0", sections 9, 13, 14. */
import type { ArrayData } from "../dtype.ts";
import { damaged } from "../fileErrors.ts";
import { MAX_DEFLATE_RATIO, inflateStart, type PackedPlace } from "../inflate.ts";
import { sourceOf } from "../source.ts";

/** A packing that is read. */
export interface TiffCodec {
  /** The most bytes that one packed byte can stand for. */
  readonly ratio: number;
  /**
   * Unpacks to exactly `size` bytes; what goes on after those is left alone, as writers fill the last
   * strip up.
   *
   * @throws ArrayError if it is not valid, or unpacks to less.
   */
  readonly unpack: (packed: Uint8Array, size: number, place: PackedPlace) => Uint8Array;
}

const deflate: TiffCodec = {
  ratio: MAX_DEFLATE_RATIO,
  unpack: (packed, size, place) =>
    enough(inflateStart(sourceOf(packed), size, "zlib", place), size, place),
};

/** By the number in the field Compression. */
export const COMPRESSIONS: Readonly<Record<number, TiffCodec | { readonly refused: string }>> = {
  1: {
    ratio: 1,
    unpack: (packed, size, place) => enough(packed.subarray(0, size), size, place),
  },
  2: { refused: "CCITT's code for text" },
  3: { refused: "CCITT's code for facsimiles" },
  4: { refused: "CCITT's code for facsimiles" },
  // A code of at most 12 bits stands for a string of at most 4096 bytes.
  5: { ratio: 4096, unpack: unpackLzw },
  6: { refused: "JPEG" },
  7: { refused: "JPEG" },
  8: deflate,
  32773: { ratio: 64, unpack: unpackBits },
  32946: deflate,
  33003: { refused: "JPEG 2000" },
  33005: { refused: "JPEG 2000" },
  34712: { refused: "JPEG 2000" },
  34887: { refused: "LERC" },
  34925: { refused: "LZMA" },
  50000: { refused: "Zstandard" },
  50001: { refused: "WebP" },
  50002: { refused: "JPEG XL" },
};

function enough(bytes: Uint8Array, size: number, place: PackedPlace): Uint8Array {
  if (bytes.length >= size) return bytes;
  throw damaged(
    place.label,
    `a strip or tile unpacks to ${String(bytes.length)} bytes, not ${String(size)}`,
    place,
  );
}

/** Runs of bytes as they are, and runs of one byte. */
function unpackBits(packed: Uint8Array, size: number, place: PackedPlace): Uint8Array {
  const out = new Uint8Array(checked(packed, size, 64, place));
  let filled = 0;
  let at = 0;
  while (filled < size && at < packed.length) {
    const code = packed[at]!;
    at += 1;
    if (code < 128) {
      const run = packed.subarray(at, at + Math.min(code + 1, size - filled));
      out.set(run, filled);
      filled += run.length;
      at += code + 1;
    } else if (code > 128 && at < packed.length) {
      const length = Math.min(257 - code, size - filled);
      out.fill(packed[at]!, filled, filled + length);
      filled += length;
      at += 1;
    }
  }
  return enough(out.subarray(0, filled), size, place);
}

function checked(packed: Uint8Array, size: number, ratio: number, place: PackedPlace): number {
  if (size <= packed.length * ratio) return size;
  throw damaged(
    place.label,
    `${String(packed.length)} packed bytes cannot hold ${String(size)}`,
    place,
  );
}

const CLEAR = 256;
const END = 257;
const FIRST_CODE = 258;
const MAX_CODES = 4096;

/** LZW with codes of 9 to 12 bits, the highest bit first, each width left one code early. */
function unpackLzw(packed: Uint8Array, size: number, place: PackedPlace): Uint8Array {
  const out = new Uint8Array(checked(packed, size, 4096, place));
  // A code's string is that of an earlier code and one byte more; kept as where it was last put out.
  const starts = new Uint32Array(MAX_CODES);
  const lengths = new Uint16Array(MAX_CODES);
  let codes = FIRST_CODE;
  let width = 9;
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  let filled = 0;
  let lastStart = 0;
  let lastLength = 0;
  while (filled < size) {
    while (bitCount < width && at < packed.length) {
      bits = ((bits << 8) | packed[at]!) & 0xffffff;
      at += 1;
      bitCount += 8;
    }
    if (bitCount < width) break;
    const code = (bits >> (bitCount - width)) & ((1 << width) - 1);
    bitCount -= width;
    if (code === END) break;
    if (code === CLEAR) {
      codes = FIRST_CODE;
      width = 9;
      lastLength = 0;
      continue;
    }
    if (lastLength === 0) {
      if (code > 255) throw damaged(place.label, "its LZW data is not valid", place);
      out[filled] = code;
      lastStart = filled;
      lastLength = 1;
      filled += 1;
      continue;
    }
    // The string of the code before, and the first byte of this one's, which follows it in the output.
    if (codes < MAX_CODES) {
      starts[codes] = lastStart;
      lengths[codes] = lastLength + 1;
      codes += 1;
    }
    if (code >= codes) throw damaged(place.label, "its LZW data is not valid", place);
    const length = code < 256 ? 1 : lengths[code]!;
    const start = filled;
    if (code < 256) out[filled] = code;
    else {
      const from = starts[code]!;
      const end = Math.min(filled + length, size);
      for (let i = filled, k = from; i < end; i += 1, k += 1) out[i] = out[k]!;
    }
    filled = Math.min(size, filled + length);
    lastStart = start;
    lastLength = length;
    if (codes + 1 >= 1 << width && width < 12) width += 1;
  }
  return enough(out.subarray(0, filled), size, place);
}

/** Predictor 2: each sample is the difference from the one before it in its channel. In place. */
export function undoDifferences(values: ArrayData, rowLength: number, group: number): void {
  if (values instanceof BigUint64Array) {
    for (let i = 0; i < values.length; i += 1) {
      if (i % rowLength >= group) values[i]! += values[i - group]!;
    }
    return;
  }
  const numbers = values as Uint32Array;
  for (let row = 0; row < numbers.length; row += rowLength) {
    for (let i = row + group; i < row + rowLength; i += 1) numbers[i]! += numbers[i - group]!;
  }
}

/**
 * Predictor 3: each row has the highest bytes of all its samples first, then the next, each the
 * difference from the one before it in its channel. Gives the samples with the highest byte first.
 */
export function undoFloatingDifferences(
  bytes: Uint8Array,
  rowBytes: number,
  group: number,
  width: number,
): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const samples = rowBytes / width;
  const line = new Uint8Array(rowBytes);
  for (let row = 0; row < bytes.length; row += rowBytes) {
    line.set(bytes.subarray(row, row + rowBytes));
    for (let i = group; i < rowBytes; i += 1) line[i]! += line[i - group]!;
    for (let sample = 0; sample < samples; sample += 1) {
      for (let byte = 0; byte < width; byte += 1) {
        out[row + sample * width + byte] = line[byte * samples + sample]!;
      }
    }
  }
  return out;
}
