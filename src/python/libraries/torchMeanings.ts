/** What the functions of torch.ts do that are more than one line. */
import {
  NONE,
  type Selection,
  type TensorValue,
  type Value,
  float,
  int,
  str,
  tuple,
} from "../values.ts";
import { dtypeOf, readDType } from "./dtypeNames.ts";
import { type Shape, axis } from "../../expression/axis.ts";
import { constant, div, log, oneHot, reduce, reshape, sub, where } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type DType, defaultFloat, isDType } from "../dtypes.ts";
import { type Interpreter, NeedsIntegerError } from "../interpreter/interpreter.ts";
import { asBoolean, elementwise, select } from "../tensors/elementwise.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { takePlaces } from "../tensors/knownSorting.ts";
import { alongside } from "../tensors/picked.ts";
import { softmaxOf } from "../tensors/reduce.ts";
import {
  expandShape,
  permuteAxes,
  reshapeTo,
  shapeFrom,
  sizesFrom,
  swapAxes,
} from "../tensors/reshape.ts";
import {
  asTensor,
  castTo,
  filled,
  freshLetter,
  nodeOf,
  operandExpr,
  rankOf,
  sizeNumber,
  sizeNumbers,
  tensor,
} from "../tensors/tensor.ts";
import * as m from "./common.ts";
import { convert, copyOf, inLibrary, withoutGradient } from "./convert.ts";
import { along, axisAt, evenly, knownSize, pieces } from "./pieces.ts";
import type { CallContext } from "./signature.ts";

export function powerOf(c: CallContext, exponent: number): Value {
  return elementwise(c.vm, "pow", c.tensor("x"), float(exponent));
}

/** `add(x, y, alpha=a)` is x + a·y. */
export function scaled(c: CallContext, op: "add" | "sub"): Value {
  const alpha = c.value("alpha");
  const plain = alpha.kind === "number" && alpha.value === 1 && alpha.symbol === null;
  const y = plain ? c.value("other") : elementwise(c.vm, "mul", c.value("other"), alpha, "torch");
  return elementwise(c.vm, op, c.value("input"), y, "torch");
}

export function logit(c: CallContext): Value {
  if (c.given("eps")) return c.vm.unsupported("torch.logit with eps is not supported");
  const x = c.tensor("input");
  const e = c.vm.shaped(() => log(div(x.expr, sub(constant(1), x.expr))));
  return tensor(c.vm, e, "torch", x.dtype);
}

/** max(x), max(x, dim) or max(x, y). */
export function extreme(c: CallContext, op: "max" | "min"): Value {
  const second = c.given("other") ? c.value("other") : c.value("dim");
  // A tensor without axes is the other operand too: a position is a Python integer.
  if (second.kind === "tensor" || c.given("other")) {
    return elementwise(c.vm, op, c.tensor("input"), second, "torch");
  }
  return c.given("dim") ? m.extremeAlong(op)(c) : m.reduceBy(op)(c);
}

export function softmax(
  c: CallContext,
  logarithm: boolean,
  of: (x: TensorValue) => TensorValue = (x) => x,
): Value {
  const dtype = m.dtypeArgument(c);
  const x = of(dtype === undefined ? c.tensor("x") : convert(c.vm, c.tensor("x"), dtype));
  return softmaxOf(c.vm, x, c.dims("dim")?.[0] ?? impliedAxis(c, x), logarithm);
}

/** The axis of a softmax that names none, which PyTorch picks by the number of axes, with a warning. */
function impliedAxis(c: CallContext, x: TensorValue): number {
  const rank = rankOf(x);
  const dim = rank === 0 || rank === 1 || rank === 3 ? 0 : 1;
  c.vm.recorder.assume(
    `line ${c.vm.at.line}: ${c.name}() names no axis; of an array with ${rank} axes PyTorch takes dim=${dim}`,
  );
  return dim;
}

export function norm(c: CallContext): Value {
  const p = c.value("p");
  const order = p.kind === "str" ? (p.value === "fro" ? 2 : c.bad("p", "a number")) : c.number("p");
  return m.vectorNorm(c, c.tensor("input"), order, c.dims("dim"), c.flag("keepdim"));
}

export function vector(c: CallContext, name: string): TensorValue {
  const t = c.tensor(name);
  if (rankOf(t) === 1) return t;
  return c.vm.fail("RuntimeError", `1D tensors expected, but got ${rankOf(t)}D`);
}

export function permute(c: CallContext): Value {
  const dims = sizesFrom(c.list("dims")).map((v) =>
    v.kind === "number" && v.value !== null ? v.value : c.bad("dims", "integers"),
  );
  return permuteAxes(c.vm, c.tensor("input"), dims);
}

