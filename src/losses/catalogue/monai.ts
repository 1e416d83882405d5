/** MONAI 1.6.1: the losses of monai.losses. */
import type {
  ArrayFacts,
  CatalogueEntry,
  LossParameter,
  Settings,
  Source,
  Trap,
} from "../entry.ts";
import {
  type Addend,
  FamilyError,
  type FamilySpec,
  type Reduction,
  type WeightValues,
  familySpec,
  scaled,
} from "../spec.ts";
import { REDUCTION, arrays, callable, choice, flag, float, optional } from "./parameters.ts";

const VERSION = "1.6.1";

function source(file: string, symbol: string): Source {
  const url = `https://github.com/Project-MONAI/MONAI/blob/${VERSION}/monai/losses/${file}`;
  return {
    kind: "library",
    package: "monai",
    version: VERSION,
    file: `monai/losses/${file}`,
    symbol,
    url,
  };
}

const ACTIVATIONS: Readonly<Record<string, FamilySpec["activation"]>> = {
  "torch.sigmoid": "sigmoid",
  "torch.tanh": "tanh",
  "torch.relu": "relu",
};

const COMMON: readonly LossParameter[] = [
  flag("include_background", true, "whether channel 0 is compared as well"),
  flag("to_onehot_y", false, "the target holds class numbers, shape (B, 1, …)"),
  flag("sigmoid", false, "apply a sigmoid to the prediction"),
  flag("softmax", false, "apply a softmax over the channels"),
  callable("other_act", Object.keys(ACTIVATIONS), "another activation"),
];
const SMOOTH: readonly LossParameter[] = [
  float("smooth_nr", 1e-5, "added to the numerator"),
  float("smooth_dr", 1e-5, "added to the denominator"),
];
const BATCH = flag("batch", false, "sum over the batch before dividing");
const SOFT = flag("soft_label", false, "the overlap that fits labels between 0 and 1");
const IGNORE = optional("ignore_index", "int", "label of voxels that do not count");
const SQUARED = flag("squared_pred", false, "squares in the denominator");
const JACCARD = flag("jaccard", false, "intersection over union instead of Dice");
const WEIGHT = optional("weight", "floats", "one weight for each class compared");

/** One-hot targets have the prediction's channels; class numbers stand in one. */
const target = (s: Settings, { classes }: ArrayFacts) =>
  s.flag("to_onehot_y") && classes > 1 ? "labels with a channel" : "like the prediction";

/** What all of them do before they sum. A single channel has no softmax and no background. */
function prepared(s: Settings, { classes }: ArrayFacts): Partial<FamilySpec> {
  const other = s.text("other_act");
  if (Number(s.flag("sigmoid")) + Number(s.flag("softmax")) + Number(other !== null) > 1) {
    throw new FamilyError("at most one of sigmoid, softmax and other_act may be set");
  }
  const several = classes > 1;
  return {
    activation: s.flag("sigmoid")
      ? "sigmoid"
      : s.flag("softmax") && several
        ? "softmax"
        : other === null
          ? "none"
          : ACTIVATIONS[other]!,
    targetEncoding: s.flag("to_onehot_y") && several ? "one-hot" : "as given",
    classes: s.flag("include_background") || !several ? "all" : "without background",
    region: s.flag("batch") ? "batch and space" : "space",
    ...reduced(s),
  };
}

function reduced(s: Settings): Partial<FamilySpec> {
  const how = s.text("reduction") as Reduction;
  return { classReduction: how, batchReduction: how };
}

function ignored(s: Settings): Partial<FamilySpec> {
  return s.isNone("ignore_index")
    ? {}
    : { mask: "after activation", ignoredLabel: s.number("ignore_index") };
}

/** Classes that are compared, so those that weights are for. */
const compared = (s: Settings, { classes }: ArrayFacts): number =>
  s.flag("include_background") || classes === 1 ? classes : classes - 1;

function weighted(weights: WeightValues | null): Partial<FamilySpec> {
  return weights === null ? {} : { classWeighting: "loss", weights };
}

