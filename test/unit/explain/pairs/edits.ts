/** Known edits of a loss: each changes what one reason is about, and nothing else. */
import type { ReasonId } from "../../../../src/explain/reasons/groups.ts";
import {
  type AbsentWeight,
  type FamilySpec,
  type Ratio,
  type Scalar,
  valueOf,
} from "../../../../src/losses/spec.ts";
import type { Random } from "./random.ts";
import { type Content, IGNORED, WRONG_QUOTIENTS } from "./style.ts";

export interface KnownEdit {
  readonly id: ReasonId;
  /** The edited loss; null where this loss cannot be edited so. */
  readonly edit: (c: Content, random: Random) => Content | null;
}

interface SpecEdit {
  readonly id: ReasonId;
  readonly edit: (s: FamilySpec, random: Random) => FamilySpec | null;
}

const separateClasses = (s: FamilySpec): boolean =>
  (s.region === "space" || s.region === "batch and space") && s.classWeighting !== "volume";
const separateSamples = (s: FamilySpec): boolean =>
  s.region === "space" || s.region === "class and space";
/** Plain means of 1 - D or of -log D: what people put powers and weights on. */
const isPlain = (s: FamilySpec): boolean =>
  s.outer.kind === "none" && s.absentClasses === "kept" && s.classWeighting === "none";

function other<T>(random: Random, items: readonly T[], than: (x: T) => boolean): T | null {
  const left = items.filter((x) => !than(x));
  return left.length === 0 ? null : random.pick(left);
}

/** Another pair of smoothing numbers, whatever is there. */
const SMOOTHING: readonly (readonly [number, number])[] = [
  [0, 0],
  [1, 1],
  [1e-5, 1e-5],
  [1e-6, 1e-6],
  [0, 1e-7],
  [0, 1e-5],
  [0.5, 0.5],
  [1e-3, 1],
  [0, 1],
];
const same = (x: Scalar, y: number): boolean => valueOf(x) === y;

/** Tversky with both weights a half is Dice, with both one Jaccard: between them nothing changes. */
function nameOf(r: Ratio): string {
  if (r.kind !== "tversky") return r.kind;
  const [a, b] = [valueOf(r.alpha), valueOf(r.beta)];
  return a === b && a === 0.5 ? "dice" : a === b && a === 1 ? "jaccard" : `${r.kind} ${a} ${b}`;
}

const ABSENT: readonly AbsentWeight[] = [
  { kind: "infinite" },
  { kind: "largest finite" },
  { kind: "added", epsilon: 1e-6 },
  { kind: "added", epsilon: 1 },
  { kind: "added to the power", epsilon: 1e-6 },
  { kind: "floor", at: 1e-6 },
];

