/** Threads that help with the pieces of a sweep, where there are some. */
import type { ProgramImage } from "./wasm/image.ts";

/** Pieces that any thread may do, in any order. */
export interface CrewJob {
  readonly image: ProgramImage;
  readonly name: string;
  /** Arguments of the function before the bounds: constants, pointers and parameters. */
  readonly args: readonly number[];
  /** Bounds of all pieces, one after the other. */
  readonly bounds: readonly number[];
  readonly boundsOfPiece: number;
  readonly pieces: number;
  /** Positions in `args` of pointers into the piece's own slot, and bytes from one slot to the next. */
  readonly slotted: readonly number[];
  readonly slotBytes: number;
}

export interface Crew {
  /** Threads, this one included. */
  readonly threads: number;
  /**
   * Does all pieces; returns when they are done.
   * @param tick called now and then by this thread with how many are; what it throws stops the rest
   */
  run(job: CrewJob, tick: (pieces: number) => void): void;
}

let present: Crew | null = null;

/** Makes kernels use this crew from now on; null: this thread alone. */
export function useCrew(crew: Crew | null): void {
  present = crew;
}

export function presentCrew(): Crew | null {
  return present;
}
