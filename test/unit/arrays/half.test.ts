import assert from "node:assert/strict";
import fc from "fast-check";
import { getFloat16, setFloat16 } from "@petamoriken/float16";
import { describe, it } from "mocha";
import {
  bfloat16ToFloat64,
  float16ToFloat64,
  float64ToBfloat16,
  float64ToFloat16,
} from "../../../src/arrays/half.ts";

const formats = [
  { name: "float16", decode: float16ToFloat64, encode: float64ToFloat16, infinity: 0x7c00 },
  { name: "bfloat16", decode: bfloat16ToFloat64, encode: float64ToBfloat16, infinity: 0x7f80 },
];

for (const { name, decode, encode, infinity } of formats) {
  describe(name, () => {
    it("gives back every bit pattern that is a number", () => {
      for (let bits = 0; bits < 0x10000; bits += 1) {
        const value = decode(bits);
        if (Number.isNaN(value)) assert.ok((bits & 0x7fff) > infinity);
        else assert.equal(encode(value), bits, `0x${bits.toString(16)}`);
      }
    });

    it("rounds to the nearest, and a tie to the even bit pattern", () => {
      const between = fc.tuple(fc.nat(infinity - 2), fc.double({ min: 0, max: 1, noNaN: true }));
      fc.assert(
        fc.property(between, ([bits, share]) => {
          const low = decode(bits);
          const high = decode(bits + 1);
          const value = low + (high - low) * share;
          const toLow = value - low;
          const toHigh = high - value;
          const even = (bits & 1) === 0 ? bits : bits + 1;
          const wanted = toLow < toHigh ? bits : toLow > toHigh ? bits + 1 : even;
          assert.equal(encode(value), wanted);
          assert.equal(encode(-value), wanted | 0x8000);
        }),
        { numRuns: 20_000, seed: 1 },
      );
    });

    it("rounds once: just beside a tie it goes to the nearer side", () => {
      for (let bits = 1; bits < infinity - 1; bits += 97) {
        const tie = (decode(bits) + decode(bits + 1)) / 2;
        const nudge = tie * 2 ** -50;
        const even = (bits & 1) === 0 ? bits : bits + 1;
        assert.equal(encode(tie), even);
        assert.equal(encode(tie + nudge), bits + 1);
        assert.equal(encode(tie - nudge), bits);
      }
    });

    it("keeps zeros' signs, infinities and NaN, and overflows to an infinity", () => {
      assert.equal(encode(-0), 0x8000);
      assert.equal(encode(Infinity), infinity);
      assert.equal(encode(-Number.MAX_VALUE), infinity | 0x8000);
      assert.equal(encode(Number.MIN_VALUE), 0);
      assert.ok(Number.isNaN(decode(encode(NaN))));
    });
  });
}

describe("float16 beside another implementation", () => {
  it("encodes and decodes any float64 alike", () => {
    const view = new DataView(new ArrayBuffer(2));
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noNaN: true }), fc.double({ min: -70_000, max: 70_000, noNaN: true })),
        (value) => {
          setFloat16(view, 0, value);
          assert.equal(float64ToFloat16(value), view.getUint16(0));
          assert.equal(float16ToFloat64(view.getUint16(0)), getFloat16(view, 0));
        },
      ),
      { numRuns: 20_000, seed: 2 },
    );
  });
});
