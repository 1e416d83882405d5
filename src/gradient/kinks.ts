/**
 * Elements at which a loss has no derivative: the point sits where an absolute value, a clamp, a
 * maximum or a threshold switches. A tie alone is not enough (its branches may agree); slopes from
 * the left and the right that differ are.
 */
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { parts, filled } from "../numbers/interruption.ts";
import { tiesOf } from "./branches.ts";
import { labelsOf } from "./cells.ts";
import type { ElementDerivative } from "./elements.ts";
import type { LossPoint } from "./lossPoint.ts";

export interface Kink {
  /** The operation that switches. */
  readonly node: Expr;
  /** Elements of the input that it concerns, ascending. */
  readonly elements: readonly number[];
  /** Slopes at the first of them that was looked at. */
  readonly left: number;
  readonly right: number;
}

/** How many of the elements that a tie concerns are looked at for slopes that differ. */
const TRIALS = 8;

/** @param derivativeAt numeric derivative by one element; null where it cannot be had */
export function kinksAt(
  point: LossPoint,
  derivativeAt: (element: number) => ElementDerivative | null,
): Kink[] {
  const ties = tiesOf(point.loss, point.wrt);
  if (ties.length === 0) return [];
  // Counted first: a tie is rare, and its mask may be as large as the input.
  const counts = point.values(ties.map((t) => b.sum(t.at)));
  return ties.flatMap((tie, k) => {
    if (counts[k]![0] === 0) return [];
    const mask = point.values([tie.at])[0]!;
    const seed = filled(new Int32Array(mask.length), (i) => (mask[i] === 0 ? 0 : 1));
    const labels = labelsOf(point.wrt, new Map([[tie.of, seed]]));
    const elements: number[] = [];
    for (const [first, end] of parts(labels.length)) {
      for (let i = first; i < end; i++) if (labels[i] !== 0) elements.push(i);
    }
    const step = Math.max(1, Math.floor(elements.length / TRIALS));
    for (let j = 0; j < elements.length; j += step) {
      const d = derivativeAt(elements[j]!);
      if (d?.kink === true) return [{ node: tie.node, elements, left: d.left, right: d.right }];
    }
    return [];
  });
}