function diceFields(s: Settings, facts: ArrayFacts): FamilySpec {
  const power = s.flag("squared_pred") ? 2 : 1;
  const jaccard = s.flag("jaccard");
  const scale = jaccard ? 0.5 : 1;
  const count = compared(s, facts);
  const given = s.isNone("weight") || count === 1 ? null : s.numbers("weight");
  const every = given?.length === 1 && typeof s.raw("weight") === "number";
  return familySpec({
    ...prepared(s, facts),
    ratio: { kind: jaccard ? "jaccard" : "dice" },
    predictionPower: power,
    targetPower: power,
    // The denominator is 2(P + T - I) + s for Jaccard, so that half of s is what counts.
    smoothNumerator: scaled(s.scalar("smooth_nr"), scale),
    smoothDenominator: scaled(s.scalar("smooth_dr"), scale),
    ...weighted(every ? Array<number>(count).fill(given[0]!) : given),
  });
}

/** The overlap from norms: with squares the same as the product, without them the L1 form. */
function softLabel(s: Settings, squared: boolean): Partial<FamilySpec> {
  return s.flag("soft_label") && !squared ? { overlap: "l1", absoluteSums: true } : {};
}

function dice(s: Settings, facts: ArrayFacts): FamilySpec {
  return {
    ...diceFields(s, facts),
    ...softLabel(s, s.flag("squared_pred")),
    ...ignored(s),
  };
}

function generalized(s: Settings, facts: ArrayFacts): FamilySpec {
  const powers: Readonly<Record<string, number>> = { square: 2, simple: 1, uniform: 0 };
  return familySpec({
    ...prepared(s, facts),
    ...softLabel(s, false),
    classWeighting: "volume",
    volumePower: powers[s.text("w_type") ?? "square"]!,
    absentWeight: { kind: "largest finite" },
    smoothNumerator: s.scalar("smooth_nr"),
    smoothDenominator: s.scalar("smooth_dr"),
  });
}

function tversky(s: Settings, facts: ArrayFacts): FamilySpec {
  return familySpec({
    ...prepared(s, facts),
    ...softLabel(s, false),
    ...ignored(s),
    ratio: { kind: "tversky", alpha: s.scalar("alpha"), beta: s.scalar("beta") },
    smoothNumerator: s.scalar("smooth_nr"),
    smoothDenominator: s.scalar("smooth_dr"),
  });
}

/** A cross entropy over the channels, or a binary one where there is a single channel. */
function crossEntropy(s: Settings, { classes }: ArrayFacts): Addend {
  const weight = s.isNone("weight") ? null : s.numbers("weight");
  const reduction = s.text("reduction") === "sum" ? "sum" : "mean";
  const base = { weight: s.scalar("lambda_ce"), takes: "logits", reduction } as const;
  if (classes === 1) {
    return { ...base, loss: "binary cross entropy", ...(weight && { positiveWeight: weight }) };
  }
  return {
    ...base,
    loss: "cross entropy",
    ...(weight && { classWeights: weight }),
    // A target of probabilities is weighted but not divided by the weights.
    ...(weight && !s.flag("to_onehot_y") && { unnormalizedWeights: true }),
    ...(s.number("label_smoothing") !== 0 && { labelSmoothing: s.scalar("label_smoothing") }),
  };
}

function diceCE(s: Settings, facts: ArrayFacts): FamilySpec {
  const spec = diceFields(s, facts);
  // The weights are for all channels; Dice takes those of the classes it compares.
  const weights = spec.weights === "input" ? spec.weights : spec.weights.slice(-compared(s, facts));
  return {
    ...spec,
    weights,
    factor: s.scalar("lambda_dice"),
    addends: [crossEntropy(s, facts)],
  };
}

function diceFocal(s: Settings, facts: ArrayFacts): FamilySpec {
  const count = compared(s, facts);
  const given = s.isNone("weight") ? null : s.numbers("weight");
  const single = typeof s.raw("weight") === "number";
  return {
    ...diceFields(s, facts),
    factor: s.scalar("lambda_dice"),
    addends: [
      {
        loss: "binary focal",
        weight: s.scalar("lambda_focal"),
        takes: "logits",
        reduction: s.text("reduction") === "sum" ? "mean over space, then sum" : "mean",
        gamma: s.scalar("gamma"),
        ...(!s.isNone("alpha") && { alpha: s.scalar("alpha") }),
        ...(count < facts.classes && { withoutBackground: true }),
        ...(given && { classWeights: single ? Array<number>(count).fill(given[0]!) : given }),
      },
    ],
  };
}

