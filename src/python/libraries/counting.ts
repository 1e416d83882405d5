/** How often each class number occurs: sums over one-hot encodings, so that no value need be known. */
import { elementCount } from "../../expression/axis.ts";
import { type DType, defaultDType, followsNumpy } from "../dtypes.ts";
import { NeedsIntegerError, UnknownValueError } from "../interpreter/interpreter.ts";
import { knownInteger } from "../interpreter/known.ts";
import { elementwise, keepingFunction, select } from "../tensors/elementwise.ts";
import { entriesIfKnown } from "../tensors/knownEntries.ts";
import { rowsOf } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, flattenRange } from "../tensors/reshape.ts";
import { castTo, nodeOf, rankOf, tensor } from "../tensors/tensor.ts";
import { type TensorValue, type Value, float, int } from "../values.ts";
import { dtypeArgument } from "./common.ts";
import { convert, withoutGradient } from "./convert.ts";
import { oneHotOf } from "./creation.ts";
import type { CallContext, Table } from "./signature.ts";

/**
 * How many classes an array of class numbers speaks of: one more than its largest, and `atLeast` so
 * many. Where the array is not known, its numbers are taken to be below `atLeast`.
 * @param unknown what is said where the array is not known, and nothing is asked for at least
 * @throws PythonError for negative numbers
 */
export function classesIn(
  c: CallContext,
  x: TensorValue,
  atLeast: number,
  unknown: { readonly problem: string; readonly remedy: string },
): number {
  const { vm } = c;
  if (x.selection === null && elementCount(x.expr.shape) === 0) return atLeast;
  const extreme = (op: "min" | "max"): TensorValue => reduction(vm, op, x, null, false);
  const highest = vm.evaluate(extreme("max").expr)?.data[0];
  const lowest = vm.evaluate(extreme("min").expr)?.data[0];
  if (highest === undefined || lowest === undefined) {
    if (atLeast === 0) {
      return vm.unsupported(unknown.problem, unknown.remedy, new UnknownValueError("labels"));
    }
    vm.recorder.assume(
      `line ${vm.at.line}: ${c.name}() is taken to get numbers from 0 to below ${atLeast}`,
    );
    return atLeast;
  }
  if (lowest < 0) {
    vm.fail(
      c.library === "torch" ? "RuntimeError" : "ValueError",
      `${c.name}() takes class numbers from 0 on; the smallest here is ${lowest}`,
      "Leave out what is no class first, as labels[labels >= 0].",
    );
  }
  if (highest < atLeast) return atLeast;
  entriesIfKnown(vm, extreme("max").expr, `the number of classes in ${c.name}()`);
  return highest + 1;
}

const COUNTS_UNKNOWN = {
  problem: "a count of class numbers has as many entries as the largest of them says",
  remedy: "Name their number (minlength=n), or bind arrays: then it is known.",
};

function classNumbers(c: CallContext, name: string): TensorValue {
  const x = c.tensor(name);
  const { type } = nodeOf(x);
  const isBool = type === "bool" && !followsNumpy(c.library) && c.library !== "jax";
  if (type === "float" || isBool) {
    return c.vm.fail(
      "TypeError",
      `${c.name}() takes class numbers of an integer type`,
      "Convert the labels to integers first.",
      new NeedsIntegerError(nodeOf(x)),
    );
  }
  return x;
}

/**
 * How many entries along some axes each class number has, or the sum of their weights; the classes
 * are the last axis.
 * @param weights as many as there are numbers, or with further axes where those have size 1
 */
export function summedByClass(
  c: CallContext,
  x: TensorValue,
  classes: Value,
  dims: readonly number[],
  dtype: DType | null,
  weights: TensorValue | null = null,
): TensorValue {
  const { vm } = c;
  const encoded = (t: TensorValue): TensorValue => {
    const e = oneHotOf(c, t, classes, t.expr.shape.length);
    const own = dtype ?? defaultDType("int", c.library);
    return tensor(vm, castTo(e, "int64", own), c.library, own);
  };
  const rows = rowsOf(vm, [x], []);
  const hot = rows === null ? encoded(x) : rows.picked(encoded(rows.all[0]!));
  const each = weights === null ? hot : elementwise(vm, "mul", hot, addAxis(vm, weights, -1));
  return reduction(vm, "sum", each, dims, false, dtype ?? undefined);
}

interface Counting {
  /** Numbers from here on are not counted; the result has exactly so many entries. */
  readonly length?: Value | null;
  /** Numbers from here on are not counted. */
  readonly most?: Value | null;
  /** Rows are counted one by one. */
  readonly rows?: boolean;
  /** What counts and sums of weights are held in. */
  readonly dtype: (weights: TensorValue | null) => DType | null;
}

