import assert from "node:assert/strict";
import { decideEqual } from "../../../src/expression/equality.ts";
import { applyEdit, differences } from "../../../src/losses/edits.ts";
import { buildFamily } from "../../../src/losses/family.ts";
import { PLAIN_DICE, familySpec } from "../../../src/losses/spec.ts";
import { channelsFirst, specOf } from "./inputs.ts";

describe("differences of two losses of the family", () => {
  const fields = (a: string, b: string): string[] =>
    differences(specOf(a), specOf(b)).map((d) => d.field);

  it("are none between a spec and itself", () => {
    assert.deepEqual(differences(PLAIN_DICE, PLAIN_DICE), []);
  });

  it("name each parameter that changes the function, and no other", () => {
    assert.deepEqual(fields("monai.losses.DiceLoss()", "monai.losses.DiceLoss(sigmoid=True)"), [
      "activation",
    ]);
    assert.deepEqual(
      fields(
        "monai.losses.DiceLoss(softmax=True)",
        "monai.losses.DiceLoss(softmax=True, batch=True, include_background=False, smooth_nr=0)",
      ),
      ["classes", "region", "smoothNumerator"],
    );
  });

  it("see one function in Tversky with both weights one half and Dice with twice the smoothing", () => {
    assert.deepEqual(
      fields(
        "monai.losses.TverskyLoss(smooth_nr=0.5, smooth_dr=0.5)",
        "monai.losses.DiceLoss(smooth_nr=1, smooth_dr=1)",
      ),
      [],
    );
  });

  it("lead from one loss to the other, one edit at a time", () => {
    const from = specOf("monai.losses.DiceLoss(sigmoid=True, squared_pred=True)");
    const to = specOf("monai.losses.TverskyLoss(softmax=True, alpha=0.3, beta=0.7, batch=True)");
    const edits = differences(from, to);
    const reached = edits.reduce(applyEdit, from);
    const inputs = channelsFirst();
    const equal = decideEqual(buildFamily(reached, inputs), buildFamily(to, inputs));
    assert.equal(equal.equal, true);
  });

  it("do not count what has no effect beside the other fields", () => {
    const a = familySpec({ region: "everything" });
    const b = familySpec({
      region: "everything",
      classReduction: "sum",
      outerPlace: "after the mean",
    });
    assert.deepEqual(differences(a, b), []);
  });
});
