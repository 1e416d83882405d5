import assert from "node:assert/strict";
import { judgePairs } from "./pairs/crew.ts";
import type { PairResult } from "./pairs/worker.ts";

/** Pairs that are compared, by their seeds; DICE_GRADIENT_PAIRS=1001-1300 asks for others. */
const [FIRST, LAST] = (process.env["DICE_GRADIENT_PAIRS"] ?? "1-300").split("-").map(Number) as [
  number,
  number,
];
const COUNT = LAST - FIRST + 1;
/** A reason may stay without a name; it may not be a wrong one. */
const WITHOUT_NAME = "unnamed";

describe(`the reasons of ${COUNT} generated pairs of losses`, function () {
  this.timeout(60_000 + COUNT * 10_000);
  let results: readonly PairResult[] = [];

  before(async () => {
    results = await judgePairs(FIRST, LAST);
    assert.equal(results.length, COUNT);
  });

  const texts = (which: (result: PairResult) => readonly string[]): string[] =>
    results.flatMap((result) => {
      const { seed, call, edits } = result;
      const found = which(result);
      return found.length === 0
        ? []
        : [`pair ${seed} (${call}: ${edits.join(", ")}): ${found.join(", ")}`];
    });

  it("are the edits exactly in 98 of 100", () => {
    const wrong = texts((r) => [...r.missing, ...r.extra]);
    assert.ok(wrong.length <= 0.02 * COUNT, wrong.join("\n"));
  });

  it("are never other ones, though they may have no name", () => {
    const wrong = texts((r) => r.extra.filter((id) => id !== WITHOUT_NAME));
    assert.deepEqual(wrong, []);
  });

  it("make the first loss the second when all are mended, by the exact test", () => {
    const left = texts((r) => (r.complete || r.found.includes(WITHOUT_NAME) ? [] : r.found));
    assert.deepEqual(left, []);
  });

  it("have shares that add up to the whole difference", () => {
    const wrong = texts(({ shares }) =>
      shares === null || Math.abs(shares - 1) < 1e-6 ? [] : [String(shares)],
    );
    assert.deepEqual(wrong, []);
    assert.ok(results.some(({ shares }) => shares !== null));
  });

  it("stand on the lines that are pointed at, in 9 of 10", () => {
    const all = results.reduce((n, { found }) => n + found.length, 0);
    const misplaced = texts((r) => r.misplaced);
    const count = results.reduce((n, r) => n + r.misplaced.length, 0);
    assert.ok(count <= 0.1 * all, misplaced.join("\n"));
  });

  it("are of every kind that the family and the code around it know", function () {
    if (COUNT < 100) this.skip();
    const kinds = new Set(results.flatMap(({ edits }) => edits));
    assert.deepEqual(
      KINDS.filter((k) => !kinds.has(k)),
      [],
    );
  });
});

/**
 * All but two: a sum over classes is their mean times their number, so that pairs with it have two
 * right answers; and a clip shows at the ends of the range alone, where pairs are not probed.
 */
const KINDS: readonly string[] = [
  "activation",
  "mask",
  "target-encoding",
  "target-smoothing",
  "classes",
  "overlap",
  "ratio",
  "overlap-factor",
  "powers",
  "region",
  "smoothing",
  "denominator-floor",
  "empty-regions",
  "class-weights",
  "absent-classes",
  "loss-of-score",
  "outer-function",
  "batch-reduction",
  "constant-factor",
  "further-terms",
  "detached",
  "thresholded",
  "hand-written",
];
