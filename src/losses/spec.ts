/**
 * The family of Dice-like losses as plain data: one field for each way in which two of them differ.
 *
 * A loss of the family takes a prediction and a target, sums over regions (one sample of one class,
 * a class over the batch, …), divides one combination of the sums by another, and reduces what the
 * regions give to one number. `buildFamily` turns a spec into its expression; `differences` lists
 * the fields in which two specs differ, each of which is one reason for different gradients.
 */

/** A number, or a number that a library gives a name to; `times` scales what is named. */
export type Scalar =
  number | { readonly name: string; readonly value: number; readonly times?: number };

/** What is applied to the prediction before any sum; "twice" and "then" compose. */
export type Activation =
  | "none"
  | "sigmoid"
  | "softmax"
  | "sigmoid twice"
  | "softmax twice"
  | "softmax then sigmoid"
  | "softmax over batch"
  | "relu"
  | "tanh"
  /** 1 for the class of the largest prediction, else 0: no gradient. */
  | "argmax"
  /** 1 where the prediction is above ½, else 0: no gradient. */
  | "threshold"
  | "sigmoid, then threshold";

/** Where a mask (or the mask of labels that are not to count) multiplies. */
export type MaskUse = "none" | "before activation" | "after activation" | "numerator only";

/**
 * A label map gets a class axis, with 1 where the label is the class; or gets it last, and is then
 * given the prediction's shape without moving it, so that entries stand in wrong places.
 */
export type TargetEncoding = "as given" | "one-hot" | "one-hot, class axis misplaced";

export type TargetSmoothing =
  | { readonly kind: "none" }
  /** (1 - ε)t + ε: no class is quite absent. */
  | { readonly kind: "floor"; readonly epsilon: Scalar }
  /** (1 - ε)t + ε/C: the usual label smoothing. */
  | { readonly kind: "uniform"; readonly epsilon: Scalar };

/** The classes that are compared. Positions count from 0. */
export type Classes =
  | "all"
  | "without background"
  | "without background, before the activation"
  /** A single channel p and its complement 1 - p, as two classes (foreground first). */
  | "with complement"
  | { readonly only: readonly number[] };

/** Σpt; ½(Σp + Σt - Σ|p - t|); Σ(pt)², where false positives and negatives are squared as well. */
export type Overlap = "product" | "l1" | "squared product";

/**
 * Dice 2I/(P + T), Jaccard I/(P + T - I), or Tversky I/(I + α FP + β FN): alpha weighs false
 * positives, beta false negatives, whatever a library calls them.
 */
export type Ratio =
  | { readonly kind: "dice" }
  | { readonly kind: "jaccard" }
  | { readonly kind: "tversky"; readonly alpha: Scalar; readonly beta: Scalar };

/** The axes that one sum runs over; every other axis keeps its own ratio. */
export type Region =
  | "space"
  | "batch and space"
  | "class and space"
  | "everything"
  /** One ratio a voxel: only classes are summed. */
  | "class";

/** What a region scores whose denominator is zero. */
export type EmptyRegion =
  | "as computed"
  | "score one"
  /** The denominator's smoothing goes into the numerator of an empty region as well. */
  | "smoothed numerator"
  | "score zero"
  /** It leaves the mean, whose divisor counts the other regions. */
  | "left out";

/** What becomes of a class that the target does not hold (a region whose ΣT is zero). */
export type AbsentClasses = "kept" | "zero loss" | "left out";

export type ClassWeighting =
  | "none"
  /** w times the loss of a class, then the plain reduction. */
  | "loss"
  /** The weighted mean: the sum of w times the loss over the sum of w. */
  | "normalized loss"
  /** w times the score of a class: 1 - mean(wD). */
  | "score"
  /** w times the overlap, the denominator without. */
  | "numerator"
  /** w times prediction and target before they are summed. */
  | "arrays"
  /** Generalized Dice: sums over classes of w times numerator and denominator, w from the target. */
  | "volume";

