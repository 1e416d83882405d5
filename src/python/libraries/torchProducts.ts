/** PyTorch's products of matrices under their other names. */
import type { Interpreter } from "../interpreter/interpreter.ts";
import { dot, matmul } from "../tensors/contraction.ts";
import { elementwise } from "../tensors/elementwise.ts";
import { swapAxes } from "../tensors/reshape.ts";
import { rankOf } from "../tensors/tensor.ts";
import type { TensorValue, Value } from "../values.ts";
import { innerProduct } from "./products.ts";
import type { CallContext, Table } from "./signature.ts";

/** x·Wᵀ + b over the last axis of x. */
export function linear(
  vm: Interpreter,
  x: TensorValue,
  weight: TensorValue,
  bias: TensorValue | null,
): TensorValue {
  const across = rankOf(weight) < 2 ? weight : swapAxes(vm, weight, -1, -2);
  const product = matmul(vm, x, across, "torch");
  return bias === null ? product : elementwise(vm, "add", product, bias, "torch");
}

/** β·input + α·(first · second). */
function addedProduct(first: string, second: string): (c: CallContext) => Value {
  return (c) => {
    const product = matmul(c.vm, c.tensor(first), c.tensor(second), "torch");
    const times = (name: string, x: Value): Value =>
      c.given(name) ? elementwise(c.vm, "mul", c.value(name), x, "torch") : x;
    return elementwise(c.vm, "add", times("beta", c.tensor("input")), times("alpha", product));
  };
}

/** Of torch and of torch.Tensor. */
export const torchProducts: Table = {
  mv: ["input, vec, !out", (c) => matmul(c.vm, c.tensor("input"), c.tensor("vec"), "torch")],
  vdot: ["input, other, !out", (c) => dot(c.vm, c.tensor("input"), c.tensor("other"), "torch")],
  inner: ["input, other, !out", innerProduct],
  addmm: ["input, mat1, mat2, *, beta=1, alpha=1, !out", addedProduct("mat1", "mat2")],
  addmv: ["input, mat, vec, *, beta=1, alpha=1, !out", addedProduct("mat", "vec")],
  baddbmm: ["input, batch1, batch2, *, beta=1, alpha=1, !out", addedProduct("batch1", "batch2")],
};

/** Of torch.nn.functional. */
export const functionalProducts: Table = {
  linear: [
    "input, weight, bias=None",
    (c) =>
      linear(
        c.vm,
        c.tensor("input"),
        c.tensor("weight"),
        c.given("bias") ? c.tensor("bias") : null,
      ),
  ],
};
