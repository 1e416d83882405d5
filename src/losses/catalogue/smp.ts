/**
 * segmentation_models_pytorch 0.6.0, and two libraries that hold its earlier form: pytorch-toolbelt
 * 0.8.0, where it comes from, and torchseg 0.0.1a4.
 */
import type {
  ArrayFacts,
  CatalogueEntry,
  LossParameter,
  Settings,
  Source,
  Trap,
} from "../entry.ts";
import { FamilyError, type FamilySpec, type Ratio, familySpec } from "../spec.ts";
import { arrays, choice, flag, float, optional } from "./parameters.ts";

const MODE = choice(
  "mode",
  ["binary", "multiclass", "multilabel"],
  "sigmoid of one channel, softmax with class numbers, or sigmoid of several channels",
  undefined,
);
const PARAMETERS: readonly LossParameter[] = [
  { name: MODE.name, type: MODE.type, choices: MODE.choices!, about: MODE.about },
  optional("classes", "ints", "classes that count; all if not given"),
  flag("log_loss", false, "the logarithm of the score instead of 1 - score"),
  flag("from_logits", true, "apply the activation"),
  float("smooth", 0, "added to numerator and denominator"),
  optional("ignore_index", "int", "label of voxels that do not count"),
  float("eps", 1e-7, "lower limit of the denominator"),
];
const WEIGHTS = optional("class_weights", "floats", "one weight for each class");
const TVERSKY: readonly LossParameter[] = [
  float("alpha", 0.5, "weight of false positives"),
  float("beta", 0.5, "weight of false negatives"),
  float("gamma", 1, "exponent of the mean loss"),
];

const target = (s: Settings) =>
  s.text("mode") === "multiclass" ? "labels" : "like the prediction";

/** What the three losses share; `overlap` is what the libraries differ in. */
function common(
  s: Settings,
  { classes }: ArrayFacts,
  overlap: FamilySpec["overlap"],
  ratio: Ratio,
  has: { readonly ignore: boolean; readonly weights: boolean },
): FamilySpec {
  const mode = s.text("mode");
  if (mode === "binary" && classes !== 1) {
    throw new FamilyError('mode="binary" takes a prediction with one channel');
  }
  const only = s.isNone("classes") ? null : s.numbers("classes");
  if (only !== null && mode === "binary") {
    throw new FamilyError('classes are not chosen with mode="binary"');
  }
  const given = has.weights && !s.isNone("class_weights") ? s.numbers("class_weights") : null;
  if (given !== null && mode === "binary") {
    throw new FamilyError('class_weights are not supported with mode="binary"');
  }
  const ignored = has.ignore && !s.isNone("ignore_index");
  return familySpec({
    activation: !s.flag("from_logits") ? "none" : mode === "multiclass" ? "softmax" : "sigmoid",
    logSpace: true,
    targetEncoding: mode === "multiclass" ? "one-hot" : "as given",
    ...(ignored && {
      mask: "after activation",
      ignoredLabel: s.number("ignore_index"),
      ignoredBy: "entry",
    }),
    classes: only === null ? "all" : { only },
    overlap,
    ratio,
    region: "batch and space",
    smoothNumerator: s.scalar("smooth"),
    smoothDenominator: s.scalar("smooth"),
    denominatorFloor: s.scalar("eps"),
    absentClasses: "zero loss",
    loss: s.flag("log_loss") ? "-log D" : "1 - D",
    scoreFloor: s.flag("log_loss") ? s.scalar("eps") : 0,
    ...(given !== null && {
      classWeighting: "normalized loss",
      weights: only === null ? given : only.map((c) => given[c] ?? NaN),
    }),
  });
}

/** Dice as the Tversky score that newer versions compute: s and eps stand beside I, not 2I. */
const HALVES: Ratio = { kind: "tversky", alpha: 0.5, beta: 0.5 };
const JACCARD: Ratio = { kind: "jaccard" };

function tverskyRatio(s: Settings): Ratio {
  return { kind: "tversky", alpha: s.scalar("alpha"), beta: s.scalar("beta") };
}

function withGamma(s: Settings, spec: FamilySpec): FamilySpec {
  const outer = { kind: "power", exponent: s.scalar("gamma") } as const;
  return { ...spec, outer, outerPlace: "after the mean" };
}

const ABSENT: Trap = {
  id: "absent-class-keeps-its-share",
  sentence:
    "A class that the target does not hold gives no loss and no gradient, yet the mean still divides by all classes: the gradient of the others shrinks.",
  versions: "all",
  applies: (s) => s.text("mode") !== "binary",
};
const BATCH: Trap = {
  id: "smp-batch-dice",
  sentence:
    "Sums run over the whole batch, so that the loss of a sample depends on the others and on the batch size.",
  versions: "all",
  applies: () => true,
};
const DOUBLE_SMOOTHING: Trap = {
  id: "smp-smoothing-counts-double",
  sentence:
    "Since 0.4 the smoothing stands beside I and not beside 2I: the same smooth acts like twice that value in 0.3 and in other Dice losses.",
  versions: "≥ 0.4",
  applies: (s) => s.number("smooth") !== 0,
};
const SOFT_LABELS: Trap = {
  id: "smp-l1-overlap",
  sentence:
    "Since 0.4 the overlap is ½(P + T - Σ|p - t|): the same for hard labels, another gradient for soft ones, zero where p = t.",
  versions: "≥ 0.4",
  applies: () => true,
};
const GAMMA: Trap = {
  id: "smp-gamma-after-mean",
  sentence:
    "gamma is the power of the mean loss, one factor for all classes, where the focal Tversky loss takes the power of each class.",
  versions: "all",
  applies: (s, { classes }) => s.number("gamma") !== 1 && classes > 1,
};
const CLAMP: Trap = {
  id: "clamped-denominator",
  sentence:
    "eps is a lower limit of the denominator and is not added: below it no gradient passes through the denominator.",
  versions: "all",
  applies: (s) => s.number("eps") !== 0,
};

