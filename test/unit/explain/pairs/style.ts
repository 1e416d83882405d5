/** How a generated loss is laid out, and what its variables are called. */
import type { FamilySpec } from "../../../../src/losses/spec.ts";
import type { Dialect } from "./dialects.ts";
import type { Random } from "./random.ts";

/** Classes of the losses that name their number. */
export const CLASSES = 3;
/** The label of voxels that do not count, where a loss ignores one. */
export const IGNORED = 255;

export interface Style {
  readonly dialect: Dialect;
  /** Axes of the prediction: 3 for (batch, class, n), 4 for pictures, 5 for volumes. */
  readonly rank: number;
  /** Sums over axes, over flattened arrays, by einsum, or class by class. */
  readonly sums: "axes" | "flattened" | "einsum" | "loop over classes";
  /** Where numbers stand: in place, as default arguments, in `__init__`, or at the top of the file. */
  readonly numbers: "literals" | "arguments" | "attributes" | "constants";
  /** The ratio in a function of its own. */
  readonly helper: boolean;
  /** Numerator and denominator in one line with the quotient. */
  readonly dense: boolean;
  /** Label maps, which the loss encodes itself. */
  readonly labels: boolean;
  /** Predictions are made hard by rounding, not by a comparison. */
  readonly rounds: boolean;
  /** The quotient is a function with a gradient that is written by hand, rightly. */
  readonly ownQuotient: boolean;
  readonly names: Names;
}

export interface Names {
  readonly prediction: string;
  readonly target: string;
  readonly p: string;
  readonly t: string;
  readonly overlap: string;
  readonly denominator: string;
}

const NAMES: readonly Names[] = [
  {
    prediction: "logits",
    target: "target",
    p: "probs",
    t: "truth",
    overlap: "inter",
    denominator: "union",
  },
  {
    prediction: "y_pred",
    target: "y_true",
    p: "p",
    t: "g",
    overlap: "tp",
    denominator: "cardinality",
  },
  { prediction: "pred", target: "mask", p: "q", t: "m", overlap: "num", denominator: "den" },
  {
    prediction: "inputs",
    target: "targets",
    p: "soft",
    t: "hard",
    overlap: "intersection",
    denominator: "total",
  },
];

/** A loss and what its code does besides to the gradient. */
export interface Content {
  readonly spec: FamilySpec;
  readonly thresholded: boolean;
  /** What is wrong with the hand-written gradient of the quotient; null where there is none. */
  readonly wrongQuotient: WrongQuotient | null;
}

export const WRONG_QUOTIENTS = ["no second term", "no square", "sign"] as const;
export type WrongQuotient = (typeof WRONG_QUOTIENTS)[number];

/** Whether code in this dialect can hold the loss at all. */
export function canHold(d: Dialect, { spec, wrongQuotient }: Content, labels: boolean): boolean {
  return (
    (!labels || d.oneHot !== null) &&
    (spec.stopped === "nothing" || d.detached !== null) &&
    (wrongQuotient === null || d.quotient !== null) &&
    (spec.emptyRegion === "as computed" || d.where !== null) &&
    (spec.absentWeight.kind !== "largest finite" ||
      spec.classWeighting !== "volume" ||
      d.where !== null) &&
    spec.addends.every((a) => (a.takes === "logits" ? d.bceOfLogits : d.bce) !== null)
  );
}

export function drawStyle(
  random: Random,
  content: Content,
  dialects: readonly Dialect[],
  form: { readonly labels: boolean; readonly rank: number },
): Style {
  const { spec } = content;
  const dialect = random.pick(dialects.filter((d) => canHold(d, content, form.labels)));
  const sums: Style["sums"][] = ["axes", "axes"];
  // A mask that multiplies the overlap alone has the axes of the arrays.
  const whole = spec.mask !== "numerator only" || spec.ignoredLabel !== null;
  if (dialect.flatten !== null && whole) sums.push("flattened", "flattened");
  if (dialect.einsum !== null && spec.overlap === "product" && whole) sums.push("einsum");
  const separate = spec.region === "space" || spec.region === "batch and space";
  if (separate && whole && canLoop(spec)) sums.push("loop over classes", "loop over classes");
  const numbers = random.pick(["literals", "arguments", "attributes", "constants"] as const);
  const takesMask = spec.mask !== "none" && spec.ignoredLabel === null;
  return {
    dialect,
    ...form,
    sums: random.pick(sums),
    // Python rounds what is computed from literals: ε/3 is then no third of ε to fifty digits.
    numbers:
      (numbers === "attributes" &&
        (dialect.module === null || (takesMask && !dialect.module.more))) ||
      (numbers === "literals" && spec.targetSmoothing.kind !== "none")
        ? "arguments"
        : numbers,
    helper: random.chance(0.25),
    dense: random.chance(0.4),
    rounds: random.chance(0.4),
    ownQuotient: dialect.quotient !== null && random.chance(0.08),
    names: random.pick(NAMES),
  };
}

/** What happens to each class by itself. */
function canLoop(spec: FamilySpec): boolean {
  return (
    spec.classWeighting !== "volume" &&
    spec.classWeighting !== "normalized loss" &&
    spec.absentClasses !== "left out" &&
    spec.lossPlace === "each region" &&
    spec.outerPlace === "each region"
  );
}
