/** Using what the tracer has no model of. */
import { PythonError } from "../errors.ts";
import type { OpaqueValue } from "../values.ts";
import type { Interpreter } from "./interpreter.ts";

/** @throws PythonError which names it and says why it is not known */
export function useOpaque(vm: Interpreter, v: OpaqueValue): never {
  if (v.reason instanceof PythonError) {
    const { file, line, headline, remedy } = v.reason;
    return vm.unsupported(
      `${v.name} could not be read: ${headline} (${file}, line ${line})`,
      remedy ?? "Mend it there, or write out here what the loss uses of it.",
      v.reason.cause,
    );
  }
  if (typeof v.reason !== "string") {
    const { problem, remedy } = v.reason;
    return vm.unsupported(`${v.name} is not known to the inspector: ${problem}`, remedy);
  }
  return vm.unsupported(
    `${v.name} is not known to the inspector: ${v.reason}`,
    "Write out what it computes, or compute it beforehand and load the result as an array.",
  );
}
