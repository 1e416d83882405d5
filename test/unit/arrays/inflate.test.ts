import assert from "node:assert/strict";
import { deflateSync, gzipSync, zlibSync } from "fflate";
import { describe, it } from "mocha";
import { inflateParts, inflateStart, inflateWhole } from "../../../src/arrays/inflate.ts";
import { sourceOf } from "../../../src/arrays/source.ts";
import { arrayError } from "./expected.ts";

const place = { label: "x", file: "x.gz" };
const text = new TextEncoder().encode("tissue ".repeat(30_000));

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("inflateWhole of gzip data", () => {
  const gunzip = (bytes: Uint8Array, size: number) =>
    inflateWhole(sourceOf(bytes), size, "gzip", place);
  const refusal = (bytes: Uint8Array, size: number) =>
    arrayError(() => gunzip(bytes, size)).message;

  it("unpacks one member, and several as one", () => {
    assert.deepEqual(gunzip(gzipSync(text), text.length), text);
    // As bgzip writes them: many members, the last one empty.
    const members: Uint8Array[] = [];
    for (let at = 0; at < text.length; at += 1000) {
      members.push(gzipSync(text.subarray(at, at + 1000)));
    }
    const many = joined(...members, gzipSync(new Uint8Array(0)));
    assert.deepEqual(gunzip(many, text.length), text);
  });

  it("leaves alone what comes after the bytes asked for", () => {
    assert.deepEqual(gunzip(gzipSync(text), 1000), text.subarray(0, 1000));
  });

  it("checks every member against its checksum and its length", () => {
    const [first, second] = [gzipSync(text), gzipSync(text)];
    for (const at of [8, 1]) {
      for (const member of [first, second]) {
        member[member.length - at]! ^= 1;
        assert.match(
          refusal(joined(first, second), 2 * text.length),
          /do not match their checksum/,
        );
        member[member.length - at]! ^= 1;
      }
    }
    assert.equal(gunzip(joined(first, second), 2 * text.length).length, 2 * text.length);
  });

  it("says if the data ends early, or is no gzip data", () => {
    const packed = gzipSync(text);
    assert.match(refusal(packed, text.length + 1), /less than the 210001 bytes promised/);
    for (const cut of [1, 9, packed.length - 3]) {
      assert.match(refusal(packed.subarray(0, packed.length - cut), text.length), /damaged/);
    }
    assert.match(refusal(new Uint8Array(20_000), text.length), /not valid/);
    assert.match(refusal(new Uint8Array(0), 0), /not valid/);
  });

  it("refuses a size that the packed bytes cannot hold", () => {
    assert.match(refusal(gzipSync(text), 2 ** 30), /packed bytes cannot hold 1073741824/);
  });
});

describe("inflateWhole of a zlib stream", () => {
  const inflate = (bytes: Uint8Array, size = text.length) =>
    inflateWhole(sourceOf(bytes), size, "zlib", place);
  const refusal = (bytes: Uint8Array, size?: number) =>
    arrayError(() => inflate(bytes, size)).message;

  it("checks a zlib stream's header and checksum, and leaves alone what comes after it", () => {
    const packed = zlibSync(text);
    assert.deepEqual(inflate(packed), text);
    assert.deepEqual(inflate(joined(packed, new Uint8Array([1, 2, 3]))), text);
    packed[packed.length - 1]! ^= 1;
    assert.match(refusal(packed), /checksum/);
    packed[0] = 0;
    assert.match(refusal(packed), /not valid/);
  });

  it("says if it unpacks to more or less than promised, or ends early", () => {
    const packed = zlibSync(text);
    assert.match(refusal(packed, text.length - 1), /more than the 209999 bytes promised/);
    assert.match(refusal(packed, text.length + 1), /less than the 210001 bytes promised/);
    for (let cut = 1; cut < packed.length; cut += 1) {
      assert.match(refusal(packed.subarray(0, packed.length - cut)), /not valid|cannot hold/);
    }
  });

  it("reads a file's bytes piece by piece, wherever the pieces end", () => {
    const bytes = Uint8Array.from({ length: 600_000 }, (_, i) => (i * i) >> 7);
    for (const level of [0, 6] as const) {
      const packed = zlibSync(bytes, { level });
      for (const most of [1021, 65_536]) {
        const readInto = (offset: number, into: Uint8Array) => {
          const part = packed.subarray(offset, offset + Math.min(into.length, most));
          into.set(part);
          return part.length;
        };
        const source = { ...sourceOf(packed), readInto };
        assert.deepEqual(inflateWhole(source, bytes.length, "zlib", place), bytes);
        const parts: Uint8Array[] = [];
        const give = (part: Uint8Array) => parts.push(part.slice());
        inflateParts(source, bytes.length, "zlib", place, give);
        assert.ok(parts.length > 1);
        assert.deepEqual(joined(...parts), bytes);
      }
    }
  });
});

describe("inflateStart", () => {
  it("unpacks the first bytes of each wrapping, and fewer where there are no more", () => {
    const packed = { deflate: deflateSync(text), zlib: zlibSync(text), gzip: gzipSync(text) };
    for (const [packing, bytes] of Object.entries(packed)) {
      const start = (size: number) =>
        inflateStart(sourceOf(bytes), size, packing as keyof typeof packed, place);
      assert.deepEqual(start(100), text.subarray(0, 100), packing);
      assert.deepEqual(start(10 ** 9), text, packing);
    }
  });

  it("does not mind damage after the bytes asked for", () => {
    const packed = deflateSync(text);
    const half = packed.subarray(0, packed.length - 200);
    assert.deepEqual(inflateStart(sourceOf(half), 100, "deflate", place), text.subarray(0, 100));
    const start = inflateStart(sourceOf(half), text.length, "deflate", place);
    assert.ok(start.length > 100 && start.length < text.length);
  });
});
