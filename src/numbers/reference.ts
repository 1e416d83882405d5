/**
 * Values in double-double: what kernels, gradients and other people's numbers are judged by.
 *
 * Two evaluations, each of which the tests hold the other to. `evaluateNodeByNode` goes through the
 * array once for every node, and shares no code with the kernels but the definitions of softmax and
 * mean; arrays are given back as soon as nothing needs them. For large arrays the kernels' passes
 * are written down in double-double instead (`wasm/doubledouble.ts`): operations give the same
 * bits, and sums are made in another order, with more than one running total.
 *
 * Constants and parameters are taken as the float64 they are: 1e-7 is the number that the user's
 * program computes with, not the decimal. Float casts keep the mathematical value.
 *
 * Relative error of a sum: 3n·2^-106 of the sum of absolute values, 4e-25 for 10^7 entries; of the
 * elementary functions: see `doubledoubleFunctions.ts`.
 */
import { ShapeError, formatShape, sizesOf, stridesOf } from "../expression/axis.ts";
import type { ArgReduce, Expr, OneHot, Reduce } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { PieceFailed } from "./crew.ts";
import { compareDD } from "./doubledouble.ts";
import { NotOnVectors, compileKernel } from "./kernel.ts";
import type { Limits } from "./kernel/plan.ts";
import { lower } from "./lower.ts";
import { BINARY_DD, UNARY_DD } from "./referenceFunctions.ts";
import {
  CAST_DD,
  EXACT,
  type Value,
  binaryLoop,
  clampLoop,
  combiner,
  identityOf,
  reduceRun,
  unaryLoop,
  whereLoop,
} from "./referenceLoops.ts";
import { broadcastSteps, forEachRun } from "./strided.ts";
import {
  type Bindings,
  Ticker,
  type Watch,
  boundArray,
  boundValue,
  sizeProduct,
} from "./typedArrays.ts";
import type { Arena } from "./wasm/arena.ts";
import { features } from "./wasm/features.ts";
import { OutOfMemory } from "./wasm/heap.ts";

export interface ReferenceOutput {
  readonly shape: number[];
  /** The value is hi + lo; hi is the float64 nearest to it. */
  readonly hi: Float64Array;
  readonly lo: Float64Array;
}

export interface ReferenceOptions extends Watch {
  /** Where outputs may be kept: they hold until it is released. */
  readonly arena?: Arena;
}

/**
 * @throws ShapeError when the size of an axis is not known
 * @throws BindingError when an array is missing or does not fit
 * @throws Cancelled
 */
export function evaluateReference(
  outputs: readonly Expr[],
  bindings: Bindings,
  options: ReferenceOptions = {},
): ReferenceOutput[] {
  const isLarge = topological(...outputs).some((e) => countOf(e) >= LEAST_FOR_VECTORS);
  const onVectors = isLarge ? evaluateOnVectors(outputs, bindings, options) : null;
  return onVectors ?? evaluateNodeByNode(outputs, bindings, options);
}

/** @throws as `evaluateReference` does */
export function evaluateNodeByNode(
  outputs: readonly Expr[],
  bindings: Bindings,
  watch: Watch = {},
): ReferenceOutput[] {
  return new Evaluation(lower(outputs), bindings, watch).run();
}

/**
 * Null where vectors cannot do it.
 * @throws as `evaluateReference` does
 */
export function evaluateOnVectors(
  outputs: readonly Expr[],
  bindings: Bindings,
  options: ReferenceOptions = {},
  limits: Partial<Limits> = {},
): ReferenceOutput[] | null {
  if (!features().simd || !features().shared) return null;
  try {
    const kernel = compileKernel(outputs, { arithmetic: "double-double", limits });
    return kernel.run(bindings, options).outputs.map(({ shape, data }) => {
      const pairs = data as Float64Array;
      const n = pairs.length / 2;
      return { shape, hi: pairs.subarray(0, n), lo: pairs.subarray(n) };
    });
  } catch (error) {
    if (isLeftToNodes(error)) return null;
    throw error;
  }
}

/** An operation that vectors have not, a number that they do not treat, or memory that they lack. */
function isLeftToNodes(error: unknown): boolean {
  return (
    error instanceof NotOnVectors ||
    error instanceof OutOfMemory ||
    error instanceof PieceFailed ||
    error instanceof WebAssembly.RuntimeError
  );
}

