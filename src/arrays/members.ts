/** What readers of files with several arrays share. */
import type { DType } from "./dtype.ts";
import { ArrayError, type ArraySpace, type NdArray } from "./ndarray.ts";
import type { Tick } from "./source.ts";
import type { StoredElements } from "./stored.ts";

/** The most bytes that one file or member may take in memory, unless the caller says otherwise. */
export const MAX_ARRAY_BYTES = 2 ** 31;

/** Settings of a reader. */
export interface ReadOptions {
  /** The most bytes that a file read whole or an array may take; 2 GiB by default. */
  readonly maxBytes?: number;
  /** Told of each longer step of reading, whose elements and bytes may be many. */
  readonly tick?: Tick;
}

/** What a file says of an array before its elements. */
export interface ArrayHeader {
  /** The dtype that reading gives. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly space?: ArraySpace;
}

/** An array whose header has been read, and whose elements have not. */
export interface ArrayInFile extends ArrayHeader {
  /** @throws ArrayError if the elements are damaged, cut short, or too many. */
  readonly read: () => NdArray;
  /**
   * How the elements lie in the file, for reading them part by part; not given where they have to be
   * read whole.
   *
   * @throws ArrayError if they cannot all be there.
   */
  readonly stored?: () => StoredElements;
}

/** A file's one array, or its arrays by name; the function reads the header of one. */
export type OpenedFile = ArrayInFile | ReadonlyMap<string, () => ArrayInFile>;

/**
 * The member that was asked for, or the only one where none was.
 *
 * @throws ArrayError that lists the members, if there is none of that name or more than one to
 *   choose from.
 */
export function chooseMember<T>(
  members: ReadonlyMap<string, T>,
  member: string | undefined,
  name: string,
): T {
  const names = [...members.keys()];
  const [first] = names;
  if (first === undefined) {
    throw new ArrayError(`${name} holds no arrays.`, { where: { file: name } });
  }
  const listed =
    names.slice(0, 20).map(shortened).join(", ") +
    (names.length > 20 ? ` and ${String(names.length - 20)} more` : "");
  if (member === undefined && names.length > 1) {
    throw new ArrayError(`${name} holds ${String(names.length)} arrays: ${listed}.`, {
      where: { file: name },
      remedy: `Name one: ${name}[${shortened(first)}]`,
    });
  }
  const chosen = member ?? first;
  const read =
    members.get(chosen) ??
    members.get(chosen.replace(/\.npy$/u, "")) ??
    members.get(chosen.replace(/^\/+/u, ""));
  if (read === undefined) {
    throw new ArrayError(`${name} has no array "${shortened(chosen)}"; it holds ${listed}.`, {
      where: { file: name },
      remedy: `Name one of those: ${name}[${shortened(first)}]`,
    });
  }
  return read;
}

/** A name in a message, of a length that can be read. */
function shortened(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
