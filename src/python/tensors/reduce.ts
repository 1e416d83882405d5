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
  where,
} from "../../expression/build.ts";
import type { Expr, ReduceOp } from "../../expression/node.ts";
import { type DType, floatResult, followsNumpy, scalarType, sumResult } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { numberBinary } from "../interpreter/numbers.ts";
import type { Selection, TensorValue } from "../values.ts";
import { elementwise } from "./elementwise.ts";
import { alongside, pickedFrom, rowsOf } from "./picked.ts";
import { requireBool, requireFloat, requireNumeric } from "./strictTypes.ts";
import { castTo, pickedCount, sizeNumber, tensor } from "./tensor.ts";

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
  if (x.selection !== null) return reducePicked(vm, op, x.selection, dims, keep, dtype);
  let e = x.expr;
  let result = resultDType(vm, op, x);
  if (dtype !== undefined) {
    // The entries are of that type before they are added.
    e = x.dtype === dtype ? e : tensor(vm, castTo(e, x.dtype, dtype), library, dtype).expr;
    result = dtype;
  }
  const summed = vm.shaped(() => reduce(op, e, dims, keep));
  const narrow = result !== null && result !== "float64" && scalarType(result) === "float";
  const fromIntegers = e.type !== "float" && narrow;
  return tensor(vm, fromIntegers ? castTo(summed, null, result!) : summed, library, result);
}

/** What stands for an entry that does not count, so that a reduction does not see it. */
const NEUTRAL: Readonly<Record<ReduceOp, number>> = {
  sum: 0,
  mean: 0,
  prod: 1,
  max: -Infinity,
  min: Infinity,
  any: 0,
  all: 1,
};

/** A reduction over entries that a mask picks, or over the axes beside them. */
function reducePicked(
  vm: Interpreter,
  op: ReduceOp,
  s: Selection,
  dims: Dims,
  keep: boolean,
  dtype: DType | undefined,
): TensorValue {
  const own = s.mask.shape.length;
  const rank = s.all.expr.shape.length - own + 1;
  const asked = vm.shaped(
    () => dims?.map((d) => normalizeDim(d, rank)) ?? Array.from({ length: rank }, (_, d) => d),
  );
  const place = (d: number): number => (d < s.at ? d : d + own - 1);
  if (!asked.includes(s.at)) {
    const before = keep ? 0 : asked.filter((d) => d < s.at).length;
    const all = reduction(vm, op, s.all, asked.map(place), keep, dtype);
    return pickedFrom(vm, { ...s, all, at: s.at - before });
  }
  if (keep && own > 1) {
    vm.unsupported("keepdim over entries that a boolean array picks is not supported");
  }
  const inner = asked.flatMap((d) =>
    d === s.at ? s.mask.shape.map((_, k) => s.at + k) : [place(d)],
  );
  const filler = constant(NEUTRAL[op], s.all.expr.type);
  const kept = vm.shaped(() => where(alongside(s), s.all.expr, filler));
  const filled = tensor(vm, kept, s.all.library, s.all.dtype);
  if (op !== "mean") return reduction(vm, op, filled, inner, keep, dtype);
  resultDType(vm, op, s.all);
  const count = asked
    .filter((d) => d !== s.at)
    .map((d) => sizeNumber(s.all.expr.shape[place(d)]!))
    .reduce((a, b) => numberBinary(vm, "*", a, b), pickedCount(s.mask));
  return elementwise(vm, "div", reduction(vm, "sum", filled, inner, keep, dtype), count);
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
      if (followsNumpy(x.library) && type !== "float") return "float64";
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
  return tensor(vm, e, x.library, floatResult(x.dtype, x.expr.type, x.library), {
    kernel: { name: "logsumexp", operands: [x.expr] },
  });
}

export function softmaxOf(vm: Interpreter, x: TensorValue, dim: number, log: boolean): TensorValue {
  const rows = rowsOf(vm, [x], [dim]);
  if (rows !== null) return rows.picked(softmaxOf(vm, rows.all[0]!, rows.place(dim), log));
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
  const rows = rowsOf(vm, [x], [dim]);
  if (rows !== null) {
    const d = rows.place(dim);
    return rows.picked(
      argExtreme(vm, op, rows.all[0]!, d, keep),
      keep || d > rows.at ? rows.at : rows.at - 1,
    );
  }
  const dtype = x.library === "jax" ? "int32" : "int64";
  return tensor(
    vm,
    vm.shaped(() => argReduce(op, x.expr, dim, keep)),
    x.library,
    dtype,
  );
}
