/** jax.lax's windows: convolutions with any layout, and reductions over windows. */
import { knownInteger } from "../../interpreter/known.ts";
import { knownEntries } from "../../tensors/knownEntries.ts";
import { convolution, withSides } from "../../tensors/convolution.ts";
import { keepingFunction } from "../../tensors/elementwise.ts";
import { maxPool, sumPool } from "../../tensors/pooling.ts";
import { addAxis, permuteAxes, dropAxes } from "../../tensors/reshape.ts";
import { itemsOf, rankOf } from "../../tensors/tensor.ts";
import { padAxis, sizeAlong } from "../../tensors/windows.ts";
import { type TensorValue, type Value } from "../../values.ts";
import { sidesFor } from "../channelsLast.ts";
import type { CallContext, Meaning, Table } from "../signature.ts";

/** A number for each of n axes, 1 where none are given. */
function each(c: CallContext, name: string, n: number): number[] {
  const items = c.given(name) ? itemsOf(c.value(name)) : Array.from({ length: n }, () => null);
  if (items?.length !== n) return c.bad(name, `${n} integers`);
  return items.map((v) => (v === null ? 1 : knownInteger(c.vm, v, `${c.name}(): '${name}'`)));
}

type Sides = readonly (readonly [number, number])[];

/** "SAME", "VALID", or a pair of amounts for each axis. */
function sidesOf(
  c: CallContext,
  x: TensorValue,
  dims: readonly number[],
  { size, stride, dilation }: Record<"size" | "stride" | "dilation", readonly number[]>,
): Sides {
  const given = c.value("padding");
  if (given.kind !== "str") {
    const pairs = itemsOf(given)?.map((v) => itemsOf(v)) ?? [];
    if (pairs.length !== dims.length || pairs.some((p) => p?.length !== 2)) {
      return c.bad("padding", '"SAME", "VALID" or a pair of amounts for each axis');
    }
    const known = (v: Value): number => knownInteger(c.vm, v, `${c.name}(): 'padding'`);
    return pairs.map((p) => [known(p![0]!), known(p![1]!)] as const);
  }
  const how = given.value.toUpperCase();
  if (how === "VALID") return dims.map(() => [0, 0] as const);
  if (how !== "SAME" && how !== "SAME_LOWER") return c.bad("padding", '"SAME" or "VALID"');
  return dims.map((d, k) => {
    const reach = (size[k]! - 1) * dilation[k]! + 1;
    const [less, more] = sidesFor(sizeAlong(c.vm, x, d, `${c.name}()`), reach, stride[k]!);
    return how === "SAME" ? ([less, more] as const) : ([more, less] as const);
  });
}

/** Where in an array, its windows and the result the batch, channels and axes of space are. */
interface Layout {
  readonly array: readonly number[];
  readonly windows: readonly number[];
  readonly result: readonly number[];
}

/** Layouts as in ("NHWC", "HWIO", "NHWC"); without any, batch (or outputs), channels, space. */
function layoutOf(c: CallContext, rank: number): Layout {
  const usual = Array.from({ length: rank }, (_, d) => d);
  if (!c.given("dimension_numbers")) return { array: usual, windows: usual, result: usual };
  const specs = itemsOf(c.value("dimension_numbers"))?.map((v) =>
    v.kind === "str" ? v.value : "",
  );
  const [array, windows, result] = specs ?? [];
  if (
    specs?.length !== 3 ||
    specs.some((s) => s.length !== rank) ||
    array === undefined ||
    windows === undefined ||
    result === undefined
  ) {
    return c.vm.unsupported(
      `${c.name}() with dimension_numbers other than three strings is not supported`,
      'Write them as ("NHWC", "HWIO", "NHWC").',
    );
  }
  const space = Array.from(windows).filter((l) => l !== "O" && l !== "I");
  const places = (spec: string, first: string): number[] =>
    [...Array.from(first), ...space].map((l) => spec.indexOf(l));
  return {
    array: places(array, "NC"),
    windows: places(windows, "OI"),
    result: places(result, "NC"),
  };
}

