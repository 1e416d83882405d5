import assert from "node:assert/strict";
import type { Precision } from "../../../src/report/schema.ts";
import { PLAIN, report, SMALL } from "./fixtures.ts";
import { all, draw, one, usePage } from "./page.ts";

const PRECISION: Precision = {
  as: "PyTorch on the CPU, one thread",
  rungs: [
    {
      name: "float32",
      loss: 0.25,
      lossWords: "0.25",
      gradientError: 1e-7,
      digits: 7,
      notFinite: 0,
      lost: 0,
      verdict: "fine",
      sentence: "the gradient has 7 digits, as many as the type allows",
    },
    {
      name: "float16",
      loss: null,
      lossWords: "NaN",
      gradientError: null,
      digits: null,
      notFinite: 6,
      lost: 0,
      verdict: "not-a-number",
      sentence: "the whole gradient is NaN or infinite",
    },
  ],
  findings: [
    {
      id: "overflow",
      rungs: ["float16"],
      severity: "error",
      sentence: "the sum is 70,000, and float16 ends at 65,504",
      lines: [7],
      fix: "Sum in float32: <b>x.float().sum()</b>.",
    },
  ],
  notes: [],
};

describe("the precision ladder in a report", () => {
  usePage();

  it("is a table with a verdict in words and icon for each number type", async () => {
    const root = await draw({ ...report(PLAIN, SMALL), precision: PRECISION });
    const rows = all(root, ".precision tbody tr");
    assert.deepEqual(
      rows.map((r) => one(r, "th").textContent),
      ["float32", "float16"],
    );
    assert.match(rows[1]!.textContent, /NaN.*Not a number the whole gradient/);
    for (const row of rows) assert.ok(one(row, ".badge").querySelector("svg") !== null);
  });

  it("lists what goes wrong with its line and fix, as text and never as markup", async () => {
    const root = await draw({ ...report(PLAIN, SMALL), precision: PRECISION });
    const [finding] = all(root, ".precision .diagnostics li");
    assert.match(finding!.textContent, /Error In float16: the sum is 70,000.*line 7/s);
    assert.match(finding!.textContent, /Fix: Sum in float32: <b>/);
    assert.equal(finding!.querySelector("b"), null);
  });

  it("is refused where a verdict is none", async () => {
    const rungs = [{ ...PRECISION.rungs[0]!, verdict: "superb" }] as unknown as Precision["rungs"];
    const root = await draw({ ...report(PLAIN, SMALL), precision: { ...PRECISION, rungs } });
    assert.match(root.textContent, /cannot be drawn/);
  });
});
