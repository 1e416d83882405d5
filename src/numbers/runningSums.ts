/**
 * Sums up to a position, Σ_j [j ≤ i]·x_j, in fewer steps than they have terms: within blocks, and
 * of the blocks before (G. E. Blelloch, Prefix Sums and Their Applications, 1990). Such a sum takes
 * n·b additions for blocks of b entries in place of n².
 */
import { type Axis, type Shape, UNIT, axis, broadcast, isUnit } from "../expression/axis.ts";
import {
  ONE,
  add,
  binary,
  div,
  expand,
  mul,
  positions,
  reduce,
  reshape,
  slice,
  spread,
  transpose,
} from "../expression/build.ts";
import { type BinaryOp, type Expr, type Reduce, isPositions } from "../expression/node.ts";

/** Up to so many entries every one is compared with every other. */
const LEAST = 64;
/** Of longer axes, entries a block; below its square a block has as many entries as there are blocks. */
const BLOCK = 64;

/** `≤`: the entries up to the own one; `<` without it; `≥` and `>`: from it on. */
export type Range = "le" | "lt" | "ge" | "gt";

const MIRRORED: Readonly<Record<Range, Range>> = { le: "ge", lt: "gt", ge: "le", gt: "lt" };

function isRange(op: BinaryOp): op is Range {
  return op === "le" || op === "lt" || op === "ge" || op === "gt";
}

/** Sums of the entries of `x` in each one's range along `dim`, to be made one after the other. */
export interface Scan {
  readonly x: Expr;
  readonly dim: number;
  readonly range: Range;
}

/** Which sums up to a position are left to whoever can make them one after the other. */
export interface Scans {
  /** Those over more than so many entries. */
  readonly above: number;
  readonly found: Map<Expr, Scan>;
}

/**
 * The same sum in blocks, or one that is left to be made; null where it is none, or over few entries.
 * @param e a sum, of a product in which one factor compares positions along two axes
 */
export function sumsUpTo(e: Reduce, scans: Scans | null): Expr | null {
  if (e.op !== "sum") return null;
  const factors = factorsOf(e.args[0]!);
  for (const [k, condition] of factors.entries()) {
    const range = condition.divides ? null : rangeIn(condition.e, e);
    if (range === null || range.size <= (scans?.above ?? LEAST)) continue;
    return summed(e, range, factors.toSpliced(k, 1), scans);
  }
  return null;
}

interface Factor {
  readonly e: Expr;
  /** Whether it is divided by. */
  readonly divides: boolean;
}

/** Of a product or quotient, whatever stretches its parts. */
function factorsOf(e: Expr): Factor[] {
  if (e.kind === "expand") return factorsOf(e.args[0]!);
  if (e.kind === "binary" && e.op === "mul") return e.args.flatMap(factorsOf);
  if (e.kind === "binary" && e.op === "div") {
    return [...factorsOf(e.args[0]!), { e: e.args[1]!, divides: true }];
  }
  const isTruth = e.kind === "cast" && e.args[0]!.type === "bool" && e.to !== "bool";
  return [{ e: isTruth ? e.args[0]! : e, divides: false }];
}

/** The product of the factors, divided by those that divide. */
function productOf(factors: readonly Factor[]): Expr {
  const [over, under] = [false, true].map((divides) =>
    factors.filter((f) => f.divides === divides).map((f) => f.e),
  ) as [Expr[], Expr[]];
  const numerator = over.length === 0 ? ONE : over.reduce(mul);
  return under.length === 0 ? numerator : div(numerator, under.reduce(mul));
}

interface RangeAlong {
  /** Which of the entries along `over` count for one along `own`. */
  readonly range: Range;
  readonly own: number;
  readonly over: number;
  readonly size: number;
}

function rangeIn(condition: Expr, e: Reduce): RangeAlong | null {
  if (condition.kind !== "binary" || !isRange(condition.op)) return null;
  const rank = e.args[0]!.shape.length;
  const [a, b] = condition.args.map((x) => positionsAlong(x, rank));
  if (a === null || b === null || a === undefined || b === undefined) return null;
  if (a.size !== b.size) return null;
  const [reducesA, reducesB] = [a, b].map((x) => e.dims.includes(x.dim));
  if (reducesA === reducesB) return null;
  return reducesA!
    ? { range: condition.op, own: b.dim, over: a.dim, size: a.size }
    : { range: MIRRORED[condition.op], own: a.dim, over: b.dim, size: a.size };
}

