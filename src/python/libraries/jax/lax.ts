/** jax.lax: the primitives that losses use. */
import { normalizeDim } from "../../../expression/axis.ts";
import type { UnaryOp } from "../../../expression/node.ts";
import { knownInteger } from "../../interpreter/known.ts";
import {
  align,
  clampValue,
  elementwise,
  floatFunction,
  openClamp,
  select,
} from "../../tensors/elementwise.ts";
import { indexTensor } from "../../tensors/indexing.ts";
import { reduction } from "../../tensors/reduce.ts";
import { addAxis, permuteAxes, reshapeTo, sizesFrom } from "../../tensors/reshape.ts";
import { cumulativeProduct, cumulativeSum, runningReduction } from "../../tensors/sorting.ts";
import { operandExpr, tensor } from "../../tensors/tensor.ts";
import { NONE, type TensorValue, type Value, float, int, tuple } from "../../values.ts";
import * as m from "../common.ts";
import { convert, withoutGradient } from "../convert.ts";
import type { CallContext, Entry, Meaning, Table } from "../signature.ts";
import { cond, foriLoop, laxMap, scan, switchOn, whileLoop } from "./control.ts";
import { mapTree } from "./trees.ts";
import { laxWindows } from "./windows.ts";

function stopped(c: CallContext): Value {
  const cut = (v: Value): Value =>
    v.kind === "tensor" ? withoutGradient(c.vm, v, "lax.stop_gradient()", "jax") : v;
  return mapTree(c.vm, cut, c.value("x"));
}

/** lax.clamp passes no gradient at its bounds, unlike jnp.clip. */
function clamped(c: CallContext): Value {
  const [lo, x, hi] = [c.value("min"), c.tensor("x"), c.value("max")];
  const limited = clampValue(c.vm, x, lo, hi, "jax");
  const e = c.vm.shaped(() => {
    const bounds = [lo, hi].map((v) => operandExpr(c.vm, v, "jax"));
    const [value, low, high] = align([x.expr, ...bounds]);
    return openClamp(value!, low!, high!);
  });
  return tensor(c.vm, e, "jax", limited.dtype);
}

function reciprocalRoot(c: CallContext): Value {
  return elementwise(
    c.vm,
    "div",
    float(1),
    floatFunction(c.vm, "sqrt", c.tensor("x"), "jax"),
    "jax",
  );
}

/** A subscript along one axis. */
function along(c: CallContext, x: TensorValue, dim: number, key: Value): TensorValue {
  const d = c.vm.shaped(() => normalizeDim(dim, x.expr.shape.length));
  const all: Value = { kind: "slice", start: NONE, stop: NONE, step: NONE };
  const keys: Value[] = Array.from({ length: d }, () => all);
  return indexTensor(c.vm, x, tuple([...keys, key]));
}

function indexInDim(c: CallContext): Value {
  const x = c.tensor("operand");
  const axis = c.int("axis");
  const index = knownInteger(c.vm, c.value("index"), `${c.name}()`);
  const picked = along(c, x, axis, int(index));
  if (!c.flag("keepdims")) return picked;
  return addAxis(c.vm, picked, normalizeDim(axis, x.expr.shape.length));
}

function range(c: CallContext, start: Value, stop: Value, step: Value): Value {
  return along(c, c.tensor("operand"), c.int("axis"), { kind: "slice", start, stop, step });
}

function dynamicSlice(c: CallContext): Value {
  const start = knownInteger(c.vm, c.value("start_index"), `${c.name}()`);
  return range(c, int(start), int(start + c.int("slice_size")), NONE);
}

const unary = (op: UnaryOp): Entry => ["x, ~accuracy", m.real(op)];
const keeping = (op: UnaryOp): Entry => ["x", m.keeping(op)];
const pair = (meaning: Meaning): Entry => ["x, y", meaning];

const reduced = (op: "sum" | "prod" | "max" | "min"): Entry => [
  "operand, axes, ~out_sharding",
  (c) => reduction(c.vm, op, c.tensor("operand"), c.dims("axes"), false),
];

/** Along an axis, of the entries up to each or, in reverse, from each on. */
const running = (
  of: (
    c: CallContext,
    x: TensorValue,
    d: number,
    how: { readonly reverse: boolean },
  ) => TensorValue,
): Entry => [
  "operand, axis=0, reverse=False",
  (c) => of(c, c.tensor("operand"), c.int("axis"), { reverse: c.flag("reverse") }),
];

