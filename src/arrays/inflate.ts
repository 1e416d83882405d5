/**
 * Unpacking deflate streams, bare or as zlib and gzip wrap them. Inflating is fflate's; what decides
 * how much memory is taken, and whether the result is the right one, is checked here.
 * Sources: RFC 1950 (zlib), RFC 1951 (deflate), RFC 1952 (gzip).
 */
import { Gunzip, Inflate, Unzlib, inflateSync } from "fflate";
import { adler32, crc32 } from "./checksums.ts";
import { damaged, type FilePlace } from "./fileErrors.ts";
import { viewOf, type ByteSource, type Tick } from "./source.ts";

/** No deflate stream unpacks to more than 1032 times its size (258 bytes from two bits). */
export const MAX_DEFLATE_RATIO = 1032;

/** What is wrapped around a deflate stream. */
export type Packing = "deflate" | "zlib" | "gzip";

/** What packed data is called in errors. */
export interface PackedPlace extends FilePlace {
  readonly label: string;
}

/**
 * What is unpacked at a time: fflate's streams hold about 1032 times as much at most. Where little
 * becomes much, as in images of masks, the next pieces are small. Of what is packed but little they
 * are large: for each piece buffers are left to the garbage collector, 20 MB more of them at a quarter.
 */
const LEAST_PIECE = 1 << 12;
const MOST_PIECE = 1 << 16;
/** What is read at a time. */
const BLOCK_BYTES = 1 << 20;

/**
 * Unpacks a bare deflate stream, or one in a zlib wrapping.
 *
 * @param size the bytes that it must unpack to.
 * @param checked whether a zlib stream's checksum is in its last four bytes; where bytes may follow
 *   the stream it cannot be found.
 * @throws ArrayError if the data is not valid, or unpacks to more or less.
 */
export function inflateExactly(
  packed: Uint8Array,
  size: number,
  packing: "deflate" | "zlib",
  place: PackedPlace,
  checked = true,
): Uint8Array {
  checkRatio(packed.length, size, place);
  const wrapped = packing === "zlib" ? zlibHeader(packed, place) : 0;
  let unpacked: Uint8Array;
  try {
    // One byte more than promised shows a stream that goes on.
    unpacked = inflateSync(packed.subarray(wrapped), { out: new Uint8Array(size + 1) });
  } catch (cause) {
    throw invalid(place, cause);
  }
  if (unpacked.length !== size) throw wrongSize(unpacked.length > size, size, place);
  if (packing === "zlib" && checked) {
    const at = packed.length - 4;
    if (at < wrapped || viewOf(packed).getUint32(at) !== adler32(unpacked)) {
      throw damaged(place.label, "its contents do not match their checksum", place);
    }
  }
  return unpacked;
}

/**
 * The same of a source of packed bytes, which is read piece by piece.
 *
 * @param tick told of how much has been unpacked.
 * @throws ArrayError as {@link inflateParts} does.
 */
export function inflateWhole(
  source: ByteSource,
  size: number,
  packing: "deflate" | "zlib",
  place: PackedPlace,
  tick?: Tick,
  checked = true,
): Uint8Array {
  checkRatio(source.size, size, place);
  return joinedParts(size, tick, (give) => {
    inflateParts(source, size, packing, place, give, checked);
  });
}

/** Parts that come one after the other and make up `size` bytes. */
function joinedParts(
  size: number,
  tick: Tick | undefined,
  unpack: (give: (part: Uint8Array) => void) => void,
): Uint8Array {
  const out = new Uint8Array(size);
  let filled = 0;
  unpack((part) => {
    out.set(part, filled);
    filled += part.length;
    tick?.(filled / size);
  });
  return out;
}

/** The bytes before the deflate stream of a zlib stream. */
function zlibHeader(packed: Uint8Array, place: PackedPlace): number {
  const method = packed[0] ?? 0;
  const flags = packed[1] ?? 0;
  if (packed.length >= 2 && (method & 15) === 8 && (method * 256 + flags) % 31 === 0) {
    if ((flags & 32) === 0) return 2;
  }
  throw invalid(place, undefined);
}

/** @throws ArrayError if that many packed bytes cannot hold so many. */
export function checkRatio(packedBytes: number, size: number, place: PackedPlace): void {
  if (size > packedBytes * MAX_DEFLATE_RATIO) {
    throw damaged(
      place.label,
      `${String(packedBytes)} packed bytes cannot hold ${String(size)}`,
      place,
    );
  }
}

/**
 * The first bytes that packed data unpacks to: `size` of them, or as many as there are. What comes
 * after those is neither read nor checked.
 *
 * @throws ArrayError if the data before is not valid.
 */
export function inflateStart(
  source: ByteSource,
  size: number,
  packing: Packing,
  place: PackedPlace,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let filled = 0;
  unpackPieces(
    source,
    packing,
    (part) => {
      parts.push(part.subarray(0, size - filled));
      filled = Math.min(size, filled + part.length);
      return filled < size;
    },
    place,
    false,
  );
  const start = new Uint8Array(filled);
  let at = 0;
  for (const part of parts) {
    start.set(part, at);
    at += part.length;
  }
  return start;
}

/**
 * Unpacks gzip data of one or several members, as far as `size` bytes; each member that ends there or
 * before is checked against its checksum. Data that goes on after that is left alone, as readers of
 * fixed-size images leave it.
 *
 * @throws ArrayError if the data is not valid, or unpacks to less.
 */
