/** NumPy: what each function and array method means. One line a function. */
import { matmul } from "../tensors/contraction.ts";
import { defaultFloat } from "../dtypes.ts";
import {
  expandTo,
  flattenRange,
  moveAxes,
  permuteAxes,
  reshapeTo,
  sizesFrom,
  swapAxes,
} from "../tensors/reshape.ts";
import { entryCount } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import { nodeOf, rankOf, sizeNumbers } from "../tensors/tensor.ts";
import { type TensorValue, type Value, FALSE, NONE, int, str, tuple } from "../values.ts";
import * as m from "./common.ts";
import { copyOf, itemOf, nestedList } from "./convert.ts";
import { identityMatrix } from "./creation.ts";
import { innerProduct, kronecker, tensorDot } from "./products.ts";
import { dtypeOf, readDType } from "./dtypeNames.ts";
import { numpyElementwise } from "./numpyElementwise.ts";
import { numpyShapes } from "./numpyShapes.ts";
import { numpyStatistics } from "./numpyStatistics.ts";
import type { CallContext, Table } from "./signature.ts";
import {
  exclusiveOr,
  isInfinite,
  clip,
  replaceNaN,
  average,
  numpyDot,
  flatDot,
  numpyEinsum,
  outer,
  numpyReshape,
  transposed,
  methodTranspose,
  sizesOfArgument,
  atLeastOne,
  sizeAlong,
  dtypeOr,
  made,
  fillValue,
  constantArray,
  constantLike,
  arange,
  linspace,
  astype,
  load,
  areClose,
  areEqual,
  splitArray,
} from "./numpyMeanings.ts";
import { numpyCovariance } from "./covariance.ts";
import { numpyCumulative } from "./cumulative.ts";
import { numpyCounting } from "./counting.ts";
import { numpySets } from "./knownSets.ts";
import { numpyTriangles } from "./triangles.ts";
import { numpyPicking, repeated } from "./picking.ts";
import { numpyChanging, numpyPlaces } from "./numpyPlaces.ts";
import { numpyCalls } from "./numpyCalls.ts";
import { numpyProducts } from "./numpyLinalg.ts";
import { numpyTypes } from "./numpyTypes.ts";
import { numpyUniversal } from "./numpyUniversal.ts";

const OUT = "!out, !where, ~casting, ~order, ~subok";
const reduceArgs = "a, axis=None, !out, keepdims=False, !initial, !where";

export const numpyFunctions: Table = {
  ...numpyElementwise,
  ...numpyShapes,
  ...numpyStatistics,
  dtype: [
    "dtype, ~align, ~copy",
    (c) => ({ kind: "dtype", dtype: readDType(c.vm, c.value("dtype")), library: "numpy" }),
  ],

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
  nan_to_num: ["x, ~copy, nan=0.0, posinf=None, neginf=None", replaceNaN],

  // Over axes
  sum: [`a, axis=None, dtype=None, !out, keepdims=False, !initial, !where`, m.reduceBy("sum")],
  mean: [`a, axis=None, dtype=None, !out, keepdims=False, !where`, m.reduceBy("mean")],
  product: [`a, axis=None, dtype=None, !out, keepdims=False, !initial, !where`, m.reduceBy("prod")],
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
  inner: ["a, b", innerProduct],
  vdot: ["a, b", flatDot],
  matmul: ["x1, x2", (c) => matmul(c.vm, c.tensor("x"), c.tensor("y"), c.library)],
  einsum: ["subscripts, *operands, ~optimize, !out", numpyEinsum],
  outer: ["a, b, !out", outer],
  kron: ["a, b", (c) => kronecker(c, "a", "b")],

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
  ndim: ["a", (c) => int(rankOf(c.tensor("x")))],
  shape: ["a", (c) => tuple(sizeNumbers(c.tensor("x")))],
  size: ["a, axis=None", sizeAlong],

  ...numpyPicking,
  ...numpyPlaces,
  ...numpyUniversal,
  ...numpyProducts,
  ...numpyTypes,
  ...numpyCalls,
  ...numpySets,
  ...numpyCounting,
  ...numpyCovariance,
  ...numpyTriangles,
  ...numpyCumulative,
  split: ["ary, indices_or_sections, axis=0", splitArray(true)],
  array_split: ["ary, indices_or_sections, axis=0", splitArray(false)],
  tensordot: ["a, b, axes=2", (c) => tensorDot(c, "axes")],
  empty: ["shape, dtype=None, ~order", (c) => constantArray(c, int(0))],
  empty_like: ["a, dtype=None, ~order, ~subok, !shape", (c) => constantLike(c, int(0))],
  repeat: ["a, repeats, axis=None", repeated],

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
  allclose: [
    "a, b, rtol=1e-05, atol=1e-08, !equal_nan",
    (c) => reduction(c.vm, "all", areClose(c), null, false),
  ],
  array_equal: ["a1, a2, !equal_nan", areEqual],
  isscalar: ["element", (c) => (c.value("element").kind === "number" ? int(1) : FALSE)],
  seterr: ["**", () => NONE],
  set_printoptions: ["**", () => NONE],
};

/** Methods of arrays: those of the functions' that take the array first, and these. */
export const numpyMethods: Table = {
  ...numpyChanging,
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
  "ravel", "swapaxes", "squeeze", "round", "copy", "cumsum", "cumprod", "argsort", "take", "diagonal", "trace",
  "repeat", "nonzero", "choose", "searchsorted", "argpartition", "conj", "conjugate",
] as const; // prettier-ignore

export function numpyAttribute(
  vm: CallContext["vm"],
  t: TensorValue,
  name: string,
): Value | undefined {
  const shape = nodeOf(t).shape;
  switch (name) {
    case "shape":
      return tuple(sizeNumbers(t));
    case "ndim":
      return int(rankOf(t));
    case "size":
      return entryCount(vm, t);
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
