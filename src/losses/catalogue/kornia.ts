/** Kornia 0.9.0: kornia.losses. */
import type {
  CatalogueEntry,
  LossParameter,
  Settings,
  Source,
  TargetForm,
  Trap,
} from "../entry.ts";
import { type FamilySpec, familySpec } from "../spec.ts";
import { arrays, choice, float, optional } from "./parameters.ts";

function source(file: string, symbol: string): Source {
  return {
    kind: "library",
    package: "kornia",
    version: "0.9.0",
    file: `kornia/losses/${file}`,
    symbol,
    url: `https://github.com/kornia/kornia/blob/main/kornia/losses/${file}`,
  };
}

const EPS = float("eps", 1e-8, "added to the denominator");
const IGNORE: LossParameter = {
  ...optional("ignore_index", "int", "label of voxels that do not count"),
  default: -100,
};

function common(s: Settings): Partial<FamilySpec> {
  return {
    activation: "softmax",
    targetEncoding: "one-hot",
    smoothDenominator: s.scalar("eps"),
    emptyRegion: "score zero",
    ...(!s.isNone("ignore_index") && {
      mask: "after activation",
      ignoredLabel: s.number("ignore_index"),
    }),
  };
}

function dice(s: Settings): FamilySpec {
  const micro = s.text("average") === "micro";
  const weights = s.isNone("weight") ? null : s.numbers("weight");
  return familySpec({
    ...common(s),
    region: micro ? "class and space" : "space",
    absentClasses: micro ? "kept" : "left out",
    ...(weights !== null && {
      classWeighting: micro ? "arrays" : "normalized loss",
      weights,
    }),
  });
}

const MICRO: Trap = {
  id: "micro-softmax-is-not-dice",
  sentence:
    "Sums over the classes of a softmax are constant, and so is the denominator: the loss is 1 minus the mean probability of the right class, without any balancing of classes.",
  versions: "all",
  applies: (s) => s.text("average") === "micro" && s.isNone("weight"),
};
const DENOMINATOR: Trap = {
  id: "denominator-only-epsilon",
  sentence:
    "Up to 0.8.3 the macro mean was over all classes, with eps in the denominator only: a class that a sample does not hold added a loss of 1, and no gradient pushed its prediction down.",
  versions: "≤ 0.8.3",
  applies: (s) => s.text("average") === "macro",
};
const PRESENT: Trap = {
  id: "kornia-macro-classes-present",
  sentence:
    "The macro mean is over the classes that a sample holds; a class that it does not hold has no gradient of its own, and false positives of it cost nothing.",
  versions: "≥ 0.9",
  applies: (s) => s.text("average") === "macro",
};
const TVERSKY_PRESENT: Trap = { ...PRESENT, applies: () => true };
const OLD_TVERSKY: Trap = {
  id: "kornia-tversky-only-the-sum-counts",
  sentence:
    "Up to 0.8.3 the sums ran over all classes of the softmax, where false positives equal false negatives: only alpha + beta had an effect.",
  versions: "≤ 0.8.3",
  applies: (s) => s.number("alpha") !== s.number("beta"),
};

const base = {
  library: "Kornia",
  layout: "channels-first",
  arrays: arrays("pred", "target"),
  target: (): TargetForm => "labels",
} as const;

const DICE = {
  ...base,
  title: "Dice loss",
  about: "Softmax Dice, pooled over classes (micro) or as a mean over the classes present (macro).",
  parameters: [
    choice("average", ["micro", "macro"], "one ratio over all classes, or one a class"),
    EPS,
    { ...optional("weight", "floats", "one weight for each class"), wrapper: "torch.tensor" },
    IGNORE,
  ],
  spec: dice,
  traps: [MICRO, DENOMINATOR, PRESENT],
} as const;

const TVERSKY = {
  ...base,
  title: "Tversky loss",
  about: "Softmax Tversky index of each class present, with weights for both kinds of error.",
  parameters: [
    float("alpha", undefined, "weight of false positives"),
    float("beta", undefined, "weight of false negatives"),
    EPS,
    IGNORE,
  ],
  spec: (s: Settings) =>
    familySpec({
      ...common(s),
      absentClasses: "left out",
      ratio: { kind: "tversky", alpha: s.scalar("alpha"), beta: s.scalar("beta") },
    }),
  traps: [TVERSKY_PRESENT, OLD_TVERSKY],
} as const;

export const KORNIA: readonly CatalogueEntry[] = [
  {
    ...DICE,
    id: "kornia.losses.dice_loss",
    aliases: [],
    form: "function",
    source: source("dice.py", "dice_loss"),
  },
  {
    ...DICE,
    id: "kornia.losses.DiceLoss",
    aliases: [],
    form: "class",
    source: source("dice.py", "DiceLoss"),
  },
  {
    ...TVERSKY,
    id: "kornia.losses.tversky_loss",
    aliases: [],
    form: "function",
    source: source("tversky.py", "tversky_loss"),
  },
  {
    ...TVERSKY,
    id: "kornia.losses.TverskyLoss",
    aliases: [],
    form: "class",
    source: source("tversky.py", "TverskyLoss"),
  },
];
