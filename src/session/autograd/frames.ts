/**
 * Frames between the inspector and media/python/autograd_server.py: a header in JSON, then the
 * elements of the arrays that it lists.
 *
 *     4 bytes  length of the header, little-endian
 *     header   UTF-8 JSON; "arrays" lists {dtype, shape, bytes}
 *     arrays   row-major, little-endian, one after the other
 */
import { bytesOf, elementsOf } from "../../arrays/elements.ts";
import type { DType, NdArray } from "../../arrays/ndarray.ts";

export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly arrays: readonly NdArray[];
}

interface ArrayEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** No header is longer: what claims to be is no frame. */
const MAX_HEADER_BYTES = 64 * 2 ** 20;

/** The parts of a frame, to be written one after the other; array memory is not copied. */
export function encodeFrame({ header, arrays }: Frame): Uint8Array[] {
  const bodies = arrays.map((a) => bytesOf(a.data, a.dtype));
  const entries = arrays.map((a, k): ArrayEntry => ({
    dtype: a.dtype,
    shape: a.shape,
    bytes: bodies[k]!.byteLength,
  }));
  const text = new TextEncoder().encode(JSON.stringify({ ...header, arrays: entries }));
  const start = new Uint8Array(4 + text.byteLength);
  new DataView(start.buffer).setUint32(0, text.byteLength, true);
  start.set(text, 4);
  return [start, ...bodies];
}

/** Puts frames together from the pieces in which a stream hands them out. */
export class FrameReader {
  private chunks: Uint8Array[] = [];
  private length = 0;
  private readonly receive: (frame: Frame) => void;

  constructor(receive: (frame: Frame) => void) {
    this.receive = receive;
  }

  /** @throws Error when the bytes are no frames */
  push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.length += chunk.byteLength;
    for (;;) {
      if (this.length < 4) return;
      const headerBytes = new DataView(this.peek(4).buffer).getUint32(0, true);
      if (headerBytes > MAX_HEADER_BYTES) throw new Error("what Python sent is no answer");
      if (this.length < 4 + headerBytes) return;
      const text = new TextDecoder().decode(this.peek(4 + headerBytes).subarray(4));
      const { arrays: entries, ...header } = JSON.parse(text) as { arrays: ArrayEntry[] };
      const total = entries.reduce((n, e) => n + e.bytes, 4 + headerBytes);
      if (this.length < total) return;
      const frame = this.take(total);
      let at = 4 + headerBytes;
      const arrays = entries.map(({ dtype, shape, bytes }): NdArray => {
        const data = elementsOf(frame.slice(at, at + bytes), dtype, true);
        at += bytes;
        return { dtype, shape, data };
      });
      this.receive({ header, arrays });
    }
  }

  /** The first bytes, copied, in a buffer of their own. */
  private peek(count: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(count);
    let at = 0;
    for (const chunk of this.chunks) {
      const part = chunk.subarray(0, count - at);
      out.set(part, at);
      at += part.byteLength;
      if (at === count) break;
    }
    return out;
  }

  private take(count: number): Uint8Array<ArrayBuffer> {
    const out = this.peek(count);
    let left = count;
    while (left > 0) {
      const first = this.chunks[0]!;
      if (first.byteLength <= left) this.chunks.shift();
      else this.chunks[0] = first.subarray(left);
      left -= Math.min(left, first.byteLength);
    }
    this.length -= count;
    return out;
  }
}
