/** Meanings that several libraries share; their tables say under which names. */
import type { BinaryOp, Expr, ReduceOp, UnaryOp } from "../../expression/node.ts";
import { binary, constant, reduce, unary } from "../../expression/build.ts";
import { evaluate } from "../../expression/evaluate.ts";
import { concat } from "../../expression/build.ts";
import { normalizeDim } from "../../expression/axis.ts";
import { type DType, promote } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { knownInteger } from "../interpreter/known.ts";
import { derived, numberExpr } from "../interpreter/numbers.ts";
import { compareOperation, binaryOperation } from "../interpreter/operators.ts";
import type { BinaryOperator, ComparisonOperator } from "../syntax.ts";
import {
  clampValue,
  elementwise,
  floatFunction,
  keepingFunction,
  logical,
  select,
  truthFunction,
} from "../tensors/elementwise.ts";
import {
  argExtreme,
  logSumExp,
  reduction,
  standardDeviation,
  variance,
} from "../tensors/reduce.ts";
import { addAxis, dropAxes, flattenRange } from "../tensors/reshape.ts";
import { ofOneType } from "../tensors/strictTypes.ts";
import { libraryOf, operandOf, sizeNumbers, stackTensors, tensor } from "../tensors/tensor.ts";
import { type NumberValue, type TensorValue, type Value, float, namedTuple } from "../values.ts";
import { readDType } from "./dtypeNames.ts";
import { nonzeroByAxis, nonzeroRows } from "./knownSets.ts";
import type { CallContext, Meaning } from "./signature.ts";

// Entry by entry

/** A function of floats. */
export const real =
  (op: UnaryOp): Meaning =>
  (c) =>
    onNumber(c, op) ?? floatFunction(c.vm, op, c.tensor("x"), c.library);

/** A function that keeps the dtype. */
export const keeping =
  (op: UnaryOp): Meaning =>
  (c) =>
    onNumber(c, op) ?? keepingFunction(c.vm, op, c.tensor("x"), c.library);

export const truthOf =
  (op: "not" | "isnan" | "isfinite"): Meaning =>
  (c) =>
    truthFunction(c.vm, op, c.tensor("x"), c.library);

const KEEPS_INTEGERS = new Set<UnaryOp>(["neg", "abs", "sign", "relu", "round", "floor", "ceil"]);

/** Python numbers go through as numbers, except in PyTorch, which takes tensors only. */
function onNumber(c: CallContext, op: UnaryOp): Value | null {
  const v = c.value("x");
  if (v.kind !== "number") return null;
  if (c.library === "torch") return c.bad("x", "Tensor");
  const type = KEEPS_INTEGERS.has(op) && v.type !== "float" ? "int" : "float";
  return numberUnary(v, op, type);
}

export function numberUnary(v: NumberValue, op: UnaryOp, type: "int" | "float"): NumberValue {
  const value = v.value === null ? null : evaluateConstant(unary(op, constant(v.value)));
  return derived(type, value, () => unary(op, numberExpr(v)), v);
}

export function evaluateConstant(e: Expr): number {
  return evaluate(e, new Map()).data[0]!;
}

export const pairwise =
  (op: BinaryOp): Meaning =>
  (c) => {
    const [a, b] = [c.value("x"), c.value("y")];
    if (a.kind === "number" && b.kind === "number") {
      const value = evaluateConstant(binary(op, numberExpr(a), numberExpr(b)));
      return derived("float", value, () => binary(op, numberExpr(a), numberExpr(b)), a, b);
    }
    return elementwise(c.vm, op, listless(c, a), listless(c, b), c.library);
  };

/** Nested lists as arrays, and what else the library makes arrays of its own of. */
function listless(c: CallContext, v: Value): Value {
  return v.kind === "list" || v.kind === "tuple" || v.kind === "tensor" ? c.asOwn(v) : v;
}

/** A function that is one of Python's operators. */
export const operator =
  (op: BinaryOperator): Meaning =>
  (c) =>
    binaryOperation(c.vm, op, listless(c, c.value("x")), listless(c, c.value("y")));

export const comparison =
  (op: ComparisonOperator): Meaning =>
  (c) =>
    compareOperation(c.vm, op, listless(c, c.value("x")), listless(c, c.value("y")));