/** Weight values: given in the call, or an input array of their own. */
export type WeightValues = readonly number[] | "input";

/** What w = T^-power is for a class with T = 0. */
export type AbsentWeight =
  | { readonly kind: "largest finite" }
  /** w = 1 / max(T^power, at) */
  | { readonly kind: "floor"; readonly at: Scalar }
  /** w = 1 / (T + ε)^power */
  | { readonly kind: "added"; readonly epsilon: Scalar }
  /** w = 1 / (T^power + ε) */
  | { readonly kind: "added to the power"; readonly epsilon: Scalar }
  | { readonly kind: "infinite" };

/** What is detached: a constant to the gradient, whatever its value. */
export type Stopped = "nothing" | "denominator" | "numerator" | "prediction";

/** The loss of one score D. */
export type LossOfScore = "1 - D" | "-D" | "D" | "-log D";

export type Outer =
  | { readonly kind: "none" }
  | { readonly kind: "power"; readonly exponent: Scalar }
  | { readonly kind: "log-cosh" }
  | { readonly kind: "log" }
  /** x / (1 + k(1 - x)) of a loss x, the penalty of generalized Dice. */
  | { readonly kind: "penalty"; readonly k: Scalar };

export type Place = "each region" | "after the classes" | "after the mean";

export type Reduction = "mean" | "sum" | "none";

/** A term besides the ratio, with a weight of its own. */
export interface Addend {
  readonly loss:
    "cross entropy" | "binary cross entropy" | "focal" | "binary focal" | "squared error";
  readonly weight: Scalar;
  /** Whether it takes what the function is given, or the prediction after the activation. */
  readonly takes: "logits" | "prediction";
  readonly reduction: "mean" | "sum" | "mean over space, then sum";
  /** Focusing exponent of a focal term. */
  readonly gamma?: Scalar;
  /** Weight of the positive class of a binary term (and 1 - alpha of the negative one). */
  readonly alpha?: Scalar;
  readonly classWeights?: WeightValues;
  /** The factor of the positive term of a binary cross entropy, one a class. */
  readonly positiveWeight?: readonly number[];
  /** A cross entropy with class weights divides by their sum over the voxels, unless this is set. */
  readonly unnormalizedWeights?: boolean;
  readonly labelSmoothing?: Scalar;
  /** Whether the mask of the ratio holds here too; a mean then divides by the voxels that count. */
  readonly masked?: boolean;
  /** Classes it leaves out; a cross entropy takes all. */
  readonly withoutBackground?: boolean;
  /** Predictions are limited to [clip, 1 - clip] first. */
  readonly clip?: Scalar;
  /** Exponent of a voxel's cross entropy. */
  readonly power?: Scalar;
  /** What is added to a prediction inside the logarithm. */
  readonly insideLog?: Scalar;
}

