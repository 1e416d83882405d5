/**
 * Expressions compiled to loops: loss, gradient and whatever else is asked for together, sharing
 * what they have in common.
 *
 * Arithmetic is float64 whatever the arrays' types. Sums add up to four entries in pairs and carry
 * the rounding errors of all further additions along (Knuth's two-sum, added up apart). Their error
 * is at most 3u of the sum of absolute values, however many entries there are, and within a unit in
 * the last place where the terms have one sign and are many. Sums of at most 16 entries inside an
 * elementwise formula (a softmax over classes) are added in pairs: 4u. Products over axes are plain.
 * Special values follow IEEE 754, but the larger
 * or smaller of 0 and −0 is either of them on vectors.
 *
 * From expression to numbers: `schedule.ts` decides on passes, `builder.ts` turns each into loops
 * (`loops.ts`), and an emitter writes those down: `wasm/emit.ts` for large arrays, as WebAssembly on
 * vectors, and `javascript.ts` for small ones and for the loops that vectors cannot do. On vectors
 * sums are made piece by piece of a sweep and joined in order, with the same bound.
 */
import type { Expr } from "../expression/node.ts";
import { leaves } from "../expression/walk.ts";
import {
  type EmitOptions,
  type PassFunction,
  compilePass,
  passSource,
} from "./kernel/javascript.ts";
import { Exponents, withExponents } from "./exponents.ts";
import { SharingConflict, buildPass } from "./kernel/builder.ts";
import { withoutNamesakes } from "./namesakes.ts";
import type { LoopNest, Pass } from "./kernel/loops.ts";
import { type Buffer, LIMITS, type Limits, PassTooLong, type Schedule } from "./kernel/plan.ts";
import { Scheduler, type SchedulerOptions } from "./kernel/schedule.ts";
import { addUp } from "./kernel/running.ts";
import { type FloatArray, Storage } from "./kernel/storage.ts";
import { type Bounds, DEFAULT_CHUNK, entriesOf, piecesOf, workOf } from "./kernel/sweep.ts";
import {
  type Bindings,
  type Entries,
  NotStreamable,
  type StoredArray,
  Ticker,
  type TypedArray,
  type Watch,
  boundArray,
  boundStored,
  boundValue,
  isStored,
} from "./typedArrays.ts";
import { type ElementType, elementTypeOf, fitsFloat32 } from "./wasm/elements.ts";
import type { Arena } from "./wasm/arena.ts";
import { heap } from "./wasm/heap.ts";
import type { Sweeping, VectorPass } from "./wasm/pass.ts";
import { Program } from "./wasm/program.ts";

export interface KernelOutput<A extends FloatArray = Float64Array> {
  readonly shape: number[];
  /** Row-major. */
  readonly data: A;
}

export interface RunOptions extends Watch {
  /**
   * Entries between two looks at the clock; the default suits every loss. Sums are cut there, so
   * their last bits depend on it (on nothing else: the same run gives the same bits).
   */
  readonly chunk?: number;
  /** Arrays to write the outputs to, by position, where their lengths fit. */
  readonly into?: readonly (FloatArray | StoredArray | undefined)[];
  /**
   * Where outputs may be kept, so that nothing has to be copied: they hold until it is released.
   * The default is an array of its own for each.
   */
  readonly arena?: Arena;
  /** Inputs that are not in memory, by name: they are read part by part. */
  readonly stored?: ReadonlyMap<string, StoredArray>;
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
  /**
   * float32: terms are computed in float32 where no input is wider, sums added up in float64, and
   * outputs of 4,096 entries or more are Float32Arrays. double-double: outputs hold all high parts,
   * then all low ones; on vectors only. By default all is float64.
   */
  readonly arithmetic?: "float64" | "float32" | "double-double";
  /** Whether arrays are read part by part: no entry is looked up, and no running sum made, in all of one. */
  readonly isStreamed?: boolean;
}

export interface Kernel<A extends FloatArray = Float64Array> {
  /**
   * Evaluates the expressions on these arrays.
   * @throws BindingError when an array is missing or does not fit
   * @throws Cancelled
   */
  run(bindings: Bindings, options?: RunOptions): { outputs: KernelOutput<A>[] };
  /** How sums are made and how exact they are, where that is worth telling; else null. */
  readonly account: string | null;
  /** How many sweeps over how many entries a run takes, in order. */
  readonly passes: readonly { readonly total: number }[];
  /** The generated code for float64 arrays, to look at. */
  source(): string;
}

