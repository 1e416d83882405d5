/**
 * Losses of projects whose code is read, not installed: instance segmentation (DETR and after it)
 * and much-copied training code. Each is checked against a transcription of its formula.
 */
import type {
  ArrayParameter,
  CatalogueEntry,
  LossParameter,
  Settings,
  Source,
  Trap,
} from "../entry.ts";
import { type FamilySpec, familySpec } from "../spec.ts";
import { arrays, choice, flag, float, optional } from "./parameters.ts";

function source(repository: string, commit: string, file: string, symbol: string): Source {
  return {
    kind: "library",
    package: repository,
    transcribed: true,
    version: commit,
    file,
    symbol,
    url: `https://github.com/${repository}/blob/${commit}/${file}`,
  };
}

const like = () => "like the prediction" as const;
const base = { layout: "channels-first", target: like } as const;

/** The Dice loss of matched masks: a row a mask, the sum divided by a count. */
function instances(
  id: string,
  library: string,
  count: string,
  from: Source,
  traps: readonly Trap[],
): CatalogueEntry {
  return {
    ...base,
    id,
    aliases: [],
    title: "Dice loss of matched masks",
    library,
    about: "Sigmoid Dice of each mask with smoothing 1, summed and divided by a given count.",
    form: "function",
    arrays: arrays("inputs", "targets"),
    parameters: [float(count, undefined, "what the sum over masks is divided by")],
    spec: (s) =>
      familySpec({
        activation: "sigmoid",
        region: "class and space",
        smoothNumerator: 1,
        smoothDenominator: 1,
        batchReduction: "sum",
        factor: 1 / s.number(count),
      }),
    source: from,
    traps,
  };
}

const COUNT: Trap = {
  id: "detr-count-is-not-the-rows",
  sentence:
    "The sum is divided by the number of target boxes, averaged over processes, not by the number of rows: unmatched targets shrink the gradient.",
  versions: "all",
  applies: () => true,
};
const POINTS: Trap = {
  id: "mask2former-sampled-points",
  sentence:
    "The masks are sampled at 12 544 points, mostly uncertain ones: the smoothing of 1 is relative to points, not to pixels.",
  versions: "all",
  applies: () => true,
};
const SOFT_LABELS: Trap = {
  id: "product-overlap-with-soft-labels",
  sentence:
    "With soft labels the loss is not zero, nor its gradient, where prediction and target are equal.",
  versions: "all",
  applies: () => true,
};

const EMPTY: Trap = {
  id: "denominator-only-epsilon",
  sentence:
    "Nothing is added to the numerator: without foreground in the target the gradient is zero.",
  versions: "all",
  applies: () => true,
};
const POOLED: Trap = {
  id: "micro-softmax-is-not-dice",
  sentence:
    "With multiclass=True all classes are pooled: after a softmax the denominator is constant, and the loss is 1 minus the mean probability of the right class.",
  versions: "all",
  applies: (s) => s.flag("multiclass"),
};
const NUMERATOR_WEIGHTS: Trap = {
  id: "weights-on-the-numerator",
  sentence:
    "Class weights multiply the numerator only: with weights above 1 the loss can be negative.",
  versions: "all",
  applies: (s) => !s.isNone("weight"),
};
const NO_FACTOR_TWO: Trap = {
  id: "numerator-without-two",
  sentence:
    "The numerator has no factor 2: the loss cannot fall below about ½, and its gradient is about half.",
  versions: "all",
  applies: () => true,
};
const NOT_JACCARD: Trap = {
  id: "tensorlayer-jaccard-is-squared-dice",
  sentence: 'loss_type="jaccard" is Dice with squares in the denominator, not the Jaccard index.',
  versions: "all",
  applies: (s) => s.text("loss_type") === "jaccard",
};
const SCORE_WEIGHTS: Trap = {
  id: "weights-on-the-score",
  sentence:
    "Class weights multiply the scores and are not normalized: with a mean weight above 1 the loss is negative.",
  versions: "all",
  applies: (s) => !s.isNone("class_weights"),
};
const TWO_BACKENDS: Trap = {
  id: "voxelmorph-backends-differ",
  sentence:
    "Where a region is empty the TensorFlow version scores 0, the PyTorch version divides by its lower limit.",
  versions: "all",
  applies: () => true,
};

