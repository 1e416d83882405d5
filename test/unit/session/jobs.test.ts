import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { readNpy } from "../../../src/arrays/npy.ts";
import * as b from "../../../src/expression/build.ts";
import { decideEqual } from "../../../src/expression/equality.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { writeGradient } from "../../../src/session/gradientFile.node.ts";
import type { Inspection } from "../../../src/session/inspect.ts";
import { type Job, type JobResult, inspectFile } from "../../../src/session/jobs.node.ts";

const file = join(root, "media/example/losses.py");
const source = readFileSync(file, "utf8");

function job(
  values: string[],
  callable: string | null,
  more: Partial<Job> = {},
): Promise<JobResult[]> {
  const directory = join(root, "media/example");
  return inspectFile({ file, source, callable, values, wrt: null, directory, ...more });
}

async function inspection(...args: Parameters<typeof job>): Promise<Inspection> {
  const [first] = await job(...args);
  assert.ok(first !== undefined);
  if ("failure" in first) throw new Error(first.failure.message);
  return first.inspection;
}

async function failure(...args: Parameters<typeof job>): Promise<string> {
  const [first] = await job(...args);
  assert.ok(first !== undefined && "failure" in first, "it did not fail");
  assert.notEqual(first.failure.name, "Internal error", first.failure.message);
  return `${first.failure.message} ${first.failure.remedy ?? ""}`;
}

const TRUE = "y_true=[[1, 0, 1], [0, 1, 0]]";
const PRED = "y_pred=[[0.9, 0.2, 0.6], [0.1, 0.7, 0.3]]";

describe("the example losses", () => {
  /** −(2 g U − N) / U², times p (1 − p) behind a sigmoid: derived by hand with the quotient rule. */
  function byHand(x: Inspection, epsilon: Expr | null): Expr {
    const wrt = x.wrt.node;
    const g = x.inputs.find((i) => i !== x.wrt)!.node;
    const behind = x.wrt.name === "logits";
    const p = behind ? b.sigmoid(wrt) : wrt;
    const plus = (e: Expr): Expr => (epsilon === null ? e : b.add(e, epsilon));
    const n = plus(b.mul(b.constant(2), b.sum(b.mul(p, g))));
    const u = plus(b.add(b.sum(p), b.sum(g)));
    const byP = b.neg(b.div(b.sub(b.mul(b.mul(b.constant(2), g), u), n), b.mul(u, u)));
    return behind ? b.mul(byP, b.mul(p, b.sub(b.ONE, p))) : byP;
  }

  for (const [callable, epsilon] of [
    ["dice_loss_plain", null],
    ["dice_loss_smooth", b.parameter("epsilon", 1e-7)],
    ["dice_loss_torch", b.parameter("epsilon", 1e-7)],
    ["DiceLoss(smooth=1.0)", b.parameter("smooth", 1)],
  ] as const) {
    it(`${callable}: the gradient is the one derived by hand`, async () => {
      const x = await inspection([], callable);
      const same = decideEqual(x.gradientExpr, byHand(x, epsilon));
      assert.equal(same.equal, true, x.report.gradient.text);
    });
  }

  it("prints the gradient in the sums, for one element", async () => {
    const text = async (callable: string): Promise<string> =>
      (await inspection([], callable)).report.gradient.text;
    assert.equal(await text("dice_loss_plain"), "∂L/∂ŷ[i] = 2·I/(G+P)² − 2·y[i]/(G+P)");
    assert.equal(await text("dice_loss_smooth"), "∂L/∂ŷ[i] = (2·I+ε)/(G+P+ε)² − 2·y[i]/(G+P+ε)");
    assert.equal(
      await text("dice_loss_torch"),
      "∂L/∂z[i] = ((2·I+ε)/(P+G+ε)²−2·g[i]/(P+G+ε))·p[i]·(1−p[i])",
    );
  });

  it("are all derived when none is named", async () => {
    const results = await job([], null);
    assert.deepEqual(
      results.map((r) =>
        "inspection" in r ? r.inspection.report.function.name : r.failure.message,
      ),
      ["dice_loss_plain", "dice_loss_smooth", "dice_loss_torch", "DiceLoss"],
    );
  });
});

