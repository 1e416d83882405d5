/**
 * Expressions rewritten so that they go through arrays in the order of their files. A NIfTI or NRRD
 * image lies in its file with the first axis fastest. Taken as a transposed array it could not be
 * read from one end to the other; so operations are performed on the axes as they lie, and only
 * which axis is which is carried along.
 *
 * Entries keep their values. Sums are made of the same entries in the order of the file.
 */
import { type Shape, UNIT } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import {
  type Laid,
  evened,
  inOwnOrder,
  isAscending,
  isPlain,
  madeOf,
  plain,
  regrouped,
  solid,
  together,
  withoutUnits,
} from "./laid.ts";
import { lower } from "./lower.ts";

/**
 * The outputs on inputs that have their axes reversed: those of the names in `reversed`, whose
 * arrays are to be bound as they lie.
 * @throws ShapeError when the size of an axis is not known
 */
export function inFileOrder(outputs: readonly Expr[], reversed: ReadonlySet<string>): Laid[] {
  const roots = lower(outputs);
  const done = new Map<Expr, Laid>();
  for (const e of topological(...roots)) {
    const args = e.args.map((a) => done.get(a)!);
    done.set(e, tidied(laid(e, args, reversed), e.shape));
  }
  return roots.map((e) => tidied(solid(done.get(e)!, e.shape), e.shape));
}

function laid(e: Expr, args: readonly Laid[], reversed: ReadonlySet<string>): Laid {
  if (e.kind === "input" && reversed.has(e.name)) {
    const last = e.shape.length - 1;
    return {
      expr: b.input(e.name, e.shape.toReversed(), e.type),
      axes: e.shape.map((_, d) => [last - d]),
    };
  }
  const arePlain = e.args.every((a, k) => isPlain(args[k]!, a.shape));
  const done = arePlain && e.kind !== "expand" ? null : rearranged(e, args);
  if (done !== null) return done;
  const own = e.args.map((a, k) => inOwnOrder(args[k]!, a.shape));
  return plain(b.withArgs(e, own));
}

/** The operation on the axes as they lie; null where it cannot be performed so. */
function rearranged(e: Expr, args: readonly Laid[]): Laid | null {
  const [x] = args;
  const [arg] = e.args;
  if (x === undefined || arg === undefined) return null;
  switch (e.kind) {
    case "unary":
    case "cast":
    case "stopGradient":
      return { expr: b.withArgs(e, [x.expr]), axes: x.axes };
    case "binary":
    case "where":
    case "clamp": {
      const fitted = together(args, shapesOf(e));
      return fitted && { expr: b.withArgs(e, fitted.exprs), axes: fitted.axes };
    }
    case "expand": {
      const { expr, axes } = withoutUnits(x);
      const missing = Array.from({ length: e.shape.length - axes.length }, () => []);
      return { expr, axes: [...missing, ...axes] };
    }
    case "reduce": {
      const { expr, axes } = solid(x, arg.shape, e.dims);
      const gone = e.dims.flatMap((d) => axes[d]!);
      const reduced = b.reduce(e.op, expr, gone, e.keepDims);
      return { expr: reduced, axes: e.keepDims ? axes : without(axes, e.dims) };
    }
    case "transpose":
      return { expr: x.expr, axes: e.perm.map((d) => x.axes[d]!) };
    case "reshape":
      return regrouped(x, arg.shape, e.shape);
    case "argReduce":
    case "index":
    case "slice":
    case "spread":
      return along(e, solid(x, arg.shape, [e.dim]));
    case "slide": {
      const { expr, axes } = solid(x, arg.shape, [e.dim, e.by]);
      const [at, by] = [axes[e.dim]!, axes[e.by]!];
      if (at.length !== 1 || by.length !== 1) return null;
      const slid = b.slide(expr, at[0]!, by[0]!, e.factor, e.start, e.shape[e.dim]!);
      return { expr: slid, axes };
    }
    case "place":
      return { expr: b.place(x.expr, 0, e.at, e.shape[e.dim]!), axes: withFirst(x.axes, e.dim) };
    case "oneHot":
      return { expr: b.oneHot(x.expr, e.shape[e.dim]!, 0), axes: withFirst(x.axes, e.dim) };
    case "stack": {
      const fitted = together(args, shapesOf(e));
      if (fitted === null) return null;
      const stacked = b.stack(evened(sameRank(fitted.exprs)), 0, e.shape[e.dim]);
      return { expr: stacked, axes: withFirst(fitted.axes, e.dim) };
    }
    case "concat": {
      const whole = args.map((y, k) => solid(y, e.args[k]!.shape, [e.dim]));
      const fitted = together(whole, shapesOf(e), e.dim);
      const [at, ...others] = fitted?.axes[e.dim] ?? [];
      if (fitted === null || at === undefined || others.length > 0) return null;
      return { expr: b.concat(evened(fitted.exprs, at), at), axes: fitted.axes };
    }
    default:
      return null;
  }
}

/** An operation along one axis of the node; null where that is made of several. */
function along(
  e: Extract<Expr, { kind: "argReduce" | "index" | "slice" | "spread" }>,
  { expr, axes }: Laid,
): Laid | null {
  const [at, ...others] = axes[e.dim]!;
  if (at === undefined || others.length > 0) return null;
  switch (e.kind) {
    case "argReduce": {
      const found = b.argReduce(e.op, expr, at, e.keepDims);
      return { expr: found, axes: e.keepDims ? axes : without(axes, [e.dim]) };
    }
    case "index":
      return { expr: b.index(expr, at, e.at), axes: without(axes, [e.dim]) };
    case "slice": {
      const stop = e.start + (e.shape[e.dim]!.size! - 1) * e.step + 1;
      return { expr: b.slice(expr, at, e.start, stop, e.step), axes };
    }
    case "spread":
      return { expr: b.spread(expr, at, e.start, e.step, e.shape[e.dim]!), axes };
  }
}

function shapesOf(e: Expr): Shape[] {
  return e.args.map((a) => a.shape);
}

/** Numbers among arrays get axes of size 1. */
function sameRank(exprs: readonly Expr[]): Expr[] {
  const full = exprs.find((x) => x.shape.length > 0)?.shape ?? [];
  return exprs.map((x) =>
    x.shape.length === full.length
      ? x
      : b.reshape(
          x,
          full.map(() => UNIT),
        ),
  );
}

/** In its own order where it lies so but for axes of size 1 and ones that were joined. */
function tidied(x: Laid, shape: Shape): Laid {
  if (isPlain(x, shape) || shape.some((a, d) => madeOf(x, d) !== a.size)) return x;
  const bare = withoutUnits(x);
  return isAscending(bare.axes.flat()) ? plain(inOwnOrder(bare, shape)) : x;
}

/** Without the axes at `dims`, and those they were made of. */
function without(axes: Laid["axes"], dims: readonly number[]): number[][] {
  const gone = dims.flatMap((d) => axes[d]!);
  return axes
    .filter((_, d) => !dims.includes(d))
    .map((list) => list.map((p) => p - gone.filter((q) => q < p).length));
}

/** With a new axis at `dim`, made of a new slowest one. */
function withFirst(axes: Laid["axes"], dim: number): number[][] {
  const moved = axes.map((list) => list.map((p) => p + 1));
  return [...moved.slice(0, dim), [0], ...moved.slice(dim)];
}
