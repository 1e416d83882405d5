/**
 * Which entries of a node's arguments an entry of the node is made of, and the other way round.
 * This is what lets one element of an input be moved, and a part of a loss be followed, without
 * evaluating whole arrays. Positions are flat, in row-major order.
 */
import { elementCount, sizesOf, stridesOf } from "../expression/axis.ts";
import type { Expr } from "../expression/node.ts";

/** Sizes and strides of a node's shape; known sizes only. */
export interface Layout {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly count: number;
}

const layouts = new WeakMap<Expr, Layout>();

/** @throws ShapeError when a size is unknown. */
export function layoutOf(e: Expr): Layout {
  let l = layouts.get(e);
  if (l === undefined) {
    const sizes = sizesOf(e.shape);
    l = { sizes, strides: stridesOf(sizes), count: elementCount(e.shape)! };
    layouts.set(e, l);
  }
  return l;
}

/** Index along each axis of flat position `at`. */
export function unravel(at: number, layout: Layout): number[] {
  return layout.strides.map((s, d) => Math.floor(at / s) % layout.sizes[d]!);
}

/**
 * For argument `which` of `e`: the flat entry of the argument that entry `at` of `e` takes, or -1 if
 * it takes none. For nodes that take several (reductions, softmax, argmax) the first of the line.
 */
export function sourceEntry(e: Expr, which: number, at: number): number {
  const own = layoutOf(e);
  const arg = layoutOf(e.args[which]!);
  switch (e.kind) {
    case "reshape":
      return at;
    case "transpose": {
      let from = 0;
      e.perm.forEach((p, d) => {
        from += (Math.floor(at / own.strides[d]!) % own.sizes[d]!) * arg.strides[p]!;
      });
      return from;
    }
    case "index": {
      const stride = arg.strides[e.dim]!;
      return Math.floor(at / stride) * stride * arg.sizes[e.dim]! + e.at * stride + (at % stride);
    }
    case "place": {
      const stride = own.strides[e.dim]!;
      if (Math.floor(at / stride) % own.sizes[e.dim]! !== e.at) return -1;
      return Math.floor(at / (stride * own.sizes[e.dim]!)) * stride + (at % stride);
    }
    case "slice":
    case "spread": {
      const k = placeAlong(at, own, e.dim);
      const j = e.kind === "slice" ? e.start + k * e.step : (k - e.start) / e.step;
      return movedTo(at, j, own, arg, e.dim);
    }
    case "slide": {
      const [i, k] = [e.dim, e.by].map((d) => placeAlong(at, own, d)) as [number, number];
      return movedTo(at, i + e.factor * k + e.start, own, arg, e.dim);
    }
    case "stack": {
      const stride = own.strides[e.dim]!;
      if (Math.floor(at / stride) % own.sizes[e.dim]! !== which) return -1;
      return Math.floor(at / (stride * own.sizes[e.dim]!)) * stride + (at % stride);
    }
    case "concat":
      return movedTo(at, placeAlong(at, own, e.dim) - concatStart(e, which), own, arg, e.dim);
    case "oneHot": {
      const stride = own.strides[e.dim]!;
      return Math.floor(at / (stride * own.sizes[e.dim]!)) * stride + (at % stride);
    }
    case "softmax": {
      const stride = own.strides[e.dim]!;
      return at - (Math.floor(at / stride) % own.sizes[e.dim]!) * stride;
    }
    case "reduce":
    case "argReduce":
      return lineStart(e, at);
    default:
      return broadcastSource(own, arg, at);
  }
}

/** Where a flat position is along one axis. */
function placeAlong(at: number, layout: Layout, dim: number): number {
  return Math.floor(at / layout.strides[dim]!) % layout.sizes[dim]!;
}

/**
 * The entry of `to` that differs from entry `at` of `from` only along `dim`, where it stands at `j`;
 * -1 where there is none.
 */
function movedTo(at: number, j: number, from: Layout, to: Layout, dim: number): number {
  if (!Number.isInteger(j) || j < 0 || j >= to.sizes[dim]!) return -1;
  const stride = from.strides[dim]!;
  const outer = Math.floor(at / (stride * from.sizes[dim]!));
  return (outer * to.sizes[dim]! + j) * stride + (at % stride);
}

function concatStart(e: Expr & { readonly kind: "concat" }, which: number): number {
  let start = 0;
  for (let k = 0; k < which; k++) start += layoutOf(e.args[k]!).sizes[e.dim]!;
  return start;
}

function broadcastSource(own: Layout, arg: Layout, at: number): number {
  if (arg.count === own.count) return at;
  if (arg.count === 1) return 0;
  const shift = own.sizes.length - arg.sizes.length;
  let from = 0;
  for (let d = 0; d < arg.sizes.length; d++) {
    if (arg.sizes[d] === 1) continue;
    from += (Math.floor(at / own.strides[d + shift]!) % own.sizes[d + shift]!) * arg.strides[d]!;
  }
  return from;
}

/** Axes of the argument that a reduction or argmax runs over. */
export function lineDims(e: Expr): readonly number[] {
  if (e.kind === "reduce") return e.dims;
  return e.kind === "argReduce" || e.kind === "softmax" ? [e.dim] : [];
}

