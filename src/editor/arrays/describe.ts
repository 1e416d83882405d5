/** Picked arrays in words. */
import type { ArraySummary } from "../../arrays/ndarray.ts";
import { guessRoles } from "../../session/arrays/roles.ts";
import type { PickedArray } from "./pickedArray.ts";

/** "(2, 1, 8, 8) float32", or the dtype alone while the shape is not known. */
export function shapeAndType(shape: readonly number[], dtype: string): string {
  const sizes = shape.length === 1 ? `(${shape[0]!},)` : `(${shape.join(", ")})`;
  return `${sizes} ${dtype}`;
}

/** "0.01 to 0.98", "mask, 42 % foreground", "classes 0 to 3". */
export function rangeOf(summary: ArraySummary | null): string {
  if (summary === null) return "range not read";
  const { min, max, binary, integral, foregroundShare, nanCount, infCount } = summary;
  if (summary.count === 0) return "no elements";
  if (min === null || max === null) return "no finite numbers";
  const bad = nanCount + infCount === 0 ? "" : `, ${nanCount + infCount} not finite`;
  if (binary) return `mask, ${short(100 * (foregroundShare ?? 0))} % foreground`;
  if (integral) return `whole numbers ${whole(min)} to ${whole(max)}`;
  return `${short(min)} to ${short(max)}${bad}`;
}

/** With every digit, which tell a mask of 65535 from one of 65500. */
function whole(x: number): string {
  return Math.abs(x) < 1e15 ? String(x) : short(x);
}

/**
 * To three digits, or to as many as it takes not to look like a whole number that it is not: a
 * probability below 1, a mask with some background.
 */
function short(x: number): string {
  for (let digits = 3; digits <= 6; digits++) {
    const rounded = Number(x.toPrecision(digits));
    if (rounded === x || !Number.isInteger(rounded)) return String(rounded);
  }
  return `≈ ${Number(x.toPrecision(6))}`;
}

/** What one array alone looks like. */
export function roleOfPicked(array: PickedArray): "prediction" | "target" {
  return guessRoles([array]).target === 0 ? "target" : "prediction";
}
