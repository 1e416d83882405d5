/** numpy.linalg, which JAX and HIPS Autograd have too: norms, products, and small matrices by formula. */
import { einsum, matmul } from "../tensors/contraction.ts";
import { elementwise, floatFunction, keepingFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { swapAxes } from "../tensors/reshape.ts";
import { stackTensors } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import {
  ELLIPSIS,
  type TensorValue,
  type Value,
  float,
  int,
  namedTuple,
  tuple,
} from "../values.ts";
import * as m from "./common.ts";
import { defaultFloat } from "../dtypes.ts";
import { identityMatrix } from "./creation.ts";
import { outer } from "./numpyMeanings.ts";
import { normAlong } from "./linalg.ts";
import { diagonal } from "./picking.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

type Rows = readonly (readonly TensorValue[])[];

/** Matrices up to this size have determinants and inverses by formula. */
const LARGEST = 3;

/** The entries of the square matrices along the last two axes. */
function entriesOf(c: CallContext, x: TensorValue): Rows {
  const [rows, columns] = [-2, -1].map((d) => sizeAlong(c.vm, x, d, `${c.name}()`)) as [
    number,
    number,
  ];
  if (rows !== columns) {
    c.vm.fail("LinAlgError", "Last 2 dimensions of the array must be square");
  }
  if (rows > LARGEST) {
    return c.vm.unsupported(
      `${c.name}() of matrices larger than ${LARGEST} by ${LARGEST} is not supported`,
      "Write the formula for these matrices.",
    );
  }
  const at = (i: number, j: number): TensorValue =>
    indexTensor(c.vm, x, tuple([ELLIPSIS, int(i), int(j)]));
  return m.range(0, rows).map((i) => m.range(0, rows).map((j) => at(i, j)));
}

const product = (c: CallContext, a: TensorValue, b: TensorValue): TensorValue =>
  elementwise(c.vm, "mul", a, b, c.library);
const difference = (c: CallContext, a: TensorValue, b: TensorValue): TensorValue =>
  elementwise(c.vm, "sub", a, b, c.library);
const sum = (c: CallContext, a: TensorValue, b: TensorValue): TensorValue =>
  elementwise(c.vm, "add", a, b, c.library);

/** Without one row and one column. */
const minor = (rows: Rows, i: number, j: number): Rows =>
  rows.filter((_, r) => r !== i).map((row) => row.filter((_, k) => k !== j));

/** Expanded along the first row. */
function determinantOf(c: CallContext, rows: Rows): TensorValue {
  const [first] = rows;
  if (rows.length === 1) return first![0]!;
  return first!
    .map((e, j) => product(c, e, determinantOf(c, minor(rows, 0, j))))
    .reduce((total, term, j) => (j % 2 === 0 ? sum : difference)(c, total, term));
}

/** The adjugate, divided by the determinant. */
function inverseOf(c: CallContext, x: TensorValue): TensorValue {
  const { vm, library } = c;
  const rows = entriesOf(c, x);
  const n = rows.length;
  const determinant = determinantOf(c, rows);
  const cofactor = (i: number, j: number): Value => {
    if (n === 1) return float(1);
    const d = determinantOf(c, minor(rows, j, i));
    return (i + j) % 2 === 0 ? d : keepingFunction(vm, "neg", d, library);
  };
  const inverse = m.range(0, n).map((i) => {
    const row = m
      .range(0, n)
      .map((j) => elementwise(vm, "div", cofactor(i, j), determinant, library));
    return stackTensors(vm, row, -1, library);
  });
  return stackTensors(vm, inverse, -2, library);
}

const determinant: Meaning = (c) => determinantOf(c, entriesOf(c, c.tensor("x")));

/** The sign of the determinant, and the logarithm of its size. */
const signAndLog: Meaning = (c) => {
  const d = determinantOf(c, entriesOf(c, c.tensor("x")));
  const size = keepingFunction(c.vm, "abs", d, c.library);
  return namedTuple("SlogdetResult", {
    sign: keepingFunction(c.vm, "sign", d, c.library),
    logabsdet: floatFunction(c.vm, "log", size, c.library),
  });
};

/** What a matrix takes to the given vector or matrix. */
const solved: Meaning = (c) => {
  const inverse = inverseOf(c, c.tensor("x"));
  const b = c.tensor("b");
  return matmul(c.vm, inverse, b, c.library);
};

const power: Meaning = (c) => {
  const x = c.tensor("x");
  const n = c.int("n");
  const base = n < 0 ? inverseOf(c, x) : x;
  if (n === 0) {
    const size = int(sizeAlong(c.vm, x, -1, `${c.name}()`));
    return identityMatrix(c, size, x.dtype ?? defaultFloat(c.library));
  }
  return m.range(1, Math.abs(n)).reduce<TensorValue>((t) => matmul(c.vm, t, base, c.library), base);
};

const product3: Meaning = (c) => {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const last = (t: TensorValue): number => sizeAlong(c.vm, t, -1, `${c.name}()`);
  if (last(a) !== 3 || last(b) !== 3) {
    return c.vm.unsupported(`${c.name}() is supported only for vectors of three entries`);
  }
  const of = (t: TensorValue, k: number): TensorValue =>
    indexTensor(c.vm, t, tuple([ELLIPSIS, int(k)]));
  const entries = m.range(0, 3).map((k) => {
    const [i, j] = [(k + 1) % 3, (k + 2) % 3];
    return difference(c, product(c, of(a, i), of(b, j)), product(c, of(a, j), of(b, i)));
  });
  return stackTensors(c.vm, entries, -1, c.library);
};

/** A sum of products along one axis. */
export const dotAlong: Meaning = (c) =>
  reduction(
    c.vm,
    "sum",
    elementwise(c.vm, "mul", c.tensor("x"), c.tensor("y"), c.library),
    [c.int("axis")],
    false,
  );

export const matrixTimesVector: Meaning = (c) =>
  einsum(c.vm, "...ij,...j->...i", [c.tensor("x"), c.tensor("y")], c.library);

const binary = "x1, x2";

/** Source: NumPy 2.4, `numpy.linalg`. */
export const numpyLinalg: Table = {
  norm: ["x, ord=None, axis=None, keepdims=False", (c) => normAlong(c, c.dims("axis"))],
  vector_norm: [
    "x, *, axis=None, keepdims=False, ord=2",
    (c) => m.vectorNorm(c, c.tensor("x"), c.number("ord"), c.dims("axis"), c.flag("keepdims")),
  ],
  matrix_norm: ["x, *, keepdims=False, ord='fro'", (c) => normAlong(c, [-2, -1])],
  det: ["a", determinant],
  slogdet: ["a, *, ~method", signAndLog],
  inv: ["a", (c) => inverseOf(c, c.tensor("x"))],
  solve: ["a, b", solved],
  matrix_power: ["a, n", power],
  multi_dot: [
    "arrays, *, !out, ~precision",
    (c) =>
      c
        .list("arrays")
        .map((v) => c.asOwn(v))
        .reduce((a, b) => matmul(c.vm, a, b, c.library)),
  ],
  matmul: [binary, (c) => matmul(c.vm, c.tensor("x"), c.tensor("y"), c.library)],
  outer: [binary, outer],
  cross: ["x1, x2, *, !axis=-1", product3],
  vecdot: [`${binary}, *, axis=-1`, dotAlong],
  trace: [
    "x, *, offset=0, !dtype",
    (c) => reduction(c.vm, "sum", diagonal(c, -2, -1), [-1], false),
  ],
  diagonal: ["x, *, offset=0", (c) => diagonal(c, -2, -1)],
  matrix_transpose: ["x", (c) => swapAxes(c.vm, c.tensor("x"), -1, -2)],
};

/** Of numpy itself. */
export const numpyProducts: Table = {
  cross: ["a, b, !axisa=-1, !axisb=-1, !axisc=-1, !axis", product3],
  vecdot: [`${binary}, !out, *, axis=-1`, dotAlong],
  matvec: [binary, matrixTimesVector],
  vecmat: [
    binary,
    (c) => einsum(c.vm, "...i,...ij->...j", [c.tensor("x"), c.tensor("y")], c.library),
  ],
};
