import assert from "node:assert/strict";
import * as b from "../../../src/expression/build.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { explain } from "../../../src/explain/reasons/explain.ts";
import { matchesOf } from "../../../src/explain/reasons/match.ts";
import { recognize } from "../../../src/explain/recognize/recognize.ts";
import { evaluateOn, explained, written } from "./subject.ts";

/** A loss, the standard it is compared with, and the reasons and lines that are to be named. */
const DIFFERENT: readonly (readonly [
  name: string,
  source: string,
  standard: string,
  reasons: Readonly<Record<string, readonly number[]>>,
])[] = [
  [
    "squared sums and other smoothing",
    `def f(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    i = (p * target).sum((2, 3))
    u = (p ** 2).sum((2, 3)) + (target ** 2).sum((2, 3))
    return 1 - ((2 * i + smooth) / (u + smooth)).mean()
`,
    "monai.losses.DiceLoss(sigmoid=True)",
    { powers: [8], smoothing: [9] },
  ],
  [
    "Jaccard, in the logarithm, over the batch, without background",
    `def f(logits, target):
    p = torch.softmax(logits, 1)
    i = (p * target).sum((0, 2, 3))
    s = (i + 1e-5) / (p.sum((0, 2, 3)) + target.sum((0, 2, 3)) - i + 1e-5)
    return -torch.log(s[1:]).mean()
`,
    "monai.losses.DiceLoss(softmax=True)",
    { classes: [9], ratio: [8], region: [7, 8], "loss-of-score": [9] },
  ],
  [
    "a detached denominator",
    `def f(logits, target):
    p = torch.sigmoid(logits)
    i = (p * target).sum((2, 3))
    u = p.detach().sum((2, 3)) + target.sum((2, 3))
    return 1 - (2 * i / u).mean()
`,
    "monai.losses.DiceLoss(sigmoid=True, smooth_nr=0, smooth_dr=0)",
    { detached: [8] },
  ],
  [
    "a sum where the mean is meant",
    `def f(pred, target):
    i = (pred * target).sum((2, 3))
    u = pred.sum((2, 3)) + target.sum((2, 3))
    return (1 - (2 * i + 1e-5) / (u + 1e-5)).sum()
`,
    "monai.losses.DiceLoss()",
    { "class-reduction": [8], "batch-reduction": [8] },
  ],
  [
    "no factor 2, and no activation",
    `def f(pred, target):
    i = (pred * target).sum((2, 3))
    u = pred.sum((2, 3)) + target.sum((2, 3))
    return 1 - ((i + 1e-5) / (u + 1e-5)).mean()
`,
    "monai.losses.DiceLoss(sigmoid=True)",
    { activation: [7], "overlap-factor": [7] },
  ],
  [
    "a focal Tversky loss",
    `def f(logits, target, alpha=0.3, beta=0.7, gamma=0.75):
    p = torch.sigmoid(logits)
    tp = (p * target).sum((2, 3))
    fp = (p * (1 - target)).sum((2, 3))
    fn = ((1 - p) * target).sum((2, 3))
    return ((1 - (tp + 1e-5) / (tp + alpha * fp + beta * fn + 1e-5)) ** gamma).mean()
`,
    "monai.losses.TverskyLoss(sigmoid=True)",
    { ratio: [10], "outer-function": [10] },
  ],
  [
    "a binary cross entropy beside it",
    `def f(logits, target):
    p = torch.sigmoid(logits)
    i = (p * target).sum((2, 3))
    u = p.sum((2, 3)) + target.sum((2, 3))
    dice = 1 - ((2 * i + 1e-5) / (u + 1e-5)).mean()
    return dice + 0.5 * F.binary_cross_entropy_with_logits(logits, target)
`,
    "monai.losses.DiceLoss(sigmoid=True)",
    { "further-terms": [10] },
  ],
];

