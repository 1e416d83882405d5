/** MMSegmentation 1.2.2 and MMDetection 3.3.0: their Dice losses, and MMSegmentation's Tversky. */
import type { ArrayFacts, CatalogueEntry, Settings, Source, Trap } from "../entry.ts";
import { FamilyError, type FamilySpec, type Reduction, familySpec, scaled } from "../spec.ts";
import { REDUCTION, arrays, flag, float, int, optional } from "./parameters.ts";

function source(name: "mmseg" | "mmdet", file: string, symbol: string): Source {
  const [project, version] =
    name === "mmseg" ? ["mmsegmentation", "1.2.2"] : ["mmdetection", "3.3.0"];
  return {
    kind: "library",
    package: name === "mmseg" ? "mmsegmentation" : "mmdet",
    version: version,
    file: `${name}/models/losses/${file}`,
    symbol,
    url: `https://github.com/open-mmlab/${project}/blob/v${version}/${name}/models/losses/${file}`,
  };
}

const OPTIONS = [
  flag("use_sigmoid", true, "sigmoid instead of softmax"),
  flag("activate", true, "apply the activation"),
  REDUCTION,
  flag("naive_dice", false, "plain sums instead of squares in the denominator"),
  float("loss_weight", 1, "factor of the loss"),
];
const EPS = float("eps", 1e-3, "smoothing: twice in the denominator, or in both if naive");

/** One ratio a sample over all classes and voxels. */
function dice(s: Settings, activation: FamilySpec["activation"]): FamilySpec {
  const naive = s.flag("naive_dice");
  const eps = s.scalar("eps");
  return familySpec({
    activation: s.flag("activate") ? activation : "none",
    region: "class and space",
    predictionPower: naive ? 1 : 2,
    targetPower: naive ? 1 : 2,
    smoothNumerator: naive ? eps : 0,
    smoothDenominator: naive ? eps : scaled(eps, 2),
    batchReduction: s.text("reduction") as Reduction,
    factor: s.scalar("loss_weight"),
  });
}

function segmentation(s: Settings, { classes, labels }: ArrayFacts): FamilySpec {
  const ignored = s.isNone("ignore_index") ? -1 : s.number("ignore_index");
  const only = Array.from({ length: classes }, (_, c) => c).filter((c) => c !== ignored);
  const softmax = classes > 1 ? "softmax" : "none";
  return {
    ...dice(s, s.flag("use_sigmoid") ? "sigmoid" : softmax),
    targetEncoding: labels === true ? "one-hot" : "as given",
    classes: only.length === classes ? "all" : { only },
  };
}

function tversky(s: Settings, { classes }: ArrayFacts): FamilySpec {
  if (s.number("alpha") + s.number("beta") !== 1) {
    throw new FamilyError("the sum of alpha and beta must be 1");
  }
  const label = s.isNone("ignore_index") ? null : s.number("ignore_index");
  const given = s.isNone("class_weight") ? null : s.numbers("class_weight");
  // A class that is the ignored label is skipped, but the mean still divides by all of them.
  const skipped = label !== null && label >= 0 && label < classes;
  const weights = Array.from({ length: classes }, (_, c) =>
    skipped && c === label ? 0 : (given?.[c] ?? 1),
  );
  return familySpec({
    activation: "softmax",
    targetEncoding: "one-hot",
    ...(label !== null && { mask: "after activation", ignoredLabel: label }),
    ratio: { kind: "tversky", alpha: s.scalar("alpha"), beta: s.scalar("beta") },
    smoothNumerator: s.scalar("smooth"),
    smoothDenominator: s.scalar("smooth"),
    ...((given !== null || skipped) && { classWeighting: "loss", weights }),
    factor: s.scalar("loss_weight"),
  });
}

