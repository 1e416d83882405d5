/**
 * Where shapes change and values do not. Reshapes and transposes float outwards through elementwise
 * operations until a reduction absorbs them or they cancel; broadcasts are left to the operations.
 */
import { type Axis, type Shape, UNIT, broadcast, isUnit } from "./axis.ts";
import * as b from "./build.ts";
import type { Expr } from "./node.ts";

/** Position by position the same sizes (names apart). */
export function sameSizes(s: Shape, t: Shape): boolean {
  return s.length === t.length && s.every((a, d) => a.size === t[d]!.size);
}

/** `x` stretched to `shape` unless it has it. */
export function fit(x: Expr, shape: Shape): Expr {
  return sameSizes(x.shape, shape) ? x : b.expand(x, shape);
}

/** The axis of `x` opposite position `d` of a shape of `rank` axes; UNIT where it has none. */
export function axisAt(x: Expr, d: number, rank: number): Axis {
  return x.shape[d - (rank - x.shape.length)] ?? UNIT;
}

/** Whether `x` varies (may vary) along every axis of `shape` that has more than one entry. */
export function coversAll(x: Expr, shape: Shape): boolean {
  return shape.every((a, d) => isUnit(a) || !isUnit(axisAt(x, d, shape.length)));
}

/** The broadcast shape of all. */
export function commonShape(items: readonly Expr[]): Shape {
  return items.reduce<Shape>((s, x) => broadcast(s, x.shape), []);
}

/** `x` without a stretch, and without axes of size 1 in front, which broadcasting gives back. */
export function unstretched(x: Expr): Expr {
  if (x.kind === "expand") return unstretched(x.args[0]!);
  if (x.kind === "reshape") {
    const y = x.args[0]!;
    const lead = x.shape.length - y.shape.length;
    if (lead > 0 && x.shape.slice(0, lead).every(isUnit) && sameSizes(x.shape.slice(lead), y.shape))
      return y;
  }
  return x;
}

