/**
 * Sums over windows in the forms that loops do fastest: positions that divide evenly, rows that are
 * added up in one go, and no tap that meets nothing but zeros.
 */
import { axis, isUnit, sizesOf } from "../expression/axis.ts";
import {
  add,
  expand,
  reduce,
  reshape,
  slice,
  slide,
  spread,
  transpose,
} from "../expression/build.ts";
import { largestPicked } from "../expression/largest.ts";
import type { Expr, Reduce, Slide } from "../expression/node.ts";
import { alignedNodes } from "./kernel/cuts.ts";
import { Sizes, sizeProduct } from "./typedArrays.ts";

/** A sum over windows as sums that are made faster; other reductions as they are. */
export function loweredWindows(e: Reduce): Expr {
  const sum = largestOf(e) ?? sumOverSteps(e) ?? sumOfSums(e) ?? e;
  return sum.kind === "reduce" ? inRows(sum) : sum;
}

/**
 * Slides along two axes may change places: first comes the one along the outer axis, so that only
 * the outermost coordinate of a position may lie outside an array, and positions divide evenly.
 */
export function outermostFirst(e: Slide): Expr {
  const views: Expr[] = [];
  let inner = e.args[0]!;
  for (; isApart(inner, e); inner = inner.args[0]!) views.unshift(inner);
  if (inner.kind !== "slide" || inner.dim >= e.dim) return e;
  const { dim, by, factor, start, shape } = inner;
  const along = shape[dim]!;
  const early = views.filter((v) => v.kind !== "slice");
  const widened = early.reduce((x, v) => {
    const wide = [...x.shape, ...v.shape.slice(x.shape.length)];
    if (v.kind === "reshape") return reshape(x, wide);
    // Only what is new is wider.
    return expand(x, [...x.shape.slice(0, -1), v.shape.at(-1)!]);
  }, inner.args[0]!);
  const moved = slide(widened, e.dim, e.by, e.factor, e.start, e.shape[e.dim]!);
  const outer = slide(outermostFirst(moved as Slide), dim, by, factor, start, along);
  const late = views.filter((v) => v.kind === "slice");
  return late.reduce(
    (x, v) => slice(x, v.dim, v.start, v.start + v.step * (v.shape[v.dim]!.size! - 1) + 1, v.step),
    outer,
  );
}

/** Whether a node gives its argument one more axis, the last, or takes entries along an axis that has no part in a slide. */
function isApart(e: Expr, { dim, by }: Slide): boolean {
  const x = e.args[0];
  if (x === undefined) return false;
  if (e.kind === "slice") return e.dim !== dim && e.dim !== by && e.shape[e.dim]!.size !== 0;
  if (e.kind !== "reshape" && e.kind !== "expand") return false;
  const known = e.kind === "reshape" ? x.shape.length : e.shape.length - 1;
  const [own, last] = [e.shape.slice(0, known), e.shape.at(-1)!];
  const isSame = own.every((a, d) => a.size === x.shape[d]?.size);
  if (e.kind === "expand") return isSame && x.shape.length === e.shape.length;
  // Of one axis more, or with other names.
  return (
    isSame &&
    e.shape.length <= x.shape.length + 1 &&
    (e.shape.length === x.shape.length || isUnit(last))
  );
}

/** Sums of at most this many entries are written out where they are used. */
const ROW = 16;
/** What longer ones are made of. */
const BLOCK = 8;

/** Sums over large windows add up rows, each in one go, rather than entry by entry. */
function inRows(e: Reduce): Expr {
  if (e.op !== "sum" || !slides(e.args[0]!)) return e;
  const whole = sizesOf(e.args[0]!.shape);
  if (sizeProduct(e.dims.map((d) => whole[d]!)) <= ROW) return e;
  const { x, dims } = apart(e);
  const sizes = sizesOf(x.shape);
  const long = dims.filter((d) => sizes[d]! > 1);
  const short = long.findLast((d) => sizes[d]! <= ROW) ?? long.at(-1)!;
  const rows = [short];
  for (const d of long.toReversed()) {
    if (d < short && sizeProduct([...rows, d].map((k) => sizes[k]!)) <= ROW) rows.unshift(d);
  }
  const others = dims.filter((d) => !rows.includes(d));
  const rest = others.map((d) => d - rows.filter((r) => r < d).length);
  const added = (part: Expr): Expr => reduce("sum", part, rows);
  const n = sizes[short]!;
  if (n <= ROW) {
    return others.length === 0 ? reduce("sum", x, dims) : reduce("sum", added(x), rest);
  }
  const blocks = Math.floor(n / BLOCK);
  const cut = slice(x, short, 0, blocks * BLOCK);
  const shape = x.shape.toSpliced(short, 1, axis("m", blocks), axis("r", BLOCK));
  const inBlocks = reduce("sum", reshape(cut, shape), [short + 1]);
  const all = reduce(
    "sum",
    inBlocks,
    [...others, short].sort((p, q) => p - q),
  );
  if (n % BLOCK === 0) return all;
  const last = added(slice(x, short, blocks * BLOCK, n));
  return add(all, others.length === 0 ? last : reduce("sum", last, rest));
}