function counted(
  c: CallContext,
  given: TensorValue,
  { length = null, most = null, rows = false, dtype }: Counting,
): TensorValue {
  const { vm } = c;
  const w = c.given("weights") ? c.tensor("weights") : null;
  const hasGradient = followsNumpy(c.library) || c.library === "jax";
  const weights =
    w === null || hasGradient ? w : withoutGradient(vm, w, `${c.name}(weights=…)`, c.library);
  const flat = (t: TensorValue): TensorValue => (rows ? t : flattenRange(vm, t, 0, -1));
  const x = flat(given);
  const known = (v: Value): number => knownInteger(vm, v, `${c.name}()`);
  const asked = length ?? c.optional("minlength");
  const atLeast = asked === null ? 0 : known(asked);
  const found = length === null ? classesIn(c, x, atLeast, COUNTS_UNKNOWN) : atLeast;
  const n = most === null ? found : Math.min(found, known(most));
  const classes = asked !== null && n === atLeast ? asked : int(n);
  const own = weights === null ? null : flat(weights);
  return summedByClass(c, x, classes, [rows ? rankOf(x) - 1 : 0], dtype(weights), own);
}

/** PyTorch and NumPy count in one dimension alone. */
function inOneDimension(c: CallContext, name: string, error: string): TensorValue {
  const x = classNumbers(c, name);
  if (rankOf(x) !== 1) {
    c.vm.fail(error, `${c.name}() counts in one dimension`, "Flatten the labels first: x.ravel().");
  }
  return x;
}

function torchCounts(c: CallContext): Value {
  return counted(c, inOneDimension(c, "input", "RuntimeError"), {
    dtype: (w) => (w === null ? "int64" : w.dtype === "float32" ? "float32" : "float64"),
  });
}

function numpyCounts(c: CallContext): Value {
  const isJax = c.library === "jax";
  return counted(c, inOneDimension(c, "x", "ValueError"), {
    length: c.optional("length"),
    dtype: (w) => (w === null ? defaultDType("int", c.library) : isJax ? w.dtype : "float64"),
  });
}

function tensorflowCounts(c: CallContext): Value {
  const axis = c.optional("axis");
  const axes = axis === null ? null : c.int("axis");
  const x = classNumbers(c, "arr");
  if (axes !== null && (axes !== -1 || rankOf(x) > 2)) {
    c.vm.unsupported(`${c.name}() along axis ${axes} is not supported`, "Count along axis -1.");
  }
  return counted(c, x, {
    most: c.optional("maxlength"),
    rows: axes !== null,
    dtype: (w) => (w === null ? (dtypeArgument(c) ?? "int32") : w.dtype),
  });
}

function kerasCounts(c: CallContext): Value {
  const x = classNumbers(c, "x");
  return counted(c, x, {
    rows: rankOf(x) === 2,
    dtype: (w) => (w === null ? "int32" : w.dtype),
  });
}

/** `torch.histc`: how many entries lie in each of equal steps; the last holds its upper bound too. */
function histogram(c: CallContext): Value {
  const { vm } = c;
  const x = c.tensor("input");
  const bins = c.int("bins");
  if (nodeOf(x).type !== "float") {
    return vm.fail("NotImplementedError", "histc() takes floats", "Convert first: x.float().");
  }
  const flat = withoutGradient(vm, flattenRange(vm, x, 0, -1), `${c.name}()`);
  const [low, high] = rangeOf(c, flat);
  const above = elementwise(vm, "sub", flat, low);
  const width = elementwise(vm, "sub", high, low);
  const scaled = elementwise(vm, "div", elementwise(vm, "mul", above, int(bins)), width);
  const step = keepingFunction(vm, "floor", elementwise(vm, "min", scaled, float(bins - 0.5)));
  const inside = elementwise(
    vm,
    "and",
    elementwise(vm, "ge", flat, low),
    elementwise(vm, "le", flat, high),
  );
  const at = convert(vm, select(vm, inside, step, float(-1)), "int64");
  return summedByClass(c, at, int(bins), [0], x.dtype);
}

/** The range that is asked for; without one, from the smallest entry to the largest. */
function rangeOf(c: CallContext, flat: TensorValue): readonly [Value, Value] {
  const { vm } = c;
  const [low, high] = [c.number("min"), c.number("max")];
  if (low > high) vm.fail("RuntimeError", "torch.histc: max must be larger than min");
  if (low < high) return [float(low), float(high)];
  const ends = (["min", "max"] as const).map((op) => reduction(vm, op, flat, null, false));
  const isPoint = elementwise(vm, "eq", ends[0]!, ends[1]!);
  const wide = ends.map((t, k) =>
    select(vm, isPoint, elementwise(vm, "add", t, float(2 * k - 1)), t),
  );
  return [wide[0]!, wide[1]!];
}

/** PyTorch's, methods of tensors too. */
export const torchCounting: Table = {
  bincount: ["input, weights=None, minlength=0", torchCounts],
  histc: ["input, bins=100, min=0, max=0, *, !out", histogram],
};

/** NumPy's. */
export const numpyCounting: Table = {
  bincount: ["x, weights=None, minlength=0", numpyCounts],
};

/** JAX's, that can be told the number of classes. */
export const jaxCounting: Table = {
  bincount: ["x, weights=None, minlength=0, *, length=None", numpyCounts],
};

/** TensorFlow's. */
export const tensorflowCounting: Table = {
  bincount: [
    "arr, weights=None, minlength=None, maxlength=None, dtype=None, ~name, axis=None, !binary_output",
    tensorflowCounts,
  ],
};

/** Those of keras.ops. */
export const kerasCounting: Table = {
  bincount: ["x, weights=None, minlength=0, !sparse", kerasCounts],
};
