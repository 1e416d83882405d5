/** nnU-Net 2.8.1: the Dice losses of nnunetv2.training.loss. */
import type { ArrayFacts, CatalogueEntry, Settings, Source, Trap } from "../entry.ts";
import type { PyValue } from "../python.ts";
import { type Addend, type FamilySpec, familySpec } from "../spec.ts";
import { arrays, callable, choice, flag, float, optional } from "./parameters.ts";

const ACTIVATIONS: Readonly<Record<string, FamilySpec["activation"]>> = {
  "torch.sigmoid": "sigmoid",
  "nnunetv2.utilities.helpers.softmax_helper_dim1": "softmax",
};

function source(file: string, symbol: string): Source {
  return {
    kind: "library",
    package: "nnunetv2",
    version: "2.8.1",
    file: `nnunetv2/training/loss/${file}`,
    symbol,
    url: `https://github.com/MIC-DKFZ/nnUNet/blob/v2.8.1/nnunetv2/training/loss/${file}`,
  };
}

const OPTIONS = [
  callable("apply_nonlin", Object.keys(ACTIVATIONS), "the activation"),
  flag("batch_dice", false, "one ratio a class over the batch"),
  flag("do_bg", true, "whether channel 0 is compared as well"),
  float("smooth", 1, "added to numerator and denominator"),
  flag("ddp", true, "gather the sums of all processes with batch_dice"),
];
const CLIP = optional("clip_tp", "float", "lower limit of the overlap");

/** The loss with these settings; the target may hold class numbers or channels. */
function softDice(
  s: Settings,
  facts: ArrayFacts,
  activation: FamilySpec["activation"],
): FamilySpec {
  return familySpec({
    activation,
    targetEncoding: facts.labels === true ? "one-hot" : "as given",
    mask: facts.mask === true ? "after activation" : "none",
    classes: s.flag("do_bg") || facts.classes === 1 ? "all" : "without background",
    region: s.flag("batch_dice") ? "batch and space" : "space",
    smoothNumerator: s.scalar("smooth"),
    smoothDenominator: s.scalar("smooth"),
    denominatorFloor: 1e-8,
    loss: "-D",
  });
}

const named = (s: Settings): FamilySpec["activation"] => {
  const name = s.text("apply_nonlin");
  return name === null ? "none" : ACTIVATIONS[name]!;
};

const NEGATIVE: Trap = {
  id: "nnunet-negative-score",
  sentence:
    "The loss is minus the score, between -1 and 0: its gradient is that of 1 - D, its value is not.",
  versions: "all",
  applies: () => true,
};
const TRAINER: Trap = {
  id: "nnunet-trainer-defaults",
  sentence:
    "nnU-Net's trainer does not use these defaults: it passes smooth=1e-5, do_bg=False (with softmax) and the plan's batch_dice.",
  versions: "all",
  applies: (s) => s.number("smooth") === 1,
};
const CLIPPED: Trap = {
  id: "nnunet-clip-tp",
  sentence: "Where the overlap is below clip_tp, no gradient passes through it.",
  versions: "all",
  applies: (s) => !s.isNone("clip_tp"),
};
const DDP: Trap = {
  id: "nnunet-batch-dice-across-processes",
  sentence:
    "With batch_dice and ddp the sums of all processes are added before the ratio, so that the loss is that of the whole distributed batch.",
  versions: "all",
  applies: (s) => s.flag("batch_dice") && s.flag("ddp"),
};

const DICE_DEFAULTS: Readonly<Record<string, PyValue>> = {
  batch_dice: false,
  do_bg: true,
  smooth: 1,
  ddp: true,
};

function compound(
  s: Settings,
  facts: ArrayFacts,
  activation: FamilySpec["activation"],
  addend: Addend,
): FamilySpec {
  const dice = softDice(s.within("soft_dice_kwargs", DICE_DEFAULTS), facts, activation);
  return { ...dice, factor: s.scalar("weight_dice"), addends: [addend] };
}

function diceAndCE(s: Settings, facts: ArrayFacts): FamilySpec {
  const ignored = !s.isNone("ignore_label");
  const spec = compound(s, { ...facts, mask: false, labels: true }, "softmax", {
    loss: "cross entropy",
    weight: s.scalar("weight_ce"),
    takes: "logits",
    reduction: "mean",
    ...(ignored && { masked: true }),
  });
  return ignored
    ? { ...spec, mask: "after activation", ignoredLabel: s.number("ignore_label") }
    : spec;
}

