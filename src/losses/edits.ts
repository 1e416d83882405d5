/**
 * Differences between two losses of the family, as single edits: each is one field of the spec, so
 * a path of edits leads from one loss to the other, and each edit on it is one named reason.
 */
import {
  type AbsentWeight,
  type FamilySpec,
  type Scalar,
  familySpec,
  scaled,
  valueOf,
} from "./spec.ts";
import { PLAIN_DICE } from "./spec.ts";

export type FamilyField = keyof FamilySpec;

/** One change of one field. */
export interface Edit<F extends FamilyField = FamilyField> {
  readonly field: F;
  readonly from: FamilySpec[F];
  readonly to: FamilySpec[F];
}

/** What each field is about, as a heading says it. */
export const FIELD_TITLES: Readonly<Record<FamilyField, string>> = {
  activation: "activation",
  logSpace: "activation in log space",
  mask: "masked voxels",
  ignoredLabel: "ignored label",
  ignoredBy: "reach of the ignored label",
  targetEncoding: "target encoding",
  targetSmoothing: "smoothed target",
  predictionClip: "clipped prediction",
  targetClip: "clipped target",
  classes: "classes compared",
  overlap: "overlap",
  ratio: "ratio",
  overlapFactor: "factor of the overlap",
  overlapFloor: "lower limit of the overlap",
  predictionPower: "power of the prediction in the denominator",
  targetPower: "power of the target in the denominator",
  errorPower: "power of false positives and negatives",
  absoluteSums: "absolute values in the sums",
  region: "region of a sum",
  denominatorRegion: "region of the denominator",
  smoothNumerator: "smoothing of the numerator",
  smoothDenominator: "smoothing of the denominator",
  denominatorFloor: "lower limit of the denominator",
  floorPlace: "place of the lower limit",
  emptyRegion: "empty regions",
  stopped: "detached part",
  classWeighting: "class weights",
  weights: "values of the class weights",
  volumePower: "power of the volume in the class weights",
  absentWeight: "weight of an absent class",
  absentClasses: "absent classes",
  loss: "loss of a score",
  lossPlace: "place of the loss of a score",
  scoreFloor: "lower limit of the score",
  outer: "outer function",
  outerPlace: "place of the outer function",
  classReduction: "reduction over classes",
  batchReduction: "reduction over samples",
  factor: "constant factor",
  addends: "further terms",
};

export const FAMILY_FIELDS = Object.keys(FIELD_TITLES) as readonly FamilyField[];

/**
 * The fields in which two specs differ once both are written canonically, in the order of the
 * fields. No entry means that they describe the same function.
 */
export function differences(a: FamilySpec, b: FamilySpec): Edit[] {
  const [x, y] = [canonical(a), canonical(b)];
  return FAMILY_FIELDS.filter((field) => !sameValue(x[field], y[field])).map((field) => ({
    field,
    from: x[field],
    to: y[field],
  }));
}

/** The spec with one field changed. */
export function applyEdit(spec: FamilySpec, edit: Edit): FamilySpec {
  return { ...spec, [edit.field]: edit.to };
}

/** Equal data, where a named scalar equals the number that it stands for. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (isScalar(a) && isScalar(b)) return Object.is(valueOf(a), valueOf(b));
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((x, k) => sameValue(x, b[k]))
    );
  }
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((k) =>
      sameValue((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k]),
    );
  }
  return a === b;
}

/** The number of values in which two values of a field differ; a part that only one has is one. */
export function valuesApart(a: unknown, b: unknown): number {
  const isPlain = (v: unknown): v is Record<string, unknown> =>
    typeof v === "object" && v !== null && !isScalar(v);
  if (!isPlain(a) || !isPlain(b)) return Number(!sameValue(a, b));
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].reduce((n, k) => n + valuesApart(a[k], b[k]), 0);
}

function isScalar(v: unknown): v is Scalar {
  return typeof v === "number" || (typeof v === "object" && v !== null && "value" in v);
}

/**
 * The same function written in one way: Tversky with α = β = ½ is Dice with twice the smoothing,
 * with α = β = 1 Jaccard; fields that have no effect beside the others take their plain values.
 */
export function canonical(spec: FamilySpec): FamilySpec {
  return [ratios, powers, activations, targets, weights, regions, outers, guards].reduce(
    (s, rule) => rule(s),
    familySpec(spec),
  );
}

