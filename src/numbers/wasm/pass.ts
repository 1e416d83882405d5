/**
 * Sweeps of a compiled pass over arrays. Pieces are done in batches: what a batch touches of arrays
 * outside the heap is copied in, this thread alone or a crew runs the function for every piece, what
 * it wrote is copied out, and reductions are joined in the order of the pieces.
 */
import { type Crew, presentCrew } from "../crew.ts";
import type { LoopNest } from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import { type Bounds, type Piece, entriesOf, piecesOf } from "../kernel/sweep.ts";
import type { Entries } from "../typedArrays.ts";
import type { EmittedPass } from "./emitted.ts";
import { type Heap, Scratch } from "./heap.ts";
import { type Exported, type ProgramImage, functionOf } from "./image.ts";
import { Partials } from "./partials.ts";
import { ELEMENT_SHIFT } from "./elements.ts";
import { Footprint, type Window, bytesOf, copyIn, copyOut } from "./windows.ts";

/** Windows of one piece may take this much memory; what needs more is left to JavaScript. */
const MOST_FOR_PIECE = 16 << 20;
/** And those of a batch. */
const MOST_FOR_BATCH = 32 << 20;
const MOST_PIECES = 1024;
/** Arrays in which entries are looked up stand in the heap as a whole; larger ones are left to JavaScript. */
const MOST_WHOLE = 64 << 20;
/** For fewer entries, waking other threads takes longer than doing the work. */
const LEAST_FOR_CREW = 1 << 18;
/** Pairs of numbers take that much longer. */
const LEAST_PAIRS_FOR_CREW = 1 << 15;
/** So many times as much work is worth waking threads that sleep. */
const WORTH_WAKING = 8;

/** What a sweep needs to know of the run that it belongs to. */
export interface Sweeping {
  readonly array: (buffer: Buffer) => Entries;
  readonly parameter: (name: string) => number;
  readonly chunk: number;
  /** Called with how many entries are done. */
  readonly tick: (entries: number) => void;
  /** Does a piece in JavaScript. */
  readonly plainly: (bounds: Bounds) => void;
}

interface BatchPiece {
  readonly bounds: Bounds;
  readonly windows: readonly Window[];
}

export class VectorPass {
  private readonly nest: LoopNest;
  private readonly emitted: EmittedPass;
  private readonly footprint: Footprint;
  private readonly partials: Partials | null;
  private readonly image: ProgramImage;
  /** Of its function in the module. */
  private readonly position: number;
  private readonly heap: Heap;

  constructor(
    nest: LoopNest,
    emitted: EmittedPass,
    image: ProgramImage,
    position: number,
    on: Heap,
  ) {
    this.nest = nest;
    this.emitted = emitted;
    this.image = image;
    this.position = position;
    this.heap = on;
    this.footprint = new Footprint(nest, emitted);
    this.partials = Partials.of(emitted);
  }

  /** Whether it computes in double-double. */
  get pairs(): boolean {
    return this.emitted.pairs;
  }

  sweep(s: Sweeping): void {
    const least = this.emitted.pairs ? LEAST_PAIRS_FOR_CREW : LEAST_FOR_CREW;
    const entries = entriesOf(this.nest);
    const isShareable = this.partials !== null && this.heap.shared && entries >= least;
    const present = isShareable ? presentCrew() : null;
    const isWorthIt = present?.isAwake === true || entries >= WORTH_WAKING * least;
    const crew = isWorthIt ? present : null;
    const batch = new Batch(this.heap, this.image, this.position, this.partials, crew, s);
    try {
      batch.prepare(this.emitted, this.footprint.lookups, this.nest.parameters.map(s.parameter));
      if (batch.isTooLarge) {
        for (const { bounds, done } of piecesOf(this.nest, s.chunk, true)) {
          s.plainly(bounds);
          s.tick(done);
        }
        return;
      }
      if (crew === null && !batch.hasForeign) {
        batch.runInPlace(piecesOf(this.nest, s.chunk, false));
        batch.finish();
        return;
      }
      for (const { bounds, done } of piecesOf(this.nest, s.chunk, false)) {
        const windows = batch.hasForeign ? this.footprint.windows(bounds, batch.foreign) : [];
        if (windows.reduce((sum, w) => sum + bytesOf(w), 0) > MOST_FOR_PIECE) {
          batch.flush();
          s.plainly(bounds);
        } else batch.add({ bounds, windows }, done);
        s.tick(done);
      }
      batch.flush();
      batch.finish();
    } finally {
      batch.release();
    }
  }
}

