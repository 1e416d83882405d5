/** NumPy: what each function and array method means. One line a function. */
import { broadcast, elementCount } from "../../expression/axis.ts";
import type { ArrayHandle } from "../host.ts";
import { makeDict } from "../interpreter/collections.ts";
import { type DType, defaultDType, defaultFloat } from "../dtypes.ts";
import { dot, einsum, matmul } from "../tensors/contraction.ts";
import { elementwise, logical, select, truthFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import {
  expandTo,
  flattenRange,
  moveAxes,
  permuteAxes,
  reshapeTo,
  shapeFrom,
  sizesFrom,
  swapAxes,
} from "../tensors/reshape.ts";
import {
  asTensor,
  countNumber,
  filled,
  itemsOf,
  literalArray,
  sizeNumber,
  tensorOfHandle,
} from "../tensors/tensor.ts";
import {
  type NumberValue,
  type TensorValue,
  type Value,
  FALSE,
  NONE,
  float,
  int,
  str,
  tuple,
} from "../values.ts";
import * as m from "./common.ts";
import { convert, copyOf, inLibrary, itemOf, nestedList } from "./convert.ts";
import { identityMatrix } from "./creation.ts";
import { dtypeOf } from "./dtypeNames.ts";
import type { CallContext, Table } from "./signature.ts";

const OUT = "!out, !where, ~casting, ~order, ~subok";
const reduceArgs = "a, axis=None, !out, keepdims=False, !initial, !where";

export const numpyFunctions: Table = {
  // Entry by entry
  exp: [`x, dtype=None, ${OUT}`, m.real("exp")],
  expm1: [`x, ${OUT}`, m.real("expm1")],
  log: [`x, ${OUT}`, m.real("log")],
  log1p: [`x, ${OUT}`, m.real("log1p")],
  log2: [`x, ${OUT}`, m.logBase(2)],
  log10: [`x, ${OUT}`, m.logBase(10)],
  sqrt: [`x, ${OUT}`, m.real("sqrt")],
  tanh: [`x, ${OUT}`, m.real("tanh")],
  sinh: [`x, ${OUT}`, m.real("sinh")],
  cosh: [`x, ${OUT}`, m.real("cosh")],
  sin: [`x, ${OUT}`, m.real("sin")],
  cos: [`x, ${OUT}`, m.real("cos")],
  abs: [`x, ${OUT}`, m.keeping("abs")],
  absolute: [`x, ${OUT}`, m.keeping("abs")],
  fabs: [`x, ${OUT}`, m.keeping("abs")],
  sign: [`x, ${OUT}`, m.keeping("sign")],
  negative: [`x, ${OUT}`, m.keeping("neg")],
  floor: [`x, ${OUT}`, m.keeping("floor")],
  ceil: [`x, ${OUT}`, m.keeping("ceil")],
  rint: [`x, ${OUT}`, m.keeping("round")],
  round: ["a, !decimals=0, !out", m.keeping("round")],
  around: ["a, !decimals=0, !out", m.keeping("round")],
  square: [`x, ${OUT}`, m.square],
  reciprocal: [`x, ${OUT}`, m.reciprocal],
  power: [`x1, x2, ${OUT}`, m.operator("**")],
  add: [`x1, x2, ${OUT}`, m.operator("+")],
  subtract: [`x1, x2, ${OUT}`, m.operator("-")],
  multiply: [`x1, x2, ${OUT}`, m.operator("*")],
  divide: [`x1, x2, ${OUT}`, m.operator("/")],
  true_divide: [`x1, x2, ${OUT}`, m.operator("/")],
  floor_divide: [`x1, x2, ${OUT}`, m.operator("//")],
  mod: [`x1, x2, ${OUT}`, m.operator("%")],
  remainder: [`x1, x2, ${OUT}`, m.operator("%")],
  maximum: [`x1, x2, ${OUT}`, m.pairwise("max")],
  minimum: [`x1, x2, ${OUT}`, m.pairwise("min")],
  equal: [`x1, x2, ${OUT}`, m.comparison("==")],
  not_equal: [`x1, x2, ${OUT}`, m.comparison("!=")],
  greater: [`x1, x2, ${OUT}`, m.comparison(">")],
  greater_equal: [`x1, x2, ${OUT}`, m.comparison(">=")],
  less: [`x1, x2, ${OUT}`, m.comparison("<")],
  less_equal: [`x1, x2, ${OUT}`, m.comparison("<=")],
  logical_and: [`x1, x2, ${OUT}`, m.both("and")],
  logical_or: [`x1, x2, ${OUT}`, m.both("or")],
  logical_not: [`x, ${OUT}`, m.truthOf("not")],
  logical_xor: [`x1, x2, ${OUT}`, exclusiveOr],
  isnan: [`x, ${OUT}`, m.truthOf("isnan")],
  isfinite: [`x, ${OUT}`, m.truthOf("isfinite")],
  isinf: [`x, ${OUT}`, isInfinite],
  where: ["condition, x=None, y=None", m.choose],
  clip: ["a, a_min=None, a_max=None, !out, min=None, max=None", clip],
  nan_to_num: ["x, ~copy, nan=0.0, !posinf, !neginf", replaceNaN],

  // Over axes
  sum: [`a, axis=None, dtype=None, !out, keepdims=False, !initial, !where`, m.reduceBy("sum")],
  mean: [`a, axis=None, dtype=None, !out, keepdims=False, !where`, m.reduceBy("mean")],
  prod: [`a, axis=None, dtype=None, !out, keepdims=False, !initial, !where`, m.reduceBy("prod")],
  max: [reduceArgs, m.reduceBy("max")],
  amax: [reduceArgs, m.reduceBy("max")],
  min: [reduceArgs, m.reduceBy("min")],
  amin: [reduceArgs, m.reduceBy("min")],
  any: ["a, axis=None, !out, keepdims=False, !where", m.reduceBy("any")],
  all: ["a, axis=None, !out, keepdims=False, !where", m.reduceBy("all")],
  std: [
    "a, axis=None, !dtype, !out, ddof=0, keepdims=False",
    m.spread("std", (c) => c.int("ddof")),
  ],
  var: [
    "a, axis=None, !dtype, !out, ddof=0, keepdims=False",
    m.spread("var", (c) => c.int("ddof")),
  ],
  argmax: ["a, axis=None, !out, keepdims=False", m.positionOf("argmax")],
  argmin: ["a, axis=None, !out, keepdims=False", m.positionOf("argmin")],
  count_nonzero: ["a, axis=None, keepdims=False", m.countNonzero],
  average: ["a, axis=None, weights=None, !returned, keepdims=False", average],

  // Products
  dot: ["a, b, !out", numpyDot],
  inner: ["a, b", numpyDot],
  vdot: ["a, b", flatDot],
  matmul: ["x1, x2", (c) => matmul(c.vm, c.tensor("x"), c.tensor("y"), c.library)],
  einsum: ["subscripts, *operands, ~optimize, !out", numpyEinsum],
  outer: ["a, b, !out", outer],

  // Shapes
  reshape: ["a, shape=None, ~order, newshape=None, ~copy", numpyReshape],
  ravel: ["a, ~order", (c) => flattenRange(c.vm, c.tensor("x"), 0, -1)],
  transpose: ["a, axes=None", (c) => transposed(c, c.dims("axes"))],
  permute_dims: ["a, axes=None", (c) => transposed(c, c.dims("axes"))],
  swapaxes: [
    "a, axis1, axis2",
    (c) => swapAxes(c.vm, c.tensor("x"), c.int("axis1"), c.int("axis2")),
  ],
  moveaxis: [
    "a, source, destination",
    (c) => moveAxes(c.vm, c.tensor("x"), c.dims("source")!, c.dims("destination")!),
  ],
  expand_dims: ["a, axis", m.newAxis],
  squeeze: ["a, axis=None", m.withoutAxes],
  concatenate: ["arrays, axis=0, !out, !dtype", m.concatenate],
  concat: ["arrays, axis=0, !out, !dtype", m.concatenate],
  stack: ["arrays, axis=0, !out, !dtype", m.stackAll],
  broadcast_to: ["array, shape", (c) => expandTo(c.vm, c.tensor("array"), sizesOfArgument(c))],
  atleast_1d: ["x", atLeastOne],
  ndim: ["a", (c) => int(c.expr("x").shape.length)],
  shape: ["a", (c) => tuple(c.expr("x").shape.map(sizeNumber))],
  size: ["a, axis=None", sizeAlong],

  // Making arrays
  array: ["object, dtype=None, ~copy, ~order, ~subok, !ndmin=0, !like", (c) => made(c, true)],
  asarray: ["a, dtype=None, ~order, ~copy, ~device, !like", (c) => made(c, false)],
  ascontiguousarray: ["a, dtype=None", (c) => made(c, false)],
  asanyarray: ["a, dtype=None", (c) => made(c, false)],
  copy: ["a, ~order", (c) => copyOf(c.vm, c.tensor("x"))],
  zeros: ["shape, dtype=None, ~order", (c) => constantArray(c, int(0))],
  ones: ["shape, dtype=None, ~order", (c) => constantArray(c, int(1))],
  full: ["shape, fill_value, dtype=None, ~order", (c) => constantArray(c, fillValue(c))],
  zeros_like: ["a, dtype=None, ~order, ~subok, !shape", (c) => constantLike(c, int(0))],
  ones_like: ["a, dtype=None, ~order, ~subok, !shape", (c) => constantLike(c, int(1))],
  full_like: ["a, fill_value, dtype=None", (c) => constantLike(c, fillValue(c))],
  eye: [
    "N, !M, !k=0, dtype=None",
    (c) => identityMatrix(c, c.value("N"), dtypeOr(c, defaultFloat(c.library))),
  ],
  identity: [
    "n, dtype=None",
    (c) => identityMatrix(c, c.value("n"), dtypeOr(c, defaultFloat(c.library))),
  ],
  arange: ["start, stop=None, step=1, dtype=None", arange],
  linspace: ["start, stop, num=50, endpoint=True, !retstep, dtype=None", linspace],
  load: ["file, ~mmap_mode, ~allow_pickle, ~fix_imports, ~encoding", load],
  allclose: ["a, b, rtol=1e-05, atol=1e-08, !equal_nan", allClose],
  isscalar: ["element", (c) => (c.value("element").kind === "number" ? int(1) : FALSE)],
  seterr: ["**", () => NONE],
  set_printoptions: ["**", () => NONE],
};

/** Methods of arrays: those of the functions' that take the array first, and these. */
export const numpyMethods: Table = {
  astype: ["self, dtype, ~order, ~casting, ~subok, copy=True", astype],
  flatten: ["self, ~order", (c) => copyOf(c.vm, flattenRange(c.vm, c.tensor("self"), 0, -1))],
  reshape: [
    "self, *shape, ~order, ~copy",
    (c) => reshapeTo(c.vm, c.tensor("self"), sizesFrom(c.list("shape"))),
  ],
  transpose: ["self, *axes", methodTranspose],
  item: ["self, !args", (c) => itemOf(c.vm, c.tensor("self"), ".item()")],
  tolist: ["self", (c) => nestedList(c.vm, c.tensor("self"))],
  clip: ["a, min=None, max=None, !out", clip],
  dot: ["a, b, !out", numpyDot],
};

/** Functions that are methods too, under the same name and with the array first. */
export const numpyMethodNames = [
  "sum", "mean", "prod", "max", "min", "any", "all", "std", "var", "argmax", "argmin",
  "ravel", "swapaxes", "squeeze", "round", "copy",
] as const; // prettier-ignore

export function numpyAttribute(
  vm: CallContext["vm"],
  t: TensorValue,
  name: string,
): Value | undefined {
  const { shape } = t.expr;
  switch (name) {
    case "shape":
      return tuple(shape.map(sizeNumber));
    case "ndim":
      return int(shape.length);
    case "size":
      return countNumber(shape);
    case "T":
      return permuteAxes(
        vm,
        t,
        shape.map((_, d) => shape.length - 1 - d),
      );
    case "mT":
      return swapAxes(vm, t, -1, -2);
    case "dtype":
      return dtypeOf(vm, t);
    case "real":
      return t;
    case "device":
      return str("cpu");
    default:
      return undefined;
  }
}

function exclusiveOr(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const either = logical(c.vm, "or", a, b, c.library);
  const notBoth = truthFunction(c.vm, "not", logical(c.vm, "and", a, b, c.library));
  return logical(c.vm, "and", either, notBoth);
}

function isInfinite(c: CallContext): Value {
  const x = c.tensor("x");
  const finite = truthFunction(c.vm, "isfinite", x);
  const nan = truthFunction(c.vm, "isnan", x);
  return truthFunction(c.vm, "not", logical(c.vm, "or", finite, nan));
}

function clip(c: CallContext): Value {
  const low = c.given("a_min") ? "a_min" : "min";
  const high = c.given("a_max") ? "a_max" : "max";
  return m.limit(low, high)(c);
}

/** NaN becomes 0; infinities would become huge numbers, which no formula here means. */
export function replaceNaN(c: CallContext): Value {
  const x = c.tensor("x");
  const nan = c.value("nan").kind === "none" ? float(0) : c.value("nan");
  return select(c.vm, truthFunction(c.vm, "isnan", x), nan, x, c.library);
}

function average(c: CallContext): Value {
  const [x, dims, keep] = [c.tensor("x"), c.dims("dim"), c.flag("keepdim")];
  if (!c.given("weights")) return reduction(c.vm, "mean", x, dims, keep);
  const w = c.tensor("weights");
  if (w.expr.shape.length !== x.expr.shape.length) {
    return c.vm.unsupported("np.average with weights of fewer axes than the array");
  }
  const total = reduction(c.vm, "sum", elementwise(c.vm, "mul", x, w), dims, keep);
  return elementwise(c.vm, "div", total, reduction(c.vm, "sum", w, dims, keep));
}

/** dot is an inner product over the last axis of one and the second to last of the other. */
function numpyDot(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const [m, n] = [a.expr.shape.length, b.expr.shape.length];
  if (m === 0 || n === 0) return elementwise(c.vm, "mul", a, b, c.library);
  if (n > 2 || (m > 2 && n === 2))
    return c.vm.unsupported(`${c.name}() of arrays with 3 or more axes`);
  return matmul(c.vm, a, b, c.library);
}

function flatDot(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")].map((t) => flattenRange(c.vm, t, 0, -1));
  return dot(c.vm, a!, b!, c.library);
}

function numpyEinsum(c: CallContext): Value {
  return einsum(c.vm, c.text("subscripts"), c.list("operands"), c.library);
}

function outer(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")].map((t) => flattenRange(c.vm, t, 0, -1));
  return einsum(c.vm, "i,j->ij", [a!, b!], c.library);
}

function numpyReshape(c: CallContext): Value {
  const shape = c.given("shape") ? c.value("shape") : c.value("newshape");
  return reshapeTo(c.vm, c.tensor("x"), sizesFrom([shape]));
}

function transposed(c: CallContext, axes: readonly number[] | null): Value {
  const x = c.tensor("x");
  const { shape } = x.expr;
  return permuteAxes(c.vm, x, axes ?? shape.map((_, d) => shape.length - 1 - d));
}

function methodTranspose(c: CallContext): Value {
  const x = c.tensor("self");
  const args = sizesFrom(c.list("axes"));
  const { shape } = x.expr;
  const reversed = shape.map((_, d) => shape.length - 1 - d);
  const only = args[0];
  if (args.length === 0 || (args.length === 1 && only?.kind === "none")) {
    return permuteAxes(c.vm, x, reversed);
  }
  return permuteAxes(
    c.vm,
    x,
    args.map((v) => knownInt(c, v)),
  );
}

function knownInt(c: CallContext, v: Value): number {
  if (v.kind === "number" && v.value !== null) return v.value;
  return c.vm.fail("TypeError", `${c.name}() takes integers`);
}

function sizesOfArgument(c: CallContext): readonly Value[] {
  const v = c.value("shape");
  return itemsOf(v) ?? [v];
}

function atLeastOne(c: CallContext): Value {
  const x = c.tensor("x");
  return x.expr.shape.length === 0 ? flattenRange(c.vm, x, 0, -1) : x;
}

function sizeAlong(c: CallContext): Value {
  const { shape } = c.expr("x");
  const dims = c.dims("dim");
  return dims === null ? countNumber(shape) : sizeNumber(shape.at(dims[0]!)!);
}

function dtypeOr(c: CallContext, otherwise: DType): DType {
  return m.dtypeArgument(c) ?? otherwise;
}

function made(c: CallContext, copy: boolean): Value {
  const source = c.value("x");
  const dtype = m.dtypeArgument(c);
  const t = inLibrary(c.vm, asTensor(c.vm, source, c.library, dtype), c.library);
  const converted = dtype === undefined ? t : convert(c.vm, t, dtype);
  return copy && converted === source ? copyOf(c.vm, converted) : converted;
}

function fillValue(c: CallContext): NumberValue {
  const v = c.value("fill_value");
  return v.kind === "number" ? v : c.bad("fill_value", "a number");
}

export function constantArray(c: CallContext, value: NumberValue): Value {
  const kind = c.name.endsWith("full") ? value.type : "float";
  const dtype = dtypeOr(c, defaultDType(kind, c.library));
  return filled(c.vm, value, shapeFrom(c.vm, sizesOfArgument(c)), c.library, dtype);
}

export function constantLike(c: CallContext, value: NumberValue): Value {
  const x = c.tensor("x");
  const dtype = dtypeOr(c, x.dtype ?? defaultFloat(x.library));
  return filled(c.vm, value, x.expr.shape, x.library, dtype);
}

export function arange(c: CallContext): Value {
  const alone = !c.given("stop") && !c.given("end");
  const end = c.given("end") ? "end" : "stop";
  const start = alone ? 0 : c.number("start");
  const stop = alone ? c.number("start") : c.number(end);
  const step = c.number("step");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > 1e7) return c.vm.unsupported(`${c.name}() of more than 10,000,000 entries`);
  const values = Array.from({ length: count }, (_, k) => start + k * step);
  const whole = ["start", end, "step"].every((n) => {
    const v = c.value(n);
    return v.kind !== "number" || v.type !== "float";
  });
  const dtype = dtypeOr(c, defaultDType(whole ? "int" : "float", c.library));
  return literalArray(c.vm, values, [count], dtype, c.library);
}

