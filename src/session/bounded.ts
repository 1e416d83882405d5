/** Deriving within bounds: a formula that is too much for the engine is an error at its loss. */
import { EffortSpent, withEffort } from "../expression/effort.ts";
import { FormulaTooLong } from "../expression/notation.ts";
import { PythonError, isOutOfRoom } from "../python/errors.ts";
import type { Trace } from "../python/program.ts";

/** About two seconds of one processor; the longest derivations of real losses take a hundredth. */
const EFFORT = 2_000_000;

/** @throws PythonError where the loss stands, if its formula is too long for what `body` does */
export function bounded<T>({ name, file, line }: Trace, body: () => T): T {
  try {
    return withEffort(EFFORT, body);
  } catch (e) {
    const isTooLong = isOutOfRoom(e) || e instanceof FormulaTooLong || e instanceof EffortSpent;
    if (!isTooLong) throw e;
    throw new PythonError(
      "Unsupported",
      `the formula of ${name} is too long to be derived`,
      { span: { file, line, column: 1 }, source: null },
      { remedy: "Give its loops fewer rounds, or derive a part of it by itself.", cause: e },
    );
  }
}
