/** Windows over arrays, padding, and changes of resolution. */
import { type Axis, UNIT, axis, isUnit, normalizeDim } from "../../expression/axis.ts";
import {
  concat,
  constant,
  expand,
  reshape,
  slice,
  slide,
  spread,
  transpose,
  where,
} from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type Window, windowCount } from "../../expression/window.ts";
import { type Interpreter, UnknownSizeError } from "../interpreter/interpreter.ts";
import type { TensorValue } from "../values.ts";
import { selectPositions } from "./gather.ts";
import { isOrdered } from "./ordered.ts";
import { freshLetter, pickedAxes, rankOf, tensor } from "./tensor.ts";

/** The size of an axis, which windows need. */
export function sizeAlong(vm: Interpreter, x: TensorValue, dim: number, what: string): number {
  const d = vm.shaped(() => normalizeDim(dim, rankOf(x)));
  const s = x.selection;
  if (s !== null && isOrdered(s) && d === pickedAxes(s).at) return s.order.count;
  const along = x.expr.shape[d]!;
  if (along.size !== null) return along.size;
  return vm.unsupported(
    `${what} needs the size of axis ${along.name}, which is not known`,
    "Bind arrays to the function's parameters, or give their shapes.",
    new UnknownSizeError([along.name]),
  );
}

/** `before` and `after` entries of `value` on both sides of an axis. */
function padded(e: Expr, dim: number, before: number, after: number, value: number): Expr {
  if (before === 0 && after === 0) return e;
  const old = e.shape[dim]!;
  const along = axis(
    isUnit(old) ? freshLetter(e.shape) : `${old.name}⁺`,
    old.size! + before + after,
    old.role === "unit" ? "space" : old.role,
  );
  const placed = spread(e, dim, before, 1, along);
  if (value === 0) return placed;
  const inside = spread(expand(constant(1, "bool"), e.shape), dim, before, 1, along);
  return where(inside, placed, constant(value));
}

export type PadMode = "constant" | "reflect" | "symmetric" | "replicate" | "circular";

/** Where there and back again between two mirrors leads. */
function mirrored(p: number, low: number, high: number): number {
  const way = 2 * (high - low);
  if (way === 0) return low;
  const gone = (((p - low) % way) + way) % way;
  return low + Math.min(gone, way - gone);
}

/** One axis padded; negative amounts cut entries off. */
export function padAxis(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  [before, after]: readonly [number, number],
  mode: PadMode,
  value: number,
): TensorValue {
  const n = sizeAlong(vm, x, dim, "pad()");
  if (mode === "constant" || (before <= 0 && after <= 0)) {
    const e = vm.shaped(() => {
      const cut = slice(x.expr, dim, Math.max(0, -before), n - Math.max(0, -after));
      return padded(cut, dim, Math.max(0, before), Math.max(0, after), value);
    });
    return tensor(vm, e, x.library, x.dtype);
  }
  const positions = Array.from({ length: before + n + after }, (_, k) => {
    const p = k - before;
    if (mode === "circular") return ((p % n) + n) % n;
    if (mode === "replicate") return Math.min(Math.max(p, 0), n - 1);
    return mode === "symmetric" ? mirrored(p, -0.5, n - 0.5) : mirrored(p, 0, n - 1);
  });
  return selectPositions(vm, x, dim, positions);
}

/**
 * The last axes' windows, their entries along as many new axes at the end, in the order in which
 * PyTorch goes through them.
 */
export function windowsOf(vm: Interpreter, x: TensorValue, w: Window, what: string): Expr {
  const { dims, counts } = fitted(vm, x, w, what);
  const along = (e: Expr, d: number, k: number): Expr => slidAlong(e, d, k, w, x.expr, counts[k]!);
  return vm.shaped(() => dims.reduce(along, x.expr));
}

export function entriesIn(w: Window): number {
  return w.size.reduce((n, s) => n * s, 1);
}

/** Whether windows have several axes, so that they can go along one after another. */
export function isInTurn(w: Window): boolean {
  return w.size.filter((n) => n > 1).length > 1;
}

/** The last axes, which windows go along, and how many windows there are along each. */
export function fitted(vm: Interpreter, x: TensorValue, w: Window, what: string) {
  const rank = x.expr.shape.length;
  const spatial = w.size.length;
  const dims = w.size.map((_, k) => rank - spatial + k);
  if (rank <= spatial) {
    vm.fail("RuntimeError", `${what}: expected ${spatial + 1} or ${spatial + 2} axes, got ${rank}`);
  }
  const sizes = dims.map((d) => sizeAlong(vm, x, d, what));
  const counts = sizes.map((n, k) => windowCount(n, w, k));
  if (counts.some((n) => n < 1)) {
    vm.fail("RuntimeError", `${what}: the window is larger than the array`);
  }
  return { dims, counts };
}

/**
 * The windows along axis `d`, the k-th that has them, with their entries along a new last axis.
 * @param from the array whose windows these are, or were at first
 * @param filler what surrounds it
 */
