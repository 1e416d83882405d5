import assert from "node:assert/strict";
import { formatNumber } from "../../../src/report/words.ts";

describe("numbers in plain text", () => {
  it("lose zeros behind the point, never those before it", () => {
    assert.equal(formatNumber(99.9999995, 3), "100");
    assert.equal(formatNumber(2300.4, 4), "2300");
    assert.equal(formatNumber(0.25, 4), "0.25");
    assert.equal(formatNumber(1.00001, 3), "1");
    assert.equal(formatNumber(1.5e-9, 4), "1.5e-9");
  });
});
