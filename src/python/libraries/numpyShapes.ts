/** NumPy's functions that turn, join, take apart and pad arrays. */
import { type Axis, broadcast } from "../../expression/axis.ts";
import { expand } from "../../expression/build.ts";
import { makeList } from "../interpreter/collections.ts";
import { knownInteger } from "../interpreter/known.ts";
import { align } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { knownEntries } from "../tensors/knownEntries.ts";
import {
  addAxis,
  expandShape,
  flattenRange,
  moveAxes,
  reshapeTo,
  sizesFrom,
  swapAxes,
} from "../tensors/reshape.ts";
import { itemsOf, rankOf, tensor } from "../tensors/tensor.ts";
import { type PadMode, padAxis, sizeAlong } from "../tensors/windows.ts";
import { sliceIndices } from "../interpreter/subscripts.ts";
import { type NumberValue, type TensorValue, type Value, int, tuple } from "../values.ts";
import * as m from "./common.ts";
import { alongOrFlat, axisOf, reverseAlong } from "./picking.ts";
import { splitAt, unbind } from "./pieces.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

/** With at least `n` axes; new ones go in front. */
export function atLeast(c: CallContext, t: TensorValue, n: number): TensorValue {
  let made = t;
  while (rankOf(made) < n) made = addAxis(c.vm, made, 0);
  return made;
}

/** A vector becomes one row of columns, and a third axis goes to the end. */
function atLeastThree(c: CallContext, t: TensorValue): TensorValue {
  const wide = atLeast(c, t, 2);
  return rankOf(wide) < 3 ? addAxis(c.vm, wide, 2) : wide;
}

const parts = (c: CallContext): TensorValue[] => c.list("tup").map((v) => c.asOwn(v));

/** vstack joins rows, hstack along the second axis (the first of vectors). */
function stacked(c: CallContext, along: "rows" | "columns"): Value {
  const all = parts(c).map((t) => atLeast(c, t, along === "rows" ? 2 : 1));
  return m.joined(c, all, along === "rows" || rankOf(all[0]!) === 1 ? 0 : 1);
}

function columnStack(c: CallContext): Value {
  const columns = parts(c).map((t) => {
    const line = atLeast(c, t, 1);
    return rankOf(line) === 1 ? addAxis(c.vm, line, 1) : line;
  });
  return m.joined(c, columns, 1);
}

function append(c: CallContext): Value {
  const both = [c.tensor("arr"), c.tensor("values")];
  if (c.given("axis")) return m.joined(c, both, c.int("axis"));
  const flat = both.map((t) => flattenRange(c.vm, t, 0, -1));
  return m.joined(c, flat, 0);
}

/** Quarter turns from the first towards the second of two axes, which are an argument of that name. */
export function quarterTurns(c: CallContext, axes: string): Value {
  const x = c.tensor("x");
  const [from, to] = (c.dims(axes) ?? [0, 1]).map((d) => axisOf(c, x, d)) as [number, number];
  const swapped = (t: TensorValue): TensorValue => swapAxes(c.vm, t, from, to);
  const quarters = ((c.int("k") % 4) + 4) % 4;
  if (quarters === 0) return x;
  if (quarters === 1) return swapped(reverseAlong(c, x, [to]));
  return quarters === 2 ? reverseAlong(c, x, [from, to]) : reverseAlong(c, swapped(x), [to]);
}

/** rollaxis, which names the axis that the moved one comes to stand before. */
function rolledAxis(c: CallContext): Value {
  const x = c.tensor("x");
  const from = axisOf(c, x, c.int("axis"));
  const start = c.int("start");
  const before = start < 0 ? start + rankOf(x) : start;
  return moveAxes(c.vm, x, [from], [from < before ? before - 1 : before]);
}

/** hsplit along the second axis (the first of vectors), vsplit the first, dsplit the third. */
const splitAlong =
  (dim: (rank: number) => number): Meaning =>
  (c) => {
    const x = c.tensor("ary");
    return makeList(c.vm, splitAt(c, x, dim(rankOf(x)), true));
  };

const MODES: Readonly<Record<string, PadMode>> = {
  constant: "constant",
  edge: "replicate",
  reflect: "reflect",
  symmetric: "symmetric",
  wrap: "circular",
};

