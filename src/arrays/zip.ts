/**
 * Reading a ZIP archive: its directory, and one member at a time; also in the ZIP64 form.
 * Source: PKWARE's APPNOTE.TXT, sections 4.3 to 4.5. What decides how much memory is taken is checked
 * before it is.
 */
import { crc32 } from "./checksums.ts";
import { damaged } from "./fileErrors.ts";
import { checkRatio, inflateParts, inflateStart, inflateWhole } from "./inflate.ts";
import { ArrayError } from "./ndarray.ts";
import { partOf, viewOf, type ByteSource, type Tick } from "./source.ts";

/** A member, as the archive's directory describes it. */
export interface ZipEntry {
  readonly path: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly method: number;
  readonly encrypted: boolean;
  readonly checksum: number;
  /** Where the member's own header is, in bytes from the start of the archive. */
  readonly offset: number;
}

const DIRECTORY_END = 0x06054b50;
const DIRECTORY_END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END = 0x06064b50;
const ZIP64_END_BYTES = 56;
const ZIP64_FIELD = 1;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const MEMBER_HEADER = 0x04034b50;
const MEMBER_HEADER_BYTES = 30;
/** What is read of a stored member at a time. */
const STORED_BLOCK_BYTES = 1 << 20;
/** What is compared with a checksum between two ticks. */
const CHECKED_BYTES = 1 << 24;
/** Stands for a number that is in the ZIP64 field. */
const IN_ZIP64_FIELD = 0xffffffff;

/**
 * The members of an archive, in its directory's order; of several with one path the last one, which
 * is what Python's zipfile takes.
 *
 * @param isA what the file should be, for the error if it is no archive: "a .npz file is".
 * @param remedy how one is written.
 * @throws ArrayError if it is no archive, or is damaged.
 */
export function listZip(
  source: ByteSource,
  name: string,
  isA = "a .npz file is",
  remedy = "np.savez(path, pred=p, target=t) writes one.",
): ZipEntry[] {
  const { count, start, size, end } = findDirectory(source, name, isA, remedy);
  if (start + size > end) throw damaged(name, "its directory does not lie inside it", at(end));
  const directory = source.read(start, size);
  const view = viewOf(directory);
  const entries = new Map<string, ZipEntry>();
  let offset = 0;
  for (let i = 0; i < count; i += 1) {
    const there = offset + DIRECTORY_ENTRY_BYTES <= directory.length;
    if (!there || view.getUint32(offset, true) !== DIRECTORY_ENTRY) {
      throw damaged(
        name,
        `its directory has no entry ${String(i + 1)} of ${String(count)}`,
        at(start + offset),
      );
    }
    const pathEnd = offset + DIRECTORY_ENTRY_BYTES + view.getUint16(offset + 28, true);
    const extraEnd = pathEnd + view.getUint16(offset + 30, true);
    const next = extraEnd + view.getUint16(offset + 32, true);
    if (next > directory.length) {
      throw damaged(name, "its directory runs past its end", at(start + offset));
    }
    const path = new TextDecoder().decode(
      directory.subarray(offset + DIRECTORY_ENTRY_BYTES, pathEnd),
    );
    const [unpackedBytes, packedBytes, memberOffset] = wideNumbers(
      [24, 20, 42].map((field) => view.getUint32(offset + field, true)),
      directory.subarray(pathEnd, extraEnd),
      name,
      start + offset,
    );
    entries.delete(path);
    entries.set(path, {
      path,
      packedBytes: packedBytes!,
      unpackedBytes: unpackedBytes!,
      method: view.getUint16(offset + 10, true),
      encrypted: (view.getUint16(offset + 8, true) & 1) === 1,
      checksum: view.getUint32(offset + 16, true),
      offset: memberOffset!,
    });
    offset = next;
  }
  return [...entries.values()];
}

function cutWhileRead(label: string): ArrayError {
  return damaged(label, "the archive was cut while it was read");
}

function at(byteOffset: number): { byteOffset: number } {
  return { byteOffset };
}

interface Directory {
  readonly count: number;
  readonly start: number;
  readonly size: number;
  /** Where the directory must end at the latest. */
  readonly end: number;
}

