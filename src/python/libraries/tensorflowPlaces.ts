/** TensorFlow: entries read, written and added up at positions that arrays of integers name. */
import type { Shape } from "../../expression/axis.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { entriesIfKnown } from "../tensors/knownEntries.ts";
import { indexBy, selectPositions } from "../tensors/gather.ts";
import { pick } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, dropAxes, flattenRange, moveAxes, shapeFrom } from "../tensors/reshape.ts";
import { requireClassNumbers } from "../tensors/strictTypes.ts";
import { filled, positionsArray, rankOf, tensor } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, float, int, tuple } from "../values.ts";
import { addedAtPositions, segmentCount } from "./accumulating.ts";
import { range } from "./common.ts";
import { convert } from "./convert.ts";
import { oneHotLast } from "./creation.ts";
import { classesIn } from "./counting.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import { dtypeArgument } from "./tensorflowMeanings.ts";
import { gather, sizesOf } from "./tensorflowShapes.ts";

/** An array of whole numbers; floats are an error that says what to do. */
function places(c: CallContext, name: string): TensorValue {
  const t = c.tensor(name);
  requireClassNumbers(c.vm, c.name, t);
  return t;
}

/** The last axis apart: each entry is a position in one axis of another array. */
function subscripts(c: CallContext, indices: TensorValue): TensorValue[] {
  const last = rankOf(indices) - 1;
  return range(0, sizeAlong(c.vm, indices, last, `${c.name}()`)).map((k) =>
    dropAxes(c.vm, selectPositions(c.vm, indices, last, [k]), [last]),
  );
}

/** The positions 0, 1, … along the first axes of an array, each with `rank` axes. */
function ownPositions(c: CallContext, x: TensorValue, count: number, rank: number): TensorValue[] {
  return range(0, count).map((d) => {
    const n = sizeAlong(c.vm, x, d, `${c.name}()`);
    const line = positionsArray(c.vm, n, c.library);
    return range(d + 1, rank).reduce((t) => addAxis(c.vm, t, -1), line);
  });
}

const gatherNd: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("params");
  const indices = places(c, "indices");
  // What tf.where found picks what the condition itself would.
  const found = vm.arrays.found.get(indices.expr);
  if (found?.axis === null && c.int("batch_dims") === 0) return pick(vm, x, found.mask, 0);
  const keys = subscripts(c, indices);
  const rank = keys.length === 0 ? 0 : rankOf(keys[0]!);
  return indexBy(vm, x, [...ownPositions(c, x, c.int("batch_dims"), rank), ...keys], 0);
};

/** tf.gather, also row by row: the first axes of both arrays then go together. */
const gatherRows: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("params");
  const rank = rankOf(x);
  const known = c.given("batch_dims") ? c.int("batch_dims") : 0;
  const indices = c.value("indices");
  const given = c.given("axis") ? c.int("axis") : known;
  if (known === 0) return gather(c, x, indices, given);
  const at = places(c, "indices");
  const batch = known < 0 ? known + rankOf(at) : known;
  const axis = given < 0 ? given + rank : given;
  const front = moveAxes(vm, x, [axis], [batch]);
  const keys = [...ownPositions(c, x, batch, rankOf(at)), at];
  const taken = indexBy(vm, front, keys, 0);
  const own = range(batch, rankOf(at));
  return moveAxes(
    vm,
    taken,
    own,
    own.map((d) => d + axis - batch),
  );
};

/** As many entries of one number, in the type of an array. */
function constantOf(c: CallContext, value: number, shape: Shape, like: TensorValue): TensorValue {
  const number = { ...float(value), type: like.expr.type };
  const { expr } = filled(c.vm, number, shape, c.library, like.dtype ?? "float64");
  return tensor(c.vm, expr, c.library, like.dtype);
}

