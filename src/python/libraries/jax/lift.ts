/**
 * A formula for one example turned into the formula for a batch: what `jax.vmap` does. Every node
 * that depends on the mapped inputs gets the batch axis as its first; the others stay as they are
 * and broadcast.
 */
import { type Axis, type Shape, UNIT, sameShape } from "../../../expression/axis.ts";
import * as b from "../../../expression/build.ts";
import { type Expr, internLike } from "../../../expression/node.ts";
import { topological } from "../../../expression/walk.ts";

/**
 * @param roots expressions for one example
 * @param batched what stands for each mapped input in the batch, with the batch axis first
 * @returns what became of every node that changed
 */
export function liftOver(
  roots: readonly Expr[],
  batched: ReadonlyMap<Expr, Expr>,
  batch: Axis,
): Map<Expr, Expr> {
  const lifted = new Map(batched);
  for (const root of roots) {
    for (const e of topological(root)) {
      if (lifted.has(e) || !e.args.some((a) => lifted.has(a))) continue;
      lifted.set(e, lift(e, lifted, batch));
    }
  }
  return lifted;
}

/** Entry by entry: ranks are filled up after the batch axis, so that examples broadcast as before. */
function aligned(e: Expr, lifted: ReadonlyMap<Expr, Expr>): Expr[] {
  const rank = e.shape.length;
  return e.args.map((arg) => {
    const many = lifted.get(arg);
    if (many === undefined) return arg;
    const missing = rank - arg.shape.length;
    if (missing === 0) return many;
    const [first, ...rest] = many.shape;
    return b.reshape(many, [first!, ...Array.from({ length: missing }, () => UNIT), ...rest]);
  });
}

/** All arguments with the batch axis, those that had none by repeating them. */
function spread(e: Expr, lifted: ReadonlyMap<Expr, Expr>, batch: Axis): Expr[] {
  return e.args.map((arg) => lifted.get(arg) ?? b.expand(arg, [batch, ...arg.shape]));
}

function lift(e: Expr, lifted: ReadonlyMap<Expr, Expr>, batch: Axis): Expr {
  const own = lifted.get(e.args[0]!) ?? e.args[0]!;
  const shape: Shape = [batch, ...e.shape];
  switch (e.kind) {
    case "unary":
      return b.unary(e.op, own);
    case "binary": {
      const [x, y] = aligned(e, lifted);
      return b.binary(e.op, x!, y!);
    }
    case "where": {
      const [c, x, y] = aligned(e, lifted);
      return b.where(c!, x!, y!);
    }
    case "clamp": {
      const [x, lo, hi] = aligned(e, lifted);
      return b.clamp(x!, lo!, hi!);
    }
    case "cast":
      return b.cast(own, e.to);
    case "stopGradient":
      return b.stopGradient(own);
    case "reduce":
      return b.reduce(
        e.op,
        own,
        e.dims.map((d) => d + 1),
        e.keepDims,
      );
    case "argReduce":
      return b.argReduce(e.op, own, e.dim + 1, e.keepDims);
    case "softmax":
      return b.softmax(own, e.dim + 1, e.log);
    case "reshape":
      return b.reshape(own, shape);
    case "transpose":
      return b.transpose(own, [0, ...e.perm.map((d) => d + 1)]);
    case "expand": {
      const [x] = aligned(e, lifted);
      return sameShape(x!.shape, shape) ? x! : b.expand(x!, shape);
    }
    case "index":
      return b.index(own, e.dim + 1, e.at);
    case "slice":
    case "place":
    case "spread":
      return internLike({ ...e, dim: e.dim + 1 }, shape, [own]);
    case "slide":
      return internLike({ ...e, dim: e.dim + 1, by: e.by + 1 }, shape, [own]);
    case "stack":
    case "concat":
      return internLike({ ...e, dim: e.dim + 1 }, shape, spread(e, lifted, batch));
    case "oneHot":
      return b.oneHot(own, e.shape[e.dim]!, e.dim + 1);
    case "const":
    case "parameter":
    case "input":
    case "size":
      return e;
  }
}