/** Sweeps over fewer entries are done before a WebAssembly module is compiled. */
const LEAST_FOR_VECTORS = 1 << 16;
const COMPENSATED =
  "3 × 2⁻⁵³ of the sum of its absolute terms, and one of at most 16 entries inside a formula within 4 × 2⁻⁵³";
/** Pairs take twice the memory. */
const PAIR_LIMITS: Partial<Limits> = { mostTemporary: LIMITS.mostTemporary / 2 };
/** @throws ShapeError when the size of an axis is not known (`resize` gives it one) */
export function compileKernel(
  outputs: readonly Expr[],
  options?: CompileOptions & { readonly arithmetic?: "float64" },
): Kernel;
export function compileKernel(
  outputs: readonly Expr[],
  options: CompileOptions,
): Kernel<FloatArray>;
export function compileKernel(
  outputs: readonly Expr[],
  options: CompileOptions = {},
): Kernel<FloatArray> {
  const own = withoutNamesakes(outputs);
  const exponents = new Exponents(own);
  if (exponents.none) return new CompiledKernel(own, options);
  return new KernelByExponents(own, exponents, options);
}

/** A kernel of its own for all values of parameters that make the same small whole exponents. */
class KernelByExponents implements Kernel<FloatArray> {
  private readonly outputs: readonly Expr[];
  private readonly exponents: Exponents;
  private readonly options: CompileOptions;
  private readonly kernels = new Map<string, CompiledKernel>();
  /** Of the exponents themselves, once it is needed. */
  private evaluator: Kernel | null = null;
  /** By the parameters' own values, as far as they have them. */
  private readonly own: CompiledKernel;

  constructor(outputs: readonly Expr[], exponents: Exponents, options: CompileOptions) {
    this.outputs = outputs;
    this.exponents = exponents;
    this.options = options;
    this.own = exponents.areGiven ? this.of(new Map()) : new CompiledKernel(outputs, options);
  }

  run(bindings: Bindings, options: RunOptions = {}): { outputs: KernelOutput<FloatArray>[] } {
    return this.of(bindings).run(bindings, options);
  }

  get account(): string | null {
    return this.own.account;
  }

  get passes(): readonly Pass[] {
    return this.own.passes;
  }

  source(): string {
    return this.own.source();
  }

  private of(bindings: Bindings): CompiledKernel {
    const small = this.exponents.small(bindings, (exponents, values) => {
      this.evaluator ??= compileKernel(exponents);
      return this.evaluator.run(values).outputs.map((o) => o.data[0]!);
    });
    const key = [...small].map(([e, value]) => `${e.id}:${value}`).join();
    let kernel = this.kernels.get(key);
    if (kernel === undefined) {
      kernel = new CompiledKernel(withExponents(this.outputs, small), this.options);
      this.kernels.set(key, kernel);
    }
    return kernel;
  }
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

  sweep(run: Omit<Sweeping, "plainly">): void {
    const { nest, vector } = this;
    const parameters = nest.parameters.map(run.parameter);
    const plainly = (bounds: Bounds): void => {
      if (vector?.pairs === true) throw new NotOnVectors();
      const arrays = nest.buffers.map(run.array);
      if (arrays.some(isStored)) throw new NotStreamable();
      this.written ??= compilePass(nest, this.options);
      this.written(...arrays, ...parameters, ...bounds);
    };
    if (vector !== null) {
      vector.sweep({ ...run, plainly });
      return;
    }
    for (const { bounds, done } of piecesOf(nest, run.chunk, true)) {
      plainly(bounds);
      run.tick(done);
    }
  }
}

/** Thrown by a run in double-double where vectors cannot do it, or not on these numbers. */
export class NotOnVectors extends Error {
  override readonly name = "NotOnVectors";
  constructor() {
    super("this cannot be evaluated in double-double on vectors");
  }
}

