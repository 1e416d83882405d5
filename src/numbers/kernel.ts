/**
 * Expressions compiled to loops: loss, gradient and whatever else is asked for together, sharing
 * what they have in common.
 *
 * Arithmetic is float64 whatever the arrays' types. Sums add up to four entries in pairs and carry
 * the rounding errors of all further additions along (Knuth's two-sum, added up apart). Their error
 * is at most 3u of the sum of absolute values, however many entries there are, and within a unit in
 * the last place where the terms have one sign and are many. Sums of at most 16 entries inside an
 * elementwise formula (a softmax over classes) are added in pairs: 4u. Products over axes are plain.
 * Special values follow IEEE 754.
 *
 * From expression to numbers: `schedule.ts` decides on passes, `builder.ts` turns each into loops
 * (`loops.ts`), and an emitter writes those down. `javascript.ts` is the emitter there is; another
 * one needs nothing but `LoopNest`.
 */
import type { Expr } from "../expression/node.ts";
import { leaves } from "../expression/walk.ts";
import { type PassFunction, compilePass, passSource } from "./kernel/javascript.ts";
import { SharingConflict, buildPass } from "./kernel/builder.ts";
import type { LoopNest, Pass } from "./kernel/loops.ts";
import { type Buffer, LIMITS, type Limits, type Schedule } from "./kernel/plan.ts";
import { Scheduler } from "./kernel/schedule.ts";
import {
  type Bindings,
  Ticker,
  type TypedArray,
  type Watch,
  boundArray,
  boundValue,
} from "./typedArrays.ts";

export interface KernelOutput {
  readonly shape: number[];
  /** Row-major. */
  readonly data: Float64Array;
}

export interface RunOptions extends Watch {
  /**
   * Entries between two looks at the clock; the default suits every loss. Sums are cut there, so
   * their last bits depend on it (on nothing else: the same run gives the same bits).
   */
  readonly chunk?: number;
  /** Arrays to write the outputs to, by position, where their lengths fit. */
  readonly into?: readonly (Float64Array | undefined)[];
}

export interface CompileOptions {
  /**
   * Whether casts to float32, float16 and bfloat16 round. By default they keep the mathematical
   * value, as the reference does: a derivative is one of mathematics, not of a rounded program.
   */
  readonly roundCasts?: boolean;
  /** Lower, so that tests on small arrays go the ways of large ones. */
  readonly limits?: Partial<Limits>;
}

export interface Kernel {
  /**
   * Evaluates the expressions on these arrays.
   * @throws BindingError when an array is missing or does not fit
   * @throws Cancelled
   */
  run(bindings: Bindings, options?: RunOptions): { outputs: KernelOutput[] };
  /** How many sweeps over how many entries a run takes, in order. */
  readonly passes: readonly { readonly total: number }[];
  /** The generated code for float64 arrays, to look at. */
  source(): string;
}

const DEFAULT_CHUNK = 1 << 14;
const FIRST_CHUNK = 1 << 10;

/** @throws ShapeError when the size of an axis is not known (`resize` gives it one) */
export function compileKernel(outputs: readonly Expr[], options: CompileOptions = {}): Kernel {
  return new CompiledKernel(outputs, options);
}

interface Compiled {
  readonly nest: LoopNest;
  readonly run: PassFunction;
}

class CompiledKernel implements Kernel {
  readonly passes: readonly Pass[];
  private readonly schedule: Schedule;
  private readonly inputs: readonly Expr[];
  private readonly shapes: readonly (readonly number[])[];
  private readonly roundCasts: boolean;
  /** By the arrays' types: code is compiled anew for other types. */
  private readonly compiled = new Map<string, readonly (readonly Compiled[])[]>();

  constructor(outputs: readonly Expr[], options: CompileOptions) {
    const { schedule, passes } = plan(outputs, { ...LIMITS, ...options.limits });
    this.schedule = schedule;
    this.passes = passes;
    this.inputs = [...new Set(outputs.flatMap(leaves))];
    this.shapes = outputs.map((e) => e.shape.map((a) => a.size!));
    this.roundCasts = options.roundCasts === true;
  }

  run(bindings: Bindings, options: RunOptions = {}): { outputs: KernelOutput[] } {
    const ticker = new Ticker(options);
    const arrays = new Map<number, TypedArray>();
    const parameters = new Map<string, number>();
    for (const e of this.inputs) {
      if (e.kind === "parameter") parameters.set(e.name, boundValue(e, bindings));
      if (e.kind !== "input") continue;
      const buffer = this.schedule.buffers.find((b) => b.role === "input" && b.name === e.name)!;
      arrays.set(buffer.id, boundArray(e, bindings));
    }
    const compiled = this.compile(arrays);
    const array = (buffer: Buffer): TypedArray => {
      let a = arrays.get(buffer.id);
      if (a === undefined) arrays.set(buffer.id, (a = this.allocate(buffer, options.into)));
      return a;
    };
    const work = compiled.flat().reduce((sum, { nest }) => sum + workOf(nest), 0);
    let done = 0;
    this.passes.forEach((pass, k) => {
      for (const { nest, run } of compiled[k]!) {
        const args = [
          ...nest.buffers.map(array),
          ...nest.parameters.map((name) => parameters.get(name)!),
        ];
        sweep(nest, run, args, options.chunk ?? DEFAULT_CHUNK, (entries) => {
          ticker.tick((done + entries * nest.weight) / work);
        });
        done += workOf(nest);
      }
      addCompensations(pass, array);
    });
    return { outputs: this.collect(array) };
  }

