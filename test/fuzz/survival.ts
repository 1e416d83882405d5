/** What a damaged file may do to a reader: give arrays, or raise an ArrayError. */
import assert from "node:assert/strict";
import { dtypes } from "../../src/arrays/dtype.ts";
import type { ArrayInFile } from "../../src/arrays/members.ts";
import { ArrayError, elementCount } from "../../src/arrays/ndarray.ts";
import { openFile } from "../../src/arrays/readers.ts";
import type { ByteSource } from "../../src/arrays/source.ts";

/**
 * The most bytes of elements that one byte of a file can stand for: 1032 in a deflate stream, 4096 in
 * LZW; eight where a bit becomes a byte, or a byte a float64; four where one becomes a float32.
 */
const LARGEST_RATIO: Readonly<Record<string, number>> = {
  ".npy": 1,
  ".npz": 1032,
  ".json": 8,
  ".nii": 8,
  ".hdr": 8 * 1032,
  ".img": 8,
  ".gz": 8 * 1032,
  ".mha": 1032,
  ".mhd": 1032,
  ".nrrd": 1032,
  ".safetensors": 4,
  ".pt": 4 * 1032,
  ".pth": 4 * 1032,
  ".ckpt": 4 * 1032,
  ".tar": 4 * 1032,
  ".png": 8 * 1032,
  ".tif": 8 * 4096,
  ".tiff": 8 * 4096,
  ".mat": 2 * 1032,
  ".h5": 1032,
  ".hdf5": 1032,
  ".csv": 8,
  ".tsv": 8,
  ".txt": 8,
};

/** The most bytes that reading a file of that name and length may allocate at a time. */
export function justified(name: string, bytes: number): number {
  const ending = /\.[^.]+$/u.exec(name)?.[0] ?? "";
  const ratio = LARGEST_RATIO[ending];
  assert.ok(ratio !== undefined, `no bound for ${ending}`);
  // A buffer for the start of packed data does not depend on the file.
  return Math.max(1 << 17, bytes * ratio + 64);
}

/**
 * Opens a file and reads every array in it.
 *
 * @returns whether all was read; false if an ArrayError said what was wrong.
 * @throws Error for anything else: another error, an empty message, an array that does not fit its
 *   header or is larger than the file can justify.
 */
export function survives(name: string, source: ByteSource, limit: number): boolean {
  try {
    const opened = openFile(source, name);
    const openers: readonly (() => ArrayInFile)[] =
      opened instanceof Map
        ? [...(opened as ReadonlyMap<string, () => ArrayInFile>).values()].slice(0, 24)
        : [() => opened as ArrayInFile];
    let whole = true;
    for (const open of openers) whole = attempt(open, limit) && whole;
    return whole;
  } catch (error) {
    return refused(error);
  }
}

function attempt(open: () => ArrayInFile, limit: number): boolean {
  try {
    checked(open(), limit);
    return true;
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): false {
  if (!(error instanceof ArrayError)) throw error;
  assert.ok(error.message.length > 10 && error.message.length < 2000, error.message);
  return false;
}

function checked(header: ArrayInFile, limit: number): void {
  const { dtype, shape, data } = header.read();
  assert.deepEqual([dtype, shape], [header.dtype, header.shape]);
  const units = dtypes[dtype].kind === "complex" ? 2 : 1;
  assert.equal(data.length, elementCount(shape) * units);
  assert.ok(data.byteLength <= limit, `${String(data.byteLength)} bytes, ${String(limit)} at most`);
}

/**
 * Runs `act` with every `new Uint8Array(length)` watched, which is what unpacking allocates; none may
 * be beyond `limit`. The storage of elements is checked on the arrays themselves.
 */
export function allocatingAtMost<T>(limit: number, act: () => T): T {
  const original = globalThis.Uint8Array;
  let largest = 0;
  const note = (length: unknown): void => {
    if (typeof length === "number") largest = Math.max(largest, length);
  };
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, args, newTarget) {
      note(args[0]);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  try {
    return act();
  } finally {
    globalThis.Uint8Array = original;
    assert.ok(
      largest <= limit,
      `${String(largest)} bytes were allocated, ${String(limit)} at most`,
    );
  }
}
