/** Changes of arrays that PyTorch's autograd does not see: through detach() and .data, in no_grad(). */
import { add, stopGradient, sub } from "../../expression/build.ts";
import type { Expr, Input } from "../../expression/node.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";

/**
 * What an array is once its entries have become `changed` behind autograd's back: it has the new
 * values, and the gradient of before. Values are the same to the bit, as x - x is 0.
 */
export function changedUnseen(vm: Interpreter, before: Expr, changed: Expr): Expr {
  if (!carriesGradient(vm, before)) return changed;
  vm.recorder.assume(
    `line ${vm.at.line}: what is written through detach(), .data or .numpy(), or in no_grad(), changes ` +
      "an array without autograd's seeing it: its gradient is that of the array before",
  );
  return add(withoutItsGradient(vm, changed), sub(before, stopGradient(before)));
}

/** The same values, through which no gradient flows. */
export function withoutItsGradient(vm: Interpreter, e: Expr): Expr {
  return e.kind === "stopGradient" || !carriesGradient(vm, e) ? e : stopGradient(e);
}

/** Whether a path leads from an input of the trace to the node by real numbers alone. */
export function carriesGradient(
  vm: Interpreter,
  e: Expr,
  isSource: (input: Input) => boolean = (input) => vm.traceInputs.includes(input),
): boolean {
  const seen = new Set<Expr>();
  const open = [vm.recorder.spelledOut(e)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.type !== "float" || next.kind === "stopGradient" || seen.has(next)) continue;
    if (next.kind === "input" && isSource(next)) return true;
    seen.add(next);
    open.push(...next.args);
  }
  return false;
}