/** A sum over an axis into which windows' axes were joined, over these axes themselves. */
function apart(e: Reduce): { readonly x: Expr; readonly dims: readonly number[] } {
  const x = e.args[0]!;
  const sizes = sizesOf(x.shape);
  const parts = sizes.map((n) => [n]);
  for (const node of alignedNodes(new Sizes(), x, () => false)) {
    const own = sizesOf(node.shape).filter((n) => n > 1);
    let at = 0;
    for (const d of sizes.keys()) {
      const from = at;
      for (let n = 1; n < sizes[d]! && at < own.length; at++) n *= own[at]!;
      const these = own.slice(from, at);
      if (sizeProduct(these) !== sizes[d]) break;
      if (e.dims.includes(d) && these.length > parts[d]!.length) parts[d] = these;
    }
  }
  const shape = x.shape.flatMap((a, d) =>
    parts[d]!.length === 1 ? [a] : parts[d]!.map((n, k) => axis(`${a.name}${k}`, n, a.role)),
  );
  const dims = parts.flatMap((p, d) => p.map(() => e.dims.includes(d)));
  return {
    x: shape.length === x.shape.length ? x : reshape(x, shape),
    dims: dims.flatMap((reduced, d) => (reduced ? [d] : [])),
  };
}

/** Whether entries slide that a node adds up. */
function slides(x: Expr): boolean {
  const seen = new Set<Expr>();
  const stack = [x];
  for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
    if (e.kind === "slide") return true;
    if (seen.has(e) || e.kind === "reduce" || e.kind === "argReduce") continue;
    seen.add(e);
    stack.push(...e.args);
  }
  return false;
}

/** The entry at the first position of the largest is the largest, of which no position is needed. */
function largestOf(e: Reduce): Expr | null {
  const largest = largestPicked(e);
  return largest?.op === "max" ? largest : null;
}

/**
 * What strided windows give back: entries some steps apart, zeros between, of which each position
 * adds up those that its windows have. Only every so many of a window's entries meet one that is not
 * zero: with k = m·step + r, position step·q + r has the m-th from q − m. So that q = 0, r = 0 is
 * where a step begins in the result, windows begin with as many zeros as that takes.
 */
function sumOverSteps(e: Reduce): Expr | null {
  const [slid] = e.args;
  if (e.op !== "sum" || slid?.kind !== "slide" || slid.factor !== -1) return null;
  const [apart] = slid.args;
  const { dim, by } = slid;
  if (apart?.kind !== "spread" || apart.dim !== dim || apart.step === 1) return null;
  if (!e.dims.includes(by) || e.dims.includes(dim)) return null;
  const { step } = apart;
  const x = apart.args[0]!;
  const [windows, within] = [dim, by].map((d) => x.shape[d]!.size!) as [number, number];
  const first = apart.start - slid.start;
  const before = ((first % step) + step) % step;
  const times = Math.ceil((before + within) / step);
  const [m, r] = [axis("m", times), axis("r", step)];
  const whole = times * step === within ? x : spread(x, by, before, 1, axis("k", times * step));
  const split = reshape(whole, whole.shape.toSpliced(by, 1, m, r));
  const after = (d: number): number => (d < by ? d : d + 1);
  const q = axis("q", windows + times - 1);
  const moved = slide(split, after(dim), by, -1, 0, q);
  const reduced = e.dims.map((d) => (d === by ? by : after(d))).sort((a, b) => a - b);
  const total = reduce("sum", moved, reduced);
  const kept = moved.shape.flatMap((_, d) => (reduced.includes(d) ? [] : [d]));
  const [atQ, atR] = [kept.indexOf(after(dim)), kept.indexOf(by + 1)];
  const others = kept.map((_, d) => d).filter((d) => d !== atR);
  const order = others.flatMap((d) => (d === atQ ? [d, atR] : [d]));
  const length = step * q.size!;
  const along = slid.shape[dim]!;
  const at = others.indexOf(atQ);
  const side = transpose(total, order);
  const flat = reshape(side, side.shape.toSpliced(at, 2, axis("h", length)));
  // The first of these entries is at this place of the result.
  const start = first - before;
  const from = Math.max(0, -start);
  const to = Math.max(from, Math.min(length, along.size! - start));
  return spread(slice(flat, at, from, to), at, Math.max(0, start), 1, along);
}

/**
 * Sums of what slides by an axis that they add up, made of sums themselves (what a convolution's
 * windows give back): all at once, else there would be an array with that axis between them.
 */
function sumOfSums(e: Reduce): Expr | null {
  const [slid] = e.args;
  if (e.op !== "sum" || slid?.kind !== "slide" || !e.dims.includes(slid.by)) return null;
  const inner = slid.args[0]!;
  if (inner.kind !== "reduce" || inner.op !== "sum" || inner.keepDims) return null;
  const x = inner.args[0]!;
  const kept = x.shape.flatMap((_, d) => (inner.dims.includes(d) ? [] : [d]));
  const along = slid.shape[slid.dim]!;
  const moved = slide(x, kept[slid.dim]!, kept[slid.by]!, slid.factor, slid.start, along);
  return reduce("sum", moved, [...inner.dims, ...e.dims.map((d) => kept[d]!)]);
}
