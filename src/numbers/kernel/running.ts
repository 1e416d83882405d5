/**
 * Running sums, one entry after the other. Like all sums they carry the rounding errors of their
 * additions along (Knuth's two-sum), so that each is within 3 × 2⁻⁵³ of its absolute terms, however
 * many came before. Vectors gain nothing here: each sum waits for the one before.
 */
import { type Entries, NotStreamable, type TypedArray, isStored } from "../typedArrays.ts";
import { pieceAdder } from "../wasm/running.ts";
import type { Running } from "./loops.ts";
import type { Buffer } from "./plan.ts";

/** Entries between two looks at the clock. */
const PIECE = 1 << 16;

/**
 * Goes on adding `count` entries up from `first` on, `step` apart.
 * @param sums the sum and its rounding errors so far, which it changes
 */
export type AddPiece = (first: number, count: number, step: number, sums: Float64Array) => void;

/**
 * @param tick called with how many entries are done
 * @throws NotStreamable when the entries are not in memory
 */
export function addUp(
  running: Running,
  array: (buffer: Buffer) => Entries,
  tick: (entries: number) => void,
): void {
  const [source, result] = [array(running.source), array(running.result)];
  if (isStored(source) || isStored(result)) throw new NotStreamable();
  let told = 0;
  const now = (entries: number): void => {
    if (entries - told < PIECE) return;
    told = entries;
    tick(entries);
  };
  if (running.inner === 1) alongRows(running, source, result, now);
  else acrossRows(running, source, result, now);
}

function alongRows(
  { outer, count, isReverse, isExclusive }: Running,
  source: TypedArray,
  result: TypedArray,
  tick: (entries: number) => void,
): void {
  const step = isReverse ? -1 : 1;
  const sums = new Float64Array(2);
  const add =
    pieceAdder(source, result, isExclusive) ??
    ((first: number, n: number) => {
      alongPiece(source, result, first, n, step, isExclusive, sums);
    });
  for (let row = 0; row < outer; row++) {
    const first = row * count + (isReverse ? count - 1 : 0);
    sums.fill(0);
    for (let from = 0; from < count; from += PIECE) {
      const end = Math.min(from + PIECE, count);
      add(first + from * step, end - from, step, sums);
      tick(row * count + end);
    }
  }
}

/** The engine makes one fast loop of this; with the pieces' own loop around it, it does not. */
function alongPiece(
  source: TypedArray,
  result: TypedArray,
  first: number,
  count: number,
  step: number,
  isExclusive: boolean,
  sums: Float64Array,
): void {
  let [sum, errors] = sums as unknown as [number, number];
  for (let k = 0, at = first; k < count; k++, at += step) {
    const x = source[at]!;
    const next = sum + x;
    const added = next - sum;
    const error = errors + (sum - (next - added) + (x - added));
    const total = isExclusive ? sum + errors : next + error;
    result[at] = isNaN(total) ? (isExclusive ? sum : next) : total;
    sum = next;
    errors = error;
  }
  sums[0] = sum;
  sums[1] = errors;
}

/** Row by row, with as many sums as rows are long. */
function acrossRows(
  { outer, count, inner, isReverse, isExclusive }: Running,
  source: TypedArray,
  result: TypedArray,
  tick: (entries: number) => void,
): void {
  const sums = new Float64Array(inner);
  const errors = new Float64Array(inner);
  for (let part = 0; part < outer; part++) {
    sums.fill(0);
    errors.fill(0);
    for (let k = 0; k < count; k++) {
      const start = (part * count + (isReverse ? count - 1 - k : k)) * inner;
      for (let i = 0; i < inner; i++) {
        const x = source[start + i]!;
        const sum = sums[i]!;
        const next = sum + x;
        const added = next - sum;
        const error = errors[i]! + (sum - (next - added) + (x - added));
        const total = isExclusive ? sum + errors[i]! : next + error;
        // Of infinities the error is NaN.
        result[start + i] = isNaN(total) ? (isExclusive ? sum : next) : total;
        sums[i] = next;
        errors[i] = error;
      }
      tick((part * count + k + 1) * inner);
    }
  }
}
