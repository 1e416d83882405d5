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
  if (min === null || max === null) return "no finite numbers";
  const bad = nanCount + infCount === 0 ? "" : `, ${nanCount + infCount} not finite`;
  if (binary) return `mask, ${short(100 * (foregroundShare ?? 0))} % foreground`;
  const range = `${short(min)} to ${short(max)}`;
  return `${integral ? `whole numbers ${range}` : range}${bad}`;
}

function short(x: number): string {
  return String(Number(x.toPrecision(3)));
}

/** What one array alone looks like. */
export function roleOfPicked(array: PickedArray): "prediction" | "target" {
  return guessRoles([array]).target === 0 ? "target" : "prediction";
}
