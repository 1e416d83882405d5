/**
 * The meaning of every node, written once and plainly: an expression's value by interpreting its
 * graph over any kind of number that knows the elementwise operations (`Arithmetic`). `evaluate.ts`
 * (float64), `bignumber.ts` (64 digits) and `rational.ts` (fractions) are its three instances.
 *
 * It is the reference that faster code is compared with, and is meant for small arrays.
 */
import { type Shape, ShapeError, formatShape, sizesOf } from "./axis.ts";
import type { BinaryOp, Expr, UnaryOp } from "./node.ts";
import { resize, topological } from "./walk.ts";

/** A dense array in row-major order. A scalar has shape []. */
export interface NumericArray<T> {
  readonly shape: readonly number[];
  readonly data: ArrayLike<T>;
}

/** What a kind of number must be able to do. Comparisons return 1 or 0. */
export interface Arithmetic<T> {
  /** The number that a constant of the expression stands for. */
  of(value: number): T;
  unary(op: UnaryOp, x: T): T;
  binary(op: BinaryOp, x: T, y: T): T;
  /** Whether `x` counts as true: different from zero. */
  truthy(x: T): boolean;
  isNaN(x: T): boolean;
  /** The whole number, for one-hot positions; NaN when it is none. */
  toNumber(x: T): number;
}

export type Bindings<T> = ReadonlyMap<string, NumericArray<T>>;

/**
 * The value of `e`. Inputs are taken from `bindings` by name; so are parameters that are bound
 * there, else they have their own value. Axes of unknown size get theirs from the bound arrays.
 *
 * @throws ShapeError when an input is missing or does not have its shape.
 */
export function interpret<T>(
  root: Expr,
  bindings: Bindings<T>,
  on: Arithmetic<T>,
): NumericArray<T> {
  return interpretAll([root], bindings, on)[0]!;
}

/** The values of several expressions over the same bindings; what they share is computed once. */
export function interpretAll<T>(
  roots: readonly Expr[],
  bindings: Bindings<T>,
  on: Arithmetic<T>,
): NumericArray<T>[] {
  const sized = withBoundSizes(roots, bindings);
  const values = new Map<Expr, NumericArray<T>>();
  for (const e of topological(...sized)) {
    const args = e.args.map((a) => values.get(a)!);
    values.set(e, { shape: sizesOf(e.shape), data: dataOf(e, args, bindings, on) });
  }
  return sized.map((e) => values.get(e)!);
}

/** The expressions with every axis of unknown size given the size it has in the bound arrays. */
function withBoundSizes<T>(roots: readonly Expr[], bindings: Bindings<T>): Expr[] {
  const sizes = new Map<string, number>();
  for (const e of topological(...roots)) {
    if (e.kind !== "input") continue;
    const bound = bindings.get(e.name);
    e.shape.forEach((a, d) => {
      if (a.size === null && bound !== undefined) sizes.set(a.name, bound.shape[d] ?? 1);
    });
  }
  return sizes.size === 0 ? [...roots] : roots.map((e) => resize(e, sizes));
}

function dataOf<T>(
  e: Expr,
  args: readonly NumericArray<T>[],
  bindings: Bindings<T>,
  on: Arithmetic<T>,
): ArrayLike<T> {
  const x = args[0]!;
  switch (e.kind) {
    case "const":
      return [on.of(e.value)];
    case "parameter":
      return parameterValue(e, bindings, on);
    case "input":
      return inputValue(e, bindings);
    case "size":
      return [on.of(sizesOf(e.axes).reduce((n, s) => n * s, 1))];
    case "unary":
      return Array.from(x.data, (v) => on.unary(e.op, v));
    case "binary":
      return elementwise(e.shape, args, (a, b) => on.binary(e.op, a, b));
    case "where":
      return elementwise(e.shape, args, (c, a, b) => (on.truthy(c) ? a : b));
    case "clamp":
      return elementwise(e.shape, args, (a, lo, hi) =>
        on.binary("min", on.binary("max", a, lo), hi),
      );
    case "cast":
      return Array.from(x.data, (v) => castValue(e.to, v, on));
    case "stopGradient":
    case "reshape":
      return x.data;
    case "reduce":
      return reduceValue(e.op, x, e.dims, on);
    case "argReduce":
      return argReduceValue(e.op === "argmax" ? "gt" : "lt", x, e.dim, on);
    case "softmax":
      return softmaxValue(x, e.dim, e.log, on);
    case "expand":
      return elementwise(e.shape, args, (a) => a);
    default:
      return rearranged(e, args, on);
  }
}

