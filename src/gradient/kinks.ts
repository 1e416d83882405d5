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
import { derive } from "./derive.ts";
import type { ElementDerivative } from "./elements.ts";
import type { LossPoint } from "./lossPoint.ts";

export interface Kink {
  /** The operation that switches; or what was sorted, where equal entries may change places. */
  readonly node: Expr;
  readonly kind: "switches" | "tied order";
  /** Elements of the input that it concerns, ascending. */
  readonly elements: readonly number[];
  /** Slopes at the first of them that was looked at; of equal entries, the derivatives furthest apart. */
  readonly left: number;
  readonly right: number;
}

/** What a loss holds in the order that its values have. */
export interface Tied {
  /** What was sorted. */
  readonly of: Expr;
  /** For each entry, row-major: 0 where no other equals it, else the number of those that are equal. */
  readonly groups: Int32Array;
}

/**
 * Derivatives by equal entries are told apart beyond this share of their size. Those of a Lovász
 * loss differ by 2/n at least, and its differences of n quotients are rounded by n·2⁻⁵³.
 */
const JUMP = 2 ** -26;

/** How many of the elements that a tie concerns are looked at for slopes that differ. */
const TRIALS = 8;

/** @param derivativeAt numeric derivative by one element; null where it cannot be had */
export function kinksAt(
  point: LossPoint,
  derivativeAt: (element: number) => ElementDerivative | null,
): Kink[] {
  return [...switches(point, derivativeAt), ...point.tied.flatMap((t) => tiedOrder(point, t))];
}

function switches(
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
    const elements = elementsBehind(point, tie.of, seed);
    const step = Math.max(1, Math.floor(elements.length / TRIALS));
    for (let j = 0; j < elements.length; j += step) {
      const d = derivativeAt(elements[j]!);
      if (d?.kink !== true) continue;
      const { left, right } = d;
      return [{ node: tie.node, kind: "switches", elements, left, right }];
    }
    return [];
  });
}

/** The entries of the input that reach marked ones of a node, ascending. */
function elementsBehind(point: LossPoint, node: Expr, marks: Int32Array): number[] {
  const labels = labelsOf(point.wrt, new Map([[node, marks]]));
  const elements: number[] = [];
  for (const [first, end] of parts(labels.length)) {
    for (let i = first; i < end; i++) if (labels[i] !== 0) elements.push(i);
  }
  return elements;
}

/**
 * Equal entries that were put in an order which counts: the loss holds that order, so moving one of
 * them does not show it, but its derivative is another one at each of their places.
 */
function tiedOrder(point: LossPoint, { of, groups }: Tied): Kink[] {
  const slopes = point.values([derive(point.loss, of)])[0]!;
  const least = new Map<number, number>();
  const most = new Map<number, number>();
  for (const [first, end] of parts(groups.length)) {
    for (let k = first; k < end; k++) {
      const [group, g] = [groups[k]!, slopes[k]!];
      if (group === 0) continue;
      least.set(group, Math.min(g, least.get(group) ?? g));
      most.set(group, Math.max(g, most.get(group) ?? g));
    }
  }
  const differ = (group: number): boolean => {
    const [a, b] = [least.get(group)!, most.get(group)!];
    return b - a > JUMP * (Math.abs(a) + Math.abs(b));
  };
  const marks = filled(new Int32Array(groups.length), (k) =>
    groups[k] !== 0 && differ(groups[k]!) ? 1 : 0,
  );
  const elements = elementsBehind(point, of, marks);
  if (elements.length === 0) return [];
  let [left, right] = [0, 0];
  for (const [group, a] of least) {
    const b = most.get(group)!;
    if (b - a > right - left) [left, right] = [a, b];
  }
  return [{ node: of, kind: "tied order", elements, left, right }];
}
