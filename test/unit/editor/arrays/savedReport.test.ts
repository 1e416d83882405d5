import assert from "node:assert/strict";
import { gradientIn, savedReports } from "../../../../src/editor/arrays/sources/savedReport.ts";

function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

const REPORT = {
  function: { name: "dice" },
  gradient: { wrt: "p" },
  loss: { value: 0.25 },
  arrays: [
    { name: "g", shape: [2, 1] },
    { name: "p", shape: [2, 1] },
  ],
  numbers: {
    complete: true,
    columns: ["p", "analytic gradient"],
    rows: [
      { index: [1, 0], values: [0.5, -2] },
      { index: [0, 0], values: [0.25, -1] },
    ],
  },
};

describe("the arrays of a saved report", () => {
  it("are named, with the elements that it shows in full", () => {
    const [report] = savedReports(bytes(REPORT));
    assert.deepEqual(
      [report!.function, report!.wrt, report!.value, report!.shape],
      ["dice", "p", 0.25, [2, 1]],
    );
    assert.deepEqual(
      report!.arrays.map((a) => a.name),
      ["g", "p"],
    );
    assert.deepEqual([...gradientIn(report!, null)!], [-1, -2]);
    assert.deepEqual([...gradientIn(report!, "p")!], [0.25, 0.5]);
    assert.equal(gradientIn(report!, "g"), null);
  });

  it("are those of each report of a comparison", () => {
    assert.equal(savedReports(bytes({ reports: [REPORT, REPORT] })).length, 2);
  });

  it("have no elements where the report shows some only, or one that is not finite", () => {
    const { numbers } = REPORT;
    for (const changed of [
      { ...numbers, complete: false },
      { ...numbers, rows: numbers.rows.slice(1) },
      { ...numbers, rows: [numbers.rows[0], numbers.rows[0]] },
      { ...numbers, rows: [{ index: [1, 0], values: [0.5, null] }, numbers.rows[1]] },
      { ...numbers, rows: [{ index: [9, 0], values: [0.5, 1] }, numbers.rows[1]] },
    ]) {
      const [report] = savedReports(bytes({ ...REPORT, numbers: changed }));
      assert.equal(gradientIn(report!, null), null, JSON.stringify(changed));
    }
  });

  it("are none in what is no report", () => {
    for (const value of [null, 5, [], {}, { function: 5 }, { ...REPORT, gradient: null }]) {
      assert.deepEqual(savedReports(bytes(value)), []);
    }
    assert.deepEqual(savedReports(new TextEncoder().encode("{")), []);
    const [odd] = savedReports(bytes({ ...REPORT, arrays: [{ name: "p", shape: [1e300] }] }));
    assert.equal(odd!.shape, null);
  });
});