/** A number before and one after for each axis: given for each, once for all, or as one number. */
function pairs(c: CallContext, name: string, rank: number): (readonly [number, number])[] {
  const v = c.value(name);
  const { data, shape } = knownEntries(c.vm, c.asOwn(v).expr, `${c.name}(): '${name}'`);
  const rows = shape.length === 2 ? shape[0]! : 1;
  if (shape.length > 2 || (rows !== 1 && rows !== rank) || data.length > 2 * rows) {
    c.vm.fail("ValueError", `operands could not be broadcast together: '${name}' and ${rank} axes`);
  }
  const each = data.length / rows;
  return Array.from({ length: rank }, (_, d) => {
    const at = (rows === 1 ? 0 : d) * each;
    return [data[at]!, data[at + each - 1]!] as const;
  });
}

function padded(c: CallContext): Value {
  const { vm } = c;
  const named = c.text("mode");
  const mode = MODES[named];
  if (mode === undefined) {
    return vm.unsupported(
      `${c.name}() with mode="${named}" is not supported`,
      'Use "constant", "edge", "reflect", "symmetric" or "wrap".',
    );
  }
  const x = c.tensor("array");
  const amounts = pairs(c, "pad_width", rankOf(x));
  const values = pairs(c, "constant_values", rankOf(x));
  return amounts.reduce<TensorValue>((t, [before, after], d) => {
    const [left, right] = values[d]!;
    if (mode !== "constant" || left === right) {
      return padAxis(vm, t, d, [before, after], mode, left);
    }
    const begun = padAxis(vm, t, d, [before, 0], mode, left);
    return padAxis(vm, begun, d, [0, after], mode, right);
  }, x);
}

/** Positions along an axis that are named by a number, a slice, several numbers or truth values. */
function positionsNamed(c: CallContext, name: string, n: number): number[] {
  const v = c.value(name);
  if (v.kind === "slice") return [...sliceIndices(c.vm, v, n)];
  const given = c.asOwn(v).expr;
  const entries = Array.from(knownEntries(c.vm, given, `${c.name}(): '${name}'`).data);
  if (given.type === "bool") return entries.flatMap((e, k) => (e === 0 ? [] : [k]));
  return entries.map((p) => {
    if (p < -n || p >= n) {
      c.vm.fail("IndexError", `index ${p} is out of bounds for an axis with size ${n}`);
    }
    return p < 0 ? p + n : p;
  });
}

/** The array without the entries at some positions. */
function without(c: CallContext): Value {
  const { x, dim } = alongOrFlat(c);
  const d = axisOf(c, x, dim);
  const n = sizeAlong(c.vm, x, d, `${c.name}()`);
  const gone = new Set(positionsNamed(c, "obj", n));
  return selectPositions(
    c.vm,
    x,
    d,
    m.range(0, n).filter((p) => !gone.has(p)),
  );
}

/** The array with others set in before one position. */
function inserted(c: CallContext): Value {
  const { vm } = c;
  const { x, dim } = alongOrFlat(c);
  const d = axisOf(c, x, dim);
  const n = sizeAlong(vm, x, d, `${c.name}()`);
  if (c.value("obj").kind !== "number") {
    return vm.unsupported(
      `${c.name}() at several positions is not supported`,
      "Join the parts instead: np.concatenate([x[:k], y, x[k:]]).",
    );
  }
  const given = c.int("obj");
  const at = given < 0 ? given + n : given;
  if (at < 0 || at > n) {
    vm.fail("IndexError", `index ${given} is out of bounds for axis ${d} with size ${n}`);
  }
  const values = moveAxes(vm, atLeast(c, c.tensor("values"), rankOf(x)), [0], [d]);
  const shape = x.expr.shape.map((a, k): Axis => (k === d ? values.expr.shape[d]! : a));
  const between = expandShape(vm, values, shape);
  const part = (from: number, to: number): TensorValue[] =>
    from === to ? [] : [selectPositions(vm, x, d, m.range(from, to))];
  return m.joined(c, [...part(0, at), between, ...part(at, n)], d);
}

/** The entries, over and over again, until they fill a shape. */
function resized(c: CallContext): Value {
  const { vm } = c;
  const flat = flattenRange(vm, c.tensor("x"), 0, -1);
  const n = sizeAlong(vm, flat, 0, `${c.name}()`);
  const sizes = sizesFrom([c.value("new_shape")]);
  const count = sizes.reduce((k, v) => k * knownInteger(vm, v, `${c.name}()`), 1);
  const positions = m.range(0, count).map((k) => k % n);
  return reshapeTo(vm, selectPositions(vm, flat, 0, positions), sizes);
}

