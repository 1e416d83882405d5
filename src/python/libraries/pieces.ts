/** Taking arrays apart along an axis, as several libraries do it. */
import { knownInteger } from "../interpreter/known.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { sizeNumber } from "../tensors/tensor.ts";
import { NONE, type TensorValue, type Value, int, tuple } from "../values.ts";
import type { CallContext } from "./signature.ts";

export function knownSize(c: CallContext, x: TensorValue, dim: number): number {
  return knownInteger(c.vm, sizeNumber(axisAt(c, x.expr.shape, dim)), `${c.name}()`);
}

/** @throws PythonError IndexError, in PyTorch's words, if there is no such axis */
export function axisAt<T>(c: CallContext, shape: readonly T[], dim: number): T {
  const range = `[${-shape.length}, ${shape.length - 1}]`;
  return (
    shape.at(dim) ??
    c.vm.fail(
      "IndexError",
      `Dimension out of range (expected to be in range of ${range}, but got ${dim})`,
    )
  );
}

const slot: Value = { kind: "slice", start: NONE, stop: NONE, step: NONE };

/** The key that applies `item` to one axis and leaves the others. */
export function along(x: TensorValue, dim: number, item: Value): Value {
  const rank = x.expr.shape.length;
  const d = dim < 0 ? dim + rank : dim;
  return tuple(Array.from({ length: d + 1 }, (_, k) => (k === d ? item : slot)));
}

export function unbind(c: CallContext): Value {
  const x = c.tensor("x");
  const dim = c.int("dim");
  const n = knownSize(c, x, dim);
  return tuple(Array.from({ length: n }, (_, k) => indexTensor(c.vm, x, along(x, dim, int(k)))));
}

export function pieces(
  c: CallContext,
  x: TensorValue,
  dim: number,
  sizes: readonly number[],
): Value {
  let from = 0;
  return tuple(
    sizes.map((n) => {
      const range: Value = { kind: "slice", start: int(from), stop: int(from + n), step: NONE };
      from += n;
      return indexTensor(c.vm, x, along(x, dim, range));
    }),
  );
}

export function evenly(n: number, size: number): number[] {
  return Array.from({ length: Math.ceil(n / size) }, (_, k) => Math.min(size, n - k * size));
}
