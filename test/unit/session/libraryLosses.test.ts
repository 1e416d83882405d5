import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import type { Comparison, Report } from "../../../src/report/schema.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { compareFile, inspectFile } from "../../../src/session/jobs.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellOutput } from "../../../src/session/protocol.ts";

const WATCH = { onProgress: () => undefined, isCancelled: () => false };

const TORCH = `import torch
import torch.nn as nn
import torch.nn.functional as F
p = torch.tensor([0.2, 0.7, 0.9, 0.1])
t = torch.tensor([0.0, 1.0, 1.0, 0.0])
`;
const KERAS = `import numpy as np
import keras
y_true = np.array([[0.0, 1.0, 1.0, 0.0]])
y_pred = np.array([[0.2, 0.7, 0.9, 0.1]])
`;

async function outputs(source: string): Promise<readonly CellOutput[]> {
  const found: CellOutput[] = [];
  const files = filesWith(new ModuleFinder([]));
  const session = new NotebookSession(await loadParserFromDisk(), files, ".");
  session.execute({ language: "python", source, file: "Cell 1" }, (o) => found.push(o), WATCH);
  return found;
}

async function report(source: string): Promise<Report> {
  const [only, ...more] = await outputs(source);
  assert.ok(only?.kind === "report" && more.length === 0, JSON.stringify(only));
  return only.drawn.report as Report;
}

async function reportsOf(source: string, callable: string | null = null): Promise<Report[]> {
  const job = { file: "script.py", source, callable, values: [], wrt: null, directory: "." };
  return (await inspectFile(job)).map((r) => {
    assert.ok("inspection" in r, JSON.stringify(r));
    return r.inspection.report;
  });
}

describe("a library's own loss, called alone at the end of a cell", () => {
  for (const [call, source] of [
    ["nn.BCELoss()(p, t)", TORCH],
    ["F.binary_cross_entropy(p, t)", TORCH],
    ["nn.MSELoss(reduction='sum')(input=p, target=t)", TORCH],
    ["keras.losses.Dice()(y_true, y_pred)", KERAS],
    ["keras.losses.Dice()(y_true, y_pred, sample_weight=np.array([2.0]))", KERAS],
    ["keras.losses.binary_focal_crossentropy(y_true, y_pred, gamma=3.0)", KERAS],
    ["keras.losses.Tversky(alpha=0.3, beta=0.7)([[0.0, 1.0]], [[0.3, 0.8]])", KERAS],
  ] as const) {
    it(`${call} gives a report`, async () => {
      const r = await report(source + call);
      assert.equal(r.check.verdict, "agrees");
      assert.match(r.gradient.wrt, /^(input|y_pred)$/);
      assert.equal(r.function.file, "Cell 1");
      assert.equal(r.function.line, source.split("\n").length);
    });
  }

  it("is Keras's Dice, with Keras's value", async () => {
    const r = await report(`${KERAS}keras.losses.Dice()(y_true, y_pred)`);
    assert.equal(r.function.name, "Dice");
    // 1 - (2 Σ t p + ε) / (Σ t + Σ p + ε) with 2 · 1.6 over 3.9, Keras's own to seven digits.
    assert.ok(Math.abs(r.loss.value! - (1 - 3.2 / 3.9)) < 1e-7);
  });

  it("is derived for shapes that are assumed when it is named without a call", async () => {
    const r = await report(`${TORCH}nn.BCELoss()`);
    assert.equal(r.check.verdict, "not-checked");
    assert.deepEqual([r.function.file, r.function.line], ["Cell 1", 6]);
  });

  it("is compared with others, by calls or by name", async () => {
    for (const request of [
      "compare(nn.BCELoss()(p, t), F.binary_cross_entropy(p, t))",
      "compare(nn.BCELoss(), F.binary_cross_entropy, p, t)",
    ]) {
      const [only] = await outputs(TORCH + request);
      assert.ok(only?.kind === "report", JSON.stringify(only));
      assert.equal((only.drawn.report as Comparison).pairs[0]?.equal, "exactly", request);
    }
  });

  it("is derived as its own where a class of the user's adds nothing to it", async () => {
    const source = `${KERAS}class Own(keras.losses.Dice):\n    pass\nOwn()(y_true, y_pred)`;
    assert.equal((await report(source)).check.verdict, "agrees");
  });

  it("differs from layers and functions that compare nothing: their value is shown", async () => {
    for (const call of ["nn.Sigmoid()(p)", "torch.dot(p, t)", "F.softmax(p, dim=0)"]) {
      const [only] = await outputs(TORCH + call);
      assert.equal(only?.kind, "text", call);
    }
  });

  it("takes the arguments that it takes, and says so at the call", async () => {
    const [only] = await outputs(`${TORCH}nn.BCELoss()(p)`);
    assert.ok(only?.kind === "failure");
    assert.match(only.failure.message, /target/);
    assert.equal(only.failure.line, 6);
  });
});

