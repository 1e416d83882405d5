import assert from "node:assert/strict";
import { factorOf } from "../../../src/explain/reasons/factor.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import type { Comparison } from "../../../src/report/schema.ts";
import { draw } from "../../../src/session/draw.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { type Other, compareSource } from "../../../src/session/jobs.ts";
import { readPayload } from "../../../src/renderer/validate.ts";

const LOSSES = `import torch

def squared(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    i = (p * target).sum((2, 3))
    u = (p ** 2).sum((2, 3)) + (target ** 2).sum((2, 3))
    return 1 - ((2 * i + smooth) / (u + smooth)).mean()

def linear(pred, mask):
    q = torch.sigmoid(pred)
    n = 2 * (q * mask).sum((2, 3)) + 1.0
    return 1 - (n / (q.sum((2, 3)) + mask.sum((2, 3)) + 1.0)).mean()
`;
const VALUES = [
  "logits=[[[[0.1, 2.0], [-1.0, 3.0]], [[0.5, -0.5], [1.5, 0.0]]]]",
  "target=[[[[0, 1], [0, 1]], [[1, 0], [0, 1]]]]",
];

/** Which are nearly right, so that 1 − dice is what rounding leaves of numbers near 1. */
const NEARLY = `import torch

def dice(p, t):
    return (2 * (p * t).sum() / (p.sum() + t.sum()))

def squared(p, t):
    return (1 - dice(p, t)) ** 0.75

def plain(p, t):
    return 1 - dice(p, t)
`;
const watch = { onProgress: () => undefined, isCancelled: () => false };

async function compared(
  others: readonly Other[],
  values = VALUES,
  source = LOSSES,
): Promise<Comparison> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor() };
  const job = {
    source, file: "losses.py", callable: "squared", values, wrt: null, directory: ".",
  }; // prettier-ignore
  const result = compareSource(job, others, engine, watch);
  if ("failure" in result) return assert.fail(result.failure.message);
  return result.comparison;
}

