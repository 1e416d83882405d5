import assert from "node:assert/strict";
import { dtypes, type DType } from "../../../src/arrays/dtype.ts";
import { elementsOf } from "../../../src/arrays/elements.ts";

describe("elements as they lie in files", () => {
  it("are True where a byte is not 0, wherever they begin and however many they are", () => {
    for (let first = 0; first < 5; first++) {
      for (let count = 0; count < 14; count++) {
        for (let odd = 0; odd < count; odd++) {
          const bytes = new Uint8Array(new ArrayBuffer(20), first, count);
          for (let k = 0; k < count; k++) bytes[k] = k % 2;
          for (const value of [0, 1, 2, 128]) {
            bytes[odd] = value;
            const wanted = Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
            const found = elementsOf(bytes, "bool", true);
            assert.deepEqual(Array.from(found as Uint8Array), wanted);
            assert.equal(bytes[odd], value, "what was given stays as it is");
          }
        }
      }
    }
  });

  it("have their bytes turned round where the file has the other order, of every width", () => {
    const kinds: readonly DType[] = ["int16", "float16", "int32", "float32", "int64", "float64"];
    for (const dtype of [...kinds, "complex64", "complex128"] as const) {
      const { unitBytes } = dtypes[dtype];
      // More than is turned round between two looks, and not a multiple of it.
      const bytes = Uint8Array.from({ length: (1 << 20) + 48 }, (_, k) => Math.sin(k) * 128);
      const before = bytes.slice();
      const found = elementsOf(bytes, dtype, false);
      const turned = new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
      for (let k = 0; k < bytes.length; k += unitBytes) {
        for (let i = 0; i < unitBytes; i++) {
          if (turned[k + i] !== bytes[k + unitBytes - 1 - i])
            assert.fail(`${dtype}, byte ${k + i}`);
        }
      }
      assert.deepEqual(bytes, before);
    }
  });
});
