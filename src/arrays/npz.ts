/** Reading .npz files: ZIP archives of .npy files, of which one is unpacked at a time. */
import { MAX_ARRAY_BYTES, chooseMember, type ReadOptions } from "./members.ts";
import { ArrayError, type NdArray } from "./ndarray.ts";
import { startsAsNpy } from "./npyHeader.ts";
import { readNpy } from "./npy.ts";
import { listZip, readZipEntry, type ZipEntry } from "./zip.ts";

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
export function listNpz(bytes: Uint8Array, name = "The file"): NpzMember[] {
  return entries(bytes, name).map((entry) => ({
    member: memberName(entry),
    packedBytes: entry.packedBytes,
    unpackedBytes: entry.unpackedBytes,
  }));
}

/**
 * The arrays in a .npz file by name, each unpacked only when its function is called.
 *
 * @param name the file's name or path, for errors and as the arrays' origin.
 * @throws ArrayError if the file is no archive, or is damaged.
 */
export function openNpz(
  bytes: Uint8Array,
  name: string,
  options: ReadOptions = {},
): ReadonlyMap<string, () => NdArray> {
  const members = new Map<string, () => NdArray>();
  for (const entry of entries(bytes, name)) {
    const member = memberName(entry);
    members.set(member, () => {
      const unpacked = readZipEntry(bytes, entry, name, options.maxBytes ?? MAX_ARRAY_BYTES);
      return readNpy(unpacked, `${name}[${member}]`, { kind: "file", path: name, member });
    });
  }
  return members;
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
  return chooseMember(openNpz(bytes, name, options), member, name)();
}

function entries(bytes: Uint8Array, name: string): ZipEntry[] {
  if (startsAsNpy(bytes)) {
    throw new ArrayError(`${name} is a .npy file under the name of a .npz.`, {
      where: { file: name, byteOffset: 0 },
      remedy: "Rename it to end in .npy.",
    });
  }
  return listZip(bytes, name).filter((entry) => !entry.path.endsWith("/"));
}

function memberName(entry: ZipEntry): string {
  return entry.path.replace(/\.npy$/u, "");
}
