import assert from "node:assert/strict";
import type { NdArray } from "../../../../src/arrays/ndarray.ts";
import { type Frame, FrameReader, encodeFrame } from "../../../../src/session/autograd/frames.ts";

const mask: NdArray = { dtype: "bool", shape: [2, 2], data: Uint8Array.of(1, 0, 0, 1) };
const numbers: NdArray = {
  dtype: "float64",
  shape: [3],
  data: Float64Array.of(-0, Number.NaN, 2 ** -1074),
};
const halves: NdArray = { dtype: "float16", shape: [1], data: Uint16Array.of(0x3c01) };
const frames: Frame[] = [
  { header: { kind: "run", id: 1, text: "ε = 1e-7" }, arrays: [mask, numbers, halves] },
  {
    header: { kind: "empty" },
    arrays: [{ dtype: "float32", shape: [0], data: new Float32Array() }],
  },
  { header: { kind: "none" }, arrays: [] },
];

function read(bytes: Uint8Array, pieces: number): Frame[] {
  const found: Frame[] = [];
  const reader = new FrameReader((frame) => found.push(frame));
  for (let at = 0; at < bytes.length; at += pieces) reader.push(bytes.slice(at, at + pieces));
  return found;
}

describe("frames to and from Python", () => {
  const bytes = Buffer.concat(frames.flatMap(encodeFrame));

  for (const pieces of [1, 3, 17, 1 << 20]) {
    it(`are read bit for bit from pieces of ${pieces} bytes`, () => {
      const found = read(bytes, pieces);
      assert.deepEqual(
        found.map((f) => f.header),
        frames.map((f) => f.header),
      );
      found.forEach((frame, k) => {
        frame.arrays.forEach((a, n) => {
          const sent = frames[k]!.arrays[n]!;
          assert.equal(a.dtype, sent.dtype);
          assert.deepEqual(a.shape, sent.shape);
          assert.deepEqual(bits(a), bits(sent));
        });
      });
    });
  }

  it("are refused when the bytes are none", () => {
    const reader = new FrameReader(() => undefined);
    assert.throws(() => {
      reader.push(new TextEncoder().encode("Traceback (most recent call last):"));
    }, /no answer/);
  });
});

function bits(a: NdArray): Uint8Array {
  return new Uint8Array(a.data.buffer, a.data.byteOffset, a.data.byteLength).slice();
}
