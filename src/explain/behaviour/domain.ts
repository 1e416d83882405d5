/** Where the entries of a prediction can lie, how far they are swept, and how they move together. */
import { copyParts, every, filled, parts } from "../../numbers/interruption.ts";
import type { TypedArray } from "../../numbers/typedArrays.ts";
import type { Arena } from "../../numbers/wasm/arena.ts";
import type { Activation } from "./factors.ts";

/**
 * `logits`: any number, an activation makes probabilities of it; `probabilities`: 0 to 1; `values`:
 * any number, and nothing in the loss makes a probability of it.
 */
export type Domain = "logits" | "probabilities" | "values";

export function domainOf(activation: Activation | null, data: TypedArray): Domain {
  if (activation?.squashes === true) return "logits";
  return every(data.length, (k) => data[k]! >= 0 && data[k]! <= 1) ? "probabilities" : "values";
}

/** How many points a sweep of one entry has: fewer on large arrays, where each takes a pass. */
export function pointsFor(entries: number): number {
  return entries <= 5e4 ? 41 : entries <= 5e5 ? 25 : entries <= 2e6 ? 17 : 9;
}

/** The same where all entries move, and what is asked of all of them takes more passes. */
export function fewerPointsFor(entries: number): number {
  return entries <= 2e4 ? 41 : entries <= 2e5 ? 17 : entries <= 2e6 ? 13 : 9;
}

const LOGITS = 20;

/** Values that one entry takes: ends included, evenly. */
export function sweepOf(domain: Domain, data: TypedArray, points: number): number[] {
  let [low, high] = [0, 1];
  if (domain !== "probabilities") {
    [low, high] = [-LOGITS, LOGITS];
    if (domain === "values") {
      for (const [first, end] of parts(data.length)) {
        for (let k = first; k < end; k++) {
          const x = data[k]!;
          if (x < low) low = x;
          if (x > high) high = x;
        }
      }
    }
  }
  return Array.from({ length: points }, (_, k) => low + ((high - low) * k) / (points - 1));
}

/**
 * Moves every entry by `shift` times its direction: logits and plain values by adding, probabilities
 * by adding to their log-odds. Shift 0 gives the very entries.
 */
export class Mover {
  readonly moved: Float64Array;
  private readonly data: TypedArray;
  private readonly domain: Domain;
  private odds: Float64Array | null = null;

  constructor(data: TypedArray, domain: Domain, arena: Arena) {
    this.data = data;
    this.domain = domain;
    this.moved = arena.array(Float64Array, data.length);
  }

  /** One entry at a value, all others as they are. */
  one(at: number, value: number): Float64Array {
    const { moved } = this;
    copyParts(this.data, moved);
    moved[at] = value;
    return moved;
  }

  /** @param toward entries that move up when `shift` is positive (1); the others move down. Null: all up. */
  by(shift: number, toward: Uint8Array | null): Float64Array {
    const { data, moved } = this;
    if (shift === 0) {
      copyParts(data, moved);
      return moved;
    }
    if (this.domain !== "probabilities") {
      // Plain loops: a function that is called for each entry takes several times as long.
      for (const [first, end] of parts(moved.length)) {
        if (toward === null) for (let k = first; k < end; k++) moved[k] = data[k]! + shift;
        else {
          for (let k = first; k < end; k++)
            moved[k] = data[k]! + (toward[k] === 0 ? -shift : shift);
        }
      }
      return moved;
    }
    const odds = (this.odds ??= filled(
      new Float64Array(data.length),
      (k) => Math.log(data[k]!) - Math.log1p(-data[k]!),
    ));
    return filled(moved, (k) => {
      const z = odds[k]! + (toward?.[k] === 0 ? -shift : shift);
      return 1 / (1 + Math.exp(-z));
    });
  }

  /** Every entry at one end: 0 or 1, or without bound. */
  end(which: 0 | 1, toward: Uint8Array | null): Float64Array {
    const { moved } = this;
    const [low, high] = this.domain === "probabilities" ? [0, 1] : [-Infinity, Infinity];
    const [own, other] = which === 1 ? [high, low] : [low, high];
    if (toward === null) return moved.fill(own);
    for (const [first, end] of parts(moved.length)) {
      for (let k = first; k < end; k++) moved[k] = toward[k] === 0 ? other : own;
    }
    return moved;
  }
}
