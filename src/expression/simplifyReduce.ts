/** Reductions: sums split into sums of terms, constants taken out, views of what is summed undone. */
import { type Shape, UNIT, isUnit } from "./axis.ts";
import * as b from "./build.ts";
import type { Expr, Reduce } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import {
  type Monomial,
  type Power,
  buildProduct,
  constantMonomial,
  monomialOf,
  multiply,
  toPower,
} from "./simplifyProduct.ts";
import { axisAt, commonShape, fit, reshapeBlocks, sameSizes } from "./simplifyShape.ts";
import { termsOf } from "./simplifyTerms.ts";

/** Sums over stacked parts longer than this stay sums over the stack. */
const MAX_PARTS = 64;

/** One step towards the normal form of a reduction of a normalized argument; `null`: it is there. */
export function reduceStep(e: Reduce, ctx: Context): Expr | null {
  const x = e.args[0]!;
  if (e.dims.length === 0 && e.op !== "any" && e.op !== "all") return x;
  if (e.keepDims) {
    return b.reshape(b.reduce(e.op, x, e.dims), e.shape);
  }
  if (e.shape.length > 0 && e.shape.every(isUnit)) {
    return b.reshape(b.reduce(e.op, x, null), e.shape);
  }
  if (e.op === "mean") {
    return b.div(b.sum(x, e.dims), countOf(x, e.dims));
  }
  return (
    throughNested(e, x) ??
    throughReshape(e, x) ??
    throughTranspose(e, x) ??
    throughParts(e, x) ??
    (e.op === "sum" ? sumStep(e, x, ctx) : e.op === "prod" ? null : withoutStretch(e, x))
  );
}

/** How many entries are averaged; as a plain number along an axis made of so many parts. */
function countOf(x: Expr, dims: readonly number[]): Expr {
  const joined = x.kind === "stack" || x.kind === "concat" ? x.dim : -1;
  const known = dims.includes(joined) ? x.shape[joined]!.size : null;
  if (known === null) return b.size(dims.map((d) => x.shape[d]!));
  const rest = dims.filter((d) => d !== joined);
  return b.mul(b.constant(known), b.size(rest.map((d) => x.shape[d]!)));
}

function throughNested(e: Reduce, x: Expr): Expr | null {
  if (x.kind !== "reduce" || x.op !== e.op || x.keepDims) return null;
  const rest = x.args[0]!.shape.flatMap((_, d) => (x.dims.includes(d) ? [] : [d]));
  return b.reduce(e.op, x.args[0]!, [...x.dims, ...e.dims.map((d) => rest[d]!)]);
}

function throughReshape(e: Reduce, x: Expr): Expr | null {
  if (x.kind !== "reshape") return null;
  const y = x.args[0]!;
  const blocks = reshapeBlocks(y.shape, x.shape);
  if (blocks === null) return null;
  const dims: number[] = [];
  for (const { from, to } of blocks) {
    const varying = to.filter((d) => !isUnit(x.shape[d]!));
    const reduced = varying.filter((d) => e.dims.includes(d));
    if (reduced.length > 0 && reduced.length < varying.length) return null;
    if (reduced.length > 0 || (varying.length === 0 && to.some((d) => e.dims.includes(d)))) {
      dims.push(...from);
    }
  }
  const inner = b.reduce(e.op, y, dims);
  return sameSizes(inner.shape, e.shape) ? inner : b.reshape(inner, e.shape);
}

function throughTranspose(e: Reduce, x: Expr): Expr | null {
  if (x.kind !== "transpose") return null;
  const inner = b.reduce(
    e.op,
    x.args[0]!,
    e.dims.map((d) => x.perm[d]!),
  );
  const rest = x.perm.filter((_, d) => !e.dims.includes(d));
  const places = [...rest].sort((s, t) => s - t);
  const order = rest.map((p) => places.indexOf(p));
  return order.every((p, d) => p === d) ? inner : b.transpose(inner, order);
}

/** A reduction along other axes than the one that parts were put together on. */
function throughParts(e: Reduce, x: Expr): Expr | null {
  if ((x.kind !== "stack" && x.kind !== "concat") || e.dims.includes(x.dim)) return null;
  const at = x.dim - e.dims.filter((d) => d < x.dim).length;
  if (x.kind === "concat")
    return b.concat(
      x.args.map((part) => b.reduce(e.op, part, e.dims)),
      at,
    );
  const dims = e.dims.map((d) => (d > x.dim ? d - 1 : d));
  return b.stack(
    x.args.map((part) => b.reduce(e.op, part, dims)),
    at,
    x.shape[x.dim],
  );
}

/** A largest entry does not care how often entries are repeated. */
function withoutStretch(e: Reduce, x: Expr): Expr | null {
  if (x.kind !== "expand" || e.op === "prod" || e.op === "sum") return null;
  const y = x.args[0]!;
  const lead = x.shape.length - y.shape.length;
  const inner = b.reduce(
    e.op,
    y,
    e.dims.filter((d) => d >= lead).map((d) => d - lead),
  );
  return fit(inner, e.shape);
}