/** With entries added, as often as their position is named. */
function added(
  c: CallContext,
  x: TensorValue,
  indices: TensorValue,
  updates: TensorValue,
): TensorValue {
  const result = addedAtPositions(c, x, tuple(subscripts(c, indices)), updates);
  return result ?? c.bad("indices", "an array of positions");
}

export const scatterNd =
  (shape: string): Meaning =>
  (c) => {
    const updates = c.tensor("updates");
    const zeros = constantOf(c, 0, shapeFrom(c.vm, sizesOf(c, shape)), updates);
    return added(c, zeros, places(c, "indices"), updates);
  };

const scatterAdd =
  (op: "add" | "sub"): Meaning =>
  (c) => {
    const updates = c.tensor("updates");
    const signed = op === "add" ? updates : elementwise(c.vm, "mul", updates, int(-1));
    return added(c, c.tensor("x"), places(c, "indices"), signed);
  };

/** Where a position is named twice TensorFlow writes in no certain order: that is refused. */
const scatterUpdate: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("x");
  const [indices, updates] = [places(c, "indices"), c.tensor("updates")];
  const count = positionsArray(vm, 1, c.library);
  const ones = constantOf(c, 1, updates.expr.shape, count);
  const hits = added(c, constantOf(c, 0, x.expr.shape, count), indices, ones);
  const most = entriesIfKnown(
    vm,
    reduction(vm, "max", hits, null, false).expr,
    "how often a position is written to",
  )?.data[0];
  if (most !== undefined && most > 1) {
    return vm.unsupported(
      `${c.name}() that writes to one place several times has no certain result`,
      "Add what belongs together: tf.tensor_scatter_nd_add.",
    );
  }
  const written = added(c, constantOf(c, 0, x.expr.shape, updates), indices, updates);
  return select(vm, elementwise(vm, "gt", hits, int(0)), written, x);
};

/** keras.ops.scatter_update: written, or added. */
export const scattersInto: Meaning = (c) => {
  const how = c.given("reduction") ? c.text("reduction") : "write";
  if (how === "write") return scatterUpdate(c);
  if (how === "add") return scatterAdd("add")(c);
  return c.vm.unsupported(
    `${c.name}() with reduction="${how}" is not supported`,
    'Use reduction="add", or none.',
  );
};

/** True before each length, along a new last axis. */
const sequenceMask: Meaning = (c) => {
  const { vm } = c;
  const lengths = places(c, "lengths");
  const n = c.given("maxlen")
    ? c.int("maxlen")
    : classesIn(c, lengths, 0, {
        problem: "a mask of sequences is as long as the longest of them",
        remedy: "Name its length (maxlen=n), or bind arrays: then it is known.",
      }) - 1;
  const at = positionsArray(vm, n, c.library);
  const mask = elementwise(
    vm,
    "lt",
    convert(vm, at, lengths.dtype ?? "int32"),
    addAxis(vm, lengths, -1),
  );
  const dtype = dtypeArgument(c);
  return dtype === undefined ? mask : convert(vm, mask, dtype);
};

/** How often each class is taken for each other one: rows are the labels. */
const confusion: Meaning = (c) => {
  const { vm, library } = c;
  const [labels, found] = [places(c, "labels"), places(c, "predictions")];
  const unknown = {
    problem: "a confusion matrix has as many classes as the largest of their numbers says",
    remedy: "Name their number (num_classes=n), or bind arrays: then it is known.",
  };
  const n = c.given("num_classes")
    ? c.int("num_classes")
    : Math.max(...[labels, found].map((t) => classesIn(c, t, 0, unknown)));
  const dtype = dtypeArgument(c) ?? "int32";
  const weights = c.given("weights") ? convert(vm, c.tensor("weights"), dtype) : null;
  const zeros = filled(vm, int(0), shapeFrom(vm, [int(n), int(n)]), library, dtype);
  const ones = filled(vm, int(1), labels.expr.shape, library, dtype);
  return addedAtPositions(c, zeros, tuple([labels, found]), weights ?? ones) ?? zeros;
};

