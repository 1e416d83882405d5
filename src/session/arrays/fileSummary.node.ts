/** The range and make-up of an array in a file, without more memory than a part of it takes. */
import { dtypes } from "../../arrays/dtype.ts";
import { openArrayInFile } from "../../arrays/loadArray.node.ts";
import {
  type ArraySummary,
  RunningSummary,
  decodeFloat64,
  elementCount,
  summarize,
} from "../../arrays/ndarray.ts";
import type { Tick } from "../../arrays/source.ts";
import { Cancelled } from "../../numbers/typedArrays.ts";
import type { Watch } from "../inspect.ts";
import { isReadInParts, openStored } from "../stored.node.ts";

/** An array of no more bytes is read whole: that is as fast, and needs no temporary file. */
const WHOLE_BYTES = 2 ** 24;
/** One of more is not read whole only to say what it is like. */
const MOST_BYTES = 2 ** 28;
/** Elements that are looked at between two looks at the watch. */
const PART = 1 << 18;
/** Unpacking and checking come before the elements are looked at, and take about as long. */
const UNPACKING = 0.5;

/**
 * What an array in a file is like.
 * @returns null where it is too large to be read whole and cannot be read part by part, and when the
 *   watch cancels the reading
 * @throws ArrayError if it cannot be read, or is complex
 */
export function summaryInFile(
  path: string,
  member: string | undefined,
  watch: Watch,
): ArraySummary | null {
  const tick = (share: number): void => {
    if (watch.isCancelled()) throw new Cancelled();
    watch.onProgress(share, "reading");
  };
  try {
    const array = openArrayInFile(path, member, { tick });
    const bytes = elementCount(array.shape) * dtypes[array.dtype].bytes;
    if (bytes > WHOLE_BYTES && isReadInParts(array)) return summaryInParts(path, member, tick);
    return bytes > MOST_BYTES ? null : summarize(array.read(), tick);
  } catch (e) {
    if (e instanceof Cancelled) return null;
    throw e;
  }
}

function summaryInParts(path: string, member: string | undefined, tick: Tick): ArraySummary | null {
  let before = 0;
  const { reader, layout, close } = openStored(path, member, (share) => {
    before = UNPACKING;
    tick(share * UNPACKING);
  });
  try {
    const { dtype, count } = reader;
    const summary = new RunningSummary();
    const data = dtypes[dtype].store(Math.min(PART, count));
    const values = new Float64Array(data.length);
    for (let first = 0; first < count; first += data.length) {
      tick(before + (1 - before) * (first / count));
      const length = Math.min(data.length, count - first);
      const part = data.subarray(0, length);
      reader.read(first, part);
      decodeFloat64({ dtype, shape: [length], data: part }, 0, values.subarray(0, length));
      summary.add(values.subarray(0, length));
    }
    return summary.of({ dtype, shape: layout.shape });
  } finally {
    close();
  }
}
