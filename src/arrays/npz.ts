/** Reading .npz files: ZIP archives of .npy files, of which one is unpacked at a time. */
import { MAX_ARRAY_BYTES, chooseMember, type ArrayInFile, type ReadOptions } from "./members.ts";
import { ArrayError, type NdArray } from "./ndarray.ts";
import {
  MAX_NPY_HEADER_BYTES,
  NPY_MAGIC,
  readNpyHeader,
  startsAsNpy,
  type NpyHeader,
} from "./npyHeader.ts";
import { checkLength, readNpy } from "./npy.ts";
import { sourceOf, type ByteSource, type Tick } from "./source.ts";
import { putAfter, type PutBytes, type StoredElements } from "./stored.ts";
import {
  listZip,
  readZipEntry,
  readZipEntryStart,
  unpackZipEntry,
  zipEntryBytes,
  type ZipEntry,
} from "./zip.ts";

/** An array in a .npz file, not unpacked yet. */
export interface NpzMember {
  /** The name it was saved under: `pred` for `np.savez(path, pred=p)`. */
  readonly member: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
}

/**
 * The arrays in a .npz file, in the order they were saved; none is unpacked.
 *
 * @throws ArrayError if the file is no archive, or is damaged.
 */
export function listNpz(file: Uint8Array | ByteSource, name = "The file"): NpzMember[] {
  return entries(sourceOf(file), name).map((entry) => ({
    member: memberName(entry),
    packedBytes: entry.packedBytes,
    unpackedBytes: entry.unpackedBytes,
  }));
}

/**
 * The arrays in a .npz file by name. A member's header is unpacked when its function is called, and
 * its elements when they are read.
 *
 * @param name the file's name or path, for errors and as the arrays' origin.
 * @throws ArrayError if the file is no archive, or is damaged.
 */
export function openNpz(
  file: Uint8Array | ByteSource,
  name: string,
  options: ReadOptions = {},
): ReadonlyMap<string, () => ArrayInFile> {
  const source = sourceOf(file);
  const members = new Map<string, () => ArrayInFile>();
  for (const entry of entries(source, name)) {
    const member = memberName(entry);
    const label = `${name}[${member}]`;
    const unpacked = (): Uint8Array =>
      readZipEntry(source, entry, name, options.maxBytes ?? MAX_ARRAY_BYTES, options.tick);
    members.set(member, () => {
      const start = readZipEntryStart(source, entry, name, MAX_NPY_HEADER_BYTES);
      try {
        const header = readNpyHeader(start, label);
        const { dtype, shape } = header;
        const read = () =>
          readNpy(unpacked(), label, { kind: "file", path: name, member }, options);
        return { dtype, shape, read, stored: () => storedMember(source, entry, header, name) };
      } catch (error) {
        // A wrong checksum says more about a bad header than the header does.
        unpacked();
        throw error;
      }
    });
  }
  return members;
}

/** How a member's elements lie in the archive: as they are where it is stored, as np.savez writes it. */
function storedMember(
  source: ByteSource,
  entry: ZipEntry,
  header: NpyHeader,
  name: string,
): StoredElements {
  const { dataOffset } = header;
  const size = entry.unpackedBytes - dataOffset;
  const nothing = () => new Uint8Array(0);
  checkLength(
    { size: entry.unpackedBytes, read: nothing },
    header,
    `${name}[${memberName(entry)}]`,
  );
  const unpack = (put: PutBytes, tick: Tick): void => {
    unpackZipEntry(source, entry, name, putAfter(dataOffset, size, put, tick));
  };
  const verify = (tick: Tick): void => {
    unpack(() => undefined, tick);
  };
  const packed = zipEntryBytes(source, entry, name);
  const bytes: StoredElements["bytes"] =
    entry.method === 0
      ? { kind: "flat", source: packed, offset: dataOffset, verify }
      : { kind: "packed", packing: "deflate", unpack };
  return { layout: header, bytes };
}

/**
 * Reads one array of a .npz file.
 *
 * @param member the name it was saved under; not needed where there is only one.
 * @param name the file's name or path, for errors and as the array's origin.
 * @throws ArrayError if there is no such member (the error lists those there are), or if it cannot
 *   be unpacked or read.
 */
export function readNpz(
  bytes: Uint8Array,
  member: string | undefined,
  name: string,
  options: ReadOptions = {},
): NdArray {
  return chooseMember(openNpz(bytes, name, options), member, name)().read();
}

function entries(source: ByteSource, name: string): ZipEntry[] {
  if (startsAsNpy(source.read(0, NPY_MAGIC.length))) {
    throw new ArrayError(`${name} is a .npy file under the name of a .npz.`, {
      where: { file: name, byteOffset: 0 },
      remedy: "Rename it to end in .npy.",
    });
  }
  return listZip(source, name).filter((entry) => !entry.path.endsWith("/"));
}

function memberName(entry: ZipEntry): string {
  return entry.path.replace(/\.npy$/u, "");
}
