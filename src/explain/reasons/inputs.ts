/** One loss as a function of another one's arrays. */
import { type Axis, fitsShape, sameShape } from "../../expression/axis.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { renameAxes, substitute } from "../../expression/walk.ts";

/**
 * An expression with some of its inputs replaced by others of the same sizes, axis by axis: what one
 * function calls channels and another a height is the same axis if it stands in the same place.
 * Null where the shapes do not fit, or one axis would have to be two.
 */
export function onInputs(
  e: Expr,
  pairs: readonly (readonly [from: Input, to: Input])[],
): Expr | null {
  const axes = new Map<string, Axis>();
  let isSame = true;
  for (const [from, to] of pairs) {
    if (!fitsShape(from.shape, to.shape)) return null;
    for (const [d, a] of from.shape.entries()) {
      const b = to.shape[d]!;
      const known = axes.get(a.name);
      if (known !== undefined && known.name !== b.name) return null;
      axes.set(a.name, b);
      isSame &&= a.name === b.name && a.size === b.size;
    }
  }
  const renamed = isSame ? (x: Expr): Expr => x : (x: Expr): Expr => renameAxes(x, axes);
  const replacements = new Map<Expr, Expr>();
  for (const [from, to] of pairs) {
    const own = renamed(from);
    if (!sameShape(own.shape, to.shape) && !isSame) return null;
    replacements.set(own, to);
  }
  return substitute(renamed(e), replacements);
}
