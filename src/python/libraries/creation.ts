/** Arrays that several libraries make alike. */
import { axis } from "../../expression/axis.ts";
import { oneHot } from "../../expression/build.ts";
import { type DType, defaultDType } from "../dtypes.ts";
import { knownInteger } from "../interpreter/known.ts";
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
