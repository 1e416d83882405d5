/** How far a library's gradient is from the derived one, in units in the last place. */
import { type GradientType, ROUNDING } from "../../gradient/compareGradients.ts";
import { every, filled } from "../../numbers/interruption.ts";

/** The spacing of the numbers of a type at `x`, away from 0; that of the smallest ones below them. */
export function ulpAt(x: number, type: GradientType): number {
  const { unit, smallest } = ROUNDING[type];
  const size = Math.abs(x);
  if (!(size > 0)) return smallest;
  let exponent = Math.floor(Math.log2(size));
  // The logarithm is rounded, so just below a power of two it may name that power.
  if (2 ** exponent > size) exponent--;
  return Math.max(2 * unit * 2 ** exponent, smallest);
}

/** candidate − derived at each element, in units in the last place of the derived one as that type. */
export function ulpsApart(
  candidate: ArrayLike<number>,
  derived: Float64Array,
  type: GradientType,
): Float64Array {
  return filled(new Float64Array(derived.length), (k) => {
    const d = derived[k]!;
    return candidate[k] === d ? 0 : (candidate[k]! - d) / ulpAt(d, type);
  });
}

/** The largest of them in size; null when one is no number. */
export function largestUlps(ulps: Float64Array): number | null {
  let largest = 0;
  const areFinite = every(ulps.length, (k) => {
    largest = Math.max(largest, Math.abs(ulps[k]!));
    return Number.isFinite(ulps[k]!);
  });
  return areFinite ? largest : null;
}
