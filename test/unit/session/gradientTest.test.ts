/** Losses as tests, as the Test Explorer runs them. */
import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { type GradientTestResult, testLoss } from "../../../src/session/gradientTest.ts";

const LOSSES = `import torch

def weighted_dice_loss(y_pred, y_true, smooth=1.0):
    inter = (y_pred * y_true).sum((0, 2, 3))
    total = y_pred.sum((0, 2, 3)) + y_true.sum((0, 2, 3))
    weights = torch.tensor([0.2, 0.3, 0.5])
    return 1 - (weights * (2 * inter + smooth) / (total + smooth)).sum()

def hard_dice_loss(y_pred, y_true, smooth=1.0):
    mask = (y_pred > 0.5).float()
    return 1 - (2 * (mask * y_true).sum() + smooth) / (mask.sum() + y_true.sum() + smooth)

def unknown_dice_loss(y_pred, y_true):
    return open(y_pred).read()
`;
const watch = { onProgress: () => undefined, isCancelled: () => false };

async function tested(name: string): Promise<GradientTestResult> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor() };
  return testLoss(LOSSES, "losses.py", name, ".", engine, watch);
}

describe("a loss as a test", () => {
  it("passes where its gradient is right, also beside arrays that the code makes itself", async () => {
    const { outcome, messages, report } = await tested("weighted_dice_loss");
    assert.deepEqual([outcome, messages], ["passed", []]);
    assert.equal(report?.check.verdict, "agrees");
  });

  it("fails with what is wrong, at its line", async () => {
    const { outcome, messages } = await tested("hard_dice_loss");
    assert.equal(outcome, "failed");
    const found = messages.find((m) => m.text.startsWith("DG008"));
    assert.equal(found?.location?.line, 10);
  });

  it("is skipped, with the reason, where it cannot be traced", async () => {
    const { outcome, messages } = await tested("unknown_dice_loss");
    assert.equal(outcome, "skipped");
    assert.equal(messages[0]?.location?.line, 14);
  });
});
