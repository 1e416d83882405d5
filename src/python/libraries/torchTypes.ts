/** PyTorch's functions of dtypes, those that libraries check labels with, the names of reductions. */
import { type DType, defaultFloat, promote, scalarType } from "../dtypes.ts";
import { reduction } from "../tensors/reduce.ts";
import { NONE, type Value, int, namedTuple } from "../values.ts";
import { reducedAxes } from "./common.ts";
import type { CallContext, Table } from "./signature.ts";

const dtypeValue = (dtype: DType): Value => ({ kind: "dtype", dtype, library: "torch" });

/** The dtype of an operation on arrays of two dtypes. */
function promoteTypes(c: CallContext): Value {
  const operands = ["type1", "type2"].map((name) => {
    const v = c.value(name);
    const dtype = v.kind === "dtype" ? v.dtype : c.bad(name, "a torch.dtype");
    return { dtype, type: scalarType(dtype), rank: 1, weak: false };
  });
  return dtypeValue(promote(operands, "torch") ?? defaultFloat("torch"));
}

export const typeFunctions: Table = {
  promote_types: ["type1, type2", promoteTypes],
  get_default_dtype: ["", () => dtypeValue(defaultFloat("torch"))],
};

/** Smallest and largest entries, along an axis or of all. */
function extremes(c: CallContext): Value {
  const along = (op: "min" | "max"): Value =>
    reduction(c.vm, op, c.tensor("input"), reducedAxes(c), c.flag("keepdim"));
  return namedTuple("torch.return_types.aminmax", { min: along("min"), max: along("max") });
}

export const checkFunctions: Table = {
  aminmax: ["input, *, dim=None, keepdim=False, !out", extremes],
  // It raises on a device, later, and changes no value.
  _assert_async: ["input, ~assert_msg", () => NONE],
};

const REDUCTIONS: readonly string[] = ["none", "mean", "sum"];

/** torch.nn._reduction: numbers that stand for "none", "mean" and "sum". */
export const reductionNames: Table = {
  get_enum: [
    "reduction",
    (c) => {
      const k = REDUCTIONS.indexOf(c.text("reduction"));
      if (k >= 0) return int(k);
      return c.vm.fail("ValueError", `${c.text("reduction")} is not a valid value for reduction`);
    },
  ],
};
