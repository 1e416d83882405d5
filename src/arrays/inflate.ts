/**
 * Unpacking deflate streams, bare or as zlib and gzip wrap them. Inflating is pako's, whose port of
 * zlib writes where it is told to, so that what is unpacked takes no memory but its own; how much that
 * may be is checked here.
 * Sources: RFC 1950 (zlib), RFC 1951 (deflate), RFC 1952 (gzip).
 */
import {
  Z_BUF_ERROR,
  Z_FINISH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
} from "pako";
import { damaged, type FilePlace } from "./fileErrors.ts";
import type { ByteSource, Tick } from "./source.ts";

/** No deflate stream unpacks to more than 1032 times its size (258 bytes from two bits). */
export const MAX_DEFLATE_RATIO = 1032;

/** What is wrapped around a deflate stream. */
export type Packing = "deflate" | "zlib" | "gzip";

/** What packed data is called in errors. */
export interface PackedPlace extends FilePlace {
  readonly label: string;
}

/** What is unpacked at a time. */
const PART_BYTES = 1 << 18;
/** What is read at a time. */
const BLOCK_BYTES = 1 << 18;

/** zlib's name for each wrapping: the window of 2^15 bytes, and more than that. */
const WINDOW_BITS: Readonly<Record<Packing, number>> = { deflate: -15, zlib: 15, gzip: 31 };

/**
 * Unpacks data that is compared with its checksum, where its wrapping has one; of gzip data, member
 * after member. What comes after the stream is left alone, and so is what gzip data goes on with after
 * those bytes, as readers of fixed-size images leave it.
 *
 * @param size the bytes that it must unpack to.
 * @param tick told of how much has been unpacked.
 * @throws ArrayError if the data is not valid, or unpacks to more or less.
 */
export function inflateWhole(
  source: ByteSource,
  size: number,
  packing: Packing,
  place: PackedPlace,
  tick?: Tick,
): Uint8Array {
  checkRatio(source.size, size, place);
  const out = new Uint8Array(size);
  checkEnd(unpack(source, packing, place, size, told(size, tick), out), size, packing, place);
  return out;
}