describe("a library's own loss on the command line", () => {
  it("is inspected where a file ends with its call", async () => {
    const [only, ...more] = await reportsOf(`${TORCH}F.binary_cross_entropy(p, t)\n`);
    assert.deepEqual([only?.check.verdict, only?.function.line, more.length], ["agrees", 6, 0]);
  });

  it("is inspected after the file's own losses, which a call at the end does not repeat", async () => {
    const own = `${TORCH}def mine(p, t):\n    return 1 - (p * t).sum()\n`;
    const names = (reports: readonly Report[]): string[] => reports.map((r) => r.function.name);
    assert.deepEqual(names(await reportsOf(`${own}nn.BCELoss()(p, t)\n`)), ["mine", "BCELoss"]);
    assert.deepEqual(names(await reportsOf(`${own}mine(p, t)\n`)), ["mine"]);
    assert.deepEqual(names(await reportsOf(`${own}unknown(p, t)\n`)), ["mine"]);
  });

  it("is taken by its call on the file's arrays, or by its name with assumed shapes", async () => {
    const [called] = await reportsOf(TORCH, "F.binary_cross_entropy(p, t)");
    assert.equal(called?.check.verdict, "agrees");
    const [named] = await reportsOf(TORCH, "nn.BCELoss()");
    assert.equal(named?.check.verdict, "not-checked");
  });

  it("refuses arguments beside a call that has them", async () => {
    const job = { file: "a.py", source: TORCH, values: ["input=[0.5]"], wrt: null, directory: "." };
    const [result] = await inspectFile({ ...job, callable: "nn.BCELoss()(p, t)" });
    assert.ok(result !== undefined && "failure" in result);
    assert.match(result.failure.message, /has its arguments already, so input cannot be given/);
  });
});

describe("compare without arrays", () => {
  it("gives the second loss the shapes of the first", async () => {
    const source = `import torch
def first(p, t):
    """p: (B, C, H, W)"""
    return 1 - (2 * (p * t).sum((2, 3)) / (p + t).sum((2, 3))).mean()
def second(p, t):
    return 1 - (2 * (p * t).sum() / (p + t).sum())
`;
    const job = { file: "a.py", source, callable: "first", values: [], wrt: null, directory: "." };
    const result = await compareFile(job, [
      { kind: "file", file: "a.py", source, callable: "second" },
    ]);
    assert.ok("comparison" in result, JSON.stringify(result));
    const [first, second] = result.comparison.reports;
    assert.deepEqual(second?.gradient.shape, first?.gradient.shape);
    assert.ok(second?.assumptions.some((a) => a.includes("as p of first")));
  });
});

describe("without arrays", () => {
  it("derives a loss that drops the background from its ratios", async () => {
    const source = `import torch
def loss(x, y):
    x = torch.softmax(x, 1)
    axes = tuple(range(2, x.ndim))
    tp, fp, fn = (x * y).sum(axes), (x * (1 - y)).sum(axes), ((1 - x) * y).sum(axes)
    dc = 2 * tp / torch.clip(2 * tp + fp + fn, 1e-8)
    return -dc[:, 1:].mean()
`;
    const [only] = await reportsOf(source, "loss");
    assert.equal(only?.check.verdict, "not-checked");
  });

  it("refuses axes whose open sizes cannot be equal, at the line where they meet", async () => {
    const source = `import torch
def loss(x, y):
    """x: (B, 3, H, W), y: (B, H, W)"""
    return (x.view(x.shape[0], -1) * y.view(y.shape[0], -1)).sum()
`;
    const job = { file: "a.py", source, callable: "loss", values: [], wrt: null, directory: "." };
    const [result] = await inspectFile({ ...job, shapes: ["x=b,3,h,w", "y=b,h,w"] });
    assert.ok(result !== undefined && "failure" in result);
    assert.match(result.failure.message, /do not broadcast/);
    assert.equal(result.failure.line, 4);
  });
});
