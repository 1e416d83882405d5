/** Threads that help with the pieces of a sweep, where there are some. */
import type { ProgramImage } from "./wasm/image.ts";

/** Pieces that any thread may do, in any order. */
export interface CrewJob {
  readonly image: ProgramImage;
  /** Position of the function in its module. */
  readonly position: number;
  /** Arguments of the function before the bounds: constants, pointers and parameters. */
  readonly args: readonly number[];
  /** Positions of arguments that differ from piece to piece … */
  readonly varying: readonly number[];
  /** … and their values, all of one piece after all of the one before. */
  readonly values: ArrayLike<number>;
  readonly pieces: number;
  /** Of all pieces, one after the other. */
  readonly bounds: ArrayLike<number>;
}

export interface Crew {
  /** Threads, this one included. */
  readonly threads: number;
  /** Whether others look for work just now: waking them takes up to a millisecond. */
  readonly isAwake: boolean;
  /**
   * Does all pieces; returns when they are done.
   * @param tick called now and then by this thread with how many are; what it throws stops the rest
   */
  run(job: CrewJob, tick: (pieces: number) => void): void;
}

/** Thrown when the function trapped on a piece. */
export class PieceFailed extends Error {
  override readonly name = "PieceFailed";
  constructor() {
    super("a piece of a kernel failed");
  }
}

let present: Crew | null = null;

/** Makes kernels use this crew from now on; null: this thread alone. */
export function useCrew(crew: Crew | null): void {
  present = crew;
}

export function presentCrew(): Crew | null {
  return present;
}
