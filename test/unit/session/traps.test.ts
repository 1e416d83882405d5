import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { type PythonParser } from "../../../src/python/parser.ts";
import type { Comparison, TrapNote } from "../../../src/report/schema.ts";
import { readPayload } from "../../../src/renderer/validate.ts";
import { parseCall } from "../../../src/losses/catalogue.ts";
import { Settings } from "../../../src/losses/entry.ts";
import { catalogueList } from "../../../src/session/catalogue.ts";
import { draw } from "../../../src/session/draw.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { compareSource } from "../../../src/session/jobs.ts";
import { trapsMet } from "../../../src/session/traps.ts";

const LOSSES = `import torch
import torch.nn.functional as F

def channels(logits, target):
    p = torch.sigmoid(logits)
    n = 2 * (p * target).sum((2, 3)) + 1.0
    return 1 - (n / (p.sum((2, 3)) + target.sum((2, 3)) + 1.0)).mean()

def masked(logits, target, mask):
    p = torch.sigmoid(logits) * mask
    t = target * mask
    n = 2 * (p * t).sum((2, 3)) + 1.0
    return 1 - (n / (p.sum((2, 3)) + t.sum((2, 3)) + 1.0)).mean()

def labels(logits, target):
    p = torch.softmax(logits, 1)
    t = F.one_hot(target, 3).permute(0, 3, 1, 2).float()
    return 1 - (2 * (p * t).sum((2, 3)) / (p.sum((2, 3)) + t.sum((2, 3)) + 1e-7)).mean()

def pooled(logits, target):
    p = torch.softmax(logits, 1)
    t = F.one_hot(target, 3).permute(0, 3, 1, 2).float()
    return 1 - (2 * (p * t).sum((1, 2, 3)) / (p.sum((1, 2, 3)) + t.sum((1, 2, 3)) + 1e-8)).mean()

def swapped(p, target):
    tp = (p * target).sum()
    fn = ((1 - p) * target).sum()
    fp = (p * (1 - target)).sum()
    return 1 - tp / (tp + 0.3 * fn + 0.7 * fp + 1e-7)

def keras_style(p, target):
    return 1 - 2 * (p * target).sum() / (p.sum() + target.sum() + 1e-7)
`;

const LOGITS =
  "[[[[0.1, 2.0]], [[-1.0, 3.0]], [[0.5, -0.5]]], [[[1.5, 0.0]], [[0.3, 0.2]], [[-2.0, 1.0]]]]";
const CHANNELS = "[[[[1, 0]], [[0, 1]], [[0, 0]]], [[[1, 1]], [[0, 0]], [[0, 0]]]]";
const PROBABILITIES =
  "[[[[0.1, 0.9]], [[0.7, 0.3]], [[0.5, 0.2]]], [[[0.6, 0.8]], [[0.3, 0.2]], [[0.4, 0.1]]]]";
const MASK = "[[[[1, 0]]], [[[1, 1]]]]";

/** The user's loss, and the arrays that it is called with. */
const USERS = {
  channels: [`logits=${LOGITS}`, `target=${CHANNELS}`],
  masked: [`logits=${LOGITS}`, `target=${CHANNELS}`, `mask=${MASK}`],
  labels: [`logits=${LOGITS}`, "target=[[[0, 1]], [[0, 0]]]"],
  pooled: [`logits=${LOGITS}`, "target=[[[0, 1]], [[0, 0]]]"],
  swapped: [`p=${PROBABILITIES}`, `target=${CHANNELS}`],
  keras_style: [`p=${PROBABILITIES}`, `target=${CHANNELS}`],
} as const;
type User = keyof typeof USERS;

const MONAI = "monai.losses.";
const SMP = "segmentation_models_pytorch.losses.";
const NNUNET = "nnunetv2.training.loss.dice.";

interface Row {
  readonly trap: string;
  readonly where: string;
  readonly user: User;
  readonly call: string;
  /** The same loss with settings that do not meet it; null where every call does. */
  readonly without: string | null;
}

const row = (
  trap: string,
  where: string,
  user: User,
  call: string,
  without: string | null = null,
): Row => ({ trap, where, user, call, without });

