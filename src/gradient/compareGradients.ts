/**
 * Two gradients compared element by element, in units of the rounding that right code makes there:
 * |g − reference| / (u·S), S the sum of the absolute terms the element is made of. A right gradient
 * stays below a bound that grows with the depth of the sums, however large the arrays; an absolute
 * tolerance goes blind as the elements shrink.
 */

import { parts } from "../numbers/interruption.ts";
import { Largest } from "./largest.ts";

export type GradientType = "float64" | "float32" | "float16" | "bfloat16";

/** Unit roundoff, and the smallest positive number, of each type. */
export const ROUNDING: Readonly<Record<GradientType, { unit: number; smallest: number }>> = {
  float64: { unit: 2 ** -53, smallest: 2 ** -1074 },
  float32: { unit: 2 ** -24, smallest: 2 ** -149 },
  float16: { unit: 2 ** -11, smallest: 2 ** -24 },
  bfloat16: { unit: 2 ** -8, smallest: 2 ** -133 },
};

/** A gradient in double-double, the unevaluated sum hi + lo; or in float64 with `lo` null. */
export interface ReferenceGradient {
  readonly hi: Float64Array;
  readonly lo: Float64Array | null;
}

/** candidate − reference at one element. */
export function differenceAt(
  candidate: ArrayLike<number>,
  { hi, lo }: ReferenceGradient,
  element: number,
): number {
  return candidate[element]! - hi[element]! - (lo === null ? 0 : lo[element]!);
}

/** How many of the largest errors are looked at. */
const WORST = 48;

export interface GradientComparison {
  /** Elements compared: all but the excluded. */
  readonly compared: number;
  readonly maxScaled: number;
  /** Element of the largest scaled error; -1 when none was compared. */
  readonly worst: number;
  readonly maxAbs: number;
  /** Largest error relative to the reference where that is not 0. */
  readonly maxRel: number;
  /** Elements beyond the bound. */
  readonly beyond: number;
  /** Elements that are not finite though the reference is, and the first of them. */
  readonly notFinite: number;
  readonly firstNotFinite: number;
  /** The elements of the largest scaled errors, excluded ones included. */
  readonly worstFew: readonly number[];
  readonly scaledError: (element: number) => number;
}

export function compareGradients(
  candidate: ArrayLike<number>,
  reference: ReferenceGradient,
  scale: Float64Array,
  type: GradientType,
  bound: number,
  excluded: Uint8Array | null,
): GradientComparison {
  const { unit, smallest } = ROUNDING[type];
  const { hi, lo } = reference;
  const scaledError = (k: number): number => {
    const error = Math.abs(differenceAt(candidate, reference, k));
    return error === 0 ? 0 : error / (unit * scale[k]! + smallest);
  };
  const worstFew = new Largest(WORST);
  let compared = hi.length;
  let maxScaled = 0;
  let worst = -1;
  let maxAbs = 0;
  let maxRel = 0;
  let beyond = 0;
  let notFinite = 0;
  let firstNotFinite = -1;
  let unremarkable = -1;
  for (const [first, end] of parts(hi.length)) {
    if (excluded !== null) for (let k = first; k < end; k++) compared -= excluded[k]!;
    for (let k = first; k < end; k++) {
      const exact = hi[k]!;
      const size = Math.abs(exact);
      const given = candidate[k]!;
      let error = Math.abs(lo === null ? given - exact : given - exact - lo[k]!);
      const rounding = unit * scale[k]! + smallest;
      // Nearly all: no larger in any respect than what came before, of which one was compared.
      const isSmall = error <= maxAbs && error <= maxRel * size;
      if (worst >= 0 && isSmall && error <= unremarkable * rounding) continue;
      if (!(error < Infinity)) error = Infinity;
      const scaled = error === 0 ? 0 : error / rounding;
      // A product and a quotient are rounded in different ways.
      unremarkable = Math.min(worstFew.offer(k, scaled), bound) * (1 - 2 ** -50);
      if (excluded !== null && excluded[k] === 1) continue;
      if (!Number.isFinite(given)) {
        if (notFinite++ === 0) firstNotFinite = k;
        continue;
      }
      if (error > maxAbs) maxAbs = error;
      if (error > maxRel * size && error / size < Infinity) maxRel = error / size;
      if (scaled > bound) beyond++;
      if (scaled > maxScaled || worst < 0) {
        maxScaled = scaled;
        worst = k;
      }
    }
  }
  return {
    compared,
    maxScaled,
    worst: firstNotFinite >= 0 ? firstNotFinite : worst,
    maxAbs: notFinite > 0 ? Infinity : maxAbs,
    maxRel: notFinite > 0 ? Infinity : maxRel,
    beyond: beyond + notFinite,
    notFinite,
    firstNotFinite,
    worstFew: worstFew.indices,
    scaledError,
  };
}