export function linspace(c: CallContext): Value {
  const [start, stop] = [c.number("start"), c.number(c.given("stop") ? "stop" : "end")];
  const n = c.int(c.given("num") ? "num" : "steps");
  const last = c.given("endpoint") && !c.flag("endpoint") ? n : n - 1;
  const values = Array.from({ length: n }, (_, k) =>
    k === n - 1 && last === n - 1 ? stop : start + ((stop - start) * k) / Math.max(last, 1),
  );
  return literalArray(c.vm, values, [n], dtypeOr(c, defaultFloat(c.library)), c.library);
}

function astype(c: CallContext): Value {
  const dtype = m.dtypeArgument(c)!;
  const t = c.tensor("self");
  const converted = convert(c.vm, t, dtype);
  return converted === t && c.flag("copy") ? copyOf(c.vm, t) : converted;
}

/** `np.load`: an array, or an archive that is read like a dictionary. */
function load(c: CallContext): Value {
  const { vm } = c;
  const path = c.text("file");
  const stem = path
    .replace(/^.*[\\/]/, "")
    .replace(/\.[^.]*$/, "")
    .replace(/\W+/g, "_");
  const named = (handle: ArrayHandle, name: string): TensorValue => {
    const { hint } = vm.arrays;
    vm.arrays.hint = hint === "" ? name : hint;
    try {
      return tensorOfHandle(vm, handle, c.library);
    } finally {
      vm.arrays.hint = hint;
    }
  };
  let loaded;
  try {
    loaded = vm.host.loadArray(path, vm.at);
  } catch (e) {
    vm.host.checkpoint(); // an interruption is no failure to read
    const remedy = (e as { remedy?: unknown }).remedy;
    return vm.fail("OSError", messageOf(e), typeof remedy === "string" ? remedy : null, e);
  }
  if (!("members" in loaded)) return named(loaded, stem);
  const { members } = loaded;
  return archive(vm, [...members.keys()], (name) => {
    const handle = members.get(name);
    return handle === undefined ? undefined : named(handle, name);
  });
}

