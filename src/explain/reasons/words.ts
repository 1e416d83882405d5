/** What a reason says: a title, one sentence on what it does to the gradient, and how to mend it. */
import { formatValue } from "../../losses/python.ts";
import { type FamilySpec, type Scalar, valueOf } from "../../losses/spec.ts";
import type { ReasonId } from "./groups.ts";

export interface Words {
  readonly title: string;
  /** What stands here and there. */
  readonly sentence: string;
  /** What to change in the first loss. */
  readonly fix: string;
}

export function wordsOf(id: ReasonId, a: FamilySpec, b: FamilySpec): Words {
  const both = (name: string, here: string, there: string): Words => ({
    title: TITLES[id],
    sentence: `${name}: ${here} here, ${there} there.`,
    fix: FIXES[id](b),
  });
  switch (id) {
    case "activation":
      return both("The prediction goes through", a.activation, b.activation);
    case "smoothing":
      return both("Smoothing", smoothing(a), smoothing(b));
    case "powers":
      return both("The denominator sums", powers(a), powers(b));
    case "ratio":
      return both("The ratio is", ratio(a), ratio(b));
    case "region":
      return both("Each sum runs over", region(a), region(b));
    case "loss-of-score":
      return both("The loss of a score D is", a.loss, b.loss);
    case "outer-function":
      return both("The loss of a region then goes through", outer(a), outer(b));
    case "class-reduction":
      return both("Classes are reduced by their", a.classReduction, b.classReduction);
    case "batch-reduction":
      return both("Samples are reduced by their", a.batchReduction, b.batchReduction);
    case "constant-factor":
      return both("The loss is multiplied by", num(a.factor), num(b.factor));
    case "overlap-factor":
      return both("The overlap counts", times(a), times(b));
    case "overlap":
      return both("The overlap is", a.overlap, b.overlap);
    case "classes":
      return both("Compared are", classes(a), classes(b));
    case "class-weights":
      return both("Class weights", weights(a), weights(b));
    case "absent-classes":
      return both("Classes that the target does not hold are", absent(a), absent(b));
    case "empty-regions":
      return both("An empty region scores", a.emptyRegion, b.emptyRegion);
    case "denominator-floor":
      return both("The denominator is", floor(a), floor(b));
    case "clipping":
      return both("The prediction is", clip(a.predictionClip), clip(b.predictionClip));
    case "target-encoding":
      return both("The target is taken", a.targetEncoding, b.targetEncoding);
    case "target-smoothing":
      return both("The target's smoothing is", a.targetSmoothing.kind, b.targetSmoothing.kind);
    case "mask":
      return both("The mask multiplies", a.mask, b.mask);
    case "further-terms":
      return both("Besides the ratio there is", addends(a), addends(b));
    case "detached":
      return {
        title: TITLES[id],
        sentence:
          "Part of the loss is detached: its value counts, and no gradient flows through it.",
        fix: FIXES[id](b),
      };
    case "thresholded":
      return {
        title: TITLES[id],
        sentence:
          "The prediction is thresholded or rounded: the derivative of that is zero, so no gradient flows through it.",
        fix: FIXES[id](b),
      };
    case "hand-written":
      return {
        title: TITLES[id],
        sentence: "The gradient is a hand-written one, and it is not the derivative of the loss.",
        fix: FIXES[id](b),
      };
    case "unnamed":
      return {
        title: TITLES[id],
        sentence: "The formulas differ in a way that has no name here.",
        fix: FIXES[id](b),
      };
  }
}

const TITLES: Readonly<Record<ReasonId, string>> = {
  activation: "Another activation",
  mask: "Masked voxels",
  "target-encoding": "Another target encoding",
  "target-smoothing": "A smoothed target",
  clipping: "A clipped prediction",
  classes: "Other classes compared",
  overlap: "Another overlap",
  ratio: "Another ratio",
  "overlap-factor": "A factor of the overlap",
  powers: "Plain or squared sums",
  region: "Another region of the sums",
  smoothing: "Smoothing",
  "denominator-floor": "A limited denominator",
  "empty-regions": "Empty regions",
  "class-weights": "Class weights",
  "absent-classes": "Absent classes",
  "loss-of-score": "Another loss of the score",
  "outer-function": "An outer function",
  "class-reduction": "Sum or mean over classes",
  "batch-reduction": "Sum or mean over samples",
  "constant-factor": "A constant factor",
  "further-terms": "Further terms",
  detached: "A detached part",
  thresholded: "A threshold in the loss",
  "hand-written": "A hand-written gradient",
  unnamed: "A difference without a name",
};

