/** What the diagnostics rules find in losses that are right, which is nothing, and in the corpus. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import type { Engine } from "../../../src/session/jobs.ts";
import { type LintResult, lintSource } from "../../../src/session/lint.ts";

const RIGHT = "test/rules/right";
const CORPUS = "test/corpus";

const EMPTY = "has no smoothing: with prediction and target empty it is 0/0";

/** Findings that are true, by file, code and loss, with the reason. */
const REVIEWED: Readonly<Record<string, string>> = {
  "autograd/dice.py DG001 log_dice": EMPTY,
  "autograd/dice.py DG002 log_dice": "takes the logarithm of a Dice that is 0 without overlap",
  "autograd/dice.py DG002 tversky": "takes a power below 1 of a loss that reaches 0",
  "jax/regions.py DG001 entropy_dice": EMPTY,
  "jax/regions.py DG002 entropy_dice": "takes the logarithm of a Dice that is 0 without overlap",
  "keras/backend.py DG002 focal_tversky": "takes a power below 1 of a loss that reaches 0",
  "numpy/basics.py DG001 dice_loss_plain": EMPTY,
  "numpy/called.py DG001 focal": EMPTY,
  "numpy/plain.py DG001 clipped_cross_entropy": EMPTY,
  "numpy/plain.py DG001 tversky": EMPTY,
  "numpy/plain.py DG002 clipped_cross_entropy":
    "takes the logarithm of a Dice that is 0 without overlap",
  "tensorflow/edges.py DG001 smooth_dice": EMPTY,
  "tensorflow/version1.py DG002 log_dice_old":
    "takes the logarithm of a score that is 0 where no probability reaches the labels",
  "tensorflow/version1.py DG010 log_dice_old": "adds a softmax up over its classes",
  "torch/empty_axes.py DG001 dice_over_space": EMPTY,
  "torch/distances.py DG017 HausdorffDT": "asks whether the prediction has any foreground",
  "torch/half_precision_habits.py DG001 norm_dice": EMPTY,
  "torch/half_precision_habits.py DG001 tanh_dice": EMPTY,
  "torch/half_precision_habits.py DG002 tanh_dice":
    "takes the root of a Dice that is 0 without labels",
  "torch/masked.py DG001 nan_to_num_dice":
    "replaces the infinite weights of empty classes, and not 0/0 where all are empty",
  "torch/shapes_in_place.py DG001 masked_dice": EMPTY,
  "torch/shapes_in_place.py DG001 squeezed_dice": EMPTY,
  "torch/training.py DG001 matmul_dice": EMPTY,
  "torch/training.py DG002 focal_tversky": "takes a power below 1 of a loss that reaches 0",
};

function pythonFilesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".py"))
    .map((name) => join(root, folder, name))
    .sort();
}

describe("diagnostics of losses that are known", function () {
  this.timeout(60_000);
  const watch = { onProgress: () => undefined, isCancelled: () => false };
  let engine: Engine;
  before(async () => {
    engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
  });
  const lint = (file: string): LintResult =>
    lintSource(readFileSync(file, "utf8"), file, dirname(file), engine, watch);

  it("are none where a careful engineer wrote them, for NumPy, PyTorch, TensorFlow, Keras, JAX and Autograd", () => {
    const results = pythonFilesBelow(RIGHT).map(lint);
    assert.deepEqual(
      results.flatMap((r) => r.findings.map((f) => `${f.function}: ${f.code}: ${f.message}`)),
      [],
    );
    assert.deepEqual(
      results.flatMap((r) => r.untraced),
      [],
    );
    const losses = results.reduce((n, r) => n + r.losses, 0);
    assert.ok(losses >= 40, `${losses} losses were looked at`);
  });

  it("are the reviewed ones in the corpus, and no others", () => {
    const found = pythonFilesBelow(CORPUS).flatMap((file) => {
      const name = relative(join(root, CORPUS), file).replaceAll("\\", "/");
      return lint(file).findings.map((f) => `${name} ${f.code} ${f.function}`);
    });
    assert.deepEqual([...new Set(found)].sort(), Object.keys(REVIEWED).sort());
  });
});
