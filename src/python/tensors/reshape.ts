/** Changes of shape: view, reshape, flatten, and which old axes the new ones are. */
import {
  type Axis,
  type Shape,
  ShapeError,
  UNIT,
  axis,
  elementCount,
  flattenAxes,
  formatShape,
  isUnit,
  normalizeDim,
  sameAxis,
  sameShape,
} from "../../expression/axis.ts";
import { expand, reshape, squeeze, transpose, unsqueeze } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type Interpreter, UnknownSizeError } from "../interpreter/interpreter.ts";
import { type TensorValue, type Value, typeName } from "../values.ts";
import { knownEntries } from "./knownEntries.ts";
import { type Rows, flattenPicked, rowsOf } from "./picked.ts";
import { freshLetter, itemsOf, rankOf, viewOf } from "./tensor.ts";

/** One entry of a requested shape: a size, or axes that it stands for, or -1 for what remains. */
interface Wanted {
  readonly size: number | null;
  readonly axes: readonly Axis[] | null;
}

export function reshapeTo(vm: Interpreter, x: TensorValue, sizes: readonly Value[]): TensorValue {
  const wanted = sizes.map((v) => wantedSize(vm, v));
  if (x.selection !== null && wanted.length === 1 && wanted[0]!.size === -1) {
    return flattenPicked(vm, x);
  }
  const rows = rowsOf(vm, [x], []);
  if (rows !== null && isTheirOwnShape(rows, rankOf(x), wanted)) return x;
  return reshaped(vm, x, (e) => reshapeExpr(vm, e, wanted));
}

/** Whether `view(-1, c)` is asked of rows of c entries. */
function isTheirOwnShape(rows: Rows, rank: number, wanted: readonly Wanted[]): boolean {
  return (
    wanted.length === rank &&
    wanted.every((w, d) => {
      if (d === rows.at) return w.size === -1;
      const own = rows.all[0]!.expr.shape[rows.place(d)]!;
      return own.size === null ? sameAxes(own, w) : own.size === w.size;
    })
  );
}

/** A reshape shares memory with a contiguous array; of another it is (mostly) a copy. */
function reshaped(vm: Interpreter, x: TensorValue, read: (e: Expr) => Expr): TensorValue {
  const back = (base: Expr, changed: Expr): Expr => reshape(changed, base.shape);
  return viewOf(vm, x, read, x.contiguous ? back : null, true);
}

/** The new sizes given as separate arguments, or as one tuple or list. */
export function sizesFrom(args: readonly Value[]): readonly Value[] {
  const only = args[0];
  return args.length === 1 && only !== undefined ? (itemsOf(only) ?? args) : args;
}

function wantedSize(vm: Interpreter, v: Value): Wanted {
  if (v.kind !== "number" || v.type === "float") {
    return vm.fail("TypeError", `a size must be an integer, not '${typeName(v)}'`);
  }
  if (v.value !== null || v.axes !== null || v.symbol === null)
    return { size: v.value, axes: v.axes };
  return { size: knownEntries(vm, v.symbol, "the size of an array").data[0]!, axes: null };
}

function reshapeExpr(vm: Interpreter, e: Expr, wanted: readonly Wanted[]): Expr {
  const shape = newShape(vm, e.shape, wanted);
  return sameShape(shape, e.shape) ? e : reshape(e, shape);
}

function newShape(vm: Interpreter, old: Shape, wanted: readonly Wanted[]): Shape {
  const count = elementCount(old);
  const hole = wanted.findIndex((w) => w.size === -1);
  if (wanted.findLastIndex((w) => w.size === -1) !== hole) {
    throw new ShapeError("can only specify one unknown dimension");
  }
  if (count === null || wanted.some((w) => w.size === null))
    return matchUnknown(vm, old, wanted, hole);
  const given = wanted.reduce((n, w) => (w.size === -1 ? n : n * w.size!), 1);
  const rest = count / given;
  if (hole < 0 ? given !== count : !Number.isInteger(rest)) {
    const text = wanted.map((w) => w.size).join(", ");
    throw new ShapeError(`cannot reshape array of size ${count} into shape (${text})`);
  }
  return matchKnown(
    old,
    wanted.map((w) => (w.size === -1 ? rest : w.size!)),
  );
}