/** Positions along one of `rank` axes, be they reshaped to stand there. */
function positionsAlong(e: Expr, rank: number): { dim: number; size: number } | null {
  let x = e;
  while (x.kind === "reshape") x = x.args[0]!;
  if (!isPositions(x)) return null;
  const size = x.shape[0]!.size!;
  const dims = e.shape.flatMap((a, d) => (isUnit(a) ? [] : [d]));
  return dims.length === 1 ? { dim: dims[0]! + rank - e.shape.length, size } : null;
}

function summed(
  e: Reduce,
  { range, own, over, size }: RangeAlong,
  factors: readonly Factor[],
  scans: Scans | null,
): Expr | null {
  const { shape } = e.args[0]!;
  const full = factors.map((f) => ({ ...f, e: toRank(f.e, shape.length) }));
  const outside = full.filter((f) => !isUnit(f.e.shape[own]!));
  if (outside.some((f) => e.dims.some((d) => !isUnit(f.e.shape[d]!)))) return null;
  const inside = full.filter((f) => isUnit(f.e.shape[own]!));
  let x = toRank(productOf(inside), shape.length);
  const others = e.dims.filter((d) => d !== over);
  // Along the other axes the sum runs over all entries, those that are stretched included.
  const stretched = x.shape.map((a, d) => (e.dims.includes(d) && isUnit(a) ? shape[d]! : a));
  if (stretched.some((a, d) => a !== x.shape[d])) x = expand(x, stretched);
  if (others.length > 0) x = reduce("sum", x, others, true);
  const swapped = shape.map((_, d) => (d === own ? over : d === over ? own : d));
  const made = scans === null ? runningSum(x, over, size, range) : compared(x, over, size, range);
  scans?.found.set(made, { x, dim: over, range });
  const sums = transpose(made, swapped);
  const result = productOf([{ e: sums, divides: false }, ...outside]);
  const kept = shape.map((a, d) => (e.dims.includes(d) ? UNIT : a));
  return reshape(expand(result, broadcast(result.shape, kept)), e.shape);
}

function toRank(e: Expr, rank: number): Expr {
  const missing = rank - e.shape.length;
  if (missing === 0) return e;
  return reshape(e, [...Array.from({ length: missing }, (): Axis => UNIT), ...e.shape]);
}

/** The sums of the `size` entries in each one's range along `dim`. */
function runningSum(x: Expr, dim: number, size: number, range: Range): Expr {
  if (size <= LEAST) return compared(x, dim, size, range);
  const length = Math.min(BLOCK, Math.ceil(Math.sqrt(size)));
  const count = Math.ceil(size / length);
  const [blocks, within] = [axis(`${length} blocks`, count), axis(`in ${length} blocks`, length)];
  const around = (own: readonly Axis[]): Shape => x.shape.toSpliced(dim, 1, ...own);
  const padded = axis(`${count} × ${length}`, count * length);
  const whole = count * length === size ? x : spread(x, dim, 0, 1, padded);
  const parts = reshape(whole, around([blocks, within]));
  const before = range === "le" || range === "lt" ? "lt" : "gt";
  const totals = reduce("sum", parts, [dim + 1]);
  const offsets = runningSum(totals, dim, count, before);
  const sums = add(
    compared(parts, dim + 1, length, range),
    reshape(offsets, around([blocks, UNIT])),
  );
  const joined = reshape(sums, around([padded]));
  return reshape(slice(joined, dim, 0, size), x.shape);
}

/** The same, comparing every entry with every other. */
function compared(x: Expr, dim: number, size: number, range: Range): Expr {
  const along = x.shape[dim]!;
  const other = axis(`${along.name}″`, size);
  const places = positions(`positions below ${size}`, axis("k", size));
  const after = x.shape.slice(dim + 1).map((): Axis => UNIT);
  const condition = binary(
    range,
    reshape(places, [UNIT, other, ...after]),
    reshape(places, [along, UNIT, ...after]),
  );
  const terms = reshape(x, x.shape.toSpliced(dim, 1, UNIT, other));
  return reduce("sum", mul(condition, terms), [dim + 1]);
}
