/** Matrices that are 0 beside their diagonal, or on one side of one. */
import type { BinaryOp } from "../../expression/node.ts";
import { diagonalOf } from "../tensors/contraction.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { addAxis } from "../tensors/reshape.ts";
import { nodeOf, positionsArray, rankOf } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float, int } from "../values.ts";
import { range } from "./common.ts";
import type { CallContext, Table } from "./signature.ts";

/** The array where the column, less `k`, stands so to the row, and 0 elsewhere. */
function kept(
  c: CallContext,
  x: TensorValue,
  [rows, columns]: readonly [number, number],
  op: BinaryOp,
  k = 0,
): TensorValue {
  const { vm } = c;
  const row = addAxis(vm, positionsArray(vm, rows, x.library), 1);
  const column = positionsArray(vm, columns, x.library);
  const moved = k === 0 ? column : elementwise(vm, "sub", column, int(k));
  const zero = { ...float(0), type: nodeOf(x).type };
  return select(vm, elementwise(vm, op, moved, row), x, zero, x.library);
}

const sizeOf = (c: CallContext, x: TensorValue, d: number): number =>
  sizeAlong(c.vm, x, d, `${c.name}()`);

/** tril and triu: what is on the k-th diagonal and below or above it. */
const triangle =
  (op: "le" | "ge", name: string) =>
  (c: CallContext): Value => {
    const x = c.tensor("x");
    if (rankOf(x) < 2) {
      c.vm.fail(
        c.library === "torch" ? "RuntimeError" : "ValueError",
        `${c.name}() takes an array with at least 2 axes, not ${rankOf(x)}`,
      );
    }
    return kept(c, x, [sizeOf(c, x, -2), sizeOf(c, x, -1)], op, c.int(name));
  };

/** The last axis as the diagonal of a matrix. */
function embedded(c: CallContext, x: TensorValue): TensorValue {
  const n = sizeOf(c, x, -1);
  return kept(c, addAxis(c.vm, x, -1), [n, n], "eq");
}

/** As many rows as columns, from the first on. */
function square(c: CallContext, x: TensorValue): TensorValue {
  const n = Math.min(sizeOf(c, x, 0), sizeOf(c, x, 1));
  return [0, 1].reduce((t, d) => selectPositions(c.vm, t, d, range(0, n)), x);
}

/** diag: the diagonal of a matrix, and of an array with one axis the matrix that has it. */
const diagonal =
  (array: string, offset: string) =>
  (c: CallContext): Value => {
    const x = c.tensor(array);
    if (c.int(offset) !== 0) {
      return c.vm.unsupported(`${c.name}() beside the main diagonal is not supported`);
    }
    if (rankOf(x) === 1) return embedded(c, x);
    if (rankOf(x) === 2) return diagonalOf(c.vm, square(c, x), 0, 1);
    return c.vm.fail(
      c.library === "torch" ? "RuntimeError" : "ValueError",
      `${c.name}() takes an array with 1 or 2 axes, not ${rankOf(x)}`,
    );
  };

/** Functions of torch and methods of its tensors. */
export const torchTriangles: Table = {
  tril: ["input, diagonal=0, *, !out", triangle("le", "diagonal")],
  triu: ["input, diagonal=0, *, !out", triangle("ge", "diagonal")],
  diag: ["input, diagonal=0, *, !out", diagonal("input", "diagonal")],
  diag_embed: ["input, !offset=0, !dim1=-2, !dim2=-1", (c) => embedded(c, c.tensor("x"))],
};

/** NumPy's, which JAX has too. */
export const numpyTriangles: Table = {
  tril: ["m, k=0", triangle("le", "k")],
  triu: ["m, k=0", triangle("ge", "k")],
  diag: ["v, k=0", diagonal("v", "k")],
};
