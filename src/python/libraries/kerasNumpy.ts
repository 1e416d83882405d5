/** keras.ops' functions that are NumPy's, and those that are TensorFlow's under other names. */
import { assignIndex } from "../tensors/assigning.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type Value, float, int, tuple } from "../values.ts";
import { copyOf } from "./convert.ts";
import { tensorflowGrids } from "./grids.ts";
import { numpyFunctions } from "./numpy.ts";
import { constantLike, fillValue } from "./numpyMeanings.ts";
import { tensorflowPicking } from "./picking.ts";
import { tensorflowSegments } from "./accumulating.ts";
import type { CallContext, Table } from "./signature.ts";
import * as t from "./tensorflowMeanings.ts";
import { depthToSpace, spaceToDepth } from "./tensorflowMorphology.ts";
import { scatterNd, scattersInto, tensorflowCounts } from "./tensorflowPlaces.ts";
import { slice } from "./tensorflowShapes.ts";
import { lowerTriangle } from "./triangles.ts";

const over = "x, axis=None, keepdims=False";
const one = "x";
const two = "x1, x2";

/** By Keras's arguments, which stand in NumPy's order. */
const SIGNATURES: Readonly<Record<string, string>> = {
  // Entry by entry
  ...each(
    "cbrt conj conjugate deg2rad exp2 fabs rad2deg signbit sinc tan trunc bitwise_not bitwise_invert",
    one,
  ),
  ...each(
    "fmax fmin fmod heaviside hypot logaddexp logaddexp2 bitwise_and bitwise_or bitwise_xor",
    two,
  ),
  isclose: "x1, x2, rtol=1e-05, atol=1e-08, !equal_nan",
  allclose: "x1, x2, rtol=1e-05, atol=1e-08, !equal_nan",
  digitize: "x, bins, ~right=False",

  // Over axes
  ...each("nansum nanprod nanmean nanmax nanmin median nanmedian ptp", over),
  nanvar: `${over}, ~ddof=0`,
  nanstd: `${over}, ~ddof=0`,
  quantile: "x, q, axis=None, method='linear', keepdims=False",
  percentile: "x, q, axis=None, method='linear', keepdims=False",
  corrcoef: "x, ~y, ~rowvar=True",
  trapezoid: "y, x=None, dx=1.0, axis=-1",
  cumprod: "x, axis=None, !dtype",
  nancumsum: "x, axis=None, !dtype",
  nancumprod: "x, axis=None, !dtype",
  diff: "a, n=1, axis=-1",

  // Products
  outer: two,
  inner: two,

  // Shapes and entries
  ...each("fliplr flipud", one),
  flip: "x, axis=None",
  rot90: "x, k=1, axes=None",
  roll: "x, shift, axis=None",
  repeat: "x, repeats, axis=None",
  ...each("hstack vstack dstack", "tup"),
  append: "arr, values, axis=None",
  ...each("hsplit vsplit dsplit", "ary, indices_or_sections"),
  array_split: "ary, indices_or_sections, axis=0",
  tril: "x, k=0",
  triu: "x, k=0",
  diag: "v, k=0",
  diagonal: "x, offset=0, axis1=0, axis2=1",
  trace: "x, !offset=0, !axis1=0, !axis2=1",
  sort: "x, axis=-1",
  take_along_axis: "x, indices, axis=None",
  nonzero: "x",
};

/** Names of arguments that Keras has for what NumPy calls otherwise. */
export const kerasAliases: Readonly<Record<string, string>> = {
  xs: "tup",
  x: "ary",
  values: "updates",
  inputs: "input_",
  start_indices: "begin",
  shape: "size",
};

function each(names: string, signature: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((n) => [n, signature] as const));
}

const borrowed: Table = Object.fromEntries(
  Object.entries(SIGNATURES).map(([name, s]) => [name, [s, numpyFunctions[name]![1]] as const]),
);

/** Whole blocks written from a place on. */
function sliceUpdate(c: CallContext): Value {
  const { vm } = c;
  const x = copyOf(vm, c.tensor("inputs"));
  const updates = c.tensor("updates");
  const ranges = c.dims("start_indices")!.map((from, d): Value => {
    const stop = int(from + sizeAlong(vm, updates, d, `${c.name}()`));
    return { kind: "slice", start: int(from), stop, step: int(1) };
  });
  assignIndex(vm, x, tuple(ranges), updates);
  return x;
}

const segment = (name: string): Table[string] => [
  "data, segment_ids, num_segments=None, ~sorted",
  (tensorflowSegments[name] ?? tensorflowCounts[name])![1],
];

export const kerasNumpy: Table = {
  ...borrowed,
  kron: ["a, b", numpyFunctions["kron"]![1]],
  argsort: ["values, axis=-1, ~direction='ASCENDING'", tensorflowPicking["argsort"]![1]],
  top_k: ["input, k, ~sorted", tensorflowPicking["top_k"]![1]],
  meshgrid: tensorflowGrids["meshgrid"]!,
  tri: ["N, M=None, k=0, dtype=None", lowerTriangle],
  full_like: ["x, fill_value, dtype=None", (c) => constantLike(c, fillValue(c))],
  empty: ["shape, dtype=None", (c) => t.constantOf(c, float(0), "shape")],
  empty_like: ["x, dtype=None", (c) => t.constantLike(c, 0)],
  saturate_cast: ["x, dtype", t.saturated],
  moments: ["x, axes, keepdims=False, ~synchronized", t.moments],
  scatter: ["indices, updates, size", scatterNd("size")],
  scatter_update: ["inputs, indices, updates, reduction=None", scattersInto],
  slice: ["input_, begin, size", slice],
  slice_update: ["inputs, start_indices, updates", sliceUpdate],
  segment_sum: segment("unsorted_segment_sum"),
  segment_max: segment("unsorted_segment_max"),
  segment_min: segment("unsorted_segment_min"),
  segment_prod: segment("unsorted_segment_prod"),
  space_to_depth: ["x, block_size, data_format=None", spaceToDepth],
  depth_to_space: ["x, block_size, data_format=None", depthToSpace],
};
