/** What the scheduler hands to whoever emits code: buffers, and passes that fill them. */
import type { ArgReduce, Expr, Reduce } from "../../expression/node.ts";
import { type Sizes, sizeProduct } from "../typedArrays.ts";
import type { Scan } from "../runningSums.ts";
import type { Lookups } from "./lookups.ts";

/** From which sizes on it is worth doing something else than the plainest. */
export interface Limits {
  /** Reductions of at most this many entries may be computed inline … */
  readonly mostInlined: number;
  /** … if at least so many results come of it: below, the pass that stores them costs nothing. */
  readonly leastInlinedResult: number;
  /** … and if writing it out takes at most so many nodes. */
  readonly mostInlinedNodes: number;
  /** A chain of this many inlined nodes is cut by storing one. */
  readonly deepestRegion: number;
  /** Code longer than this is not optimised by the engine; it is split over several passes. */
  readonly mostNodesInPass: number;
  /** A pass that takes more instructions than this is made anew, its windows in passes of their own. */
  readonly mostInstructions: number;
  /** Stretched arrays of up to this many entries are stored, however cheap to compute. */
  readonly smallResult: number;
  /** Passes over fewer entries than this compute costly nodes again. */
  readonly leastKept: number;
  /** Temporary arrays may hold this many entries altogether (64 MB). */
  readonly mostTemporary: number;
  /** A piece of a sweep between two looks at the clock is at least this long. */
  readonly leastChunk: number;
  /** In float32 arithmetic, arrays of fewer entries (sums, weights of classes) are still float64. */
  readonly leastSingle: number;
}

export const LIMITS: Limits = {
  mostInlined: 16,
  leastInlinedResult: 256,
  mostInlinedNodes: 1500,
  deepestRegion: 200,
  mostNodesInPass: 1200,
  mostInstructions: 1200,
  smallResult: 1 << 16,
  leastKept: 4096,
  mostTemporary: 8 << 20,
  leastChunk: 1 << 12,
  leastSingle: 1 << 12,
};

/** More instructions than a pass may have: windows over windows are written out in it. */
export class PassTooLong extends Error {
  constructor() {
    super("a pass takes too many instructions");
  }
}

/** A flat array that passes read or write. */
export interface Buffer {
  readonly id: number;
  readonly role: "input" | "stored" | "compensation" | "best";
  readonly count: number;
  /** Of an input. */
  readonly name?: string;
  /** What it holds before the first pass. */
  readonly initial: number;
}

export interface StoreRoot {
  readonly kind: "store";
  readonly node: Expr;
  readonly buffer: Buffer;
}

export interface ReduceRoot {
  readonly kind: "reduce";
  readonly node: Reduce | ArgReduce;
  /** Result, one entry a kept position. */
  readonly buffer: Buffer;
  /** For sums the compensation, for positions the best value so far. */
  readonly second: Buffer | null;
}

/** Running sums of a stored array, which take a pass of their own. */
export interface ScanRoot {
  readonly kind: "scan";
  readonly node: Expr;
  readonly buffer: Buffer;
  readonly scan: Scan;
  /** Where the entries of `scan.x` stand. */
  readonly source: Buffer;
}

export type Root = StoreRoot | ReduceRoot | ScanRoot;

/** One sweep over an index space of `total` entries, row-major over each root's own shape. */
export interface PassPlan {
  readonly stage: number;
  readonly total: number;
  /** Products of trailing sizes at which the sweep must be split into axes; ascending. */
  readonly cuts: readonly number[];
  readonly roots: readonly Root[];
}

/** Where the value of a node is found by passes of a later stage. */
export interface Stored {
  readonly buffer: Buffer;
  readonly stage: number;
}

export interface Schedule {
  readonly limits: Limits;
  readonly sizes: Sizes;
  readonly lookups: Lookups;
  readonly buffers: readonly Buffer[];
  readonly passes: readonly PassPlan[];
  readonly stored: ReadonlyMap<Expr, Stored>;
  readonly inlined: ReadonlySet<Expr>;
  readonly outputs: readonly { readonly node: Expr; readonly buffer: Buffer }[];
}

/** The node whose entries a root goes through, apart from axes along which they are looked up. */
export function overOf(root: Root): Expr {
  if (root.kind === "scan") return root.scan.x;
  return root.kind === "reduce" ? root.node.args[0]! : root.node;
}

/** Sizes of what a root goes through: 1 along an axis on which entries are looked up. */
export function sweptBy(
  { sizes, lookups }: Pick<Schedule, "sizes" | "lookups">,
  root: Root,
): readonly number[] {
  return root.kind === "reduce" ? lookups.swept(root.node) : sizes.of(overOf(root));
}

/** How many entries a root goes through. */
export function totalOf(of: Pick<Schedule, "sizes" | "lookups">, root: Root): number {
  return sizeProduct(sweptBy(of, root));
}