class Batch {
  /** By access: arrays outside the heap, null for others. */
  foreign: readonly (Entries | null)[] = [];
  private readonly heap: Heap;
  private readonly image: ProgramImage;
  private readonly position: number;
  private readonly run: Exported;
  private readonly partials: Partials | null;
  private readonly crew: Crew | null;
  private readonly sweeping: Sweeping;
  private join: ((slot: Float64Array) => void) | null = null;
  private readonly scratch: Scratch;
  private readonly slots: Scratch;
  /** Arguments but for the bounds; those that change from piece to piece have any value. */
  private args: number[] = [];
  /** Positions of arguments that change: into windows, and into the piece's slot. */
  private varying: number[] = [];
  /** Where in a slot a varying argument points; null for those into windows. */
  private inSlot: (number | null)[] = [];
  private pieces: BatchPiece[] = [];
  private bytes = 0;
  private begun = 0;
  private end = 0;
  /** Copies of arrays that are needed as a whole. */
  private readonly wholes: Window[] = [];
  private readonly wholeAddresses: number[] = [];
  /** By array, the end of what the batch writes of it. */
  private readonly written = new Map<Entries, number>();

  constructor(
    on: Heap,
    image: ProgramImage,
    position: number,
    partials: Partials | null,
    crew: Crew | null,
    sweeping: Sweeping,
  ) {
    this.heap = on;
    this.image = image;
    this.position = position;
    this.run = functionOf(image, position);
    this.partials = partials;
    this.crew = crew;
    this.sweeping = sweeping;
    this.scratch = new Scratch(on);
    this.slots = new Scratch(on);
  }

  get hasForeign(): boolean {
    return this.foreign.some((a) => a !== null);
  }

  /** Whether what is needed as a whole takes too much memory. */
  get isTooLarge(): boolean {
    return this.wholes.reduce((sum, w) => sum + bytesOf(w), 0) > MOST_WHOLE;
  }

  /** @param lookups positions of accesses to entries that are looked up */
  prepare(
    { accesses }: EmittedPass,
    lookups: ReadonlySet<number>,
    parameters: readonly number[],
  ): void {
    const offsets = accesses.map(({ buffer }) => this.partials?.offsetOf(buffer) ?? null);
    const arrays = accesses.map((a, k) =>
      offsets[k] === null ? this.sweeping.array(a.buffer) : null,
    );
    const addresses = arrays.map((a) => (a === null ? null : this.heap.addressOf(a)));
    for (const k of lookups) {
      const array = arrays[k];
      if (array === null || array === undefined || addresses[k] !== null) continue;
      const all = accesses.flatMap((_, n) => (arrays[n] === array ? [n] : []));
      const whole: Window = {
        array,
        first: 0,
        end: array.length,
        shift: ELEMENT_SHIFT[accesses[k]!.type],
        accesses: all,
        reads: true,
        writes: all.some((n) => accesses[n]!.writes),
      };
      this.wholes.push(whole);
      if (this.isTooLarge) return;
      const address = this.heap.allocate(bytesOf(whole));
      this.wholeAddresses.push(address);
      copyIn(this.heap, whole, address);
      for (const n of all) addresses[n] = address;
    }
    this.foreign = arrays.map((a, k) => (addresses[k] === null ? a : null));
    this.args = [this.image.constants, ...addresses.map((a) => a ?? 0), ...parameters];
    accesses.forEach((_, k) => {
      if (addresses[k] !== null) return;
      this.varying.push(k + 1);
      this.inSlot.push(offsets[k] ?? null);
    });
    this.join = this.partials?.joiner(this.sweeping.array) ?? null;
  }

  /** Does piece after piece by this thread alone, where all arrays are in the heap. */
  runInPlace(pieces: Iterable<Piece>): void {
    const { partials, args, join, sweeping } = this;
    const size = partials?.size ?? 0;
    const slot = size === 0 ? 0 : this.slots.atLeast(8 * size);
    const totals = this.heap.view(Float64Array, slot, size);
    this.varying.forEach((at, k) => (args[at] = slot + 8 * this.inSlot[k]!));
    const first = args.length;
    for (const { bounds, done } of pieces) {
      partials?.clear(totals);
      bounds.forEach((b, k) => (args[first + k] = b));
      this.run(...args);
      join?.(totals);
      sweeping.tick(done);
    }
  }

