/**
 * Reading a ZIP archive that lies whole in memory: its directory, and one member at a time.
 * Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.4. Inflating is fflate's; everything that decides
 * how much memory is taken is checked here first.
 */
import { inflateSync } from "fflate";
import { ArrayError } from "./ndarray.ts";

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
const ZIP64_LOCATOR = 0x07064b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const MEMBER_HEADER = 0x04034b50;
const MEMBER_HEADER_BYTES = 30;
const IN_ZIP64_FIELD = 0xffffffff;

/** No deflate stream unpacks to more than 1032 times its size (258 bytes from two bits). */
const MAX_DEFLATE_RATIO = 1032;

/**
 * The members of an archive, in its directory's order; of several with one path the last one, which
 * is what Python's zipfile takes.
 *
 * @throws ArrayError if it is no archive, is damaged, or is in the ZIP64 form.
 */
export function listZip(bytes: Uint8Array, name: string): ZipEntry[] {
  const view = viewOf(bytes);
  const end = findDirectoryEnd(view);
  if (end === undefined) throw notAnArchive(bytes, name);
  const count = view.getUint16(end + 10, true);
  const directoryBytes = view.getUint32(end + 12, true);
  const directoryOffset = view.getUint32(end + 16, true);
  const zip64 = end >= 20 && view.getUint32(end - 20, true) === ZIP64_LOCATOR;
  if (zip64 || count === 0xffff || directoryOffset === IN_ZIP64_FIELD) throw isZip64(name, end);
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) {
    throw damaged(name, "it is one part of an archive split over several files", end);
  }
  if (directoryOffset + directoryBytes > end) {
    throw damaged(name, "its directory does not lie inside it", end);
  }

  const entries = new Map<string, ZipEntry>();
  let at = directoryOffset;
  for (let i = 0; i < count; i += 1) {
    if (at + DIRECTORY_ENTRY_BYTES > end || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw damaged(name, `its directory has no entry ${String(i + 1)} of ${String(count)}`, at);
    }
    const pathEnd = at + DIRECTORY_ENTRY_BYTES + view.getUint16(at + 28, true);
    const next = pathEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw damaged(name, "its directory runs past its end", at);
    const path = decodePath(bytes.subarray(at + DIRECTORY_ENTRY_BYTES, pathEnd));
    const entry: ZipEntry = {
      path,
      packedBytes: view.getUint32(at + 20, true),
      unpackedBytes: view.getUint32(at + 24, true),
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      checksum: view.getUint32(at + 16, true),
      offset: view.getUint32(at + 42, true),
    };
    const sizes = [entry.packedBytes, entry.unpackedBytes, entry.offset];
    if (sizes.includes(IN_ZIP64_FIELD)) throw isZip64(name, at);
    entries.delete(path);
    entries.set(path, entry);
    at = next;
  }
  return [...entries.values()];
}

/**
 * Unpacks one member and checks it against its checksum. A stored member is a view of `bytes`.
 *
 * @param maxBytes the most that it may unpack to.
 * @throws ArrayError if it is encrypted, damaged, too large, or packed by another method than deflate.
 */
export function readZipEntry(
  bytes: Uint8Array,
  entry: ZipEntry,
  name: string,
  maxBytes: number,
): Uint8Array {
  const label = `${name}[${entry.path}]`;
  if (entry.encrypted) {
    throw new ArrayError(`${label} is encrypted.`, {
      where: { file: name, byteOffset: entry.offset },
      remedy: "Save the arrays without a password: np.savez(path, pred=p, target=t)",
    });
  }
  if (entry.unpackedBytes > maxBytes) {
    throw new ArrayError(
      `${label} unpacks to ${String(entry.unpackedBytes)} bytes; at most ${String(maxBytes)} are read.`,
      {
        where: { file: name, byteOffset: entry.offset },
        remedy: "Save a crop of the array, or a narrower dtype: arr.astype(np.float32)",
      },
    );
  }
  const packed = packedBytes(bytes, entry, name, label);
  const unpacked = unpack(packed, entry, name, label);
  if (crc32(unpacked) !== entry.checksum) {
    throw damaged(label, "its contents do not match its checksum", entry.offset, name);
  }
  return unpacked;
}

function packedBytes(bytes: Uint8Array, entry: ZipEntry, name: string, label: string): Uint8Array {
  const { offset } = entry;
  const view = viewOf(bytes);
  if (
    offset + MEMBER_HEADER_BYTES > bytes.length ||
    view.getUint32(offset, true) !== MEMBER_HEADER
  ) {
    throw damaged(label, "the archive has no member where its directory says", offset, name);
  }
  const start =
    offset +
    MEMBER_HEADER_BYTES +
    view.getUint16(offset + 26, true) +
    view.getUint16(offset + 28, true);
  if (start + entry.packedBytes > bytes.length) {
    throw damaged(
      label,
      `the archive ends after ${String(Math.max(0, bytes.length - start))} of its ${String(entry.packedBytes)} bytes`,
      offset,
      name,
    );
  }
  return bytes.subarray(start, start + entry.packedBytes);
}

