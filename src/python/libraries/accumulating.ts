/**
 * What is added up where an index says: sums over one-hot encodings, as counts of classes are. Any
 * number of entries may go to one place.
 */
import { type Axis, broadcast, elementCount } from "../../expression/axis.ts";
import { expand, reshape } from "../../expression/build.ts";
import { assignIndex } from "../tensors/assigning.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { checkRange, selectPositions } from "../tensors/gather.ts";
import { indexTensor, isAdvanced, isMask } from "../tensors/indexing.ts";
import { zeroElsewhere } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, flattenRange, moveAxes } from "../tensors/reshape.ts";
import { asTensor, nodeOf, rankOf, sizeNumber, sizeNumbers, tensor } from "../tensors/tensor.ts";
import { padAxis } from "../tensors/windows.ts";
import { NONE, type TensorValue, type Value, int } from "../values.ts";
import { range } from "./common.ts";
import { classesIn, summedByClass } from "./counting.ts";
import type { CallContext, Table } from "./signature.ts";
import { axisOf, wholeNumbers } from "./picking.ts";

/**
 * `torch.scatter_add`: the index may be smaller than the array, and the source larger than it (of
 * which PyTorch itself has no gradient).
 */
function scatterAdd(c: CallContext): TensorValue {
  const { vm } = c;
  const [x, index] = [c.tensor("input"), wholeNumbers(c, "index")];
  const d = axisOf(c, x, c.int("dim"));
  for (const [t, name] of [
    [x, "self"],
    [c.tensor("src"), "src"],
  ] as const) {
    if (rankOf(index) === rankOf(t)) continue;
    vm.fail(
      "RuntimeError",
      `Index tensor must have the same number of dimensions as ${name} tensor`,
    );
  }
  const source = upTo(c, c.tensor("src"), index);
  const added = summedInPlaces(c, index, source, d, x.expr.shape[d]!);
  return addedTo(c, x, added);
}

/** The first entries along every axis, as many as the index has. */
function upTo(c: CallContext, source: TensorValue, index: TensorValue): TensorValue {
  if (source.selection !== null || index.selection !== null) return source;
  return index.expr.shape.reduce((t, a, k) => {
    const n = t.expr.shape[k]!.size;
    if (a.size === null || n === null || a.size === n) return t;
    if (a.size > n) {
      c.vm.fail(
        "RuntimeError",
        `Expected index to be no larger than src: ${a.size} entries along axis ${k}, and ${n}`,
      );
    }
    return selectPositions(c.vm, t, k, range(0, a.size));
  }, source);
}

/** `torch.index_add`: whole slices, at the positions that an index of one axis names. */
function indexAdd(c: CallContext): TensorValue {
  const { vm } = c;
  const [x, given] = [c.tensor("input"), wholeNumbers(c, "index")];
  const d = axisOf(c, x, c.int("dim"));
  if (rankOf(given) > 1) {
    vm.fail("IndexError", "index_add_(): Index is supposed to be a vector");
  }
  const source = c.tensor("source");
  const sizes = (t: TensorValue): (number | null)[] => sizeNumbers(t).map((n) => n.value);
  const wanted = sizes(x).with(d, rankOf(given) === 0 ? 1 : sizes(given)[0]!);
  const own = sizes(source);
  if (own.length !== wanted.length || own.some((n, k) => differ(n, wanted[k]!))) {
    vm.fail(
      "RuntimeError",
      `index_add_(): source has to be of shape [${wanted.join(", ")}], as the array but with an ` +
        `entry for each of the index, not [${own.join(", ")}]`,
    );
  }
  let index = rankOf(given) === 0 ? addAxis(vm, given, 0) : given;
  for (let k = d + 1; k < rankOf(x); k++) index = addAxis(vm, index, -1);
  for (let k = 0; k < d; k++) index = addAxis(vm, index, 0);
  const added = summedInPlaces(c, index, source, d, x.expr.shape[d]!);
  const scaled = c.given("alpha") ? elementwise(vm, "mul", added, c.value("alpha")) : added;
  return addedTo(c, x, scaled);
}

const differ = (a: number | null, b: number | null): boolean => a !== null && b !== null && a !== b;

