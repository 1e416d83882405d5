/** Entries that lie in another order than that of their node, and how such orders are changed. */
import { type Axis, type Shape, UNIT } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { sizeProduct } from "./typedArrays.ts";

/**
 * A node's entries in another order: axis d of the node is made of the axes `axes[d]` of `expr`, the
 * slowest first. Every axis of `expr` is listed once. An axis of the node that is longer than what
 * it is made of is stretched: its entries are all the same.
 */
export interface Laid {
  readonly expr: Expr;
  readonly axes: readonly (readonly number[])[];
}

/** Entries in the order of their node. */
export function plain(expr: Expr): Laid {
  return { expr, axes: expr.shape.map((_, d) => [d]) };
}

export function isPlain({ expr, axes }: Laid, shape: Shape): boolean {
  return hasShape(expr, shape) && axes.every((list, d) => list.length === 1 && list[0] === d);
}

export function hasShape(expr: Expr, shape: Shape): boolean {
  return (
    expr.shape.length === shape.length && expr.shape.every((a, d) => a.size === shape[d]!.size)
  );
}

export function isAscending(order: readonly number[]): boolean {
  return order.every((p, k) => k === 0 || order[k - 1]! < p);
}

/** How long what axis `d` is made of is. */
export function madeOf({ expr, axes }: Laid, d: number): number {
  return sizeProduct(axes[d]!.map((p) => expr.shape[p]!.size!));
}

/** The entries in the node's own order. */
export function inOwnOrder(x: Laid, shape: Shape): Expr {
  const { expr, axes } = x;
  const order = axes.flat();
  const ordered = isAscending(order) ? expr : b.transpose(expr, order);
  const unstretched = shape.map((a, d) => (madeOf(x, d) === a.size ? a : UNIT));
  const reshaped = hasShape(ordered, unstretched) ? ordered : b.reshape(ordered, unstretched);
  return hasShape(reshaped, shape) ? reshaped : b.expand(reshaped, shape);
}

/**
 * With all entries of the axes at `dims` (of all axes by default) written out. They go before the
 * others, but between them where these have the order of a reversed file, so that it is kept.
 */
export function solid(x: Laid, shape: Shape, dims?: readonly number[]): Laid {
  const short = shape.flatMap((a, d) =>
    (dims?.includes(d) ?? true) && madeOf(x, d) !== a.size ? [d] : [],
  );
  if (short.length === 0) return x;
  const bare = withoutUnits(x);
  if (isDescending(bare)) return solidInReverse(bare, shape, short);
  let out = bare;
  for (const d of short.toReversed()) out = withAxis(out, d);
  const full = out.expr.shape.map((a, p) => (p < short.length ? shape[short[p]!]! : a));
  return { expr: b.expand(out.expr, full), axes: out.axes };
}

/** Whether several axes lie the last one of the node first. */
function isDescending({ axes }: Laid): boolean {
  const order = axes.flat();
  return order.length > 1 && isAscending(order.toReversed());
}

function solidInReverse({ expr, axes }: Laid, shape: Shape, short: readonly number[]): Laid {
  const last = shape.length - 1;
  const dims = shape.flatMap((_, k) =>
    axes[last - k]!.length > 0 || short.includes(last - k) ? [last - k] : [],
  );
  const bare = dims.map((d) => (short.includes(d) ? UNIT : expr.shape[axes[d]![0]!]!));
  const full = dims.map((d, p) => (short.includes(d) ? shape[d]! : bare[p]!));
  return {
    expr: b.expand(b.reshape(expr, bare), full),
    axes: axes.map((_, d) => (dims.includes(d) ? [dims.indexOf(d)] : [])),
  };
}

/** With a new slowest axis of size 1, of which axis `d` is made, that was made of none. */
export function withAxis({ expr, axes }: Laid, d: number): Laid {
  return {
    expr: b.unsqueeze(expr, 0),
    axes: axes.map((list, k) => (k === d ? [0] : list.map((p) => p + 1))),
  };
}

/** Without axes of size 1, which could stand anywhere. */
export function withoutUnits(x: Laid): Laid {
  const kept = x.expr.shape.flatMap((a, p) => (a.size === 1 ? [] : [p]));
  if (kept.length === x.expr.shape.length) return x;
  const shape = kept.map((p) => x.expr.shape[p]!);
  return {
    expr: b.reshape(x.expr, shape),
    axes: x.axes.map((list) => list.filter((p) => kept.includes(p)).map((p) => kept.indexOf(p))),
  };
}

/**
 * Arguments that stretch to one shape, laid alike: as the largest of them. Null where one of them
 * would have to be divided otherwise than along its axes.
 * @param free an axis along which they may have any sizes
 */
