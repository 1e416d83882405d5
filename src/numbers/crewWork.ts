/**
 * How several threads share the pieces of a job: each claims the next one that nobody has. A claim
 * names the job's generation, so a thread that wakes late takes nothing of a later job.
 */
import type { CrewJob } from "./crew.ts";
import { instanceOf } from "./wasm/image.ts";

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
  length: 6,
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

/** Does pieces of the job as long as there are any; `each` is called after every one. */
export function workOn(
  job: CrewJob,
  generation: number,
  control: Int32Array,
  each: () => void,
): void {
  const run = instanceOf(job.image)[job.name]!;
  const { varying, values, bounds } = job;
  const args = [...job.args];
  for (;;) {
    const k = claim(control, generation, bounds.length);
    if (k === null) return;
    try {
      varying.forEach((at, n) => (args[at] = values[k * varying.length + n]!));
      run(...args, ...bounds[k]!);
    } catch {
      Atomics.store(control, CONTROL.failed, 1);
    }
    Atomics.add(control, CONTROL.done, 1);
    Atomics.notify(control, CONTROL.done);
    each();
  }
}
