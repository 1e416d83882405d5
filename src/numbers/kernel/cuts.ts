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
  const own = sizes.of(e.args[0]!);
  const cuts = cutsOf(own);
  return boundaries(own, (d) => dims.includes(d))
    .map((d) => cuts[d]!)
    .filter((c) => c !== 1 && c !== cuts[0]);
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

/** A node in a sweep, and how many entries of the sweep stand below each of its axes, and below all. */
interface Met {
  readonly e: Expr;
  readonly cuts: readonly number[];
}

/** Cuts that spare the sweep over the entries of `root` dividing positions, as far as they fit. */
export function wantedCuts(sizes: Sizes, root: Expr, isStored: (e: Expr) => boolean): Set<number> {
  const wanted = new Set<number>();
  const seen = new Set<Expr>();
  const stack: Met[] = [{ e: root, cuts: cutsOf(sizes.of(root)) }];
  for (let met = stack.pop(); met !== undefined; met = stack.pop()) {
    if (seen.has(met.e) || isStored(met.e)) continue;
    seen.add(met.e);
    for (const d of splits(sizes, met.e)) wanted.add(met.cuts[d]!);
    if (met.e.kind === "spread" && met.e.step > 1) {
      // Apart from those between the steps, which are zero.
      wanted.add(met.cuts[met.e.dim + 1]! * met.e.step);
    }
    stack.push(...below(sizes, met));
  }
  for (const trivial of [sizes.count(root), 1, 0]) wanted.delete(trivial);
  return wanted;
}

/** The axes of a node before which its positions are split. */
function splits(sizes: Sizes, e: Expr): number[] {
  const own = sizes.of(e);
  if (e.kind === "transpose") {
    return own.flatMap((_, d) => (d > 0 && e.perm[d] !== 1 + e.perm[d - 1]! ? [d] : []));
  }
  if (e.kind === "reduce" || e.kind === "argReduce") {
    // Inlined: an entry is made of entries of the argument, whose axes must be told apart.
    return reducedDims(e).map((d, k) => (e.keepDims ? d : d - k));
  }
  if (e.kind === "slide") return [e.dim, e.dim + 1, e.by, e.by + 1];
  if ("dim" in e) return e.kind === "index" ? [e.dim] : [e.dim, e.dim + 1];
  if (!keepsPosition(e)) return [];
  return e.args.flatMap((arg) => {
    const have = sizes.of(arg);
    const count = sizes.count(arg);
    if (count === sizes.count(e) || count === 1) return [];
    const shift = own.length - have.length;
    return boundaries(own, (d) => (have[d - shift] ?? 1) === 1);
  });
}

/** The arguments whose positions are those of the node itself, or move evenly with them. */
function below(sizes: Sizes, { e, cuts }: Met): Met[] {
  switch (e.kind) {
    case "slice":
    case "spread":
    case "slide":
    case "concat":
      return e.args.map((arg) => ({ e: arg, cuts }));
    case "index":
      return [{ e: e.args[0]!, cuts: cuts.toSpliced(e.dim, 0, cuts[e.dim]!) }];
    case "place":
    case "stack":
      return e.args.map((arg) => ({ e: arg, cuts: cuts.toSpliced(e.dim, 1) }));
    case "reduce":
    case "argReduce": {
      // Inlined: the sweep does not move along the axes that are reduced.
      const within = [...cuts];
      if (!e.keepDims) for (const d of reducedDims(e)) within.splice(d, 0, within[d]!);
      return [{ e: e.args[0]!, cuts: within }];
    }
    default:
      return keepsPosition(e) ? belowInPlace(sizes, { e, cuts }) : [];
  }
}

function belowInPlace(sizes: Sizes, { e, cuts }: Met): Met[] {
  const own = sizes.of(e);
  if (e.kind === "reshape") {
    const arg = e.args[0]!;
    const within = reshaped(own, cuts, sizes.of(arg));
    return within === null ? [] : [{ e: arg, cuts: within }];
  }
  return e.args.flatMap((arg) =>
    sizes.count(arg) === 1 ? [] : [{ e: arg, cuts: cuts.slice(own.length - arg.shape.length) }],
  );
}

/** Cuts of the same entries in another shape; null where one is at no even distance from others. */
function reshaped(
  own: readonly number[],
  cuts: readonly number[],
  have: readonly number[],
): number[] | null {
  const whole = cutsOf(own);
  const within: number[] = [];
  for (const c of cutsOf(have)) {
    // Where the old shape is split too, or the next place inside from which entries follow evenly.
    const d = whole.findIndex((w) => w <= c);
    if (d < 0 || c % whole[d]! !== 0) return null;
    within.push((c / whole[d]!) * cuts[d]!);
  }
  return within;
}

/** Entries in axes d and after, for each axis and after the last. */
function cutsOf(sizes: readonly number[]): number[] {
  return [...sizes, 1].map((_, d) => sizeProduct(sizes.slice(d)));
}

/** Axes at which `flag` changes from the one before; axes of size 1 count as either. */
function boundaries(sizes: readonly number[], flag: (d: number) => boolean): number[] {
  const changes: number[] = [];
  let previous: boolean | null = null;
  sizes.forEach((n, d) => {
    if (n === 1) return;
    const now = flag(d);
    if (previous !== null && previous !== now) changes.push(d);
    previous = now;
  });
  return changes;
}
