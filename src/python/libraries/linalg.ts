/** Norms, as NumPy and PyTorch have them in their modules of linear algebra. */
import { keepingFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { dropAxes } from "../tensors/reshape.ts";
import { rankOf } from "../tensors/tensor.ts";
import type { TensorValue } from "../values.ts";
import { reducedAxes, vectorNorm } from "./common.ts";
import { axisOf } from "./picking.ts";
import type { CallContext, Table } from "./signature.ts";

/**
 * Norms of vectors, and those of matrices that are made of sums of entries: Frobenius', and the
 * largest sum of a row or column.
 */
export function normAlong(c: CallContext, axes: readonly number[] | null): TensorValue {
  const x = c.tensor("x");
  const dims = axes?.map((d) => axisOf(c, x, d)) ?? null;
  const order = c.value("ord");
  const keep = c.flag("keepdim");
  const isFrobenius = order.kind === "none" || (order.kind === "str" && order.value === "fro");
  if (isFrobenius) return vectorNorm(c, x, 2, dims, keep);
  const isMatrix = dims === null ? rankOf(x) === 2 : dims.length === 2;
  if (order.kind === "str") return noSuchNorm(c, `"${order.value}"`);
  const n = c.number("ord");
  if (!isMatrix) return vectorNorm(c, x, n, dims, keep);
  const size = Math.abs(n);
  if (size !== 1 && size !== Infinity) return noSuchNorm(c, String(n));
  const [rows, columns] = dims ?? [0, 1];
  const [along, over] = size === 1 ? [rows!, columns!] : [columns!, rows!];
  const sums = reduction(c.vm, "sum", keepingFunction(c.vm, "abs", x), [along], true);
  const most = reduction(c.vm, n > 0 ? "max" : "min", sums, [over], true);
  return keep ? most : dropAxes(c.vm, most, [along, over]);
}

function noSuchNorm(c: CallContext, order: string): never {
  return c.vm.unsupported(
    `the norm of a matrix with ord=${order}, made of its singular values, is not supported`,
    "Use the Frobenius norm, or flatten the array first.",
  );
}

/** torch.linalg's. */
export const linalg: Table = {
  norm: [
    "x, ord=None, dim=None, keepdim=False, *, !out, !dtype",
    (c) => normAlong(c, c.dims("dim")),
  ],
  vector_norm: [
    "x, ord=2, dim=None, keepdim=False, dtype=None",
    (c) => vectorNorm(c, c.tensor("x"), c.number("ord"), reducedAxes(c), c.flag("keepdim")),
  ],
};
