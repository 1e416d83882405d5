/** Bytes that readers take in parts, so that a header costs no more than the header. */

/** Told how much of a long step is done, from 0 to 1; may throw to end it. */
export type Tick = (fraction: number) => void;

/** A file's bytes, on a disk or in memory. */
export interface ByteSource {
  readonly size: number;
  /**
   * `length` bytes from `offset` on, or as many as there are. They may be a view of memory that
   * others read too, so nothing is written to them.
   *
   * @throws ArrayError if they cannot be read.
   */
  readonly read: (offset: number, length: number) => Uint8Array;
  /**
   * Fills `into` with the bytes from `offset` on, or as many as there are, and says how many; given
   * where that saves a copy.
   *
   * @throws ArrayError if they cannot be read.
   */
  readonly readInto?: (offset: number, into: Uint8Array) => number;
  /**
   * Another file in the same folder; not given where there is no folder.
   *
   * @throws ArrayError if there is no such file.
   */
  readonly beside?: (fileName: string) => ByteSource;
}

/** A source of bytes that are in memory; what is one already stays as it is. */
export function sourceOf(bytes: Uint8Array | ByteSource): ByteSource {
  if (!(bytes instanceof Uint8Array)) return bytes;
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** A part of a source, as a source. */
export function partOf(source: ByteSource, start: number, size: number): ByteSource {
  const length = Math.max(0, Math.min(size, source.size - start));
  const { readInto } = source;
  return {
    size: length,
    read: (offset, wanted) =>
      source.read(start + offset, Math.max(0, Math.min(wanted, length - offset))),
    ...(readInto === undefined
      ? {}
      : {
          readInto: (offset: number, into: Uint8Array) =>
            readInto(start + offset, into.subarray(0, Math.max(0, length - offset))),
        }),
  };
}

/** Bytes that are read at once for small parts which lie one after the other. */
const AHEAD_BYTES = 2 ** 20;

/**
 * A source for many small parts that mostly follow one another: each time they do, twice as much is
 * read ahead. A part elsewhere is read alone, so that parts in no order cost no more than they are.
 */
export function readAhead(source: ByteSource): ByteSource {
  let from = 0;
  let bytes = new Uint8Array(0);
  return {
    size: source.size,
    read: (offset, length) => {
      const at = offset - from;
      if (at >= 0 && at + length <= bytes.length) return bytes.subarray(at, at + length);
      const follows = at >= 0 && at <= 2 * bytes.length;
      const ahead = follows ? Math.min(AHEAD_BYTES, 2 * bytes.length) : 0;
      bytes = source.read(offset, Math.max(length, ahead)) as Uint8Array<ArrayBuffer>;
      from = offset;
      return bytes.subarray(0, length);
    },
  };
}

/** A view for numbers of any width over some bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes as text of one character each, so that offsets in one are offsets in the other. */
export function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
