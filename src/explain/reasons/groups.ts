/**
 * Reasons: what people call the ways in which two Dice losses differ, each a group of fields of the
 * family that change together.
 */
import { FAMILY_FIELDS, type FamilyField, sameValue } from "../../losses/edits.ts";
import type { FamilySpec } from "../../losses/spec.ts";

export type ReasonId =
  | "activation"
  | "mask"
  | "target-encoding"
  | "target-smoothing"
  | "clipping"
  | "classes"
  | "overlap"
  | "ratio"
  | "overlap-factor"
  | "powers"
  | "region"
  | "smoothing"
  | "denominator-floor"
  | "empty-regions"
  | "class-weights"
  | "absent-classes"
  | "loss-of-score"
  | "outer-function"
  | "class-reduction"
  | "batch-reduction"
  | "constant-factor"
  | "further-terms"
  // Besides the family: where the code itself interferes with the gradient.
  | "detached"
  | "thresholded"
  | "hand-written"
  | "unnamed";

export const REASON_OF: Readonly<Record<FamilyField, ReasonId>> = {
  activation: "activation",
  logSpace: "activation",
  mask: "mask",
  ignoredLabel: "mask",
  ignoredBy: "mask",
  targetEncoding: "target-encoding",
  targetSmoothing: "target-smoothing",
  predictionClip: "clipping",
  targetClip: "clipping",
  classes: "classes",
  overlap: "overlap",
  ratio: "ratio",
  overlapFactor: "overlap-factor",
  predictionPower: "powers",
  targetPower: "powers",
  errorPower: "powers",
  absoluteSums: "powers",
  region: "region",
  denominatorRegion: "region",
  smoothNumerator: "smoothing",
  smoothDenominator: "smoothing",
  denominatorFloor: "denominator-floor",
  overlapFloor: "denominator-floor",
  floorPlace: "denominator-floor",
  emptyRegion: "empty-regions",
  classWeighting: "class-weights",
  weights: "class-weights",
  volumePower: "class-weights",
  absentWeight: "class-weights",
  absentClasses: "absent-classes",
  loss: "loss-of-score",
  lossPlace: "loss-of-score",
  scoreFloor: "loss-of-score",
  outer: "outer-function",
  outerPlace: "outer-function",
  classReduction: "class-reduction",
  batchReduction: "batch-reduction",
  factor: "constant-factor",
  addends: "further-terms",
  stopped: "detached",
};

/** One reason and the fields that it changes, from one spec towards another. */
export interface Change {
  readonly id: ReasonId;
  readonly fields: readonly FamilyField[];
}

/** The changes that lead from `a` to `b`, which are both canonical. */
export function changesBetween(a: FamilySpec, b: FamilySpec): Change[] {
  const changed = new Map<ReasonId, FamilyField[]>();
  for (const field of FAMILY_FIELDS) {
    if (sameValue(a[field], b[field])) continue;
    const id = REASON_OF[field];
    changed.set(id, [...(changed.get(id) ?? []), field]);
  }
  return [...changed].map(([id, fields]) => ({ id, fields }));
}

/** `spec` with the fields of some changes as `target` has them. */
export function applied(
  spec: FamilySpec,
  target: FamilySpec,
  changes: readonly Change[],
): FamilySpec {
  const fields = changes.flatMap((c) => c.fields);
  return { ...spec, ...Object.fromEntries(fields.map((f) => [f, target[f]])) };
}