/** Nodes that only move entries: each entry of the result comes from one place, or is zero. */
function rearranged<T>(
  e: Extract<Expr, { kind: Rearranging }>,
  args: readonly NumericArray<T>[],
  on: Arithmetic<T>,
): T[] {
  const x = args[0]!;
  const zero = on.of(0);
  return entries(sizesOf(e.shape)).map((at) => {
    switch (e.kind) {
      case "transpose": {
        const from: number[] = [];
        e.perm.forEach((p, d) => (from[p] = at[d]!));
        return entry(x, from);
      }
      case "index":
        return entry(x, at.toSpliced(e.dim, 0, e.at));
      case "slice":
        return entry(x, at.with(e.dim, e.start + at[e.dim]! * e.step));
      case "place":
        return at[e.dim] === e.at ? entry(x, at.toSpliced(e.dim, 1)) : zero;
      case "spread": {
        const k = (at[e.dim]! - e.start) / e.step;
        const inside = Number.isInteger(k) && k >= 0 && k < x.shape[e.dim]!;
        return inside ? entry(x, at.with(e.dim, k)) : zero;
      }
      case "slide": {
        const k = at[e.dim]! + e.factor * at[e.by]! + e.start;
        return k >= 0 && k < x.shape[e.dim]! ? entry(x, at.with(e.dim, k)) : zero;
      }
      case "stack":
        return entry(args[at[e.dim]!]!, at.toSpliced(e.dim, 1));
      case "concat": {
        let k = at[e.dim]!;
        for (const part of args) {
          if (k < part.shape[e.dim]!) return entry(part, at.with(e.dim, k));
          k -= part.shape[e.dim]!;
        }
        throw new ShapeError("a concatenation is longer than its parts");
      }
      case "oneHot":
        return on.of(on.toNumber(entry(x, at.toSpliced(e.dim, 1))) === at[e.dim] ? 1 : 0);
    }
  });
}
type Rearranging =
  "transpose" | "index" | "slice" | "place" | "spread" | "slide" | "stack" | "concat" | "oneHot";

function parameterValue<T>(
  e: Extract<Expr, { kind: "parameter" }>,
  bindings: Bindings<T>,
  on: Arithmetic<T>,
): ArrayLike<T> {
  const bound = bindings.get(e.name);
  if (bound?.shape.length === 0) return bound.data;
  if (e.value === null) throw new ShapeError(`the parameter ${e.name} has no value`);
  return [on.of(e.value)];
}

function inputValue<T>(e: Expr & { readonly name: string }, bindings: Bindings<T>): ArrayLike<T> {
  const bound = bindings.get(e.name);
  if (bound === undefined) throw new ShapeError(`there is no array for the input ${e.name}`);
  const want = sizesOf(e.shape);
  if (bound.shape.length !== want.length || bound.shape.some((n, d) => n !== want[d])) {
    throw new ShapeError(
      `the input ${e.name} has shape ${formatShape(e.shape)}, its array (${bound.shape.join(", ")})`,
    );
  }
  return bound.data;
}

/** Casts to a whole number drop the fraction; those to a float keep the mathematical value. */
function castValue<T>(to: string, v: T, on: Arithmetic<T>): T {
  if (to === "bool") return on.of(on.truthy(v) ? 1 : 0);
  if (to !== "int") return v;
  return on.unary(on.truthy(on.binary("lt", v, on.of(0))) ? "ceil" : "floor", v);
}

const COMBINE = { sum: "add", mean: "add", prod: "mul", max: "max", min: "min" } as const;

function reduceValue<T>(
  op: Extract<Expr, { kind: "reduce" }>["op"],
  x: NumericArray<T>,
  dims: readonly number[],
  on: Arithmetic<T>,
): T[] {
  const groups = grouped(x, dims);
  return groups.map((values) => {
    if (op === "any") return on.of(values.some((v) => on.truthy(v)) ? 1 : 0);
    if (op === "all") return on.of(values.every((v) => on.truthy(v)) ? 1 : 0);
    if (values.length === 0) {
      if (op === "max" || op === "min") throw new ShapeError(`${op} of no entries`);
      return op === "mean" ? on.of(NaN) : on.of(op === "prod" ? 1 : 0);
    }
    const total = values.reduce((a, b) => on.binary(COMBINE[op], a, b));
    return op === "mean" ? on.binary("div", total, on.of(values.length)) : total;
  });
}

