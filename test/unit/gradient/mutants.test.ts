/**
 * The checker checked: gradients that are wrong on purpose must be found at every size, right ones
 * must never be accused, however they are written.
 */
import assert from "node:assert/strict";
import { type CheckResult, GradientChecker } from "../../../src/gradient/check.ts";
import { type Masks, exact, masks } from "./data.ts";
import { diceLoss, vector } from "./lossExpressions.ts";
import { RIGHT, WRONG, gradientBy, oneVoxelZero } from "./mutants.ts";

const SMOOTH = 1e-5;
const SIZES = [64, 4096, 65_536, 1_048_576];

/** Probabilities that float32 holds too, so that both types judge the same point. */
function float32Masks(n: number, seed: number): Masks {
  const m = masks(n, seed);
  return { p: m.p.map(Math.fround), t: m.t };
}

function checkerFor(m: Masks, squared: boolean): GradientChecker {
  const n = m.p.length;
  const [p, t] = [vector("p", n), vector("t", n)];
  const loss = diceLoss(p, t, { smooth: SMOOTH, squared });
  const bindings = new Map([
    ["p", m.p],
    ["t", m.t],
  ]);
  return new GradientChecker({ loss, wrt: p, bindings });
}

/** The least that every result must hold. */
function assertSound(r: CheckResult): void {
  assert.ok(r.bound !== null && r.maxScaledError !== null && r.maxAbsError !== null);
  assert.ok(r.sentence.includes("rounding units"), r.sentence);
  assert.equal(r.maxScaledError <= r.bound, r.verdict === "agrees");
}

describe("a check of hand-written gradients", () => {
  for (const squared of [false, true]) {
    for (const n of SIZES) {
      it(`finds every mistake and accuses no right form: ${squared ? "squared" : "linear"} Dice, ${n} voxels`, function () {
        this.timeout(90_000);
        const m = float32Masks(n, 17 + n);
        const checker = checkerFor(m, squared);
        for (const [name, element] of Object.entries(RIGHT)) {
          const r = checker.judge(gradientBy(element, m, SMOOTH, squared));
          assert.equal(r.verdict, "agrees", `${name}: ${r.sentence}`);
          assert.ok(r.maxScaledError! < 0.6 * r.bound!, `${name}: ${r.sentence}`);
          assertSound(r);
        }
        for (const [name, element] of Object.entries(WRONG)) {
          const r = checker.judge(gradientBy(element, m, SMOOTH, squared));
          assert.equal(r.verdict, "differs", `${name}: ${r.sentence}`);
          assertSound(r);
        }
        const right = gradientBy(RIGHT["two terms"]!, m, SMOOTH, squared);
        const one = checker.judge(oneVoxelZero(m, right));
        assert.equal(one.verdict, "differs", one.sentence);
        assert.deepEqual(one.worst?.index, [m.t.indexOf(1)]);
      });
    }

    for (const n of SIZES.slice(0, 3)) {
      it(`gives no wrong verdict on float32 gradients: ${squared ? "squared" : "linear"} Dice, ${n} voxels`, () => {
        const m = float32Masks(n, 23 + n);
        const checker = checkerFor(m, squared);
        for (const [name, element] of Object.entries(RIGHT)) {
          const r = checker.judge(gradientBy(element, m, SMOOTH, squared, Math.fround), "float32");
          assert.equal(r.verdict, "agrees", `${name}: ${r.sentence}`);
        }
        for (const [name, element] of Object.entries(WRONG)) {
          const r = checker.judge(gradientBy(element, m, SMOOTH, squared, Math.fround), "float32");
          if (r.verdict !== "agrees") continue;
          // Only what no float32 code could show may pass: below the rounding of right code.
          const defect = checker.judge(gradientBy(element, m, SMOOTH, squared, exact), "float32");
          assert.ok(defect.maxScaledError! < defect.bound!, `${name}: ${r.sentence}`);
          assert.equal(name, "no smoothing in the numerator");
        }
        const right = gradientBy(RIGHT["two terms"]!, m, SMOOTH, squared, Math.fround);
        assert.equal(checker.judge(oneVoxelZero(m, right), "float32").verdict, "differs");
      });
    }
  }
});
