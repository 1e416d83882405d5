/** One finding, and the words that findings share. */
import type { Expr } from "../../expression/node.ts";
import { layoutOf, unravel } from "../../gradient/entries.ts";
import { countWords, indexWords, number } from "../../gradient/nodeWords.ts";
import { differences } from "../../numbers/certain.ts";
import type { Bindings, Watch } from "../../numbers/typedArrays.ts";
import type { Measured } from "./behaviour.ts";
import type { LimitValue } from "./limits.ts";

export interface Finding {
  /** Stable: "saturation", "wrong-and-sure", "scale", "smoothing", … */
  readonly id: string;
  readonly kind: "vanishes" | "explodes" | "steady" | "undefined" | "information";
  readonly sentence: string;
  readonly lines: readonly number[];
}

/** Arrays that were made to show something are not the user's. */
export function whose({ subject }: Measured): string {
  return subject.isSample === true ? "the sample's" : "your";
}

/** @param sentence without its full stop */
export function finding(
  id: string,
  kind: Finding["kind"],
  sentence: string,
  lines: readonly number[] = [],
): Finding {
  return { id, kind, sentence: `${sentence}.`, lines };
}

/** Largest difference of two gradients beside their largest entry; null where one has no value. */
export function relativeChange(
  a: Expr,
  b: Expr,
  bindings: Bindings,
  watch: Watch = {},
): number | null {
  return relativeChanges(a, [b], bindings, watch)[0]!;
}

/** The same of one gradient and each of several. */
export function relativeChanges(
  a: Expr,
  others: readonly Expr[],
  bindings: Bindings,
  watch: Watch = {},
): (number | null)[] {
  return differences(a, others, bindings, watch).map((apart) => {
    if (apart === null) return null;
    return apart.size === 0 ? 0 : apart.largest / apart.size;
  });
}

export function limitWords(limit: LimitValue | undefined): string {
  switch (limit?.kind) {
    case "zero":
      return limit.reached ? "0" : "0/0 there, and 0 on the way to it";
    case "finite":
      return limit.reached
        ? number(limit.value!, 3)
        : `0/0 there, and ${number(limit.value!, 3)} on the way to it`;
    case "infinite":
      return "without bound";
    default:
      return "undefined (0/0)";
  }
}

export function factorWords(factor: number): string {
  if (Math.abs(factor - 1) < 5e-4) return "leaves the gradient as it is (less than 0.05 %)";
  if (Math.abs(factor - 0.5) < 5e-3) return "halves the gradient";
  return `multiplies the gradient by ${number(factor, 3)}`;
}

export function ratioWords(part: number, whole: number): string {
  if (part === 0) return "nothing beside";
  const times = whole / part;
  return times < 1.5 ? "about as large as" : `${number(times)} times smaller than`;
}

export function percent(x: number): string {
  return `${number(100 * x)} %`;
}

export function share(n: number, of: number): string {
  if (n === of) return "all";
  return n === 0 ? "none" : percent(n / of);
}

export const elements = (n: number): string =>
  `${countWords(n)} ${n === 1 ? "element" : "elements"}`;
export const voxels = (n: number): string => `${countWords(n)} ${n === 1 ? "voxel" : "voxels"}`;
export const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1);

export function place({ subject }: Measured, at: number): string {
  return indexWords(unravel(at, layoutOf(subject.wrt)));
}
