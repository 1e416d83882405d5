/** Matrices that are 0 beside their diagonal, or on one side of one. */
import type { BinaryOp } from "../../expression/node.ts";
import { diagonalOf } from "../tensors/contraction.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, shapeFrom } from "../tensors/reshape.ts";
import { filled, nodeOf, positionsArray, rankOf } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float, int } from "../values.ts";
import { dtypeArgument, range } from "./common.ts";
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

/** tri: 1 on the k-th diagonal and below it. */
export function lowerTriangle(c: CallContext): Value {
  const rows = c.int("N");
  const columns = c.given("M") ? c.int("M") : rows;
  const ones = filled(
    c.vm,
    float(1),
    shapeFrom(c.vm, [int(rows), int(columns)]),
    c.library,
    dtypeArgument(c) ?? "float32",
  );
  return kept(c, ones, [rows, columns], "le", c.int("k"));
}

/** The last axis as the diagonal of a matrix. */
function embedded(c: CallContext, x: TensorValue): TensorValue {
  const n = sizeOf(c, x, -1);
  return kept(c, addAxis(c.vm, x, -1), [n, n], "eq");
}

/** The diagonal of the last two axes, of which one may be longer, as the last axis. */
export function lastDiagonal(c: CallContext, x: TensorValue): TensorValue {
  const dims = [rankOf(x) - 2, rankOf(x) - 1];
  const n = Math.min(...dims.map((d) => sizeOf(c, x, d)));
  const square = dims.reduce((t, d) => selectPositions(c.vm, t, d, range(0, n)), x);
  return diagonalOf(c.vm, square, dims[0]!, dims[1]!);
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
    if (rankOf(x) === 2) return lastDiagonal(c, x);
    return c.vm.fail(
      c.library === "torch" ? "RuntimeError" : "ValueError",
      `${c.name}() takes an array with 1 or 2 axes, not ${rankOf(x)}`,
    );
  };

/** What is at most so far below and above the diagonal; a negative number leaves that side whole. */
function band(c: CallContext): Value {
  const x = c.tensor("x");
  const sizes = [sizeOf(c, x, -2), sizeOf(c, x, -1)] as const;
  const [lower, upper] = [c.int("num_lower"), c.int("num_upper")];
  const above = lower < 0 ? x : kept(c, x, sizes, "ge", -lower);
  return upper < 0 ? above : kept(c, above, sizes, "le", upper);
}

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

const DIAGONALS = "!k=0, !num_rows, !num_cols, !padding_value, ~align, ~name";

/** Of tf.linalg. */
export const tensorflowTriangles: Table = {
  band_part: ["input, num_lower, num_upper, ~name", band],
  diag: [`diagonal, ${DIAGONALS}`, (c) => embedded(c, c.tensor("diagonal"))],
  diag_part: [`input, ${DIAGONALS}`, (c) => lastDiagonal(c, c.tensor("x"))],
  trace: ["x, ~name", (c) => reduction(c.vm, "sum", lastDiagonal(c, c.tensor("x")), [-1], false)],
};