const SPEC_EDITS: readonly SpecEdit[] = [
  {
    id: "activation",
    edit: (s, random) => {
      const activation = other(
        random,
        [
          "none",
          "sigmoid",
          "softmax",
          "sigmoid twice",
          "softmax twice",
          "softmax over batch",
        ] as const,
        (a) => a === s.activation,
      );
      // Raw predictions are not clipped.
      const clipped = valueOf(s.predictionClip) !== 0;
      return activation === null || (clipped && activation === "none")
        ? null
        : { ...s, activation };
    },
  },
  {
    id: "smoothing",
    edit: (s, random) => {
      const chosen = other(
        random,
        SMOOTHING,
        ([n, d]) =>
          (same(s.smoothNumerator, n) && same(s.smoothDenominator, d)) ||
          // What an empty region scores then is what is computed anyway.
          (s.emptyRegion !== "as computed" && n === d),
      );
      // Smoothing above the lower limit of the denominator makes that one moot.
      if (chosen === null || (valueOf(s.denominatorFloor) !== 0 && chosen[1] !== 0)) return null;
      return { ...s, smoothNumerator: chosen[0], smoothDenominator: chosen[1] };
    },
  },
  {
    id: "denominator-floor",
    edit: (s, random) => {
      if (valueOf(s.denominatorFloor) !== 0) return { ...s, denominatorFloor: 0 };
      const free = valueOf(s.smoothDenominator) === 0 && s.classWeighting !== "volume";
      return free ? { ...s, denominatorFloor: random.pick([1e-7, 1e-6, 1e-8, 1e-3]) } : null;
    },
  },
  {
    id: "powers",
    edit: (s, random) => {
      if (s.overlap === "l1" || s.ratio.kind === "tversky") return null;
      const [p, t] = [valueOf(s.predictionPower), valueOf(s.targetPower)];
      if (p !== 1 || t !== 1) return { ...s, predictionPower: 1, targetPower: 1 };
      return { ...s, predictionPower: 2, targetPower: random.pick([1, 2, 2]) };
    },
  },
  {
    id: "ratio",
    edit: (s, random) => {
      if (valueOf(s.predictionPower) !== 1) return null;
      const ratio = other(
        random,
        [
          { kind: "dice" },
          { kind: "jaccard" },
          { kind: "tversky", alpha: 0.3, beta: 0.7 },
          { kind: "tversky", alpha: 0.7, beta: 0.3 },
        ] as const,
        (r) => nameOf(r) === nameOf(s.ratio),
      );
      return ratio === null ? null : { ...s, ratio };
    },
  },
  {
    id: "overlap",
    edit: (s) => {
      if (s.overlap === "l1") return { ...s, overlap: "product", absoluteSums: false };
      const plain = valueOf(s.predictionPower) === 1 && valueOf(s.targetPower) === 1;
      // With raw predictions the sums of the L1 form are of absolute values: two changes.
      const whole = s.mask !== "numerator only";
      return plain && whole && s.overlap === "product" ? { ...s, overlap: "l1" } : null;
    },
  },
  {
    id: "overlap-factor",
    edit: (s) => {
      // With -D and -log D the factor is a constant factor, or no change of the gradient at all.
      if (s.loss !== "1 - D" || s.ratio.kind !== "dice" || s.classWeighting !== "none") return null;
      return { ...s, overlapFactor: valueOf(s.overlapFactor) === 1 ? 0.5 : 1 };
    },
  },
  {
    id: "region",
    edit: (s, random) => {
      if (s.classWeighting !== "none" && s.classWeighting !== "volume") return null;
      if (s.absentClasses !== "kept") return null;
      const regions =
        s.classWeighting === "volume"
          ? (["space", "batch and space"] as const)
          : (["space", "batch and space", "class and space", "everything"] as const);
      const region = other(random, regions, (r) => r === s.region);
      // Reductions that sum are moot where the sums take their axes in: they would be changes too.
      if (s.classReduction !== "mean" || s.batchReduction !== "mean") return null;
      return region === null ? null : { ...s, region };
    },
  },
  {
    id: "classes",
    edit: (s) => {
      // Weights of zero leave classes out as well.
      if (s.classWeighting !== "none") return null;
      if (s.classes === "all") return { ...s, classes: "without background" };
      return s.classes === "without background" ? { ...s, classes: "all" } : null;
    },
  },
  {
    id: "class-reduction",
    edit: (s) =>
      // Weights with a sum are the same as three times the weights with a mean.
      separateClasses(s) && isPlain(s)
        ? { ...s, classReduction: s.classReduction === "mean" ? "sum" : "mean" }
        : null,
  },
  {
    id: "batch-reduction",
    edit: (s) =>
      separateSamples(s) && isPlain(s)
        ? { ...s, batchReduction: s.batchReduction === "mean" ? "sum" : "mean" }
        : null,
  },
  {
    id: "class-weights",
    edit: (s, random) => {
      if (s.classWeighting === "volume") return { ...s, classWeighting: "none" };
      if (s.classWeighting !== "none") return null;
      if (random.chance(0.4)) return byVolume(s, random);
      const means = s.classReduction === "mean" && s.batchReduction === "mean";
      // A factor in front could as well stand in the weights; absent classes may have none.
      if (!separateClasses(s) || !isPlain(s) || !means || valueOf(s.factor) !== 1) return null;
      if (valueOf(s.overlapFactor) !== 1) return null;
      if (s.classes !== "all") return null;
      const weights = random.pick([
        [1, 2, 4],
        [0.2, 0.3, 0.5],
        [0.5, 2, 3],
      ]);
      const how = random.pick(["loss", "normalized loss", "score"] as const);
      if (how === "score" && s.loss === "-log D") return null;
      return { ...s, classWeighting: s.loss === "1 - D" ? how : "loss", weights };
    },
  },
  {
    id: "absent-classes",
    edit: (s) => {
      if (s.absentClasses !== "kept") return { ...s, absentClasses: "kept" };
      const plain = isPlain(s) && s.classReduction === "mean" && s.batchReduction === "mean";
      const soft = s.targetSmoothing.kind === "none";
      return plain && soft && s.region === "batch and space"
        ? { ...s, absentClasses: "zero loss" }
        : null;
    },
  },
  {
    id: "loss-of-score",
    edit: (s, random) => {
      if (s.outer.kind !== "none" || s.classWeighting === "score" || s.absentClasses !== "kept")
        return null;
      if (valueOf(s.overlapFactor) !== 1) return null;
      const loss = other(random, ["1 - D", "-D", "-log D"] as const, (l) => l === s.loss);
      return loss === null ? null : { ...s, loss, lossPlace: "each region", scoreFloor: 0 };
    },
  },
  {
    id: "outer-function",
    edit: (s, random) => {
      if (s.outer.kind !== "none")
        return { ...s, outer: { kind: "none" }, outerPlace: "each region" };
      if (s.loss !== "1 - D" || s.classWeighting === "score") return null;
      if (random.chance(0.25)) return { ...s, outer: { kind: "log-cosh" } };
      const exponent = random.pick([0.75, 2, 4 / 3]);
      return { ...s, outer: { kind: "power", exponent } };
    },
  },
  {
    id: "constant-factor",
    edit: (s, random) => {
      if (s.classWeighting !== "none" && s.classWeighting !== "volume") return null;
      const factor = other(random, [0.5, 1, 2, 10, 0.8], (k) => same(s.factor, k));
      return factor === null ? null : { ...s, factor };
    },
  },
  {
    id: "further-terms",
    edit: (s, random) => {
      if (s.addends.length > 0) return { ...s, addends: [] };
      // Of probabilities it is another function in each library: PyTorch limits the logarithm.
      if (s.activation === "none" || s.mask !== "none") return null;
      const weight = random.pick([1, 0.5, 2]);
      return {
        ...s,
        addends: [{ loss: "binary cross entropy", weight, takes: "logits", reduction: "mean" }],
      };
    },
  },
  {
    id: "clipping",
    edit: (s, random) => {
      // Clipped raw predictions and terms on clipped probabilities change more than one thing.
      if (s.activation === "none" || s.addends.length > 0) return null;
      if (valueOf(s.predictionClip) !== 0) return { ...s, predictionClip: 0 };
      return { ...s, predictionClip: random.pick([1e-7, 1e-3, 0.01]) };
    },
  },
  {
    id: "target-smoothing",
    edit: (s, random) => {
      if (s.targetSmoothing.kind !== "none") return { ...s, targetSmoothing: { kind: "none" } };
      if (s.absentClasses !== "kept" || s.addends.length > 0) return null;
      return { ...s, targetSmoothing: { kind: "uniform", epsilon: random.pick([0.1, 0.05]) } };
    },
  },
  {
    id: "detached",
    edit: (s, random) =>
      s.stopped === "nothing"
        ? { ...s, stopped: random.pick(["denominator", "denominator", "numerator", "prediction"]) }
        : null,
  },
  {
    id: "mask",
    edit: (s, random) => {
      if (s.addends.length > 0) return null;
      const uses = ["none", "after activation", "before activation", "numerator only"] as const;
      const mask = other(random, uses, (m) => m === s.mask);
      if (mask === null || (mask === "numerator only" && s.overlap === "l1")) return null;
      if (s.targetEncoding === "one-hot, class axis misplaced") return null;
      const ignoredLabel = s.targetEncoding === "one-hot" && mask !== "none" ? IGNORED : null;
      return { ...s, mask, ignoredLabel };
    },
  },
  {
    id: "target-encoding",
    edit: (s) =>
      s.targetEncoding === "one-hot" && s.mask === "none"
        ? { ...s, targetEncoding: "one-hot, class axis misplaced" }
        : null,
  },
  {
    id: "empty-regions",
    edit: (s) => {
      if (s.emptyRegion !== "as computed") return { ...s, emptyRegion: "as computed" };
      if (s.classWeighting !== "none" || s.absentClasses !== "kept") return null;
      const moot = same(s.smoothNumerator, valueOf(s.smoothDenominator));
      const floor = valueOf(s.denominatorFloor) !== 0;
      // Only raw predictions are ever all zero.
      if (s.activation !== "none" || (moot && !same(s.smoothNumerator, 0)) || floor) return null;
      return { ...s, emptyRegion: "score one" };
    },
  },
];

