import assert from "node:assert/strict";
import { toPlain } from "../../../src/report/plain.ts";
import { NUMERIC_ERROR, formatNumber, lossValueWords } from "../../../src/report/words.ts";
import { shortBound } from "../../../src/report/numbers.ts";
import { SMALL, SMOOTH, report } from "../renderer/fixtures.ts";

describe("numbers in plain text", () => {
  it("lose zeros behind the point, never those before it", () => {
    assert.equal(formatNumber(99.9999995, 3), "100");
    assert.equal(formatNumber(2300.4, 4), "2300");
    assert.equal(formatNumber(0.25, 4), "0.25");
    assert.equal(formatNumber(1.00001, 3), "1");
    assert.equal(formatNumber(1.5e-9, 4), "1.5e-9");
  });
});

describe("the numbers of a report in plain text", () => {
  it("end with how well the numeric gradient is known", () => {
    const made = report(SMOOTH, SMALL);
    const statistics = [{ label: NUMERIC_ERROR, value: 2.34e-17 }];
    const plain = toPlain({ ...made, numbers: { ...made.numbers!, statistics } });
    assert.match(plain, /^numeric gradient known to ± 2\.3e-17$/m);
    assert.doesNotMatch(toPlain(made), /known to ±/);
  });
});

describe("a loss in plain text", () => {
  const formula = { latex: "L", text: "L" };

  it("has the bound of its rounding beside it, where one is known", () => {
    const known = lossValueWords({ ...formula, value: 0.1, error: 3.14e-17 });
    assert.equal(known, "0.10000000000000001 ± 3e-17");
    assert.equal(lossValueWords({ ...formula, value: 0.25, error: null }), "0.25");
    assert.equal(lossValueWords({ ...formula, value: 0.25 }), "0.25");
    assert.equal(lossValueWords({ ...formula, value: null, error: 1e-17 }), "undefined");
  });
});

describe("a bound in a report", () => {
  it("has two digits, and is not below what is known", () => {
    for (const [exact, shown] of [
      [5.3175e-17, 5.4e-17],
      [9.91e-17, 1e-16],
      [2.3e-17, 2.3e-17],
      [0, 0],
    ] as const) {
      assert.equal(shortBound(exact), shown);
    }
    assert.equal(shortBound(3.4e-15, 1), 4e-15);
    assert.equal(shortBound(9.1e-16, 1), 1e-15);
  });
});
