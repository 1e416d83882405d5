/**
 * scipy.ndimage on masks: distances to the background, components, erosion and dilation. They are
 * carried out on the values, which must be known; their result changes where an entry crosses a
 * threshold, and is constant otherwise, so that no gradient flows through it.
 */
import type { DType } from "../dtypes.ts";
import {
  type Structure,
  components,
  cross,
  dilated,
  distancesToZero,
  eroded,
  structureFrom,
} from "../tensors/morphology.ts";
import type { NumericArray } from "../host.ts";
import { knownEntries } from "../tensors/knownEntries.ts";
import { literalArray } from "../tensors/tensor.ts";
import { setItem } from "../interpreter/subscripts.ts";
import { ELLIPSIS, NONE, type TensorValue, type Value, int, tuple } from "../values.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

function mask(c: CallContext): NumericArray {
  return knownEntries(c.vm, c.expr("x"), `the result of ${c.name}()`);
}

/** So that a long computation can be stopped. */
const checkpoint = (c: CallContext) => (): void => {
  c.vm.host.checkpoint();
};

function made(
  c: CallContext,
  values: ArrayLike<number>,
  { shape }: NumericArray,
  dtype: DType,
): TensorValue {
  return literalArray(c.vm, Array.from(values), shape, dtype, "numpy");
}

const distances: Meaning = (c) => {
  const x = mask(c);
  const { shape } = x;
  const given = c.optional("sampling");
  const spacing =
    given === null
      ? shape.map(() => 1)
      : given.kind === "number"
        ? shape.map(() => c.number("sampling"))
        : Array.from(knownEntries(c.vm, c.expr("sampling"), "the sampling").data);
  if (spacing.length !== shape.length) {
    c.vm.fail(
      "RuntimeError",
      "sequence argument must have length equal to input rank",
      `Give sampling a number for each of the ${shape.length} axes.`,
    );
  }
  const found = made(c, distancesToZero(x.data, shape, spacing, checkpoint(c)), x, "float64");
  if (!c.given("distances")) return found;
  setItem(c.vm, c.value("distances"), ELLIPSIS, found);
  return NONE;
};

/** By faces where none is given. */
function structureOf(c: CallContext, rank: number): Structure {
  if (!c.given("structure")) return cross(rank);
  const { data, shape } = knownEntries(c.vm, c.expr("structure"), "the structuring element");
  if (shape.length !== rank) {
    c.vm.fail(
      "RuntimeError",
      "structure and input must have same dimensionality",
      `Give a structure with ${rank} axes.`,
    );
  }
  return structureFrom(data, shape);
}

const label: Meaning = (c): Value => {
  const x = mask(c);
  const structure = structureOf(c, x.shape.length);
  const { labels, count } = components(x.data, x.shape, structure, checkpoint(c));
  return tuple([made(c, labels, x, "int32"), int(count)]);
};

const shifted =
  (change: typeof eroded): Meaning =>
  (c) => {
    const x = mask(c);
    const outside = c.number("border_value") !== 0;
    const structure = structureOf(c, x.shape.length);
    const times = c.int("iterations");
    const result = change(x.data, x.shape, structure, { outside, times }, checkpoint(c));
    return made(c, result, x, "bool");
  };

/** Erosion and dilation one after the other, as often as `iterations` says. */
const inTurn =
  (first: typeof eroded, second: typeof eroded): Meaning =>
  (c) => {
    const x = mask(c);
    const outside = c.number("border_value") !== 0;
    const structure = structureOf(c, x.shape.length);
    const how = { outside, times: c.int("iterations") };
    const between = first(x.data, x.shape, structure, how, checkpoint(c));
    return made(c, second(between, x.shape, structure, how, checkpoint(c)), x, "bool");
  };

/** What the background does not reach from beyond the edges. */
const withoutHoles: Meaning = (c) => {
  const { data, shape } = mask(c);
  const empty = Array.from(data, (v) => Number(v === 0));
  const structure = structureOf(c, shape.length);
  const { labels } = components(empty, shape, structure, checkpoint(c));
  const open = new Set<number>();
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((n, s) => n * s, 1));
  labels.forEach((part, k) => {
    const isAtEdge = shape.some((n, d) => {
      const at = Math.floor(k / strides[d]!) % n;
      return at === 0 || at === n - 1;
    });
    if (part !== 0 && isAtEdge) open.add(part);
  });
  const filled = Array.from(labels, (part) => Number(!open.has(part)));
  return made(c, filled, { data, shape }, "bool");
};

/** An entry and those that are reached from it by steps along so many axes at once. */
const structuringElement: Meaning = (c) => {
  const [rank, most] = [c.int("rank"), Math.max(1, c.int("connectivity"))];
  const values = Array.from({ length: 3 ** rank }, (_, k) => {
    const steps = Array.from({ length: rank }, (_, d) =>
      Math.abs((Math.floor(k / 3 ** d) % 3) - 1),
    );
    return Number(steps.reduce((n, s) => n + s, 0) <= most);
  });
  const shape = Array.from({ length: rank }, () => 3);
  return literalArray(c.vm, values, shape, "bool", "numpy");
};

const SHIFTED =
  "input, structure=None, iterations=1, !mask, !output, border_value=0, !origin=0, ~brute_force, *, !axes";

const IN_TURN =
  "input, structure=None, iterations=1, !output, !origin=0, !mask, border_value=0, ~brute_force, *, !axes";

/** Source: SciPy 1.17, `scipy.ndimage`. */
export const ndimage: Table = {
  distance_transform_edt: [
    "input, sampling=None, ~return_distances, !return_indices, distances=None, !indices",
    distances,
  ],
  label: ["input, structure=None, !output", label],
  binary_erosion: [SHIFTED, shifted(eroded)],
  binary_dilation: [SHIFTED, shifted(dilated)],
  binary_opening: [IN_TURN, inTurn(eroded, dilated)],
  binary_closing: [IN_TURN, inTurn(dilated, eroded)],
  binary_fill_holes: ["input, structure=None, !output, !origin=0, *, !axes", withoutHoles],
  generate_binary_structure: ["rank, connectivity", structuringElement],
};