export const both =
  (op: "and" | "or"): Meaning =>
  (c) =>
    logical(c.vm, op, c.tensor("x"), c.tensor("y"), c.library);

export const square: Meaning = (c) => {
  const v = c.value("x");
  return binaryOperation(c.vm, "**", listless(c, v), { ...float(2), type: "int" });
};

export const reciprocal: Meaning = (c) => elementwise(c.vm, "div", float(1), c.tensor("x"));

/** log to another base. */
export const logBase =
  (base: number): Meaning =>
  (c) => {
    const x = floatFunction(c.vm, "log", c.tensor("x"), c.library);
    return elementwise(c.vm, "div", x, float(Math.log(base)));
  };

export const choose: Meaning = (c) => {
  if (!c.given("x") && !c.given("y")) {
    return c.library === "tensorflow" ? nonzeroRows("condition")(c) : nonzeroByAxis("condition")(c);
  }
  return select(
    c.vm,
    c.tensor("condition"),
    listless(c, c.value("x")),
    listless(c, c.value("y")),
    c.library,
  );
};

/** clamp and clip under any names of their bounds. */
export const limit =
  (low: string, high: string): Meaning =>
  (c) => {
    const [lo, hi] = [c.optional(low), c.optional(high)];
    if (lo === null && hi === null) {
      return c.vm.fail("ValueError", `${c.name}(): at least one of the bounds must be given`);
    }
    return clampValue(c.vm, c.tensor("x"), lo, hi, c.library);
  };

// Over axes

/**
 * The axes to reduce. PyTorch takes an empty list for all of them (in any() and all() for none), as
 * in `x.sum(dim=list(range(2, x.ndim)))` of a matrix; the other libraries take it for none.
 */
export function reducedAxes(c: CallContext): number[] | null {
  const dims = c.dims("dim");
  return c.library === "torch" && dims?.length === 0 ? null : dims;
}

export const reduceBy =
  (op: ReduceOp): Meaning =>
  (c) => {
    const v = c.value("x");
    if (v.kind === "number") return v;
    const dtype = dtypeArgument(c);
    const dims = op === "any" || op === "all" ? c.dims("dim") : reducedAxes(c);
    return reduction(c.vm, op, c.tensor("x"), dims, c.flag("keepdim"), dtype);
  };

export function dtypeArgument(c: CallContext, name = "dtype"): DType | undefined {
  const v = c.optional(name);
  return v === null ? undefined : readDType(c.vm, v);
}

/** NumPy divides by N - ddof, and ddof is 0; PyTorch by N - correction, and correction is 1. */
export const spread =
  (kind: "std" | "var", correction: (c: CallContext) => number): Meaning =>
  (c) => {
    const compute = kind === "std" ? standardDeviation : variance;
    return compute(c.vm, c.tensor("x"), reducedAxes(c), c.flag("keepdim"), correction(c));
  };

export const logSumExpOf: Meaning = (c) =>
  logSumExp(c.vm, c.tensor("x"), reducedAxes(c), c.flag("keepdim"));

export const positionOf =
  (op: "argmax" | "argmin"): Meaning =>
  (c) => {
    const x = c.tensor("x");
    const dim = c.dims("dim");
    if (dim !== null) return argExtreme(c.vm, op, x, dim[0]!, c.flag("keepdim"));
    return argExtreme(c.vm, op, flattenRange(c.vm, x, 0, -1), 0, false);
  };

/** PyTorch's `max(x, dim)`: values and their positions. */
export const extremeAlong =
  (op: "max" | "min"): Meaning =>
  (c) => {
    const x = c.tensor("x");
    const dim = c.dims("dim")![0]!;
    const keep = c.flag("keepdim");
    return namedTuple(`torch.return_types.${op}`, {
      values: reduction(c.vm, op, x, [dim], keep),
      indices: argExtreme(c.vm, op === "max" ? "argmax" : "argmin", x, dim, keep),
    });
  };

export const countNonzero: Meaning = (c) => {
  const x = c.tensor("x");
  const nonzero = elementwise(c.vm, "ne", x, { ...float(0), type: "int" });
  return reduction(c.vm, "sum", nonzero, reducedAxes(c), c.flag("keepdim"));
};

