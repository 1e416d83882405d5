/**
 * The fewest changes: two ways to write one function differ in fields that make no difference on
 * arrays of this form. Whatever can take the other loss's value without changing the function does.
 */
import type { Expr } from "../../expression/node.ts";
import { FAMILY_FIELDS, type FamilyField, canonical, sameValue } from "../../losses/edits.ts";
import { type FamilySpec, type Scalar, scaled } from "../../losses/spec.ts";
import { builtOn } from "../recognize/recognize.ts";
import { type Subject, isLoss } from "../recognize/subject.ts";
import { changesBetween } from "./groups.ts";

/** Fields are taken over one by one, then two and three together. */
const TOGETHER = 3;
/** Sets of fields that are tried: beyond it the losses have little in common anyway. */
const MOST_SETS = 400;

/**
 * The spec of the same function as `spec` on the subject's arrays, as near to `target` as can be.
 * @param together how many fields are taken over at once
 */
export function aligned(
  subject: Subject,
  spec: FamilySpec,
  target: FamilySpec,
  together = TOGETHER,
): FamilySpec {
  let own = canonical(spec);
  const other = canonical(target);
  const loss = builtOn(subject, own);
  if (loss === null) return own;
  let tried = 0;
  for (let size = 1; size <= together; size++) {
    for (const fields of subsets(differing(own, other), size)) {
      if (++tried > MOST_SETS) return own;
      if (fields.some((f) => sameValue(own[f], other[f]))) continue;
      const next = {
        ...own,
        ...Object.fromEntries(fields.map((f) => [f, other[f]])),
      };
      if (isFunction(subject, next, loss)) own = next;
    }
  }
  return own;
}

/**
 * Two specs in the way to write ratios that leaves the fewest changes. Dice and Jaccard are Tversky
 * too, Dice with smoothing that counts half: either the numbers in the code are the same, or what
 * they amount to.
 */
export function fewestChanges(a: FamilySpec, b: FamilySpec): [FamilySpec, FamilySpec] {
  if (a.ratio.kind === b.ratio.kind && a.ratio.kind !== "tversky") return [a, b];
  const [x, y] = [asTversky(a), asTversky(b)];
  return changesBetween(x, y).length < changesBetween(a, b).length ? [x, y] : [a, b];
}

function asTversky(s: FamilySpec): FamilySpec {
  if (s.ratio.kind === "tversky") return s;
  const dice = s.ratio.kind === "dice";
  const weight = dice ? 0.5 : 1;
  const half = (x: Scalar): Scalar => (dice ? scaled(x, 0.5) : x);
  return {
    ...s,
    ratio: { kind: "tversky", alpha: weight, beta: weight },
    smoothNumerator: half(s.smoothNumerator),
    smoothDenominator: half(s.smoothDenominator),
    denominatorFloor: half(s.denominatorFloor),
  };
}

function differing(a: FamilySpec, b: FamilySpec): FamilyField[] {
  return FAMILY_FIELDS.filter((f) => !sameValue(a[f], b[f]));
}

function isFunction(subject: Subject, spec: FamilySpec, loss: Expr): boolean {
  const built = builtOn(subject, spec);
  return built !== null && isLoss(subject, loss, built).equal === true;
}

function* subsets<T>(items: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let k = from; k <= items.length - size; k++) {
    for (const rest of subsets(items, size - 1, k + 1)) yield [items[k]!, ...rest];
  }
}