  add(piece: BatchPiece, end: number): void {
    const bytes = piece.windows.reduce((sum, w) => sum + bytesOf(w), 0);
    const isFull = this.pieces.length >= (this.crew === null ? 1 : MOST_PIECES);
    if (isFull || this.bytes + bytes > MOST_FOR_BATCH || this.overwrites(piece)) this.flush();
    this.pieces.push(piece);
    this.bytes += bytes;
    this.end = end;
    for (const w of piece.windows) {
      if (w.writes) this.written.set(w.array, Math.max(w.end, this.written.get(w.array) ?? 0));
    }
  }

  /** Whether the piece's windows, copied out, would undo what another piece of the batch wrote. */
  private overwrites({ windows }: BatchPiece): boolean {
    return windows.some((w) => w.first < (this.written.get(w.array) ?? 0));
  }

  flush(): void {
    const { pieces, partials } = this;
    if (pieces.length === 0) return;
    const size = partials?.size ?? 0;
    const slots = size === 0 ? 0 : this.slots.atLeast(8 * size * pieces.length);
    const windows = this.bytes === 0 ? 0 : this.scratch.atLeast(this.bytes);
    const values = this.fill(windows, slots, 8 * size);
    const totals = this.heap.view(Float64Array, slots, size * pieces.length);
    partials?.clear(totals);
    if (this.crew === null || pieces.length === 1) this.runAlone(values);
    else this.runTogether(this.crew, values);
    this.eachWindow(windows, (w, address) => {
      if (w.writes) copyOut(this.heap, w, address);
    });
    if (size > 0) {
      pieces.forEach((_, k) => {
        this.join!(totals.subarray(k * size, (k + 1) * size));
      });
    }
    this.pieces = [];
    this.written.clear();
    this.bytes = 0;
    this.begun = this.end;
  }

  /** Copies back what was written of arrays that stand here as a whole. */
  finish(): void {
    this.wholes.forEach((w, k) => {
      if (w.writes) copyOut(this.heap, w, this.wholeAddresses[k]!);
    });
  }

  release(): void {
    for (const address of this.wholeAddresses) this.heap.release(address);
    this.scratch.release();
    this.slots.release();
  }

  /** Copies windows in; the values of the varying arguments, piece by piece. */
  private fill(start: number, slots: number, slotBytes: number): number[] {
    const values: number[] = [];
    const pointers = new Array<number>(this.args.length).fill(0);
    let piece = 0;
    const finish = (upTo: number): void => {
      for (; piece < upTo; piece++) {
        const slot = slots + piece * slotBytes;
        this.varying.forEach((at, k) => {
          const offset = this.inSlot[k] ?? null;
          values.push(offset === null ? pointers[at]! : slot + 8 * offset);
        });
      }
    };
    this.eachWindow(start, (w, address, k) => {
      finish(k);
      if (w.reads) copyIn(this.heap, w, address);
      for (const a of w.accesses) pointers[a + 1] = address - w.first * (1 << w.shift);
    });
    finish(this.pieces.length);
    return values;
  }

  private eachWindow(start: number, f: (w: Window, address: number, piece: number) => void): void {
    let address = start;
    this.pieces.forEach(({ windows }, k) => {
      for (const w of windows) {
        f(w, address, k);
        address += bytesOf(w);
      }
    });
  }

  private runAlone(values: readonly number[]): void {
    const { args, varying } = this;
    this.pieces.forEach(({ bounds }, k) => {
      varying.forEach((at, n) => (args[at] = values[k * varying.length + n]!));
      this.run(...args, ...bounds);
    });
  }

  private runTogether(crew: Crew, values: readonly number[]): void {
    const { image, position, args, varying, begun, end } = this;
    const pieces = this.pieces.length;
    const bounds = this.pieces.flatMap((p) => p.bounds);
    crew.run({ image, position, args, varying, values, pieces, bounds }, (done) => {
      this.sweeping.tick(begun + ((end - begun) * done) / pieces);
    });
  }
}