/** Positions of a reshape's argument and of its result that hold the same entries. */
export interface Block {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * A reshape taken apart into blocks as small as possible, in order: by the names of the axes that
 * were flattened, or by sizes. Axes of size 1 join the block before them. `null`: cannot be told.
 */
export function reshapeBlocks(from: Shape, to: Shape): Block[] | null {
  return match(from, to, leafNames) ?? match(from, to, sizeFactors);
}

/** What an axis is made of, as a list to be concatenated; `null` when that is not known. */
type Parts = (a: Axis) => readonly (string | number)[] | null;
const leafNames: Parts = (a) =>
  a.parts.length > 0 ? a.parts.flatMap((p) => leafNames(p)!) : isUnit(a) ? [] : [a.name];
const sizeFactors: Parts = (a) => (a.size === null ? null : isUnit(a) ? [] : [a.size]);

function match(from: Shape, to: Shape, parts: Parts): Block[] | null {
  const byName = parts === leafNames;
  const blocks: Block[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const block = { from: [] as number[], to: [] as number[] };
    const have: (string | number)[] = [];
    const want: (string | number)[] = [];
    const take = (side: "from" | "to"): boolean => {
      const at = side === "from" ? i++ : j++;
      const shape = side === "from" ? from : to;
      if (at >= shape.length) return false;
      const p = parts(shape[at]!);
      if (p === null) return false;
      (side === "from" ? have : want).push(...p);
      block[side].push(at);
      return true;
    };
    // Units alone first; then whichever side is behind takes another axis.
    while (i < from.length && isUnit(from[i]!)) take("from");
    while (j < to.length && isUnit(to[j]!)) take("to");
    if (i < from.length || j < to.length) {
      if (!take("from") || !take("to")) return null;
      for (;;) {
        const order = byName ? have.length - want.length : product(have) - product(want);
        if (order === 0) break;
        if (!take(order < 0 ? "from" : "to")) return null;
      }
      if (byName && have.some((name, k) => name !== want[k])) return null;
      while (i < from.length && isUnit(from[i]!)) take("from");
      while (j < to.length && isUnit(to[j]!)) take("to");
    }
    blocks.push(block);
  }
  return blocks;
}

function product(sizes: readonly (string | number)[]): number {
  return sizes.reduce<number>((n, s) => n * Number(s), 1);
}

/** Operands freed of a view (a reshape or a transpose), and the way back for their result. */
export interface Pulled {
  readonly items: readonly Expr[];
  readonly back: (e: Expr) => Expr;
}

/**
 * The operands of an elementwise operation of shape `shape` without the reshape or the transpose
 * they share. Operands that the operation stretches may follow; one of full extent must share it.
 */
export function pullView(items: readonly Expr[], shape: Shape): Pulled | null {
  for (const r of items) {
    if (r.shape.length === 0 || !sameSizes(r.shape, shape)) continue;
    const pulled =
      r.kind === "reshape"
        ? pullReshape(items, r.args[0]!, r.shape)
        : r.kind === "transpose"
          ? pullTranspose(items, r.args[0]!, r.perm)
          : null;
    if (pulled !== null) return pulled;
  }
  return null;
}

function pullReshape(items: readonly Expr[], inner: Expr, shape: Shape): Pulled | null {
  const blocks = reshapeBlocks(inner.shape, shape);
  if (blocks === null) return null;
  const converted: Expr[] = [];
  for (const t of items) {
    const c = followReshape(t, inner, shape, blocks);
    if (c === null) return null;
    converted.push(c);
  }
  return { items: converted, back: (e) => b.reshape(e, shape) };
}

function followReshape(t: Expr, inner: Expr, shape: Shape, blocks: readonly Block[]): Expr | null {
  if (t.shape.length === 0) return t;
  if (sameSizes(t.shape, shape)) {
    const y = t.kind === "reshape" ? t.args[0]! : null;
    return y !== null && sameSizes(y.shape, inner.shape) ? y : null;
  }
  const target: Axis[] = inner.shape.map(() => UNIT);
  for (const { from, to } of blocks) {
    const varying = to.filter((d) => !isUnit(axisAt(t, d, shape.length)));
    if (varying.length === 0) continue;
    const source = from.filter((d) => !isUnit(inner.shape[d]!));
    const full = to.filter((d) => !isUnit(shape[d]!));
    if (source.length !== 1 || full.length !== 1 || varying[0] !== full[0]) return null;
    target[source[0]!] = inner.shape[source[0]!]!;
  }
  const lead = target.findIndex((a) => !isUnit(a));
  return b.reshape(t, lead < 0 ? [] : target.slice(lead));
}

function pullTranspose(
  items: readonly Expr[],
  inner: Expr,
  perm: readonly number[],
): Pulled | null {
  const converted: Expr[] = [];
  for (const t of items) {
    const c = followTranspose(t, inner, perm);
    if (c === null) return null;
    converted.push(c);
  }
  return { items: converted, back: (e) => b.transpose(e, perm) };
}

function followTranspose(t: Expr, inner: Expr, perm: readonly number[]): Expr | null {
  if (t.shape.length === 0) return t;
  if (t.kind === "transpose" && t.perm.join() === perm.join()) return t.args[0]!;
  const varying = perm.flatMap((_, d) => (isUnit(axisAt(t, d, perm.length)) ? [] : [d]));
  if (varying.length === perm.filter((p) => !isUnit(inner.shape[p]!)).length) return null;
  const places = varying.map((d) => perm[d]!);
  if (places.some((p, k) => k > 0 && p < places[k - 1]!)) return null;
  const target = inner.shape.map((a, d) => (places.includes(d) ? a : UNIT));
  const lead = target.findIndex((a) => !isUnit(a));
  return b.reshape(t, lead < 0 ? [] : target.slice(lead));
}

export function isZero(e: Expr): boolean {
  const x = unstretched(e);
  return x.kind === "const" && x.value === 0;
}