function sumStep(e: Reduce, x: Expr, ctx: Context): Expr | null {
  const parts = sumOfParts(e, x);
  if (parts !== null) return parts;
  const terms = termsOf(x, ctx);
  if (terms.length > 1) {
    const sums = terms.map((m) =>
      b.sum(fit(buildProduct(m, commonShape([...m.powers.keys()]), ctx), x.shape), e.dims),
    );
    return sums.reduce((s, t) => b.add(s, t));
  }
  return probabilitiesApart(e, x, ctx) ?? withoutConstants(e, x, ctx);
}

/**
 * Σ p·(a + x) over the classes of probabilities p, where a is the same for each class: a + Σ p·x.
 * So what is constant over classes drops out of a softmax's gradient.
 */
function probabilitiesApart(e: Reduce, x: Expr, ctx: Context): Expr | null {
  const m = monomialOf(x, ctx);
  const rank = x.shape.length;
  const single = [...m.powers].filter(([, p]) => p.over === 1 && p.under === 0).map(([f]) => f);
  const soft = single.find((f) => f.kind === "softmax" && !f.log);
  if (soft?.kind !== "softmax" || soft.shape.length !== rank) return null;
  if (e.dims.length !== 1 || e.dims[0] !== soft.dim) return null;
  const varies = (f: Expr): boolean => !isUnit(axisAt(f, soft.dim, rank));
  for (const sum of single) {
    const terms = termsOf(sum, ctx);
    const constant = terms.filter((t) => ![...t.powers.keys()].some(varies));
    if (sum === soft || constant.length === 0 || terms.length === constant.length) continue;
    const rest = new Map(m.powers);
    rest.delete(sum);
    if ([...rest.keys()].some((f) => f !== soft && varies(f))) continue;
    const parts = terms.map((t) => {
      const part = multiply(t, { c: m.c, powers: rest }, ctx);
      return b.sum(
        fit(buildProduct(part, commonShape([...part.powers.keys()]), ctx), x.shape),
        e.dims,
      );
    });
    return parts.reduce((s, t) => b.add(s, t));
  }
  return null;
}

/** Σ along the axis that parts were put together on. */
function sumOfParts(e: Reduce, x: Expr): Expr | null {
  if (x.kind === "softmax" && !x.log && e.dims.includes(x.dim)) {
    // Probabilities over the classes add up to one.
    const rest = e.dims.filter((d) => d !== x.dim);
    return fit(b.size(rest.map((d) => x.shape[d]!)), e.shape);
  }
  if (x.kind !== "stack" && x.kind !== "concat" && x.kind !== "place" && x.kind !== "spread") {
    return null;
  }
  const { dim } = x;
  const without = (d: number): number => (d > dim ? d - 1 : d);
  const rest = e.dims.filter((d) => d !== dim);
  if (x.kind === "place") {
    const inner = b.sum(x.args[0]!, rest.map(without));
    if (e.dims.includes(dim)) return inner;
    const at = dim - e.dims.filter((d) => d < dim).length;
    return b.place(inner, at, x.at, x.shape[dim]!);
  }
  if (!e.dims.includes(dim) || x.args.length > MAX_PARTS) return null;
  const parts = x.args.map((part) =>
    x.kind === "stack" ? b.sum(part, rest.map(without)) : b.sum(part, e.dims),
  );
  return parts.reduce((s, t) => b.add(s, t));
}

/** Factors that do not vary along the summed axes stand before the sum. */
function withoutConstants(e: Reduce, x: Expr, ctx: Context): Expr | null {
  const rank = x.shape.length;
  const summed = e.dims.filter((d) => !isUnit(x.shape[d]!));
  const m = monomialOf(x, ctx);
  const inside = new Map<Expr, Power>();
  let outside: Monomial = constantMonomial(m.c);
  for (const [f, p] of m.powers) {
    if (summed.some((d) => !isUnit(axisAt(f, d, rank)))) {
      inside.set(f, p);
    } else {
      const moved = ctx.norm(withoutAxes(f, e.dims, rank));
      outside = multiply(outside, toPower(monomialOf(moved, ctx), p, ctx), ctx);
    }
  }
  const shape = commonShape([...inside.keys()]);
  // Axes along which nothing is left to vary count how often the same is added.
  const repeated = summed.filter((d) => isUnit(shape[d - (rank - shape.length)] ?? UNIT));
  const trivial = q.equal(m.c, q.R1) && inside.size === m.powers.size && repeated.length === 0;
  if (trivial && sameSizes(shape, x.shape)) return null;
  const count = b.size(repeated.map((d) => x.shape[d]!));
  const body = buildProduct({ c: q.R1, powers: inside }, shape, ctx);
  const lead = rank - shape.length;
  const dims = e.dims.filter((d) => d >= lead).map((d) => d - lead);
  const sum = inside.size === 0 ? b.ONE : b.sum(body, dims);
  const front = buildProduct(outside, commonShape([...outside.powers.keys()]), ctx);
  return fit(b.mul(b.mul(front, count), sum), e.shape);
}

/** `f` (of size 1 along `dims`, positions of a shape of `rank` axes) without those axes. */
function withoutAxes(f: Expr, dims: readonly number[], rank: number): Expr {
  const lead = rank - f.shape.length;
  const shape: Shape = f.shape.filter((_, d) => !dims.includes(d + lead));
  return shape.length === f.shape.length ? f : b.reshape(f, shape);
}
