/** The passes of a kernel as functions of one WebAssembly module. */
import { type Crew, presentCrew } from "../crew.ts";
import type { LoopNest } from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import { type Bounds, type Piece, entriesOf, piecesOf } from "../kernel/sweep.ts";
import type { TypedArray } from "../typedArrays.ts";
import { type ImportedFunction, assemble } from "./assembler.ts";
import type { ElementType } from "./elements.ts";
import { type EmittedPass, Unsupported, emitPass } from "./emit.ts";
import { features } from "./features.ts";
import { type Heap, heap, typeOf } from "./heap.ts";
import { type Exported, type ProgramImage, instanceOf } from "./image.ts";
import { ConstantPool, type LaneType } from "./lanes.ts";
import { Partials } from "./partials.ts";
import { Footprint } from "./windows.ts";

export interface ProgramOptions {
  readonly lanes: (nest: LoopNest) => LaneType;
  readonly roundCasts: boolean;
  readonly elementType: (buffer: Buffer) => ElementType;
  /** Whether a·b + c may be rounded once, where the engine can. */
  readonly relaxed: boolean;
}

/** Gives back what a module that nobody holds any more has of the heap. */
const abandoned = new FinalizationRegistry((release: () => void) => {
  release();
});

export class Program {
  private readonly passes: readonly (VectorPass | null)[];

  private constructor(passes: readonly (VectorPass | null)[]) {
    this.passes = passes;
  }

  /** The pass made of `nests[k]`; null where vectors cannot do it. */
  pass(k: number): VectorPass | null {
    return this.passes[k]!;
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
        const lanes = options.lanes(nest);
        return emitPass(nest, { ...options, lanes, relaxed, pool, functionIndex });
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
    const passes = emitted.map((p, k) =>
      p === null ? null : new VectorPass(nests[k]!, p, image, `p${k}`, on),
    );
    abandoned.register(image, () => {
      on.release(constants);
    });
    return new Program(passes);
  }
}

/** Windows of one piece may take this much memory; what needs more is left to JavaScript. */
const MOST_WINDOWS = 16 << 20;
/** Pieces whose reductions are kept apart at a time. */
const MOST_SLOTS = 1024;
/** For fewer entries, waking other threads takes longer than doing the work. */
const LEAST_FOR_CREW = 1 << 18;

/** What a sweep needs to know of the run that it belongs to. */
export interface Sweeping {
  readonly array: (buffer: Buffer) => TypedArray;
  readonly parameter: (name: string) => number;
  readonly chunk: number;
  /** Called with how many entries are done. */
  readonly tick: (entries: number) => void;
  /** Does a piece in JavaScript. */
  readonly plainly: (bounds: Bounds) => void;
}

export class VectorPass {
  private readonly nest: LoopNest;
  private readonly emitted: EmittedPass;
  private readonly footprint: Footprint;
  private readonly partials: Partials | null;
  private readonly image: ProgramImage;
  private readonly name: string;
  private readonly run: Exported;
  private readonly heap: Heap;

  constructor(nest: LoopNest, emitted: EmittedPass, image: ProgramImage, name: string, on: Heap) {
    this.nest = nest;
    this.emitted = emitted;
    this.image = image;
    this.name = name;
    this.run = instanceOf(image)[name]!;
    this.heap = on;
    this.footprint = new Footprint(nest, emitted);
    this.partials = Partials.of(emitted);
  }

  sweep(s: Sweeping): void {
    const { accesses } = this.emitted;
    const arrays = accesses.map(({ buffer }) => (this.isReduced(buffer) ? null : s.array(buffer)));
    const addresses = arrays.map((a) => (a === null ? 0 : this.heap.addressOf(a)));
    const foreign = arrays.map((a, k) => (addresses[k] === null ? a : null));
    const parameters = this.nest.parameters.map(s.parameter);
    const args = [this.image.constants, ...addresses.map((a) => a ?? 0), ...parameters];
    const crew = presentCrew();
    if (
      crew !== null &&
      this.heap.shared &&
      this.partials !== null &&
      foreign.every((a) => a === null) &&
      entriesOf(this.nest) >= LEAST_FOR_CREW
    ) {
      this.together(crew, this.partials, args, s);
    } else this.alone(foreign, args, s);
  }

