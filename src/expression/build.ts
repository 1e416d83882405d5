/**
 * Constructors of expression nodes, with NumPy's shape rules. They build what was written and do
 * not simplify: `simplify.ts` does, so that a derivation can show the loss as its author wrote it.
 *
 * Every function throws `ShapeError` when shapes do not fit.
 */
import {
  type Axis,
  type Shape,
  ShapeError,
  UNIT,
  axis,
  broadcast,
  elementCount,
  flattenAxes,
  formatShape,
  isUnit,
  normalizeDim,
} from "./axis.ts";
import {
  type BinaryOp,
  type CastTarget,
  type Expr,
  type Input,
  type ReduceOp,
  type ScalarType,
  type Slice,
  type Spread,
} from "./node.ts";
import { type UnaryOp, intern, internLike } from "./node.ts";

export function constant(value: number, type?: ScalarType): Expr {
  return intern({ kind: "const", value, shape: [], type: type ?? "float", args: [] });
}
export const ZERO = constant(0);
export const ONE = constant(1);

export function parameter(name: string, value: number | null): Expr {
  return intern({ kind: "parameter", name, value, shape: [], type: "float", args: [] });
}

export function input(name: string, shape: Shape, type: ScalarType = "float"): Expr {
  return intern({ kind: "input", name, shape, type, args: [] });
}

/** The positions 0, 1, … along an axis. */
export function positions(name: string, along: Axis): Expr {
  return intern({ kind: "input", name, positions: true, shape: [along], type: "int", args: [] });
}

/** An input under another name. */
export function renamedInput(e: Input, name: string): Expr {
  const { id: _id, ...rest } = e;
  return intern({ ...rest, name });
}

/**
 * Product of the sizes of `axes`. It stays a `size` node where the sizes are known, so that it
 * follows a `resize` and can be printed by its name; its value is then `elementCount(axes)`.
 */
export function size(axes: readonly Axis[]): Expr {
  const parts = axes
    .flatMap((a) => (a.parts.length > 0 ? a.parts : [a]))
    .filter((a) => a.role !== "unit" || !isUnit(a));
  if (parts.length === 0) return ONE;
  return intern({ kind: "size", axes: parts, shape: [], type: "float", args: [] });
}

const BOOLEAN_UNARY = new Set<UnaryOp>(["not", "isnan", "isfinite"]);
const TYPE_KEEPING_UNARY = new Set<UnaryOp>([
  "neg",
  "abs",
  "sign",
  "relu",
  "round",
  "floor",
  "ceil",
]);

export function unary(op: UnaryOp, x: Expr): Expr {
  const type = BOOLEAN_UNARY.has(op)
    ? "bool"
    : TYPE_KEEPING_UNARY.has(op) && x.type === "int"
      ? "int"
      : "float";
  return intern({ kind: "unary", op, shape: x.shape, type, args: [x] });
}
export const neg = (x: Expr): Expr => unary("neg", x);
export const exp = (x: Expr): Expr => unary("exp", x);
export const log = (x: Expr): Expr => unary("log", x);
export const sqrt = (x: Expr): Expr => unary("sqrt", x);
export const abs = (x: Expr): Expr => unary("abs", x);
export const sign = (x: Expr): Expr => unary("sign", x);
export const sigmoid = (x: Expr): Expr => unary("sigmoid", x);

const BOOLEAN_BINARY = new Set<BinaryOp>(["eq", "ne", "lt", "le", "gt", "ge", "and", "or"]);

export function binary(op: BinaryOp, a: Expr, b: Expr): Expr {
  const type = BOOLEAN_BINARY.has(op)
    ? "bool"
    : op !== "div" && a.type !== "float" && b.type !== "float"
      ? "int"
      : "float";
  return intern({ kind: "binary", op, shape: broadcast(a.shape, b.shape), type, args: [a, b] });
}
export const add = (a: Expr, b: Expr): Expr => binary("add", a, b);
export const sub = (a: Expr, b: Expr): Expr => binary("sub", a, b);
export const mul = (a: Expr, b: Expr): Expr => binary("mul", a, b);
export const div = (a: Expr, b: Expr): Expr => binary("div", a, b);
export const pow = (a: Expr, b: Expr): Expr => binary("pow", a, b);

export function where(condition: Expr, a: Expr, b: Expr): Expr {
  const shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
  const type =
    a.type === b.type ? a.type : a.type === "float" || b.type === "float" ? "float" : "int";
  return intern({ kind: "where", shape, type, args: [condition, a, b] });
}