/** Smaller arrays are done before a WebAssembly module is compiled. */
const LEAST_FOR_VECTORS = 1 << 15;

const BLOCK = 1 << 14;

const countOf = (e: Expr): number => sizeProduct(sizesOf(e.shape));
/** A reduction goes over its argument, anything else over its result. */
const workOf = (e: Expr): number => Math.max(countOf(e), ...e.args.map(countOf));

class Evaluation {
  private readonly outputs: readonly Expr[];
  private readonly bindings: Bindings;
  private readonly ticker: Ticker;
  private readonly order: readonly Expr[];
  private readonly values = new Map<Expr, Value>();
  private readonly uses = new Map<Expr, number>();
  /** Arrays that nothing needs any more, by length. */
  private readonly free = new Map<number, Float64Array[]>();
  private readonly work: number;
  private done = 0;

  constructor(outputs: readonly Expr[], bindings: Bindings, watch: Watch) {
    this.outputs = outputs;
    this.bindings = bindings;
    this.ticker = new Ticker(watch);
    this.order = topological(...outputs);
    for (const e of [...this.order.flatMap((x) => x.args), ...outputs]) {
      this.uses.set(e, (this.uses.get(e) ?? 0) + 1);
    }
    this.work = this.order.reduce((sum, e) => sum + workOf(e), 1);
  }

  run(): ReferenceOutput[] {
    let finished = 0;
    for (const e of this.order) {
      const value = this.value(e);
      value.uses += this.uses.get(e)!;
      this.values.set(e, value);
      for (const arg of e.args) this.release(arg);
      finished += workOf(e);
      this.done = finished;
    }
    return this.outputs.map((e) => {
      const { hi, lo, lowStep, owned, uses } = this.values.get(e)!;
      const n = countOf(e);
      if (owned && uses === 1 && lo !== EXACT) return { shape: sizesOf(e.shape), hi, lo };
      const low = lowStep === 0 && lo.length !== n ? new Float64Array(n) : lo.slice(0, n);
      return { shape: sizesOf(e.shape), hi: hi.slice(0, n), lo: low };
    });
  }

  // --- arrays ---

  private release(e: Expr): void {
    const value = this.values.get(e)!;
    if (--value.uses === 0 && value.owned) this.discard(value);
  }

  private discard(value: Value): void {
    for (const array of [value.hi, value.lo]) {
      if (array === EXACT) continue;
      const known = this.free.get(array.length);
      if (known === undefined) this.free.set(array.length, [array]);
      else known.push(array);
    }
  }

  private array(n: number): Float64Array {
    return this.free.get(n)?.pop() ?? new Float64Array(n);
  }

  private fresh(n: number, isExact: boolean): Value {
    return {
      hi: this.array(n),
      lo: isExact ? EXACT : this.array(n),
      step: n === 1 ? 0 : 1,
      lowStep: isExact || n === 1 ? 0 : 1,
      owned: true,
      uses: 0,
    };
  }

  private given(array: Float64Array, owned: boolean): Value {
    return { hi: array, lo: EXACT, step: array.length === 1 ? 0 : 1, lowStep: 0, owned, uses: 0 };
  }

  // --- nodes ---

  private value(e: Expr): Value {
    switch (e.kind) {
      case "const":
        return this.given(Float64Array.of(e.value), true);
      case "parameter":
        return this.given(Float64Array.of(boundValue(e, this.bindings)), true);
      case "input": {
        const array = boundArray(e, this.bindings);
        return array instanceof Float64Array
          ? this.given(array, false)
          : this.given(Float64Array.from(array), true);
      }
      case "reshape":
      case "stopGradient":
        return this.values.get(e.args[0]!)!;
      case "cast":
        return this.cast(e.to, e);
      case "unary": {
        const f = UNARY_DD[e.op];
        return this.elementwise(e, e.type === "bool" || e.op === "sign", ([x], out, from, to) => {
          unaryLoop(f, x!, out, from, to);
        });
      }
      case "binary": {
        const f = BINARY_DD[e.op];
        return this.elementwise(e, e.type === "bool", ([x, y], out, from, to) => {
          binaryLoop(f, x!, y!, out, from, to);
        });
      }
      case "where":
        return this.elementwise(e, false, ([c, x, y], out, from, to) => {
          whereLoop(c!, x!, y!, out, from, to);
        });
      case "clamp":
        return this.elementwise(e, false, ([x, low, high], out, from, to) => {
          clampLoop(x!, low!, high!, out, from, to);
        });
      case "expand":
        return this.stretched(e.args[0]!, e);
      case "reduce":
        return this.reduce(e);
      case "argReduce":
        return this.argReduce(e);
      case "oneHot":
        return this.oneHot(e);
      case "size":
      case "softmax":
        throw new Error(`a ${e.kind} node was not lowered`);
      default:
        return this.moved(e);
    }
  }