/** The directory's end stands last, followed only by the archive's comment of known length. */
function findDirectory(source: ByteSource, name: string, isA: string, remedy: string): Directory {
  const tailStart = Math.max(0, source.size - DIRECTORY_END_BYTES - LONGEST_COMMENT);
  const tail = source.read(tailStart, source.size - tailStart);
  const view = viewOf(tail);
  for (let i = tail.length - DIRECTORY_END_BYTES; i >= 0; i -= 1) {
    if (
      view.getUint32(i, true) === DIRECTORY_END &&
      i + DIRECTORY_END_BYTES + view.getUint16(i + 20, true) === tail.length
    ) {
      const end = tailStart + i;
      const wide = zip64Directory(source, end, name);
      if (wide !== undefined) return wide;
      const count = view.getUint16(i + 10, true);
      if (view.getUint16(i + 4, true) !== 0 || view.getUint16(i + 8, true) !== count) {
        throw split(name, end);
      }
      return {
        count,
        size: view.getUint32(i + 12, true),
        start: view.getUint32(i + 16, true),
        end,
      };
    }
  }
  throw notAnArchive(source, name, isA, remedy);
}

function zip64Directory(source: ByteSource, end: number, name: string): Directory | undefined {
  const locatorStart = end - ZIP64_LOCATOR_BYTES;
  if (locatorStart < 0) return undefined;
  const locator = viewOf(source.read(locatorStart, ZIP64_LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== ZIP64_LOCATOR) return undefined;
  const start = Number(locator.getBigUint64(8, true));
  const record = start + ZIP64_END_BYTES <= locatorStart ? source.read(start, ZIP64_END_BYTES) : [];
  const view = record instanceof Uint8Array ? viewOf(record) : undefined;
  if (view?.getUint32(0, true) !== ZIP64_END) {
    throw damaged(name, "it has no ZIP64 directory where it should be", at(locatorStart));
  }
  const count = Number(view.getBigUint64(32, true));
  const parts = view.getUint32(16, true) + view.getUint32(20, true);
  if (parts !== 0 || Number(view.getBigUint64(24, true)) !== count) throw split(name, start);
  return {
    count,
    size: Number(view.getBigUint64(40, true)),
    start: Number(view.getBigUint64(48, true)),
    end: start,
  };
}

/** The numbers of an entry, those that do not fit in 32 bits taken from its ZIP64 field. */
function wideNumbers(
  numbers: readonly number[],
  extra: Uint8Array,
  name: string,
  byteOffset: number,
): number[] {
  if (!numbers.includes(IN_ZIP64_FIELD)) return [...numbers];
  const view = viewOf(extra);
  let start = 0;
  while (start + 4 <= extra.length && view.getUint16(start, true) !== ZIP64_FIELD) {
    start += 4 + view.getUint16(start + 2, true);
  }
  const end =
    start + 4 <= extra.length
      ? Math.min(extra.length, start + 4 + view.getUint16(start + 2, true))
      : 0;
  let next = start + 4;
  return numbers.map((number) => {
    if (number !== IN_ZIP64_FIELD) return number;
    if (next + 8 > end) throw damaged(name, "a ZIP64 field is missing in it", at(byteOffset));
    const value = Number(view.getBigUint64(next, true));
    next += 8;
    return value;
  });
}

/**
 * Unpacks one member and checks it against its checksum. A stored member is a view of the source's
 * memory, where it has one.
 *
 * @param maxBytes the most that it may unpack to.
 * @param tick told of how much has been unpacked.
 * @throws ArrayError if it is encrypted, damaged, too large, or packed by another method than deflate.
 */
export function readZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  name: string,
  maxBytes: number,
  tick?: Tick,
): Uint8Array {
  const label = `${name}[${entry.path}]`;
  const place = { label, file: name, byteOffset: entry.offset };
  if (entry.unpackedBytes > maxBytes) {
    throw new ArrayError(
      `${label} unpacks to ${String(entry.unpackedBytes)} bytes; at most ${String(maxBytes)} are read.`,
      {
        where: { file: name, byteOffset: entry.offset },
        remedy: "Save a crop of the array, or a narrower dtype: arr.astype(np.float32)",
      },
    );
  }
  const packed = zipEntryBytes(source, entry, name);
  let unpacked: Uint8Array;
  if (entry.method === 0) {
    unpacked = packed.read(0, packed.size);
    if (unpacked.length < packed.size) throw cutWhileRead(label);
  } else unpacked = inflateWhole(packed, entry.unpackedBytes, "deflate", place, tick);
  let checksum = 0;
  for (let at = 0; at < unpacked.length; at += CHECKED_BYTES) {
    tick?.(at / unpacked.length);
    checksum = crc32(unpacked.subarray(at, at + CHECKED_BYTES), checksum);
  }
  if (checksum !== entry.checksum) {
    throw damaged(label, "its contents do not match its checksum", place);
  }
  return unpacked;
}

