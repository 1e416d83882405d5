/** Ways to do the same thing, timed in turns. */
import type { Answer } from "./answers.ts";

/** One thing that is timed: milliseconds, and the loss for comparison. */
export type Way = () => Promise<Answer | null>;

export function timed(run: () => number): Promise<Answer> {
  const began = performance.now();
  const loss = run();
  return Promise.resolve({ ms: performance.now() - began, loss });
}

/** Milliseconds of each way, repetition by repetition; a way that could not is missing. */
export type Times = Readonly<Record<string, readonly number[]>>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((p, q) => p - q);
  return sorted[sorted.length >> 1]!;
}

/** Ways that have the same arrays, and so the same loss. */
const OURS: readonly string[] = [
  "reused",
  "threads",
  "check",
  "fresh",
  "report",
  "relaxed",
  "relaxed threads",
  "relaxed check",
];

/** Milliseconds of each way, all ways taking turns. */
export async function alternate(
  ways: Readonly<Record<string, Way>>,
  repeats: number,
): Promise<Times> {
  const times: Record<string, number[]> = {};
  let expected: number | null = null;
  for (let k = -2; k < repeats; k++) {
    for (const [name, way] of Object.entries(ways)) {
      const answer = await way();
      if (answer === null) continue;
      if (k < 0) continue;
      if (OURS.includes(name)) {
        expected ??= answer.loss;
        if (!(Math.abs(answer.loss - expected) < 1e-6 * Math.max(1, Math.abs(expected)))) {
          throw new Error(`${name} gives the loss ${answer.loss}, not ${expected}`);
        }
      }
      (times[name] ??= []).push(answer.ms);
    }
  }
  return times;
}

function shown(ms: number): string {
  return ms < 1 ? ms.toFixed(3) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

/** How many times as long the other takes, as the median over neighbouring repetitions. */
export function timesAsLong(other: readonly number[], own: readonly number[]): number {
  return median(other.map((ms, k) => ms / own[k]!));
}

/** The same, to show. */
export function ratio(other: readonly number[] | undefined, own: readonly number[]): string {
  return other === undefined ? "" : `${timesAsLong(other, own).toFixed(1)}×`;
}

export function cell(times: readonly number[] | undefined): string {
  return times === undefined ? "" : shown(median(times));
}
