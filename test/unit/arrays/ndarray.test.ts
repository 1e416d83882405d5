import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { castArray, fromFloat64 } from "../../../src/arrays/convert.ts";
import {
  ArrayError,
  elementCount,
  elementIndex,
  summarize,
  toFloat64,
  type NdArray,
} from "../../../src/arrays/ndarray.ts";
import { permuteAxes } from "../../../src/arrays/permute.ts";
import { arrayError } from "./expected.ts";

function float64(...values: number[]): NdArray {
  return { dtype: "float64", shape: [values.length], data: Float64Array.from(values) };
}

describe("toFloat64", () => {
  it("gives the values of half precision, not its bits", () => {
    const half: NdArray = { dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0xc000) };
    assert.deepEqual([...toFloat64(half)], [1, -2]);
    const brain: NdArray = { dtype: "bfloat16", shape: [2], data: Uint16Array.of(0x3f80, 0xc000) };
    assert.deepEqual([...toFloat64(brain)], [1, -2]);
  });

  it("takes 64-bit integers up to 2^53, and names the element beyond", () => {
    const shape = [2, 2];
    const data = BigInt64Array.of(1n, -(2n ** 53n), 2n ** 53n, 2n ** 53n + 1n);
    const error = arrayError(() => toFloat64({ dtype: "int64", shape, data }));
    assert.match(error.message, /Element \[1, 1\].*9007199254740993/);
    data[3] = 0n;
    assert.deepEqual([...toFloat64({ dtype: "int64", shape, data })], [1, -(2 ** 53), 2 ** 53, 0]);
  });

  it("refuses complex numbers, saying where they came from and what to do", () => {
    const error = arrayError(() =>
      toFloat64({
        dtype: "complex64",
        shape: [1],
        data: Float32Array.of(1, 2),
        origin: { kind: "file", path: "fft.npy" },
      }),
    );
    assert.match(error.describe(), /^fft\.npy: .*complex64[^]*arr\.real/);
  });
});

describe("summarize", () => {
  it("tells range, mean and make-up of the finite elements", () => {
    const summary = summarize({
      ...float64(0.25, NaN, 0.75, -Infinity, 2, Infinity),
      shape: [2, 3],
    });
    assert.deepEqual(summary, {
      dtype: "float64",
      shape: [2, 3],
      count: 6,
      min: 0.25,
      max: 2,
      mean: 1,
      nanCount: 1,
      infCount: 2,
      foregroundShare: 0.5,
      binary: false,
      integral: false,
    });
  });

  it("has no range, mean or share for an array without elements", () => {
    const { min, max, mean, foregroundShare, binary } = summarize(float64());
    assert.deepEqual([min, max, mean, foregroundShare, binary], [null, null, null, null, false]);
  });

  it("knows a mask of any dtype, also one longer than a chunk", () => {
    const count = 150_001;
    const data = Uint8Array.from({ length: count }, (_, i) => (i < 30_000 ? 1 : 0));
    const summary = summarize({ dtype: "uint8", shape: [count], data });
    assert.equal(summary.binary, true);
    assert.equal(summary.foregroundShare, 30_000 / count);
    assert.equal(summary.mean, 30_000 / count);
    assert.equal(
      summarize({ dtype: "int64", shape: [2], data: BigInt64Array.of(0n, 1n) }).binary,
      true,
    );
    assert.equal(summarize(float64(0, 1, 0.5)).binary, false);
    assert.equal(summarize(float64(0, 1, NaN)).binary, false);
  });

  it("knows whole numbers of any dtype, and that what is not finite is none", () => {
    assert.equal(summarize(float64(0, 3, -2)).integral, true);
    assert.equal(summarize(float64(0, 3, 0.5)).integral, false);
    assert.equal(summarize(float64(0, Infinity)).integral, false);
    assert.equal(summarize(float64()).integral, false);
  });

  it("keeps the mean of huge and of cancelling values", () => {
    assert.equal(summarize(float64(1.6e308, 1.6e308, 1.6e308)).mean, 1.6e308);
    assert.equal(summarize(float64(1e16, 1, -1e16, 1)).mean, 0.5);
  });
});

