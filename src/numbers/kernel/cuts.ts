/**
 * Where the index space of a pass must be split into axes. A pass over entries that all stand at
 * the same position in every array needs one loop only; a sum over some axes, a broadcast or a
 * transpose needs the axes apart. A cut is the number of entries below the split.
 */
import type { ArgReduce, Expr, Reduce } from "../../expression/node.ts";
import { sizeProduct, type Sizes } from "../typedArrays.ts";
import { reducedDims } from "./access.ts";

/**
 * Cuts between the kept and the reduced axes of a reduction.
 * @param swept sizes of its argument, 1 for an axis that the sweep does not go along
 */
export function requiredCuts(
  e: Reduce | ArgReduce,
  swept: readonly number[],
  own: readonly number[],
): number[] {
  const dims = reducedDims(e);
  const cuts = cutsOf(swept);
  // What lies before and behind an axis that is looked up has different places in the result.
  const sides = own.map((n, d) => n !== swept[d] && !dims.includes(d));
  const before = (d: number): number => sides.slice(0, d).filter(Boolean).length;
  return boundaries(swept, (d) => (dims.includes(d) ? -1 : before(d)))
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

/**
 * How many entries of a sweep stand between two steps around an axis, and between two along it. Both
 * are the same for an axis that the sweep does not move along.
 */
type Span = readonly [around: number, along: number];

/** A node in a sweep, with a span for each axis. */
interface Met {
  readonly e: Expr;
  readonly spans: readonly Span[];
}

/**
 * Cuts that spare the sweep over the entries of `root` dividing positions, as far as they fit.
 * @param swept sizes of the root, 1 for an axis that the sweep does not go along
 */
export function wantedCuts(
  sizes: Sizes,
  root: Expr,
  swept: readonly number[],
  isStored: (e: Expr) => boolean,
): Set<number> {
  const wanted = new Set<number>();
  const seen = new Set<Expr>();
  const all = cutsOf(swept);
  const stack: Met[] = [
    { e: root, spans: all.slice(1).map((along, d) => [all[d]!, along] as const) },
  ];
  for (let met = stack.pop(); met !== undefined; met = stack.pop()) {
    if (seen.has(met.e) || isStored(met.e)) continue;
    seen.add(met.e);
    for (const cut of splits(sizes, met)) wanted.add(cut);
    if (met.e.kind === "spread" && met.e.step > 1) {
      // Apart from those between the steps, which are zero.
      wanted.add(met.spans[met.e.dim]![1] * met.e.step);
    }
    stack.push(...below(sizes, met));
  }
  for (const trivial of [all[0]!, 1, 0]) wanted.delete(trivial);
  return wanted;
}

/** Before axis d, or after the last. */
function cutAt(spans: readonly Span[], d: number): number {
  return spans[d]?.[0] ?? spans.at(-1)?.[1] ?? 1;
}

/** Where the positions of a node are split. */
function splits(sizes: Sizes, { e, spans }: Met): number[] {
  const own = sizes.of(e);
  if (e.kind === "transpose") {
    return own.flatMap((_, d) =>
      d > 0 && e.perm[d] !== 1 + e.perm[d - 1]! ? [spans[d]![0], spans[d - 1]![1]] : [],
    );
  }
  if (e.kind === "reduce" || e.kind === "argReduce") {
    // Inlined: an entry is made of entries of the argument, whose axes must be told apart.
    return reducedDims(e).map((d, k) => cutAt(spans, e.keepDims ? d : d - k));
  }
  if (e.kind === "slide") return [...spans[e.dim]!, ...spans[e.by]!];
  if ("dim" in e) return e.kind === "index" ? [cutAt(spans, e.dim)] : [...spans[e.dim]!];
  if (!keepsPosition(e)) return [];
  return e.args.flatMap((arg) => {
    const have = sizes.of(arg);
    const count = sizes.count(arg);
    if (count === sizes.count(e) || count === 1) return [];
    const shift = own.length - have.length;
    return boundaries(own, (d) => (have[d - shift] ?? 1) === 1).map((d) => spans[d]![0]);
  });
}

/** The arguments whose positions are those of the node itself, or move evenly with them. */
function below(sizes: Sizes, { e, spans }: Met): Met[] {
  const still = (d: number): Span => [cutAt(spans, d), cutAt(spans, d)];
  switch (e.kind) {
    case "slice":
    case "spread":
    case "slide":
    case "concat":
      return e.args.map((arg) => ({ e: arg, spans }));
    case "index":
      return [{ e: e.args[0]!, spans: spans.toSpliced(e.dim, 0, still(e.dim)) }];
    case "place":
    case "stack":
      return e.args.map((arg) => ({ e: arg, spans: spans.toSpliced(e.dim, 1) }));
    case "transpose":
      return [{ e: e.args[0]!, spans: e.perm.map((_, d) => spans[e.perm.indexOf(d)]!) }];
    case "reduce":
    case "argReduce": {
      // Inlined: the sweep does not move along the axes that are reduced.
      if (e.keepDims) return [{ e: e.args[0]!, spans }];
      const within = [...spans];
      reducedDims(e).forEach((d, k) => within.splice(d, 0, still(d - k)));
      return [{ e: e.args[0]!, spans: within }];
    }
    default:
      return keepsPosition(e) ? belowInPlace(sizes, { e, spans }) : [];
  }
}

function belowInPlace(sizes: Sizes, { e, spans }: Met): Met[] {
  const own = sizes.of(e);
  if (e.kind === "reshape") {
    const arg = e.args[0]!;
    const within = reshaped(own, spans, sizes.of(arg));
    return within === null ? [] : [{ e: arg, spans: within }];
  }
  return e.args.flatMap((arg) =>
    sizes.count(arg) === 1 ? [] : [{ e: arg, spans: spans.slice(own.length - arg.shape.length) }],
  );
}

/** Spans of the same entries in another shape; null where one is at no even distance from others. */
function reshaped(
  own: readonly number[],
  spans: readonly Span[],
  have: readonly number[],
): Span[] | null {
  const whole = cutsOf(own);
  const wanted = cutsOf(have);
  // Where the old shape is split too, or the next place inside from which entries follow evenly.
  const inside = (c: number): number | null => {
    const d = whole.findIndex((w) => w <= c);
    if (d < 0 || c % whole[d]! !== 0) return null;
    return d === 0 ? (spans[0]?.[0] ?? 1) : (c / whole[d]!) * spans[d - 1]![1];
  };
  const around = (c: number): number | null => {
    const d = whole.findLastIndex((w, k) => w === c && k < own.length);
    return d < 0 ? inside(c) : spans[d]![0];
  };
  const within: Span[] = [];
  for (const [d] of have.entries()) {
    const [out, along] = [around(wanted[d]!), inside(wanted[d + 1]!)];
    if (out === null || along === null) return null;
    within.push([out, along]);
  }
  return within;
}

/** Entries in axes d and after, for each axis and after the last. */
function cutsOf(sizes: readonly number[]): number[] {
  return [...sizes, 1].map((_, d) => sizeProduct(sizes.slice(d)));
}

/** Axes at which `flag` changes from the one before; axes of size 1 count as either. */
function boundaries(sizes: readonly number[], flag: (d: number) => unknown): number[] {
  const changes: number[] = [];
  let previous: unknown = null;
  sizes.forEach((n, d) => {
    if (n === 1) return;
    const now = flag(d);
    if (previous !== null && previous !== now) changes.push(d);
    previous = now;
  });
  return changes;
}