export function slidAlong(
  e: Expr,
  d: number,
  k: number,
  w: Window,
  from: Expr,
  count: number,
  filler = 0,
): Expr {
  const rank = e.shape.length;
  const result = resultAxis(from.shape[d]!, count, from, k);
  const letter = freshLetter([...e.shape, result], ["i", "j", "k", "u"]);
  const within = axis(letter, w.size[k]!, "element");
  const [stride, step, around] = [w.stride[k]!, w.dilation[k]!, w.padding[k]!];
  // Around what slides there are zeros anyway.
  const wide = filler === 0 ? e : padded(e, d, around, around, filler);
  const start = filler === 0 ? -around : 0;
  const many = expand(reshape(wide, [...wide.shape, UNIT]), [...wide.shape, within]);
  if (stride === 1) return slide(many, d, rank, step, start, result);
  const old = from.shape[d]!;
  const all = axis(`${old.name}⁺`, (count - 1) * stride + 1, old.role);
  const cut = slice(slide(many, d, rank, step, start, all), d, 0, null, stride);
  return reshape(cut, cut.shape.with(d, result));
}

export interface AlongOne {
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** The windows along one axis, in its place, with their entries along a new last axis. */
export function windowsAlong(
  vm: Interpreter,
  x: TensorValue,
  d: number,
  { size, stride, padding, dilation }: AlongOne,
  what: string,
): TensorValue {
  const n = sizeAlong(vm, x, d, what);
  const w = { size: [size], stride: [stride], padding: [padding], dilation: [dilation] };
  const count = windowCount(n, w, 0);
  if (size < 1 || stride < 1 || count < 1) {
    vm.fail("RuntimeError", `${what}: windows of ${size} do not fit an axis of ${n} entries`);
  }
  const e = vm.shaped(() => {
    const isSideBySide = stride === size && padding === 0 && dilation === 1;
    if (!isSideBySide) return slidAlong(x.expr, d, 0, w, x.expr, count);
    const { shape } = x.expr;
    const result = resultAxis(shape[d]!, count, x.expr, 0);
    const within = axis(freshLetter([...shape, result], ["i", "j", "k", "u"]), size, "element");
    const cut = slice(x.expr, d, 0, count * size);
    const apart = reshape(cut, cut.shape.toSpliced(d, 1, result, within));
    const others = apart.shape.flatMap((_, k) => (k === d + 1 ? [] : [k]));
    return transpose(apart, [...others, d + 1]);
  });
  return tensor(vm, e, x.library, x.dtype);
}

/** The axis of the windows: the old one where there are as many. */
function resultAxis(old: Axis, count: number, e: Expr, k: number): Axis {
  if (old.size === count) return old;
  return axis(freshLetter(e.shape, ["q", "r", "s", "u"].slice(k)), count, "space");
}

/** Each entry along `dim` repeated. */
export function repeatEach(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  times: number,
): TensorValue {
  if (times === 1) return x;
  const n = sizeAlong(vm, x, dim, "repeating");
  const e = vm.shaped(() => {
    const { shape } = x.expr;
    const old = shape[dim]!;
    const copies = axis(freshLetter(shape, ["r"]), times, "element");
    const long = axis(freshLetter([...shape, copies], ["q", "s"]), n * times, old.role);
    const lifted = reshape(x.expr, [...shape.slice(0, dim + 1), UNIT, ...shape.slice(dim + 1)]);
    const wide = expand(lifted, [...shape.slice(0, dim + 1), copies, ...shape.slice(dim + 1)]);
    return reshape(wide, [...shape.slice(0, dim), long, ...shape.slice(dim + 1)]);
  });
  return tensor(vm, e, x.library, x.dtype);
}

/** Entries moved on along `dim`; those that leave at the end come in at the beginning. */
export function rollAlong(vm: Interpreter, x: TensorValue, dim: number, by: number): TensorValue {
  const n = sizeAlong(vm, x, dim, "roll()");
  const d = vm.shaped(() => normalizeDim(dim, x.expr.shape.length));
  const cut = n === 0 ? 0 : n - (((by % n) + n) % n);
  if (cut === n || n === 0) return x;
  const e = vm.shaped(() =>
    reshape(concat([slice(x.expr, d, cut, n), slice(x.expr, d, 0, cut)], d), x.expr.shape),
  );
  return tensor(vm, e, x.library, x.dtype);
}

/** The whole array several times over, one after another along `dim`. */
export function tileAlong(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  times: number,
): TensorValue {
  if (times === 1) return x;
  const d = vm.shaped(() => normalizeDim(dim, x.expr.shape.length));
  if (isUnit(x.expr.shape[d]!)) {
    const along = axis(freshLetter(x.expr.shape, ["k"]), times, "class");
    const e = vm.shaped(() =>
      expand(
        x.expr,
        x.expr.shape.map((a, k) => (k === d ? along : a)),
      ),
    );
    return tensor(vm, e, x.library, x.dtype);
  }
  const e = vm.shaped(() =>
    concat(
      Array.from({ length: times }, () => x.expr),
      d,
    ),
  );
  return tensor(vm, e, x.library, x.dtype);
}
