import assert from "node:assert/strict";
import { type GeneratedPair, generatePair } from "./pairs/generate.ts";
import { type Judged, judge } from "./pairs/judge.ts";

/** Pairs that are compared; DICE_GRADIENT_PAIRS asks for more (or fewer) of them. */
const COUNT = Number(process.env["DICE_GRADIENT_PAIRS"] ?? 40);
/** A reason may stay without a name; it may not be a wrong one. */
const WITHOUT_NAME = "unnamed";

describe(`the reasons of ${COUNT} generated pairs of losses`, function () {
  this.timeout(COUNT * 10_000);
  const judged: { readonly pair: GeneratedPair; readonly result: Judged }[] = [];

  before(async () => {
    for (let seed = 1; seed <= COUNT; seed++) {
      const pair = generatePair(seed);
      judged.push({ pair, result: await judge(pair) });
    }
  });

  const texts = (which: (result: Judged) => readonly string[]): string[] =>
    judged.flatMap(({ pair, result }) => {
      const found = which(result);
      return found.length === 0
        ? []
        : [`pair ${pair.seed} (${pair.call}: ${pair.edits.join(", ")}): ${found.join(", ")}`];
    });

  it("are the edits exactly in 95 of 100", () => {
    const wrong = texts((r) => [...r.missing, ...r.extra]);
    assert.ok(wrong.length <= 0.05 * COUNT, wrong.join("\n"));
  });

  it("are never other ones, though they may have no name", () => {
    const wrong = texts((r) => r.extra.filter((id) => id !== WITHOUT_NAME));
    assert.deepEqual(wrong, []);
  });

  it("make the first loss the second when all are mended, by the exact test", () => {
    const left = texts((r) =>
      r.explanation.complete || r.found.includes(WITHOUT_NAME) ? [] : r.found,
    );
    assert.deepEqual(left, []);
  });

  it("stand on the lines that are pointed at, in 8 of 10", () => {
    const all = judged.reduce((n, { result }) => n + result.found.length, 0);
    const misplaced = texts((r) => r.misplaced);
    assert.ok(misplaced.length <= 0.2 * all, misplaced.join("\n"));
  });
});