  private cast(to: string, e: Expr): Value {
    if (to !== "int" && to !== "bool") return this.values.get(e.args[0]!)!;
    return this.elementwise(e, to === "bool", ([x], out, from, k) => {
      unaryLoop(CAST_DD[to], x!, out, from, k);
    });
  }

  private elementwise(
    e: Expr,
    isExact: boolean,
    loop: (args: readonly Value[], out: Value, from: number, to: number) => void,
  ): Value {
    const n = countOf(e);
    const args = e.args.map((a) =>
      countOf(a) === n || countOf(a) === 1 ? this.values.get(a)! : this.stretched(a, e),
    );
    const out = this.fresh(n, isExact);
    for (let from = 0; from < n; from += BLOCK) {
      const to = Math.min(from + BLOCK, n);
      loop(args, out, from, to);
      this.advance(to - from);
    }
    args.forEach((a, k) => {
      if (a !== this.values.get(e.args[k]!)) this.discard(a);
    });
    return out;
  }

  private advance(entries: number): void {
    this.done += entries;
    this.ticker.tick(this.done / this.work);
  }

  /** Copies entries, walking through the result and the argument with the given steps. */
  private copy(
    x: Value,
    out: Value,
    sizes: readonly number[],
    outSteps: readonly number[],
    xSteps: readonly number[],
    outStart = 0,
    xStart = 0,
  ): void {
    forEachRun(sizes, outSteps, xSteps, outStart, xStart, (o, i, n, dOut, dIn) => {
      for (let k = 0; k < n; k++, o += dOut, i += dIn) {
        out.hi[o] = x.hi[i]!;
        out.lo[o * out.lowStep] = x.lo[i * x.lowStep]!;
      }
      this.advance(n);
    });
  }

  private stretched(arg: Expr, to: Expr): Value {
    const x = this.values.get(arg)!;
    const sizes = sizesOf(to.shape);
    const out = this.fresh(sizeProduct(sizes), x.lo === EXACT);
    this.copy(x, out, sizes, stridesOf(sizes), broadcastSteps(sizesOf(arg.shape), sizes));
    return out;
  }

  /** Nodes that only move entries. */
  private moved(
    e: Extract<
      Expr,
      { kind: "transpose" | "index" | "slice" | "place" | "spread" | "slide" | "stack" | "concat" }
    >,
  ): Value {
    const sizes = sizesOf(e.shape);
    const strides = stridesOf(sizes);
    const isExact = e.args.every((a) => this.values.get(a)!.lo === EXACT);
    const out = this.fresh(sizeProduct(sizes), isExact);
    const arg = e.args[0]!;
    const x = this.values.get(arg)!;
    const from = sizesOf(arg.shape);
    const own = stridesOf(from);
    switch (e.kind) {
      case "transpose":
        this.copy(
          x,
          out,
          sizes,
          strides,
          e.perm.map((p) => own[p]!),
        );
        break;
      case "index":
        this.copy(x, out, sizes, strides, own.toSpliced(e.dim, 1), 0, e.at * own[e.dim]!);
        break;
      case "slice": {
        const steps = own.with(e.dim, own[e.dim]! * e.step);
        this.copy(x, out, sizes, strides, steps, 0, e.start * own[e.dim]!);
        break;
      }
      case "place":
        clear(out);
        this.copy(x, out, from, strides.toSpliced(e.dim, 1), own, e.at * strides[e.dim]!);
        break;
      case "spread": {
        clear(out);
        const steps = strides.with(e.dim, strides[e.dim]! * e.step);
        this.copy(x, out, from, steps, own, e.start * strides[e.dim]!);
        break;
      }
      case "slide": {
        clear(out);
        const [n, m] = [from[e.dim]!, sizes[e.dim]!];
        for (let k = 0; k < sizes[e.by]!; k++) {
          const shift = e.factor * k + e.start;
          const [first, end] = [Math.max(0, -shift), Math.min(m, n - shift)];
          if (end <= first) continue;
          const part = sizes.with(e.dim, end - first).with(e.by, 1);
          const to = first * strides[e.dim]! + k * strides[e.by]!;
          const at = (first + shift) * own[e.dim]! + k * own[e.by]!;
          this.copy(x, out, part, strides, own, to, at);
        }
        break;
      }
      case "stack":
        e.args.forEach((a, k) => {
          const steps = strides.toSpliced(e.dim, 1);
          this.copy(this.values.get(a)!, out, from, steps, own, k * strides[e.dim]!);
        });
        break;
      case "concat": {
        let at = 0;
        for (const a of e.args) {
          const part = sizesOf(a.shape);
          const start = at * strides[e.dim]!;
          this.copy(this.values.get(a)!, out, part, strides, stridesOf(part), start);
          at += part[e.dim]!;
        }
        break;
      }
    }
    return out;
  }

