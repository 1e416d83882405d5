/** Fetching an array out of a running Python program, whole, in pieces. */
import { crc32 } from "../checksums.ts";
import { arrayOf } from "../elements.ts";
import { MAX_ARRAY_BYTES } from "../members.ts";
import { ArrayError, type NdArray } from "../ndarray.ts";
import {
  answered,
  checksumIn,
  closing,
  describing,
  factsIn,
  type LiveFacts,
  reading,
  type RunningPython,
  surveying,
  surveyIn,
  taking,
} from "./python.ts";

/**
 * Bytes that are asked for at once: base64 carries three in four characters, so that a piece is two
 * MiB of text, which every debug adapter and kernel hands on at once.
 */
const PIECE = 3 * 2 ** 19;

export interface Fetching {
  readonly signal?: AbortSignal | undefined;
  /** Told after each piece. */
  readonly onProgress?: ((bytes: number, of: number) => void) | undefined;
}

/** An array of the program, described and not fetched yet. */
export interface HeldArray {
  readonly facts: LiveFacts;
  /**
   * Fetches its elements as they are now.
   * @throws ArrayError when they cannot be read, change meanwhile, or the program goes away
   * @throws the signal's reason when it is aborted
   */
  read(options?: Fetching): Promise<NdArray>;
}

/**
 * Evaluates an expression once, in the program, and lets `use` look at the array that it gives.
 * Whatever happens, nothing of ours is left in the program.
 * @param reader the text of media/python/array_reader.py
 * @throws NoLiveArray when the expression gives no array that can be read
 */
export async function withArray<T>(
  python: RunningPython,
  reader: string,
  expression: string,
  use: (array: HeldArray) => Promise<T>,
): Promise<T> {
  try {
    const answer = answered(await python.evaluate(describing(reader, expression)));
    const facts = factsIn(answer, expression);
    return await use({
      facts,
      read: (options = {}) => read(python, facts, expression, options),
    });
  } finally {
    // A program that has ended has nothing to be removed from.
    await python.evaluateAnywhere(closing).catch(() => undefined);
  }
}

/**
 * What each of several variables is; those without numbers to read are left out.
 * @param variables a Python dictionary of them, as text
 */
export async function surveyArrays(
  python: RunningPython,
  reader: string,
  variables: string,
): Promise<Map<string, LiveFacts>> {
  try {
    return surveyIn(answered(await python.evaluate(surveying(reader, variables))));
  } finally {
    await python.evaluateAnywhere(closing).catch(() => undefined);
  }
}

async function read(
  python: RunningPython,
  facts: LiveFacts,
  expression: string,
  { signal, onProgress }: Fetching,
): Promise<NdArray> {
  const { bytes: size, dtype, shape } = facts;
  if (size > MAX_ARRAY_BYTES) {
    throw new ArrayError(
      `${expression} has ${String(size)} bytes; at most ${String(MAX_ARRAY_BYTES)} are read.`,
      { remedy: `Take a part of it: ${expression}[0]` },
    );
  }
  signal?.throwIfAborted();
  // Taken where the variable lives: libraries keep what they record for a thread.
  const checksum = checksumIn(answered(await python.evaluate(taking)), facts, expression);
  const bytes = new Uint8Array(size);
  let found = 0;
  for (let start = 0; start < size; start += PIECE) {
    signal?.throwIfAborted();
    const stop = Math.min(start + PIECE, size);
    const piece = decodeInto(
      bytes.subarray(start, stop),
      await python.evaluateAnywhere(reading(start, stop)),
    );
    if (!piece) {
      throw new ArrayError(
        `Bytes ${String(start)} to ${String(stop)} of ${expression} arrived in part only.`,
        { remedy: "Save it with np.save(path, arr) and check the file." },
      );
    }
    found = crc32(bytes.subarray(start, stop), found);
    onProgress?.(stop, size);
  }
  if (found !== checksum) {
    throw new ArrayError(`${expression} changed while it was being read: the program went on.`, {
      remedy: "Pause where nothing changes it, and pick it again.",
    });
  }
  return arrayOf(
    bytes,
    { dtype, shape, littleEndian: true, fortranOrder: false },
    { kind: "computed", description: expression },
  );
}

/** Whether base64, with or without quotes, holds just these bytes. */
function decodeInto(bytes: Uint8Array, text: string): boolean {
  let binary: string;
  try {
    binary = atob(text.replace(/^(['"])([^]*)\1$/, "$2"));
  } catch {
    return false;
  }
  if (binary.length !== bytes.length) return false;
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return true;
}
