/** Catalyst 22.4, TorchMetrics 1.9.0 and Ultralytics 8.4.190. */
import type { ArrayFacts, CatalogueEntry, Settings, Source, Trap } from "../entry.ts";
import { FamilyError, type FamilySpec, type Ratio, type Reduction, familySpec } from "../spec.ts";
import { REDUCTION, arrays, choice, flag, float, int, optional } from "./parameters.ts";

const like = () => "like the prediction" as const;

function catalystSource(file: string, symbol: string): Source {
  return {
    kind: "library",
    package: "catalyst",
    version: "22.4",
    file: `catalyst/contrib/losses/${file}`,
    symbol,
    url: `https://github.com/catalyst-team/catalyst/blob/v22.04/catalyst/contrib/losses/${file}`,
  };
}

const MODE = choice(
  "mode",
  ["macro", "micro", "weighted"],
  "mean of the classes, one ratio over all, or the weighted sum",
);
const CATALYST = [
  { ...int("class_dim", 1, "axis of the classes"), choices: [1] },
  MODE,
  optional("weights", "floats", "one weight for each class, with mode weighted"),
  float("eps", 1e-7, "added to the denominator"),
];

/** 1 minus the mean or the weighted sum of the scores. */
function catalyst(s: Settings, ratio: Ratio): FamilySpec {
  const mode = s.text("mode");
  if (mode === "weighted" && s.isNone("weights")) {
    throw new FamilyError('mode="weighted" needs weights');
  }
  return familySpec({
    ratio,
    region: mode === "micro" ? "everything" : "batch and space",
    smoothDenominator: s.scalar("eps"),
    emptyRegion: "smoothed numerator",
    ...(mode === "weighted" && {
      classWeighting: "score",
      weights: s.numbers("weights"),
      classReduction: "sum",
      lossPlace: "after the classes",
    }),
  });
}

/** Here alpha multiplies false negatives; beta is 1 - alpha if it is not given. */
function catalystTversky(s: Settings): Ratio {
  const alpha = s.number("alpha");
  const beta = s.isNone("beta") ? { name: "beta", value: 1 - alpha } : s.scalar("beta");
  return { kind: "tversky", alpha: beta, beta: s.scalar("alpha") };
}

function catalystFocal(s: Settings): FamilySpec {
  const micro = s.text("mode") === "micro";
  return {
    ...catalyst(s, catalystTversky(s)),
    region: micro ? "class and space" : "space",
    lossPlace: "after the classes",
    outer: { kind: "power", exponent: s.scalar("gamma") },
    outerPlace: "after the classes",
  };
}

function smoothing(s: Settings): FamilySpec {
  return {
    ...catalyst(s, { kind: "dice" }),
    predictionPower: 2,
    targetPower: 2,
    emptyRegion: "as computed",
  };
}

const BATCH: Trap = {
  id: "catalyst-batch-dice",
  sentence: "Sums run over the whole batch: the loss depends on the batch size.",
  versions: "all",
  applies: () => true,
};
const EMPTY_ONLY: Trap = {
  id: "catalyst-epsilon-in-empty-numerators",
  sentence:
    "eps is in the denominator always, in the numerator only where prediction and target are exactly zero: an empty target with any prediction scores 0 and sends no gradient.",
  versions: "all",
  applies: () => true,
};
const UNNORMALIZED: Trap = {
  id: "weights-on-the-score",
  sentence:
    "Weights multiply the scores, which are summed: unless they sum to 1 the loss leaves [0, 1] and the gradient scales with them.",
  versions: "all",
  applies: (s) => s.text("mode") === "weighted",
};
const ALPHA: Trap = {
  id: "alpha-weighs-false-negatives",
  sentence:
    "alpha multiplies the false negatives and beta the false positives, the reverse of the paper and of most libraries.",
  versions: "all",
  applies: (s) => s.isNone("beta") || s.number("alpha") !== s.number("beta"),
};
const GAMMA: Trap = {
  id: "focal-gamma-is-reciprocal",
  sentence:
    "The exponent is gamma, where the paper's is 1/gamma: with 4/3 small losses lose gradient instead of gaining it.",
  versions: "all",
  applies: (s) => s.number("gamma") !== 1,
};

