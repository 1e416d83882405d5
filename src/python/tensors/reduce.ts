/** Reductions over axes. */
import { type Shape, elementCount, normalizeDim } from "../../expression/axis.ts";
import {
  ZERO,
  argReduce,
  binary,
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
import type { TapeKernel } from "../../expression/tape.ts";
import { type DType, floatResult, followsNumpy, scalarType, sumResult } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { numberBinary, numberExpr } from "../interpreter/numbers.ts";
import type { NumberValue, Selection, TensorValue } from "../values.ts";
import { elementwise } from "./elementwise.ts";
import { alongside, asWhole, filledWith, pickedFrom, rowsOf } from "./picked.ts";
import { requireBool, requireFloat, requireNumeric } from "./strictTypes.ts";
import { castTo, pickedAxes, pickedCount, sizeNumber, tensor } from "./tensor.ts";

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
  if (x.selection !== null && !mixesRows(vm, x.selection, dims)) {
    return reducePicked(vm, op, x.selection, dims, keep, dtype);
  }
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

/** What a reduction of picked entries runs through, among all from which they are picked. */
interface AlongPicked {
  /** The axes there. */
  readonly inner: readonly number[];
  /** The entries there, with `filler` for those that are not picked. */
  readonly filled: (filler: Expr) => Expr;
  /** How many picked entries each result is made of. */
  readonly count: () => NumberValue;
}

/**
 * Null where the picked axis itself is left alone; `beside` is then the same reduction of all.
 * @throws PythonError where the picked axis would have to stay in the place of several
 */
function alongPicked(
  vm: Interpreter,
  s: Selection,
  dims: Dims,
  keep: boolean,
): AlongPicked | { readonly beside: (reduce: (dims: Dims) => TensorValue) => TensorValue } {
  const { at, span } = pickedAxes(s);
  const rank = s.all.expr.shape.length - span + 1;
  const asked = vm.shaped(
    () => dims?.map((d) => normalizeDim(d, rank)) ?? Array.from({ length: rank }, (_, d) => d),
  );
  const place = (d: number): number => (d < at ? d : d + span - 1);
  if (!asked.includes(at)) {
    const before = keep ? 0 : asked.filter((d) => d < s.at).length;
    return {
      beside: (reduce) =>
        pickedFrom(vm, { ...s, all: reduce(asked.map(place)), at: s.at - before }),
    };
  }
  if (keep && span > 1) {
    vm.unsupported("keepdim over entries that a boolean array picks is not supported");
  }
  return {
    inner: asked.flatMap((d) =>
      d === at ? Array.from({ length: span }, (_, k) => at + k) : [place(d)],
    ),
    filled: (filler) => filledWith(vm, s, filler),
    count: () =>
      asked
        .filter((d) => d !== at)
        .map((d) => sizeNumber(s.all.expr.shape[place(d)]!))
        .reduce((a, b) => numberBinary(vm, "*", a, b), pickedCount(s)),
  };
}

/** Whether sorted entries of several rows are reduced rank by rank, which takes them in their order. */
function mixesRows(vm: Interpreter, s: Selection, dims: Dims): boolean {
  if (dims === null || (s.order?.along ?? null) === null) return false;
  const rank = s.all.expr.shape.length;
  const asked = vm.shaped(() => dims.map((d) => normalizeDim(d, rank)));
  return (
    !asked.includes(pickedAxes(s).at) &&
    asked.some((d) => d >= s.at && d < s.at + s.mask.shape.length)
  );
}

/** A reduction over entries that a mask picks, or over the axes beside them. */
function reducePicked(
  vm: Interpreter,
  op: ReduceOp,
  s: Selection,
  dims: Dims,
  keep: boolean,
  dtype: DType | undefined,
): TensorValue {
  const along = alongPicked(vm, s, dims, keep);
  if ("beside" in along) return along.beside((d) => reduction(vm, op, s.all, d, keep, dtype));
  const { library } = s.all;
  const kept = along.filled(constant(NEUTRAL[op], s.all.expr.type));
  const moves = s.order === null && dtype === undefined && s.all.expr.type === "float";
  if (vm.recorder.tape !== null && moves && (op === "sum" || op === "mean")) {
    return movedTogether(vm, op, s, kept, along, keep);
  }
  const filled = tensor(vm, kept, library, s.all.dtype);
  if (op !== "mean") return reduction(vm, op, filled, along.inner, keep, dtype);
  resultDType(vm, op, s.all);
  const total = reduction(vm, "sum", filled, along.inner, keep, dtype);
  return elementwise(vm, "div", total, along.count());
}

/** On a tape: libraries move picked entries together before they add them. */
function movedTogether(
  vm: Interpreter,
  op: "sum" | "mean",
  s: Selection,
  kept: Expr,
  { inner, count }: AlongPicked,
  keep: boolean,
): TensorValue {
  const total = vm.shaped(() => reduce("sum", kept, inner, keep));
  const e = op === "sum" ? total : div(total, numberExpr(count()));
  const operands = [s.all.expr, s.mask];
  const along = { dims: inner, keepDims: keep };
  const kernel: TapeKernel = { name: `picked ${op}`, operands, along, at: s.at };
  return tensor(vm, e, s.all.library, resultDType(vm, op, s.all), { kernel });
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

/** @throws ShapeError where there is no such axis */
function positionsOf(shape: Shape, dims: Dims): number[] {
  return dims?.map((d) => normalizeDim(d, shape.length)) ?? shape.map((_, d) => d);
}

/** Number of entries that a reduction over `dims` runs through. */
export function reducedCount(vm: Interpreter, shape: Shape, dims: Dims): Expr {
  return size(vm.shaped(() => positionsOf(shape, dims)).map((d) => shape[d]!));
}

/** Variance with divisor N - correction, or 0 where there are fewer entries than that. */
export function variance(
  vm: Interpreter,
  x: TensorValue,
  dims: Dims,
  keep: boolean,
  correction: number,
): TensorValue {
  return spreadOf(vm, "variance", x, dims, keep, correction);
}

export function standardDeviation(
  vm: Interpreter,
  x: TensorValue,
  dims: Dims,
  keep: boolean,
  correction: number,
): TensorValue {
  return spreadOf(vm, "standard deviation", x, dims, keep, correction);
}

function spreadOf(
  vm: Interpreter,
  kind: "variance" | "standard deviation",
  x: TensorValue,
  dims: Dims,
  keep: boolean,
  correction: number,
): TensorValue {
  const isMixed = x.selection !== null && mixesRows(vm, x.selection, dims);
  const selection = isMixed ? null : x.selection;
  const all = selection?.all ?? asWhole(vm, x);
  requireFloat(vm, "a variance", all);
  const picked = selection === null ? null : alongPicked(vm, selection, dims, keep);
  if (picked !== null && "beside" in picked) {
    return picked.beside((d) => spreadOf(vm, kind, all, d, keep, correction));
  }
  const e = all.expr;
  const over = picked?.inner ?? vm.shaped(() => positionsOf(e.shape, dims));
  const n = picked === null ? reducedCount(vm, e.shape, dims) : numberExpr(picked.count());
  const mask = selection === null ? [] : [alongside(selection)];
  const divisor = remaining(n, correction);
  const made = vm.shaped(() => {
    const mean =
      picked === null
        ? reduce("mean", e, over, true)
        : div(reduce("sum", picked.filled(ZERO), over, true), n);
    const d = sub(e, mean);
    const squares = picked === null ? mul(d, d) : where(mask[0]!, mul(d, d), ZERO);
    const spread =
      picked === null && correction === 0
        ? reduce("mean", squares, over, keep)
        : div(reduce("sum", squares, over, keep), divisor);
    return kind === "variance" ? spread : sqrt(spread);
  });
  return tensor(vm, made, all.library, floatResult(all.dtype, e.type, all.library), {
    kernel: {
      name: kind,
      operands: [e, n, divisor, ...mask],
      along: { dims: over, keepDims: keep },
    },
  });
}

/** N - correction. Too few entries make it 0, and the variance 0/0; where N is open they suffice. */
function remaining(n: Expr, correction: number): Expr {
  if (correction === 0) return n;
  const less = sub(n, constant(correction));
  const known = n.kind === "const" ? n.value : n.kind === "size" ? elementCount(n.axes) : 0;
  return known === null || known >= correction ? less : binary("max", less, ZERO);
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