function messageOf(e: unknown): string {
  if (e instanceof Error) return e.message;
  return String(e);
}

/** Members are read when they are asked for. */
function archive(
  vm: CallContext["vm"],
  names: readonly string[],
  read: (name: string) => TensorValue | undefined,
): Value {
  const entries = new Map<string, { readonly key: Value; readonly value: Value }>();
  for (const name of names) {
    let value: TensorValue | undefined;
    entries.set(`s${name}`, {
      key: str(name),
      get value(): Value {
        try {
          return (value ??= read(name)) ?? NONE;
        } catch (e) {
          return vm.fail("OSError", messageOf(e), null, e);
        }
      },
    });
  }
  return { ...makeDict(vm), entries };
}

function allClose(c: CallContext): Value {
  const { vm } = c;
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const difference = elementwise(vm, "sub", a, b);
  const values = [difference, b].map((t) => vm.evaluate(t.expr));
  const [d, y] = values;
  if (d === undefined || d === null || y === undefined || y === null)
    return vm.unsupported("the values of these arrays are not known here");
  const shape = broadcast(a.expr.shape, b.expr.shape);
  const repeats = y.data.length === d.data.length || elementCount(shape) === null;
  if (!repeats) return vm.unsupported("np.allclose of arrays that broadcast");
  const [rtol, atol] = [c.number("rtol"), c.number("atol")];
  const close = Array.from(d.data).every(
    (x, k) => Math.abs(x) <= atol + rtol * Math.abs(y.data[k]!),
  );
  return close ? { ...int(1), type: "bool" } : FALSE;
}