export function transposeMatrix(c: CallContext): Value {
  const x = c.tensor("input");
  const rank = x.expr.shape.length;
  if (rank > 2)
    return c.vm.fail(
      "RuntimeError",
      `t() expects a tensor with <= 2 dimensions, but self is ${rank}D`,
    );
  return rank < 2 ? x : swapAxes(c.vm, x, 0, 1);
}

export function chunk(c: CallContext): Value {
  const x = c.tensor("input");
  const dim = c.int("dim");
  return pieces(
    c,
    x,
    dim,
    evenly(knownSize(c, x, dim), Math.ceil(knownSize(c, x, dim) / c.int("chunks"))),
  );
}

export function split(c: CallContext): Value {
  const x = c.tensor("input");
  const dim = c.int("dim");
  const n = knownSize(c, x, dim);
  const given = c.value("split_size");
  const sizes = given.kind === "number" ? evenly(n, c.int("split_size")) : c.dims("split_size");
  if (sizes === null) return c.bad("split_size", "an integer, or a list of integers");
  if (sizes.reduce((a, b) => a + b, 0) !== n) {
    return c.vm.fail("RuntimeError", `split_with_sizes expects split_sizes to sum exactly to ${n}`);
  }
  return pieces(c, x, dim, sizes);
}

export function selectIndex(c: CallContext): Value {
  const x = c.tensor("input");
  return indexTensor(c.vm, x, along(x, c.int("dim"), c.value("index")));
}

export function narrow(c: CallContext): Value {
  const x = c.tensor("input");
  const start = c.int("start");
  const range: Value = {
    kind: "slice",
    start: int(start),
    stop: int(start + c.int("length")),
    step: NONE,
  };
  return indexTensor(c.vm, x, along(x, c.int("dim"), range));
}

export function torchWhere(c: CallContext): Value {
  const a = c.given("x") ? c.value("x") : c.value("input");
  const b = c.given("y") ? c.value("y") : c.value("other");
  if (a.kind === "none" && b.kind === "none") return m.choose(c);
  return select(c.vm, c.tensor("condition"), a, b, "torch");
}

export function unpacked(c: CallContext): readonly Value[] {
  const operands = c.list("operands");
  const only = operands[0];
  return operands.length === 1 && only?.kind === "list" ? only.items : operands;
}

/** torch.tensor copies, and cuts the gradient of what it copies. */
export function newTensor(c: CallContext): Value {
  const source = c.value("data");
  const dtype = m.dtypeArgument(c);
  const t = asTensor(c.vm, source, "torch", dtype);
  const detached =
    source.kind === "tensor" && source.library === "torch"
      ? withoutGradient(c.vm, copyOf(c.vm, t), "torch.tensor()")
      : inLibrary(c.vm, t, "torch");
  return dtype === undefined ? detached : convert(c.vm, detached, dtype);
}

/** x.new_tensor(data): a copy in the dtype of x, unless another is given. */
export function newTensorLike(c: CallContext): Value {
  const own = m.dtypeArgument(c) ?? c.tensor("self").dtype;
  const made = newTensor(c) as TensorValue;
  return own === null ? made : convert(c.vm, made, own);
}

export function asTorchTensor(c: CallContext): Value {
  const dtype = m.dtypeArgument(c);
  const t = inLibrary(c.vm, asTensor(c.vm, c.value("data"), "torch", dtype), "torch");
  return dtype === undefined ? t : convert(c.vm, t, dtype);
}

export function fillNumber(c: CallContext): Value & { readonly kind: "number" } {
  const v = c.value("fill_value");
  return v.kind === "number" ? v : c.bad("fill_value", "a number");
}

/** `FloatTensor([0.1, 0.9])`, `FloatTensor(2, 3)`. */
export function legacyTensor(vm: Interpreter, args: readonly Value[], dtype: DType): TensorValue {
  const only = args[0];
  if (args.length === 1 && only !== undefined && only.kind !== "number") {
    return convert(vm, inLibrary(vm, asTensor(vm, only, "torch", dtype), "torch"), dtype);
  }
  return unsetArray(vm, shapeFrom(vm, args), dtype);
}

/** Memory as it comes: whoever makes such an array assigns its entries before they count. */
function unsetArray(vm: Interpreter, shape: Shape, dtype: DType): TensorValue {
  vm.recorder.assume(
    `line ${vm.at.line}: the entries of an array that is made without values are taken to be 0 ` +
      "until they are assigned",
  );
  return filled(vm, float(0), shape, "torch", dtype);
}