class CompiledKernel implements Kernel<FloatArray> {
  readonly passes: readonly Pass[];
  private readonly schedule: Schedule;
  private readonly inputs: readonly Expr[];
  /** Ids of the buffers that passes work on. */
  private readonly used: ReadonlySet<number>;
  private readonly shapes: readonly (readonly number[])[];
  private readonly options: CompileOptions;
  private readonly useVectors: boolean;
  private readonly pairs: boolean;
  /** By the arrays' types: code is compiled anew for other types. */
  private readonly compiled = new Map<string, readonly (readonly CompiledNest[])[]>();

  constructor(outputs: readonly Expr[], options: CompileOptions) {
    this.pairs = options.arithmetic === "double-double";
    const bounds = { ...LIMITS, ...(this.pairs ? PAIR_LIMITS : {}), ...options.limits };
    const { schedule, passes } = plan(outputs, bounds, {
      canScan: !this.pairs && options.isStreamed !== true,
      canLookUp: options.isStreamed !== true,
    });
    this.schedule = schedule;
    this.passes = passes;
    this.options = options;
    const read = passes.flatMap((p) => [
      ...p.nests.flatMap((n) => n.buffers),
      ...(p.running === null ? [] : [p.running.source]),
    ]);
    this.used = new Set(read.map((b) => b.id));
    this.inputs = [...new Set(schedule.outputs.flatMap((o) => leaves(o.node)))];
    this.shapes = outputs.map((e) => e.shape.map((a) => a.size!));
    const largest = Math.max(...passes.map((p) => p.total));
    const vectors = this.pairs ? "always" : options.vectors;
    this.useVectors = vectors === undefined ? largest >= LEAST_FOR_VECTORS : vectors === "always";
  }

  run(bindings: Bindings, options: RunOptions = {}): { outputs: KernelOutput<FloatArray>[] } {
    const ticker = new Ticker(options);
    const inputs = new Map<number, Entries>();
    const parameters = new Map<string, number>();
    for (const e of this.inputs) {
      if (e.kind === "parameter") parameters.set(e.name, boundValue(e, bindings));
      if (e.kind !== "input") continue;
      const buffer = this.schedule.buffers.find((b) => b.role === "input" && b.name === e.name)!;
      // Those of running sums.
      if (e.positions === true && !this.used.has(buffer.id)) continue;
      const stored = options.stored?.get(e.name);
      const bound = stored === undefined ? boundArray(e, bindings) : boundStored(e, stored);
      inputs.set(buffer.id, bound);
    }
    const compiled = this.compile(inputs);
    const parts = compiled.flat();
    if (this.pairs && parts.some((p) => p.vector === null)) throw new NotOnVectors();
    const storage = new Storage(this.schedule, inputs, {
      into: options.into ?? [],
      isSingle: (b) => this.isSingle(b),
      pairs: this.pairs,
      heap: parts.some((p) => p.vector !== null) ? heap() : null,
      arena: options.arena ?? null,
    });
    const array = (buffer: Buffer): Entries => storage.of(buffer);
    const parameter = (name: string): number => parameters.get(name)!;
    const chunk = options.chunk ?? DEFAULT_CHUNK;
    const work =
      parts.reduce((sum, { nest }) => sum + workOf(nest), 0) +
      this.passes.reduce((sum, p) => sum + (p.running === null ? 0 : p.total), 0);
    let done = 0;
    try {
      this.passes.forEach((pass, k) => {
        for (const part of compiled[k]!) {
          const tick = (entries: number): void => {
            ticker.tick((done + entries * part.nest.weight) / work);
          };
          part.sweep({ array, parameter, chunk, tick });
          done += workOf(part.nest);
        }
        if (pass.running !== null) {
          addUp(pass.running, array, (entries) => {
            ticker.tick((done + entries) / work);
          });
          done += pass.total;
        }
        if (!this.pairs) addCompensations(pass, array);
      });
      const shaped = storage.outputs().map((data, k) => ({ shape: [...this.shapes[k]!], data }));
      return { outputs: shaped };
    } finally {
      storage.release();
    }
  }

  get account(): string | null {
    const largest = Math.max(...this.passes.map((p) => p.total));
    if (this.passes.every((p) => p.compensated.length === 0)) return null;
    if (!this.useVectors || largest < LEAST_FOR_VECTORS) {
      return `sums are added up to four entries in pairs, in the order of the array, and carry their rounding errors along; each is within ${COMPENSATED}`;
    }
    const pieces = `sums over ${largest.toLocaleString("en")} entries are made in pieces of ${DEFAULT_CHUNK.toLocaleString("en")}, which are joined in order whatever the number of threads`;
    return this.options.arithmetic === "float32"
      ? `${pieces}; terms are float32, and a sum adds at most 3.01 × 2⁻²⁴ of its absolute terms to their errors`
      : `${pieces}; each is within ${COMPENSATED}`;
  }

