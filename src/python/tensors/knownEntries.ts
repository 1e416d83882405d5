/** Entries that are looked at while tracing: what comes of them is fixed for the arrays at hand. */
import { leaves } from "../../expression/walk.ts";
import type { Expr } from "../../expression/node.ts";
import type { NumericArray } from "../host.ts";
import { type Interpreter, UnknownValueError } from "../interpreter/interpreter.ts";

/** What is looked at is held several times over; larger arrays would take the memory of all else. */
const MOST_ENTRIES = 2 ** 23;

/** The entries, or null where an array behind them is not at hand. What depends on given arrays is said. */
export function entriesIfKnown(vm: Interpreter, e: Expr, what: string): NumericArray | null {
  const count = e.shape.reduce((n, { size }) => n * (size ?? 0), 1);
  if (count > MOST_ENTRIES) {
    vm.unsupported(
      `${what} depends on the values of ${count.toLocaleString("en")} entries; up to ${MOST_ENTRIES.toLocaleString("en")} are looked at while tracing`,
      "Give it a smaller array: a crop or some slices.",
    );
  }
  const known = vm.evaluate(e);
  if (known !== null && dependsOnGiven(vm, e)) {
    vm.recorder.assume(
      `line ${vm.at.line}: ${what} as these arrays have it; the formula holds where that stays so`,
    );
  }
  return known;
}

/** @throws PythonError where an array behind them is not at hand */
export function knownEntries(vm: Interpreter, e: Expr, what: string): NumericArray {
  return (
    entriesIfKnown(vm, e, what) ??
    vm.unsupported(
      `${what} depends on values that are not known here`,
      "Bind arrays to the function's parameters: then it is known.",
      new UnknownValueError(what),
    )
  );
}

/** Whether arrays enter that the program has not written down itself. */
function dependsOnGiven(vm: Interpreter, e: Expr): boolean {
  return leaves(vm.recorder.spelledOut(e)).some(
    (x) => x.kind === "input" && !vm.arrays.handles.has(x),
  );
}

/** Row-major indices of the entries that are not zero: one list an axis. */
export function nonzeroPositions({ data, shape }: NumericArray): number[][] {
  const positions: number[][] = shape.map(() => []);
  const at = shape.map(() => 0);
  for (const v of Array.from(data)) {
    if (v !== 0) positions.forEach((p, d) => p.push(at[d]!));
    for (let d = shape.length - 1; d >= 0; d--) {
      if (++at[d]! < shape[d]!) break;
      at[d] = 0;
    }
  }
  return positions;
}