/**
 * New axes for known sizes. Runs of old axes whose sizes multiply to the same as a run of new ones
 * belong together: one to one keeps the axis, many to one flattens, one to many splits.
 */
function matchKnown(old: Shape, sizes: readonly number[]): Shape {
  const from = old.filter((a) => !isUnit(a));
  const used = [...old];
  const result: Axis[] = [];
  let i = 0;
  let j = 0;
  while (j < sizes.length) {
    if (sizes[j] === 1) {
      result.push(UNIT);
      j++;
      continue;
    }
    const first = from[i];
    if (first === undefined) {
      result.push(fresh(used, sizes[j]!)); // an empty array
      j++;
      continue;
    }
    let have = first.size!;
    let want = sizes[j]!;
    const news = [want];
    const olds = [first];
    i++;
    j++;
    while (have !== want) {
      if (have < want && i < from.length) {
        olds.push(from[i]!);
        have *= from[i++]!.size!;
      } else if (have > want && j < sizes.length) {
        news.push(sizes[j]!);
        want *= sizes[j++]!;
      } else break;
    }
    if (news.length === 1) result.push(olds.length === 1 ? first : flattenAxes(olds));
    else result.push(...splitInto(olds, news, used));
  }
  return result;
}

function splitInto(olds: readonly Axis[], news: readonly number[], used: Axis[]): Axis[] {
  const parts = olds.flatMap((a) => (a.parts.length > 0 ? [...a.parts] : [a]));
  if (parts.length > olds.length) {
    const again = matchKnown(parts, news);
    if (again.every((a) => isUnit(a) || parts.some((p) => sameAxis(p, a)) || a.parts.length > 0))
      return [...again];
  }
  return news.map((n) => (n === 1 ? UNIT : fresh(used, n)));
}

function fresh(used: Axis[], n: number): Axis {
  const made = axis(freshLetter(used), n);
  used.push(made);
  return made;
}

/** As `matchKnown` while sizes are unknown: by axes from the left, then from the right. */
function matchUnknown(vm: Interpreter, old: Shape, wanted: readonly Wanted[], hole: number): Shape {
  const from = old.filter((a) => !isUnit(a));
  const before = hole < 0 ? wanted : wanted.slice(0, hole);
  const after = hole < 0 ? [] : wanted.slice(hole + 1);
  const left: Axis[] = [];
  let start = 0;
  for (const w of before) {
    const taken = take(from.slice(start), w);
    if (taken === null) return undecided(vm, old);
    left.push(taken.axis);
    start += taken.count;
  }
  const right: Axis[] = [];
  let end = from.length;
  for (const w of [...after].reverse()) {
    const taken = take(from.slice(start, end).reverse(), w, true);
    if (taken === null) return undecided(vm, old);
    right.unshift(taken.axis);
    end -= taken.count;
  }
  const middle = from.slice(start, end);
  if (hole >= 0) return [...left, flattenAxes(middle), ...right];
  return middle.length === 0 ? left : undecided(vm, old);
}

/** The axes at the front (or, reversed, at the back) that make up one wanted size. */
function take(
  from: readonly Axis[],
  w: Wanted,
  reversed = false,
): { axis: Axis; count: number } | null {
  if (w.size === 1) return { axis: UNIT, count: 0 };
  const axes = w.axes?.flatMap((a) => (a.parts.length > 0 ? a.parts : [a])) ?? null;
  if (axes !== null && axes.length > 0) {
    const order = reversed ? [...axes].reverse() : axes;
    const head = from[0];
    if (w.axes!.length === 1 && head !== undefined && sameAxis(head, w.axes![0]!)) {
      return { axis: head, count: 1 };
    }
    if (order.length <= from.length && order.every((a, k) => sameAxis(a, from[k]!))) {
      return { axis: flattenAxes(axes), count: axes.length };
    }
  }
  const next = from[0];
  if (w.size !== null && next?.size === w.size) return { axis: next, count: 1 };
  return null;
}