const UNACTIVATED: Trap = {
  id: "monai-no-activation",
  sentence:
    "Without sigmoid, softmax or other_act no activation is applied: logits go straight into the sums, where the denominator may be negative.",
  versions: "all",
  applies: (s) => !s.flag("sigmoid") && !s.flag("softmax") && s.isNone("other_act"),
};
const WEIGHTS: Trap = {
  id: "monai-weights-not-normalized",
  sentence:
    "Class weights multiply the losses, and the mean still divides by the number of classes: doubling all weights doubles the gradient.",
  versions: "≥ 1.3",
  applies: (s) => !s.isNone("weight") && s.text("reduction") === "mean",
};
const BACKGROUND: Trap = {
  id: "background-gradient-through-softmax",
  sentence:
    "Without its background the loss still sends gradient into channel 0, through the softmax over all channels.",
  versions: "all",
  applies: (s, { classes }) => !s.flag("include_background") && s.flag("softmax") && classes > 1,
};
const HALF_SMOOTHING: Trap = {
  id: "monai-jaccard-half-smoothing",
  sentence:
    "With jaccard=True numerator and denominator are both doubled, so that smooth_nr and smooth_dr count half as much as in a Jaccard loss.",
  versions: "all",
  applies: (s) => s.flag("jaccard"),
};
const ABSENT_WEIGHT: Trap = {
  id: "monai-gdl-absent-class-weight",
  sentence:
    "A class that the target does not hold would weigh infinitely; it gets the largest weight of the classes present instead, and none at all where every class is absent.",
  versions: "all",
  applies: (s) => s.text("w_type") !== "uniform",
};
const TVERSKY_SMOOTHING: Trap = {
  id: "tversky-smoothing-counts-double",
  sentence:
    "The smoothing is added to I and to I + αFP + βFN; with α = β = ½ it therefore acts like twice that smoothing in the Dice loss.",
  versions: "all",
  applies: (s) => s.number("smooth_nr") !== 0 || s.number("smooth_dr") !== 0,
};
const MASK_ORDER: Trap = {
  id: "monai-mask-before-activation",
  sentence:
    "Up to 1.5 the mask multiplied the logits, so that each masked voxel counted as a prediction of ½ (sigmoid) or 1/C (softmax) and shrank the gradient of all others.",
  versions: "≤ 1.5.2",
  applies: (s) => s.flag("sigmoid") || s.flag("softmax"),
};
const TWO_WEIGHTS: Trap = {
  id: "monai-dicece-two-weightings",
  sentence:
    "One weight serves two rules: with class numbers as the target the cross entropy divides by the sum of the weights over the voxels, the Dice term does not.",
  versions: "all",
  applies: (s) => !s.isNone("weight") && s.flag("to_onehot_y"),
};
const CE_ALL_CLASSES: Trap = {
  id: "monai-dicece-background-in-ce",
  sentence:
    "include_background=False affects the Dice term only; the cross entropy takes all classes.",
  versions: "all",
  applies: (s, { classes }) => !s.flag("include_background") && classes > 1,
};

const DICE_OPTIONS = [...COMMON, SQUARED, JACCARD, REDUCTION, ...SMOOTH, BATCH, WEIGHT];
const DICE_TRAPS = [UNACTIVATED, WEIGHTS, BACKGROUND, HALF_SMOOTHING];

const base = {
  library: "MONAI",
  form: "class",
  layout: "channels-first",
  arrays: arrays("input", "target"),
  target,
} as const;