const base = {
  library: "Catalyst",
  form: "class",
  layout: "channels-first",
  arrays: arrays("outputs", "targets"),
  target: like,
} as const;
const TVERSKY = [
  float("alpha", undefined, "weight of false negatives"),
  optional("beta", "float", "weight of false positives; 1 - alpha if not given"),
];

export const TORCH_LIBRARIES: readonly CatalogueEntry[] = [
  {
    ...base,
    id: "catalyst.contrib.losses.DiceLoss",
    aliases: [],
    title: "Dice loss",
    about: "A Dice ratio a class over the whole batch, on probabilities.",
    parameters: CATALYST,
    spec: (s) => catalyst(s, { kind: "dice" }),
    source: catalystSource("dice.py", "DiceLoss"),
    traps: [BATCH, EMPTY_ONLY, UNNORMALIZED],
  },
  {
    ...base,
    id: "catalyst.contrib.losses.IoULoss",
    aliases: [],
    title: "Jaccard (IoU) loss",
    about: "Intersection over union a class over the whole batch, on probabilities.",
    parameters: CATALYST,
    spec: (s) => catalyst(s, { kind: "jaccard" }),
    source: catalystSource("iou.py", "IoULoss"),
    traps: [BATCH, EMPTY_ONLY, UNNORMALIZED],
  },
  {
    ...base,
    id: "catalyst.contrib.losses.TrevskyLoss",
    aliases: ["catalyst.contrib.losses.TverskyLoss"],
    title: "Tversky loss",
    about: "The Tversky index a class over the whole batch, on probabilities.",
    parameters: [...TVERSKY, ...CATALYST],
    spec: (s) => catalyst(s, catalystTversky(s)),
    source: catalystSource("trevsky.py", "TrevskyLoss"),
    traps: [ALPHA, BATCH, EMPTY_ONLY, UNNORMALIZED],
  },
  {
    ...base,
    id: "catalyst.contrib.losses.FocalTrevskyLoss",
    aliases: ["catalyst.contrib.losses.FocalTverskyLoss"],
    title: "focal Tversky loss",
    about: "The mean over samples of a power of the Tversky loss.",
    parameters: [...TVERSKY, float("gamma", 4 / 3, "exponent of a sample's loss"), ...CATALYST],
    spec: catalystFocal,
    source: catalystSource("trevsky.py", "FocalTrevskyLoss"),
    traps: [ALPHA, GAMMA, EMPTY_ONLY, UNNORMALIZED],
  },
  {
    ...base,
    id: "catalyst.contrib.losses.SmoothingDiceLoss",
    aliases: ["catalyst.contrib.losses.smoothing_dice.SmoothingDiceLoss"],
    title: "squared Dice loss",
    about: "Dice with squares in the denominator, over the whole batch.",
    parameters: CATALYST,
    spec: smoothing,
    source: catalystSource("smoothing_dice.py", "SmoothingDiceLoss"),
    traps: [BATCH, UNNORMALIZED],
  },
  {
    id: "torchmetrics.functional.segmentation.dice_score",
    aliases: ["torchmetrics.functional.segmentation.dice.dice_score"],
    title: "Dice score",
    library: "TorchMetrics",
    about: "The Dice score of each sample, without smoothing: a metric, not a loss.",
    form: "function",
    layout: "channels-first",
    arrays: arrays("preds", "target"),
    parameters: [
      { name: "num_classes", type: "int", about: "number of classes" },
      flag("include_background", true, "whether class 0 is compared as well"),
      choice(
        "average",
        ["macro", "micro", "none"],
        "mean of the classes, one ratio, or all scores",
      ),
      choice("input_format", ["one-hot"], "arrays with channels"),
      choice("aggregation_level", ["samplewise", "global"], "one score a sample, or one in all"),
    ],
    target: like,
    spec: torchmetrics,
    source: {
      kind: "library",
      package: "torchmetrics",
      version: "1.9.0",
      file: "torchmetrics/functional/segmentation/dice.py",
      symbol: "dice_score",
      url: "https://github.com/Lightning-AI/torchmetrics/blob/v1.9.0/src/torchmetrics/functional/segmentation/dice.py",
    },
    traps: [
      {
        id: "metric-not-differentiable",
        sentence:
          "Predictions become the one-hot encoding of their largest channel, which no gradient passes: the score measures, but does not train.",
        versions: "all",
        applies: () => true,
      },
    ],
  },
  {
    id: "ultralytics.utils.loss.MultiChannelDiceLoss",
    aliases: [],
    title: "Dice loss",
    library: "Ultralytics",
    about: "Sigmoid Dice a sample and channel, averaged over channels and samples.",
    form: "class",
    layout: "channels-first",
    arrays: arrays("pred", "target"),
    parameters: [float("smooth", 1e-6, "added to numerator and denominator"), REDUCTION],
    target: like,
    spec: (s) => ({
      ...ultralytics(s.scalar("smooth")),
      batchReduction: s.text("reduction") as Reduction,
    }),
    source: ultralyticsSource("MultiChannelDiceLoss"),
    traps: [],
  },
  {
    id: "ultralytics.utils.loss.BCEDiceLoss",
    aliases: [],
    title: "Dice and binary cross entropy",
    library: "Ultralytics",
    about: "A weighted sum of sigmoid Dice and the binary cross entropy of the logits.",
    form: "class",
    layout: "channels-first",
    arrays: arrays("pred", "target"),
    parameters: [
      float("weight_bce", 0.5, "factor of the cross entropy"),
      float("weight_dice", 0.5, "factor of the Dice term"),
    ],
    target: like,
    spec: (s) => ({
      ...ultralytics(1),
      factor: s.scalar("weight_dice"),
      addends: [
        {
          loss: "binary cross entropy",
          weight: s.scalar("weight_bce"),
          takes: "logits",
          reduction: "mean",
        },
      ],
    }),
    source: ultralyticsSource("BCEDiceLoss"),
    traps: [
      {
        id: "ultralytics-smooth-one",
        sentence: "The Dice term here takes smooth=1, not the 1e-6 that it has on its own.",
        versions: "all",
        applies: () => true,
      },
    ],
  },
];

