/** Keras 3.15.1: keras.losses. Channels stand last. */
import type { ArrayFacts, CatalogueEntry, Settings, Source, TargetForm, Trap } from "../entry.ts";
import { FamilyError, type FamilySpec, type Reduction, type Region, familySpec } from "../spec.ts";
import { arrays, choice, float, optional } from "./parameters.ts";

const VERSION = "3.15.1";
/** keras.config.epsilon() */
const EPSILON = { name: "epsilon", value: 1e-7 } as const;

const source = (symbol: string): Source => ({
  kind: "library",
  package: "keras",
  version: VERSION,
  file: "keras/src/losses/losses.py",
  symbol,
  url: `https://github.com/keras-team/keras/blob/v${VERSION}/keras/src/losses/losses.py`,
});

const AXIS = optional("axis", "ints", "axes of the sums; all of them if not given");
const REDUCTION = choice(
  "reduction",
  ["sum_over_batch_size", "mean", "sum", "none"],
  "how the ratios become one number",
);
const ALPHA = float("alpha", 0.5, "weight of false negatives up to this version");
const BETA = float("beta", 0.5, "weight of false positives up to this version");

/** The region whose axes are summed, for a prediction (batch, space…, class) of this rank. */
function regionOf(s: Settings, { rank = 4 }: ArrayFacts): Region {
  if (s.isNone("axis")) return "everything";
  const axes = new Set(s.numbers("axis").map((d) => (d < 0 ? d + rank : d)));
  const last = rank - 1;
  const space = Array.from({ length: rank - 2 }, (_, d) => d + 1);
  const wanted = (...dims: number[]): boolean =>
    axes.size === dims.length && dims.every((d) => axes.has(d));
  if (wanted(...space)) return "space";
  if (wanted(0, ...space)) return "batch and space";
  if (wanted(...space, last)) return "class and space";
  if (wanted(0, ...space, last)) return "everything";
  if (wanted(last)) return "class";
  throw new FamilyError(
    `axis=(${[...axes].join(", ")}) sums over a part of the image: that has no entry here`,
  );
}

function reduced(s: Settings): Partial<FamilySpec> {
  const name = s.text("reduction");
  const how: Reduction = name === "sum" || name === "none" ? name : "mean";
  return { classReduction: how, batchReduction: how };
}

const NONE: Partial<FamilySpec> = { classReduction: "none", batchReduction: "none" };

function dice(s: Settings, facts: ArrayFacts): FamilySpec {
  return familySpec({ region: regionOf(s, facts), smoothDenominator: EPSILON });
}

/** Up to 3.15.1 alpha multiplies Σ(1 - p)t and beta Σp(1 - t). */
function tversky(s: Settings, facts: ArrayFacts): FamilySpec {
  return {
    ...dice(s, facts),
    ratio: { kind: "tversky", alpha: s.scalar("beta"), beta: s.scalar("alpha") },
  };
}

const ALL_AXES: Trap = {
  id: "keras-axis-none",
  sentence:
    "Without axis all axes are summed, batch and channels included: one ratio for everything, and for a softmax over channels one with a constant denominator, which is no Dice any more.",
  versions: "≥ 3.2",
  applies: (s) => s.isNone("axis"),
};
const EMPTY: Trap = {
  id: "denominator-only-epsilon",
  sentence:
    "epsilon stands in the denominator only: without any foreground in the target the loss is 1 and its gradient exactly zero.",
  versions: "all",
  applies: () => true,
};
const PROBABILITIES: Trap = {
  id: "keras-expects-probabilities",
  sentence:
    "No activation is applied and there is no from_logits: the prediction must be probabilities.",
  versions: "all",
  applies: () => true,
};
const SWAPPED: Trap = {
  id: "keras-tversky-swapped",
  sentence:
    "alpha multiplies the false negatives and beta the false positives, the reverse of the documentation and of the paper.",
  versions: "≤ 3.15.1",
  applies: (s) => s.number("alpha") !== s.number("beta"),
};

const base = {
  library: "Keras",
  layout: "channels-last",
  arrays: arrays("y_true", "y_pred").map((a) => ({
    ...a,
    is: a.name === "y_pred" ? ("prediction" as const) : ("target" as const),
  })),
  target: (): TargetForm => "like the prediction",
} as const;

export const KERAS: readonly CatalogueEntry[] = [
  {
    ...base,
    id: "keras.losses.Dice",
    aliases: ["tf.keras.losses.Dice", "tensorflow.keras.losses.Dice"],
    title: "Dice loss",
    about: "One Dice ratio over the axes named, by default over all of them.",
    form: "class",
    parameters: [REDUCTION, AXIS],
    spec: (s, facts) => ({ ...dice(s, facts), ...reduced(s) }),
    source: source("Dice"),
    traps: [ALL_AXES, EMPTY, PROBABILITIES],
  },
  {
    ...base,
    id: "keras.losses.dice",
    aliases: ["tf.keras.losses.dice"],
    title: "Dice loss (function)",
    about: "The Dice loss without the last reduction.",
    form: "function",
    parameters: [AXIS],
    spec: (s, facts) => ({ ...dice(s, facts), ...NONE }),
    source: source("dice"),
    traps: [ALL_AXES, EMPTY, PROBABILITIES],
  },
  {
    ...base,
    id: "keras.losses.Tversky",
    aliases: ["tf.keras.losses.Tversky"],
    title: "Tversky loss",
    about: "Dice with weights for both kinds of error.",
    form: "class",
    parameters: [ALPHA, BETA, REDUCTION, AXIS],
    spec: (s, facts) => ({ ...tversky(s, facts), ...reduced(s) }),
    source: source("Tversky"),
    traps: [SWAPPED, ALL_AXES, EMPTY, PROBABILITIES],
  },
  {
    ...base,
    id: "keras.losses.tversky",
    aliases: ["tf.keras.losses.tversky"],
    title: "Tversky loss (function)",
    about: "The Tversky loss without the last reduction.",
    form: "function",
    parameters: [ALPHA, BETA, AXIS],
    spec: (s, facts) => ({ ...tversky(s, facts), ...NONE }),
    source: source("tversky"),
    traps: [SWAPPED, ALL_AXES, EMPTY, PROBABILITIES],
  },
];