  private reduce(e: Reduce): Value {
    if (e.op === "mean") throw new Error("a mean was not lowered");
    const arg = e.args[0]!;
    const x = this.values.get(arg)!;
    const count = countOf(e);
    if ((e.op === "max" || e.op === "min") && countOf(arg) === 0 && count > 0) {
      throw new ShapeError(`${e.op} of no entries: ${formatShape(arg.shape)}`);
    }
    const f = combiner(e.op);
    const out = this.fresh(count, e.op === "any" || e.op === "all");
    clear(out);
    out.hi.fill(identityOf(e.op), 0, count);
    this.overReduced(e, e.dims, (b, a, n, db, da) => {
      reduceRun(f, x, out, a, b, n, da, db);
    });
    return out;
  }

  /** Runs through result (0 steps along reduced axes) and argument. */
  private overReduced(
    e: Expr,
    dims: readonly number[],
    run: (out: number, x: number, n: number, dOut: number, dIn: number) => void,
  ): void {
    const sizes = sizesOf(e.args[0]!.shape);
    const kept = sizes.map((n, d) => (dims.includes(d) ? 1 : n));
    forEachRun(
      sizes,
      broadcastSteps(kept, sizes),
      stridesOf(sizes),
      0,
      0,
      (out, x, n, dOut, dIn) => {
        run(out, x, n, dOut, dIn);
        this.advance(n);
      },
    );
  }

  private argReduce(e: ArgReduce): Value {
    const x = this.values.get(e.args[0]!)!;
    const sizes = sizesOf(e.args[0]!.shape);
    const along = stridesOf(sizes)[e.dim]!;
    const beats = e.op === "argmax" ? 1 : -1;
    const out = this.fresh(countOf(e), true);
    const best = new Int32Array(countOf(e)).fill(-1);
    this.overReduced(e, [e.dim], (b, a, n, db, da) => {
      for (let k = 0; k < n; k++, b += db, a += da) {
        const o = best[b]!;
        if (o >= 0) {
          if (Number.isNaN(x.hi[o])) continue;
          const order = compareDD(x.hi[a]!, x.lo[a * x.lowStep]!, x.hi[o]!, x.lo[o * x.lowStep]!);
          if (!Number.isNaN(x.hi[a]) && order !== beats) continue;
        }
        best[b] = a;
      }
    });
    best.forEach((a, b) => {
      out.hi[b] = a < 0 ? 0 : Math.floor(a / along) % sizes[e.dim]!;
    });
    return out;
  }

  private oneHot(e: OneHot): Value {
    const x = this.values.get(e.args[0]!)!;
    const from = sizesOf(e.args[0]!.shape);
    const sizes = sizesOf(e.shape);
    const strides = stridesOf(sizes);
    const steps = strides.toSpliced(e.dim, 1);
    const out = this.fresh(sizeProduct(sizes), true);
    for (let c = 0; c < sizes[e.dim]!; c++) {
      const start = c * strides[e.dim]!;
      forEachRun(from, steps, stridesOf(from), start, 0, (o, i, n, dOut, dIn) => {
        for (let k = 0; k < n; k++, o += dOut, i += dIn) {
          out.hi[o] = x.hi[i] === c && x.lo[i * x.lowStep] === 0 ? 1 : 0;
        }
        this.advance(n);
      });
    }
    return out;
  }
}

function clear(out: Value): void {
  out.hi.fill(0);
  if (out.lo !== EXACT) out.lo.fill(0);
}