/** Nested lists of arrays: the innermost are joined along the last axis, and so on outwards. */
function blocks(c: CallContext): Value {
  const v = c.value("arrays");
  const depthOf = (x: Value): number => (x.kind === "list" ? 1 + depthOf(x.items[0] ?? int(0)) : 0);
  const depth = depthOf(v);
  const leavesOf = (x: Value): TensorValue[] =>
    x.kind === "list" ? x.items.flatMap(leavesOf) : [c.asOwn(x)];
  const rank = Math.max(depth, ...leavesOf(v).map(rankOf));
  const built = (x: Value, level: number): TensorValue =>
    x.kind === "list"
      ? m.joined(
          c,
          x.items.map((y) => built(y, level - 1)),
          -level,
        )
      : atLeast(c, c.asOwn(x), rank);
  return built(v, depth);
}

/** Arrays as they broadcast against each other. */
function broadcastAll(c: CallContext): Value {
  const { vm } = c;
  const all = c.list("args").map((v) => c.asOwn(v));
  const exprs = vm.shaped(() => align(all.map((t) => t.expr)));
  const shape = vm.shaped(() => exprs.map((e) => e.shape).reduce(broadcast));
  const made = all.map((t, k) =>
    tensor(
      vm,
      vm.shaped(() => expand(exprs[k]!, shape)),
      t.library,
      t.dtype,
    ),
  );
  return c.library === "jax" ? makeList(vm, made) : tuple(made);
}

/** The shape of arrays of given shapes, as they broadcast against each other. */
function broadcastShapes(c: CallContext): Value {
  const shapes = c.list("shapes").map((v) => itemsOf(v) ?? [v]);
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return tuple(
    m.range(0, rank).map((d) => {
      const sizes = shapes.flatMap((s) => s[d - rank + s.length] ?? []) as NumberValue[];
      const wide = sizes.filter((n) => n.value !== 1);
      if (wide.some((n) => n.value !== wide[0]!.value)) {
        c.vm.fail("ValueError", "shape mismatch: objects cannot be broadcast to a single shape");
      }
      return wide[0] ?? int(1);
    }),
  );
}

/** Source: NumPy 2.4. */
export const numpyShapes: Table = {
  vstack: ["tup, !dtype, ~casting", (c) => stacked(c, "rows")],
  row_stack: ["tup, !dtype, ~casting", (c) => stacked(c, "rows")],
  hstack: ["tup, !dtype, ~casting", (c) => stacked(c, "columns")],
  dstack: [
    "tup",
    (c) =>
      m.joined(
        c,
        parts(c).map((t) => atLeastThree(c, t)),
        2,
      ),
  ],
  column_stack: ["tup", columnStack],
  append: ["arr, values, axis=None", append],
  block: ["arrays", blocks],
  atleast_2d: ["x", (c) => atLeast(c, c.tensor("x"), 2)],
  atleast_3d: ["x", (c) => atLeastThree(c, c.tensor("x"))],
  flipud: ["m", (c) => reverseAlong(c, c.tensor("x"), [0])],
  fliplr: ["m", (c) => reverseAlong(c, c.tensor("x"), [1])],
  rot90: ["m, k=1, axes=None", (c) => quarterTurns(c, "axes")],
  rollaxis: ["a, axis, start=0", rolledAxis],
  matrix_transpose: ["x", (c) => swapAxes(c.vm, c.tensor("x"), -1, -2)],
  hsplit: ["ary, indices_or_sections", splitAlong((rank) => (rank > 1 ? 1 : 0))],
  vsplit: ["ary, indices_or_sections", splitAlong(() => 0)],
  dsplit: ["ary, indices_or_sections", splitAlong(() => 2)],
  unstack: ["x, *, axis=0", unbind],
  pad: [
    "array, pad_width, mode='constant', *, constant_values=0, !stat_length, !end_values, !reflect_type='even'",
    padded,
  ],
  delete: ["arr, obj, axis=None", without],
  insert: ["arr, obj, values, axis=None", inserted],
  resize: ["a, new_shape", resized],
  broadcast_arrays: ["*args, ~subok", broadcastAll],
  broadcast_shapes: ["*shapes", broadcastShapes],
};
