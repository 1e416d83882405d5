/** How often each class number occurs: sums over one-hot encodings, so that no value need be known. */
import { elementCount } from "../../expression/axis.ts";
import { type DType, defaultDType, defaultFloat, floatResult, followsNumpy } from "../dtypes.ts";
import { NeedsIntegerError, UnknownValueError } from "../interpreter/interpreter.ts";
import { knownInteger } from "../interpreter/known.ts";
import { elementwise, keepingFunction, select } from "../tensors/elementwise.ts";
import { entriesIfKnown } from "../tensors/knownEntries.ts";
import { reduction } from "../tensors/reduce.ts";
import { selectPositions } from "../tensors/gather.ts";
import { addAxis, dropAxes, flattenRange } from "../tensors/reshape.ts";
import { literalArray, nodeOf, rankOf } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float, int, tuple } from "../values.ts";
import { dtypeArgument, joined, range } from "./common.ts";
import { convert, withoutGradient } from "./convert.ts";
import { oneHotLast } from "./creation.ts";
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
  const hot = oneHotLast(c, x, classes, dtype ?? defaultDType("int", c.library));
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
  const [low, high] = [c.number("min"), c.number("max")];
  if (low > high) c.vm.fail("RuntimeError", "torch.histc: max must be larger than min");
  return low < high ? [float(low), float(high)] : endsOf(c, flat, 1);
}

/** The smallest entry and the largest; where they are one, so much below it and above it. */
function endsOf(
  c: CallContext,
  flat: TensorValue,
  around: number,
): readonly [TensorValue, TensorValue] {
  const { vm } = c;
  const ends = (["min", "max"] as const).map((op) => reduction(vm, op, flat, null, false));
  const isPoint = elementwise(vm, "eq", ends[0]!, ends[1]!);
  const wide = ends.map((t, k) =>
    select(vm, isPoint, elementwise(vm, "add", t, float((2 * k - 1) * around)), t),
  );
  return [wide[0]!, wide[1]!];
}

/** Steps of a histogram: where each begins, and where the last one ends, which it includes. */
interface Steps {
  readonly starts: TensorValue;
  readonly end: TensorValue;
  readonly count: number;
}

/**
 * `np.histogram`: an entry is in the last step whose start it reaches. NumPy divides and then
 * corrects itself by comparing with the edges, so that comparing alone says the same.
 */
function numpyHistogram(c: CallContext): Value {
  const { vm } = c;
  const given = flattenRange(vm, c.tensor("a"), 0, -1);
  const x = nodeOf(given).type === "bool" ? convert(vm, given, "uint8") : given;
  const { starts, end, count } = stepsOf(c, x);
  const reached = elementwise(vm, "ge", addAxis(vm, x, -1), starts);
  const step = elementwise(vm, "sub", reduction(vm, "sum", reached, [-1], false), int(1));
  const at = select(vm, elementwise(vm, "le", x, end), step, int(-1));
  const weights = c.given("weights") ? flattenRange(vm, c.tensor("weights"), 0, -1) : null;
  const own = c.library === "jax" ? floatResult(x.dtype, nodeOf(x).type, "jax") : "int64";
  const dtype = weights === null ? own : weights.dtype;
  const counts = summedByClass(c, at, int(count), [0], dtype, weights);
  const edges = joined(c, [starts, addAxis(vm, end, 0)], 0);
  if (!c.flag("density")) return tuple([counts, edges]);
  const ends = joined(c, [selectPositions(vm, starts, 0, range(1, count)), addAxis(vm, end, 0)], 0);
  const widths = elementwise(vm, "sub", ends, starts);
  const shares = elementwise(vm, "div", counts, widths);
  const total = reduction(vm, "sum", counts, null, false);
  return tuple([elementwise(vm, "div", shares, total), edges]);
}

/** As many equal steps as `bins` says, or those between the edges that it lists. */
function stepsOf(c: CallContext, x: TensorValue): Steps {
  const { vm } = c;
  const bins = c.value("bins");
  if (bins.kind === "str") {
    return vm.unsupported(
      `${c.name}() with bins="${bins.value}" chooses their number by the entries`,
      "Name their number, or list their edges.",
    );
  }
  if (bins.kind !== "number") {
    const edges = c.asOwn(bins);
    const count = sizeAlong(vm, edges, 0, `${c.name}()`) - 1;
    const known = vm.evaluate(edges.expr)?.data;
    if (known !== undefined && range(1, count + 1).some((k) => !(known[k]! >= known[k - 1]!))) {
      vm.fail("ValueError", "`bins` must increase monotonically, when an array");
    }
    const end = dropAxes(vm, selectPositions(vm, edges, 0, [count]), [0]);
    return { starts: selectPositions(vm, edges, 0, range(0, count)), end, count };
  }
  const count = c.int("bins");
  if (count < 1) vm.fail("ValueError", "`bins` must be positive, when an integer");
  const dtype = floatResult(x.dtype, nodeOf(x).type, c.library) ?? defaultFloat(c.library);
  const literal = (values: readonly number[], shape: readonly number[]): TensorValue =>
    literalArray(vm, values, shape, dtype, c.library);
  if (!c.given("range")) {
    const [low, high] = endsOf(c, x, 0.5);
    const width = elementwise(vm, "div", elementwise(vm, "sub", high, low), int(count));
    const before = elementwise(vm, "mul", literal(range(0, count), [count]), width);
    return { starts: elementwise(vm, "add", before, low), end: high, count };
  }
  const [first, last] = c.dims("range") as [number, number];
  if (first > last) vm.fail("ValueError", "max must be larger than min in range parameter.");
  const [low, high] = first < last ? [first, last] : [first - 0.5, last + 0.5];
  const starts = range(0, count).map((k) => k * ((high - low) / count) + low);
  return { starts: literal(starts, [count]), end: literal([high], []), count };
}

/** PyTorch's, methods of tensors too. */
export const torchCounting: Table = {
  bincount: ["input, weights=None, minlength=0", torchCounts],
  histc: ["input, bins=100, min=0, max=0, *, !out", histogram],
};

/** NumPy's. */
export const numpyCounting: Table = {
  bincount: ["x, weights=None, minlength=0", numpyCounts],
  histogram: ["a, bins=10, range=None, density=None, weights=None", numpyHistogram],
};

/** JAX's, that can be told the number of classes. */
export const jaxCounting: Table = {
  histogram: ["a, bins=10, range=None, weights=None, density=None", numpyHistogram],
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
