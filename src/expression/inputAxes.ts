/**
 * Index letters for an input array, by its rank: what a reader of segmentation code calls them.
 * Inputs of equal rank share the letters, so that p[b,c,i] stands beside g[b,c,i].
 */
import { type Axis, type AxisRole, type Shape, axis } from "./axis.ts";

/** Where the class axis stands: PyTorch and JAX code (mostly) puts it second, Keras code last. */
export type Layout = "channels-first" | "channels-last";

const B = ["b", "batch"] as const;
const C = ["c", "class"] as const;
const space = (names: string): (readonly [string, AxisRole])[] =>
  Array.from(names, (n) => [n, "space"] as const);

function letters(rank: number, layout: Layout): readonly (readonly [string, AxisRole])[] {
  if (rank === 0) return [];
  if (rank === 1) return [["i", "element"]];
  if (rank === 2) return space("ij");
  if (rank === 3) return space("ijk");
  const spatial = rank === 4 ? space("hw") : rank === 5 ? space("dhw") : spaceOf(rank - 2);
  return layout === "channels-first" ? [B, C, ...spatial] : [B, ...spatial, C];
}

function spaceOf(n: number): (readonly [string, AxisRole])[] {
  return Array.from({ length: n }, (_, d) => [`x${d + 1}`, "space"] as const);
}

/** Axes for an input with these sizes (`null` where a size is not known). */
export function inputAxes(
  sizes: readonly (number | null)[],
  layout: Layout = "channels-first",
): Shape {
  return letters(sizes.length, layout).map(([name, role], d): Axis => axis(name, sizes[d]!, role));
}
