/** From a typed formula and the arrays behind its names to an inspection. */
import type { NdArray } from "../arrays/ndarray.ts";
import type { FormulaTrace } from "../formula/parse.ts";
import { rolesOf } from "../python/trace/roles.ts";
import { type InspectedInput, type Inspection, type Watch, inspect } from "./inspect.ts";

/** @param arrayOf the array behind a name, null when there is none */
export function inspectFormula(
  trace: FormulaTrace,
  file: string,
  arrayOf: (source: string) => NdArray | null,
  wrt: string | null,
  watch: Watch,
): Inspection {
  const candidates = trace.inputs.map((x) => ({ name: x.symbol, isReal: x.node.type === "float" }));
  const roles = rolesOf(candidates, "numpy");
  const inputs = trace.inputs.map((x, k): InspectedInput => ({
    name: x.symbol,
    node: x.node,
    role: roles[k]!,
    array: arrayOf(x.source),
  }));
  return inspect(
    {
      function: { name: "formula", file, line: trace.line },
      loss: trace.loss,
      inputs,
      wrt,
      assumptions: trace.assumptions,
      blockers: [],
    },
    watch,
  );
}
