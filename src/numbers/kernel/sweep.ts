/** Goes through the index space of a nest piece by piece, so that it can stop between. */
import type { LoopNest } from "./loops.ts";

/** Does a part of a nest, given from and to of each bounded loop. */
export type Piece = (bounds: readonly number[]) => void;

export const DEFAULT_CHUNK = 1 << 14;
const FIRST_CHUNK = 1 << 10;

export function entriesOf(nest: LoopNest): number {
  return nest.bounded.reduce((n, [from, to]) => n * (to - from), nest.inner);
}

export function workOf(nest: LoopNest): number {
  return entriesOf(nest) * nest.weight;
}

/** Calls `piece` for the whole of a nest's part of the index space, about `chunk` entries a time. */
export function sweep(
  nest: LoopNest,
  piece: Piece,
  chunk: number,
  tick: (entries: number) => void,
): void {
  const { bounded, inner } = nest;
  const last = bounded.length - 1;
  if (last < 0) {
    piece([]);
    return;
  }
  const [first, end] = bounded[last]!;
  // The first pieces are small: code runs slowly until the engine has optimised it.
  let size = Math.min(chunk, FIRST_CHUNK);
  const outer = entriesOf(nest) / inner / (end - first);
  const bounds = bounded.flatMap(([from]) => [from, from]);
  for (let o = 0; o < outer; o++) {
    let rest = o;
    for (let d = last - 1; d >= 0; d--) {
      const [from, to] = bounded[d]!;
      const at = rest % (to - from);
      rest = (rest - at) / (to - from);
      bounds[2 * d] = from + at;
      bounds[2 * d + 1] = from + at + 1;
    }
    for (let from = first, to = first; from < end; from = to) {
      to = Math.min(from + Math.max(1, Math.floor(size / inner)), end);
      size = Math.min(2 * size, chunk);
      bounds[2 * last] = from;
      bounds[2 * last + 1] = to;
      piece(bounds);
      tick((o * (end - first) + (to - first)) * inner);
    }
  }
}
