/** What HDF5 does to a chunk before it is stored. Source: the specification, IV.A.2.l, and h5py's lzf. */
import { damaged } from "../../fileErrors.ts";
import { inflateExactly, type PackedPlace } from "../../inflate.ts";
import { viewOf } from "../../source.ts";
import type { Fields } from "./file.ts";
import type { Refuse } from "./types.ts";

const SHUFFLE = 2;
const FLETCHER32 = 3;
const KNOWN: ReadonlySet<number> = new Set([1, SHUFFLE, FLETCHER32, 32000]);

const NAMES: Readonly<Record<number, string>> = {
  4: "szip",
  5: "nbit",
  6: "scale and offset",
  307: "bzip2",
  32001: "Blosc",
  32004: "LZ4",
  32008: "bitshuffle",
  32013: "ZFP",
  32015: "Zstandard",
  32026: "Blosc2",
};

/** The filters in a message, in the order in which they were applied. @throws ArrayError */
export function filtersOf(fields: Fields, refuse: Refuse): number[] {
  const version = fields.uint(1);
  const count = fields.uint(1);
  if (version === 1) fields.skip(6);
  return Array.from({ length: count }, () => {
    const id = fields.uint(2);
    const nameBytes = version === 1 || id >= 256 ? fields.uint(2) : 0;
    fields.skip(2);
    const values = fields.uint(2);
    fields.skip(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    fields.skip(4 * values + (version === 1 && values % 2 === 1 ? 4 : 0));
    if (!KNOWN.has(id)) {
      throw refuse(
        `chunks packed by ${NAMES[id] ?? `the filter ${String(id)}`}, which is not undone here`,
      );
    }
    return id;
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
  filters: readonly number[],
  skipped: number,
  size: number,
  elementBytes: number,
  place: PackedPlace,
): Uint8Array {
  let bytes = stored;
  for (let i = filters.length - 1; i >= 0; i -= 1) {
    if ((skipped >>> i) & 1) continue;
    const checksums = filters
      .slice(0, i)
      .filter((id, k) => id === FLETCHER32 && !((skipped >>> k) & 1)).length;
    const before = size + 4 * checksums;
    const id = filters[i]!;
    if (id === SHUFFLE) bytes = unshuffled(bytes, elementBytes);
    else if (id === FLETCHER32) bytes = checkedFletcher(bytes, place);
    else if (id === 1) bytes = inflateExactly(bytes, before, "zlib", place);
    else bytes = unpackLzf(bytes, before, place);
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
  if (viewOf(bytes).getUint32(end, true) !== second * 65_536 + first) {
    throw damaged(place.label, "a chunk does not match its checksum", place);
  }
  return bytes.subarray(0, end);
}

/** LZF: runs of bytes as they are, and copies of up to 264 bytes from up to 8192 before. */
function unpackLzf(packed: Uint8Array, size: number, place: PackedPlace): Uint8Array {
  const invalid = () => damaged(place.label, "its LZF data is not valid", place);
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