  source(): string {
    const options = { types: new Map<number, string>(), roundCasts: this.roundCasts };
    const nests = this.passes.flatMap((p) => p.nests);
    return nests.map((n) => passSource(n, options)).join("\n\n");
  }

  private compile(arrays: ReadonlyMap<number, TypedArray>): readonly (readonly Compiled[])[] {
    const types = new Map([...arrays].map(([id, a]) => [id, a[Symbol.toStringTag]]));
    const key = [...types.values()].join();
    let compiled = this.compiled.get(key);
    if (compiled === undefined) {
      const options = { types, roundCasts: this.roundCasts };
      compiled = this.passes.map((pass) =>
        pass.nests.map((nest) => ({ nest, run: compilePass(nest, options) })),
      );
      this.compiled.set(key, compiled);
    }
    return compiled;
  }

  private allocate(buffer: Buffer, into: RunOptions["into"]): Float64Array {
    const k = this.schedule.outputs.findIndex((o) => o.buffer === buffer);
    const given = k < 0 ? undefined : into?.[k];
    const array = given?.length === buffer.count ? given : new Float64Array(buffer.count);
    // What is stored is stored whole; what is accumulated starts from its first value.
    const isAccumulated = this.schedule.passes.some((p) =>
      p.roots.some((r) => r.kind === "reduce" && r.buffer === buffer),
    );
    if (buffer.initial !== 0 || (array === given && isAccumulated)) array.fill(buffer.initial);
    return array;
  }

  private collect(array: (buffer: Buffer) => TypedArray): KernelOutput[] {
    const given = new Set<Buffer>();
    return this.schedule.outputs.map(({ buffer }, k) => {
      const data = array(buffer) as Float64Array;
      const output = { shape: [...this.shapes[k]!], data: given.has(buffer) ? data.slice() : data };
      given.add(buffer);
      return output;
    });
  }
}

/** Loops for the expressions; a sharing of arrays that turns out impossible is not tried again. */
function plan(
  outputs: readonly Expr[],
  limits: Limits,
): { schedule: Schedule; passes: readonly Pass[] } {
  const noKeeping = new Set<number>();
  for (;;) {
    const schedule = new Scheduler(outputs, limits).run(noKeeping);
    try {
      return { schedule, passes: schedule.passes.map((p) => buildPass(schedule, p)) };
    } catch (error) {
      if (!(error instanceof SharingConflict)) throw error;
      const k = schedule.outputs.findIndex((o) => o.buffer === error.buffer);
      if (k < 0 || noKeeping.has(k)) throw error;
      noKeeping.add(k);
    }
  }
}

function entriesOf(nest: LoopNest): number {
  return nest.bounded.reduce((n, [from, to]) => n * (to - from), nest.inner);
}

function workOf(nest: LoopNest): number {
  return entriesOf(nest) * nest.weight;
}

/** Calls a pass for its whole part of the index space, in pieces of about `chunk` entries. */
function sweep(
  nest: LoopNest,
  run: PassFunction,
  args: readonly unknown[],
  chunk: number,
  tick: (entries: number) => void,
): void {
  const { bounded, inner } = nest;
  const last = bounded.length - 1;
  if (last < 0) {
    run(...args);
    return;
  }
  const [first, end] = bounded[last]!;
  // The first pieces are small: code runs slowly until the engine has optimised it.
  let size = Math.min(chunk, FIRST_CHUNK);
  const outer = entriesOf(nest) / inner / (end - first);
  const bounds = bounded.flatMap(([from]) => [from, from]);
  for (let o = 0; o < outer; o++) {
    let rest = o;
    for (let d = last - 1; d >= 0; d--) {
      const [from, to] = bounded[d]!;
      const at = rest % (to - from);
      rest = (rest - at) / (to - from);
      bounds[2 * d] = from + at;
      bounds[2 * d + 1] = from + at + 1;
    }
    for (let from = first, to = first; from < end; from = to) {
      to = Math.min(from + Math.max(1, Math.floor(size / inner)), end);
      size = Math.min(2 * size, chunk);
      bounds[2 * last] = from;
      bounds[2 * last + 1] = to;
      run(...args, ...bounds);
      tick((o * (end - first) + (to - first)) * inner);
    }
  }
}

/** Adds to each finished sum of the pass the rounding errors that were summed apart. */
function addCompensations(pass: Pass, array: (buffer: Buffer) => TypedArray): void {
  for (const { result, errors } of pass.compensated) {
    const sums = array(result);
    const rest = array(errors);
    for (let k = 0; k < sums.length; k++) {
      if (Number.isFinite(sums[k]!)) sums[k] = sums[k]! + rest[k]!;
    }
  }
}