describe("a comparison with a standard loss", function () {
  this.timeout(60_000);

  it("names the reasons, whose shares on the arrays add up to one", async () => {
    const call = "monai.losses.DiceLoss(sigmoid=True)";
    const { pairs, matches } = await compared([{ kind: "catalogue", call }]);
    const [pair] = pairs;
    assert.equal(pair!.equal, "no");
    assert.equal(pair!.complete, true);
    assert.deepEqual(
      pair!.differences.map((d) => [d.id, d.lines]),
      [
        ["powers", [6]],
        ["smoothing", [7]],
      ],
    );
    const total = pair!.differences.reduce((s, d) => s + d.share!, 0);
    assert.ok(Math.abs(total - 1) < 1e-9);
    assert.equal(matches![0]!.exact, true);
    assert.match(matches![0]!.call, /squared_pred=True, smooth_nr=1.0, smooth_dr=1.0/);
  });

  it("takes another function of the file, whose arguments have other names", async () => {
    const other: Other = { kind: "file", source: LOSSES, file: "losses.py", callable: "linear" };
    const { pairs } = await compared([other]);
    assert.deepEqual(
      pairs[0]!.differences.map((d) => d.id),
      ["powers"],
    );
  });

  it("tells a factor by digits that are right though the loss itself has lost them", async () => {
    const target = Array.from({ length: 40 }, (_, k) => (k % 3 === 0 ? 1 : 0));
    const prediction = target.map((t, k) => Math.abs(t - 1e-10 * (1 + (k % 7))));
    const values = [`p=${JSON.stringify(prediction)}`, `t=${JSON.stringify(target)}`];
    const other: Other = { kind: "file", source: NEARLY, file: "losses.py", callable: "plain" };
    const [pair] = (await compared([other], values, NEARLY)).pairs;
    const sum = (of: (p: number, t: number) => number): number =>
      prediction.reduce((s, p, k) => s + of(p, target[k]!), 0);
    const both = sum((p) => p) + sum((_, t) => t);
    const factorOf = (loss: number): number => 0.75 * loss ** -0.25;
    const naive = factorOf(1 - (2 * sum((p, t) => p * t)) / both);
    // Differences from 0 and 1 are exact.
    const factor = factorOf(sum((p, t) => Math.abs(p - t)) / both);
    assert.notEqual(naive.toPrecision(8), factor.toPrecision(8));
    const words = /one common factor of ([\d.]+)/.exec(pair!.sentence);
    assert.equal(Number(words![1]), Number(factor.toPrecision(10)));
    const told = pair!.differences.map((d) => d.commonFactor?.toPrecision(8));
    assert.deepEqual(told, [factor.toPrecision(8)]);
  });

  const LARGEST = ["squared", "of_more", "of_many"]
    .map((name, n) => `def ${name}(z, y):
    each = torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    return each.view(-1).topk(${[10, 20, 50][n]})[0].mean()
`)
    .join("\n"); // prettier-ignore

  const largest = (callable: string): Other => ({
    kind: "file",
    source: `import torch\n\n${LARGEST}`,
    file: "losses.py",
    callable,
  });

  it("assumes shapes of as many entries as a loss takes", async () => {
    const source = `import torch\n\n${LARGEST}`;
    const { pairs, reports } = await compared([largest("of_more")], [], source);
    assert.equal(pairs[0]!.equal, "no");
    assert.match(reports[0]!.assumptions.join(), /\(20,\)|20/);
  });

  it("says what to give where the first one's shapes have too few for the second", async () => {
    const source = `import torch\n\n${LARGEST}`;
    const message = /of_many takes 50 entries of z, and squared was derived for 20/;
    await assert.rejects(compared([largest("of_many")], [], source), message);
  });

  it("takes a second loss that fits the arrays, whatever shapes it could be derived for", async () => {
    const entries = Array.from({ length: 60 }, (_, k) => Math.sin(k));
    const values = [
      `z=${JSON.stringify(entries)}`,
      `y=${JSON.stringify(entries.map((v) => (v > 0 ? 1 : 0)))}`,
    ];
    const source = `import torch\n\n${LARGEST}`;
    const { pairs } = await compared([largest("of_many")], values, source);
    assert.equal(pairs[0]!.equal, "no");
    assert.match(pairs[0]!.sentence, /on these arrays the largest difference is 0\.0\d+/);
  });

  it("tells no factor where a gradient comes out of nothing", () => {
    const before = Float64Array.of(1, 0, 0, 4);
    assert.deepEqual(factorOf([[before, Float64Array.of(2, 0, 3, 8)]]), { kind: "none" });
    assert.deepEqual(factorOf([[before, Float64Array.of(2, 0, 0, 8)]]), {
      kind: "constant",
      value: 2,
    });
  });

  it("tells a factor by the entries that are certain, beside others that are not", () => {
    const before = Float64Array.of(1, 2, NaN, 4);
    const factor = factorOf([[before, before.map((x) => 2 * x)]]);
    assert.deepEqual(factor, { kind: "constant", value: 2 });
  });

  it("finds the nearest loss of the catalogue when none is named", async () => {
    const { pairs, reports } = await compared([]);
    assert.equal(pairs[0]!.equal, "exactly");
    assert.match(reports[1]!.function.name, /^monai\.losses\.DiceLoss\(/);
  });

  it("names the reasons without arrays too", async () => {
    const call = "monai.losses.DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0)";
    const { pairs } = await compared([{ kind: "catalogue", call }], []);
    assert.deepEqual(
      pairs[0]!.differences.map((d) => d.id),
      ["powers"],
    );
  });

  it("is drawn in every form of an output, and read back by the renderer", async () => {
    const call = "monai.losses.DiceLoss(sigmoid=True)";
    const comparison = await compared([{ kind: "catalogue", call }]);
    const drawn = draw(comparison);
    assert.match(drawn.plain, /1\. Plain or squared sums: .* % of the difference \(line 6\)/);
    assert.match(drawn.markdown, /\*\*Smoothing\*\*/);
    const read = readPayload(JSON.parse(JSON.stringify(comparison)));
    assert.equal(read.kind, "comparison");
  });

  it("says which losses there are when a call names none", async () => {
    const engine = { parser: await loadParserFromDisk(), files: filesFor() };
    const job = {
      source: LOSSES, file: "losses.py", callable: "squared", values: VALUES, wrt: null,
      directory: ".",
    }; // prettier-ignore
    const result = compareSource(
      job,
      [{ kind: "catalogue", call: "monai.losses.Dise()" }],
      engine,
      watch,
    );
    assert.ok("failure" in result);
    assert.match(result.failure.message, /monai\.losses\.Dise is not in the catalogue/);
  });

  it("takes arrays that the code makes itself as the numbers they are", async () => {
    const source = `import torch
import torch.nn.functional as F

def encoded(p, target):
    t = (target[:, None] == torch.arange(3)[None, :, None, None]).float()
    return 1 - (2 * (p * t).sum((2, 3)) / (p.sum((2, 3)) + t.sum((2, 3)) + 1e-7)).mean()

def one_hot(p, target):
    t = F.one_hot(target, 3).permute(0, 3, 1, 2).float()
    return 1 - (2 * (p * t).sum((2, 3)) / (p.sum((2, 3)) + t.sum((2, 3)) + 1e-7)).mean()
`;
    const engine = { parser: await loadParserFromDisk(), files: filesFor() };
    const values = ["p=[[[[0.2, 0.5]], [[0.3, 0.1]], [[0.5, 0.4]]]]", "target=[[[0, 2]]]"];
    const job = { source, file: "a.py", callable: "encoded", values, wrt: null, directory: "." };
    const other = { kind: "file", source, file: "a.py", callable: "one_hot" } as const;
    const result = compareSource(job, [other], engine, watch);
    assert.ok("comparison" in result, "failure" in result ? result.failure.message : "");
    assert.equal(result.comparison.pairs[0]!.equal, "exactly");
  });
});
