/** Changes of arrays that PyTorch's autograd does not see: through detach() and .data, in no_grad(). */
import { add, stopGradient, sub } from "../../expression/build.ts";
import type { Expr, Input } from "../../expression/node.ts";

/**
 * What an array is once its entries have become `changed` behind autograd's back: it has the new
 * values, and the gradient of before. Values are the same to the bit, as x - x is 0.
 */
export function changedUnseen(before: Expr, changed: Expr): Expr {
  if (!carriesGradient(before)) return changed;
  const value = changed.kind === "stopGradient" ? changed : stopGradient(changed);
  return add(value, sub(before, stopGradient(before)));
}

/** Whether a path leads from an input to the node by real numbers alone. */
export function carriesGradient(
  e: Expr,
  isSource: (input: Input) => boolean = () => true,
): boolean {
  const seen = new Set<Expr>();
  const open = [e];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.type !== "float" || next.kind === "stopGradient" || seen.has(next)) continue;
    if (next.kind === "input" && isSource(next)) return true;
    seen.add(next);
    open.push(...next.args);
  }
  return false;
}