/** torch.empty(2, 3) and x.new_empty(2, 3). */
export function unset(c: CallContext): Value {
  const sizes = sizesFrom(c.given("shape") ? c.list("shape") : c.list("size"));
  const own = c.given("self") ? c.tensor("self").dtype : null;
  const dtype = m.dtypeArgument(c) ?? own ?? defaultFloat("torch");
  return unsetArray(c.vm, shapeFrom(c.vm, sizes), dtype);
}

/** torch.empty_like(x). */
export function unsetLike(c: CallContext): Value {
  const x = c.tensor("input");
  const dtype = m.dtypeArgument(c) ?? x.dtype ?? defaultFloat("torch");
  return unsetArray(c.vm, x.expr.shape, dtype);
}

/** zeros(2, 3), zeros((2, 3)) and zeros(x.shape). */
export function filledWith(c: CallContext, value: number): Value {
  const sizes = sizesFrom(c.list(c.given("size") ? "size" : "shape"));
  const dtype = m.dtypeArgument(c) ?? defaultFloat("torch");
  return constantOf(c, value, sizes, dtype);
}

export function newFilled(c: CallContext, value: number): Value {
  const dtype = m.dtypeArgument(c) ?? c.tensor("self").dtype ?? defaultFloat("torch");
  return constantOf(c, value, sizesFrom(c.list("size")), dtype);
}

export function constantOf(
  c: CallContext,
  value: number,
  sizes: readonly Value[],
  dtype: DType,
): Value {
  return filled(c.vm, float(value), shapeFrom(c.vm, sizes), "torch", dtype);
}

export function view(c: CallContext): Value {
  const x = c.tensor("self");
  const args = c.list("shape");
  const only = args[0];
  if (args.length === 1 && only?.kind === "dtype") {
    return c.vm.unsupported(
      "view(dtype) reads the same bytes as another type, which is no formula",
    );
  }
  return reshapeTo(c.vm, x, sizesFrom(args));
}

export function reshapeLike(c: CallContext): Value {
  return reshapeTo(c.vm, c.tensor("self"), c.expr("other").shape.map(sizeNumber));
}

export function contiguous(c: CallContext): Value {
  const x = c.tensor("self");
  return x.contiguous ? x : copyOf(c.vm, x);
}

export function size(c: CallContext): Value {
  const sizes = sizeNumbers(c.tensor("self"));
  return c.given("dim") ? axisAt(c, sizes, c.int("dim")) : tuple(sizes);
}

/** to(dtype), to(device), to(other), to(device, dtype). */
export function to(c: CallContext): Value {
  const x = c.tensor("self");
  const args = [...c.list("args"), c.value("dtype"), c.value("other")];
  let result = x;
  for (const v of args) {
    if (v.kind === "dtype") result = convert(c.vm, result, v.dtype);
    else if (v.kind === "tensor" && v.dtype !== null) result = convert(c.vm, result, v.dtype);
    else if (v.kind === "class") result = convert(c.vm, result, readDType(c.vm, v));
  }
  return result;
}

export const LEGACY_TYPES: Readonly<Record<string, DType>> = {
  FloatTensor: "float32",
  DoubleTensor: "float64",
  HalfTensor: "float16",
  BFloat16Tensor: "bfloat16",
  LongTensor: "int64",
  IntTensor: "int32",
  ByteTensor: "uint8",
  BoolTensor: "bool",
};

export function type(c: CallContext): Value {
  const x = c.tensor("self");
  const v = c.optional("dtype");
  if (v === null) {
    const { dtype } = dtypeOf(c.vm, x);
    const name = Object.entries(LEGACY_TYPES).find(([, d]) => d === dtype)?.[0] ?? "Tensor";
    return str(`torch.${name}`);
  }
  const name =
    v.kind === "str" ? v.value.replace(/^torch\.(cuda\.)?/, "") : v.kind === "class" ? v.name : "";
  const legacy = LEGACY_TYPES[name];
  if (legacy !== undefined) return convert(c.vm, x, legacy);
  if (isDType(name)) return convert(c.vm, x, name);
  return convert(c.vm, x, m.dtypeArgument(c)!);
}

export function backward(c: CallContext): Value {
  return c.vm.unsupported(
    ".backward() is not run by the inspector",
    "Leave the call of your loss as the cell's last line: its gradient is derived and checked there.",
  );
}

export function filledLike(c: CallContext): Value {
  const v = c.value("value");
  const x = c.tensor("self");
  const filler = v.kind === "number" ? v : c.bad("value", "a number");
  return filled(c.vm, filler, x.expr.shape, "torch", x.dtype ?? defaultFloat("torch"));
}