export interface FamilySpec {
  readonly activation: Activation;
  /** The activation as the exponential of its logarithm: the same function, other rounding. */
  readonly logSpace: boolean;
  readonly mask: MaskUse;
  /** Voxels whose label is this one are masked; the mask is an input of its own when `null`. */
  readonly ignoredLabel: number | null;
  /**
   * Whether the ignored label masks its voxel in all classes, or (in targets with channels) only
   * the entry that carries it.
   */
  readonly ignoredBy: "voxel" | "entry";
  readonly targetEncoding: TargetEncoding;
  readonly targetSmoothing: TargetSmoothing;
  /** Limits of the prediction: [ε, 1 - ε], none when 0. */
  readonly predictionClip: Scalar;
  readonly targetClip: Scalar;
  readonly classes: Classes;
  readonly overlap: Overlap;
  readonly ratio: Ratio;
  /** Factor of the overlap in the numerator besides the ratio's own: ½ where the 2 was forgotten. */
  readonly overlapFactor: Scalar;
  /** Lower limit of the overlap itself; none when 0. */
  readonly overlapFloor: Scalar;
  /** Exponents inside ΣP and ΣT of the denominator. */
  readonly predictionPower: Scalar;
  readonly targetPower: Scalar;
  /** Exponent of p(1 - t) and (1 - p)t inside their sums. */
  readonly errorPower: Scalar;
  /** Sums of |p| and |t|: differs where a prediction is negative. */
  readonly absoluteSums: boolean;
  readonly region: Region;
  /** The region of the denominator's sums, where it is not the numerator's. */
  readonly denominatorRegion: Region | "same";
  /** Added to the numerator: 2I, or I for Jaccard and Tversky. */
  readonly smoothNumerator: Scalar;
  /** Added to the denominator: P + T, P + T - I, or I + α FP + β FN. */
  readonly smoothDenominator: Scalar;
  /** Lower limit of the denominator, smoothing included; none when 0. */
  readonly denominatorFloor: Scalar;
  /** Where the limit holds: on the whole denominator, or on each class inside the sum over them. */
  readonly floorPlace: "whole" | "each class";
  readonly emptyRegion: EmptyRegion;
  readonly stopped: Stopped;
  readonly classWeighting: ClassWeighting;
  readonly weights: WeightValues;
  /** Exponent of the volume T in w = T^-power. */
  readonly volumePower: Scalar;
  readonly absentWeight: AbsentWeight;
  readonly absentClasses: AbsentClasses;
  readonly loss: LossOfScore;
  /** Where a score becomes a loss; matters to sums of scores and to logarithms. */
  readonly lossPlace: Place;
  /** Lower limit of a score inside its logarithm; none when 0. */
  readonly scoreFloor: Scalar;
  readonly outer: Outer;
  readonly outerPlace: Place;
  readonly classReduction: Reduction;
  readonly batchReduction: Reduction;
  /** Factor of the reduced ratio loss (not of the addends). */
  readonly factor: Scalar;
  readonly addends: readonly Addend[];
}

/** 1 - mean over samples and classes of 2I/(P + T), on probabilities: what every edit starts from. */
export const PLAIN_DICE: FamilySpec = {
  activation: "none",
  logSpace: false,
  mask: "none",
  ignoredLabel: null,
  ignoredBy: "voxel",
  targetEncoding: "as given",
  targetSmoothing: { kind: "none" },
  predictionClip: 0,
  targetClip: 0,
  classes: "all",
  overlap: "product",
  ratio: { kind: "dice" },
  overlapFactor: 1,
  overlapFloor: 0,
  predictionPower: 1,
  targetPower: 1,
  errorPower: 1,
  absoluteSums: false,
  region: "space",
  denominatorRegion: "same",
  smoothNumerator: 0,
  smoothDenominator: 0,
  denominatorFloor: 0,
  floorPlace: "whole",
  emptyRegion: "as computed",
  stopped: "nothing",
  classWeighting: "none",
  weights: [],
  volumePower: 2,
  absentWeight: { kind: "infinite" },
  absentClasses: "kept",
  loss: "1 - D",
  lossPlace: "each region",
  scoreFloor: 0,
  outer: { kind: "none" },
  outerPlace: "each region",
  classReduction: "mean",
  batchReduction: "mean",
  factor: 1,
  addends: [],
};

/** The plain Dice loss with some fields changed. */
export function familySpec(fields: Partial<FamilySpec>): FamilySpec {
  return { ...PLAIN_DICE, ...fields };
}

/** The value of a scalar, its name and scale aside. */
export function valueOf(x: Scalar): number {
  return typeof x === "number" ? x : x.value * (x.times ?? 1);
}

/** A scalar times a number, its name kept. */
export function scaled(x: Scalar, by: number): Scalar {
  if (typeof x === "number") return x * by;
  return by === 1 ? x : { ...x, times: (x.times ?? 1) * by };
}

/** Thrown when a spec does not fit the arrays it is built on, or itself; the message says why. */
export class FamilyError extends Error {
  override readonly name = "FamilyError";
}