function torchmetrics(s: Settings, { classes }: ArrayFacts): FamilySpec {
  const average = s.text("average");
  const global = s.text("aggregation_level") === "global";
  const micro = average === "micro";
  if (s.number("num_classes") !== classes) {
    throw new FamilyError(
      `num_classes=${s.number("num_classes")} does not fit ${classes} channels`,
    );
  }
  return familySpec({
    activation: "argmax",
    classes: s.flag("include_background") || classes === 1 ? "all" : "without background",
    region: global
      ? micro
        ? "everything"
        : "batch and space"
      : micro
        ? "class and space"
        : "space",
    loss: "D",
    emptyRegion: average === "macro" ? "left out" : "as computed",
    classReduction: average === "none" ? "none" : "mean",
    batchReduction: "none",
  });
}

function ultralytics(smooth: FamilySpec["smoothNumerator"]): FamilySpec {
  return familySpec({ activation: "sigmoid", smoothNumerator: smooth, smoothDenominator: smooth });
}

function ultralyticsSource(symbol: string): Source {
  return {
    kind: "library",
    package: "ultralytics",
    version: "8.4.190",
    file: "ultralytics/utils/loss.py",
    symbol,
    url: "https://github.com/ultralytics/ultralytics/blob/main/ultralytics/utils/loss.py",
  };
}