/** Generalized Dice: weights from the target's own sums. */
function byVolume(s: FamilySpec, random: Random): FamilySpec | null {
  if (!separateClasses(s) || !isPlain(s) || s.classReduction !== "mean") return null;
  if (s.emptyRegion !== "as computed") return null;
  return {
    ...s,
    classWeighting: "volume",
    volumePower: random.pick([2, 2, 1]),
    absentWeight: random.pick(ABSENT),
  };
}

/** What the code does to the gradient, whatever the loss is. */
const CODE_EDITS: readonly KnownEdit[] = [
  {
    id: "thresholded",
    edit: (c) =>
      c.spec.stopped === "prediction" || c.wrongQuotient !== null
        ? null
        : { ...c, thresholded: true },
  },
  {
    id: "hand-written",
    edit: (c, random) => {
      // Where probabilities of all classes are summed the denominator has no gradient to be wrong.
      const constant = c.spec.activation.startsWith("softmax") && !separateClasses(c.spec);
      if (constant || c.spec.stopped !== "nothing" || c.thresholded) return null;
      return { ...c, wrongQuotient: random.pick(WRONG_QUOTIENTS) };
    },
  },
];

export const EDITS: readonly KnownEdit[] = [
  ...SPEC_EDITS.map(({ id, edit }): KnownEdit => ({
    id,
    edit: (c, random) => {
      // Nothing else may interrupt a gradient that is written by hand.
      if (id === "detached" && (c.wrongQuotient !== null || c.thresholded)) return null;
      const spec = edit(c.spec, random);
      return spec === null ? null : { ...c, spec };
    },
  })),
  ...CODE_EDITS,
];
