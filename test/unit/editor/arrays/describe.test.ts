import assert from "node:assert/strict";
import { summarize } from "../../../../src/arrays/ndarray.ts";
import { rangeOf } from "../../../../src/editor/arrays/describe.ts";

const said = (values: readonly number[]): string =>
  rangeOf(summarize({ dtype: "float64", shape: [values.length], data: Float64Array.from(values) }));

describe("an array's range in words", () => {
  const mask = (ones: number, zeros: number): number[] => [
    ...new Array<number>(ones).fill(1),
    ...new Array<number>(zeros).fill(0),
  ];
  const cases: readonly (readonly [string, readonly number[], string])[] = [
    ["three digits of what lies between", [0.012345, 0.98765], "0.0123 to 0.988"],
    ["every digit of whole numbers", [0, 65535], "whole numbers 0 to 65535"],
    ["a probability below 1 is not 1", [0.25, 0.99987], "0.25 to 0.9999"],
    ["nor one that is 1 in six digits", [0.25, 1 - 1e-9], "0.25 to ≈ 1"],
    ["a mask with some background", mask(9999, 1), "mask, 99.99 % foreground"],
    ["a mask with none", mask(3, 0), "mask, 100 % foreground"],
    ["what is not finite is counted", [0.5, NaN, 1.5], "0.5 to 1.5, 1 not finite"],
    ["an array without elements", [], "no elements"],
  ];
  for (const [what, values, words] of cases) {
    it(`${what}: ${words}`, () => {
      assert.equal(said(values), words);
    });
  }
});