export const MONAI: readonly CatalogueEntry[] = [
  {
    ...base,
    id: "monai.losses.DiceLoss",
    aliases: ["monai.losses.dice.DiceLoss", "monai.losses.Dice"],
    title: "Dice loss",
    about: "A Dice ratio for each sample and class, smoothed in numerator and denominator.",
    parameters: [...DICE_OPTIONS, SOFT, IGNORE],
    spec: dice,
    source: source("dice.py", "DiceLoss"),
    traps: DICE_TRAPS,
  },
  {
    ...base,
    id: "monai.losses.MaskedDiceLoss",
    aliases: ["monai.losses.dice.MaskedDiceLoss"],
    title: "masked Dice loss",
    about: "The Dice loss of prediction and target times a mask.",
    arrays: arrays("input", "target", "mask"),
    parameters: [...DICE_OPTIONS, SOFT],
    spec: (s, facts) => ({
      ...diceFields(s, facts),
      ...softLabel(s, s.flag("squared_pred")),
      mask: "after activation",
    }),
    source: source("dice.py", "MaskedDiceLoss"),
    traps: [...DICE_TRAPS, MASK_ORDER],
  },
  {
    ...base,
    id: "monai.losses.GeneralizedDiceLoss",
    aliases: ["monai.losses.dice.GeneralizedDiceLoss"],
    title: "generalized Dice loss",
    about: "One ratio over all classes, each weighted by its inverse (squared) volume.",
    parameters: [
      ...COMMON,
      choice("w_type", ["square", "simple", "uniform"], "weights 1/T², 1/T or 1"),
      REDUCTION,
      ...SMOOTH,
      BATCH,
      SOFT,
    ],
    spec: generalized,
    source: source("dice.py", "GeneralizedDiceLoss"),
    traps: [UNACTIVATED, ABSENT_WEIGHT, BACKGROUND],
  },
  {
    ...base,
    id: "monai.losses.TverskyLoss",
    aliases: ["monai.losses.tversky.TverskyLoss"],
    title: "Tversky loss",
    about: "Dice with weights for false positives (alpha) and false negatives (beta).",
    parameters: [
      ...COMMON,
      float("alpha", 0.5, "weight of false positives"),
      float("beta", 0.5, "weight of false negatives"),
      REDUCTION,
      ...SMOOTH,
      BATCH,
      SOFT,
      IGNORE,
    ],
    spec: tversky,
    source: source("tversky.py", "TverskyLoss"),
    traps: [UNACTIVATED, TVERSKY_SMOOTHING, BACKGROUND],
  },
  {
    ...base,
    id: "monai.losses.DiceCELoss",
    aliases: ["monai.losses.dice.DiceCELoss"],
    title: "Dice and cross entropy",
    about: "A weighted sum of the Dice loss and the cross entropy of the logits.",
    parameters: [
      ...DICE_OPTIONS.filter((p) => p !== REDUCTION && p !== WEIGHT),
      { ...WEIGHT, wrapper: "torch.tensor", about: "one weight for each channel" },
      choice("reduction", ["mean", "sum"], "how both terms become one number"),
      float("lambda_dice", 1, "factor of the Dice term"),
      float("lambda_ce", 1, "factor of the cross entropy"),
      float("label_smoothing", 0, "label smoothing of the cross entropy alone"),
    ],
    spec: diceCE,
    source: source("dice.py", "DiceCELoss"),
    traps: [...DICE_TRAPS, TWO_WEIGHTS, CE_ALL_CLASSES],
  },
  {
    ...base,
    id: "monai.losses.DiceFocalLoss",
    aliases: ["monai.losses.dice.DiceFocalLoss"],
    title: "Dice and focal loss",
    about: "A weighted sum of the Dice loss and the sigmoid focal loss of the logits.",
    parameters: [
      ...DICE_OPTIONS.filter((p) => p !== REDUCTION && p !== WEIGHT),
      choice("reduction", ["mean", "sum"], "how both terms become one number"),
      float("gamma", 2, "exponent of the focal term"),
      WEIGHT,
      float("lambda_dice", 1, "factor of the Dice term"),
      float("lambda_focal", 1, "factor of the focal term"),
      optional("alpha", "float", "weight of the positive class in the focal term"),
    ],
    spec: diceFocal,
    source: source("dice.py", "DiceFocalLoss"),
    traps: [
      ...DICE_TRAPS,
      {
        id: "monai-focal-sum-is-a-mean-over-space",
        sentence:
          'With reduction="sum" the focal term is averaged over the voxels first: it is no sum over voxels.',
        versions: "all",
        applies: (s) => s.text("reduction") === "sum",
      },
      {
        id: "monai-focal-is-sigmoid",
        sentence:
          "The focal term takes the sigmoid of each logit, also where the Dice term takes a softmax.",
        versions: "all",
        applies: (s) => s.flag("softmax"),
      },
    ],
  },
];
