import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNpy } from "../../src/arrays/npy.ts";
import { inspectFile } from "../../src/session/jobs.node.ts";
import { root } from "../../scripts/lib/root.mjs";
import { runOracle } from "./environment.ts";

const CASES = [
  {
    callable: "dice_loss_plain",
    values: ["y_true=volume.npz[mask]", "y_pred=volume.npz[probability]"],
  },
  {
    callable: "dice_loss_smooth",
    values: ["y_true=volume.npz[mask]", "y_pred=volume.npz[probability]"],
  },
  {
    callable: "dice_loss_torch",
    values: ["logits=volume.npz[logits]", "target=volume.npz[mask]"],
  },
  {
    callable: "DiceLoss(smooth=1.0)",
    values: ["logits=volume.npz[logits]", "target=volume.npz[mask]"],
  },
];

describe("the example losses on a real 72³ volume, against PyTorch autograd in float64", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-oracle-"));
  let torch: { torch: string; losses: Record<string, number> };

  before(async () => {
    torch = JSON.parse(
      await runOracle("test/oracle/example_gradients.py", [folder]),
    ) as typeof torch;
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { callable, values } of CASES) {
    it(`${callable}: loss and every gradient element agree to 1e-12 relative`, async () => {
      const file = join(root, "media/example/losses.py");
      const [result] = await inspectFile({
        file,
        source: readFileSync(file, "utf8"),
        callable,
        values,
        wrt: null,
        directory: join(root, "media/example"),
      });
      assert.ok(result !== undefined && "inspection" in result, JSON.stringify(result));
      const ours = result.inspection;
      assert.ok(ours.gradient);
      assert.equal(ours.report.check.verdict, "agrees", ours.report.check.sentence);
      const theirs = readNpy(
        new Uint8Array(readFileSync(join(folder, `${callable}.npy`))),
        callable,
      ).data as Float64Array;
      assert.equal(ours.gradient.length, theirs.length);
      assert.ok(theirs.length >= 64 ** 3);
      let worst = 0;
      for (const [k, g] of theirs.entries()) {
        worst = Math.max(worst, Math.abs(ours.gradient[k]! - g) / Math.abs(g));
      }
      assert.ok(worst <= 1e-12, `largest relative error ${worst.toExponential(2)}`);
      const loss = torch.losses[callable]!;
      assert.ok(Math.abs(ours.report.loss.value! - loss) <= 1e-12 * Math.abs(loss));
    });
  }
});