const ROWS: readonly Row[] = [
  row("micro-softmax-is-not-dice", "Kornia, all up to 0.9.0", "labels",
    "kornia.losses.DiceLoss()", 'kornia.losses.DiceLoss(average="macro")'),
  row("denominator-only-epsilon", "Kornia, ≤ 0.8.3", "labels",
    'kornia.losses.DiceLoss(average="macro")', "kornia.losses.DiceLoss()"),
  row("kornia-macro-classes-present", "Kornia, ≥ 0.9", "labels",
    'kornia.losses.dice_loss(average="macro")', "kornia.losses.dice_loss()"),
  row("kornia-tversky-only-the-sum-counts", "Kornia, ≤ 0.8.3", "labels",
    "kornia.losses.TverskyLoss(alpha=0.3, beta=0.7)", "kornia.losses.TverskyLoss(alpha=0.5, beta=0.5)"),
  row("keras-tversky-swapped", "Keras, ≤ 3.15.1", "keras_style",
    "keras.losses.Tversky(alpha=0.3, beta=0.7)", "keras.losses.Tversky()"),
  row("keras-axis-none", "Keras, ≥ 3.2", "keras_style",
    "keras.losses.Dice()", "keras.losses.Dice(axis=(1, 2))"),
  row("keras-expects-probabilities", "Keras, all up to 3.15.1", "channels", "keras.losses.Dice()"),
  row("denominator-only-epsilon", "Keras, all up to 3.15.1", "keras_style", "keras.losses.Dice()"),
  row("monai-no-activation", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}DiceLoss()`, `${MONAI}DiceLoss(sigmoid=True)`),
  row("monai-weights-not-normalized", "MONAI, ≥ 1.3", "channels",
    `${MONAI}DiceLoss(sigmoid=True, weight=[1, 2, 3])`, `${MONAI}DiceLoss(sigmoid=True)`),
  row("background-gradient-through-softmax", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}DiceLoss(softmax=True, include_background=False)`, `${MONAI}DiceLoss(softmax=True)`),
  row("monai-jaccard-half-smoothing", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}DiceLoss(sigmoid=True, jaccard=True)`, `${MONAI}DiceLoss(sigmoid=True)`),
  row("tversky-smoothing-counts-double", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}TverskyLoss(sigmoid=True)`,
    `${MONAI}TverskyLoss(sigmoid=True, smooth_nr=0, smooth_dr=0)`),
  row("monai-gdl-absent-class-weight", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}GeneralizedDiceLoss(sigmoid=True)`,
    `${MONAI}GeneralizedDiceLoss(sigmoid=True, w_type="uniform")`),
  row("monai-mask-before-activation", "MONAI, ≤ 1.5.2", "masked",
    `${MONAI}MaskedDiceLoss(sigmoid=True)`, `${MONAI}MaskedDiceLoss()`),
  row("monai-dicece-two-weightings", "MONAI, all up to 1.6.1", "labels",
    `${MONAI}DiceCELoss(softmax=True, to_onehot_y=True, weight=torch.tensor([1.0, 2.0, 3.0]))`,
    `${MONAI}DiceCELoss(softmax=True, weight=torch.tensor([1.0, 2.0, 3.0]))`),
  row("monai-dicece-background-in-ce", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}DiceCELoss(softmax=True, include_background=False)`,
    `${MONAI}DiceCELoss(softmax=True)`),
  row("monai-focal-is-sigmoid", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}DiceFocalLoss(softmax=True)`, `${MONAI}DiceFocalLoss(sigmoid=True)`),
  row("monai-focal-sum-is-a-mean-over-space", "MONAI, all up to 1.6.1", "channels",
    `${MONAI}DiceFocalLoss(sigmoid=True, reduction="sum")`, `${MONAI}DiceFocalLoss(sigmoid=True)`),
  row("absent-class-keeps-its-share", "segmentation_models_pytorch, all up to 0.6.0", "labels",
    `${SMP}DiceLoss(mode="multiclass")`),
  row("smp-batch-dice", "segmentation_models_pytorch, all up to 0.6.0", "channels",
    `${SMP}DiceLoss(mode="multilabel")`),
  row("smp-smoothing-counts-double", "segmentation_models_pytorch, ≥ 0.4", "channels",
    `${SMP}DiceLoss(mode="multilabel", smooth=1.0)`, `${SMP}DiceLoss(mode="multilabel")`),
  row("smp-l1-overlap", "segmentation_models_pytorch, ≥ 0.4", "channels",
    `${SMP}JaccardLoss(mode="multilabel")`),
  row("smp-gamma-after-mean", "segmentation_models_pytorch, all up to 0.6.0", "channels",
    `${SMP}TverskyLoss(mode="multilabel", gamma=2.0)`, `${SMP}TverskyLoss(mode="multilabel")`),
  row("clamped-denominator", "segmentation_models_pytorch, all up to 0.6.0", "channels",
    `${SMP}DiceLoss(mode="multilabel")`, `${SMP}DiceLoss(mode="multilabel", eps=0.0)`),
  row("nnunet-negative-score", "nnU-Net, all up to 2.8.1", "channels",
    `${NNUNET}SoftDiceLoss(apply_nonlin=torch.sigmoid)`),
  row("nnunet-trainer-defaults", "nnU-Net, all up to 2.8.1", "channels",
    `${NNUNET}SoftDiceLoss(apply_nonlin=torch.sigmoid)`,
    `${NNUNET}SoftDiceLoss(apply_nonlin=torch.sigmoid, smooth=1e-5)`),
  row("nnunet-clip-tp", "nnU-Net, all up to 2.8.1", "channels",
    `${NNUNET}SoftDiceLoss(apply_nonlin=torch.sigmoid, clip_tp=0.5)`,
    `${NNUNET}SoftDiceLoss(apply_nonlin=torch.sigmoid)`),
  row("nnunet-batch-dice-across-processes", "nnU-Net, all up to 2.8.1", "channels",
    `${NNUNET}SoftDiceLoss(apply_nonlin=torch.sigmoid, batch_dice=True)`,
    `${NNUNET}SoftDiceLoss(apply_nonlin=torch.sigmoid, batch_dice=True, ddp=False)`),
  row("mmseg-ignore-index-is-a-channel", "MMSegmentation, ≥ 1.1.2", "labels",
    "mmseg.models.losses.DiceLoss()", "mmseg.models.losses.DiceLoss(ignore_index=None)"),
  row("mmseg-mask-in-the-numerator-only", "MMSegmentation, ≤ 1.0", "labels",
    "mmseg.models.losses.DiceLoss()"),
  row("mmseg-sigmoid-by-default", "MMSegmentation, ≥ 1.1", "labels",
    "mmseg.models.losses.DiceLoss()", "mmseg.models.losses.DiceLoss(use_sigmoid=False)"),
  row("mmseg-classes-pooled", "MMSegmentation, ≥ 1.1", "labels", "mmseg.models.losses.DiceLoss()"),
  row("squared-denominator", "MMDetection, all up to 3.3.0", "channels",
    "mmdet.models.losses.DiceLoss()", "mmdet.models.losses.DiceLoss(naive_dice=True)"),
  row("denominator-only-epsilon", "MMDetection, all up to 3.3.0", "channels",
    "mmdet.models.losses.DiceLoss()", "mmdet.models.losses.DiceLoss(naive_dice=True)"),
  row("squared-denominator", "MMSegmentation, all up to 1.2.2", "labels",
    "mmseg.models.losses.DiceLoss()", "mmseg.models.losses.DiceLoss(naive_dice=True)"),
  row("denominator-only-epsilon", "MMSegmentation, all up to 1.2.2", "labels",
    "mmseg.models.losses.DiceLoss()", "mmseg.models.losses.DiceLoss(naive_dice=True)"),
  row("catalyst-batch-dice", "Catalyst, all up to 22.4", "keras_style",
    "catalyst.contrib.losses.DiceLoss()"),
  row("catalyst-epsilon-in-empty-numerators", "Catalyst, all up to 22.4", "keras_style",
    "catalyst.contrib.losses.DiceLoss()"),
  row("weights-on-the-score", "Catalyst, all up to 22.4", "keras_style",
    'catalyst.contrib.losses.DiceLoss(mode="weighted", weights=[1, 2, 3])',
    "catalyst.contrib.losses.DiceLoss()"),
  row("alpha-weighs-false-negatives", "Catalyst, all up to 22.4", "keras_style",
    "catalyst.contrib.losses.TrevskyLoss(alpha=0.3, beta=0.7)",
    "catalyst.contrib.losses.TrevskyLoss(alpha=0.5, beta=0.5)"),
  row("focal-gamma-is-reciprocal", "Catalyst, all up to 22.4", "keras_style",
    "catalyst.contrib.losses.FocalTrevskyLoss(alpha=0.7)",
    "catalyst.contrib.losses.FocalTrevskyLoss(alpha=0.7, gamma=1.0)"),
  row("metric-not-differentiable", "TorchMetrics, all up to 1.9.0", "keras_style",
    'torchmetrics.functional.segmentation.dice_score(num_classes=3, input_format="one-hot")'),
  row("ultralytics-smooth-one", "Ultralytics, all up to 8.4.190", "channels",
    "ultralytics.utils.loss.BCEDiceLoss()"),
  row("detr-count-is-not-the-rows", "DETR, as of commit 29901c5", "channels",
    "models.segmentation.dice_loss(num_boxes=2)"),
  row("numerator-without-two", "DiceLoss-PyTorch (hubutui), as of commit 9b1e982", "channels",
    "hubutui.loss.BinaryDiceLoss()"),
  row("vnet-code-uses-argmax", "Milletari, Navab, Ahmadi 2016, reference code", "keras_style",
    "papers.vnet_dice()"),
]; // prettier-ignore

const watch = { onProgress: () => undefined, isCancelled: () => false };
const named = (t: TrapNote): string => `${t.id}: ${t.library}, ${t.versions}`;

describe("a trap of a standard loss", function () {
  this.timeout(120_000);
  let parser: PythonParser;
  before(async () => {
    parser = await loadParserFromDisk();
  });

  function comparedWith(user: User, calls: readonly string[]): Comparison {
    const engine = { parser, files: filesFor() };
    const job = {
      source: LOSSES, file: "losses.py", callable: user, values: USERS[user], wrt: null,
      directory: ".",
    }; // prettier-ignore
    const others = calls.map((call) => ({ kind: "catalogue", call }) as const);
    const result = compareSource(job, others, engine, watch);
    if ("failure" in result) return assert.fail(result.failure.message);
    return result.comparison;
  }

  /** What the calls of the table meet, each in a comparison with the user's loss. */
  const told = new Map<string, readonly TrapNote[]>();
  function met(user: User, call: string): string[] {
    if (!told.has(`${user} ${call}`)) {
      const calls = [...new Set(ROWS.filter((r) => r.user === user).map((r) => r.call))];
      const { pairs } = comparedWith(user, calls);
      calls.forEach((c, k) => told.set(`${user} ${c}`, pairs[k]!.traps ?? []));
    }
    return told.get(`${user} ${call}`)!.map(named);
  }

  function metBySettings(call: string): string[] {
    const { entry, parameters } = parseCall(call);
    return trapsMet(entry, new Settings(parameters), { classes: 3 }).map(named);
  }

  for (const { trap, where, user, call, without } of ROWS) {
    it(`is named in a comparison that meets it: ${trap} (${where})`, () => {
      const traps = met(user, call);
      assert.ok(traps.includes(`${trap}: ${where}`), traps.join("\n"));
      if (without !== null) assert.ok(!metBySettings(without).includes(`${trap}: ${where}`));
    });
  }

  it("is one of those tested above, wherever a loss of an installed library has it", () => {
    const libraries = new Set(ROWS.map((r) => r.where.slice(0, r.where.lastIndexOf(", "))));
    const tested = new Set(ROWS.map((r) => `${r.trap}: ${r.where}`));
    const missing = catalogueList("")
      .flatMap((entry) => entry.traps)
      .filter((t) => libraries.has(t.library) && !tested.has(named(t)));
    assert.deepEqual([...new Set(missing.map(named))], []);
  });

  it("stands in every form of the report, with the versions that have it", () => {
    const comparison = comparedWith("labels", ["kornia.losses.DiceLoss()"]);
    const drawn = draw(comparison);
    const sentence = /Sums over the classes of a softmax are constant/;
    assert.match(drawn.plain, /^trap \(Kornia, all up to 0\.9\.0\): Sums over the classes/m);
    for (const text of [drawn.plain, drawn.markdown, drawn.html]) {
      assert.match(text, sentence);
      assert.match(text, /all up to 0\.9\.0/);
    }
    const read = readPayload(JSON.parse(JSON.stringify(comparison)));
    assert.ok(read.kind === "comparison");
    assert.deepEqual(read.comparison.pairs[0]!.traps, comparison.pairs[0]!.traps);
  });

  it("is named of the user's own loss too, where that is one that has it", () => {
    const own = (user: User, call: string, name: RegExp): string[] =>
      comparedWith(user, [call])
        .matches!.filter((m) => m.exact && name.test(m.call))
        .flatMap((m) => (m.traps ?? []).map((t) => t.id));
    const swapped = own("swapped", "keras.losses.Dice()", /^keras\.losses\.Tversky/);
    assert.ok(swapped.includes("keras-tversky-swapped"));
    const micro = own("pooled", 'kornia.losses.dice_loss(average="macro")', /^kornia/);
    assert.ok(micro.includes("micro-softmax-is-not-dice"));
  });

  it("is not named of a loss that the user's comes near to", () => {
    const { matches } = comparedWith("labels", ["kornia.losses.DiceLoss()"]);
    assert.ok(matches!.every((m) => m.exact || m.traps === undefined));
  });
});
