/** Taking arrays apart along an axis, as several libraries do it. */
import { knownInteger } from "../interpreter/known.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { oneOfMany } from "../tensors/oneOfMany.ts";
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

/** One of the parts that a function gives together. */
const part = (c: CallContext, x: TensorValue, key: Value): TensorValue =>
  oneOfMany(c.vm, indexTensor(c.vm, x, key), `${c.name}()`);

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
  return tuple(Array.from({ length: n }, (_, k) => part(c, x, along(x, dim, int(k)))));
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
      return part(c, x, along(x, dim, range));
    }),
  );
}

export function evenly(n: number, size: number): number[] {
  return Array.from({ length: Math.ceil(n / size) }, (_, k) => Math.min(size, n - k * size));
}

/**
 * `np.split`, `np.array_split` and `torch.tensor_split`: into so many parts, of which the first ones
 * are longer where they cannot all be equal, or before positions as Python's slices read them.
 * @param exact whether parts have to be equal
 */
export function splitAt(c: CallContext, x: TensorValue, dim: number, exact: boolean): Value[] {
  const given = c.value("indices_or_sections");
  const between = (start: Value, stop: Value): Value =>
    part(c, x, along(x, dim, { kind: "slice", start, stop, step: NONE }));
  if (given.kind !== "number") {
    const cuts = c.dims("indices_or_sections")!.map(int);
    return [...cuts, NONE].map((stop, k) => between(cuts[k - 1] ?? NONE, stop));
  }
  const parts = c.int("indices_or_sections");
  if (exact && parts > 0 && knownSize(c, x, dim) % parts !== 0) {
    c.vm.fail("ValueError", "array split does not result in an equal division");
  }
  return splitInto(c, x, dim, parts);
}

/** So many parts, of which the first ones are longer where they cannot all be equal. */
export function splitInto(
  c: CallContext,
  x: TensorValue,
  dim: number,
  parts: number,
): TensorValue[] {
  const n = knownSize(c, x, dim);
  if (parts < 1) {
    c.vm.fail(
      c.library === "torch" ? "RuntimeError" : "ValueError",
      `${c.name}(): number of sections must be larger than 0, got ${parts}`,
    );
  }
  const edge = (k: number): Value => int(k * Math.floor(n / parts) + Math.min(k, n % parts));
  return Array.from({ length: parts }, (_, k) => {
    const range: Value = { kind: "slice", start: edge(k), stop: edge(k + 1), step: NONE };
    return part(c, x, along(x, dim, range));
  });
}
