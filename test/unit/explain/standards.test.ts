import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { axis } from "../../../src/expression/axis.ts";
import { input } from "../../../src/expression/build.ts";
import type { Input } from "../../../src/expression/node.ts";
import { type Explanation, explain } from "../../../src/explain/reasons/explain.ts";
import { buildEntry, factsOf } from "../../../src/losses/call.ts";
import { parseCall } from "../../../src/losses/catalogue.ts";
import { Settings } from "../../../src/losses/entry.ts";

/** Default Dice losses that take a target of the prediction's shape, several classes. */
const STANDARDS: readonly string[] = [
  "monai.losses.DiceLoss()",
  'segmentation_models_pytorch.losses.DiceLoss(mode="multilabel")',
  "keras.losses.Dice()",
  "mmdet.models.losses.DiceLoss()",
  "ultralytics.utils.loss.MultiChannelDiceLoss()",
  "catalyst.contrib.losses.DiceLoss()",
  "voxelmorph.torch.losses.Dice()",
];
const TABLE = new URL("../../oracle/STANDARDS.md", import.meta.url);

const axes = [
  axis("b", 2, "batch"),
  axis("c", 3, "class"),
  axis("h", 2, "space"),
  axis("w", 3, "space"),
];
const inputs = {
  prediction: input("prediction", axes) as Input,
  target: input("target", axes) as Input,
};

function compared(a: string, b: string): Explanation {
  const [first, second] = [a, b].map((call) => {
    const { entry, parameters } = parseCall(call);
    const spec = entry.spec!(new Settings(parameters), factsOf(inputs));
    return { loss: buildEntry(entry, parameters, inputs), spec };
  });
  return explain({ ...inputs, loss: first!.loss }, second!, { evaluate: null });
}

describe("the default Dice losses of two libraries", function () {
  this.timeout(300_000);
  const rows: string[] = [];

  STANDARDS.forEach((a, k) => {
    for (const b of STANDARDS.slice(k + 1)) {
      it(`${a} and ${b} are equal, or become so by the reasons named`, () => {
        const { equal, reasons, complete } = compared(a, b);
        assert.ok(complete);
        assert.ok(reasons.every((r) => r.id !== "unnamed"));
        assert.equal(equal === "different", reasons.length > 0);
        const why = reasons.map((r) => r.title.toLowerCase()).join(", ");
        rows.push(`| \`${a}\` | \`${b}\` | ${equal} | ${why} |`);
      });
    }
  });

  it("make the table of test/oracle/STANDARDS.md", () => {
    const text = `# Which standard Dice losses agree\n\nTheir gradients with default settings, several classes, a target of the prediction's shape. Written by\ntest/unit/explain/standards.test.ts with UPDATE_STANDARDS=1; every entry is checked against its library\nby test/oracle/catalogue.test.ts.\n\n<!-- standards -->\n\n| loss | other loss | gradients | reasons |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n\n<!-- /standards -->\n`;
    if (process.env["UPDATE_STANDARDS"] !== undefined) writeFileSync(TABLE, text);
    const words = (s: string): string => s.replace(/[\s-]+/g, " ");
    assert.equal(words(readFileSync(TABLE, "utf8")), words(text));
  });
});
