/** The bytes of pictures: base64, packed or not, never more of them than their size states. */
import type { ImageSet } from "../report/schema.ts";

/** One byte a pixel, slice after slice, row by row. Throws an error whose message says why not. */
export async function unpack(set: ImageSet): Promise<Uint8Array<ArrayBuffer>> {
  const size = set.width * set.height * set.slices;
  const packed = fromBase64(set.data);
  const bytes = set.encoding === "raw" ? packed : await inflate(packed, size);
  if (bytes.length !== size) {
    throw new Error(`holds ${bytes.length} pixels where its size says ${size}`);
  }
  return bytes;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new Error("is not base64");
  }
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

/** Inflates at most `size` bytes: a few bytes of input can unpack to gigabytes. */
async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  const bytes = new Uint8Array(size);
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return bytes.subarray(0, filled);
      if (filled + value.length > size) break;
      bytes.set(value, filled);
      filled += value.length;
    }
  } catch {
    throw new Error("cannot be unpacked");
  }
  await reader.cancel();
  throw new Error(`unpacks to more than the ${size} pixels that its size says`);
}
