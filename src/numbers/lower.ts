/**
 * Rewrites an expression into the node kinds that evaluation is made of: softmax and mean become
 * what they are computed by, sums up to a position are made in blocks and those over windows in rows,
 * and reductions over nothing or over axes of size 1 disappear, as do negatives of negatives.
 */
import { sizesOf } from "../expression/axis.ts";
import {
  cast,
  constant,
  div,
  exp,
  log,
  reduce,
  reshape,
  sub,
  withArgs,
} from "../expression/build.ts";
import { type Expr, type Reduce, type Softmax, isPositions } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { loweredWindows, outermostFirst } from "./lowerWindows.ts";
import { type Scans, sumsUpTo } from "./runningSums.ts";
import { sizeProduct } from "./typedArrays.ts";

type Rewriting = (e: Reduce) => Expr | null;

/**
 * The same values from simpler nodes.
 * @param scans takes sums up to a position that are not to be made in blocks
 * @throws ShapeError when a size is not known
 */
export function lower(roots: readonly Expr[], scans: Scans | null = null): Expr[] {
  const done = new Map<Expr, Expr>();
  const nodes = topological(...roots);
  // Without positions nothing is a sum up to one.
  const upTo: Rewriting = nodes.some(isPositions) ? (e) => sumsUpTo(e, scans) : () => null;
  for (const e of nodes) {
    const args = e.args.map((a) => done.get(a)!);
    done.set(e, lowered(withArgs(e, args), upTo));
  }
  return roots.map((e) => done.get(e)!);
}

function lowered(e: Expr, upTo: Rewriting): Expr {
  switch (e.kind) {
    case "size":
      return constant(sizeProduct(sizesOf(e.axes)));
    case "softmax":
      return loweredSoftmax(e);
    case "reduce":
      return loweredReduce(e, upTo);
    case "slide":
      return outermostFirst(e);
    case "reshape":
      return loweredReshape(e);
    case "unary":
      return negationOf(e) !== null ? (negationOf(e.args[0]!) ?? e) : e;
    default:
      return e;
  }
}

/** x of −x, else null. */
function negationOf(e: Expr): Expr | null {
  return e.kind === "unary" && e.op === "neg" ? e.args[0]! : null;
}

/** The largest entry is taken off first, so that no power overflows. */
function loweredSoftmax(e: Softmax): Expr {
  const x = e.args[0]!;
  const shifted = sub(x, reduce("max", x, [e.dim], true));
  const powers = exp(shifted);
  const total = reduce("sum", powers, [e.dim], true);
  return e.log ? sub(shifted, log(total)) : div(powers, total);
}

/** One reshape of several, and none to the same sizes. */
function loweredReshape(e: Expr): Expr {
  const given = e.args[0]!;
  const x = given.kind === "reshape" ? given.args[0]! : given;
  const isSame =
    x.shape.length === e.shape.length && x.shape.every((a, d) => a.size === e.shape[d]!.size);
  return isSame ? x : reshape(x, e.shape);
}

function loweredReduce(e: Reduce, upTo: Rewriting): Expr {
  const x = e.args[0]!;
  const reduced = e.dims.map((d) => sizesOf(x.shape)[d]!);
  if (reduced.every((n) => n === 1)) {
    const same = x.shape.length === e.shape.length ? x : reshape(x, e.shape);
    return e.op === "any" || e.op === "all" ? cast(same, "bool") : same;
  }
  if (e.keepDims) {
    return reshape(loweredReduce(reduce(e.op, x, e.dims) as Reduce, upTo), e.shape);
  }
  if (e.op === "mean") {
    const total = loweredReduce(reduce("sum", x, e.dims) as Reduce, upTo);
    return div(total, constant(sizeProduct(reduced)));
  }
  return upTo(e) ?? loweredWindows(e);
}
