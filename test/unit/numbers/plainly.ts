/** Plain evaluation of expressions on the arrays that kernels get. */
import { sizesOf } from "../../../src/expression/axis.ts";
import type { BoundArray } from "../../../src/expression/evaluate.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";

/** The arrays with the shapes that the expressions' inputs have. */
export function boundArrays(
  outputs: readonly Expr[],
  arrays: ReadonlyMap<string, TypedArray>,
): Map<string, BoundArray> {
  const bound = new Map<string, BoundArray>();
  for (const e of topological(...outputs)) {
    if (e.kind === "input") {
      bound.set(e.name, { shape: sizesOf(e.shape), data: arrays.get(e.name)! });
    }
  }
  return bound;
}