describe("castArray", () => {
  it("truncates towards zero, and names an element that has no integer", () => {
    assert.deepEqual([...castArray(float64(-1.9, 1.9), "int8").data], [-1, 1]);
    for (const value of [NaN, Infinity, 128]) {
      const error = arrayError(() => castArray(float64(0, value), "int8"));
      assert.match(error.message, /Element \[1\].*int8/);
    }
    assert.match(arrayError(() => castArray(float64(2 ** 63), "int64")).message, /Element \[0\]/);
    assert.deepEqual([...castArray(float64(-(2 ** 63)), "int64").data], [-(2n ** 63n)]);
  });

  it("rounds a wide integer to float32 once", () => {
    // Through float64 this would become a tie first, and then go down.
    const data = BigInt64Array.of(2n ** 60n + 2n ** 36n + 1n);
    const cast = castArray({ dtype: "int64", shape: [1], data }, "float32");
    assert.deepEqual([...cast.data], [2 ** 60 + 2 ** 37]);
  });

  it("keeps both parts of complex numbers, and gives real ones none", () => {
    const complex: NdArray = { dtype: "complex64", shape: [1], data: Float32Array.of(1, 2) };
    assert.deepEqual([...castArray(complex, "complex128").data], [1, 2]);
    assert.deepEqual([...castArray(float64(3), "complex64").data], [3, 0]);
    assert.throws(() => castArray(complex, "float64"), ArrayError);
  });

  it("makes an array of a narrower dtype out of computed values", () => {
    const made = fromFloat64(Float64Array.of(0.1, 1e9), "float16", [2]);
    assert.deepEqual([...toFloat64(made)], [0.0999755859375, Infinity]);
  });
});

describe("shapes", () => {
  it("count no elements where any length is zero, however large the others", () => {
    assert.equal(elementCount([...Array<number>(40).fill(2 ** 52), 0]), 0);
    assert.equal(elementCount([]), 1);
  });

  it("name an element by its index along each axis", () => {
    assert.deepEqual(elementIndex(23, [2, 3, 4]), [1, 2, 3]);
    assert.deepEqual(elementIndex(0, []), []);
  });

  it("permute as an index calculation does, for every order of four axes", () => {
    const shape = [2, 3, 1, 4];
    const data = Int32Array.from({ length: 24 }, (_, i) => i);
    const array: NdArray = { dtype: "int32", shape, data };
    for (let code = 0; code < 256; code += 1) {
      const axes = [code & 3, (code >> 2) & 3, (code >> 4) & 3, code >> 6];
      if (new Set(axes).size < 4) continue;
      const moved = permuteAxes(array, axes);
      assert.deepEqual(
        moved.shape,
        axes.map((axis) => shape[axis]),
      );
      moved.data.forEach((value, flat) => {
        const index = elementIndex(flat, moved.shape);
        const source = [0, 0, 0, 0];
        axes.forEach((axis, i) => (source[axis] = index[i]!));
        const from = source.reduce((sum, at, axis) => sum * shape[axis]! + at, 0);
        assert.equal(value, from);
      });
    }
  });
});

describe("ArrayError", () => {
  it("describes place, message and remedy as a terminal shows them", () => {
    const where = { file: "loss.py", line: 3, column: 7 };
    const error = new ArrayError("It is wrong.", { where, remedy: "Mend it." });
    assert.equal(error.describe(), "loss.py:3:7: It is wrong.\nMend it.");
    assert.equal(
      new ArrayError("No.", { where: { line: 1, column: 2 } }).describe(),
      "line 1, column 2: No.",
    );
    assert.equal(new ArrayError("No.").describe(), "No.");
    assert.equal(
      new ArrayError("No.", { where: { file: "a.npy", byteOffset: 9 } }).describe(),
      "a.npy:byte 9: No.",
    );
  });
});