  source(): string {
    const options = { types: new Map<number, string>(), roundCasts: this.roundCasts };
    const nests = this.passes.flatMap((p) => p.nests);
    return nests.map((n) => passSource(n, options)).join("\n\n");
  }

  private get roundCasts(): boolean {
    return this.options.roundCasts === true;
  }

  private isSingle(buffer: Buffer): boolean {
    return (
      this.options.arithmetic === "float32" &&
      buffer.role === "stored" &&
      buffer.count >= this.schedule.limits.leastSingle &&
      this.schedule.passes.every((p) =>
        p.roots.every((r) => r.kind === "store" || r.buffer !== buffer),
      )
    );
  }

  private compile(inputs: ReadonlyMap<number, Entries>): readonly (readonly CompiledNest[])[] {
    const names = new Map(
      [...inputs].map(([id, a]) => [id, (isStored(a) ? a.like : a)[Symbol.toStringTag]]),
    );
    const key = [...names.values()].join();
    let compiled = this.compiled.get(key);
    if (compiled === undefined) {
      const elementType = (b: Buffer): ElementType => {
        const input = inputs.get(b.id);
        if (input !== undefined) return elementTypeOf(input);
        return this.isSingle(b) ? "f32" : "f64";
      };
      const program = this.useVectors ? this.program(elementType) : null;
      const options = { types: names, roundCasts: this.roundCasts };
      let at = 0;
      compiled = this.passes.map((pass) =>
        pass.nests.map((nest) => new CompiledNest(nest, program?.pass(at++) ?? null, options)),
      );
      this.compiled.set(key, compiled);
    }
    return compiled;
  }

  private program(elementType: (buffer: Buffer) => ElementType): Program | null {
    const isWide = (b: Buffer): boolean =>
      b.count >= this.schedule.limits.leastSingle && !fitsFloat32(elementType(b));
    return Program.compile(
      this.passes.flatMap((p) => p.nests),
      {
        lanes: (nest) => {
          if (this.pairs) return "double-double";
          const isLarge = entriesOf(nest) >= this.schedule.limits.leastSingle;
          const isSingle = this.options.arithmetic === "float32" && isLarge;
          return isSingle && !nest.buffers.some(isWide) ? "float32" : "float64";
        },
        relaxed: this.options.arithmetic === "float32",
        roundCasts: this.roundCasts,
        elementType,
      },
    );
  }
}

/**
 * Loops for the expressions; a sharing of arrays that turns out impossible is not tried again, nor
 * are loops in which windows over windows take too long to write out.
 */
function plan(
  outputs: readonly Expr[],
  limits: Limits,
  options: SchedulerOptions,
): { schedule: Schedule; passes: readonly Pass[] } {
  const noKeeping = new Set<number>();
  let windowsApart = false;
  for (;;) {
    const bounds = windowsApart ? { ...limits, mostInstructions: Infinity } : limits;
    const schedule = new Scheduler(outputs, bounds, { ...options, windowsApart }).run(noKeeping);
    try {
      return { schedule, passes: schedule.passes.map((p) => buildPass(schedule, p)) };
    } catch (error) {
      if (error instanceof PassTooLong) {
        windowsApart = true;
        continue;
      }
      if (!(error instanceof SharingConflict)) throw error;
      const k = schedule.outputs.findIndex((o) => o.buffer === error.buffer);
      if (k < 0 || noKeeping.has(k)) throw error;
      noKeeping.add(k);
    }
  }
}

/** Adds to each finished sum of the pass the rounding errors that were summed apart. */
function addCompensations(pass: Pass, array: (buffer: Buffer) => Entries): void {
  for (const { result, errors } of pass.compensated) {
    const sums = array(result) as TypedArray;
    const rest = array(errors) as TypedArray;
    for (let k = 0; k < sums.length; k++) {
      if (Number.isFinite(sums[k]!)) sums[k] = sums[k]! + rest[k]!;
    }
  }
}