/** Position of the first largest (smallest) entry; of the first NaN if there is one. */
function argReduceValue<T>(
  beats: "gt" | "lt",
  x: NumericArray<T>,
  dim: number,
  on: Arithmetic<T>,
): T[] {
  return grouped(x, [dim]).map((values) => on.of(positionOfBest(beats, values, on)));
}

/** Of the first of the largest (`gt`) or smallest (`lt`), or of the first NaN if there is one. */
export function positionOfBest<T>(
  beats: "gt" | "lt",
  values: readonly T[],
  on: Arithmetic<T>,
): number {
  let best = 0;
  values.forEach((v, k) => {
    if (on.isNaN(values[best]!)) return;
    if (on.isNaN(v) || on.truthy(on.binary(beats, v, values[best]!))) best = k;
  });
  return best;
}

function softmaxValue<T>(x: NumericArray<T>, dim: number, log: boolean, on: Arithmetic<T>): T[] {
  const kept = x.shape.with(dim, 1);
  const largest = reduceValue("max", x, [dim], on);
  const at = offsets(kept, x.shape);
  const shifted = Array.from(x.data, (v, k) => on.binary("sub", v, largest[at[k]!]!));
  const powers = shifted.map((v) => on.unary("exp", v));
  const total = reduceValue("sum", { shape: x.shape, data: powers }, [dim], on);
  return log
    ? shifted.map((v, k) => on.binary("sub", v, on.unary("log", total[at[k]!]!)))
    : powers.map((v, k) => on.binary("div", v, total[at[k]!]!));
}

/** Of one to three arrays broadcast to `shape`; `f` takes an entry of each. */
function elementwise<T>(
  shape: Shape,
  args: readonly NumericArray<T>[],
  f: (a: T, b: T, c: T) => T,
): T[] {
  const out = sizesOf(shape);
  const count = out.reduce((n, s) => n * s, 1);
  const [a, b = a, c = b] = args as readonly [NumericArray<T>, ...NumericArray<T>[]];
  const [i, j, k] = [a, b, c].map((x) => offsets(x.shape, out)) as [Offsets, Offsets, Offsets];
  const found = new Array<T>(count);
  for (let n = 0; n < count; n++) found[n] = f(a.data[i[n]!]!, b.data[j[n]!]!, c.data[k[n]!]!);
  return found;
}

type Offsets = readonly number[];

/** Offsets by the two shapes: a graph has many nodes of few shapes, and is evaluated many times. */
const known = new Map<string, Offsets>();
const MOST_KNOWN = 2000;

/** For each entry of an array of shape `out`, where it is in one of shape `from` broadcast to it. */
function offsets(from: readonly number[], out: readonly number[]): Offsets {
  const key = `${from.join()}>${out.join()}`;
  let found = known.get(key);
  if (found === undefined) {
    const padded = [...Array<number>(out.length - from.length).fill(1), ...from];
    found = entries(out).map((at) =>
      padded.reduce((offset, n, d) => offset * n + (n === 1 ? 0 : at[d]!), 0),
    );
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, found);
  }
  return found;
}

/** The entries that each entry of a reduction over `dims` combines, in row-major order. */
function grouped<T>(x: NumericArray<T>, dims: readonly number[]): T[][] {
  const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const groups = Array.from({ length: kept.reduce((n, s) => n * s, 1) }, (): T[] => []);
  offsets(kept, x.shape).forEach((g, k) => groups[g]!.push(x.data[k]!));
  return groups;
}

/** Every multi-index of an array of this shape, in row-major order. */
export function entries(shape: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const n of shape) {
    all = all.flatMap((at) => Array.from({ length: n }, (_, k) => [...at, k]));
  }
  return all;
}

function entry<T>(x: NumericArray<T>, at: readonly number[]): T {
  return x.data[x.shape.reduce((offset, n, d) => offset * n + at[d]!, 0)]!;
}