export function gunzipExactly(
  source: ByteSource,
  size: number,
  place: PackedPlace,
  tick?: Tick,
): Uint8Array {
  checkRatio(source.size, size, place);
  return joinedParts(size, tick, (give) => {
    gunzipParts(source, size, place, give);
  });
}

/** The same in parts, one after the other, of which none takes much memory. */
export function gunzipParts(
  source: ByteSource,
  size: number,
  place: PackedPlace,
  give: (part: Uint8Array) => void,
): void {
  checkRatio(source.size, size, place);
  const member = { checksum: 0, bytes: 0 };
  const state = { filled: 0, surplus: false };
  const checkMember = (end: number): void => {
    const trailer = source.read(end - 8, 8);
    const view = viewOf(trailer);
    if (
      trailer.length < 8 ||
      view.getUint32(0, true) !== member.checksum ||
      view.getUint32(4, true) !== member.bytes % 2 ** 32
    ) {
      throw damaged(place.label, "its contents do not match their checksum", place);
    }
    member.checksum = 0;
    member.bytes = 0;
  };
  const take = (part: Uint8Array): boolean => {
    const room = size - state.filled;
    give(part.subarray(0, room));
    state.filled += Math.min(room, part.length);
    state.surplus = part.length > room;
    member.checksum = crc32(part, member.checksum);
    member.bytes += part.length;
    return !state.surplus;
  };
  unpackPieces(source, "gzip", take, place, true, checkMember);
  if (state.filled < size) throw wrongSize(false, size, place);
  if (!state.surplus) checkMember(source.size);
}

/**
 * Unpacks a bare deflate stream, or one in a zlib wrapping, in parts; see {@link inflateExactly}.
 *
 * @param checked as there: whether a zlib stream's checksum is in its last four bytes.
 * @throws ArrayError if the data is not valid, or unpacks to more or less.
 */
export function inflateParts(
  source: ByteSource,
  size: number,
  packing: "deflate" | "zlib",
  place: PackedPlace,
  give: (part: Uint8Array) => void,
  checked = true,
): void {
  checkRatio(source.size, size, place);
  let filled = 0;
  let checksum = 1;
  const take = (part: Uint8Array): boolean => {
    filled += part.length;
    if (filled > size) throw wrongSize(true, size, place);
    if (packing === "zlib" && checked) checksum = adler32(part, checksum);
    give(part);
    return true;
  };
  unpackPieces(source, packing, take, place, packing === "deflate" || checked);
  if (filled < size) throw wrongSize(false, size, place);
  if (packing !== "zlib" || !checked) return;
  const trailer = source.read(source.size - 4, 4);
  if (trailer.length < 4 || viewOf(trailer).getUint32(0) !== checksum) {
    throw damaged(place.label, "its contents do not match their checksum", place);
  }
}

/**
 * Feeds packed data to fflate piece by piece, until `take` returns false.
 *
 * @param whole whether the stream must end where the data does.
 * @param memberEnds is called with the end of each member of gzip data but the last.
 */
function unpackPieces(
  source: ByteSource,
  packing: Packing,
  take: (part: Uint8Array) => boolean,
  place: PackedPlace,
  whole: boolean,
  memberEnds?: (end: number) => void,
): void {
  // fflate goes on with what it was given when it should stop, so its calls must come to nothing
  // then; and an error of ours, such as that someone cancels it, must be told from one of its own.
  const state: { stopped: boolean; failure?: { readonly error: unknown } } = { stopped: false };
  const guarded = (act: () => boolean): void => {
    if (state.stopped) return;
    try {
      state.stopped = !act();
    } catch (error) {
      state.stopped = true;
      state.failure = { error };
    }
  };
  let given = 0;
  const give = (part: Uint8Array): void => {
    given += part.length;
    guarded(() => take(part));
  };
  const stream = new STREAMS[packing](give);
  if (stream instanceof Gunzip && memberEnds !== undefined) {
    stream.onmember = (start) => {
      guarded(() => {
        memberEnds(start);
        return true;
      });
    };
  }
  for (const { piece, last } of pieces(source, () => given)) {
    try {
      // A stream that is told of its end raises an error for one that comes too early.
      stream.push(piece, last && whole);
    } catch (cause) {
      if (!state.stopped) throw invalid(place, cause);
    }
    if (state.stopped) break;
  }
  if (state.failure !== undefined) throw state.failure.error;
}

function* pieces(
  source: ByteSource,
  given: () => number,
): Generator<{ piece: Uint8Array; last: boolean }> {
  let length = LEAST_PIECE;
  for (let at = 0; at < source.size; at += BLOCK_BYTES) {
    const block = source.read(at, BLOCK_BYTES);
    for (let start = 0; start < block.length;) {
      const piece = block.subarray(start, start + length);
      const before = given();
      start += piece.length;
      yield { piece, last: at + start >= source.size };
      const isLittle = given() - before < BLOCK_BYTES;
      length = isLittle ? Math.min(2 * length, MOST_PIECE) : LEAST_PIECE;
    }
  }
}

const STREAMS = { deflate: Inflate, zlib: Unzlib, gzip: Gunzip } as const;

function invalid(place: PackedPlace, cause: unknown): Error {
  return damaged(place.label, "its packed data is not valid", { ...place, cause });
}

function wrongSize(more: boolean, size: number, place: PackedPlace): Error {
  const amount = more ? "more" : "less";
  return damaged(
    place.label,
    `it unpacks to ${amount} than the ${String(size)} bytes promised`,
    place,
  );
}