export const laxFunctions: Table = {
  ...laxWindows,
  // Control
  stop_gradient: ["x", stopped],
  cond: ["pred, true_fun, false_fun, *operands, operand=None, ~linear", cond],
  switch: ["index, branches, *operands", switchOn],
  select: [
    "pred, on_true, on_false",
    (c) => select(c.vm, c.tensor("pred"), c.value("on_true"), c.value("on_false"), "jax"),
  ],
  fori_loop: ["lower, upper, body_fun, init_val, *, ~unroll", foriLoop],
  while_loop: ["cond_fun, body_fun, init_val", whileLoop],
  scan: ["f, init, xs=None, length=None, reverse=False, ~unroll, ~_split_transpose", scan],
  map: ["f, xs, *, ~batch_size", laxMap],

  // Entry by entry
  exp: unary("exp"),
  expm1: unary("expm1"),
  log: unary("log"),
  log1p: unary("log1p"),
  sqrt: unary("sqrt"),
  rsqrt: ["x, ~accuracy", reciprocalRoot],
  logistic: unary("sigmoid"),
  tanh: unary("tanh"),
  sin: unary("sin"),
  cos: unary("cos"),
  square: ["x", m.square],
  reciprocal: ["x", m.reciprocal],
  integer_pow: ["x, y", m.operator("**")],
  neg: keeping("neg"),
  abs: keeping("abs"),
  sign: keeping("sign"),
  floor: keeping("floor"),
  ceil: keeping("ceil"),
  add: pair(m.operator("+")),
  sub: pair(m.operator("-")),
  mul: pair(m.operator("*")),
  div: pair(m.operator("/")),
  pow: pair(m.operator("**")),
  max: pair(m.pairwise("max")),
  min: pair(m.pairwise("min")),
  eq: pair(m.comparison("==")),
  ne: pair(m.comparison("!=")),
  lt: pair(m.comparison("<")),
  le: pair(m.comparison("<=")),
  gt: pair(m.comparison(">")),
  ge: pair(m.comparison(">=")),
  bitwise_and: pair(m.both("and")),
  bitwise_or: pair(m.both("or")),
  bitwise_not: ["x", m.truthOf("not")],
  is_finite: ["x", m.truthOf("isfinite")],
  clamp: ["min, x, max", clamped],
  convert_element_type: [
    "operand, dtype",
    (c) => convert(c.vm, c.tensor("operand"), m.dtypeArgument(c)!),
  ],

  // Over axes, and shapes
  cumsum: running((c, x, d, how) => cumulativeSum(c.vm, x, d, how)),
  cumprod: running((c, x, d, how) => cumulativeProduct(c.vm, x, d, how)),
  cummax: running((c, x, d, how) => runningReduction(c.vm, "max", x, d, how)),
  cummin: running((c, x, d, how) => runningReduction(c.vm, "min", x, d, how)),
  reduce_sum: reduced("sum"),
  reduce_prod: reduced("prod"),
  reduce_max: reduced("max"),
  reduce_min: reduced("min"),
  dynamic_index_in_dim: [
    "operand, index, axis=0, keepdims=True, ~allow_negative_indices",
    indexInDim,
  ],
  index_in_dim: ["operand, index, axis=0, keepdims=True", indexInDim],
  dynamic_slice_in_dim: [
    "operand, start_index, slice_size, axis=0, ~allow_negative_indices",
    dynamicSlice,
  ],
  slice_in_dim: [
    "operand, start_index, limit_index, stride=1, axis=0",
    (c) => range(c, c.value("start_index"), c.value("limit_index"), c.value("stride")),
  ],
  concatenate: [
    "operands, dimension",
    (c) =>
      m.joined(
        c,
        c.list("operands").map((v) => c.asOwn(v)),
        c.int("dimension"),
      ),
  ],
  transpose: [
    "operand, permutation",
    (c) => permuteAxes(c.vm, c.tensor("operand"), c.dims("permutation")!),
  ],
  reshape: [
    "operand, new_sizes, !dimensions, ~out_sharding",
    (c) => reshapeTo(c.vm, c.tensor("operand"), sizesFrom([c.value("new_sizes")])),
  ],
  expand_dims: [
    "array, dimensions",
    (c) =>
      [...c.dims("dimensions")!]
        .sort((a, b) => a - b)
        .reduce((t, d) => addAxis(c.vm, t, d), c.tensor("array")),
  ],
};
