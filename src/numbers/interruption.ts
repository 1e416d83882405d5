/**
 * Loops in plain code that go over whole arrays stop when their run is cancelled, however deep they
 * are: they ask here, so that no watch has to be handed down to them. Work on formulas asks as well.
 */
import { withLooks } from "../expression/effort.ts";
import { Cancelled, type TypedArray } from "./typedArrays.ts";

/** Of the run that is under way; reading it takes no time beside a part of an array. */
let isCancelledNow: (() => boolean) | null = null;

/**
 * Runs `body`, in which the loops of this file, and work on formulas, throw Cancelled once
 * `isCancelled` says so.
 * @throws Cancelled at once where it says so already
 */
export function interruptible<T>(isCancelled: () => boolean, body: () => T): T {
  const before = isCancelledNow;
  isCancelledNow = isCancelled;
  try {
    throwIfCancelled();
    return withLooks(throwIfCancelled, body);
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
 * Ranges [first, end) that make up 0 to `count`, in order, to be gone through in a loop. (A function
 * that is called for each would keep what it adds up on the heap, which takes several times as long.)
 * @throws Cancelled between two of them
 */
export function* parts(count: number): Generator<readonly [first: number, end: number]> {
  for (let first = 0; first < count; first += PART) {
    throwIfCancelled();
    yield [first, Math.min(first + PART, count)];
  }
}

/** The array, filled entry by entry. @throws Cancelled on the way */
export function filled<A extends TypedArray>(array: A, entry: (k: number) => number): A {
  for (const [first, end] of parts(array.length)) {
    for (let k = first; k < end; k++) array[k] = entry(k);
  }
  return array;
}

/** The numbers in a new array of a type. @throws Cancelled on the way */
export function copiedTo<A extends TypedArray>(
  type: new (length: number) => A,
  values: TypedArray,
): A {
  const copy = new type(values.length);
  copyParts(values, copy);
  return copy;
}

/** Copies the numbers to another array of that length. @throws Cancelled on the way */
export function copyParts(from: TypedArray, to: TypedArray): void {
  for (const [first, end] of parts(from.length)) to.set(from.subarray(first, end), first);
}

/** The largest absolute value, of those that are numbers. @throws Cancelled on the way */
export function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (const [first, end] of parts(values.length)) {
    for (let k = first; k < end; k++) {
      const size = Math.abs(values[k]!);
      if (size > largest) largest = size;
    }
  }
  return largest;
}

/** The first of the numbers 0 to `count` for which something holds, else −1. @throws Cancelled */
export function firstWhere(count: number, holds: (k: number) => boolean): number {
  for (const [first, end] of parts(count)) {
    for (let k = first; k < end; k++) if (holds(k)) return k;
  }
  return -1;
}

/** Whether all of the numbers 0 to `count` pass. @throws Cancelled on the way */
export function every(count: number, passes: (k: number) => boolean): boolean {
  return firstWhere(count, (k) => !passes(k)) < 0;
}