/** Vector norms: the root of the sum of powers. */
export function vectorNorm(
  c: CallContext,
  x: TensorValue,
  order: number,
  dims: readonly number[] | null,
  keep: boolean,
): TensorValue {
  const { vm } = c;
  const size = keepingFunction(vm, "abs", x);
  if (order === Infinity) return reduction(vm, "max", size, dims, keep);
  if (order === -Infinity) return reduction(vm, "min", size, dims, keep);
  if (order === 1) return reduction(vm, "sum", size, dims, keep);
  if (order === 0) {
    const nonzero = elementwise(vm, "ne", x, { ...float(0), type: "int" });
    return reduction(vm, "sum", nonzero, dims, keep);
  }
  if (order === 2) {
    const total = reduction(vm, "sum", elementwise(vm, "mul", x, x), dims, keep);
    // PyTorch's norm is flat at 0, other libraries' gradient is 0/0 there. Where no row is 0, both are √.
    const isFlat = x.library === "torch" && vm.recorder.tape === null && hasZero(vm, total);
    if (isFlat) return flatRoot(vm, total);
    if (x.selection !== null) return floatFunction(vm, "sqrt", total);
    const rank = x.expr.shape.length;
    const along = {
      dims: dims?.map((d) => normalizeDim(d, rank)) ?? x.expr.shape.map((_, d) => d),
      keepDims: keep,
    };
    return floatFunction(vm, "sqrt", total, "numpy", {
      name: "norm",
      operands: [x.expr],
      along,
    });
  }
  const powers = elementwise(vm, "pow", size, float(order));
  return elementwise(vm, "pow", reduction(vm, "sum", powers, dims, keep), float(1 / order));
}

/** √S, with the derivative 0 where S is 0. */
export function flatRoot(vm: Interpreter, squares: TensorValue): TensorValue {
  const isZero = elementwise(vm, "eq", squares, float(0), "torch");
  const root = floatFunction(vm, "sqrt", select(vm, isZero, float(1), squares, "torch"), "torch");
  return select(vm, isZero, float(0), root, "torch");
}

/** Whether an entry is 0 on the arrays at hand. */
function hasZero(vm: Interpreter, { expr }: TensorValue): boolean {
  const any = vm.shaped(() => reduce("any", binary("eq", expr, constant(0)), null));
  return vm.evaluate(any)?.data[0] === 1;
}

/** The whole numbers from one on, up to another. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);
}

// Joining and shapes

export const stackAll: Meaning = (c) =>
  stackTensors(
    c.vm,
    c.tensors("tensors"),
    c.dims("dim")?.[0] ?? 0,
    libraryOf(c.list("tensors"), c.library),
  );

export const concatenate: Meaning = (c) => {
  const parts = c.tensors("tensors");
  const dims = c.dims("dim");
  if (dims === null) {
    const flat = parts.map((t) => flattenRange(c.vm, t, 0, -1));
    return joined(c, flat, 0);
  }
  return joined(c, parts, dims[0]!);
};

export function joined(c: CallContext, parts: readonly TensorValue[], dim: number): TensorValue {
  const library = libraryOf(parts, c.library);
  const dtype = promote(
    parts.map((t) => operandOf(t, t.expr)),
    library,
  );
  const given = parts.map((t) => t.expr);
  const exprs = ofOneType(c.vm, "ConcatV2", library, parts, given);
  const e = c.vm.shaped(() => concat(exprs, dim));
  // Where a part stands in the whole depends on the sizes of those before it.
  const d = normalizeDim(dim, e.shape.length);
  if (parts.length > 1) {
    for (const t of parts) knownInteger(c.vm, sizeNumbers(t)[d]!, "a concatenation");
  }
  return tensor(c.vm, e, library, dtype);
}

export const newAxis: Meaning = (c) => {
  const dims = c.dims("dim")!;
  if (dims.length === 1) return addAxis(c.vm, c.tensor("x"), dims[0]!);
  const rank = c.expr("x").shape.length + dims.length;
  const places = dims.map((d) => (d < 0 ? d + rank : d)).sort((a, b) => a - b);
  return places.reduce((t, d) => addAxis(c.vm, t, d), c.tensor("x"));
};

export const withoutAxes: Meaning = (c) => dropAxes(c.vm, c.tensor("x"), c.dims("dim"));
