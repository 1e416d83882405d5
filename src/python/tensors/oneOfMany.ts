/** Parts of PyTorch's arrays that come several at a time. */
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { TensorValue } from "../values.ts";
import { carriesGradient } from "./detached.ts";
import { viewOf } from "./tensor.ts";

/**
 * A part of an array that a function gave together with others, as chunk(), split() and unbind() do:
 * PyTorch does not let it be changed in place where a gradient flows to it.
 */
export function oneOfMany(vm: Interpreter, part: TensorValue, how: string): TensorValue {
  if (part.library !== "torch" || part.selection !== null) return part;
  return viewOf(
    vm,
    part,
    (e) => e,
    (before, changed) => {
      if (vm.stopGradientDepth > 0 || !carriesGradient(vm, before)) return changed;
      return vm.fail(
        "RuntimeError",
        `an output of ${how} is a view that is modified in place: PyTorch allows it of no view that ` +
          "a function gives together with others",
        "Write x = x * y instead of x *= y, or take the part by indexing: x[0].",
      );
    },
  );
}