const SIGMOID_OR_SOFTMAX: LossParameter = choice(
  "normalization",
  ["sigmoid", "softmax", "none"],
  "the activation",
);

function normalized(s: Settings): FamilySpec["activation"] {
  return s.text("normalization") as "sigmoid" | "softmax" | "none";
}

const WOLNY = "wolny/pytorch-3dunet";
const U3D = "pytorch3dunet/unet3d/losses.py";

function swapped(prediction: string, target: string): ArrayParameter[] {
  return arrays(prediction, target).reverse();
}

export const PROJECTS: readonly CatalogueEntry[] = [
  instances(
    "detr.models.segmentation.dice_loss",
    "DETR",
    "num_boxes",
    source("facebookresearch/detr", "29901c5", "models/segmentation.py", "dice_loss"),
    [COUNT],
  ),
  instances(
    "mask_former.modeling.criterion.dice_loss",
    "MaskFormer",
    "num_masks",
    source("facebookresearch/MaskFormer", "main", "mask_former/modeling/criterion.py", "dice_loss"),
    [COUNT],
  ),
  instances(
    "mask2former.modeling.criterion.dice_loss",
    "Mask2Former",
    "num_masks",
    source(
      "facebookresearch/Mask2Former",
      "9b0651c",
      "mask2former/modeling/criterion.py",
      "dice_loss",
    ),
    [COUNT, POINTS],
  ),
  instances(
    "sam2.training.loss_fns.dice_loss",
    "SAM 2",
    "num_objects",
    source("facebookresearch/sam2", "2b90b9f", "training/loss_fns.py", "dice_loss"),
    [COUNT, SOFT_LABELS],
  ),
  {
    ...base,
    id: "utils.dice_score.dice_loss",
    aliases: ["pytorch_unet.utils.dice_score.dice_loss"],
    title: "Dice loss of Pytorch-UNet",
    library: "Pytorch-UNet (milesial)",
    about: "One ratio for the whole batch; all classes pooled if multiclass.",
    form: "function",
    arrays: arrays("input", "target"),
    parameters: [flag("multiclass", false, "pool several classes")],
    spec: () =>
      familySpec({
        region: "everything",
        smoothNumerator: 1e-6,
        smoothDenominator: 1e-6,
        emptyRegion: "score one",
      }),
    source: source("milesial/Pytorch-UNet", "21d7850", "utils/dice_score.py", "dice_loss"),
    traps: [POOLED],
  },
  {
    ...base,
    id: "pytorch3dunet.unet3d.losses.DiceLoss",
    aliases: [],
    title: "squared Dice loss",
    library: "pytorch-3dunet",
    about: "A ratio a class over the batch, with squares in the denominator and no smoothing.",
    form: "class",
    arrays: arrays("input", "target"),
    parameters: [optional("weight", "floats", "one weight for each class"), SIGMOID_OR_SOFTMAX],
    spec: (s) =>
      familySpec({
        activation: normalized(s),
        region: "batch and space",
        predictionPower: 2,
        targetPower: 2,
        denominatorFloor: 1e-6,
        ...(!s.isNone("weight") && { classWeighting: "numerator", weights: s.numbers("weight") }),
      }),
    source: source(WOLNY, "a33e2c7", U3D, "DiceLoss"),
    traps: [NUMERATOR_WEIGHTS, EMPTY],
  },
  {
    ...base,
    id: "pytorch3dunet.unet3d.losses.GeneralizedDiceLoss",
    aliases: [],
    title: "generalized Dice loss",
    library: "pytorch-3dunet",
    about: "One ratio of sums over classes, each weighted by 1/T² with a limit for absent ones.",
    form: "class",
    arrays: arrays("input", "target"),
    parameters: [SIGMOID_OR_SOFTMAX, float("epsilon", 1e-6, "lower limit of T² and of a class")],
    spec: (s, { classes }) =>
      familySpec({
        activation: normalized(s),
        classes: classes === 1 ? "with complement" : "all",
        region: "batch and space",
        classWeighting: "volume",
        absentWeight: { kind: "floor", at: s.scalar("epsilon") },
        denominatorFloor: s.scalar("epsilon"),
        floorPlace: "each class",
      }),
    source: source(WOLNY, "a33e2c7", U3D, "GeneralizedDiceLoss"),
    traps: [
      {
        id: "gdl-absent-class-weight",
        sentence:
          "An absent class weighs 1/epsilon, a million by default, and then decides the whole ratio.",
        versions: "all",
        applies: () => true,
      },
    ],
  },
  {
    ...base,
    id: "pytorch_loss.SoftDiceLossV1",
    aliases: ["pytorch_loss.soft_dice_loss.SoftDiceLossV1"],
    title: "soft Dice loss",
    library: "pytorch-loss (CoinCheung)",
    about: "One sigmoid Dice ratio for the whole batch, with a chosen power in the denominator.",
    form: "class",
    arrays: arrays("logits", "labels"),
    parameters: [
      float("p", 1, "power in the denominator"),
      float("smooth", 1, "added to numerator and denominator"),
    ],
    spec: (s) =>
      familySpec({
        activation: "sigmoid",
        region: "everything",
        predictionPower: s.number("p"),
        targetPower: s.number("p"),
        smoothNumerator: s.scalar("smooth"),
        smoothDenominator: s.scalar("smooth"),
      }),
    source: source(
      "CoinCheung/pytorch-loss",
      "67d0158",
      "pytorch_loss/soft_dice_loss.py",
      "SoftDiceLossV1",
    ),
    traps: [],
  },
  {
    ...base,
    id: "hubutui.loss.BinaryDiceLoss",
    aliases: ["BinaryDiceLoss"],
    title: "binary Dice loss",
    library: "DiceLoss-PyTorch (hubutui)",
    about: "A much-copied loss whose numerator lacks the factor 2.",
    form: "class",
    arrays: arrays("predict", "target"),
    parameters: [
      float("smooth", 1, "added to numerator and denominator"),
      float("p", 2, "power in the denominator"),
      choice("reduction", ["mean", "sum", "none"], "over the samples"),
    ],
    spec: (s) =>
      familySpec({
        region: "class and space",
        overlapFactor: 0.5,
        predictionPower: s.number("p"),
        targetPower: s.number("p"),
        smoothNumerator: s.scalar("smooth"),
        smoothDenominator: s.scalar("smooth"),
        batchReduction: s.text("reduction") as "mean" | "sum" | "none",
      }),
    source: source("hubutui/DiceLoss-PyTorch", "9b1e982", "loss.py", "BinaryDiceLoss"),
    traps: [NO_FACTOR_TWO],
  },
  {
    ...base,
    id: "pytorch_goodies.losses.dice_loss",
    aliases: [],
    title: "Dice loss",
    library: "pytorch-goodies (kevinzakka)",
    about: "A ratio a class over the batch; a single channel counts as foreground and background.",
    form: "function",
    arrays: swapped("logits", "true"),
    parameters: [float("eps", 1e-7, "added to the denominator")],
    target: (_, { classes }) => (classes > 1 ? "labels with a channel" : "like the prediction"),
    spec: (s, { classes }) =>
      familySpec({
        activation: classes === 1 ? "sigmoid" : "softmax",
        targetEncoding: classes === 1 ? "as given" : "one-hot",
        classes: classes === 1 ? "with complement" : "all",
        region: "batch and space",
        smoothDenominator: s.scalar("eps"),
      }),
    source: source("kevinzakka/pytorch-goodies", "master", "losses.py", "dice_loss"),
    traps: [EMPTY],
  },
  {
    ...base,
    id: "paddleseg.models.losses.DiceLoss",
    aliases: ["paddleseg.models.DiceLoss"],
    title: "Dice loss",
    library: "PaddleSeg",
    about: "Softmax Dice a sample and class, averaged over samples and classes.",
    form: "class",
    arrays: arrays("logits", "labels"),
    parameters: [float("smooth", 1, "added to numerator and denominator")],
    target: () => "labels",
    spec: (s) =>
      familySpec({
        activation: "softmax",
        targetEncoding: "one-hot",
        mask: "after activation",
        ignoredLabel: 255,
        smoothNumerator: s.scalar("smooth"),
        smoothDenominator: s.number("smooth") + 1e-8,
      }),
    source: source(
      "PaddlePaddle/PaddleSeg",
      "d7975e7",
      "paddleseg/models/losses/dice_loss.py",
      "DiceLoss",
    ),
    traps: [],
  },
  {
    ...base,
    id: "voxelmorph.torch.losses.Dice",
    aliases: [],
    title: "Dice loss",
    library: "VoxelMorph (PyTorch, before 0.3)",
    about: "Minus the mean score of samples and labels, with a lower limit of the denominator.",
    form: "class",
    arrays: swapped("y_pred", "y_true"),
    parameters: [],
    spec: () => familySpec({ loss: "-D", denominatorFloor: 1e-5 }),
    source: source("voxelmorph/voxelmorph", "ca28315", "voxelmorph/torch/losses.py", "Dice"),
    traps: [TWO_BACKENDS, EMPTY],
  },
  {
    ...base,
    id: "voxelmorph.tf.losses.Dice",
    aliases: ["neurite.tf.losses.Dice"],
    title: "Dice loss",
    library: "VoxelMorph (TensorFlow)",
    about: "Minus the mean score of samples and labels; an empty region scores 0.",
    form: "class",
    layout: "channels-last",
    arrays: swapped("y_pred", "y_true"),
    parameters: [],
    spec: () => familySpec({ loss: "-D", emptyRegion: "score zero" }),
    source: source("voxelmorph/voxelmorph", "ca28315", "voxelmorph/tf/losses.py", "Dice"),
    traps: [TWO_BACKENDS, EMPTY],
  },
  {
    ...base,
    id: "segmentation_models.losses.DiceLoss",
    aliases: ["sm.losses.DiceLoss"],
    title: "Dice loss (F-score)",
    library: "segmentation_models (Keras)",
    about: "1 minus the F-score of the classes over the batch, or of each image.",
    form: "class",
    layout: "channels-last",
    arrays: swapped("pr", "gt"),
    parameters: [
      float("beta", 1, "weight of recall against precision"),
      optional("class_weights", "floats", "one weight for each class"),
      flag("per_image", false, "one ratio an image instead of the batch"),
      float("smooth", 1e-5, "added to numerator and denominator"),
    ],
    spec: (s) => {
      const square = s.number("beta") ** 2;
      return familySpec({
        region: s.flag("per_image") ? "space" : "batch and space",
        ratio: { kind: "tversky", alpha: 1 / (1 + square), beta: square / (1 + square) },
        smoothNumerator: s.scalar("smooth", 1 / (1 + square)),
        smoothDenominator: s.scalar("smooth", 1 / (1 + square)),
        ...(!s.isNone("class_weights") && {
          classWeighting: "score",
          weights: s.numbers("class_weights"),
        }),
      });
    },
    source: source(
      "qubvel/segmentation_models",
      "1.0.1",
      "segmentation_models/losses.py",
      "DiceLoss",
    ),
    traps: [SCORE_WEIGHTS],
  },
  {
    ...base,
    id: "tensorlayer.cost.dice_coe",
    aliases: ["tl.cost.dice_coe"],
    title: "Dice coefficient",
    library: "TensorLayer",
    about: "The mean score of the images: minimize 1 minus it.",
    form: "function",
    layout: "channels-last",
    arrays: arrays("output", "target"),
    parameters: [
      choice("loss_type", ["jaccard", "sorensen"], "squares in the denominator, or plain sums"),
      float("smooth", 1e-5, "added to numerator and denominator"),
    ],
    spec: (s) => {
      const power = s.text("loss_type") === "jaccard" ? 2 : 1;
      return familySpec({
        region: "class and space",
        predictionPower: power,
        targetPower: power,
        smoothNumerator: s.scalar("smooth"),
        smoothDenominator: s.scalar("smooth"),
        loss: "D",
      });
    },
    source: source("tensorlayer/TensorLayer", "0681633", "tensorlayer/cost.py", "dice_coe"),
    traps: [NOT_JACCARD],
  },
  {
    ...base,
    id: "ivadomed.losses.DiceLoss",
    aliases: [],
    title: "Dice loss",
    library: "ivadomed",
    about: "Minus one Dice score for the whole batch.",
    form: "class",
    arrays: arrays("prediction", "target"),
    parameters: [float("smooth", 1, "added to numerator and denominator")],
    spec: (s) =>
      familySpec({
        region: "everything",
        smoothNumerator: s.scalar("smooth"),
        smoothDenominator: s.scalar("smooth"),
        loss: "-D",
      }),
    source: source("ivadomed/ivadomed", "46248ae", "ivadomed/losses.py", "DiceLoss"),
    traps: [],
  },
];
