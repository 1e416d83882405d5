/** Largest and smallest entries, as they are written where it matters which of several equal ones counts. */
import { reduce } from "./build.ts";
import type { Expr, Reduce } from "./node.ts";

type Largest = Reduce & { readonly op: "max" | "min" };

/**
 * The reduction that a sum over the one entry which is largest, or smallest, stands for. So written,
 * its derivative goes to the first of several that are.
 */
export function largestPicked(e: Reduce): Largest | null {
  const [chosen, dim] = [e.args[0]!, e.dims[0]!];
  if (e.op !== "sum" || e.dims.length !== 1 || chosen.kind !== "where") return null;
  const [picked, x, rest] = chosen.args as readonly [Expr, Expr, Expr];
  const hot = picked.kind === "cast" ? picked.args[0]! : picked;
  if (rest.kind !== "const" || rest.value !== 0 || hot.kind !== "oneHot" || hot.dim !== dim) {
    return null;
  }
  const best = hot.args[0]!;
  const isOfIt = best.kind === "argReduce" && best.dim === dim && best.args[0] === x;
  if (!isOfIt || best.keepDims) return null;
  return reduce(best.op === "argmax" ? "max" : "min", x, e.dims, e.keepDims) as Largest;
}