/**
 * Unpacks one member in parts, one after the other, and checks it against its checksum at the end.
 *
 * @throws ArrayError as {@link readZipEntry} does.
 */
export function unpackZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  name: string,
  give: (part: Uint8Array) => void,
): void {
  const label = `${name}[${entry.path}]`;
  const place = { label, file: name, byteOffset: entry.offset };
  const packed = zipEntryBytes(source, entry, name);
  let checksum = 0;
  const take = (part: Uint8Array): void => {
    checksum = crc32(part, checksum);
    give(part);
  };
  if (entry.method === 0) {
    for (let at = 0; at < packed.size; at += STORED_BLOCK_BYTES) {
      const length = Math.min(STORED_BLOCK_BYTES, packed.size - at);
      const part = packed.read(at, length);
      if (part.length < length) throw cutWhileRead(label);
      take(part);
    }
  } else inflateParts(packed, entry.unpackedBytes, "deflate", place, take);
  if (checksum !== entry.checksum) {
    throw damaged(label, "its contents do not match its checksum", place);
  }
}

/**
 * The first bytes of a member, `size` of them or as many as there are, without what comes after them
 * and without its checksum.
 *
 * @throws ArrayError as {@link readZipEntry} does.
 */
export function readZipEntryStart(
  source: ByteSource,
  entry: ZipEntry,
  name: string,
  size: number,
): Uint8Array {
  const label = `${name}[${entry.path}]`;
  const packed = zipEntryBytes(source, entry, name);
  if (entry.method === 0) return packed.read(0, size);
  return inflateStart(packed, size, "deflate", { label, file: name, byteOffset: entry.offset });
}

/**
 * A member's bytes as they lie in the archive: unpacked ones for a stored member.
 *
 * @throws ArrayError if it is encrypted, not where the directory says, or packed in a way that is not
 *   read.
 */
export function zipEntryBytes(source: ByteSource, entry: ZipEntry, name: string): ByteSource {
  const { offset, method, packedBytes } = entry;
  const label = `${name}[${entry.path}]`;
  const place = { file: name, byteOffset: offset };
  if (entry.encrypted) {
    throw new ArrayError(`${label} is encrypted.`, {
      where: place,
      remedy: "Save the arrays without a password: np.savez(path, pred=p, target=t)",
    });
  }
  const header = source.read(offset, MEMBER_HEADER_BYTES);
  const view = viewOf(header);
  if (header.length < MEMBER_HEADER_BYTES || view.getUint32(0, true) !== MEMBER_HEADER) {
    throw damaged(label, "the archive has no member where its directory says", place);
  }
  const start = offset + MEMBER_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + packedBytes > source.size) {
    throw damaged(
      label,
      `the archive ends after ${String(Math.max(0, source.size - start))} of its ${String(packedBytes)} bytes`,
      place,
    );
  }
  if (method === 0 && packedBytes !== entry.unpackedBytes) {
    throw damaged(label, "it is stored unpacked, but with two different sizes", place);
  }
  if (method === 8) checkRatio(packedBytes, entry.unpackedBytes, { label, ...place });
  if (method !== 0 && method !== 8) {
    throw new ArrayError(
      `${label} is packed by ${METHODS[method] ?? `method ${String(method)}`}; only deflate is read.`,
      { where: place, remedy: "Save it with np.savez_compressed or np.savez." },
    );
  }
  return partOf(source, start, packedBytes);
}

const METHODS: Readonly<Record<number, string>> = {
  9: "deflate64",
  12: "bzip2",
  14: "LZMA",
  93: "Zstandard",
  95: "XZ",
  99: "AES encryption",
};

function notAnArchive(source: ByteSource, name: string, isA: string, remedy: string): ArrayError {
  const start = source.read(0, 4);
  const begins = start.length === 4 && viewOf(start).getUint32(0, true) === MEMBER_HEADER;
  return new ArrayError(
    begins
      ? `${name} is cut short: it begins as a ZIP archive, but its directory at the end is missing.`
      : `${name} is not a ZIP archive, which ${isA}.`,
    {
      where: { file: name, byteOffset: begins ? source.size : 0 },
      remedy: begins ? "Copy or save the file again." : remedy,
    },
  );
}

function split(name: string, byteOffset: number): ArrayError {
  return damaged(name, "it is one part of an archive split over several files", at(byteOffset));
}