describe("a check of a file's loss", () => {
  it("takes literals, numbers and the argument to differentiate by", async () => {
    const x = await inspection([TRUE, PRED, "epsilon=0.5"], "dice_loss_smooth", { wrt: "y_pred" });
    assert.equal(x.report.check.verdict, "agrees");
    const [i, s] = [2.2, 3 + 2.8];
    assert.ok(Math.abs(x.report.loss.value! - (1 - (2 * i + 0.5) / (s + 0.5))) < 1e-15);
  });

  it("writes the gradient as .npy in the input's shape", async () => {
    const x = await inspection([TRUE, PRED], "dice_loss_plain");
    const path = join(mkdtempSync(join(tmpdir(), "dice-gradient-jobs-")), "grad.npy");
    writeGradient(path, x, { onProgress: () => undefined, isCancelled: () => false });
    const array = readNpy(readFileSync(path), "grad.npy");
    rmSync(dirname(path), { recursive: true });
    assert.deepEqual(array.shape, [2, 3]);
    assert.deepEqual(Array.from(array.data as Float64Array), x.report.gradient.values);
  });

  it("prints as JSON without losing a value", async () => {
    const { report } = await inspection([TRUE, PRED], "dice_loss_plain");
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });

  it("reads a formula from a .dice file", async () => {
    const formula = "1 - (2*dot(p, g) + eps) / (sum(p) + sum(g) + eps)";
    const x = await inspection(["p=[0.2, 0.8]", "g=[0, 1]", "eps=1"], null, {
      file: "loss.dice",
      source: formula,
    });
    assert.equal(x.report.check.verdict, "agrees");
  });

  it("says in one message what is wrong with its input", async () => {
    assert.match(
      await failure([TRUE, "y_pred=missing.npy"], "dice_loss_plain"),
      /no file .*missing\.npy/,
    );
    assert.match(
      await failure([TRUE, "y_pred=volume.npz[nope]"], "dice_loss_plain"),
      /probability/,
    );
    assert.match(await failure([TRUE, "y_pred=[[1, 2], [3]]"], "dice_loss_plain"), /row/i);
    assert.match(
      await failure([TRUE, "y_pred=hello"], "dice_loss_plain"),
      /neither an array nor a file/,
    );
    assert.match(await failure([TRUE, PRED], "no_such_loss"), /no_such_loss/);
    assert.match(await failure([TRUE, PRED, "extra=1"], "dice_loss_plain"), /extra/);
    assert.match(
      await failure([TRUE, PRED], "dice_loss_plain", { wrt: "logits" }),
      /logits.*y_pred/s,
    );
    assert.match(await failure([], "dice_loss_plain", { source: "def f(:\n" }), /never closed/);
  });
});

describe("shapes that are set for a job", () => {
  it("take the place of those found from the code", async () => {
    const shapes = ["y_pred=2,3,64,64", "y_true=2,3,64,64"];
    const { report } = await inspection([], "dice_loss_smooth", { shapes });
    assert.deepEqual(report.gradient.shape, [2, 3, 64, 64]);
    assert.ok(report.assumptions.includes("y_pred is taken to be (2, 3, 64, 64): as you set it"));
  });

  it("are refused with the way to write them", async () => {
    for (const [shape, message] of [
      ["y_pred", /y_pred is not NAME=SHAPE/],
      ["y_pred=2,-3", /y_pred=2,-3 has an axis that is neither a size nor a letter: -3/],
      ["y_pred=b,c:complex", /names no dtype: complex/],
      ["y_pred=(2", /is not a shape/],
    ] as const) {
      const text = await failure([], "dice_loss_smooth", { shapes: [shape] });
      assert.match(text, message);
      assert.match(text, /y_pred=b,c,h,w/);
    }
  });
});
