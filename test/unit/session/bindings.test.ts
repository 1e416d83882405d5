import assert from "node:assert/strict";
import type { DType, NdArray } from "../../../src/arrays/ndarray.ts";
import { kernelArray } from "../../../src/session/bindings.ts";

function int64(...values: bigint[]): NdArray {
  return { dtype: "int64", shape: [values.length], data: BigInt64Array.from(values) };
}

describe("arrays as kernels take them", () => {
  const cases: readonly [string, NdArray, new (n: number) => object, readonly number[]][] = [
    ["labels", int64(0n, 3n, 255n), Uint8Array, [0, 3, 255]],
    ["labels with one to ignore", int64(-1n, 3n, 100n), Int8Array, [-1, 3, 100]],
    ["labels of many classes", int64(0n, 40000n), Uint16Array, [0, 40000]],
    ["those with one to ignore", int64(-100n, 200n), Int16Array, [-100, 200]],
    ["larger integers", int64(-70000n, 5n), Int32Array, [-70000, 5]],
    ["integers of 32 bits", int64(4000000000n), Uint32Array, [4000000000]],
    ["integers of more bits", int64(-1n, 5000000000n), Float64Array, [-1, 5000000000]],
    ["no integers", int64(), Uint8Array, []],
  ];
  for (const [what, array, type, values] of cases) {
    it(`${what} of int64 are read as ${type.name}`, () => {
      const read = kernelArray(array);
      assert.ok(read instanceof type);
      assert.deepEqual([...read], values);
    });
  }

  it("half precision is read as float32, without loss", () => {
    const one = (dtype: DType, bits: number): NdArray => ({
      dtype,
      shape: [1],
      data: Uint16Array.of(bits),
    });
    const read = [kernelArray(one("float16", 0x3555)), kernelArray(one("bfloat16", 0x3eab))];
    assert.ok(read.every((a) => a instanceof Float32Array));
    assert.deepEqual(
      read.map((a) => a[0]),
      [0.333251953125, 0.333984375],
    );
  });

  it("one copy is made of an array, and none of types that kernels read", () => {
    const labels = int64(1n);
    assert.equal(kernelArray(labels), kernelArray(labels));
    const data = Float32Array.of(0.5);
    assert.equal(kernelArray({ dtype: "float32", shape: [1], data }), data);
  });

  it("integers that float64 cannot hold are refused", () => {
    assert.throws(() => kernelArray(int64(2n ** 53n + 1n)), /beyond 2\^53/);
  });
});
