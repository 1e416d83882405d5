import assert from "node:assert/strict";
import { compareGradients } from "../../../src/gradient/compareGradients.ts";

describe("two gradients compared", () => {
  it("have a worst element among those that count, though many before it do not", () => {
    const n = 100;
    const hi = new Float64Array(n).fill(0.25);
    const excluded = Uint8Array.from(hi, (_, k) => (k < 60 ? 1 : 0));
    const scale = new Float64Array(n).fill(1);
    const { compared, worst, maxScaled, beyond } = compareGradients(
      hi.slice(),
      { hi, lo: null },
      scale,
      "float64",
      8,
      excluded,
    );
    assert.deepEqual(
      { compared, worst, maxScaled, beyond },
      { compared: 40, worst: 60, maxScaled: 0, beyond: 0 },
    );
  });

  it("count every element beyond the bound, and name the largest errors first", () => {
    const n = 1000;
    const hi = new Float64Array(n).fill(1);
    const off = hi.map((x, k) => x + (k % 10 === 0 ? (k + 1) * 2 ** -50 : 0));
    const scale = new Float64Array(n).fill(1);
    const found = compareGradients(off, { hi, lo: null }, scale, "float64", 8, null);
    assert.equal(found.beyond, 99);
    assert.equal(found.worst, 990);
    assert.deepEqual(found.worstFew.slice(0, 3), [990, 980, 970]);
    assert.equal(found.worstFew.length, 48);
  });
});
