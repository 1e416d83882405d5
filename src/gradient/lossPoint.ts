/** A loss at one point: its arrays, and the ways to evaluate things there. */
import * as b from "../expression/build.ts";
import type { Expr, Input } from "../expression/node.ts";
import { substitute } from "../expression/walk.ts";
import { errorBound, errorScale, operationDepth, reductionDepth } from "../numbers/errorScale.ts";
import { Arena } from "../numbers/wasm/arena.ts";
import { type Kernel, compileKernel } from "../numbers/kernel.ts";
import { type ReferenceOutput, evaluateReference } from "../numbers/reference.ts";
import { type Bindings, type TypedArray, type Watch, boundArray } from "../numbers/typedArrays.ts";
import type { Path } from "./paths.ts";
import { UNIT_ROUNDOFF } from "./probe.ts";

export class LossPoint {
  readonly loss: Expr;
  readonly wrt: Input;
  /** In the kernels' memory where they fit. */
  readonly bindings: Bindings;
  /** The entries of `wrt`. */
  readonly base: TypedArray;
  private terms: number | undefined;
  private readonly listener: Watch;
  private stage = { from: 0, to: 0 };
  private reached = 0;
  private readonly arena = new Arena();
  /** The velocity of the path that was evaluated last. */
  private readonly pathArena = new Arena();
  private latest: { readonly path: Path; readonly velocity: TypedArray } | null = null;
  /** Paths of one kind differ in their arrays only. */
  private readonly kernels = new Map<Expr, Kernel>();

  /** @throws BindingError when an array is missing or does not fit */
  constructor(loss: Expr, wrt: Input, bindings: Bindings, listener: Watch = {}) {
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

  /** Values of whole expressions in float64 with compensated sums. */
  values(exprs: readonly Expr[]): Float64Array[] {
    const options = { ...this.watch, arena: this.arena };
    const { outputs } = compileKernel(exprs).run(this.bindings, options);
    return outputs.map((o) => o.data);
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

  /** In the kernels' memory, as a path is evaluated at several steps. */
  private velocityOf(path: Path): TypedArray {
    if (this.latest?.path !== path) {
      this.pathArena.release();
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
    const bound = errorBound(reductionDepth(this.loss), operationDepth(this.loss));
    const error = bound * UNIT_ROUNDOFF * this.scaleOfLoss;
    return Number.isFinite(error) ? error : null;
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
