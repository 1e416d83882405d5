/** Covariances and correlations of variables that are the rows of an array. */
import { diagonalOf } from "../tensors/contraction.ts";
import { elementwise, floatFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, dropAxes, swapAxes } from "../tensors/reshape.ts";
import { nodeOf, rankOf, sizeNumbers } from "../tensors/tensor.ts";
import { defaultFloat, followsNumpy } from "../dtypes.ts";
import { binaryOperation } from "../interpreter/operators.ts";
import { numberBinary } from "../interpreter/numbers.ts";
import { type TensorValue, type Value, int } from "../values.ts";
import { joined } from "./common.ts";
import { convert } from "./convert.ts";
import type { CallContext, Table } from "./signature.ts";

/** In floats, and with the variables as rows; one variable alone may come without them. */
function variables(c: CallContext, x: TensorValue): TensorValue {
  const { vm } = c;
  if (rankOf(x) > 2) {
    vm.fail(
      c.library === "torch" ? "RuntimeError" : "ValueError",
      `${c.name}() takes one or two axes, not ${rankOf(x)}`,
      "Flatten what is observed into one axis: x.reshape(n, -1).",
    );
  }
  // NumPy computes in float64, whatever it is given.
  const isWidened = followsNumpy(c.library) || nodeOf(x).type !== "float";
  const floats = isWidened ? convert(vm, x, defaultFloat(c.library)) : x;
  if (rankOf(x) === 1) return addAxis(vm, floats, 0);
  const isTurned = c.library !== "torch" && c.given("rowvar") && !c.flag("rowvar");
  return isTurned ? swapAxes(vm, floats, 0, 1) : floats;
}

/** The mean product of the variables' deviations from their means, by N less what is lost. */
function covariances(c: CallContext, lost: number): TensorValue {
  const { vm } = c;
  const own = variables(c, c.tensor("x"));
  const x = c.given("y") ? joined(c, [own, variables(c, c.tensor("y"))], 0) : own;
  const apart = elementwise(vm, "sub", x, reduction(vm, "mean", x, [1], true));
  // A matrix product of its own, which autocast runs in the lower type.
  const products = binaryOperation(vm, "@", apart, swapAxes(vm, apart, 0, 1));
  const left = numberBinary(vm, "-", sizeNumbers(x)[1]!, int(lost));
  const divisor = left.value !== null && left.value < 0 ? int(0) : left;
  return elementwise(vm, "div", products, divisor);
}

/** Without the axes of one variable alone. */
function squeezed(c: CallContext, matrix: TensorValue): TensorValue {
  return sizeNumbers(matrix)[0]!.value === 1 ? dropAxes(c.vm, matrix, [0, 1]) : matrix;
}

function covariance(c: CallContext): Value {
  if (c.library === "torch") return squeezed(c, covariances(c, c.int("correction")));
  const usual = c.flag("bias") ? 0 : 1;
  return squeezed(c, covariances(c, c.given("ddof") ? c.int("ddof") : usual));
}

/** The libraries limit it to -1 and 1 as well, which rounding alone could pass. */
function correlation(c: CallContext): Value {
  const { vm } = c;
  const matrix = covariances(c, 1);
  const spread = floatFunction(vm, "sqrt", diagonalOf(vm, matrix, 0, 1), c.library);
  const byRow = elementwise(vm, "div", matrix, addAxis(vm, spread, 1));
  return squeezed(c, elementwise(vm, "div", byRow, addAxis(vm, spread, 0)));
}

/** Functions of torch and methods of its tensors (PyTorch 2.13, torch.cov and torch.corrcoef). */
export const torchCovariance: Table = {
  cov: ["input, *, correction=1, !fweights, !aweights", covariance],
  corrcoef: ["input", correlation],
};

/** NumPy's, which JAX has too (NumPy 2.4, np.cov and np.corrcoef). */
export const numpyCovariance: Table = {
  cov: [
    "m, y=None, rowvar=True, bias=False, ddof=None, !fweights, !aweights, *, !dtype",
    covariance,
  ],
  corrcoef: ["x, y=None, rowvar=True, *, !dtype", correlation],
};
