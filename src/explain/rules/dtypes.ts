/** Which dtype each node's entries are stored in, as far as the code or the arrays say. */
import type { Expr } from "../../expression/node.ts";
import type { View } from "./view.ts";

/** A half-precision format (IEEE 754-2019 binary16; bfloat16 as in hardware). */
export interface Stored {
  readonly name: "float16" | "bfloat16";
  /** Smallest positive number, subnormal. */
  readonly smallest: number;
  readonly largest: number;
  /** An epsilon that survives beside small values. */
  readonly advised: number;
}

const FORMATS: Readonly<Record<string, Stored>> = {
  float16: { name: "float16", smallest: 2 ** -24, largest: 65504, advised: 1e-4 },
  bfloat16: {
    name: "bfloat16",
    smallest: 2 ** -133,
    largest: 3.3895313892515355e38,
    advised: 1e-6,
  },
};

/**
 * Nodes stored in half precision. A number beside an array takes the array's dtype; of two arrays
 * the wider one wins (a float32 array that is no cast's has no entry here, and so is wider).
 */
export function storedAs(view: View): ReadonlyMap<Expr, Stored> {
  const found = new Map<Expr, Stored>();
  for (const x of view.subject.inputs) {
    const stored = FORMATS[x.dtype ?? ""];
    if (stored !== undefined) found.set(x.node, stored);
  }
  for (const e of view.order) {
    if (e.kind === "cast") {
      const stored = FORMATS[e.to];
      if (stored !== undefined) found.set(e, stored);
      continue;
    }
    if (e.type !== "float" || e.args.length === 0) continue;
    const arrays = e.args.filter((a) => !isNumber(a) && a.type === "float");
    const [first] = arrays;
    const stored = first === undefined ? undefined : found.get(first);
    if (stored !== undefined && arrays.every((a) => found.get(a) === stored)) found.set(e, stored);
  }
  return found;
}

/** A Python number, which takes the dtype of what it meets. */
function isNumber(e: Expr): boolean {
  return e.kind === "const" || e.kind === "parameter" || e.kind === "size";
}
