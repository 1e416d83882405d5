/**
 * A bound on the work of one derivation, counted rather than timed, so that the same formula is
 * refused on every machine. A unit is about a node that is built, or a factor that is gone through.
 */

/** The formula takes more work than was granted. */
export class EffortSpent extends Error {
  override readonly name = "EffortSpent";
}

let left = Infinity;

/** Work between two looks: about a millisecond. */
const LOOK = 1024;

/** What is called between units of work; reading it takes no time beside them. */
let look: (() => void) | null = null;
let untilLook = LOOK;

/**
 * Work that is about to be done.
 * @throws EffortSpent when that is more than was granted, and what a look throws
 */
export function spend(units: number): void {
  left -= units;
  if (left < 0) throw new EffortSpent("the formula takes too much work");
  untilLook -= units;
  if (untilLook > 0) return;
  untilLook = LOOK;
  look?.();
}

/** Runs `body`, with `onLook` called again and again while it works on formulas, to stop it by throwing. */
export function withLooks<T>(onLook: () => void, body: () => T): T {
  const outer = look;
  look = onLook;
  try {
    return body();
  } finally {
    look = outer;
  }
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
