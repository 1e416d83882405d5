/** Reductions over axes. */
import { type Shape, normalizeDim } from "../../expression/axis.ts";
import {
  argReduce,
  constant,
  div,
  exp,
  log,
  mul,
  reduce,
  size,
  softmax,
  sqrt,
  sub,
} from "../../expression/build.ts";
import type { Expr, ReduceOp } from "../../expression/node.ts";
import { type DType, floatResult, scalarType, sumResult } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { TensorValue } from "../values.ts";
import { requireBool, requireFloat, requireNumeric } from "./strictTypes.ts";
import { castTo, tensor } from "./tensor.ts";

/** Axes to reduce: `null` is all of them. */
export type Dims = readonly number[] | null;

export function reduction(
  vm: Interpreter,
  op: ReduceOp,
  x: TensorValue,
  dims: Dims,
  keep: boolean,
  dtype?: DType,
): TensorValue {
  const { library } = x;
  let e = x.expr;
  let result = resultDType(vm, op, x);
  if (dtype !== undefined) {
    e = castTo(e, x.dtype, dtype);
    result = dtype;
  }
  const summed = vm.shaped(() => reduce(op, e, dims, keep));
  const narrow = result !== null && result !== "float64" && scalarType(result) === "float";
  const fromIntegers = e.type !== "float" && narrow;
  return tensor(vm, fromIntegers ? castTo(summed, null, result!) : summed, library, result);
}

function resultDType(vm: Interpreter, op: ReduceOp, x: TensorValue): DType | null {
  const { type } = x.expr;
  switch (op) {
    case "sum":
    case "prod":
      requireNumeric(vm, `a ${op}`, x);
      return sumResult(x.dtype, type, x.library);
    case "mean":
      if (x.library === "torch" && type !== "float") {
        vm.fail(
          "RuntimeError",
          "mean(): could not infer output dtype. Input dtype must be either a floating point or " +
            `complex dtype. Got: ${x.dtype ?? type}`,
          "Convert to float first: x.float().mean().",
        );
      }
      requireFloat(vm, "a mean (which would divide in integers)", x);
      if (x.library === "numpy" && type !== "float") return "float64";
      return floatResult(x.dtype, type, x.library);
    case "any":
    case "all":
      requireBool(vm, op === "any" ? "Any" : "All", x);
      return "bool";
    default:
      requireNumeric(vm, `a ${op}`, x);
      return x.dtype;
  }
}

/** Number of entries that a reduction over `dims` runs through. */
export function reducedCount(vm: Interpreter, shape: Shape, dims: Dims): Expr {
  const positions = vm.shaped(() =>
    dims === null ? shape.map((_, d) => d) : dims.map((d) => normalizeDim(d, shape.length)),
  );
  return size(positions.map((d) => shape[d]!));
}

/** Variance with divisor N - correction. */
export function variance(
  vm: Interpreter,
  x: TensorValue,
  dims: Dims,
  keep: boolean,
  correction: number,
): TensorValue {
  const e = x.expr;
  requireFloat(vm, "a variance", x);
  const spread = vm.shaped(() => {
    const d = sub(e, reduce("mean", e, dims, true));
    const squares = mul(d, d);
    if (correction === 0) return reduce("mean", squares, dims, keep);
    const n = reducedCount(vm, e.shape, dims);
    const divisor = sub(n, constant(correction));
    return div(reduce("sum", squares, dims, keep), divisor);
  });
  return tensor(vm, spread, x.library, floatResult(x.dtype, e.type, x.library));
}

export function standardDeviation(
  vm: Interpreter,
  x: TensorValue,
  dims: Dims,
  keep: boolean,
  correction: number,
): TensorValue {
  const v = variance(vm, x, dims, keep, correction);
  return tensor(vm, sqrt(v.expr), x.library, v.dtype);
}

export function logSumExp(vm: Interpreter, x: TensorValue, dims: Dims, keep: boolean): TensorValue {
  requireFloat(vm, "logsumexp", x);
  const e = vm.shaped(() => log(reduce("sum", exp(x.expr), dims, keep)));
  return tensor(vm, e, x.library, floatResult(x.dtype, x.expr.type, x.library));
}

export function softmaxOf(vm: Interpreter, x: TensorValue, dim: number, log: boolean): TensorValue {
  requireFloat(vm, "softmax", x);
  const dtype = floatResult(x.dtype, x.expr.type, x.library);
  return tensor(
    vm,
    vm.shaped(() => softmax(x.expr, dim, log)),
    x.library,
    dtype,
  );
}

/** Position of the largest or smallest entry. */
export function argExtreme(
  vm: Interpreter,
  op: "argmax" | "argmin",
  x: TensorValue,
  dim: number,
  keep: boolean,
): TensorValue {
  const dtype = x.library === "jax" ? "int32" : "int64";
  return tensor(
    vm,
    vm.shaped(() => argReduce(op, x.expr, dim, keep)),
    x.library,
    dtype,
  );
}
