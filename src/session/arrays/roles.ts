/**
 * Guesses about arrays that someone points at, from what they are called and what is in them: which is
 * a prediction and which a target, and whether a prediction is of probabilities or of logits.
 */
import type { ArraySummary } from "../../arrays/ndarray.ts";
import { roleOfName } from "../../python/trace/roles.ts";

/** What is known of an array. */
export interface Described {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly summary: Pick<ArraySummary, "min" | "max" | "binary" | "integral"> | null;
}

export interface RoleGuess {
  /** Places in the list; null where there is no such array. */
  readonly prediction: number | null;
  readonly target: number | null;
  /** Whether names or values say so, rather than the order alone. */
  readonly isSure: boolean;
}

/** Arrays that losses take besides the two. */
const WEIGHTS = /weight|alpha|beta|gamma|bias|dist/i;

/** By how much two arrays' scores differ when it is said which is which. */
const SURE = 3;

/** The most likely prediction and target; with one array, which of the two it is. */
export function guessRoles(arrays: readonly Described[]): RoleGuess {
  const [first, ...others] = arrays;
  if (first === undefined) return { prediction: null, target: null, isSure: false };
  const scores = arrays.map((a) => predictionScore(a, arrays));
  if (others.length === 0) {
    const [score] = scores as [number];
    const isSure = Math.abs(score) >= SURE;
    return score < 0
      ? { prediction: null, target: 0, isSure }
      : { prediction: 0, target: null, isSure };
  }
  const all = arrays.map((_, k) => k);
  const unweighted = all.filter((k) => !isWeights(arrays[k]!));
  const candidates = unweighted.length >= 2 ? unweighted : all;
  const byScore = [...candidates].sort((a, b) => scores[b]! - scores[a]!);
  const [prediction, target] = [byScore[0]!, byScore.at(-1)!];
  return { prediction, target, isSure: scores[prediction]! - scores[target]! >= SURE };
}

function isWeights({ name }: Described): boolean {
  return roleOfName(name) === null && WEIGHTS.test(name);
}

/** Above 0 for what looks like a prediction, below for a target. */
function predictionScore(a: Described, all: readonly Described[]): number {
  const role = roleOfName(a.name);
  let score = role === null ? 0 : role === "prediction" ? 4 : role === "target" ? -4 : -3;
  if (!isFloat(a.dtype)) score -= 4;
  else if (a.summary !== null) {
    score += a.summary.integral ? -3 : 3;
    if (a.summary.binary) score -= 1;
  }
  // A map of classes has no class axis; scores of classes have one.
  if (all.some((b) => a.shape.length === b.shape.length + 1)) score += 1;
  return score;
}

export function isFloat(dtype: string): boolean {
  return /^b?float/.test(dtype);
}

/** What a prediction's numbers are. */
export type Scale = "probabilities" | "logits";

/** Rounding takes probabilities this little beyond 0 and 1. */
const ROUNDING = 1e-3;

/**
 * By the range of the numbers. Not sure where it fits neither well: nothing below 0 but something
 * above 1, which images of 0 to 255 have, or numbers that all lie just beyond 0 and 1.
 */
export function guessScale({ name, summary }: Described): {
  readonly scale: Scale;
  readonly isSure: boolean;
} {
  const isNamedLogits = /logit/i.test(name);
  const { min, max } = summary ?? { min: null, max: null };
  if (min === null || max === null) {
    return { scale: isNamedLogits ? "logits" : "probabilities", isSure: isNamedLogits };
  }
  if (min >= -ROUNDING && max <= 1 + ROUNDING) {
    // Few logits may all happen to lie between 0 and 1.
    return { scale: isNamedLogits ? "logits" : "probabilities", isSure: !isNamedLogits };
  }
  return { scale: "logits", isSure: min < -0.5 || isNamedLogits };
}
