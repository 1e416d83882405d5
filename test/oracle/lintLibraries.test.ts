/**
 * What the diagnostics rules find in the losses of real libraries, each finding reviewed: these are
 * losses that thousands train with, so an alarm must have a reason.
 */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import { sitePackagesOf } from "../../src/session/environment.node.ts";
import { filesFor } from "../../src/session/files.node.ts";
import { lintSource } from "../../src/session/lint.ts";
import { oraclePython } from "./environment.ts";

const FOLDERS = [
  "monai/losses",
  "kornia/losses",
  "segmentation_models_pytorch/losses",
  "nnunetv2/training/loss",
  "torchseg/losses",
  "pytorch_toolbelt/losses",
  "catalyst/contrib/losses",
];
const FILES = [
  "keras/src/losses/losses.py",
  "mmseg/models/losses/dice_loss.py",
  "mmseg/models/losses/tversky_loss.py",
  "mmdet/models/losses/dice_loss.py",
  "ultralytics/utils/loss.py",
];

/** Findings that are true, by file, code and loss, with the reason. */
const REVIEWED: Readonly<Record<string, string>> = {
  "kornia/losses/dice.py DG010 dice_loss":
    'average="micro", the default, adds a softmax up over its classes',
  "catalyst/contrib/losses/regression.py DG001 RSquareLoss":
    "divides by the variance of the target, which is zero for a constant one",
  "monai/losses/hausdorff_loss.py DG017 HausdorffDTLoss":
    "asks whether the prediction has any foreground, which jumps with it",
};

describe("diagnostics of real libraries' losses", function () {
  this.timeout(600_000);

  it("are the reviewed ones, and no others", async () => {
    const python = await oraclePython();
    const site = sitePackagesOf(python).find((s) => s.includes("site-packages"))!;
    const engine = { parser: await loadParserFromDisk(), files: filesFor(python) };
    const watch = { onProgress: () => undefined, isCancelled: () => false };
    const inFolders = FOLDERS.flatMap((f) =>
      readdirSync(join(site, f))
        .filter((name) => name.endsWith(".py"))
        .map((name) => join(site, f, name)),
    );
    const found: string[] = [];
    let losses = 0;
    for (const file of [...inFolders, ...FILES.map((f) => join(site, f))]) {
      const result = lintSource(readFileSync(file, "utf8"), file, dirname(file), engine, watch);
      losses += result.losses;
      for (const f of result.findings) {
        if (f.location?.file !== file) continue;
        found.push(`${relative(site, file).replaceAll("\\", "/")} ${f.code} ${f.function}`);
      }
    }
    assert.ok(losses > 80, `${losses} losses were looked at`);
    assert.deepEqual(found.sort(), Object.keys(REVIEWED).sort());
  });
});
