import assert from "node:assert/strict";
import { toFloat64 } from "../../../../src/arrays/ndarray.ts";
import { loadParserFromDisk } from "../../../../src/python/parser.node.ts";
import type { ReportOutput } from "../../../../src/report/schema.ts";
import type { KernelAnswer, KernelAsk } from "../../../../src/session/arrays/protocol.ts";
import { keyOfReport } from "../../../../src/session/arrays/kernel.ts";
import { filesFor } from "../../../../src/session/files.node.ts";
import { NotebookSession } from "../../../../src/session/notebook.ts";

const watch = { onProgress: () => undefined, isCancelled: () => false };
const DEFINITIONS = `import numpy as np
def dice(g, p):
    return 1 - 2 * np.sum(p * g) / (np.sum(p) + np.sum(g))
g = np.array([1.0, 0.0])
p = np.array([0.5, 0.25])
half = p / 2
count = 3
`;

describe("the arrays of a notebook's kernel", () => {
  let session: NotebookSession;
  let report: Exclude<ReportOutput, { reports: unknown }>;

  before(async () => {
    session = new NotebookSession(await loadParserFromDisk(), filesFor(), "/");
    session.execute(
      { language: "python", source: `${DEFINITIONS}dice(g, p)`, file: "Cell 1" },
      (o) => {
        if (o.kind === "report" && !("reports" in o.drawn.report)) report = o.drawn.report;
        if (o.kind === "failure") assert.fail(o.failure.message);
      },
      watch,
    );
  });

  function values(ask: KernelAsk): number[] {
    const answer = session.arrays(ask);
    if (answer.kind !== "array") assert.fail(JSON.stringify(answer));
    return [...toFloat64(answer.array)];
  }
  const refusal = (answer: KernelAnswer): string =>
    answer.kind === "refused" ? answer.message : assert.fail(answer.kind);

  it("are its variables, those that are computed as well", () => {
    const answer = session.arrays({ kind: "variables" });
    assert.ok(answer.kind === "variables");
    assert.deepEqual(
      answer.variables.map((v) => [v.name, v.shape, v.dtype]),
      [
        ["g", [2], "float64"],
        ["p", [2], "float64"],
        ["half", [2], "float64"],
      ],
    );
    assert.deepEqual(values({ kind: "variable", name: "half" }), [0.25, 0.125]);
  });

  it("are those that a report was made of, and its gradient", () => {
    const key = keyOfReport(report);
    assert.deepEqual(values({ kind: "reported", report: key, array: "p" }), [0.5, 0.25]);
    const gradient = values({ kind: "reported", report: key, array: null });
    const [sum, overlap] = [1.75, 0.5];
    assert.ok(Math.abs(gradient[0]! - (-2 / sum + (2 * overlap) / sum ** 2)) < 1e-15);
    assert.ok(Math.abs(gradient[1]! - (2 * overlap) / sum ** 2) < 1e-15);
  });

  it("are none where there is no such name, no numbers or no such report", () => {
    assert.match(refusal(session.arrays({ kind: "variable", name: "q" })), /Run the cell/);
    assert.match(refusal(session.arrays({ kind: "variable", name: "count" })), /no array/);
    const key = { ...keyOfReport(report), value: 5 };
    const answer = session.arrays({ kind: "reported", report: key, array: null });
    assert.match(refusal(answer), /Run its cell again/);
  });
});