function convolved(c: CallContext): Value {
  const { vm } = c;
  const given = [c.tensor("lhs"), c.tensor("rhs")] as const;
  const rank = rankOf(given[0]);
  const n = rank - 2;
  if (n < 1 || rankOf(given[1]) !== rank) {
    vm.fail("ValueError", `${c.name}() takes arrays of equally many axes, at least 3 of them`);
  }
  if (c.given("lhs_dilation") && each(c, "lhs_dilation", n).some((d) => d !== 1)) {
    vm.unsupported(`${c.name}() with lhs_dilation (a transposed convolution) is not supported`);
  }
  const layout = layoutOf(c, rank);
  const x = permuteAxes(vm, given[0], layout.array);
  const weight = permuteAxes(vm, given[1], layout.windows);
  const space = Array.from({ length: n }, (_, k) => k + 2);
  const w = {
    size: space.map((d) => sizeAlong(vm, weight, d, `${c.name}()`)),
    stride: each(c, "window_strides", n),
    dilation: each(c, "rhs_dilation", n),
  };
  const groups = c.given("feature_group_count") ? c.int("feature_group_count") : 1;
  const padded = withSides(vm, x, sidesOf(c, x, space, w));
  const all = { ...w, padding: padded.padding };
  const found = convolution(vm, padded.x, weight, all, groups, `${c.name}()`);
  const back = layout.result.map((_, d) => layout.result.indexOf(d));
  return permuteAxes(vm, found, back);
}

/** What a window's entries become, by the name of the function that joins two of them. */
const JOINS: Readonly<Record<string, "sum" | "max" | "min">> = {
  add: "sum",
  maximum: "max",
  minimum: "min",
  max: "max",
  min: "min",
};

/** What joins two entries to themselves: the only value to begin with that is supported. */
const START = { sum: 0, max: -Infinity, min: Infinity } as const;

const reducedWindows: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("operand");
  const rank = rankOf(x);
  const f = c.value("computation");
  const joins = f.kind === "builtin" ? JOINS[f.name.replace(/^.*\./, "")] : undefined;
  if (joins === undefined) {
    return vm.unsupported(
      "reduce_window() is supported only for sums, maxima and minima",
      "Give it lax.add, lax.max or lax.min.",
    );
  }
  const init = knownEntries(vm, c.expr("init_value"), "reduce_window(): 'init_value'").data[0];
  if (init !== START[joins]) {
    return vm.unsupported(
      `reduce_window() of this kind that does not begin with ${START[joins]} is not supported`,
      "Add what it begins with afterwards.",
    );
  }
  if (c.given("base_dilation")) vm.unsupported("reduce_window() with base_dilation");
  const dims = Array.from({ length: rank }, (_, d) => d);
  const w = {
    size: each(c, "window_dimensions", rank),
    stride: each(c, "window_strides", rank),
    dilation: each(c, "window_dilation", rank),
  };
  const sides = sidesOf(c, x, dims, w);
  const signed = (t: TensorValue): TensorValue =>
    joins === "min" ? keepingFunction(vm, "neg", t, "jax") : t;
  const filler = joins === "sum" ? 0 : -Infinity;
  const isEven = sides.every(([before, after]) => before === after);
  const wide = isEven
    ? signed(x)
    : sides.reduce((t, s, d) => padAxis(vm, t, d, s, "constant", filler), signed(x));
  const window = { ...w, padding: sides.map(([before]) => (isEven ? before : 0)) };
  // Pools have an axis before those of their windows.
  const pool = joins === "sum" ? sumPool : maxPool;
  const found = pool(vm, addAxis(vm, wide, 0), window, "reduce_window()");
  return signed(dropAxes(vm, found, [0]));
};

const MORE = "!batch_group_count=1, ~precision, ~preferred_element_type, ~out_sharding";

/** Source: JAX 0.10, `jax.lax`. */
export const laxWindows: Table = {
  conv: ["lhs, rhs, window_strides, padding, ~precision, ~preferred_element_type", convolved],
  conv_with_general_padding: [
    "lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, ~precision, ~preferred_element_type",
    convolved,
  ],
  conv_general_dilated: [
    `lhs, rhs, window_strides, padding, lhs_dilation=None, rhs_dilation=None, dimension_numbers=None, feature_group_count=1, ${MORE}`,
    convolved,
  ],
  reduce_window: [
    "operand, init_value, computation, window_dimensions, window_strides, padding, base_dilation=None, window_dilation=None",
    reducedWindows,
  ],
};
