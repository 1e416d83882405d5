/**
 * TensorFlow mixes no element types: what NumPy and PyTorch would promote is an error there. The
 * functions here do nothing for the other libraries.
 */
import type { BinaryOp, Expr } from "../../expression/node.ts";
import { type DType, type Library, defaultDType } from "../dtypes.ts";
import { type Interpreter, NeedsIntegerError } from "../interpreter/interpreter.ts";
import type { TensorValue, Value } from "../values.ts";
import { castTo } from "./tensor.ts";

/** How TensorFlow's messages call its operations. */
const OPERATIONS: Partial<Readonly<Record<BinaryOp, string>>> = {
  add: "AddV2",
  sub: "Sub",
  mul: "Mul",
  div: "RealDiv",
  floordiv: "FloorDiv",
  mod: "FloorMod",
  pow: "Pow",
  max: "Maximum",
  min: "Minimum",
  eq: "Equal",
  ne: "NotEqual",
  lt: "Less",
  le: "LessEqual",
  gt: "Greater",
  ge: "GreaterEqual",
};

export function operationName(op: BinaryOp): string {
  return OPERATIONS[op] ?? op;
}

/** How TensorFlow's messages call its types. */
export function messageType(t: TensorValue): string {
  const dtype = t.dtype ?? defaultDType(t.expr.type, t.library);
  return { float32: "float", float64: "double", float16: "half" }[dtype as string] ?? dtype;
}

/** The remedy with the type to convert to, e.g. "tf.cast(x, tf.float32)". */
function castRemedy(to: TensorValue): string {
  const dtype = to.dtype ?? defaultDType(to.expr.type, to.library);
  return `TensorFlow mixes no types by itself. Convert the other one first: tf.cast(x, tf.${dtype}).`;
}

/**
 * The operands of one operation, NumPy arrays converted to the tensors' type as TensorFlow does.
 * @param exprs of `values`, in their order
 * @throws PythonError InvalidArgumentError where two tensors differ in type, TypeError where a
 *   Python number does not fit the tensor's type
 */
export function ofOneType(
  vm: Interpreter,
  operation: string,
  library: Library,
  values: readonly Value[],
  exprs: readonly Expr[],
): readonly Expr[] {
  if (library !== "tensorflow") return exprs;
  const own = values.filter((v): v is TensorValue => v.kind === "tensor" && v.library === library);
  const first = own[0];
  if (first === undefined) return exprs;
  const settled = own.find((t) => t.dtype !== null) ?? first;
  return exprs.map((e, k) => {
    const v = values[k]!;
    if (v.kind === "number") {
      requireFits(vm, v, settled);
      return e;
    }
    if (v.kind !== "tensor") return e;
    if (v.library !== library) return castTo(e, v.dtype, typeOf(settled));
    requireSame(vm, operation, settled, v, k);
    return e;
  });
}

function typeOf(t: TensorValue): DType {
  // A float of unknown precision takes whatever float it meets.
  return t.dtype ?? (t.expr.type === "float" ? "float64" : defaultDType(t.expr.type, t.library));
}

function requireSame(
  vm: Interpreter,
  operation: string,
  settled: TensorValue,
  t: TensorValue,
  k: number,
): void {
  const differs =
    t.expr.type !== settled.expr.type ||
    (t.dtype !== null && settled.dtype !== null && t.dtype !== settled.dtype);
  if (!differs) return;
  vm.fail(
    "InvalidArgumentError",
    `cannot compute ${operation} as input #${k}(zero-based) was expected to be a ` +
      `${messageType(settled)} tensor but is a ${messageType(t)} tensor`,
    castRemedy(settled.expr.type === "float" ? settled : t.expr.type === "float" ? t : settled),
  );
}

function requireFits(
  vm: Interpreter,
  v: Value & { readonly kind: "number" },
  t: TensorValue,
): void {
  const order = { bool: 0, int: 1, float: 2 };
  if (order[v.type] <= order[t.expr.type]) return;
  const shown = v.value === null ? `a ${v.type}` : String(v.value);
  vm.fail(
    "TypeError",
    `Cannot convert ${shown} to a tensor of dtype ${t.dtype ?? t.expr.type}`,
    "Convert the tensor first: tf.cast(x, tf.float32).",
  );
}

/** For functions that TensorFlow has for floats only: exp, log, sigmoid, softmax, … */
export function requireFloat(vm: Interpreter, operation: string, v: Value): void {
  if (v.kind !== "tensor" || v.library !== "tensorflow" || v.expr.type === "float") return;
  vm.fail(
    "InvalidArgumentError",
    `${operation} is not defined for ${messageType(v)} tensors, only for floating-point ones`,
    "Convert first: tf.cast(x, tf.float32).",
  );
}

/** For sums, means and extremes, which TensorFlow does not have for truth values. */
export function requireNumeric(vm: Interpreter, operation: string, v: Value): void {
  if (v.kind !== "tensor" || v.library !== "tensorflow" || v.expr.type !== "bool") return;
  vm.fail(
    "InvalidArgumentError",
    `${operation} is not defined for bool tensors`,
    "Convert first: tf.cast(x, tf.float32).",
  );
}

/** For conditions, and for `and`, `or`, any and all: TensorFlow takes truth values only. */
export function requireBool(vm: Interpreter, operation: string, v: Value): void {
  if (v.kind !== "tensor" || v.library !== "tensorflow" || v.expr.type === "bool") return;
  vm.fail(
    "InvalidArgumentError",
    `cannot compute ${operation}: a bool tensor was expected but this is a ${messageType(v)} tensor`,
    "Compare, or convert: tf.cast(x, tf.bool).",
  );
}

/** For class numbers; where arrays are assumed, the trace is tried again with integers. */
export function requireClassNumbers(vm: Interpreter, operation: string, t: TensorValue): void {
  if (t.expr.type !== "float") return;
  vm.fail(
    "InvalidArgumentError",
    `${operation} takes class numbers of an integer type, not a ${messageType(t)} tensor`,
    "Convert first: tf.cast(x, tf.int32).",
    new NeedsIntegerError(t.expr),
  );
}
