/** Which reader reads which file: one row a format. */
import { MAX_ARRAY_BYTES, chooseMember, type ReadOptions } from "./members.ts";
import { parseArrayLiteral } from "./literal.ts";
import { ArrayError, type NdArray } from "./ndarray.ts";
import { readNpy } from "./npy.ts";
import { openNpz } from "./npz.ts";

/** A file's content: its one array, or its arrays by name, each read when its function is called. */
export type FileContent = NdArray | ReadonlyMap<string, () => NdArray>;

/** A format. */
export interface ArrayReader {
  /** Endings of its files, with the dot, in lower case. */
  readonly extensions: readonly string[];
  /** What it is, for lists shown to people. */
  readonly title: string;
  readonly open: (bytes: Uint8Array, name: string, options: ReadOptions) => FileContent;
}

/** JSON becomes one JavaScript string, and every number in it an object while it is read. */
const MAX_JSON_BYTES = 2 ** 26;

/** Every format that is read. */
export const arrayReaders: readonly ArrayReader[] = [
  {
    extensions: [".npy"],
    title: "NumPy array",
    open: (bytes, name) => readNpy(bytes, name),
  },
  {
    extensions: [".npz"],
    title: "NumPy archive of arrays",
    open: openNpz,
  },
  {
    extensions: [".json"],
    title: "JSON list of numbers",
    open: (bytes, name) => {
      if (bytes.length > MAX_JSON_BYTES) throw tooLarge(name, bytes.length, MAX_JSON_BYTES);
      const array = parseArrayLiteral(new TextDecoder().decode(bytes), { file: name });
      return { ...array, origin: { kind: "file", path: name } };
    },
  },
];

/** Every file ending that is read, with the dot. */
export function readableExtensions(): string[] {
  return arrayReaders.flatMap((reader) => reader.extensions);
}

/** The reader for a file's name: the one with the longest ending that fits (`.nii.gz` before `.gz`). */
export function readerFor(name: string): ArrayReader | undefined {
  const lower = name.toLowerCase();
  const fitting = arrayReaders.flatMap((reader) =>
    reader.extensions
      .filter((extension) => lower.endsWith(extension))
      .map((extension) => ({ reader, length: extension.length })),
  );
  return fitting.sort((a, b) => b.length - a.length)[0]?.reader;
}

/**
 * Opens a file's content by its name's ending.
 *
 * @throws ArrayError if the ending is not known (the error lists those that are), the file is too
 *   large, or its reader refuses it.
 */
export function openArrays(
  bytes: Uint8Array,
  name: string,
  options: ReadOptions = {},
): FileContent {
  const maxBytes = options.maxBytes ?? MAX_ARRAY_BYTES;
  const reader = readerFor(name) ?? unreadable(name);
  if (bytes.length > maxBytes) throw tooLarge(name, bytes.length, maxBytes);
  return reader.open(bytes, name, options);
}

/**
 * Reads one array of a file's content.
 *
 * @param member which one, for a file with several.
 * @throws ArrayError as {@link openArrays} does, and if there is no such member.
 */
export function readArray(
  bytes: Uint8Array,
  name: string,
  member?: string,
  options: ReadOptions = {},
): NdArray {
  return selectArray(openArrays(bytes, name, options), name, member);
}

/** One array of an opened file. */
export function selectArray(content: FileContent, name: string, member?: string): NdArray {
  if (content instanceof Map) {
    return chooseMember(content as ReadonlyMap<string, () => NdArray>, member, name)();
  }
  if (member !== undefined) {
    throw new ArrayError(`${name} holds one array without a name; there is no "${member}" in it.`, {
      where: { file: name },
      remedy: `Give the file alone: ${name}`,
    });
  }
  return content as NdArray;
}

/** Raises the error for a file that no reader reads. */
export function unreadable(name: string): never {
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const dot = base.lastIndexOf(".");
  const ending = dot <= 0 ? "without an ending" : `ending in "${base.slice(dot)}"`;
  const known = arrayReaders.map((row) => `${row.extensions.join(", ")} (${row.title})`);
  throw new ArrayError(`Files ${ending} are not read: ${name}.`, {
    where: { file: name },
    remedy: `Readable are ${known.join(", ")}. np.save(path, arr) writes the first.`,
  });
}

/** The error for a file beyond a limit. */
export function tooLarge(name: string, bytes: number, maxBytes: number): ArrayError {
  return new ArrayError(
    `${name} has ${String(bytes)} bytes; at most ${String(maxBytes)} are read.`,
    {
      where: { file: name },
      remedy:
        "Save a crop of the array, or a narrower dtype: np.save(path, arr.astype(np.float32))",
    },
  );
}
