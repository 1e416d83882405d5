/** Arrays from files of this machine. */
import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type ArrayInFile, type OpenedFile, type ReadOptions, chooseMember } from "./members.ts";
import { nearestNames } from "./names.ts";
import { ArrayError, type NdArray } from "./ndarray.ts";
import {
  openArrays,
  openFile,
  readHeader,
  readerFor,
  selectArray,
  unreadable,
  withoutMembers,
  type FileContent,
  type FileHeader,
} from "./readers.ts";
import type { ByteSource, Tick } from "./source.ts";

/**
 * Reads an array from a file, by its name's ending.
 *
 * @param member which array, for a file with several.
 * @throws ArrayError if there is no such file (with the nearest names there are), it cannot be read,
 *   no reader knows its ending, it is too large, or its reader refuses it.
 */
export function loadArrayFile(path: string, member?: string, options: ReadOptions = {}): NdArray {
  return selectArray(openArrayFile(path, options), path, member);
}

/**
 * Opens a file as `np.load` does: its one array, or its arrays by name, each read from the file when
 * its function is called.
 *
 * @throws ArrayError as {@link loadArrayFile} does.
 */
export function openArrayFile(path: string, options: ReadOptions = {}): FileContent {
  const forward = onlyForward(options);
  return openArrays(arrayFile(path, forward), path, forward);
}

/**
 * The dtype and shape of a file's array, or of its arrays by name; of the file only so much is read
 * as those take, which is little for every format but text.
 *
 * @throws ArrayError as {@link loadArrayFile} does.
 */
export function readHeaderFile(path: string, options: ReadOptions = {}): FileHeader {
  const forward = onlyForward(options);
  return readHeader(arrayFile(path, forward), path, forward);
}

/**
 * A file's one array, or its arrays by name, whose elements have not been read.
 *
 * @throws ArrayError as {@link loadArrayFile} does.
 */
export function openArraysInFile(path: string, options: ReadOptions = {}): OpenedFile {
  const forward = onlyForward(options);
  return openFile(arrayFile(path, forward), path, forward);
}

/**
 * One of them.
 *
 * @throws ArrayError as {@link loadArrayFile} does.
 */
export function openArrayInFile(
  path: string,
  member?: string,
  options: ReadOptions = {},
): ArrayInFile {
  const opened = openArraysInFile(path, options);
  if ("shape" in opened) {
    if (member === undefined) return opened;
    throw withoutMembers(path, member);
  }
  return chooseMember(opened, member, path)();
}

/** A file is read in several steps, each from 0 to 1: what has been told is not taken back. */
function onlyForward(options: ReadOptions): ReadOptions {
  const { tick } = options;
  if (tick === undefined) return options;
  let reached = 0;
  return {
    ...options,
    tick: (fraction) => {
      reached = Math.max(reached, fraction);
      tick(reached);
    },
  };
}

/** A file that a reader reads, checked to be one; it is opened for each part that is read. */
function arrayFile(path: string, { tick }: ReadOptions): ByteSource {
  const source = fileSource(path, tick);
  if (readerFor(path) === undefined) unreadable(path);
  return source;
}

function fileSource(path: string, tick?: Tick): ByteSource {
  return {
    size: guarded(path, () => {
      // Before opening, since opening a named pipe waits for its other end.
      const stat = statSync(path);
      if (stat.isDirectory()) throw isDirectory(path);
      if (!stat.isFile()) throw notReadable(path, "it is not a regular file");
      return stat.size;
    }),
    read: (offset, length) => guarded(path, () => readPart(path, offset, length, tick)),
    readInto: (offset, into) =>
      guarded(path, () => withOpen(path, (handle) => readFrom(handle, offset, into, tick))),
    beside: (fileName) => fileSource(join(dirname(path), fileName), tick),
  };
}

function guarded<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    // What a tick throws is no error of the file.
    const isOfSystem = error instanceof Error && "code" in error;
    throw isOfSystem || error instanceof RangeError ? systemError(path, error) : error;
  }
}

/** What is read between two ticks. */
const READ_BYTES = 2 ** 24;

function readPart(path: string, offset: number, length: number, tick?: Tick): Uint8Array {
  return withOpen(path, (handle) => {
    const { size } = fstatSync(handle);
    const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
    // If the file was cut while it was read, its reader will say so.
    return bytes.subarray(0, readFrom(handle, offset, bytes, tick));
  });
}

function withOpen<T>(path: string, act: (handle: number) => T): T {
  const handle = openSync(path, "r");
  try {
    return act(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Fills `into` from `offset` of an open file on; how many bytes there were.
 * @param tick told of how much is filled
 */
export function readFrom(handle: number, offset: number, into: Uint8Array, tick?: Tick): number {
  let filled = 0;
  while (filled < into.length) {
    tick?.(filled / into.length);
    const wanted = Math.min(READ_BYTES, into.length - filled);
    const read = readSync(handle, into, filled, wanted, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

function systemError(path: string, cause: unknown): ArrayError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return missing(path);
    case "EACCES":
    case "EPERM":
      return notReadable(path, "permission is denied");
    default:
      return notReadable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function notReadable(path: string, why: string, cause?: unknown): ArrayError {
  return new ArrayError(`${path} cannot be read: ${why}.`, { where: { file: path }, cause });
}

function isDirectory(path: string): ArrayError {
  const names = arraysIn(path);
  return new ArrayError(`${path} is a directory, not a file.`, {
    where: { file: path },
    remedy:
      names.length === 0
        ? "Give the path of an array file."
        : `Give one of the files in it: ${names.slice(0, 5).join(", ")}`,
  });
}

function missing(path: string): ArrayError {
  const directory = dirname(path);
  if (!isDirectoryPath(directory)) {
    return new ArrayError(`There is no file ${path}: there is no directory ${directory}.`, {
      where: { file: path },
    });
  }
  const target = linkTarget(path);
  if (target !== null) {
    return new ArrayError(`${path} is a link to ${target}, and there is no such file.`, {
      where: { file: path },
    });
  }
  const nearest = nearestNames(basename(path), arraysIn(directory));
  return new ArrayError(`There is no file ${path}.`, {
    where: { file: path },
    ...(nearest.length === 0 ? {} : { remedy: `Near to it are ${nearest.join(", ")}.` }),
  });
}

/** What a symbolic link names; null for anything else. */
function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function isDirectoryPath(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The readable files in a directory, or none if it cannot be listed. */
function arraysIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => readerFor(name) !== undefined);
  } catch {
    return [];
  }
}