/** The same in parts, one after the other; each is gone with the next. */
export function inflateParts(
  source: ByteSource,
  size: number,
  packing: Packing,
  place: PackedPlace,
  give: (part: Uint8Array) => void,
): void {
  checkRatio(source.size, size, place);
  checkEnd(unpack(source, packing, place, size, give), size, packing, place);
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
  const most = Math.min(size, source.size * MAX_DEFLATE_RATIO);
  const out = new Uint8Array(most);
  return out.subarray(0, unpack(source, packing, place, most, undefined, out, false).bytes);
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

function told(size: number, tick: Tick | undefined): (part: Uint8Array) => void {
  let done = 0;
  return (part) => {
    done += part.length;
    tick?.(done / size);
  };
}

/** How far unpacking came. */
interface End {
  readonly bytes: number;
  /** Whether the data goes on after those. */
  readonly goesOn: boolean;
  /** Whether it stops before its end. */
  readonly isCut: boolean;
}

/** @throws ArrayError unless the data ended as it may, and unpacked to `size` bytes */
function checkEnd(
  { bytes, goesOn, isCut }: End,
  size: number,
  packing: Packing,
  place: PackedPlace,
): void {
  const endsWell = goesOn ? packing === "gzip" : !isCut;
  if (endsWell && bytes === size) return;
  if (isCut) throw invalid(place, new Error("unexpected end of the data"));
  const amount = goesOn ? "more" : "less";
  throw damaged(
    place.label,
    `it unpacks to ${amount} than the ${String(size)} bytes promised`,
    place,
  );
}

/**
 * Unpacks up to `most` bytes.
 *
 * @param give takes the parts as they come.
 * @param out where they go; without, each takes the place of the one before.
 * @param toEnd whether it is looked whether the data ends there, and as it should.
 * @throws ArrayError if the data is not valid.
 */
function unpack(
  source: ByteSource,
  packing: Packing,
  place: PackedPlace,
  most: number,
  give?: (part: Uint8Array) => void,
  out?: Uint8Array<ArrayBuffer>,
  toEnd = true,
): End {
  const data = new PackedData(source, packing, place);
  const parts = out ?? new Uint8Array(Math.min(most, PART_BYTES));
  let bytes = 0;
  while (bytes < most) {
    const start = out === undefined ? 0 : bytes;
    const part = parts.subarray(start, start + Math.min(most - bytes, PART_BYTES));
    const count = data.next(part);
    if (count > 0) give?.(part.subarray(0, count));
    bytes += count;
    if (count < part.length) return { bytes, goesOn: false, isCut: !data.hasEnded };
  }
  if (!toEnd) return { bytes, goesOn: true, isCut: false };
  const goesOn = data.goesOn();
  return { bytes, goesOn, isCut: !goesOn && !data.hasEnded };
}

/** Packed data that is unpacked from front to back. */
class PackedData {
  /** Whether the end of it was found, and what was unpacked matches its checksum. */
  hasEnded = false;
  private readonly stream = new ZStream();
  private readonly source: ByteSource;
  private readonly packing: Packing;
  private readonly place: PackedPlace;
  private readonly block: Uint8Array | undefined;
  private at = 0;

  constructor(source: ByteSource, packing: Packing, place: PackedPlace) {
    this.source = source;
    this.packing = packing;
    this.place = place;
    if (source.readInto !== undefined) {
      this.block = new Uint8Array(Math.min(source.size, BLOCK_BYTES));
    }
    zlibInflateInit2(this.stream, WINDOW_BITS[packing]);
  }

  /**
   * Fills `into`, unless the data ends before or is cut short.
   * @returns how many bytes those are.
   * @throws ArrayError if it is not valid.
   */
  next(into: Uint8Array<ArrayBuffer>): number {
    this.fill(into);
    while (this.stream.avail_out > 0 && this.inflate());
    return this.stream.next_out;
  }

  /** Whether there is more before the end that comes next, which is found if there is not. */
  goesOn(): boolean {
    this.fill(new Uint8Array(1));
    while (!this.hasEnded && this.stream.avail_out > 0 && this.inflate());
    return this.stream.next_out > 0;
  }

  private fill(into: Uint8Array<ArrayBuffer>): void {
    const { stream } = this;
    stream.output = into;
    stream.next_out = 0;
    stream.avail_out = into.length;
  }

  /** One step of it. @returns whether there may be more. */
  private inflate(): boolean {
    const { stream } = this;
    const isOver = stream.avail_in === 0 && !this.read();
    if (this.hasEnded) {
      // Members of gzip data follow one another.
      if (isOver || this.packing !== "gzip") return false;
      zlibInflateReset(stream);
      this.hasEnded = false;
    }
    const before = stream.avail_out;
    const status = zlibInflate(stream, Z_FINISH);
    this.hasEnded = status === Z_STREAM_END;
    if (this.hasEnded) return true;
    if (status === Z_OK || status === Z_BUF_ERROR) return !isOver || stream.avail_out < before;
    const { label } = this.place;
    if (/^incorrect (data|length) check$/u.test(stream.msg)) {
      throw damaged(label, "its contents do not match their checksum", this.place);
    }
    throw invalid(this.place, new Error(stream.msg));
  }

  private read(): boolean {
    const { stream, source, block, at } = this;
    if (block === undefined) stream.input = source.read(at, BLOCK_BYTES);
    else stream.input = block.subarray(0, source.readInto!(at, block));
    stream.next_in = 0;
    stream.avail_in = stream.input.length;
    this.at += stream.avail_in;
    return stream.avail_in > 0;
  }
}

function invalid(place: PackedPlace, cause: unknown): Error {
  return damaged(place.label, "its packed data is not valid", { ...place, cause });
}