function lineStart(e: Expr, at: number): number {
  const arg = layoutOf(e.args[0]!);
  const gone = lineDims(e);
  let rest = at;
  let from = 0;
  for (let d = arg.sizes.length - 1; d >= 0; d--) {
    if (gone.includes(d)) continue;
    const n = arg.sizes[d]!;
    from += (rest % n) * arg.strides[d]!;
    rest = Math.floor(rest / n);
  }
  return from;
}

/** Offsets from the first entry of a line (reduction, softmax, argmax) to each of its entries. */
export function lineOffsets(e: Expr): number[] {
  const arg = layoutOf(e.args[0]!);
  let offsets = [0];
  for (const d of lineDims(e)) {
    const n = arg.sizes[d]!;
    const stride = arg.strides[d]!;
    offsets = offsets.flatMap((o) => Array.from({ length: n }, (_, k) => o + k * stride));
  }
  return offsets;
}

/**
 * How many entries of the argument, one behind the other, go into an entry of a reduction or
 * argmax; null where others stand between.
 */
export function contiguousLine(e: Expr): number | null {
  const arg = layoutOf(e.args[0]!);
  const gone = lineDims(e);
  const first = arg.sizes.findIndex((n, d) => n > 1 && gone.includes(d));
  if (first < 0) return 1;
  const isLast = arg.sizes.every((n, d) => d < first || n === 1 || gone.includes(d));
  return isLast ? arg.sizes.slice(first).reduce((n, size) => n * size, 1) : null;
}

/** The entry of a reduction or argmax that entry `at` of its argument goes into. */
export function lineOf(e: Expr, at: number): number {
  const arg = layoutOf(e.args[0]!);
  const gone = lineDims(e);
  let to = 0;
  for (let d = 0; d < arg.sizes.length; d++) {
    if (gone.includes(d)) continue;
    to = to * arg.sizes[d]! + (Math.floor(at / arg.strides[d]!) % arg.sizes[d]!);
  }
  return to;
}

/**
 * Entries of `e` that take entry `at` of argument `which`; null when there are more than `limit`
 * (a scalar broadcast over a volume).
 */
export function targetEntries(
  e: Expr,
  which: number,
  at: number,
  limit: number,
): readonly number[] | null {
  const own = layoutOf(e);
  const arg = layoutOf(e.args[which]!);
  switch (e.kind) {
    case "reshape":
      return [at];
    case "transpose": {
      let to = 0;
      e.perm.forEach((p, d) => {
        to += (Math.floor(at / arg.strides[p]!) % arg.sizes[p]!) * own.strides[d]!;
      });
      return [to];
    }
    case "index": {
      const stride = arg.strides[e.dim]!;
      if (Math.floor(at / stride) % arg.sizes[e.dim]! !== e.at) return [];
      return [Math.floor(at / (stride * arg.sizes[e.dim]!)) * stride + (at % stride)];
    }
    case "slice":
    case "spread":
    case "slide":
    case "concat": {
      const k = placeAlong(at, arg, e.dim);
      const j =
        e.kind === "concat"
          ? k + concatStart(e, which)
          : e.kind === "slice"
            ? (k - e.start) / e.step
            : e.kind === "spread"
              ? e.start + k * e.step
              : k - e.factor * placeAlong(at, arg, e.by) - e.start;
      const to = movedTo(at, j, arg, own, e.dim);
      return to < 0 ? [] : [to];
    }
    case "place":
    case "stack": {
      const stride = own.strides[e.dim]!;
      const j = e.kind === "place" ? e.at : which;
      return [(Math.floor(at / stride) * own.sizes[e.dim]! + j) * stride + (at % stride)];
    }
    case "oneHot": {
      const stride = own.strides[e.dim]!;
      const n = own.sizes[e.dim]!;
      if (n > limit) return null;
      const first = Math.floor(at / stride) * stride * n + (at % stride);
      return Array.from({ length: n }, (_, k) => first + k * stride);
    }
    case "softmax": {
      const stride = own.strides[e.dim]!;
      const n = own.sizes[e.dim]!;
      if (n > limit) return null;
      const first = at - (Math.floor(at / stride) % n) * stride;
      return Array.from({ length: n }, (_, k) => first + k * stride);
    }
    case "reduce":
    case "argReduce":
      return [lineOf(e, at)];
    default:
      return broadcastTargets(own, arg, at, limit);
  }
}

function broadcastTargets(
  own: Layout,
  arg: Layout,
  at: number,
  limit: number,
): readonly number[] | null {
  if (arg.count === own.count) return [at];
  if (own.count / Math.max(arg.count, 1) > limit) return null;
  const shift = own.sizes.length - arg.sizes.length;
  let targets = [0];
  own.sizes.forEach((n, d) => {
    const stride = own.strides[d]!;
    const a = d - shift;
    const stretched = a < 0 || arg.sizes[a] === 1;
    if (stretched) {
      targets = targets.flatMap((t) => Array.from({ length: n }, (_, k) => t + k * stride));
    } else {
      const k = Math.floor(at / arg.strides[a]!) % arg.sizes[a]!;
      targets = targets.map((t) => t + k * stride);
    }
  });
  return targets;
}
