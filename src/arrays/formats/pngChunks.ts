/** PNG's chunks, of which those of image data make up one zlib stream. */
import { crc32 } from "../checksums.ts";
import { damaged, quoted } from "../fileErrors.ts";
import { latin1, readAhead, viewOf, type ByteSource, type Tick } from "../source.ts";
import { BLOCK_BYTES } from "../stored.ts";

interface Chunk {
  readonly type: string;
  /** Where its length stands. */
  readonly at: number;
  /** Bytes of its contents, which follow its length and type. */
  readonly length: number;
}

const BEFORE = 8;
const AROUND = 12;

/** The chunks up to the last one. @throws ArrayError where the file ends before */
function* chunksOf(source: ByteSource, first: number, name: string): Generator<Chunk> {
  for (let at = first; ;) {
    const head = source.read(at, BEFORE);
    const length = head.length < BEFORE ? Infinity : viewOf(head).getUint32(0);
    if (at + AROUND + length > source.size) {
      throw damaged(name, "it ends in the middle of a chunk", { byteOffset: at });
    }
    const chunk = { type: latin1(head.subarray(4)), at, length };
    if (chunk.type === "IEND") return;
    yield chunk;
    at += AROUND + length;
  }
}

/**
 * The image data of a file, to be read from front to back. Every chunk that is needed is compared with
 * its checksum before.
 *
 * @param first where the first chunk begins.
 * @throws ArrayError if the file ends too early, or a chunk does not match.
 */
export function imageData(
  source: ByteSource,
  first: number,
  name: string,
  tick?: Tick,
): ByteSource {
  const ahead = readAhead(source);
  let size = 0;
  for (const chunk of chunksOf(ahead, first, name)) {
    // Whoever wrote a chunk that is not needed for the pixels may have written it badly.
    if (!/^[A-Z]/u.test(chunk.type)) continue;
    checkSum(ahead, chunk, name, tick);
    if (chunk.type === "IDAT") size += chunk.length;
  }
  let chunks = chunksOf(ahead, first, name);
  let contents = 0;
  // Where the contents of the current chunk begin in the stream, and where they end.
  let [start, end] = [0, 0];
  const next = (): void => {
    const { value } = chunks.next() as { value: Chunk | undefined };
    if (value === undefined) throw damaged(name, "it changes while it is read");
    if (value.type !== "IDAT") return;
    contents = value.at + BEFORE;
    [start, end] = [end, end + value.length];
  };
  return {
    size,
    read: (offset, length) => {
      if (offset < start) {
        chunks = chunksOf(ahead, first, name);
        [start, end] = [0, 0];
      }
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      for (let filled = 0; filled < bytes.length;) {
        while (offset + filled >= end) next();
        const from = offset + filled - start;
        const count = Math.min(bytes.length - filled, end - start - from);
        bytes.set(ahead.read(contents + from, count), filled);
        filled += count;
      }
      return bytes;
    },
  };
}

function checkSum(
  source: ByteSource,
  { type, at, length }: Chunk,
  name: string,
  tick?: Tick,
): void {
  const end = at + BEFORE + length;
  let sum = 0;
  // The type is a part of what is summed.
  for (let from = at + 4; from < end; from += BLOCK_BYTES) {
    tick?.(0);
    sum = crc32(source.read(from, Math.min(BLOCK_BYTES, end - from)), sum);
  }
  if (viewOf(source.read(end, 4)).getUint32(0) === sum) return;
  throw damaged(name, `its chunk ${quoted(type)} does not match its checksum`, { byteOffset: at });
}
