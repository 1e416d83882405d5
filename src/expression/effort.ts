/**
 * A bound on the work of one derivation, counted rather than timed, so that the same formula is
 * refused on every machine. A unit is about a node that is built, or a factor that is gone through.
 */

/** The formula takes more work than was granted. */
export class EffortSpent extends Error {
  override readonly name = "EffortSpent";
}

let left = Infinity;

/** Work that is about to be done. @throws EffortSpent when that is more than was granted */
export function spend(units: number): void {
  left -= units;
  if (left < 0) throw new EffortSpent("the formula takes too much work");
}

/** Runs `body` with at most that many units; inside another bound, of what is left there. */
export function withEffort<T>(units: number, body: () => T): T {
  const outer = left;
  const granted = Math.min(units, outer);
  left = granted;
  try {
    return body();
  } finally {
    // What was done inside counts outside too.
    left = outer - (granted - left);
  }
}
