/** Goes through the index space of a nest piece by piece, so that it can stop between. */
import type { LoopNest } from "./loops.ts";

/** A part of a nest: from and to of each bounded loop. */
export type Bounds = readonly number[];

export const DEFAULT_CHUNK = 1 << 14;
const FIRST_CHUNK = 1 << 10;

export function entriesOf(nest: LoopNest): number {
  return nest.bounded.reduce((n, [from, to]) => n * (to - from), nest.inner);
}

export function workOf(nest: LoopNest): number {
  return entriesOf(nest) * nest.weight;
}

export interface Piece {
  readonly bounds: Bounds;
  /** Entries of the nest up to the end of this piece. */
  readonly done: number;
}

/**
 * Pieces of about `chunk` entries that together are a nest's part of the index space, in order.
 * @param growing whether the first ones are smaller: JavaScript runs slowly until the engine has
 *   optimised it
 */
export function* piecesOf(nest: LoopNest, chunk: number, growing: boolean): Generator<Piece> {
  const { bounded, inner } = nest;
  const last = bounded.length - 1;
  if (last < 0) {
    yield { bounds: [], done: inner };
    return;
  }
  const [first, end] = bounded[last]!;
  let size = growing ? Math.min(chunk, FIRST_CHUNK) : chunk;
  const outer = entriesOf(nest) / inner / (end - first);
  const outside = bounded.slice(0, last).flatMap(([from]) => [from, from]);
  for (let o = 0; o < outer; o++) {
    let rest = o;
    for (let d = last - 1; d >= 0; d--) {
      const [from, to] = bounded[d]!;
      const at = rest % (to - from);
      rest = (rest - at) / (to - from);
      outside[2 * d] = from + at;
      outside[2 * d + 1] = from + at + 1;
    }
    for (let from = first, to = first; from < end; from = to) {
      to = Math.min(from + Math.max(1, Math.floor(size / inner)), end);
      size = Math.min(2 * size, chunk);
      yield { bounds: [...outside, from, to], done: (o * (end - first) + (to - first)) * inner };
    }
  }
}
