/** A loss at one point: its arrays, and the ways to evaluate things there. */
import * as b from "../expression/build.ts";
import type { Expr, Input } from "../expression/node.ts";
import { substitute } from "../expression/walk.ts";
import { errorScale, float64Error } from "../numbers/errorScale.ts";
import { Arena } from "../numbers/wasm/arena.ts";
import { type Kernel, type RunOptions, compileKernel } from "../numbers/kernel.ts";
import { type ReferenceOutput, evaluateReference } from "../numbers/reference.ts";
import { type Bindings, type TypedArray, type Watch, boundArray } from "../numbers/typedArrays.ts";
import { entrywise, isFinite, only } from "./entrywise.ts";
import type { Tied } from "./kinks.ts";
import type { Path } from "./paths.ts";
import { UNIT_ROUNDOFF } from "./probe.ts";

/** What all entries of a gradient amount to. */
export interface EntryFigures {
  /** How many are no finite numbers; the rest holds where none are. */
  readonly notFinite: number;
  readonly maxAbs: number;
  /** Euclidean. */
  readonly norm: number;
  readonly mean: number;
  /** Σ |gx| over the entries x of the input: what a rounding of all of them changes, over u. */
  readonly sizeOfMoved: number;
}

export class LossPoint {
  readonly loss: Expr;
  readonly wrt: Input;
  /** In the kernels' memory where they fit. */
  readonly bindings: Bindings;
  /** The entries of `wrt`. */
  readonly base: TypedArray;
  /** What was sorted and has equal entries, in the order that the loss holds. */
  readonly tied: readonly Tied[];
  private terms: number | undefined;
  private found: number | undefined;
  private readonly listener: Watch;
  private stage = { from: 0, to: 0 };
  private reached = 0;
  private readonly arena = new Arena();
  /** What belongs to the path that was begun last. */
  private readonly pathArena = new Arena();
  private latest: { readonly path: Path; readonly velocity: TypedArray } | null = null;
  /** Paths of one kind differ in their arrays only. */
  private readonly kernels = new Map<Expr, Kernel>();

  /** @throws BindingError when an array is missing or does not fit */
  constructor(
    loss: Expr,
    wrt: Input,
    bindings: Bindings,
    listener: Watch & { readonly tied?: readonly Tied[] } = {},
  ) {
    this.tied = listener.tied ?? [];
    this.loss = loss;
    this.wrt = wrt;
    boundArray(wrt, bindings);
    const resident = (x: TypedArray | number): TypedArray | number =>
      typeof x === "number" ? x : this.arena.resident(x);
    this.bindings = new Map([...bindings].map(([name, x]) => [name, resident(x)]));
    this.base = boundArray(wrt, this.bindings);
    this.listener = listener;
  }

  /** Begins a stage of the work, between two fractions of the whole. */
  enter(from: number, to: number): void {
    this.stage = { from, to };
    this.report(from);
  }

  private report(fraction: number): void {
    // A stage runs several kernels, each from 0 to 1: only what is new is told.
    if (fraction < this.reached) return;
    this.reached = fraction;
    this.listener.onProgress?.(fraction);
  }

  private get watch(): Watch {
    const { isCancelled } = this.listener;
    const { from, to } = this.stage;
    return {
      onProgress: (f) => {
        this.report(from + f * (to - from));
      },
      ...(isCancelled === undefined ? {} : { isCancelled }),
    };
  }

  /** For what takes little time beside the rest of its stage. */
  get quietly(): RunOptions {
    const { isCancelled } = this.listener;
    return { arena: this.arena, ...(isCancelled === undefined ? {} : { isCancelled }) };
  }

  /** Values of whole expressions in float64 with compensated sums. */
  values(exprs: readonly Expr[]): Float64Array[] {
    const options = { ...this.watch, arena: this.arena };
    const { outputs } = compileKernel(exprs).run(this.bindings, options);
    return outputs.map((o) => o.data);
  }

  /** The loss itself, in float64. */
  get value(): number {
    return (this.found ??= this.values([this.loss])[0]![0]!);
  }

