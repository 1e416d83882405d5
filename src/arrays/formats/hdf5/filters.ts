/** What HDF5 does to a chunk before it is stored. Source: the specification, IV.A.2.l, and h5py's lzf. */
import { damaged } from "../../fileErrors.ts";
import { inflateStart, inflateWhole, type PackedPlace } from "../../inflate.ts";
import { sourceOf, viewOf } from "../../source.ts";
import type { Fields } from "./file.ts";
import { unpackNbit, unpackScaleOffset } from "./packedBits.ts";
import type { Refuse } from "./types.ts";

const DEFLATE = 1;
const SHUFFLE = 2;
const FLETCHER32 = 3;
const NBIT = 5;
const SCALE_OFFSET = 6;
const LZF = 32000;
const KNOWN: ReadonlySet<number> = new Set([DEFLATE, SHUFFLE, FLETCHER32, NBIT, SCALE_OFFSET, LZF]);

/** A filter, and the numbers that it was used with. */
export interface Filter {
  readonly id: number;
  readonly values: readonly number[];
}

const NAMES: Readonly<Record<number, string>> = {
  4: "szip",
  307: "bzip2",
  32001: "Blosc",
  32004: "LZ4",
  32008: "bitshuffle",
  32013: "ZFP",
  32015: "Zstandard",
  32026: "Blosc2",
};

/** The filters in a message, in the order in which they were applied. @throws ArrayError */
export function filtersOf(fields: Fields, refuse: Refuse): Filter[] {
  const version = fields.uint(1);
  const count = fields.uint(1);
  if (version === 1) fields.skip(6);
  return Array.from({ length: count }, () => {
    const id = fields.uint(2);
    const nameBytes = version === 1 || id >= 256 ? fields.uint(2) : 0;
    fields.skip(2);
    const count = fields.uint(2);
    fields.skip(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    const values = Array.from({ length: count }, () => fields.uint(4));
    if (version === 1 && count % 2 === 1) fields.skip(4);
    if (!KNOWN.has(id)) {
      throw refuse(
        `chunks packed by ${NAMES[id] ?? `the filter ${String(id)}`}, which is not undone here`,
      );
    }
    // Elements of several parts, which only complex numbers are, and elements of other classes.
    if (id === NBIT && values[1] !== 1 && values[3] !== 1) {
      throw refuse("records packed by n-bit, which is not undone here");
    }
    return { id, values };
  });
}

/**
 * A chunk's bytes as they were before they were filtered.
 *
 * @param skipped bits of the filters that were left out for this chunk.
 * @param size of the chunk in memory, and of one element.
 */
export function unfiltered(
  stored: Uint8Array,
  filters: readonly Filter[],
  skipped: number,
  size: number,
  elementBytes: number,
  place: PackedPlace,
): Uint8Array {
  const used = filters.filter((_, i) => !((skipped >>> i) & 1));
  let bytes = stored;
  for (let i = used.length - 1; i >= 0; i -= 1) {
    const { id, values } = used[i]!;
    const earlier = used.slice(0, i);
    const before = size + 4 * earlier.filter((filter) => filter.id === FLETCHER32).length;
    // How many bytes of bits are left is said in these alone.
    const shrunk = earlier.some((filter) => filter.id === NBIT || filter.id === SCALE_OFFSET);
    if (id === SHUFFLE) bytes = unshuffled(bytes, elementBytes);
    else if (id === FLETCHER32) bytes = checkedFletcher(bytes, place);
    else if (id === NBIT) bytes = unpackNbit(bytes, values, size, place);
    else if (id === SCALE_OFFSET) bytes = unpackScaleOffset(bytes, values, size, place);
    else if (id === LZF) bytes = unpackLzf(bytes, shrunk ? before + ROOM : before, shrunk, place);
    else if (shrunk) bytes = inflateStart(sourceOf(bytes), before + ROOM, "zlib", place);
    else bytes = inflateWhole(sourceOf(bytes), before, "zlib", place);
  }
  if (bytes.length !== size) {
    throw damaged(
      place.label,
      `a chunk has ${String(bytes.length)} bytes, not ${String(size)}`,
      place,
    );
  }
  return bytes;
}

/** Bytes that packed bits may take beyond those of a chunk: a header, and the last byte filled up. */
const ROOM = 32;

/** All first bytes, then all second ones, and so on, become elements. */
function unshuffled(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const count = Math.floor(bytes.length / elementBytes);
  const out = new Uint8Array(bytes);
  for (let byte = 0; byte < elementBytes; byte += 1) {
    for (let i = 0; i < count; i += 1) out[i * elementBytes + byte] = bytes[byte * count + i]!;
  }
  return out;
}

/** Fletcher's checksum of big-endian 16-bit words stands after the bytes. */
function checkedFletcher(bytes: Uint8Array, place: PackedPlace): Uint8Array {
  const end = bytes.length - 4;
  if (end < 0) throw damaged(place.label, "a chunk has no checksum", place);
  let first = 0;
  let second = 0;
  for (let i = 0; i < end; i += 2) {
    const word = bytes[i]! * 256 + (i + 1 < end ? bytes[i + 1]! : 0);
    first = (first + word) % 65_535;
    second = (second + first) % 65_535;
  }
  // The sums wrap around at 65,535, and HDF5 writes that for 0 where any word was not 0.
  const checksum = viewOf(bytes);
  const same = (at: number, sum: number): boolean => checksum.getUint16(at, true) % 65_535 === sum;
  if (!same(end, first) || !same(end + 2, second)) {
    throw damaged(place.label, "a chunk does not match its checksum", place);
  }
  return bytes.subarray(0, end);
}

/** LZF: runs of bytes as they are, and copies of up to 264 bytes from up to 8192 before. */
function unpackLzf(
  packed: Uint8Array,
  most: number,
  mayBeLess: boolean,
  place: PackedPlace,
): Uint8Array {
  const invalid = () => damaged(place.label, "its LZF data is not valid", place);
  const size = mayBeLess ? Math.min(most, 264 * packed.length) : most;
  if (size > 264 * packed.length) throw invalid();
  const out = new Uint8Array(size);
  let filled = 0;
  for (let at = 0; at < packed.length;) {
    const control = packed[at]!;
    at += 1;
    if (control < 32) {
      const run = packed.subarray(at, at + control + 1);
      if (run.length <= control || filled + run.length > size) throw invalid();
      out.set(run, filled);
      filled += run.length;
      at += run.length;
      continue;
    }
    let length = control >> 5;
    if (length === 7) {
      length += packed[at] ?? 0;
      at += 1;
    }
    length += 2;
    const from = filled - ((control & 31) << 8) - (packed[at] ?? 0) - 1;
    at += 1;
    if (from < 0 || filled + length > size || at > packed.length) throw invalid();
    for (let i = 0; i < length; i += 1) out[filled + i] = out[from + i]!;
    filled += length;
  }
  return out.subarray(0, filled);
}
