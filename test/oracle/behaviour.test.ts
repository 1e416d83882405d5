/** Plots of a gradient's behaviour against real PyTorch autograd on the same swept arrays. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/lib/root.mjs";
import { CONVENTIONS } from "../../src/explain/claims/kinks.ts";
import type { BehaviourChart } from "../../src/report/schema.ts";
import { explained } from "../unit/explain/explained.ts";
import { runOracle } from "./environment.ts";

const LOSSES = `import torch

def plain(pred, target):
    return 1 - 2 * (pred * target).sum() / (pred.sum() + target.sum())

def smooth(pred, target, smooth=1.0):
    i = (pred * target).sum()
    return 1 - (2 * i + smooth) / (pred.sum() + target.sum() + smooth)

def with_logits(logits, target, smooth=0.125):
    p = torch.sigmoid(logits).view(-1)
    t = target.view(-1)
    return 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)

def squared_per_sample(logits, target, smooth=1e-3):
    p = torch.sigmoid(logits)
    i = (p * target).sum((1, 2, 3))
    u = (p ** 2).sum((1, 2, 3)) + (target ** 2).sum((1, 2, 3))
    return (1 - (2 * i + smooth) / (u + smooth)).mean()

def dice_and_cross_entropy(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    dice = 1 - (2 * (p * target).sum() + smooth) / (p.sum() + target.sum() + smooth)
    return dice + torch.nn.functional.binary_cross_entropy_with_logits(logits, target)

def softmax(logits, target, smooth=0.5):
    p = torch.softmax(logits, dim=1)
    i = (p * target).sum((0, 2, 3))
    u = p.sum((0, 2, 3)) + target.sum((0, 2, 3))
    return 1 - ((2 * i + smooth) / (u + smooth)).mean()
`;

interface Case {
  readonly callable: string;
  readonly prediction: string;
  readonly shape: readonly number[];
  readonly isLogits: boolean;
  readonly oneHot: boolean;
}

const CASES: readonly Case[] = [
  { callable: "plain", prediction: "pred", shape: [12], isLogits: false, oneHot: false },
  { callable: "smooth", prediction: "pred", shape: [3, 4], isLogits: false, oneHot: false },
  { callable: "with_logits", prediction: "logits", shape: [2, 1, 3, 4], isLogits: true, oneHot: false },
  { callable: "squared_per_sample", prediction: "logits", shape: [2, 1, 3, 4], isLogits: true, oneHot: false },
  { callable: "dice_and_cross_entropy", prediction: "logits", shape: [2, 1, 3, 4], isLogits: true, oneHot: false },
  { callable: "softmax", prediction: "logits", shape: [2, 3, 2, 3], isLogits: true, oneHot: true },
]; // prettier-ignore

/** Numbers in [0, 1), the same every time. */
function numbers(count: number, seed: number): number[] {
  let x = seed;
  return Array.from({ length: count }, () => (x = (x * 16807) % 2147483647) / 2147483647);
}

function nested(values: readonly number[], shape: readonly number[]): unknown {
  const [n, ...rest] = shape;
  if (n === undefined) return values[0];
  const size = values.length / n;
  return Array.from({ length: n }, (_, k) => nested(values.slice(k * size, (k + 1) * size), rest));
}

function arrays({ shape, isLogits, oneHot }: Case): { prediction: number[]; target: number[] } {
  const count = shape.reduce((n, s) => n * s, 1);
  const prediction = numbers(count, 7).map((u) => (isLogits ? 5 * u - 2.5 : u));
  const draws = numbers(count, 11);
  if (!oneHot) return { prediction, target: draws.map((u) => (u < 0.4 ? 1 : 0)) };
  const [, classes, ...space] = shape as [number, number, ...number[]];
  const stride = space.reduce((n, s) => n * s, 1);
  const target = draws.map((_, k) => {
    const voxel = Math.floor(k / stride / classes) * stride + (k % stride);
    return Math.floor(draws[voxel]! * classes) === Math.floor(k / stride) % classes ? 1 : 0;
  });
  return { prediction, target };
}

interface Measured {
  readonly id: BehaviourChart["id"];
  readonly series: readonly {
    readonly role: string;
    readonly group: string;
    readonly values: readonly (number | null)[];
  }[];
}

describe("a gradient's behaviour", function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-behaviour-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  for (const each of CASES) {
    it(`of ${each.callable} is PyTorch's at every point of every plot`, async () => {
      const { prediction, target } = arrays(each);
      const values = [
        `${each.prediction}=${JSON.stringify(nested(prediction, each.shape))}`,
        `target=${JSON.stringify(nested(target, each.shape))}`,
      ];
      const { behaviour } = await explained(LOSSES, each.callable, values);
      const file = join(folder, `${each.callable}.json`);
      const { callable, shape, isLogits, oneHot } = each;
      const charts = behaviour.charts.map(({ id, at, element }) => ({ id, at, element }));
      writeFileSync(
        file,
        JSON.stringify({
          source: LOSSES, callable, shape, isLogits, oneHot, prediction, target, charts,
          smoothing: behaviour.smoothing.length > 0,
        }),
      ); // prettier-ignore
      const told = JSON.parse(
        await runOracle(join(root, "test/oracle/behaviour.py"), [file]),
      ) as Measured[];
      assert.equal(told.length, each.oneHot ? 5 : 6);
      let compared = 0;
      for (const { id, series } of told) {
        const chart = behaviour.charts.find((c) => c.id === id)!;
        for (const theirs of series) {
          const ours = chart.series.find(
            (s) => s.role === theirs.role && s.group === theirs.group,
          )!;
          const largest = Math.max(...theirs.values.map((v) => Math.abs(v ?? 0)));
          theirs.values.forEach((v, k) => {
            const own = ours.values[k] ?? null;
            const where = `${id}, ${theirs.role}, ${theirs.group} at ${chart.at[k]!}: ${own} and ${v}`;
            if (v === null || own === null) {
              assert.equal(own, v, where);
              return;
            }
            // Near 1 a float64 probability itself has but few digits of 1 − p.
            assert.ok(Math.abs(own - v) <= 1e-13 * largest + 2e-7 * Math.abs(v), where);
            compared++;
          });
        }
      }
      assert.ok(compared > 100);
    });
  }

  it("at kinks is each library's own convention", async () => {
    const output = await runOracle(join(root, "test/oracle/kinks.py"));
    // TensorFlow's start-up messages come first.
    const told = JSON.parse(output.trim().split("\n").at(-1)!) as unknown;
    const table = Object.fromEntries(Object.entries(CONVENTIONS).map(([k, c]) => [k, c.slopes]));
    assert.deepEqual(told, table);
  });
});