  /** What a gradient is like, entry by entry. */
  figuresOf(gradient: TypedArray): EntryFigures {
    if (gradient.length === 0) {
      return { notFinite: 0, maxAbs: 0, norm: 0, mean: 0, sizeOfMoved: 0 };
    }
    const [bad, maxAbs, squares, sum, moved] = entrywise(
      { gradient, base: this.base },
      ({ gradient: g, base: x }) => {
        const moved = b.abs(b.mul(g, x));
        return [
          b.sum(only(b.unary("not", isFinite(g)), b.ONE)),
          b.reduce("max", b.abs(g), null),
          b.sum(b.mul(g, g)),
          b.sum(g),
          b.sum(only(isFinite(moved), moved)),
        ];
      },
      this.quietly,
    ).map((a) => a[0]!) as [number, number, number, number, number];
    return {
      notFinite: bad,
      maxAbs,
      norm: Math.sqrt(squares),
      mean: sum / gradient.length,
      sizeOfMoved: moved,
    };
  }

  /** What a gradient claims the derivative along a path to be, with the rounding of that sum. */
  claimOf(gradient: TypedArray, velocity: Float64Array): { value: number; rounding: number } {
    const [value, size] = entrywise(
      { gradient, velocity },
      ({ gradient: g, velocity: v }) => {
        const term = only(b.binary("ne", v, b.ZERO), b.mul(g, v));
        return [b.sum(term), b.sum(b.abs(term))];
      },
      this.quietly,
    ).map((a) => a[0]!) as [number, number];
    return { value, rounding: 4 * UNIT_ROUNDOFF * size };
  }

  /** Values in double-double. */
  reference(
    exprs: readonly Expr[],
    more: ReadonlyMap<string, TypedArray> = new Map(),
  ): ReferenceOutput[] {
    const options = { ...this.watch, arena: this.arena };
    return evaluateReference(exprs, new Map([...this.bindings, ...more]), options);
  }

  /** A scalar expression as a function of the step along a path of `wrt`, with more arrays bound. */
  along(
    e: Expr,
    path: Path,
    more: ReadonlyMap<string, TypedArray> = new Map(),
  ): (step: number) => number {
    const velocity = b.input("·velocity", this.wrt.shape);
    const moved = path.moved(this.wrt, velocity, b.parameter("·step", null));
    const root = substitute(e, new Map([[this.wrt, moved]]));
    let kernel = this.kernels.get(root);
    if (kernel === undefined) this.kernels.set(root, (kernel = compileKernel([root])));
    const bindings = new Map<string, TypedArray | number>([...this.bindings, ...more]);
    return (step) => {
      bindings.set("·velocity", this.velocityOf(path));
      bindings.set("·step", step);
      return kernel.run(bindings, this.watch).outputs[0]!.data[0]!;
    };
  }

  /**
   * For kernels that find a path's velocity: their results hold until the next path is begun, as
   * each is as large as the input.
   */
  beginPath(): RunOptions {
    this.pathArena.release();
    this.latest = null;
    return { ...this.quietly, arena: this.pathArena };
  }

  /** In the kernels' memory, as a path is evaluated at several steps. */
  private velocityOf(path: Path): TypedArray {
    if (this.latest?.path !== path) {
      this.latest = { path, velocity: this.pathArena.resident(path.velocity) };
    }
    return this.latest.velocity;
  }

  /** Sum of the absolute terms of the loss itself; 0 where that is not finite. */
  get lossTerms(): number {
    return Number.isFinite(this.scaleOfLoss) ? this.scaleOfLoss : 0;
  }

  private get scaleOfLoss(): number {
    return (this.terms ??= this.errorScale(this.loss)[0]!);
  }

  /**
   * The value of the loss in float64 is at most this far from the exact one; null where no bound is
   * known.
   */
  get lossError(): number | null {
    return float64Error(this.loss, this.scaleOfLoss);
  }

  /** Sum of the absolute terms of each element: the unit of its rounding error, over u. */
  errorScale(e: Expr): Float64Array {
    return errorScale(e, this.bindings, { ...this.watch, arena: this.arena }).data;
  }

  /** Gives back the memory of all arrays that were computed here. */
  release(): void {
    this.arena.release();
    this.pathArena.release();
    this.latest = null;
  }
}
