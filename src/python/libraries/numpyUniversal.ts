/** What NumPy's functions of two arrays do along axes: `np.add.reduce`, `np.maximum.accumulate`, `np.multiply.outer`. */
import type { ReduceOp } from "../../expression/node.ts";
import type { BinaryOperator } from "../syntax.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis } from "../tensors/reshape.ts";
import { cumulativeProduct, cumulativeSum, runningReduction } from "../tensors/sorting.ts";
import { rankOf } from "../tensors/tensor.ts";
import type { TensorValue } from "../values.ts";
import { binaryOperation } from "../interpreter/operators.ts";
import { elementwise } from "../tensors/elementwise.ts";
import * as m from "./common.ts";
import type { CallContext, Entry, Table } from "./signature.ts";

/** Along the first axis where none is named, unlike np.sum and the like. */
const reduced = (op: ReduceOp): Entry => [
  "a, axis=0, !dtype, !out, keepdims=False, !initial, !where",
  (c) => reduction(c.vm, op, c.tensor("x"), c.dims("axis"), c.flag("keepdims")),
];

const accumulated = (of: (c: CallContext, x: TensorValue, d: number) => TensorValue): Entry => [
  "a, axis=0, !dtype, !out",
  (c) => of(c, c.tensor("x"), c.int("axis")),
];

/** Every entry of one array with every entry of another one. */
const outer = (of: (c: CallContext, a: TensorValue, b: TensorValue) => TensorValue): Entry => [
  "A, B",
  (c) => {
    const [a, b] = [c.tensor("A"), c.tensor("B")];
    const wide = m.range(0, rankOf(b)).reduce((t) => addAxis(c.vm, t, -1), a);
    return of(c, wide, b);
  },
];

const operation = (op: BinaryOperator): Entry =>
  outer((c, a, b) => binaryOperation(c.vm, op, a, b) as TensorValue);

/** Source: NumPy 2.4, `numpy.ufunc`. */
export const numpyUniversal: Table = {
  "add.reduce": reduced("sum"),
  "multiply.reduce": reduced("prod"),
  "maximum.reduce": reduced("max"),
  "minimum.reduce": reduced("min"),
  "logical_and.reduce": reduced("all"),
  "logical_or.reduce": reduced("any"),
  "add.accumulate": accumulated((c, x, d) => cumulativeSum(c.vm, x, d)),
  "multiply.accumulate": accumulated((c, x, d) => cumulativeProduct(c.vm, x, d)),
  "maximum.accumulate": accumulated((c, x, d) => runningReduction(c.vm, "max", x, d)),
  "minimum.accumulate": accumulated((c, x, d) => runningReduction(c.vm, "min", x, d)),
  "add.outer": operation("+"),
  "subtract.outer": operation("-"),
  "multiply.outer": operation("*"),
  "divide.outer": operation("/"),
  "maximum.outer": outer((c, a, b) => elementwise(c.vm, "max", a, b, c.library)),
  "minimum.outer": outer((c, a, b) => elementwise(c.vm, "min", a, b, c.library)),
  "equal.outer": outer((c, a, b) => elementwise(c.vm, "eq", a, b, c.library)),
};