function ratios(s: FamilySpec): FamilySpec {
  const { ratio } = s;
  // Below the lower limit of the overlap the two forms part.
  if (valueOf(s.overlapFloor) !== 0) return s;
  if (ratio.kind !== "tversky" || valueOf(ratio.alpha) !== valueOf(ratio.beta)) return s;
  const weight = valueOf(ratio.alpha);
  if (weight === 1) return { ...s, ratio: { kind: "jaccard" } };
  if (weight !== 0.5) return s;
  return {
    ...s,
    ratio: { kind: "dice" },
    smoothNumerator: scaled(s.smoothNumerator, 2),
    smoothDenominator: scaled(s.smoothDenominator, 2),
    denominatorFloor: scaled(s.denominatorFloor, 2),
  };
}

function powers(s: FamilySpec): FamilySpec {
  const { outer } = s;
  const plain = outer.kind === "power" && valueOf(outer.exponent) === 1;
  return plain ? { ...s, outer: { kind: "none" } } : s;
}

function activations(s: FamilySpec): FamilySpec {
  const positive = s.activation !== "none" && s.activation !== "tanh";
  return {
    ...s,
    logSpace: false,
    absoluteSums: s.absoluteSums && !positive && !even(s.predictionPower),
  };
}

const even = (power: Scalar): boolean => valueOf(power) % 2 === 0;

function targets(s: FamilySpec): FamilySpec {
  const { targetSmoothing } = s;
  const none = targetSmoothing.kind === "none" || valueOf(targetSmoothing.epsilon) === 0;
  return {
    ...s,
    targetSmoothing: none ? { kind: "none" } : targetSmoothing,
    ignoredLabel: s.mask === "none" ? null : s.ignoredLabel,
    ignoredBy: s.mask === "none" || s.targetEncoding !== "as given" ? "voxel" : s.ignoredBy,
  };
}

function weights(s: FamilySpec): FamilySpec {
  const { classWeighting, absentWeight } = s;
  const volume = classWeighting === "volume" && valueOf(s.volumePower) !== 0;
  const given = classWeighting !== "none" && classWeighting !== "volume";
  return {
    ...s,
    weights: given ? s.weights : PLAIN_DICE.weights,
    volumePower: classWeighting === "volume" ? s.volumePower : PLAIN_DICE.volumePower,
    absentWeight: volume ? oneWay(absentWeight, s.volumePower) : PLAIN_DICE.absentWeight,
  };
}

/** To the first power it is the same where ε is added. */
function oneWay(absent: AbsentWeight, power: Scalar): AbsentWeight {
  const same = absent.kind === "added to the power" && valueOf(power) === 1;
  return same ? { kind: "added", epsilon: absent.epsilon } : absent;
}

/** Reductions over axes that the sums have run over do nothing. */
function regions(s: FamilySpec): FamilySpec {
  const noClass =
    s.region === "class and space" || s.region === "everything" || s.region === "class";
  const noBatch = s.region === "batch and space" || s.region === "everything";
  const pooled = s.classWeighting === "volume";
  return {
    ...s,
    denominatorRegion: s.denominatorRegion === s.region ? "same" : s.denominatorRegion,
    classReduction: noClass || pooled ? "mean" : s.classReduction,
    batchReduction: noBatch ? "mean" : s.batchReduction,
  };
}

function outers(s: FamilySpec): FamilySpec {
  const one = s.region === "everything";
  const linear = s.loss !== "-log D";
  const means = s.classReduction === "mean" && s.batchReduction === "mean";
  const weighted = s.classWeighting === "loss" || s.classWeighting === "normalized loss";
  const plainMean =
    means &&
    !weighted &&
    s.absentClasses === "kept" &&
    s.emptyRegion !== "left out" &&
    s.outer.kind === "none";
  return {
    ...s,
    scoreFloor: linear ? 0 : s.scoreFloor,
    outerPlace: s.outer.kind === "none" || one ? "each region" : s.outerPlace,
    lossPlace: one || (linear && plainMean) ? "each region" : s.lossPlace,
  };
}

function guards(s: FamilySpec): FamilySpec {
  const floor = valueOf(s.denominatorFloor) !== 0;
  const smoothed = valueOf(s.smoothDenominator) > 0;
  const zero = s.emptyRegion === "score zero" && smoothed && valueOf(s.smoothNumerator) === 0;
  return {
    ...s,
    floorPlace: floor ? s.floorPlace : "whole",
    emptyRegion: zero ? "as computed" : s.emptyRegion,
  };
}