const FIXES: Readonly<Record<ReasonId, (b: FamilySpec) => string>> = {
  activation: (b) =>
    b.activation === "none"
      ? "Take the activation out of the loss, and give it probabilities."
      : `Apply ${b.activation} to the prediction inside the loss, once.`,
  mask: (b) => `Let the mask multiply: ${b.mask}.`,
  "target-encoding": (b) =>
    b.targetEncoding === "one-hot"
      ? "Encode the label map as one-hot over the class axis: move the axis that one_hot adds last with permute, since view and reshape only cut the numbers anew."
      : "Pass the target in the prediction's shape, without encoding it inside.",
  "target-smoothing": (b) =>
    b.targetSmoothing.kind === "none" ? "Use the target as it is." : "Smooth the target.",
  clipping: (b) =>
    valueOf(b.predictionClip) === 0
      ? "Do not clip the prediction: where it is clipped, it gets no gradient."
      : `Clip the prediction to [${num(b.predictionClip)}, 1 - ${num(b.predictionClip)}].`,
  classes: (b) => `Compare ${classes(b)}.`,
  overlap: (b) => `Compute the overlap as ${b.overlap}.`,
  ratio: (b) => `Divide as ${ratio(b)} does.`,
  "overlap-factor": () => "Put the factor 2 of Dice in front of the overlap.",
  powers: (b) => `Make the denominator of ${powers(b)}.`,
  region: (b) => `Sum over ${region(b)}.`,
  smoothing: (b) => (smoothing(b) === "nothing" ? "Remove the smoothing." : `Add ${smoothing(b)}.`),
  "denominator-floor": (b) =>
    valueOf(b.denominatorFloor) === 0
      ? "Do not limit the denominator."
      : `Limit the denominator from below by ${num(b.denominatorFloor)}.`,
  "empty-regions": (b) => `Let an empty region score ${b.emptyRegion}.`,
  "class-weights": (b) => `Weigh the classes: ${weights(b)}.`,
  "absent-classes": (b) => `Classes that the target does not hold are ${absent(b)}.`,
  "loss-of-score": (b) => `Return ${b.loss}.`,
  "outer-function": (b) => `Let the loss of a region go through ${outer(b)}.`,
  "class-reduction": (b) => `Take the ${b.classReduction} over classes.`,
  "batch-reduction": (b) => `Take the ${b.batchReduction} over samples.`,
  "constant-factor": (b) => `Multiply the loss by ${num(b.factor)}.`,
  "further-terms": (b) => `Besides the ratio, let there be ${addends(b)}.`,
  detached: () => "Delete the .detach(), .data or no_grad() on the way from the prediction.",
  thresholded: () => "Use the probabilities themselves; threshold only in metrics.",
  "hand-written": () =>
    "Delete the hand-written gradient and let autograd derive it, or use the right formula.",
  unnamed: () => "Compare the two formulas.",
};

/** As Python writes it. */
const num = (s: Scalar): string => formatValue(valueOf(s));

function smoothing(s: FamilySpec): string {
  const [n, d] = [num(s.smoothNumerator), num(s.smoothDenominator)];
  if (n === "0" && d === "0") return "nothing";
  if (n === d) return `${n} in numerator and denominator`;
  if (n === "0") return `${d} in the denominator only`;
  return d === "0"
    ? `${n} in the numerator only`
    : `${n} in the numerator and ${d} in the denominator`;
}

function powers(s: FamilySpec): string {
  if (valueOf(s.errorPower) !== 1) return `errors to the power ${num(s.errorPower)}`;
  const of = (name: string, k: Scalar): string =>
    ({ "1": name, "2": `squared ${name}` })[num(k)] ?? `${name} to the power ${num(k)}`;
  return `${of("predictions", s.predictionPower)} and ${of("targets", s.targetPower)}`;
}

function ratio({ ratio: r }: FamilySpec): string {
  if (r.kind === "dice") return "Dice, 2I/(P + T)";
  if (r.kind === "jaccard") return "Jaccard, I/(P + T - I)";
  return `Tversky with ${num(r.alpha)} on false positives and ${num(r.beta)} on false negatives`;
}

function region(s: FamilySpec): string {
  const names = {
    space: "the voxels of one class of one sample",
    "batch and space": "the voxels of one class in the whole batch",
    "class and space": "all classes of one sample",
    everything: "the whole batch",
    class: "the classes of one voxel",
  };
  const own = names[s.region];
  return s.denominatorRegion === "same"
    ? own
    : `${own} (the denominator's over ${names[s.denominatorRegion]})`;
}

function outer(s: FamilySpec): string {
  if (s.outer.kind === "power") return `a power of ${num(s.outer.exponent)}, ${s.outerPlace}`;
  return s.outer.kind === "none" ? "nothing more" : `${s.outer.kind}, ${s.outerPlace}`;
}

function times(s: FamilySpec): string {
  const k = valueOf(s.overlapFactor) * (s.ratio.kind === "dice" ? 2 : 1);
  return k === 1 ? "once" : k === 2 ? "twice" : `${k} times`;
}

function classes({ classes: c }: FamilySpec): string {
  if (typeof c !== "string") return `classes ${c.only.join(", ")}`;
  return c === "all" ? "all classes" : `the classes ${c}`;
}

function weights(s: FamilySpec): string {
  if (s.classWeighting === "none") return "none";
  if (s.classWeighting === "volume") return `by volume to the power -${num(s.volumePower)}`;
  const values = s.weights === "input" ? "as given" : s.weights.join(", ");
  return `${values} on the ${s.classWeighting}`;
}

function absent(s: FamilySpec): string {
  return {
    kept: "kept in the mean",
    "zero loss": "given no loss, and still counted",
    "left out": "left out of the mean",
  }[s.absentClasses];
}

function floor(s: FamilySpec): string {
  const v = valueOf(s.denominatorFloor);
  return v === 0 ? "not limited" : `at least ${num(s.denominatorFloor)}`;
}

function clip(s: Scalar): string {
  return valueOf(s) === 0 ? "not clipped" : `clipped to [${num(s)}, 1 - ${num(s)}]`;
}

function addends(s: FamilySpec): string {
  if (s.addends.length === 0) return "nothing";
  return s.addends.map((a) => `${num(a.weight)} × ${a.loss} (${a.reduction})`).join(" and ");
}
