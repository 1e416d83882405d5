/** A call's arguments in the order of the function's parameters. */
import { bindArguments } from "../interpreter/calls.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { FunctionValue, Value } from "../values.ts";

/** @throws PythonError if the call does not fit the function */
export function withArguments(
  vm: Interpreter,
  fn: FunctionValue,
  positional: readonly Value[],
  keywords: ReadonlyMap<string, Value>,
): Value[] {
  const bound = bindArguments(vm, fn, { positional, keywords });
  return fn.code.parameters.flatMap((p): readonly Value[] => {
    const v = bound.get(p.name)!;
    return p.kind === "args" && v.kind === "tuple" ? v.items : [v];
  });
}
