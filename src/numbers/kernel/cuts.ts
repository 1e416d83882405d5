/**
 * Where the index space of a pass must be split into axes. A pass over entries that all stand at
 * the same position in every array needs one loop only; a sum over some axes, a broadcast or a
 * transpose needs the axes apart. A cut is the number of entries below the split.
 */
import type { ArgReduce, Expr, Reduce } from "../../expression/node.ts";
import { sizeProduct, type Sizes } from "../typedArrays.ts";
import { reducedDims } from "./access.ts";

/** Cuts between the kept and the reduced axes of a reduction. */
export function requiredCuts(sizes: Sizes, e: Reduce | ArgReduce): number[] {
  const dims = reducedDims(e);
  return boundaries(
    sizes.of(e.args[0]!),
    (d) => dims.includes(d),
    sizeProduct(sizes.of(e.args[0]!)),
  );
}

/**
 * The nodes that a sweep over the entries of `root` meets at the position of the sweep itself:
 * those reached through elementwise operations and reshapes of the full size.
 */
export function alignedNodes(sizes: Sizes, root: Expr, isStored: (e: Expr) => boolean): Set<Expr> {
  const seen = new Set<Expr>();
  const total = sizes.count(root);
  const stack = [root];
  for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
    if (seen.has(e) || isStored(e)) continue;
    seen.add(e);
    if (keepsPosition(e)) stack.push(...e.args.filter((a) => sizes.count(a) === total));
  }
  return seen;
}

function keepsPosition(e: Expr): boolean {
  switch (e.kind) {
    case "unary":
    case "binary":
    case "where":
    case "clamp":
    case "cast":
    case "stopGradient":
    case "expand":
    case "reshape":
      return true;
    default:
      return false;
  }
}

/** Cuts that spare the sweep over the entries of `root` dividing positions. */
export function wantedCuts(sizes: Sizes, root: Expr, isStored: (e: Expr) => boolean): Set<number> {
  const cuts = new Set<number>();
  const total = sizes.count(root);
  for (const e of alignedNodes(sizes, root, isStored)) {
    const own = sizes.of(e);
    if (e.kind === "transpose") {
      const { perm } = e;
      own.forEach((_, d) => {
        if (d > 0 && perm[d] !== 1 + perm[d - 1]!) cuts.add(below(own, d));
      });
    } else if (e.kind === "reduce" || e.kind === "argReduce") {
      // Inlined: an entry is made of entries of the argument, whose axes must be told apart.
      reducedDims(e).forEach((d, k) => cuts.add(below(own, e.keepDims ? d : d - k)));
    } else if ("dim" in e) {
      cuts.add(below(own, e.dim));
      if (e.kind !== "index") cuts.add(below(own, e.dim + 1));
    } else if (keepsPosition(e)) {
      for (const arg of e.args) {
        const have = sizes.of(arg);
        const count = sizes.count(arg);
        if (count === total || count === 1) continue;
        const shift = own.length - have.length;
        const stretches = (d: number): boolean => (have[d - shift] ?? 1) === 1;
        boundaries(own, stretches, total).forEach((c) => cuts.add(c));
      }
    }
  }
  for (const trivial of [total, 1, 0]) cuts.delete(trivial);
  return cuts;
}

/** Entries below axis d, that is in axes d and after. */
function below(sizes: readonly number[], d: number): number {
  return sizeProduct(sizes.slice(d));
}

/** Cuts where `flag` changes from one axis to the next; axes of size 1 count as either. */
function boundaries(
  sizes: readonly number[],
  flag: (d: number) => boolean,
  total: number,
): number[] {
  const cuts: number[] = [];
  let previous: boolean | null = null;
  sizes.forEach((n, d) => {
    if (n === 1) return;
    const now = flag(d);
    if (previous !== null && previous !== now) cuts.push(below(sizes, d));
    previous = now;
  });
  return cuts.filter((c) => c !== 1 && c !== total);
}
