/** The errors that every reader of a file raises, and the checks that come before memory is taken. */
import { dtypes, type DType } from "./dtype.ts";
import { MAX_ARRAY_BYTES, type ReadOptions } from "./members.ts";
import { ArrayError, elementCount, formatShape } from "./ndarray.ts";
import type { ByteSource } from "./source.ts";

/** What a file's error speaks of. */
export interface FilePlace {
  /** The file, if the label is something in it. */
  readonly file?: string;
  readonly byteOffset?: number;
  readonly remedy?: string;
  readonly cause?: unknown;
}

const AGAIN = "Copy or save the file again.";

/** The error for contents that contradict themselves. */
export function damaged(label: string, what: string, place: FilePlace = {}): ArrayError {
  return refusal(`${label} is damaged: ${what}.`, label, { remedy: AGAIN, ...place });
}

/** The error for a file that ends too early. */
export function cutShort(
  label: string,
  wanted: string,
  found: number,
  place: FilePlace = {},
): ArrayError {
  return refusal(
    `${label} is cut short: it should have ${wanted}, and ${String(Math.max(0, found))} bytes are there.`,
    label,
    { remedy: AGAIN, ...place },
  );
}

/** An error about a file, in words of its own. */
export function refusal(message: string, label: string, place: FilePlace): ArrayError {
  const { file = label, byteOffset, remedy, cause } = place;
  return new ArrayError(message, {
    where: { file, ...(byteOffset === undefined ? {} : { byteOffset }) },
    ...(remedy === undefined ? {} : { remedy }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The error for a file beyond a limit. */
export function tooLarge(name: string, bytes: number, maxBytes: number): ArrayError {
  return refusal(
    `${name} has ${String(bytes)} bytes; at most ${String(maxBytes)} are read.`,
    name,
    {
      remedy:
        "Save a crop of the array, or a narrower dtype: np.save(path, arr.astype(np.float32))",
    },
  );
}

/** All of a file's bytes. @throws ArrayError if they are more than `options` allow. */
export function wholeFile(source: ByteSource, name: string, options: ReadOptions): Uint8Array {
  const maxBytes = options.maxBytes ?? MAX_ARRAY_BYTES;
  if (source.size > maxBytes) throw tooLarge(name, source.size, maxBytes);
  return source.read(0, source.size);
}

/**
 * Exactly `length` bytes of a source.
 *
 * @param what what they are, for the error.
 * @throws ArrayError if there are fewer.
 */
export function bytesAt(
  source: ByteSource,
  offset: number,
  length: number,
  what: string,
  label: string,
  place: FilePlace = {},
): Uint8Array {
  checkThere(source, offset, length, what, label, place);
  const bytes = source.read(offset, length);
  if (bytes.length === length) return bytes;
  throw cutShort(label, `${describeBytes(length)} of ${what}`, bytes.length, {
    byteOffset: offset,
    ...place,
  });
}

/** @throws ArrayError as {@link bytesAt} does, without reading. */
export function checkThere(
  source: Pick<ByteSource, "size">,
  offset: number,
  length: number,
  what: string,
  label: string,
  place: FilePlace = {},
): void {
  const there = source.size - offset;
  if (length <= there) return;
  throw cutShort(label, `${describeBytes(length)} of ${what}`, there, {
    byteOffset: Math.min(offset, source.size),
    ...place,
  });
}

function describeBytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${String(bytes)} bytes` : "more than 1e308 bytes";
}

/**
 * The bytes that an array's elements take.
 *
 * @throws ArrayError if they are more than `options` allow.
 */
export function arrayBytes(
  dtype: DType,
  shape: readonly number[],
  label: string,
  options: ReadOptions,
  place: FilePlace = {},
): number {
  const bytes = elementCount(shape) * dtypes[dtype].bytes;
  const maxBytes = options.maxBytes ?? MAX_ARRAY_BYTES;
  if (bytes <= maxBytes) return bytes;
  throw refusal(
    `${label} holds ${dtype} elements of shape ${formatShape(shape)}, which take ${describeBytes(bytes)}; at most ${String(maxBytes)} are read.`,
    label,
    {
      remedy:
        "Save a crop of the array, or a narrower dtype; the command line reads larger ones part by part: dice-gradient check --stream.",
      ...place,
    },
  );
}

/** Text of a file for use in a message: short, and without control characters. */
export function quoted(text: string, length = 60): string {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  return `"${cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/gu, "\ufffd")}"`;
}