function undecided(vm: Interpreter, old: Shape): never {
  const unknown = old.filter((a) => a.size === null).map((a) => a.name);
  return vm.fail(
    "Unsupported",
    `this change of shape of ${formatShape(old)} needs its sizes`,
    "Bind arrays to the function's parameters, or give their shapes.",
    new UnknownSizeError(unknown),
  );
}

/** Axes `start` to `end` (inclusive) as one. */
export function flattenRange(
  vm: Interpreter,
  x: TensorValue,
  start: number,
  end: number,
): TensorValue {
  if (x.selection !== null && start === 0 && (end === -1 || end === rankOf(x) - 1)) {
    return flattenPicked(vm, x);
  }
  const shape = x.expr.shape;
  return reshaped(vm, x, (e) => {
    if (shape.length === 0) return reshape(e, [UNIT]);
    const from = normalizeDim(start, shape.length);
    const to = normalizeDim(end, shape.length);
    if (from > to)
      throw new ShapeError("flatten() has invalid args: start_dim cannot come after end_dim");
    if (from === to) return e;
    const joined = flattenAxes(shape.slice(from, to + 1));
    return reshape(e, [...shape.slice(0, from), joined, ...shape.slice(to + 1)]);
  });
}

export function permuteAxes(vm: Interpreter, x: TensorValue, perm: readonly number[]): TensorValue {
  const rank = rankOf(x);
  const positions = vm.shaped(() => perm.map((d) => normalizeDim(d, rank)));
  const rows = rowsOf(vm, [x], []);
  if (rows !== null) {
    const all = positions.flatMap((d) =>
      d === rows.at ? Array.from({ length: rows.span }, (_, k) => d + k) : [rows.place(d)],
    );
    return rows.picked(permuteAxes(vm, rows.all[0]!, all), positions.indexOf(rows.at));
  }
  const inverse = positions.map((_, d) => positions.indexOf(d));
  const trivial = positions.every((p, d) => p === d);
  return viewOf(
    vm,
    x,
    (e) => transpose(e, positions),
    (_, changed) => transpose(changed, inverse),
    x.contiguous && trivial,
  );
}

export function swapAxes(vm: Interpreter, x: TensorValue, a: number, b: number): TensorValue {
  const rank = rankOf(x);
  const [p, q] = vm.shaped(() => [normalizeDim(a, rank), normalizeDim(b, rank)] as const);
  const perm = Array.from({ length: rank }, (_, d) => (d === p ? q : d === q ? p : d));
  return permuteAxes(vm, x, perm);
}

export function moveAxes(
  vm: Interpreter,
  x: TensorValue,
  from: readonly number[],
  to: readonly number[],
): TensorValue {
  const rank = rankOf(x);
  const perm = vm.shaped(() => {
    const sources = from.map((d) => normalizeDim(d, rank));
    const places = to.map((d) => normalizeDim(d, rank));
    const rest = x.expr.shape.map((_, d) => d).filter((d) => !sources.includes(d));
    const order: number[] = [];
    for (let d = 0; d < rank; d++) {
      const k = places.indexOf(d);
      order.push(k >= 0 ? sources[k]! : rest.shift()!);
    }
    return order;
  });
  return permuteAxes(vm, x, perm);
}

export function addAxis(vm: Interpreter, x: TensorValue, dim: number): TensorValue {
  const rows = rowsOf(vm, [x], []);
  if (rows !== null) {
    const d = vm.shaped(() => normalizeDim(dim, rankOf(x) + 1));
    return d <= rows.at
      ? rows.picked(addAxis(vm, rows.all[0]!, d), rows.at + 1)
      : rows.picked(addAxis(vm, rows.all[0]!, d + rows.span - 1));
  }
  return reshapedView(vm, x, (e) => unsqueeze(e, dim));
}

