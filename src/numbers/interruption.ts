/**
 * Loops in plain code that go over whole arrays stop when their run is cancelled, however deep they
 * are: they ask here, so that no watch has to be handed down to them.
 */
import { Cancelled, type TypedArray } from "./typedArrays.ts";

/** Of the run that is under way; reading it takes no time beside a part of an array. */
let isCancelledNow: (() => boolean) | null = null;

/**
 * Runs `body`, in which the loops of this file throw Cancelled once `isCancelled` says so.
 * @throws Cancelled at once where it says so already
 */
export function interruptible<T>(isCancelled: () => boolean, body: () => T): T {
  const before = isCancelledNow;
  isCancelledNow = isCancelled;
  try {
    throwIfCancelled();
    return body();
  } finally {
    isCancelledNow = before;
  }
}

/** @throws Cancelled where the run that this is part of has been cancelled */
export function throwIfCancelled(): void {
  if (isCancelledNow?.() === true) throw new Cancelled();
}

/** What is done between two looks: some milliseconds, whatever is done with an entry. */
export const PART = 1 << 15;

/**
 * Calls `body` for ranges that make up 0 to `count`, in order.
 * @throws Cancelled between two of them
 */
export function eachPart(count: number, body: (first: number, end: number) => void): void {
  for (let first = 0; first < count; first += PART) {
    throwIfCancelled();
    body(first, Math.min(first + PART, count));
  }
}

/** The array, filled entry by entry. @throws Cancelled on the way */
export function filled<A extends TypedArray>(array: A, entry: (k: number) => number): A {
  eachPart(array.length, (first, end) => {
    for (let k = first; k < end; k++) array[k] = entry(k);
  });
  return array;
}

/** A copy of an array, as of one in the kernels' memory. @throws Cancelled on the way */
export function copied<A extends Float64Array | Float32Array>(array: A): A {
  const copy = new (array.constructor as new (length: number) => A)(array.length);
  eachPart(array.length, (first, end) => {
    copy.set(array.subarray(first, end), first);
  });
  return copy;
}

/** Whether all of the numbers 0 to `count` pass. @throws Cancelled on the way */
export function every(count: number, passes: (k: number) => boolean): boolean {
  for (let k = 0; k < count; k++) {
    if (k % PART === 0) throwIfCancelled();
    if (!passes(k)) return false;
  }
  return true;
}
