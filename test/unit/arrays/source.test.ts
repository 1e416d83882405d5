import assert from "node:assert/strict";
import { type ByteSource, readAhead } from "../../../src/arrays/source.ts";

/** Bytes in memory, and how often and how many of them were read. */
function counted(size: number): { source: ByteSource; reads: () => number; read: () => number } {
  const bytes = Uint8Array.from({ length: size }, (_, k) => (k * 7) % 251);
  let [reads, read] = [0, 0];
  const source: ByteSource = {
    size,
    read: (offset, length) => {
      const part = bytes.slice(offset, offset + length);
      reads++;
      read += part.length;
      return part;
    },
  };
  return { source, reads: () => reads, read: () => read };
}

describe("reading ahead", () => {
  const size = 1 << 20;
  const part = 64;
  const expected = (offset: number): number[] =>
    Array.from({ length: Math.min(part, size - offset) }, (_, k) => ((offset + k) * 7) % 251);

  it("reads small parts that follow one another many at once, with gaps between them too", () => {
    for (const step of [part, part + 24]) {
      const { source, reads, read } = counted(size);
      const ahead = readAhead(source);
      for (let at = 0; at < size; at += step) {
        assert.deepEqual([...ahead.read(at, part)], expected(at));
      }
      assert.ok(reads() < 40, `${reads()} reads`);
      assert.ok(read() <= 1.1 * size, `${read()} bytes`);
    }
  });

  it("reads no more than is asked for where parts are in no order", () => {
    const { source, read } = counted(size);
    const ahead = readAhead(source);
    const count = size / part;
    for (let k = 0; k < count; k++) {
      const at = ((k * 7919 + 5) % count) * part;
      assert.deepEqual([...ahead.read(at, part)], expected(at));
    }
    assert.ok(read() < 1.5 * size, `${read()} bytes`);
  });

  it("leaves what it gave as it was, and ends where the source ends", () => {
    const ahead = readAhead(counted(200).source);
    const first = ahead.read(0, part);
    const kept = [...first];
    ahead.read(part, part);
    assert.equal(ahead.read(2 * part, part).length, part);
    assert.equal(ahead.read(3 * part, part).length, 200 - 3 * part);
    assert.deepEqual([...first], kept);
  });
});
