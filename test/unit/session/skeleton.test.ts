import assert from "node:assert/strict";
import { inspectFile } from "../../../src/session/jobs.node.ts";

describe("a soft skeleton", () => {
  it("is checked on arrays though no page holds its formula", async () => {
    const source = `import torch
import torch.nn.functional as F

def skeleton(x):
    for _ in range(12):
        x = F.relu(x - F.max_pool2d(-F.max_pool2d(-x, 3, 1, 1), 3, 1, 1))
    return x

def loss(p, t):
    return 1 - (skeleton(p) * t).sum() / (skeleton(p).sum() + 1)
`;
    const rows = [0.11, 0.72, 0.35, 0.93, 0.24, 0.57, 0.68, 0.41, 0.89, 0.16, 0.77, 0.52];
    const grid = (of: readonly number[]): string =>
      JSON.stringify([[[of.slice(0, 4), of.slice(4, 8), of.slice(8)]]]);
    const values = [`p=${grid(rows)}`, `t=${grid(rows.map((v) => Number(v > 0.5)))}`];
    const job = { source, file: "losses.py", callable: "loss", values, wrt: null };
    const [result] = await inspectFile({ ...job, directory: "." });
    assert.ok(result !== undefined && "inspection" in result);
    const { loss, check } = result.inspection.report;
    assert.match(loss.text, /too long to be written out/);
    assert.equal(check.verdict, "agrees");
  }).timeout(60_000);
});