/** Without axes of size 1. PyTorch leaves a named axis of another size alone; NumPy refuses. */
export function dropAxes(
  vm: Interpreter,
  x: TensorValue,
  dims: readonly number[] | null,
): TensorValue {
  const rows = rowsOf(vm, [x], dims ?? []);
  if (rows !== null) {
    const others = Array.from({ length: rankOf(x) }, (_, d) => d).filter((d) => d !== rows.at);
    const shape = rows.all[0]!.expr.shape;
    const asked = (dims ?? others)
      .map(rows.place)
      .filter((d) => dims !== null || isUnit(shape[d]!));
    const before = asked.filter((d) => d < rows.at && isUnit(shape[d]!)).length;
    return rows.picked(dropAxes(vm, rows.all[0]!, asked), rows.at - before);
  }
  const { shape } = x.expr;
  const asked =
    dims === null ? null : vm.shaped(() => dims.map((d) => normalizeDim(d, shape.length)));
  const unknown = shape.filter((a, d) => a.size === null && (asked?.includes(d) ?? true));
  if (unknown.length > 0) {
    vm.fail(
      "Unsupported",
      `whether squeeze() drops axis ${unknown[0]!.name} depends on its size`,
      "Bind arrays to the function's parameters, or give their shapes.",
      new UnknownSizeError(unknown.map((a) => a.name)),
    );
  }
  if (x.library !== "torch" && asked?.some((d) => !isUnit(shape[d]!)) === true) {
    vm.fail("ValueError", "cannot select an axis to squeeze out which has size not equal to one");
  }
  return reshapedView(vm, x, (e) => squeeze(e, asked));
}

/** Axes of size 1 come and go without a copy, whatever the memory order. */
function reshapedView(vm: Interpreter, x: TensorValue, read: (e: Expr) => Expr): TensorValue {
  return viewOf(vm, x, read, (base, changed) => reshape(changed, base.shape));
}

/** Broadcast to sizes as `expand` and `broadcast_to` take them; -1 keeps a size. */
export function expandTo(vm: Interpreter, x: TensorValue, sizes: readonly Value[]): TensorValue {
  const old = x.expr.shape;
  const offset = sizes.length - old.length;
  const used = [...old];
  const shape = sizes.map((v, d): Axis => {
    const w = wantedSize(vm, v);
    const own = old[d - offset];
    if (w.size === -1) return own ?? vm.fail("ValueError", "-1 needs an axis to keep");
    if (own !== undefined && (own.size === w.size || sameAxes(own, w))) return own;
    const given = w.axes?.length === 1 ? w.axes[0] : undefined;
    if (given !== undefined) return given;
    if (w.size === 1) return UNIT;
    if (w.size === null) return vm.unsupported("this size is not known here");
    return fresh(used, w.size);
  });
  return expandShape(vm, x, shape);
}

function sameAxes(own: Axis, w: Wanted): boolean {
  return w.size === null && w.axes?.length === 1 && sameAxis(own, w.axes[0]!);
}

export function expandShape(vm: Interpreter, x: TensorValue, shape: Shape): TensorValue {
  const read = (e: Expr): Expr => (sameShape(e.shape, shape) ? e : expand(e, shape));
  return viewOf(vm, x, read, null, false);
}

/** A shape given by numbers, for zeros(…) and the like; sizes taken from a tensor keep its axes. */
export function shapeFrom(vm: Interpreter, sizes: readonly Value[]): Shape {
  const used: Axis[] = [];
  return sizes.map((v) => {
    const w = wantedSize(vm, v);
    if (w.axes?.length === 1 && !used.some((a) => a.name === w.axes![0]!.name)) {
      used.push(w.axes[0]!);
      return w.axes[0]!;
    }
    if (w.size === 1) return UNIT;
    if (w.size === null || w.size < 0) return vm.unsupported("this size is not known here");
    return fresh(used, w.size);
  });
}
