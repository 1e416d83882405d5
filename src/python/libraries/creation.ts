/** Arrays that several libraries make alike. */
import { axis } from "../../expression/axis.ts";
import { oneHot } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type DType, defaultDType } from "../dtypes.ts";
import { knownInteger } from "../interpreter/known.ts";
import { rowsOf } from "../tensors/picked.ts";
import { axisOfSize, castTo, freshLetter, literalArray, tensor } from "../tensors/tensor.ts";
import type { TensorValue, Value } from "../values.ts";
import type { CallContext } from "./signature.ts";

/** The n × n identity; indexing it by classes gives one-hot rows. */
export function identityMatrix(c: CallContext, size: Value, dtype: DType): TensorValue {
  const n = knownInteger(c.vm, size, `${c.name}()`);
  const positions = literalArray(
    c.vm,
    Array.from({ length: n }, (_, k) => k),
    [n],
    defaultDType("int", c.library),
    c.library,
  );
  const rows = positions.expr.shape;
  const classes = axisOfSize(c.vm, n, rows);
  const own = rows.some((a) => a.name === classes.name)
    ? axis(freshLetter(rows), n, "class")
    : classes;
  const e = c.vm.shaped(() => oneHot(positions.expr, own, 1));
  return tensor(c.vm, castTo(e, "int64", dtype), c.library, dtype, { identity: true });
}

/** Class numbers as one-hot with the classes as the last axis, of picked entries as well. */
export function oneHotLast(
  c: CallContext,
  x: TensorValue,
  classes: Value,
  dtype: DType,
): TensorValue {
  const encoded = (t: TensorValue): TensorValue => {
    const e = oneHotOf(c, t, classes, t.expr.shape.length);
    return tensor(c.vm, castTo(e, "int64", dtype), c.library, dtype);
  };
  const rows = rowsOf(c.vm, [x], []);
  return rows === null ? encoded(x) : rows.picked(encoded(rows.all[0]!));
}

/** Class numbers as one-hot, with a new axis of `classes` at `dim`; entries are integers. */
export function oneHotOf(c: CallContext, x: TensorValue, classes: Value, dim: number): Expr {
  const n = knownInteger(c.vm, classes, `${c.name}()`);
  const { shape } = x.expr;
  const named = classes.kind === "number" && classes.axes?.length === 1 ? classes.axes[0]! : null;
  const own =
    named !== null && !shape.some((a) => a.name === named.name)
      ? named
      : axisOfSize(c.vm, n, shape);
  const along = own.size === n ? own : axis(own.name, n, "class");
  return c.vm.shaped(() => oneHot(x.expr, along, dim));
}