/** Limits `x` to [lo, hi]; a missing bound is open. Gradient 1 inside and on the bounds, else 0. */
export function clamp(x: Expr, lo: Expr | null, hi: Expr | null): Expr {
  const low = lo ?? constant(-Infinity);
  const high = hi ?? constant(Infinity);
  const shape = broadcast(x.shape, broadcast(low.shape, high.shape));
  return intern({ kind: "clamp", shape, type: x.type, args: [x, low, high] });
}

export function cast(x: Expr, to: CastTarget): Expr {
  const type = to === "int" || to === "bool" ? to : "float";
  return intern({ kind: "cast", to, shape: x.shape, type, args: [x] });
}

export function stopGradient(x: Expr): Expr {
  return intern({ kind: "stopGradient", shape: x.shape, type: x.type, args: [x] });
}

/** Reduction over `dims` (all when `null`); negative positions count from the end. */
export function reduce(
  op: ReduceOp,
  x: Expr,
  dims: readonly number[] | null,
  keepDims = false,
): Expr {
  const rank = x.shape.length;
  const positions = (dims ?? x.shape.map((_, d) => d)).map((d) => normalizeDim(d, rank));
  if (new Set(positions).size !== positions.length) {
    throw new ShapeError(`axis named twice in a reduction over ${positions.join(", ")}`);
  }
  positions.sort((p, q) => p - q);
  const gone = new Set(positions);
  const shape = keepDims
    ? x.shape.map((a, d) => (gone.has(d) ? UNIT : a))
    : x.shape.filter((_, d) => !gone.has(d));
  const type =
    op === "any" || op === "all" ? "bool" : op === "mean" || x.type === "float" ? "float" : "int";
  return intern({ kind: "reduce", op, dims: positions, keepDims, shape, type, args: [x] });
}
export const sum = (x: Expr, dims: readonly number[] | null = null, keepDims = false): Expr =>
  reduce("sum", x, dims, keepDims);
export const mean = (x: Expr, dims: readonly number[] | null = null, keepDims = false): Expr =>
  reduce("mean", x, dims, keepDims);

export function argReduce(op: "argmax" | "argmin", x: Expr, dim: number, keepDims = false): Expr {
  const d = normalizeDim(dim, x.shape.length);
  const shape = keepDims
    ? x.shape.map((a, k) => (k === d ? UNIT : a))
    : x.shape.filter((_, k) => k !== d);
  return intern({ kind: "argReduce", op, dim: d, keepDims, shape, type: "int", args: [x] });
}

export function softmax(x: Expr, dim: number, log = false): Expr {
  const d = normalizeDim(dim, x.shape.length);
  return intern({ kind: "softmax", dim: d, log, shape: x.shape, type: "float", args: [x] });
}

export function reshape(x: Expr, shape: Shape): Expr {
  const have = elementCount(x.shape);
  const want = elementCount(shape);
  if (have !== null && want !== null && have !== want) {
    throw new ShapeError(
      `cannot reshape ${formatShape(x.shape)} (${have} entries) to ${formatShape(shape)} (${want})`,
    );
  }
  return intern({ kind: "reshape", shape, type: x.type, args: [x] });
}

/** All axes, or those from `start` to `end` (included), as one in row-major order. */
export function flatten(x: Expr, start = 0, end = -1): Expr {
  const rank = x.shape.length;
  if (rank === 0) return reshape(x, [UNIT]);
  const from = normalizeDim(start, rank);
  const to = normalizeDim(end, rank);
  if (from >= to) return x;
  const merged = flattenAxes(x.shape.slice(from, to + 1));
  return reshape(x, [...x.shape.slice(0, from), merged, ...x.shape.slice(to + 1)]);
}

export function transpose(x: Expr, perm: readonly number[]): Expr {
  const rank = x.shape.length;
  const p = perm.map((d) => normalizeDim(d, rank));
  if (p.length !== rank || new Set(p).size !== rank) {
    throw new ShapeError(
      `(${perm.join(", ")}) is not an order of the axes of ${formatShape(x.shape)}`,
    );
  }
  return intern({
    kind: "transpose",
    perm: p,
    shape: p.map((d) => x.shape[d]!),
    type: x.type,
    args: [x],
  });
}

export function expand(x: Expr, shape: Shape): Expr {
  const got = broadcast(x.shape, shape);
  const stretches = got.length === shape.length && got.every((a, d) => a.size === shape[d]!.size);
  if (!stretches) {
    throw new ShapeError(`${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`);
  }
  return intern({ kind: "expand", shape, type: x.type, args: [x] });
}

export function index(x: Expr, dim: number, at: number): Expr {
  const d = normalizeDim(dim, x.shape.length);
  const n = x.shape[d]!.size;
  const position = at < 0 && n !== null ? at + n : at;
  if (!Number.isInteger(position) || position < 0 || (n !== null && position >= n)) {
    throw new ShapeError(`index ${at} is out of range for axis ${d} of ${formatShape(x.shape)}`);
  }
  const shape = x.shape.filter((_, k) => k !== d);
  return intern({ kind: "index", dim: d, at: position, shape, type: x.type, args: [x] });
}