const CLASSES_AS_SHAPE: Trap = {
  id: "toolbelt-classes-list-is-a-shape",
  sentence:
    "classes given as a list becomes numpy.ndarray(list), an array of that shape with whatever the memory held: other classes count than those named. A tensor is read as it stands.",
  versions: "0.8.0",
  applies: (s) => !s.isNone("classes"),
};

const TRAPS = [ABSENT, BATCH, CLAMP];

interface Library {
  readonly library: string;
  readonly prefix: string;
  readonly overlap: FamilySpec["overlap"];
  readonly weights: boolean;
  readonly dice: Ratio;
  readonly ignoreInJaccard: boolean;
  /** What a list of classes must be wrapped in. */
  readonly classesAs: string | null;
  readonly source: (file: string, symbol: string) => Source;
  readonly aliases: (name: string) => readonly string[];
  readonly traps: readonly Trap[];
}

function losses(lib: Library, withTversky: boolean): CatalogueEntry[] {
  const own = PARAMETERS.map((p) =>
    p.name === "classes" && lib.classesAs !== null ? { ...p, wrapper: lib.classesAs } : p,
  );
  const parameters = lib.weights ? [...own, WEIGHTS] : own;
  const base = {
    library: lib.library,
    form: "class",
    layout: "channels-first",
    arrays: arrays("y_pred", "y_true"),
    target,
  } as const;
  const has = { ignore: true, weights: lib.weights };
  const made: CatalogueEntry[] = [
    {
      ...base,
      id: `${lib.prefix}.DiceLoss`,
      aliases: lib.aliases("DiceLoss"),
      title: "Dice loss",
      about: "One Dice ratio a class over the whole batch; absent classes give none.",
      parameters,
      spec: (s, facts) => common(s, facts, lib.overlap, lib.dice, has),
      source: lib.source("dice.py", "DiceLoss"),
      traps: [...TRAPS, ...lib.traps],
    },
    {
      ...base,
      id: `${lib.prefix}.JaccardLoss`,
      aliases: lib.aliases("JaccardLoss"),
      title: "Jaccard (IoU) loss",
      about: "One intersection over union a class over the whole batch.",
      parameters: lib.ignoreInJaccard
        ? parameters
        : parameters.filter((p) => p.name !== "ignore_index"),
      spec: (s, facts) =>
        common(s, facts, lib.overlap, JACCARD, { ...has, ignore: lib.ignoreInJaccard }),
      source: lib.source("jaccard.py", "JaccardLoss"),
      traps: [...TRAPS, ...lib.traps.filter((t) => t !== DOUBLE_SMOOTHING)],
    },
  ];
  if (!withTversky) return made;
  const ordered = [...PARAMETERS, ...TVERSKY, ...(lib.weights ? [WEIGHTS] : [])];
  return [
    ...made,
    {
      ...base,
      id: `${lib.prefix}.TverskyLoss`,
      aliases: lib.aliases("TverskyLoss"),
      title: "Tversky loss",
      about: "Weights for false positives and negatives, and a power of the mean loss.",
      parameters: ordered,
      spec: (s, facts) => withGamma(s, common(s, facts, lib.overlap, tverskyRatio(s), has)),
      source: lib.source("tversky.py", "TverskyLoss"),
      traps: [...TRAPS, GAMMA, ...lib.traps.filter((t) => t !== DOUBLE_SMOOTHING)],
    },
  ];
}

const SMP: Library = {
  library: "segmentation_models_pytorch",
  prefix: "segmentation_models_pytorch.losses",
  overlap: "l1",
  weights: true,
  dice: HALVES,
  ignoreInJaccard: true,
  classesAs: null,
  source: (file, symbol) => ({
    kind: "library",
    package: "segmentation_models_pytorch",
    version: "0.6.0",
    file: `segmentation_models_pytorch/losses/${file}`,
    symbol,
    url: `https://github.com/qubvel-org/segmentation_models.pytorch/blob/v0.5.0/segmentation_models_pytorch/losses/${file}`,
  }),
  aliases: (name) => [`smp.losses.${name}`],
  traps: [DOUBLE_SMOOTHING, SOFT_LABELS],
};

const TORCHSEG: Library = {
  ...SMP,
  library: "torchseg",
  prefix: "torchseg.losses",
  overlap: "product",
  weights: false,
  dice: { kind: "dice" },
  source: (file, symbol) => ({
    kind: "library",
    package: "torchseg",
    version: "0.0.1a4",
    file: `torchseg/losses/${file}`,
    symbol,
    url: `https://github.com/isaaccorley/torchseg/blob/main/torchseg/losses/${file}`,
  }),
  aliases: () => [],
  traps: [],
};

const TOOLBELT: Library = {
  ...TORCHSEG,
  library: "pytorch-toolbelt",
  prefix: "pytorch_toolbelt.losses",
  ignoreInJaccard: false,
  classesAs: "torch.tensor",
  traps: [CLASSES_AS_SHAPE],
  source: (file, symbol) => ({
    kind: "library",
    package: "pytorch_toolbelt",
    version: "0.8.0",
    file: `pytorch_toolbelt/losses/${file}`,
    symbol,
    url: `https://github.com/BloodAxe/pytorch-toolbelt/blob/develop/pytorch_toolbelt/losses/${file}`,
  }),
};

export const SEGMENTATION_MODELS: readonly CatalogueEntry[] = [
  ...losses(SMP, true),
  ...losses(TORCHSEG, true),
  ...losses(TOOLBELT, false),
];
