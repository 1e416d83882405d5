/** The passes of a kernel as functions of one WebAssembly module. */
import type { LoopNest } from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import { scalarFunctions } from "../kernel/scalar.ts";
import type { TypedArray } from "../typedArrays.ts";
import { type ImportedFunction, assemble } from "./assembler.ts";
import type { ElementType } from "./elements.ts";
import { type EmittedPass, Unsupported, emitPass } from "./emit.ts";
import { features } from "./features.ts";
import { type Heap, heap, typeOf } from "./heap.ts";
import { ConstantPool, type LaneType } from "./lanes.ts";
import { Footprint } from "./windows.ts";

export interface ProgramOptions {
  readonly lanes: LaneType;
  readonly roundCasts: boolean;
  readonly elementType: (buffer: Buffer) => ElementType;
  /** Whether a·b + c may be rounded once, where the engine can. */
  readonly relaxed: boolean;
}

/** What other threads need to run the same functions. */
export interface ProgramImage {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly constants: number;
}

type Exported = (...args: number[]) => void;

const FUNCTIONS: Readonly<Record<string, (...args: number[]) => number>> = {
  ...(scalarFunctions as unknown as Record<string, (...args: number[]) => number>),
  sin: Math.sin,
  cos: Math.cos,
  sinh: Math.sinh,
  cosh: Math.cosh,
};

export class Program {
  readonly image: ProgramImage;
  private readonly passes: readonly (VectorPass | null)[];
  private readonly heap: Heap;

  private constructor(image: ProgramImage, passes: readonly (VectorPass | null)[], on: Heap) {
    this.image = image;
    this.passes = passes;
    this.heap = on;
  }

  /** The pass made of `nests[k]`; null where vectors cannot do it. */
  pass(k: number): VectorPass | null {
    return this.passes[k]!;
  }

  /** Gives back what it holds of the heap. */
  dispose(): void {
    this.heap.release(this.image.constants);
  }

  /** Compiles what can be; null where nothing can or the engine has no vectors. */
  static compile(nests: readonly LoopNest[], options: ProgramOptions): Program | null {
    if (!features().simd) return null;
    const pool = new ConstantPool();
    const imports: ImportedFunction[] = [];
    const functionIndex = (name: string, parameters: number): number => {
      const known = imports.findIndex((f) => f.name === name);
      return known >= 0 ? known : imports.push({ name, parameters }) - 1;
    };
    const relaxed = options.relaxed && features().relaxed;
    const emitted = nests.map((nest) => {
      try {
        return emitPass(nest, { ...options, relaxed, pool, functionIndex });
      } catch (error) {
        if (error instanceof Unsupported) return null;
        throw error;
      }
    });
    if (emitted.every((p) => p === null)) return null;
    const functions = emitted.flatMap((p, k) =>
      p === null ? [] : [{ name: `p${k}`, body: p.body }],
    );
    const on = heap();
    const { memory, shared } = on;
    const bytes = assemble({ memory: { shared, maximum: 1 << 16 }, imports, functions });
    const module = new WebAssembly.Module(bytes);
    const constants = on.allocate(Math.max(pool.bytes().length, 16));
    on.view(Uint8Array, constants, pool.bytes().length).set(pool.bytes());
    const image = { module, memory, constants };
    const exported = instantiate(image);
    const passes = emitted.map((p, k) =>
      p === null ? null : new VectorPass(nests[k]!, p, exported[`p${k}`]!, constants, on),
    );
    return new Program(image, passes, on);
  }
}

/** A module's functions, in whatever thread. */
export function instantiate({ module, memory }: ProgramImage): Record<string, Exported> {
  const { exports } = new WebAssembly.Instance(module, { numbers: { memory, ...FUNCTIONS } });
  return exports as Record<string, Exported>;
}

/** Windows of one piece may take this much memory; what needs more is left to JavaScript. */
const MOST_WINDOWS = 16 << 20;

export class VectorPass {
  readonly emitted: EmittedPass;
  readonly footprint: Footprint;
  private readonly run: Exported;
  private readonly constants: number;
  private readonly heap: Heap;

  constructor(nest: LoopNest, emitted: EmittedPass, run: Exported, constants: number, on: Heap) {
    this.emitted = emitted;
    this.run = run;
    this.constants = constants;
    this.heap = on;
    this.footprint = new Footprint(nest, emitted);
  }

  /**
   * Prepares sweeps over these arrays, which the returned function then makes piece by piece. It
   * says false (and has done nothing) where a piece takes too much memory at once.
   * @param arrays by access
   */
  on(
    arrays: readonly TypedArray[],
    parameters: readonly number[],
    scratch: Scratch,
  ): (bounds: readonly number[]) => boolean {
    const addresses = arrays.map((a) => this.heap.addressOf(a));
    const foreign = arrays.map((a, k) => (addresses[k] === null ? a : null));
    const pointers = addresses.map((a) => a ?? 0);
    if (foreign.every((a) => a === null)) {
      return (bounds) => {
        this.run(this.constants, ...pointers, ...parameters, ...bounds);
        return true;
      };
    }
    return (bounds) => {
      const windows = this.footprint.windows(bounds, foreign);
      const sizes = windows.map((w) => ((w.end - w.first) << w.shift) + 16);
      const total = sizes.reduce((sum, n) => sum + Math.ceil(n / 64) * 64, 0);
      if (total > MOST_WINDOWS) return false;
      const start = scratch.atLeast(total);
      let at = start;
      const views = windows.map((w, k) => {
        const view = this.heap.view(typeOf(w.array), at, w.end - w.first);
        if (w.reads) view.set(w.array.subarray(w.first, w.end));
        for (const a of w.accesses) pointers[a] = at - w.first * (1 << w.shift);
        at += Math.ceil(sizes[k]! / 64) * 64;
        return view;
      });
      this.run(this.constants, ...pointers, ...parameters, ...bounds);
      windows.forEach((w, k) => {
        if (w.writes) w.array.set(views[k]!, w.first);
      });
      return true;
    };
  }
}

/** A part of the heap for windows, which grows when they do. */
export class Scratch {
  private address = 0;
  private size = 0;
  private readonly heap: Heap;

  constructor(on: Heap) {
    this.heap = on;
  }

  atLeast(bytes: number): number {
    if (bytes > this.size) {
      this.release();
      this.address = this.heap.allocate(bytes);
      this.size = bytes;
    }
    return this.address;
  }

  release(): void {
    if (this.size > 0) this.heap.release(this.address);
    this.size = 0;
  }
}