/** Python's start:stop:step with step > 0 along `dim`; the axis must have a known size. */
export function slice(
  x: Expr,
  dim: number,
  start: number | null,
  stop: number | null,
  step = 1,
): Expr {
  const d = normalizeDim(dim, x.shape.length);
  const old = x.shape[d]!;
  if (old.size === null)
    throw new ShapeError(`cannot slice axis ${old.name}: its size is not known`);
  if (!Number.isInteger(step) || step <= 0)
    throw new ShapeError(`slice step ${step} is not positive`);
  const n = old.size;
  const clip = (v: number): number => Math.min(Math.max(v < 0 ? v + n : v, 0), n);
  const from = clip(start ?? 0);
  const to = clip(stop ?? n);
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count === n && step === 1) return x;
  // The name keeps the letter, so that a formula still says which index runs, and over what.
  const cut = axis(`${old.name}′${from}:${to}:${step}`, count, old.role);
  const shape = x.shape.map((a, k) => (k === d ? cut : a));
  return intern({ kind: "slice", dim: d, start: from, step, shape, type: x.type, args: [x] });
}

/** Adjoint of `index`: a new axis at `dim`, zero except at `at`. */
export function place(x: Expr, dim: number, at: number, along: Axis): Expr {
  const shape = [...x.shape.slice(0, dim), along, ...x.shape.slice(dim)];
  return intern({ kind: "place", dim, at, shape, type: x.type, args: [x] });
}

/** Adjoint of `slice`: entries go to start, start+step, … of axis `along`, zero elsewhere. */
export function spread(x: Expr, dim: number, start: number, step: number, along: Axis): Expr {
  const shape = x.shape.map((a, k) => (k === dim ? along : a));
  return intern({ kind: "spread", dim, start, step, shape, type: x.type, args: [x] });
}

/**
 * Entries that slide along `dim`, an axis `along` of the result, with the position along `by`: the
 * one at i, k is that of `x` at i + factor·k + start, k, or zero where there is none.
 */
export function slide(
  x: Expr,
  dim: number,
  by: number,
  factor: number,
  start: number,
  along: Axis,
): Expr {
  if (dim === by) throw new ShapeError(`axis ${dim} cannot slide by its own position`);
  const shape = x.shape.map((a, k) => (k === dim ? along : a));
  return intern({ kind: "slide", dim, by, factor, start, shape, type: x.type, args: [x] });
}

export function stack(xs: readonly Expr[], dim: number, along?: Axis): Expr {
  const first = xs[0];
  if (first === undefined) throw new ShapeError("cannot stack an empty list of arrays");
  const shape = xs.reduce<Shape>((s, x) => {
    if (x.shape.length !== s.length)
      throw new ShapeError(`cannot stack ${formatShape(s)} with ${formatShape(x.shape)}`);
    return broadcast(s, x.shape);
  }, first.shape);
  for (const x of xs) {
    if (!x.shape.every((a, d) => a.size === shape[d]!.size)) {
      throw new ShapeError(`cannot stack ${formatShape(shape)} with ${formatShape(x.shape)}`);
    }
  }
  const d = normalizeDim(dim, shape.length + 1);
  const full = [...shape.slice(0, d), along ?? axis("k", xs.length, "class"), ...shape.slice(d)];
  return intern({ kind: "stack", dim: d, shape: full, type: commonType(xs), args: xs });
}

export function concat(xs: readonly Expr[], dim: number): Expr {
  const first = xs[0];
  if (first === undefined) throw new ShapeError("cannot concatenate an empty list of arrays");
  const d = normalizeDim(dim, first.shape.length);
  let total: number | null = 0;
  for (const x of xs) {
    const fits =
      x.shape.length === first.shape.length &&
      x.shape.every((a, k) => k === d || a.size === first.shape[k]!.size);
    if (!fits)
      throw new ShapeError(
        `cannot concatenate ${formatShape(first.shape)} and ${formatShape(x.shape)} along axis ${d}`,
      );
    const n: number | null = x.shape[d]!.size;
    total = total === null || n === null ? null : total + n;
  }
  const old = first.shape[d]!;
  const joined =
    isUnit(old) || total !== old.size
      ? axis(
          old.name === "1" ? "k" : `${old.name}⁺`,
          total,
          old.role === "unit" ? "class" : old.role,
        )
      : old;
  const shape = first.shape.map((a, k) => (k === d ? joined : a));
  return intern({ kind: "concat", dim: d, shape, type: commonType(xs), args: xs });
}