export function zerosLike(c: CallContext): Value {
  const x = c.tensor("self");
  return filled(c.vm, float(0), x.expr.shape, "torch", x.dtype ?? defaultFloat("torch"));
}

export function copied(c: CallContext): Value {
  const x = c.tensor("self");
  return expandShape(
    c.vm,
    convert(c.vm, c.tensor("src"), x.dtype ?? defaultFloat("torch")),
    x.expr.shape,
  );
}

/**
 * scatter along `dim` with an index of size 1 there: the way one-hot targets are often made. Where
 * the position along `dim` equals the index, the value stands; elsewhere self stays.
 */
export function scattered(c: CallContext): TensorValue {
  const { vm } = c;
  const x = c.tensor("input");
  const index = c.tensor("index");
  const rank = x.expr.shape.length;
  const dim = c.int("dim") < 0 ? c.int("dim") + rank : c.int("dim");
  const sorted = takePlaces(vm, x, index, dim, true)?.selection ?? null;
  if (sorted !== null) return scatteredToPlaces(c, x, sorted);
  const unit = index.expr.shape[dim];
  if (index.expr.shape.length !== rank || unit === undefined) {
    return vm.fail(
      "RuntimeError",
      "Index tensor must have the same number of dimensions as self tensor",
    );
  }
  requireInteger(c, index, "scatter() expects an index of integers (int64)");
  const source = c.given("src") ? c.value("src") : c.value("value");
  if (unit.size !== 1) return scatteredWidely(c, x, index, dim, source);
  if (source.kind === "tensor" && source.expr.shape.length > 0) {
    const { shape } = source.expr;
    if (shape[dim]?.size !== 1)
      return vm.unsupported("scatter of a source with more than one entry along the axis");
  }
  const e = vm.shaped(() => {
    const rest = index.expr.shape.filter((_, d) => d !== dim);
    const hot = oneHot(reshape(index.expr, rest), x.expr.shape[dim]!, dim);
    const value = operandExpr(vm, source, "torch");
    return where(asBoolean(hot), asStored(x, value), x.expr);
  });
  return tensor(vm, e, "torch", x.dtype);
}

/**
 * As a tensor holds it. What is written into a boolean tensor is true or false: `~` of it is no
 * bitwise complement.
 */
function asStored(x: TensorValue, value: Expr): Expr {
  if (x.dtype === "bool") return asBoolean(value);
  return x.dtype !== null && x.expr.type === "int" ? castTo(value, null, x.dtype) : value;
}

/** One number at places that sorting has found. */
function scatteredToPlaces(c: CallContext, x: TensorValue, places: Selection): TensorValue {
  const value = operandExpr(c.vm, c.given("src") ? c.value("src") : c.value("value"), "torch");
  if (value.shape.length > 0) {
    return c.vm.unsupported(
      "scatter of an array to places that sorting found",
      "Sort the array that goes there in the same way, and work on both entry by entry.",
    );
  }
  const e = c.vm.shaped(() => where(alongside(places), asStored(x, value), x.expr));
  return tensor(c.vm, e, "torch", x.dtype);
}

/** One number at all positions that an index of several entries along the axis names. */
function scatteredWidely(
  c: CallContext,
  x: TensorValue,
  index: TensorValue,
  dim: number,
  source: Value,
): TensorValue {
  const { vm } = c;
  const others = index.expr.shape.every((a, d) => d === dim || a.size === x.expr.shape[d]!.size);
  if (!others || (source.kind === "tensor" && source.expr.shape.length > 0)) {
    return vm.unsupported(
      "scatter with several positions along the axis is supported for one number, with an index as " +
        "large as the array in the other axes",
      "Scatter one position at a time, or write it with one_hot and where.",
    );
  }
  const e = vm.shaped(() => {
    const { shape } = x.expr;
    const own = axis(freshLetter([...shape, ...index.expr.shape], ["k"]), shape[dim]!.size);
    const hits = reduce("any", asBoolean(oneHot(index.expr, own, dim + 1)), [dim]);
    const value = operandExpr(vm, source, "torch");
    return where(reshape(hits, shape), asStored(x, value), x.expr);
  });
  return tensor(vm, e, "torch", x.dtype);
}

export function requireInteger(c: CallContext, t: TensorValue, message: string): void {
  const e = nodeOf(t);
  if (e.type !== "float") return;
  c.vm.fail("RuntimeError", message, "Convert first: x.long().", new NeedsIntegerError(e));
}