describe("why two gradients differ", function () {
  this.timeout(120_000);

  for (const [name, source, standard, reasons] of DIFFERENT) {
    it(`names ${name}`, async () => {
      const e = explained(await written(source), standard);
      assert.equal(e.equal, "different");
      assert.deepEqual(e.reasons.map((r) => r.id).sort(), Object.keys(reasons).sort());
      assert.ok(e.complete, "all changes together do not make the standard");
      const total = e.reasons.reduce((s, r) => s + (r.share?.share ?? NaN), 0);
      assert.ok(Math.abs(total - 1) < 1e-9, `the shares add up to ${total}`);
    });
  }

  it("writes both formulas with the differing term in a box, over the axes that there are", async () => {
    const loss = await written(`def f(pred: "b c h w", target: "b c h w"):
    i = (pred * target).sum((2, 3))
    return 1 - (2 * i / (pred.sum((2, 3)) + target.sum((2, 3)))).mean()
`);
    const [smoothing] = explained(loss, "monai.losses.DiceLoss()").reasons;
    const { before, after } = smoothing!.formulas!;
    assert.match(before.text, /^L = mean_b mean_c \(1 - \(2I_bc \+ \[0\]\) \/ /);
    assert.match(after.latex, /2I_\{bc\} \+ \\boxed\{10\^\{-5\}\}/);
    assert.equal(smoothing!.fix, "Add 1e-5 in numerator and denominator.");

    const flat = await written(`def f(pred: "n", target: "n"):
    i = (pred * target).sum()
    return 1 - (2 * i + 1) / (pred.sum() + target.sum() + 1)
`);
    const [removed] = explained(flat, "papers.dice()").reasons;
    assert.match(removed!.formulas!.before.text, /^L = 1 - \(2I \+ \[1\]\) \/ \(P \+ T \+ \[1\]\)/);
    assert.equal(removed!.fix, "Remove the smoothing.");
  });

  it("gives the exact factor of a sum for a mean", async () => {
    const [, source, standard] = DIFFERENT[3]!;
    const e = explained(await written(source), standard);
    assert.deepEqual(
      e.reasons.map((r) => r.factor),
      [
        { kind: "constant", value: 1 / 3 },
        { kind: "constant", value: 1 / 2 },
      ],
    );
  });

  it("finds the factor between losses that have no name, and that it is all", async () => {
    const { subject } = await written(`def f(pred, target):
    worst = torch.sort((pred - target).abs().flatten(), descending=True)[0][:5]
    return worst.mean()
`);
    const evaluate = evaluateOn(subject);
    const against = (other: (loss: Expr) => Expr) =>
      explain(subject, { loss: other(subject.loss), spec: null }, { evaluate });
    for (const [factor, words] of [
      [b.constant(5), "5"],
      [b.div(b.constant(-1), b.constant(7)), "-1/7"],
    ] as const) {
      const { equal, complete, reasons } = against((loss) => b.mul(factor, loss));
      assert.deepEqual([equal, complete, reasons.length], ["different", true, 1]);
      assert.equal(reasons[0]!.id, "constant-factor");
      assert.equal(reasons[0]!.fix, `Multiply the loss by ${words}.`);
    }
    const squared = against((loss) => b.mul(loss, loss));
    assert.equal(squared.complete, false);
    const shifted = against((loss) => b.sub(b.mul(b.constant(3), loss), b.constant(0.5)));
    assert.deepEqual([shifted.complete, shifted.reasons[0]!.id], [false, "constant-factor"]);
  });

  it("says so when the functions, or the gradients, are the same", async () => {
    const loss = await written(`def f(logits, target):
    p = torch.sigmoid(logits).flatten(2)
    g = target.flatten(2)
    i = (p * g).sum(-1)
    return 1 - ((2 * i + 1e-5) / (p.sum(-1) + g.sum(-1) + 1e-5)).mean()
`);
    assert.equal(explained(loss, "monai.losses.DiceLoss(sigmoid=True)").equal, "same function");
    const score = await written(`def f(logits, target):
    p = torch.sigmoid(logits)
    i = (p * target).sum((2, 3))
    return -((2 * i + 1e-5) / (p.sum((2, 3)) + target.sum((2, 3)) + 1e-5)).mean()
`);
    assert.equal(explained(score, "monai.losses.DiceLoss(sigmoid=True)").equal, "same gradient");
  });

  it("writes a loss as the catalogue call that it is", async () => {
    const { subject } = await written(`def f(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    i = (p * target).sum((0, 2, 3))
    return 1 - ((2 * i + smooth) / (p.sum((0, 2, 3)) + target.sum((0, 2, 3)) + smooth)).mean()
`);
    const own = recognize(subject);
    assert.ok(own !== null);
    const [first] = matchesOf(own.spec, { classes: 3 });
    assert.equal(first?.distance, 0);
    assert.equal(
      first.call,
      "monai.losses.DiceLoss(sigmoid=True, smooth_nr=1.0, smooth_dr=1.0, batch=True)",
    );
  });
});