// Segments

type Of = "mean" | "sqrt_n" | "max" | "min" | "prod";

/** What is made of the slices along the first axes that have the same number, one row a number. */
const segments =
  (op: Of, isSorted: boolean): Meaning =>
  (c) => {
    const { vm } = c;
    const ids = places(c, "segment_ids");
    const count = segmentCount(c, ids);
    const given = c.tensor("data");
    const rank = rankOf(ids);
    const data = rank > 1 ? flattenRange(vm, given, 0, rank - 1) : given;
    const hot = oneHotLast(c, flattenRange(vm, ids, 0, -1), count, "bool");
    // (entries, numbers, …), of which the entries are reduced.
    const own = range(1, rankOf(data)).reduce((t) => addAxis(vm, t, -1), hot);
    const each = addAxis(vm, data, 1);
    const over = (t: TensorValue, how: "sum" | "max" | "min" | "prod"): TensorValue =>
      reduction(vm, how, t, [0], false);
    const fill = { mean: 0, sqrt_n: 0, max: -Infinity, min: Infinity, prod: 1 }[op];
    const chosen = select(vm, own, each, float(fill), c.library);
    if (op === "prod") return over(chosen, "prod");
    const counts = over(convert(vm, own, data.dtype ?? "float64"), "sum");
    if (op === "max" || op === "min") {
      const largest = over(chosen, op);
      const nothing = isSorted ? 0 : (op === "max" ? -1 : 1) * largestOf(data);
      return select(vm, elementwise(vm, "gt", counts, int(0)), largest, float(nothing), c.library);
    }
    const total = over(chosen, "sum");
    const some = elementwise(vm, "max", counts, int(1));
    const divisor = op === "mean" ? some : elementwise(vm, "pow", some, float(0.5));
    return elementwise(vm, "div", total, divisor);
  };

/** The largest number of an array's type, which stands for the maximum of nothing. */
function largestOf(t: TensorValue): number {
  return t.dtype === "float32" ? 3.4028234663852886e38 : Number.MAX_VALUE;
}

const scatterArgs = "tensor, indices, updates, ~name";
const segmentArgs = "data, segment_ids, ~name";
const unsortedArgs = "data, segment_ids, num_segments, ~name";

/** Of tf. */
export const tensorflowPlaces: Table = {
  gather: ["params, indices, ~validate_indices, axis=None, batch_dims=0, ~name", gatherRows],
  gather_nd: ["params, indices, batch_dims=0, ~name, ~bad_indices_policy", gatherNd],
  scatter_nd: ["indices, updates, shape, ~name, ~bad_indices_policy", scatterNd("shape")],
  tensor_scatter_nd_add: [scatterArgs, scatterAdd("add")],
  tensor_scatter_nd_sub: [scatterArgs, scatterAdd("sub")],
  tensor_scatter_nd_update: [scatterArgs, scatterUpdate],
  sequence_mask: ["lengths, maxlen=None, dtype=None, ~name", sequenceMask],
};

/** Of tf.math. */
export const tensorflowCounts: Table = {
  confusion_matrix: [
    "labels, predictions, num_classes=None, weights=None, dtype=None, ~name",
    confusion,
  ],
  segment_mean: [segmentArgs, segments("mean", true)],
  segment_max: [segmentArgs, segments("max", true)],
  segment_min: [segmentArgs, segments("min", true)],
  segment_prod: [segmentArgs, segments("prod", true)],
  unsorted_segment_mean: [unsortedArgs, segments("mean", false)],
  unsorted_segment_max: [unsortedArgs, segments("max", false)],
  unsorted_segment_min: [unsortedArgs, segments("min", false)],
  unsorted_segment_prod: [unsortedArgs, segments("prod", false)],
  unsorted_segment_sqrt_n: [unsortedArgs, segments("sqrt_n", false)],
};