export function together(
  args: readonly Laid[],
  shapes: readonly Shape[],
  free?: number,
): { readonly exprs: readonly Expr[]; readonly axes: Laid["axes"] } | null {
  const rank = Math.max(...shapes.map((s) => s.length));
  const aligned = args.map(({ expr, axes }): Laid => {
    const missing = Array.from({ length: rank - axes.length }, () => []);
    return { expr, axes: [...missing, ...axes] };
  });
  const weight = (k: number): number =>
    2 * countOf(args[k]!.expr) + (isPlain(args[k]!, shapes[k]!) ? 0 : 1);
  const leading = args.reduce((best, _, k) => (weight(k) > weight(best) ? k : best), 0);
  let lead = aligned[leading]!;
  for (let d = rank - 1; d >= 0; d--) {
    const isWanted = lead.axes[d]!.length === 0 && aligned.some((x) => madeOf(x, d) !== 1);
    if (isWanted) lead = withAxis(lead, d);
  }
  const exprs = aligned.map((x, k) => (k === leading ? lead.expr : fittedTo(lead, x, free)));
  return exprs.every((x) => x !== null) ? { exprs, axes: lead.axes } : null;
}

/** `x` with the axes of `lead`, of size 1 where it has none; null if that takes dividing others. */
function fittedTo(lead: Laid, x: Laid, free: number | undefined): Expr | null {
  if (x.expr.shape.length === 0) return x.expr;
  /** By the lead's axes, those of `x`. */
  const found = new Array<number | null>(lead.expr.shape.length).fill(null);
  let fitted = withoutUnits(x);
  for (const [d, want] of lead.axes.entries()) {
    if (fitted.axes[d]!.length === 0) continue;
    const sizes = want.map((p) => lead.expr.shape[p]!.size!);
    if (fitted.axes[d]!.length === 1 && want.length > 1) fitted = divided(fitted, d, sizes);
    const { expr, axes } = fitted;
    const have = axes[d]!;
    const fits =
      have.length === want.length &&
      have.every((p, k) => d === free || sizes[k] === 1 || expr.shape[p]!.size === sizes[k]);
    if (!fits) return null;
    have.forEach((p, k) => (found[want[k]!] = p));
  }
  const { expr } = fitted;
  const order = found.filter((p) => p !== null);
  const ordered = isAscending(order) ? expr : b.transpose(expr, order);
  const shape = found.map((p) => (p === null ? UNIT : expr.shape[p]!));
  return hasShape(ordered, shape) ? ordered : b.reshape(ordered, shape);
}

/** With the one axis that axis `d` is made of divided in several, if these make it up. */
function divided(x: Laid, d: number, sizes: readonly number[]): Laid {
  const { expr, axes } = x;
  const at = axes[d]![0]!;
  const old = expr.shape[at]!;
  if (sizeProduct(sizes) !== old.size) return x;
  const parts = sizes.map((size): Axis => ({
    ...old,
    name: `part of ${old.name}`,
    size,
    parts: [],
  }));
  const moved = (p: number): number => (p > at ? p + sizes.length - 1 : p);
  return {
    expr: b.reshape(expr, [...expr.shape.slice(0, at), ...parts, ...expr.shape.slice(at + 1)]),
    axes: axes.map((list, k) => (k === d ? sizes.map((_, i) => at + i) : list.map(moved))),
  };
}

/** Arrays of one rank stretched to the sizes that any of them has, but for the axis `except`. */
export function evened(exprs: readonly Expr[], except: number | null = null): Expr[] {
  const [first] = exprs;
  const full = first!.shape.map((a, p) => exprs.find((x) => x.shape[p]!.size !== 1)?.shape[p] ?? a);
  return exprs.map((x) => {
    const shape = full.map((a, p) => (p === except ? x.shape[p]! : a));
    return hasShape(x, shape) ? x : b.expand(x, shape);
  });
}

/**
 * The entries in their order under another shape; null where its axes are not made of whole ones.
 * @param from the shape that they have had
 */
export function regrouped(x: Laid, from: Shape, shape: Shape): Laid | null {
  const { expr, axes } = withoutUnits(x);
  const rest = from.flatMap((a, d): { axis: number | null; size: number }[] =>
    axes[d]!.length === 0 && a.size !== 1
      ? [{ axis: null, size: a.size! }]
      : axes[d]!.map((p) => ({ axis: p, size: expr.shape[p]!.size! })),
  );
  const grouped: number[][] = [];
  for (const { size } of shape) {
    const list: (number | null)[] = [];
    for (let product = 1; product < size!;) {
      const next = rest[0];
      if (next === undefined) return null;
      const wanted = size! / product;
      // A stretched axis can be divided anywhere.
      const taken = next.axis === null && next.size % wanted === 0 ? wanted : next.size;
      if (taken === next.size) rest.shift();
      else rest[0] = { axis: null, size: next.size / taken };
      list.push(next.axis);
      product *= taken;
      if (product > size!) return null;
    }
    const made = list.filter((p) => p !== null);
    if (made.length > 0 && made.length < list.length) return null;
    grouped.push(made);
  }
  return rest.length === 0 ? { expr, axes: grouped } : null;
}

function countOf(e: Expr): number {
  return sizeProduct(e.shape.map((a) => a.size!));
}
