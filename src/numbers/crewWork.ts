/**
 * How several threads share the pieces of a job: each claims the next one that nobody has. A claim
 * names the job's generation, so a thread that wakes late takes nothing of a later job.
 */
import type { CrewJob } from "./crew.ts";
import { functionOf } from "./wasm/image.ts";

/** Positions in the control block, an Int32Array that all threads see. */
export const CONTROL = {
  /** Of the present job; threads sleep until it changes. */
  generation: 0,
  /** Low bits of the generation, then the next piece to be claimed. */
  next: 1,
  /** Pieces that are done. */
  done: 2,
  /** 1 if a piece failed. */
  failed: 3,
  /** Pieces that other threads than the first have done. */
  helped: 4,
  /** Other threads that have begun to listen. */
  started: 5,
  /** The present job: its module and function, where its numbers stand, and how many there are. */
  module: 6,
  position: 7,
  numbers: 8,
  args: 9,
  varying: 10,
  pieces: 11,
  bounds: 12,
  /** The generation of the job that these belong to; −1 while they are written. */
  shown: 13,
  /** Threads that look for work. */
  awake: 14,
  length: 15,
} as const;

/** Threads remember this many modules, and whoever sends jobs knows which. */
export const REMEMBERED_MODULES = 16;

/** A job has fewer than 2^11 pieces. */
const PIECE_BITS = 11;
const GENERATION_MASK = (1 << (31 - PIECE_BITS)) - 1;

/**
 * How long a thread looks for what comes next before it sleeps, in milliseconds: passes of a kernel
 * follow each other within that time, and waking up takes as long as a short pass.
 */
const AWAKE_MS = 0.3;

/** Returns once an entry of the control block differs from `value`, or after a while. */
export function waitAwake(control: Int32Array, at: number, value: number): void {
  const until = performance.now() + AWAKE_MS;
  while (Atomics.load(control, at) === value && performance.now() < until);
}

/** The value of `next` at the start of a job. */
export function firstClaim(generation: number): number {
  return (generation & GENERATION_MASK) << PIECE_BITS;
}

/** Claims a piece; null if none is left, or the job is over. */
function claim(control: Int32Array, generation: number, pieces: number): number | null {
  for (;;) {
    const before = Atomics.load(control, CONTROL.next);
    const piece = before - firstClaim(generation);
    if (piece < 0 || piece >= pieces) return null;
    if (Atomics.compareExchange(control, CONTROL.next, before, before + 1) === before) return piece;
  }
}

/** Lets nobody claim any more; says how many pieces were claimed. */
export function closeClaims(control: Int32Array, generation: number, pieces: number): number {
  const end = firstClaim(generation) + pieces;
  return Atomics.exchange(control, CONTROL.next, end) - firstClaim(generation);
}

/** Lets the other threads see a job, whose numbers need so much memory (see `numbersOf`). */
export function showJob(
  { position, args, varying, values, pieces, bounds }: CrewJob,
  generation: number,
  module: number,
  control: Int32Array,
  numbers: Float64Array,
): void {
  Atomics.store(control, CONTROL.shown, -1);
  let at = 0;
  for (const part of [args, varying, values, bounds]) {
    numbers.set(part, at);
    at += part.length;
  }
  const fields = [
    [CONTROL.module, module],
    [CONTROL.position, position],
    [CONTROL.numbers, numbers.byteOffset],
    [CONTROL.args, args.length],
    [CONTROL.varying, varying.length],
    [CONTROL.pieces, pieces],
    [CONTROL.bounds, bounds.length],
  ] as const;
  for (const [field, value] of fields) Atomics.store(control, field, value);
  Atomics.store(control, CONTROL.shown, generation);
}

/** How many numbers a job is made of. */
export function numbersOf({ args, varying, values, bounds }: CrewJob): number {
  return args.length + varying.length + values.length + bounds.length;
}

/**
 * The job of a generation; null when another has taken its place. One may do so meanwhile: the
 * numbers hold once a piece of the generation has been claimed.
 * @param moduleOf by its number; undefined where it is not known
 */
export function shownJob(
  control: Int32Array,
  generation: number,
  memory: WebAssembly.Memory,
  moduleOf: (id: number) => WebAssembly.Module | undefined,
): CrewJob | null {
  const field = (k: number): number => Atomics.load(control, k);
  const module = moduleOf(field(CONTROL.module));
  const [position, pieces, varying] = [CONTROL.position, CONTROL.pieces, CONTROL.varying].map(
    field,
  ) as [number, number, number];
  const counts = [field(CONTROL.args), varying, varying * pieces, field(CONTROL.bounds)];
  let at = field(CONTROL.numbers);
  if (module === undefined || field(CONTROL.shown) !== generation) return null;
  const [args, places, values, bounds] = counts.map((count) => {
    const part = new Float64Array(memory.buffer, at, count);
    at += part.byteLength;
    return part;
  }) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const image = { module, memory, constants: 0 };
  return { image, position, args: [...args], varying: [...places], values, pieces, bounds };
}

/** Does pieces of the job as long as there are any; `each` is called after every one. */
export function workOn(
  job: CrewJob,
  generation: number,
  control: Int32Array,
  each: () => void,
): void {
  const { varying, values, bounds, pieces } = job;
  const own = bounds.length / pieces;
  const args = [...job.args];
  const first = args.length;
  for (;;) {
    const k = claim(control, generation, pieces);
    if (k === null) return;
    try {
      varying.forEach((at, n) => (args[at] = values[k * varying.length + n]!));
      for (let n = 0; n < own; n++) args[first + n] = bounds[k * own + n]!;
      functionOf(job.image, job.position)(...args);
    } catch {
      Atomics.store(control, CONTROL.failed, 1);
    }
    Atomics.add(control, CONTROL.done, 1);
    Atomics.notify(control, CONTROL.done);
    each();
  }
}