/** New axis `classes` at `dim` (may be `rank`, i.e. last): 1 where `x` equals the position. */
export function oneHot(x: Expr, classes: Axis, dim: number): Expr {
  const d = normalizeDim(dim, x.shape.length + 1);
  const shape = [...x.shape.slice(0, d), classes, ...x.shape.slice(d)];
  return intern({ kind: "oneHot", dim: d, shape, type: "int", args: [x] });
}

/** New axis of size 1 at `dim`. */
export function unsqueeze(x: Expr, dim: number): Expr {
  const d = normalizeDim(dim, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, d), UNIT, ...x.shape.slice(d)]);
}

/** Without the axes of size 1 at `dims` (all of them when `null`). */
export function squeeze(x: Expr, dims: readonly number[] | null = null): Expr {
  const chosen = dims?.map((d) => normalizeDim(d, x.shape.length));
  const shape = x.shape.filter(
    (a, d) => !isUnit(a) || (chosen !== undefined && !chosen.includes(d)),
  );
  return shape.length === x.shape.length ? x : reshape(x, shape);
}

function commonType(xs: readonly Expr[]): ScalarType {
  if (xs.some((x) => x.type === "float")) return "float";
  return xs.every((x) => x.type === "bool") ? "bool" : "int";
}

/** The same operation on other arguments (whose shapes may differ); leaves return themselves. */
export function withArgs(e: Expr, args: readonly Expr[]): Expr {
  if (args.every((a, k) => a === e.args[k])) return e;
  const x = args[0]!;
  switch (e.kind) {
    case "const":
    case "parameter":
    case "input":
    case "size":
      return e;
    case "unary":
      return unary(e.op, x);
    case "binary":
      return binary(e.op, x, args[1]!);
    case "where":
      return where(x, args[1]!, args[2]!);
    case "clamp":
      return clamp(x, args[1]!, args[2]!);
    case "cast":
      return cast(x, e.to);
    case "stopGradient":
      return stopGradient(x);
    case "reduce":
      return reduce(e.op, x, e.dims, e.keepDims);
    case "argReduce":
      return argReduce(e.op, x, e.dim, e.keepDims);
    case "softmax":
      return softmax(x, e.dim, e.log);
    case "reshape":
      return reshape(x, e.shape);
    case "transpose":
      return transpose(x, e.perm);
    case "expand":
      return expand(x, e.shape);
    case "index":
      return index(x, e.dim, e.at);
    case "slice":
    case "spread":
      checkInside(e, (e.kind === "slice" ? x : e).shape[e.dim], (e.kind === "slice" ? e : x).shape);
      return internLike(e, reshapedAround(e, x), [x]);
    case "slide":
      if (Math.max(e.dim, e.by) >= x.shape.length) {
        throw new ShapeError(`there is no axis ${Math.max(e.dim, e.by)} to slide along`);
      }
      return internLike(e, reshapedAround(e, x), [x]);
    case "oneHot":
    case "place":
      return internLike(e, reshapedAround(e, x), [x]);
    case "stack":
      return stack(args, e.dim, e.shape[e.dim]);
    case "concat":
      return internLike(e, joinedShape(e, args), args);
  }
}

/** @throws ShapeError when the entries that a slice takes do not all exist. */
function checkInside(e: Slice | Spread, along: Axis | undefined, cut: Shape): void {
  const taken = cut[e.dim];
  if (along === undefined || taken === undefined) {
    throw new ShapeError(`there is no axis ${e.dim} to take entries of`);
  }
  const count = taken.size;
  if (along.size === null || count === null || count === 0) return;
  const last = e.start + (count - 1) * e.step;
  if (last >= along.size) {
    throw new ShapeError(`entry ${last} is out of range for axis ${along.name} of ${along.size}`);
  }
}

function joinedShape(e: Expr & { readonly dim: number }, args: readonly Expr[]): Shape {
  const sizes = args.map((a) => {
    const along = a.shape[e.dim];
    if (along === undefined) throw new ShapeError(`there is no axis ${e.dim} to join along`);
    return along.size;
  });
  const total = sizes.reduce<number | null>((n, s) => (n === null || s === null ? null : n + s), 0);
  return reshapedAround(e, args[0]!).map((a, k) => (k === e.dim ? { ...a, size: total } : a));
}

/** The node's own axis at `dim` among the (possibly new) other axes of its argument. */
function reshapedAround(e: Expr & { readonly dim: number }, x: Expr): Shape {
  const own = e.shape[e.dim]!;
  const adds = e.kind === "oneHot" || e.kind === "place";
  return adds
    ? [...x.shape.slice(0, e.dim), own, ...x.shape.slice(e.dim)]
    : x.shape.map((a, k) => (k === e.dim ? own : a));
}