const IGNORE_IS_CHANNEL: Trap = {
  id: "mmseg-ignore-index-is-a-channel",
  sentence:
    "ignore_index leaves out the channel of that number. Voxels labelled 255 are not masked: their target is zero in all classes, and their predictions still count in the denominator and receive gradient.",
  versions: "≥ 1.1.2",
  applies: (s) => !s.isNone("ignore_index"),
};
const NUMERATOR_MASK: Trap = {
  id: "mmseg-mask-in-the-numerator-only",
  sentence:
    "Up to 1.0 the mask of ignored voxels multiplied the numerator only, and label 255 counted as the last class: ignored voxels received gradient.",
  versions: "≤ 1.0",
  applies: () => true,
};
const SIGMOID: Trap = {
  id: "mmseg-sigmoid-by-default",
  sentence:
    "The default activation is the sigmoid, also where the other losses of the head use a softmax.",
  versions: "≥ 1.1",
  applies: (s, { classes }) => s.flag("use_sigmoid") && s.flag("activate") && classes > 1,
};
const POOLED: Trap = {
  id: "mmseg-classes-pooled",
  sentence:
    "Sums run over classes and voxels together, one ratio a sample: large classes decide it. With softmax and naive_dice its denominator is constant, and it is no Dice any more.",
  versions: "≥ 1.1",
  applies: (_, { classes }) => classes > 1,
};
const SQUARED: Trap = {
  id: "squared-denominator",
  sentence:
    "Without naive_dice the denominator holds squares: false positives of low probability get almost no gradient.",
  versions: "all",
  applies: (s) => !s.flag("naive_dice"),
};
const EMPTY: Trap = {
  id: "denominator-only-epsilon",
  sentence:
    "Without naive_dice eps stands in the denominator only: without foreground in the target the gradient is zero.",
  versions: "all",
  applies: (s) => !s.flag("naive_dice"),
};

export const OPENMMLAB: readonly CatalogueEntry[] = [
  {
    id: "mmseg.models.losses.DiceLoss",
    aliases: ["mmseg.models.losses.dice_loss.DiceLoss"],
    title: "Dice loss",
    library: "MMSegmentation",
    about: "One ratio a sample over all classes, with squares in the denominator unless naive.",
    form: "class",
    layout: "channels-first",
    arrays: arrays("pred", "target"),
    parameters: [
      ...OPTIONS,
      { ...int("ignore_index", 255, "channel that is left out"), nullable: true },
      EPS,
    ],
    target: (_, { classes }) => (classes > 1 ? "labels" : "like the prediction"),
    spec: segmentation,
    source: source("mmseg", "dice_loss.py", "DiceLoss"),
    traps: [IGNORE_IS_CHANNEL, SIGMOID, POOLED, SQUARED, EMPTY, NUMERATOR_MASK],
  },
  {
    id: "mmseg.models.losses.TverskyLoss",
    aliases: ["mmseg.models.losses.tversky_loss.TverskyLoss"],
    title: "Tversky loss",
    library: "MMSegmentation",
    about: "The mean over classes and samples of 1 minus the Tversky index.",
    form: "class",
    layout: "channels-first",
    arrays: arrays("pred", "target"),
    parameters: [
      float("smooth", 1, "added to numerator and denominator"),
      optional("class_weight", "floats", "one weight for each class"),
      float("loss_weight", 1, "factor of the loss"),
      { ...int("ignore_index", 255, "label of voxels that do not count"), nullable: true },
      float("alpha", 0.3, "weight of false positives"),
      float("beta", 0.7, "weight of false negatives"),
    ],
    target: () => "labels",
    spec: tversky,
    source: source("mmseg", "tversky_loss.py", "TverskyLoss"),
    traps: [],
  },
  {
    id: "mmdet.models.losses.DiceLoss",
    aliases: ["mmdet.models.losses.dice_loss.DiceLoss"],
    title: "Dice loss of instance masks",
    library: "MMDetection",
    about: "One ratio an instance, with squares in the denominator unless naive.",
    form: "class",
    layout: "channels-first",
    arrays: arrays("pred", "target"),
    parameters: [{ ...OPTIONS[0]!, choices: [true] }, ...OPTIONS.slice(1), EPS],
    target: () => "like the prediction",
    spec: (s) => dice(s, "sigmoid"),
    source: source("mmdet", "dice_loss.py", "DiceLoss"),
    traps: [SQUARED, EMPTY],
  },
];
