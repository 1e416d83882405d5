/**
 * Reductions of one piece of a sweep, apart from those of the others. They are joined in the order
 * of the pieces, so that results do not depend on which thread did which piece, or when.
 */
import type { Accumulator } from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import type { Entries, TypedArray } from "../typedArrays.ts";
import { LOW } from "../doubledouble.ts";
import { combiner } from "../referenceLoops.ts";
import type { EmittedPass } from "./emitted.ts";

/** Larger results are added to where they are, in the order of the pieces, by one thread. */
const MOST_ENTRIES = 1024;

interface Part {
  readonly op: Accumulator["op"];
  /** Whether results have low parts, which stand behind all high ones. */
  readonly pairs: boolean;
  readonly result: Buffer;
  readonly second: Buffer | null;
  /** In entries, from the start of a slot. */
  readonly offset: number;
}

export class Partials {
  /** Entries of one slot. */
  readonly size: number;
  private readonly parts: readonly Part[];
  private readonly offsets = new Map<number, number>();

  private constructor(parts: readonly Part[], size: number) {
    this.parts = parts;
    this.size = size;
    for (const p of parts) {
      this.offsets.set(p.result.id, p.offset);
      if (p.second === null) continue;
      this.offsets.set(p.second.id, p.offset + p.result.count * (p.pairs ? 2 : 1));
    }
  }

  /** null where the results are too large. */
  static of(pass: EmittedPass): Partials | null {
    const parts: Part[] = [];
    const { pairs } = pass;
    let size = 0;
    for (const { op, buffer, second } of pass.accumulators) {
      if (parts.some((p) => p.result === buffer)) continue;
      parts.push({ op, pairs, result: buffer, second, offset: size });
      size += buffer.count * ((pairs ? 2 : 1) + (second === null ? 0 : 1));
    }
    return size > MOST_ENTRIES ? null : new Partials(parts, size);
  }

  /** Where in a slot an array's entries stand; null for arrays that are not reduced to. */
  offsetOf(buffer: Buffer): number | null {
    return this.offsets.get(buffer.id) ?? null;
  }

  clear(slots: Float64Array): void {
    slots.fill(0);
    for (const p of this.parts) {
      if (p.result.initial === 0) continue;
      for (let at = p.offset; at < slots.length; at += this.size) {
        slots.fill(p.result.initial, at, at + p.result.count);
      }
    }
  }

  /** What adds one slot to the results. */
  joiner(array: (buffer: Buffer) => Entries): (slot: Float64Array) => void {
    const joins = this.parts.map(({ op, pairs, result, second, offset }) => {
      // Results of reductions are never stored outside.
      const totals = array(result) as TypedArray;
      if (pairs) {
        return (slot: Float64Array) => {
          joinPairs(op, totals, slot.subarray(offset), result.count);
        };
      }
      const errors = second === null ? null : (array(second) as TypedArray);
      return (slot: Float64Array) => {
        joinNumbers(op, totals, errors, slot, offset);
      };
    });
    return (slot) => {
      for (const join of joins) join(slot);
    };
  }
}

function joinNumbers(
  op: Accumulator["op"],
  totals: TypedArray,
  errors: TypedArray | null,
  slot: Float64Array,
  offset: number,
): void {
  const count = totals.length;
  for (let k = 0; k < count; k++) {
    const x = slot[offset + k]!;
    const before = totals[k]!;
    const after = joined(op, before, x);
    totals[k] = after;
    if (errors === null) continue;
    const z = after - before;
    errors[k] = errors[k]! + (before - (after - z)) + (x - z) + slot[offset + count + k]!;
  }
}

function joinPairs(
  op: Accumulator["op"],
  totals: TypedArray,
  slot: Float64Array,
  count: number,
): void {
  if (op === "mean" || op === "argmax" || op === "argmin") throw new Error(`no ${op} is joined`);
  const f = combiner(op);
  for (let k = 0; k < count; k++) {
    totals[k] = f(totals[k]!, totals[count + k]!, slot[k]!, slot[count + k]!);
    totals[count + k] = LOW[0]!;
  }
}

function joined(op: Accumulator["op"], x: number, y: number): number {
  switch (op) {
    case "sum":
    case "mean":
      return x + y;
    case "prod":
      return x * y;
    case "max":
    case "any":
      return Math.max(x, y);
    default:
      return Math.min(x, y);
  }
}
