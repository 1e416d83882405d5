/** Truth of values, and decisions that depend on arrays. */
import { followsNumpy } from "../dtypes.ts";
import type { Axis } from "../../expression/axis.ts";
import { elementCount } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import type { Value } from "../values.ts";
import { call } from "./calls.ts";
import { findMethod } from "./attributes.ts";
import { type Interpreter, UnknownSizeError, UnknownValueError } from "./interpreter.ts";
import { useOpaque } from "./opaque.ts";

/** @throws PythonError when it depends on values that are not known */
export function truth(vm: Interpreter, v: Value): boolean {
  switch (v.kind) {
    case "none":
      return false;
    case "number":
      return v.value !== null ? v.value !== 0 : decide(vm, v.symbol!, v.axes);
    case "tensor": {
      const n = elementCount(v.expr.shape);
      if (v.expr.shape.length > 0 && n !== 1) {
        return followsNumpy(v.library)
          ? vm.fail(
              "ValueError",
              "The truth value of an array with more than one element is ambiguous. " +
                "Use a.any() or a.all()",
            )
          : vm.fail(
              "RuntimeError",
              "Boolean value of Tensor with more than one value is ambiguous",
              "Use x.any() or x.all().",
            );
      }
      return decide(vm, v.expr, null);
    }
    case "str":
      return v.value !== "";
    case "tuple":
    case "list":
      return v.items.length > 0;
    case "dict":
    case "set":
      return v.entries.size > 0;
    case "range":
      return v.step > 0 ? v.start < v.stop : v.start > v.stop;
    case "instance": {
      const own = findMethod(v, "__bool__") ?? findMethod(v, "__len__");
      return own === null ? true : truth(vm, call(vm, own, []));
    }
    case "opaque":
      return useOpaque(vm, v);
    default:
      return true;
  }
}

/** Follows the branch that the bound arrays lead to, and says so. */
function decide(vm: Interpreter, condition: Expr, axes: readonly Axis[] | null): boolean {
  const unknown = axes?.filter((a) => a.size === null).map((a) => a.name) ?? [];
  if (unknown.length > 0) {
    vm.unsupported(
      `this depends on the size of axis ${unknown.join(", ")}, which is not known`,
      "Bind arrays to the function's parameters, or give their shapes.",
      new UnknownSizeError(unknown),
    );
  }
  const result = vm.evaluate(condition)?.data[0];
  const { undecided } = vm;
  if (result === undefined && axes === null && undecided !== null) {
    vm.recorder.decide(condition, undecided, vm.at);
    return undecided;
  }
  if (result === undefined) {
    return vm.unsupported(
      "which way this goes depends on values that are not known here",
      "Bind arrays to the function's parameters: the branch that they take is followed.",
      new UnknownValueError(condition.kind),
    );
  }
  const taken = result !== 0;
  if (axes === null) vm.recorder.decide(condition, taken, vm.at);
  const code = vm.source?.lines[vm.at.line - 1]?.trim() ?? "";
  vm.recorder.assume(
    `line ${vm.at.line}: \`${code}\` — its condition is ${String(taken)} for these arrays; ` +
      "the formula holds where that stays so",
  );
  return taken;
}
