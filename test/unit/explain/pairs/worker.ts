/** Judges every nth pair of a range in a process of its own, and sends each result to its parent. */
import { generatePair } from "./generate.ts";
import { type Judged, judge } from "./judge.ts";

export interface PairResult extends Judged {
  readonly seed: number;
  /** The call of the catalogue loss that the pair starts from, and what was changed. */
  readonly call: string;
  readonly edits: readonly string[];
}

const [first, last, step] = process.argv.slice(2).map(Number) as [number, number, number];
for (let seed = first; seed <= last; seed += step) {
  const pair = generatePair(seed);
  const result: PairResult = { seed, call: pair.call, edits: pair.edits, ...(await judge(pair)) };
  process.send!(result);
}
process.disconnect();
