/** Losses on which the diagnostics rules are silent, each for its reason: what is right is no finding. */
import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import type { Engine } from "../../../src/session/jobs.ts";
import { type LintResult, lintSource } from "../../../src/session/lint.ts";

const watch = { onProgress: () => undefined, isCancelled: () => false };

describe("diagnostics are silent", () => {
  let engine: Engine;
  before(async () => {
    engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
  });

  const lint = (code: string): LintResult => {
    const text = `import numpy as np\nimport torch\nimport torch.nn.functional as F\n${code}`;
    const result = lintSource(text, "losses.py", process.cwd(), engine, watch);
    assert.deepEqual(result.untraced, []);
    assert.ok(result.losses > 0, "a loss is looked at");
    return result;
  };
  const codes = (code: string): string[] => lint(code).findings.map((f) => f.code);

  it("where a test of the sums keeps an empty union out of the division", () => {
    const guarded = `
def dice_loss(y_pred, y_true):
    total = np.sum(y_pred) + np.sum(y_true)
    if total == 0:
        return 0.0
    return 1 - 2 * np.sum(y_pred * y_true) / total
`;
    assert.deepEqual(codes(guarded), []);
    // Without the test, or with one of something else, the division is what it is.
    assert.deepEqual(codes(guarded.replace("if total == 0:\n        return 0.0\n    ", "")), [
      "DG001",
    ]);
    assert.deepEqual(codes(guarded.replace("total == 0", "np.sum(y_true) > 3")), ["DG001"]);
  });

  it("where two sums are tested, and on both ways of writing the test", () => {
    assert.deepEqual(
      codes(`
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    if y_pred.sum() == 0 and y_true.sum() == 0:
        return y_pred.sum() * 0.0
    return 1 - 2 * (y_pred * y_true).sum() / (y_pred.sum() + y_true.sum())

def other_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    total = y_pred.sum() + y_true.sum()
    if not total > 0:
        return y_pred.sum() * 0.0
    return 1 - 2 * (y_pred * y_true).sum() / total
`),
      [],
    );
  });

  it("about a branch on the target, whose gradient autograd has right, but not about one on the prediction", () => {
    const loss = (test: string): string => `
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    if ${test}:
        return y_pred.mean()
    return 1 - (2 * (y_pred * y_true).sum() + smooth) / (y_pred.sum() + y_true.sum() + smooth)
`;
    assert.deepEqual(codes(loss("y_true.max() < 1")), []);
    assert.deepEqual(codes(loss("y_pred.max() < 0.5")), ["DG017"]);
  });

  it("about a check that prints or warns and changes nothing", () => {
    assert.deepEqual(
      codes(`
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    if y_pred.max() > 1:
        print("y_pred should be in [0, 1]")
    return 1 - (2 * (y_pred * y_true).sum() + smooth) / (y_pred.sum() + y_true.sum() + smooth)
`),
      [],
    );
  });

  it("about metrics of hard masks, unless something trains with one", () => {
    const metric = `
def dice_coef(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    hard = (y_pred > 0.5).float()
    return (2 * (hard * y_true).sum() + smooth) / (hard.sum() + y_true.sum() + smooth)
`;
    assert.deepEqual(codes(metric), []);
    const used = lint(`${metric}
def train(net, x, y):
    loss = 1 - dice_coef(net(x), y)
    loss.backward()
`);
    assert.deepEqual(
      used.findings.map((f) => [f.code, f.severity, f.related?.at(-1)?.location.line]),
      [["DG008", "error", 10]],
    );
  });

  it("about a bound that acts when a caller asks for less smoothing", () => {
    assert.deepEqual(
      codes(`
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    total = y_pred.sum() + y_true.sum() + smooth
    return 1 - (2 * (y_pred * y_true).sum() + smooth) / total.clamp(min=1e-8)
`),
      [],
    );
  });

  it("about the name of a loss that is neither Dice nor Jaccard", () => {
    const iou = (two: string): string => `
def iou_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    both = (y_pred * y_true).sum()
    return 1 - (${two}both + smooth) / (y_pred.sum() + y_true.sum() + smooth)
`;
    assert.deepEqual(codes(iou("")), []);
    assert.deepEqual(codes(iou("2 * ")), ["DG016"]);
  });

  it("about the factor 2 of Dice where it stands elsewhere", () => {
    const dice = (score: string): string => `
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    """y_pred, y_true: (N, 2, H, W)"""
    axes = (0, 2, 3)
    score = (y_pred * y_true).sum(axes) / (y_pred.sum(axes) + y_true.sum(axes) + 1e-6)
    return 1 - ${score}
`;
    assert.deepEqual(codes(dice("2 * score.mean()")), []);
    // Two classes: the sum of the halves is the mean of the wholes.
    assert.deepEqual(codes(dice("score.sum()")), []);
    assert.deepEqual(codes(dice("score.mean()")), ["DG016"]);
  });

  it("about shapes that the code does not tell", () => {
    assert.deepEqual(
      codes(`
def dice_loss(pred: torch.Tensor, gt: torch.Tensor, smooth=1.0):
    p = torch.sigmoid(pred[:, 1, :, :])
    return 1 - (2 * (p * gt).sum() + smooth) / (p.sum() + gt.sum() + smooth)
`),
      [],
    );
  });

  it("about all pairs that the code asks for", () => {
    assert.deepEqual(
      codes(`
def pairwise_iou_loss(pred: torch.Tensor, target: torch.Tensor):
    """
    pred: (N, 2)
    target: (M, 2)
    """
    low = torch.maximum(pred[:, None, 0], target[None, :, 0])
    high = torch.minimum(pred[:, None, 1], target[None, :, 1])
    return 1 - (high - low).clamp(min=0).mean()
`),
      [],
    );
  });

  it("about class labels that become integers to name classes", () => {
    assert.deepEqual(
      codes(`
def focal_loss(logits: torch.Tensor, target: torch.Tensor, gamma=2.0):
    target = target.squeeze(1).long()
    ce = F.cross_entropy(logits, target, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean()
`),
      [],
    );
  });

  it("about probabilities that are made to add up to one", () => {
    assert.deepEqual(
      codes(`
def cross_entropy_loss(y_pred, y_true, eps=1e-7):
    p = y_pred / np.sum(y_pred, axis=-1, keepdims=True)
    return -np.mean(y_true * np.log(p + eps))
`),
      [],
    );
  });

  it("about a library's logsumexp, and about infinities that are replaced on their way", () => {
    assert.deepEqual(
      codes(`
def generalized_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1e-5):
    w = torch.nan_to_num(1 / y_true.sum(2) ** 2, posinf=0.0)
    inter = (w * (y_pred * y_true).sum(2)).sum()
    return 1 - (2 * inter + smooth) / ((w * (y_pred.sum(2) + y_true.sum(2))).sum() + smooth)

def soft_max_loss(logits: torch.Tensor, target: torch.Tensor):
    return (torch.logsumexp(logits.flatten(1), 1) - (logits * target).flatten(1).sum(1)).mean()
`),
      [],
    );
  });

  it("about arrays that a hand-written backward pass changes, which autograd does not follow", () => {
    assert.deepEqual(
      codes(`
class SquareDice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y_pred, y_true):
        total = (y_pred + y_true).sum() + 1.0
        top = (y_pred * y_true).sum()
        ctx.vars = y_true, top, total
        return 1 - 2 * top / total

    @staticmethod
    def backward(ctx, grad_output):
        y_true, top, total = ctx.vars
        first = y_true * -2 / total
        return (first + 2 * top / total.pow_(2)) * grad_output, None

def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    return SquareDice.apply(y_pred, y_true)
`),
      [],
    );
  });
});
