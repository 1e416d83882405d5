import assert from "node:assert/strict";
import { largestUlps, ulpAt, ulpsApart } from "../../../../src/session/autograd/ulps.ts";

describe("units in the last place", () => {
  it("are the spacing of a type's numbers at a value", () => {
    assert.equal(ulpAt(1, "float64"), 2 ** -52);
    assert.equal(ulpAt(-1, "float32"), 2 ** -23);
    assert.equal(ulpAt(1.999, "float16"), 2 ** -10);
    assert.equal(ulpAt(3, "bfloat16"), 2 ** -6);
    assert.equal(ulpAt(1 - 2 ** -53, "float64"), 2 ** -53, "just below a power of two");
    assert.equal(ulpAt(0, "float32"), 2 ** -149);
    assert.equal(ulpAt(2 ** -149, "float32"), 2 ** -149, "subnormal numbers are evenly spaced");
  });

  it("count how far a gradient is off, with its sign", () => {
    const derived = Float64Array.of(1, -1, 0, 0.1);
    const next = Math.fround(0.1);
    const ulps = ulpsApart([1 + 2 ** -22, -1, 2 ** -149, next], derived, "float32");
    assert.deepEqual([...ulps.subarray(0, 3)], [2, 0, 1]);
    assert.ok(Math.abs(ulps[3]!) <= 0.5, "rounding alone is half a unit");
    assert.equal(largestUlps(ulps), 2);
  });

  it("have no largest where a gradient is no number", () => {
    assert.equal(largestUlps(ulpsApart([NaN, 1], Float64Array.of(1, 1), "float64")), null);
  });
});