  private alone(foreign: readonly (TypedArray | null)[], args: number[], s: Sweeping): void {
    const { partials } = this;
    const scratch = new Scratch(this.heap);
    const size = partials?.size ?? 0;
    const slots = size === 0 ? 0 : partials!.allocate(this.heap, 1);
    if (size > 0) {
      for (const k of this.slotted()) args[k] = this.inSlot(k, slots);
    }
    try {
      for (const { bounds, done } of piecesOf(this.nest, s.chunk, false)) {
        if (size > 0) partials!.clear(this.heap.view(Float64Array, slots, size));
        if (this.piece(bounds, foreign, args, scratch)) {
          if (size > 0) partials!.join(this.heap.view(Float64Array, slots, size), s.array);
        } else s.plainly(bounds);
        s.tick(done);
      }
    } finally {
      scratch.release();
      if (size > 0) this.heap.release(slots);
    }
  }

  private together(crew: Crew, partials: Partials, args: number[], s: Sweeping): void {
    const { size } = partials;
    const slots = partials.allocate(this.heap, MOST_SLOTS);
    const slotted = this.slotted();
    for (const k of slotted) args[k] = this.inSlot(k, slots);
    const batch: Piece[] = [];
    let finished = 0;
    const flush = (): void => {
      const pieces = batch.length;
      const end = batch.at(-1)!.done;
      const view = this.heap.view(Float64Array, slots, size * pieces);
      partials.clear(view);
      const job = {
        image: this.image,
        name: this.name,
        args,
        bounds: batch.flatMap((p) => p.bounds),
        boundsOfPiece: 2 * this.nest.bounded.length,
        pieces,
        slotted,
        slotBytes: 8 * size,
      };
      crew.run(job, (done) => {
        s.tick(finished + ((end - finished) * done) / pieces);
      });
      for (let k = 0; k < pieces; k++) {
        partials.join(view.subarray(k * size, (k + 1) * size), s.array);
      }
      finished = end;
      batch.length = 0;
    };
    try {
      for (const piece of piecesOf(this.nest, s.chunk, false)) {
        batch.push(piece);
        if (batch.length === MOST_SLOTS) flush();
      }
      if (batch.length > 0) flush();
    } finally {
      this.heap.release(slots);
    }
  }

  private isReduced(buffer: Buffer): boolean {
    return this.partials !== null && this.partials.offsetOf(buffer) !== null;
  }

  /** Positions in the arguments of pointers to what the pass reduces to. */
  private slotted(): number[] {
    return this.emitted.accesses.flatMap(({ buffer }, k) =>
      this.isReduced(buffer) ? [k + 1] : [],
    );
  }

  private inSlot(argument: number, slots: number): number {
    return slots + 8 * this.partials!.offsetOf(this.emitted.accesses[argument - 1]!.buffer)!;
  }

  /** Does a piece, or says false and does nothing where that takes too much memory at once. */
  private piece(
    bounds: Bounds,
    foreign: readonly (TypedArray | null)[],
    args: number[],
    scratch: Scratch,
  ): boolean {
    if (foreign.every((a) => a === null)) {
      this.run(...args, ...bounds);
      return true;
    }
    const windows = this.footprint.windows(bounds, foreign);
    const sizes = windows.map((w) => Math.ceil((((w.end - w.first) << w.shift) + 16) / 64) * 64);
    const total = sizes.reduce((sum, n) => sum + n, 0);
    if (total > MOST_WINDOWS) return false;
    let at = scratch.atLeast(total);
    const views = windows.map((w, k) => {
      const view = this.heap.view(typeOf(w.array), at, w.end - w.first);
      if (w.reads) view.set(w.array.subarray(w.first, w.end));
      for (const a of w.accesses) args[a + 1] = at - w.first * (1 << w.shift);
      at += sizes[k]!;
      return view;
    });
    this.run(...args, ...bounds);
    windows.forEach((w, k) => {
      if (w.writes) w.array.set(views[k]!, w.first);
    });
    return true;
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
