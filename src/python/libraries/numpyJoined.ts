/** NumPy functions that are made of others: stacks, pieces, sums that skip NaN. */
import type { ReduceOp } from "../../expression/node.ts";
import { elementwise, select, truthFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, flattenRange } from "../tensors/reshape.ts";
import { type TensorValue, type Value, float } from "../values.ts";
import * as m from "./common.ts";
import { logAddExp } from "./special.ts";
import type { CallContext, Table } from "./signature.ts";

const rank = (t: TensorValue): number => t.expr.shape.length;

/** With at least `n` axes; new ones go in front. */
function atLeast(c: CallContext, t: TensorValue, n: number): TensorValue {
  let made = t;
  while (rank(made) < n) made = addAxis(c.vm, made, 0);
  return made;
}

/** vstack joins rows, hstack along the second axis (the first of vectors). */
function stacked(c: CallContext, along: "rows" | "columns"): Value {
  const parts = c
    .list("tup")
    .map((v) => c.asOwn(v))
    .map((t) => atLeast(c, t, along === "rows" ? 2 : 1));
  return m.joined(c, parts, along === "rows" || rank(parts[0]!) === 1 ? 0 : 1);
}

/** The reduction with NaN replaced by what changes nothing. */
function skippingNaN(op: "sum" | "prod" | "mean"): (c: CallContext) => Value {
  return (c) => {
    const x = c.tensor("x");
    const dims = c.dims("dim");
    const keep = c.flag("keepdim");
    const nan = truthFunction(c.vm, "isnan", x);
    const filled = select(c.vm, nan, float(op === "prod" ? 1 : 0), x, c.library);
    const plain: ReduceOp = op === "mean" ? "sum" : op;
    const total = reduction(c.vm, plain, filled, dims, keep);
    if (op !== "mean") return total;
    const counted = reduction(c.vm, "sum", truthFunction(c.vm, "not", nan), dims, keep);
    return elementwise(c.vm, "div", total, counted);
  };
}

/** 0 below zero, 1 above, and the second argument at zero itself. */
function heaviside(c: CallContext): Value {
  const x = c.tensor("x");
  const step = select(c.vm, elementwise(c.vm, "gt", x, float(0)), float(1), float(0), c.library);
  return select(c.vm, elementwise(c.vm, "eq", x, float(0)), c.value("y"), step, c.library);
}

const reduceArgs = "a, axis=None, !dtype, !out, keepdims=False, !initial, !where";

export const numpyJoined: Table = {
  vstack: ["tup, !dtype, ~casting", (c) => stacked(c, "rows")],
  hstack: ["tup, !dtype, ~casting", (c) => stacked(c, "columns")],
  append: [
    "arr, values, axis=None",
    (c) => {
      const parts = [c.tensor("arr"), c.tensor("values")];
      if (c.given("axis")) return m.joined(c, parts, c.int("axis"));
      return m.joined(
        c,
        parts.map((t) => flattenRange(c.vm, t, 0, -1)),
        0,
      );
    },
  ],
  atleast_2d: ["x", (c) => atLeast(c, c.tensor("x"), 2)],
  logaddexp: ["x1, x2, !out, !where", logAddExp],
  heaviside: ["x1, x2, !out, !where", heaviside],
  nansum: [reduceArgs, skippingNaN("sum")],
  nanprod: [reduceArgs, skippingNaN("prod")],
  nanmean: [reduceArgs, skippingNaN("mean")],
  ptp: [
    "a, axis=None, !out, keepdims=False",
    (c) => {
      const [x, dims, keep] = [c.tensor("x"), c.dims("dim"), c.flag("keepdim")];
      const largest = reduction(c.vm, "max", x, dims, keep);
      return elementwise(c.vm, "sub", largest, reduction(c.vm, "min", x, dims, keep));
    },
  ],
  positive: ["x, !out, !where", (c) => c.tensor("x")],
  float_power: [
    "x1, x2, !out, !where",
    (c) => elementwise(c.vm, "pow", c.tensor("x"), c.value("y"), c.library),
  ],
  exp2: ["x, !out, !where", (c) => elementwise(c.vm, "pow", float(2), c.tensor("x"), c.library)],
};