function unpack(packed: Uint8Array, entry: ZipEntry, name: string, label: string): Uint8Array {
  const { method, unpackedBytes, offset } = entry;
  if (method === 0) {
    if (packed.length === unpackedBytes) return packed;
    throw damaged(label, "it is stored unpacked, but with two different sizes", offset, name);
  }
  if (method !== 8) {
    const known = METHODS[method];
    throw new ArrayError(
      `${label} is packed by ${known ?? `method ${String(method)}`}; only deflate is read.`,
      {
        where: { file: name, byteOffset: offset },
        remedy: "Save it with np.savez_compressed or np.savez.",
      },
    );
  }
  if (unpackedBytes > packed.length * MAX_DEFLATE_RATIO) {
    throw damaged(
      label,
      `${String(packed.length)} packed bytes cannot hold ${String(unpackedBytes)}`,
      offset,
      name,
    );
  }
  let unpacked: Uint8Array;
  try {
    // One byte more than promised shows a stream that goes on.
    unpacked = inflateSync(packed, { out: new Uint8Array(unpackedBytes + 1) });
  } catch (cause) {
    throw damaged(label, "its packed data is not valid", offset, name, cause);
  }
  if (unpacked.length !== unpackedBytes) {
    throw damaged(
      label,
      `it unpacks to ${unpacked.length > unpackedBytes ? "more" : "less"} than the ${String(unpackedBytes)} bytes promised`,
      offset,
      name,
    );
  }
  return unpacked;
}

const METHODS: Readonly<Record<number, string>> = {
  9: "deflate64",
  12: "bzip2",
  14: "LZMA",
  93: "Zstandard",
  95: "XZ",
  99: "AES encryption",
};

/** The directory's end stands last, followed only by the archive's comment of known length. */
function findDirectoryEnd(view: DataView): number | undefined {
  const last = view.byteLength - DIRECTORY_END_BYTES;
  const first = Math.max(0, last - 0xffff);
  for (let at = last; at >= first; at -= 1) {
    if (
      view.getUint32(at, true) === DIRECTORY_END &&
      at + DIRECTORY_END_BYTES + view.getUint16(at + 20, true) === view.byteLength
    ) {
      return at;
    }
  }
  return undefined;
}

function notAnArchive(bytes: Uint8Array, name: string): ArrayError {
  const begins = bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === MEMBER_HEADER;
  return new ArrayError(
    begins
      ? `${name} is cut short: it begins as a ZIP archive, but its directory at the end is missing.`
      : `${name} is not a ZIP archive, which a .npz file is.`,
    {
      where: { file: name, byteOffset: begins ? bytes.length : 0 },
      remedy: begins
        ? "Copy or save the file again."
        : "np.savez(path, pred=p, target=t) writes one.",
    },
  );
}

function isZip64(name: string, byteOffset: number): ArrayError {
  return new ArrayError(
    `${name} is in the ZIP64 form, which archives beyond 2 GiB or 65,535 members take; it is not read.`,
    {
      where: { file: name, byteOffset },
      remedy: "Save each array to a file of its own: np.save(path, arr)",
    },
  );
}

function damaged(
  label: string,
  what: string,
  byteOffset: number,
  file = label,
  cause?: unknown,
): ArrayError {
  return new ArrayError(`${label} is damaged: ${what}.`, {
    where: { file, byteOffset },
    remedy: "Copy or save the file again.",
    cause,
  });
}

function decodePath(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

let crcTables: Uint32Array | undefined;

/** Table `k` gives the CRC of a byte followed by `k` zero bytes. */
function crcTable(): Uint32Array {
  if (crcTables === undefined) {
    crcTables = new Uint32Array(4 * 256);
    for (let byte = 0; byte < 256; byte += 1) {
      let crc = byte;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
      crcTables[byte] = crc;
    }
    for (let i = 256; i < crcTables.length; i += 1) {
      const before = crcTables[i - 256]!;
      crcTables[i] = (before >>> 8) ^ crcTables[before & 0xff]!;
    }
  }
  return crcTables;
}

/** CRC-32 as ZIP has it (ISO 3309), four bytes a step. */
export function crc32(bytes: Uint8Array): number {
  const table = crcTable();
  let crc = 0xffffffff;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table[768 + (crc & 0xff)]! ^
      table[512 + ((crc >>> 8) & 0xff)]! ^
      table[256 + ((crc >>> 16) & 0xff)]! ^
      table[crc >>> 24]!;
  }
  for (; i < bytes.length; i += 1) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