const base = {
  library: "nnU-Net",
  layout: "channels-first",
  form: "class",
} as const;
const MEMORY = "nnunetv2.training.loss.dice.MemoryEfficientSoftDiceLoss";
const SOFT = "nnunetv2.training.loss.dice.SoftDiceLoss";

export const NNUNET: readonly CatalogueEntry[] = [
  {
    ...base,
    id: SOFT,
    aliases: [],
    title: "soft Dice loss",
    about: "Minus the mean Dice score of samples (or of the batch) and classes.",
    arrays: withMask("x", "y", "loss_mask"),
    parameters: [...OPTIONS, CLIP],
    target: (_, { classes }) => (classes > 1 ? "labels with a channel" : "like the prediction"),
    spec: (s, facts) => ({
      ...softDice(s, facts, named(s)),
      overlapFloor: s.isNone("clip_tp") ? 0 : s.scalar("clip_tp"),
      // The denominator is made of the clipped overlap and of what is wrong.
      ratio: s.isNone("clip_tp") ? { kind: "dice" } : { kind: "tversky", alpha: 0.5, beta: 0.5 },
      ...(!s.isNone("clip_tp") && {
        smoothNumerator: s.scalar("smooth", 0.5),
        smoothDenominator: s.scalar("smooth", 0.5),
        denominatorFloor: 0.5e-8,
      }),
    }),
    source: source("dice.py", "SoftDiceLoss"),
    traps: [NEGATIVE, TRAINER, CLIPPED, DDP],
  },
  {
    ...base,
    id: MEMORY,
    aliases: [],
    title: "memory-efficient soft Dice loss",
    about: "The same value with fewer arrays; what nnU-Net's trainer uses.",
    arrays: withMask("x", "y", "loss_mask"),
    parameters: OPTIONS,
    target: (_, { classes }) => (classes > 1 ? "labels with a channel" : "like the prediction"),
    spec: (s, facts) => softDice(s, facts, named(s)),
    source: source("dice.py", "MemoryEfficientSoftDiceLoss"),
    traps: [NEGATIVE, TRAINER, DDP],
  },
  {
    ...base,
    id: "nnunetv2.training.loss.compound_losses.DC_and_CE_loss",
    aliases: [],
    title: "Dice and cross entropy",
    about: "A weighted sum of the soft Dice loss (softmax) and the cross entropy.",
    arrays: arrays("net_output", "target"),
    parameters: [
      { name: "soft_dice_kwargs", type: "dict", about: "settings of the Dice loss" },
      {
        name: "ce_kwargs",
        type: "dict",
        about: "none are known here",
        choices: [{ items: {} }],
      },
      float("weight_ce", 1, "factor of the cross entropy"),
      float("weight_dice", 1, "factor of the Dice loss"),
      optional("ignore_label", "int", "label of voxels that do not count"),
      diceClass(SOFT),
    ],
    target: () => "labels with a channel",
    spec: diceAndCE,
    source: source("compound_losses.py", "DC_and_CE_loss"),
    traps: [NEGATIVE],
  },
  {
    ...base,
    id: "nnunetv2.training.loss.compound_losses.DC_and_BCE_loss",
    aliases: [],
    title: "Dice and binary cross entropy",
    about: "For region-based training: sigmoid Dice and the binary cross entropy of all channels.",
    arrays: arrays("net_output", "target"),
    parameters: [
      {
        name: "bce_kwargs",
        type: "dict",
        about: "none are known here",
        choices: [{ items: {} }],
      },
      { name: "soft_dice_kwargs", type: "dict", about: "settings of the Dice loss" },
      float("weight_ce", 1, "factor of the binary cross entropy"),
      float("weight_dice", 1, "factor of the Dice loss"),
      choice("use_ignore_label", [false], "the last channel of the target masks"),
      diceClass(MEMORY),
    ],
    target: () => "like the prediction",
    spec: (s, facts) =>
      compound(s, facts, "sigmoid", {
        loss: "binary cross entropy",
        weight: s.scalar("weight_ce"),
        takes: "logits",
        reduction: "mean",
      }),
    source: source("compound_losses.py", "DC_and_BCE_loss"),
    traps: [NEGATIVE],
  },
];

function withMask(prediction: string, target: string, mask: string) {
  return arrays(prediction, target, mask).map((a) =>
    a.is === "mask" ? { ...a, optional: true } : a,
  );
}

function diceClass(value: string) {
  return callable("dice_class", [SOFT, MEMORY], "which of the two Dice losses", { name: value });
}
