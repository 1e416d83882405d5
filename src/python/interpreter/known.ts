/** Numbers whose value a construct cannot do without. */
import { elementCount } from "../../expression/axis.ts";
import { type NumberValue, type TensorValue, type Value, typeName } from "../values.ts";
import {
  type Interpreter,
  NeedsIntegerError,
  UnknownSizeError,
  UnknownValueError,
} from "./interpreter.ts";

/**
 * The value of an integer: of a loop's length, an index, a size.
 * @param what how the message calls it, e.g. "range()"
 * @throws PythonError TypeError if it is none, Unsupported if its value is not known
 */
export function knownInteger(vm: Interpreter, v: Value, what: string): number {
  if (v.kind === "tensor") return entryOf(vm, v, what);
  if (v.kind !== "number" || v.type === "float") {
    return vm.fail(
      "TypeError",
      `${what}: '${typeName(v)}' object cannot be interpreted as an integer`,
    );
  }
  return knownNumber(vm, v, what);
}

/** Python asks an array for its `__index__`, which one of a single integer has. */
function entryOf(vm: Interpreter, t: TensorValue, what: string): number {
  const isSingle =
    t.expr.shape.length === 0 || (t.library === "torch" && elementCount(t.expr.shape) === 1);
  if (isSingle && t.expr.type !== "float") {
    return vm.evaluate(t.expr)?.data[0] ?? unknown(vm, what);
  }
  return vm.fail(
    "TypeError",
    `${what}: only an array of one integer can be used as one`,
    "Convert its value: int(x).",
    isSingle ? new NeedsIntegerError(t.expr) : undefined,
  );
}

export function knownNumber(vm: Interpreter, v: NumberValue, what: string): number {
  if (v.value !== null) return v.value;
  const axes = v.axes?.filter((a) => a.size === null).map((a) => a.name) ?? [];
  if (axes.length === 0) {
    const value = v.symbol === null ? undefined : vm.evaluate(v.symbol)?.data[0];
    return value ?? unknown(vm, what);
  }
  return vm.unsupported(
    `${what} needs the size of axis ${axes.join(", ")}, which is not known`,
    "Bind arrays to the function's parameters, or give their shapes.",
    new UnknownSizeError(axes),
  );
}

function unknown(vm: Interpreter, what: string): never {
  return vm.unsupported(
    `${what} needs a value that is not known here`,
    "Bind arrays and numbers to the function's parameters.",
    new UnknownValueError(what),
  );
}
