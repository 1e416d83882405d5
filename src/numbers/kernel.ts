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
import {
  type EmitOptions,
  type PassFunction,
  compilePass,
  passSource,
} from "./kernel/javascript.ts";
import { SharingConflict, buildPass } from "./kernel/builder.ts";
import type { LoopNest, Pass } from "./kernel/loops.ts";
import { type Buffer, LIMITS, type Limits, type Schedule } from "./kernel/plan.ts";
import { Scheduler } from "./kernel/schedule.ts";
import { DEFAULT_CHUNK, type Piece, sweep, workOf } from "./kernel/sweep.ts";
import {
  type Bindings,
  Ticker,
  type TypedArray,
  type Watch,
  boundArray,
  boundValue,
} from "./typedArrays.ts";
import { elementTypeOf } from "./wasm/elements.ts";
import { heap } from "./wasm/heap.ts";
import { Program, Scratch, type VectorPass } from "./wasm/program.ts";

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
  /** WebAssembly on vectors; by default from a size on at which it is faster. */
  readonly vectors?: "always" | "never";
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

/** Sweeps over fewer entries are done before a WebAssembly module is compiled. */
const LEAST_FOR_VECTORS = 1 << 16;
/** Results of up to this many entries stand in the memory of WebAssembly while a kernel runs. */
const MOST_RESIDENT = 4096;

/** @throws ShapeError when the size of an axis is not known (`resize` gives it one) */
export function compileKernel(outputs: readonly Expr[], options: CompileOptions = {}): Kernel {
  return new CompiledKernel(outputs, options);
}

/** One part of a pass: on vectors where that is possible, in JavaScript else. */
class CompiledNest {
  readonly nest: LoopNest;
  readonly vector: VectorPass | null;
  private readonly options: EmitOptions;
  private written: PassFunction | null = null;

  constructor(nest: LoopNest, vector: VectorPass | null, options: EmitOptions) {
    this.nest = nest;
    this.vector = vector;
    this.options = options;
  }

  /** The nest as a function of the bounds of a piece. */
  on(
    array: (buffer: Buffer) => TypedArray,
    parameter: (name: string) => number,
    scratch: Scratch | null,
  ): Piece {
    const parameters = this.nest.parameters.map(parameter);
    const plain: Piece = (bounds) => {
      this.written ??= compilePass(this.nest, this.options);
      this.written(...this.nest.buffers.map(array), ...parameters, ...bounds);
    };
    if (this.vector === null || scratch === null) return plain;
    const arrays = this.vector.emitted.accesses.map((a) => array(a.buffer));
    const run = this.vector.on(arrays, parameters, scratch);
    return (bounds) => {
      if (!run(bounds)) plain(bounds);
    };
  }
}

class CompiledKernel implements Kernel {
  readonly passes: readonly Pass[];
  private readonly schedule: Schedule;
  private readonly inputs: readonly Expr[];
  private readonly shapes: readonly (readonly number[])[];
  private readonly roundCasts: boolean;
  private readonly useVectors: boolean;
  /** By the arrays' types: code is compiled anew for other types. */
  private readonly compiled = new Map<string, readonly (readonly CompiledNest[])[]>();

  constructor(outputs: readonly Expr[], options: CompileOptions) {
    const { schedule, passes } = plan(outputs, { ...LIMITS, ...options.limits });
    this.schedule = schedule;
    this.passes = passes;
    this.inputs = [...new Set(outputs.flatMap(leaves))];
    this.shapes = outputs.map((e) => e.shape.map((a) => a.size!));
    this.roundCasts = options.roundCasts === true;
    const largest = Math.max(...passes.map((p) => p.total));
    this.useVectors =
      options.vectors === undefined ? largest >= LEAST_FOR_VECTORS : options.vectors === "always";
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
    const hasVectors = compiled.flat().some((c) => c.vector !== null);
    const scratch = hasVectors ? new Scratch(heap()) : null;
    const resident: TypedArray[] = [];
    const array = (buffer: Buffer): TypedArray => {
      let a = arrays.get(buffer.id);
      if (a === undefined) {
        arrays.set(buffer.id, (a = this.allocate(buffer, options.into, hasVectors)));
        if (hasVectors && heap().addressOf(a) !== null) resident.push(a);
      }
      return a;
    };
    const work = compiled.flat().reduce((sum, { nest }) => sum + workOf(nest), 0);
    let done = 0;
    try {
      this.passes.forEach((pass, k) => {
        for (const part of compiled[k]!) {
          const { nest } = part;
          const piece = part.on(array, (name) => parameters.get(name)!, scratch);
          sweep(nest, piece, options.chunk ?? DEFAULT_CHUNK, (entries) => {
            ticker.tick((done + entries * nest.weight) / work);
          });
          done += workOf(nest);
        }
        addCompensations(pass, array);
      });
      return { outputs: this.collect(array) };
    } finally {
      scratch?.release();
      for (const a of resident) heap().release(a.byteOffset);
    }
  }

  source(): string {
    const options = { types: new Map<number, string>(), roundCasts: this.roundCasts };
    const nests = this.passes.flatMap((p) => p.nests);
    return nests.map((n) => passSource(n, options)).join("\n\n");
  }

  private compile(arrays: ReadonlyMap<number, TypedArray>): readonly (readonly CompiledNest[])[] {
    const types = new Map([...arrays].map(([id, a]) => [id, a[Symbol.toStringTag]]));
    const key = [...types.values()].join();
    let compiled = this.compiled.get(key);
    if (compiled === undefined) {
      const options = { types, roundCasts: this.roundCasts };
      const program = this.useVectors ? this.program(arrays) : null;
      let at = 0;
      compiled = this.passes.map((pass) =>
        pass.nests.map((nest) => new CompiledNest(nest, program?.pass(at++) ?? null, options)),
      );
      this.compiled.set(key, compiled);
    }
    return compiled;
  }

  private program(arrays: ReadonlyMap<number, TypedArray>): Program | null {
    return Program.compile(
      this.passes.flatMap((p) => p.nests),
      {
        lanes: "float64",
        relaxed: false,
        roundCasts: this.roundCasts,
        elementType: (buffer) => {
          const array = arrays.get(buffer.id);
          return array === undefined ? "f64" : elementTypeOf(array);
        },
      },
    );
  }

  private allocate(buffer: Buffer, into: RunOptions["into"], hasVectors: boolean): Float64Array {
    const k = this.schedule.outputs.findIndex((o) => o.buffer === buffer);
    const given = k < 0 ? undefined : into?.[k];
    const isResident = hasVectors && k < 0 && buffer.count <= MOST_RESIDENT && heap().shared;
    const array =
      given?.length === buffer.count
        ? given
        : isResident
          ? heap().array(Float64Array, buffer.count)
          : new Float64Array(buffer.count);
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
