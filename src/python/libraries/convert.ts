/** Conversions: dtype, library, Python number, and where the gradient is cut. */
import { stopGradient } from "../../expression/build.ts";
import { elementCount } from "../../expression/axis.ts";
import { reshape } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type DType, type Library, defaultFloat, scalarType } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { makeList } from "../interpreter/collections.ts";
import { entrywise } from "../tensors/picked.ts";
import { carriesGradient, changedUnseen } from "../tensors/detached.ts";
import { castTo, nodeOf, tensor, viewOf } from "../tensors/tensor.ts";
import { type TensorValue, type Value, symbolic } from "../values.ts";

/** The same array if it has that dtype already. */
export function convert(vm: Interpreter, t: TensorValue, dtype: DType): TensorValue {
  if (t.dtype === dtype) return t;
  const isFloat = nodeOf(t).type === "float";
  if (t.dtype === null && isFloat && dtype === defaultFloat(t.library)) return t;
  return onEach(vm, t, (x) => tensor(vm, castTo(x.expr, x.dtype, dtype), x.library, dtype));
}

/** What is done to a whole array, done to picked entries. */
function onEach(
  vm: Interpreter,
  t: TensorValue,
  make: (whole: TensorValue) => TensorValue,
): TensorValue {
  return entrywise(vm, [t], ([x]) => make(x as TensorValue));
}

/** The array as another library's. */
export function inLibrary(vm: Interpreter, t: TensorValue, library: Library): TensorValue {
  return t.library === library ? t : onEach(vm, t, (x) => tensor(vm, x.expr, library, x.dtype));
}

/** A copy in memory of its own. */
export function copyOf(vm: Interpreter, t: TensorValue): TensorValue {
  return onEach(vm, t, (x) => tensor(vm, x.expr, x.library, x.dtype, { identity: x.identity }));
}

/**
 * A tensor's values without its gradient, in the same memory: what is written there changes the
 * tensor's values, and not its gradient. `how` is what the source says for it.
 */
export function detached(
  vm: Interpreter,
  t: TensorValue,
  how: string,
  library: Library = t.library,
): TensorValue {
  if (t.selection !== null) return withoutGradient(vm, t, how, library);
  // Constants may stand for sorted entries, whose gradient ends here all the same.
  if (t.expr.type !== "float" || isConstant(t)) return sharing(vm, t, library);
  const read = (e: Expr): Expr => (e.kind === "stopGradient" ? e : stopGradient(e));
  const write = (before: Expr, changed: Expr): Expr => changedUnseen(vm, before, changed);
  const made = viewOf(vm, t, read, write, t.contiguous, library);
  if (carriesGradient(vm, t.expr)) vm.recorder.block(made.expr, how, vm.at);
  return made;
}

/** The array as another library's, in the same memory. */
export function sharing(vm: Interpreter, t: TensorValue, library: Library): TensorValue {
  if (t.library === library) return t;
  if (t.selection !== null) return inLibrary(vm, t, library);
  return viewOf(
    vm,
    t,
    (e) => e,
    (_, changed) => changed,
    t.contiguous,
    library,
  );
}

/** The value without its gradient; `how` is what the source says for it. */
export function withoutGradient(
  vm: Interpreter,
  t: TensorValue,
  how: string,
  library: Library = t.library,
): TensorValue {
  return onEach(vm, t, (x) => {
    if (x.expr.type !== "float" || isConstant(x)) return inLibrary(vm, x, library);
    const e = x.expr.kind === "stopGradient" ? x.expr : stopGradient(x.expr);
    vm.recorder.block(e, how, vm.at);
    return tensor(vm, e, library, x.dtype);
  });
}

function isConstant(t: TensorValue): boolean {
  return t.expr.args.length === 0 && t.expr.kind !== "input";
}

/** `.item()`, `float(x)`: a Python number, through which no gradient flows. */
export function itemOf(vm: Interpreter, t: TensorValue, how: string): Value {
  const n = elementCount(t.expr.shape);
  if (t.expr.shape.length > 0 && n !== 1) {
    return vm.fail(
      "ValueError",
      "only an array with one entry can be converted to a Python number",
    );
  }
  const flat = t.expr.shape.length === 0 ? t.expr : reshape(t.expr, []);
  if (flat.kind === "const") return symbolicOrPlain(flat.type, flat.value);
  const cut = flat.type === "float" ? stopGradient(flat) : flat;
  if (cut !== flat) vm.recorder.block(cut, how, vm.at);
  return symbolic(flat.type, cut);
}

function symbolicOrPlain(type: "float" | "int" | "bool", value: number): Value {
  return { kind: "number", type, value, symbol: null, axes: null };
}

/** `.tolist()`: nested lists of the values, which must be known. */
export function nestedList(vm: Interpreter, t: TensorValue): Value {
  const values = vm.evaluate(t.expr);
  if (values === null) {
    return vm.unsupported(
      "the values of this array are not known here",
      "Bind arrays to the function's parameters.",
    );
  }
  const { type } = t.expr;
  const strides = values.shape.map((_, d) => values.shape.slice(d + 1).reduce((n, s) => n * s, 1));
  const build = (d: number, offset: number): Value => {
    const n = values.shape[d];
    if (n === undefined) return symbolicOrPlain(type, values.data[offset]!);
    return makeList(
      vm,
      Array.from({ length: n }, (_, k) => build(d + 1, offset + k * strides[d]!)),
    );
  };
  return build(0, 0);
}

export function isFloating(dtype: DType): boolean {
  return scalarType(dtype) === "float";
}

/** Whether it is that library's own array: `tf.is_tensor` says no of NumPy's and of PyTorch's. */
export function isFrom(v: Value, library: Library): boolean {
  return v.kind === "tensor" && v.library === library;
}