/** `torch.scatter_reduce`, of which what adds is known. */
function scatterReduce(c: CallContext): Value {
  const how = c.text("reduce");
  if (how === "sum" && c.flag("include_self")) return scatterAdd(c);
  return c.vm.unsupported(
    `scatter_reduce with reduce="${how}"${c.flag("include_self") ? "" : " and include_self=False"} is not supported`,
    'Use reduce="sum"; a mean is a sum divided by torch.bincount of the index.',
  );
}

/** Sums along an axis of the entries that an index sends to each place of another axis. */
function summedInPlaces(
  c: CallContext,
  index: TensorValue,
  source: TensorValue,
  dim: number,
  places: Axis,
): TensorValue {
  const { vm } = c;
  const dropsOthers = c.library === "jax" || c.library === "tensorflow";
  checkRange(vm, zeroElsewhere(vm, index).expr, places, dropsOthers ? "left out" : "error");
  const dtype = nodeOf(source).type === "bool" ? "int64" : source.dtype;
  const sums = summedByClass(c, index, sizeNumber(places), [dim], dtype, source);
  return dim === rankOf(sums) - 1 ? sums : moveAxes(vm, sums, [-1], [dim]);
}

/** What is added to the first entries along every axis of an array. */
function addedTo(c: CallContext, x: TensorValue, sums: TensorValue): TensorValue {
  const { vm } = c;
  if (nodeOf(x).type !== "float" && nodeOf(sums).type === "float") {
    vm.fail("RuntimeError", `${c.name}(): Expected self.dtype to be equal to src.dtype`);
  }
  const whole = x.expr.shape.reduce((t, a, k) => {
    const [n, m] = [a.size, t.expr.shape[k]!.size];
    if (n === null || m === null || n === m) return t;
    if (m > n) {
      vm.fail(
        "RuntimeError",
        `${c.name}(): ${m} entries along axis ${k} cannot be added to an array that has ${n}`,
      );
    }
    return padAxis(vm, t, k, [0, n - m], "constant", 0);
  }, sums);
  return elementwise(vm, "add", x, whole);
}

/**
 * The array with values added at the positions in its first axes that arrays of integers name, each
 * as often as it is named; null for other subscripts.
 */
export function addedAtPositions(
  c: CallContext,
  x: TensorValue,
  key: Value,
  values: Value,
): TensorValue | null {
  const { vm } = c;
  const keys = key.kind === "tuple" ? key.items : [key];
  if (!keys.some(isAdvanced)) return null;
  const isPlace = (t: TensorValue): boolean => !isMask(t) && nodeOf(t).type === "int";
  const places = keys
    .filter((v) => v.kind === "number" || isAdvanced(v))
    .map((v) => asTensor(vm, v, x.library));
  if (places.length < keys.length || !places.every(isPlace)) return null;
  if (places.length > rankOf(x)) {
    vm.fail("IndexError", `too many indices for array: array is ${rankOf(x)}-dimensional`);
  }
  const lead = x.expr.shape.slice(0, places.length);
  const counted = places.map((t, k) => fromTheStart(c, t, lead[k]!));
  const rest = x.expr.shape.slice(places.length);
  lead.forEach((a, k) => {
    if (counted.length > 1) checkRange(vm, counted[k]!.expr, a);
  });
  // The position in the axes taken as one, in the order of memory.
  const flat = counted.reduce((at, t, k) =>
    elementwise(vm, "add", elementwise(vm, "mul", at, sizeNumber(lead[k]!)), t),
  );
  if (flat.selection !== null && values.kind !== "tensor") {
    return vm.unsupported("adding one number at positions that a mask picks");
  }
  const table = places.length > 1 ? flattenRange(vm, x, 0, places.length - 1) : x;
  const [index, source] =
    flat.selection === null ? alongside(c, flat, values, rest) : [flat, c.asOwn(values)];
  const behind = Array.from({ length: rest.length }).reduce<TensorValue>(
    (t) => addAxis(vm, t, -1),
    index,
  );
  const sums = summedInPlaces(c, behind, source, 0, table.expr.shape[0]!);
  const added = elementwise(vm, "add", table, sums);
  if (table === x) return added;
  return tensor(
    vm,
    vm.shaped(() => reshape(added.expr, x.expr.shape)),
    x.library,
    added.dtype,
  );
}

/** Positions of which known ones that are negative count from the end. */
function fromTheStart(c: CallContext, at: TensorValue, along: Axis): TensorValue {
  const { vm } = c;
  if (at.selection === null && elementCount(at.expr.shape) === 0) return at;
  const lowest = vm.evaluate(reduction(vm, "min", at, null, false).expr)?.data[0] ?? 0;
  if (lowest >= 0) return at;
  const moved = elementwise(vm, "add", at, sizeNumber(along));
  return select(vm, elementwise(vm, "lt", at, int(0)), moved, at);
}

/** Positions along one axis, and what goes to each along the same one. */
function alongside(
  c: CallContext,
  index: TensorValue,
  values: Value,
  rest: readonly Axis[],
): readonly [TensorValue, TensorValue] {
  const { vm } = c;
  const { shape } = index.expr;
  const given = c.asOwn(values);
  const whole = vm.shaped(() => broadcast([...shape, ...rest], given.expr.shape));
  const e = vm.shaped(() => expand(given.expr, whole));
  const source = tensor(vm, e, given.library, given.dtype);
  const one = shape.length;
  if (one === 0) return [addAxis(vm, index, 0), addAxis(vm, source, 0)];
  return [flattenRange(vm, index, 0, -1), flattenRange(vm, source, 0, one - 1)];
}

/** `np.add.at`, which adds as often as a position is named, where `a[i] += b` adds once. */
function addAt(c: CallContext): Value {
  const { vm } = c;
  const x = c.value("a");
  if (x.kind !== "tensor") return c.bad("a", "an array");
  const [key, values] = [c.value("indices"), c.value("b")];
  const sums = addedAtPositions(c, x, key, values);
  // Slices and masks name every entry once.
  if (sums === null) {
    assignIndex(vm, x, key, elementwise(vm, "add", indexTensor(vm, x, key), values));
  } else {
    x.assign(vm, sums.expr);
  }
  return NONE;
}

/** Sums of the slices along the first axes that have the same number. */
function segmentSum(c: CallContext, ids: string, number: string): Value {
  const { vm } = c;
  const [data, segments] = [c.tensor("data"), c.tensor(ids)];
  const n = segmentCount(c, segments, number);
  const index = flattenRange(vm, segments, 0, -1);
  const source = rankOf(segments) > 1 ? flattenRange(vm, data, 0, rankOf(segments) - 1) : data;
  const rest = rankOf(source) - 1;
  const behind = Array.from({ length: rest }).reduce<TensorValue>((t) => addAxis(vm, t, -1), index);
  const sums = summedByClass(c, behind, n, [0], source.dtype, source);
  return rest === 0 ? sums : moveAxes(vm, sums, [-1], [0]);
}

/** How many segments there are: what is named, or as the largest of their numbers says. */
export function segmentCount(
  c: CallContext,
  segments: TensorValue,
  number = "num_segments",
): Value {
  if (c.given(number)) return c.value(number);
  return int(classesIn(c, segments, 0, SEGMENTS_UNKNOWN));
}

const SEGMENTS_UNKNOWN = {
  problem: "sums of segments are as many as the largest of their numbers says",
  remedy: "Name their number (num_segments=n), or bind arrays: then it is known.",
};

/** Functions of torch and methods of its tensors; the methods also in place. */
export const torchAccumulating: Table = {
  scatter_add: ["input, dim, index, src, *, !out", scatterAdd],
  scatter_reduce: ["input, dim, index, src, reduce, *, include_self=True, !out", scatterReduce],
  index_add: ["input, dim, index, source, *, alpha=1, !out", indexAdd],
};

/** What is read off a function of NumPy. */
export const numpyAccumulating: Table = {
  "add.at": ["a, indices, b", addAt],
};

/** jax.ops */
export const jaxSegments: Table = {
  segment_sum: [
    "data, segment_ids, num_segments=None, ~indices_are_sorted, ~unique_indices, ~bucket_size, ~mode",
    (c) => segmentSum(c, "segment_ids", "num_segments"),
  ],
};

/** tf.math */
export const tensorflowSegments: Table = {
  segment_sum: ["data, segment_ids, ~name", (c) => segmentSum(c, "segment_ids", "num_segments")],
  unsorted_segment_sum: [
    "data, segment_ids, num_segments, ~name",
    (c) => segmentSum(c, "segment_ids", "num_segments"),
  ],
};
