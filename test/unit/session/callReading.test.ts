import assert from "node:assert/strict";
import { readCallAsTyped } from "../../../src/session/callReading.ts";

const MONAI = "monai.losses.DiceLoss";

describe("a call of a catalogue loss while it is being typed", () => {
  const labels = (text: string): string[] => readCallAsTyped(text).completions.map((c) => c.label);

  it("can be compared with as soon as it is whole, its last bracket aside", () => {
    for (const text of [MONAI, `${MONAI}(`, `${MONAI}(sigmoid=False, `]) {
      assert.equal(readCallAsTyped(text).call, `${MONAI}()`, text);
    }
    const { call, about } = readCallAsTyped(`${MONAI}(squared_pred=True, sigmoid=True`);
    assert.equal(call, `${MONAI}(sigmoid=True, squared_pred=True)`);
    assert.equal(about, "Dice loss, MONAI");
  });

  it("offers the parameters that begin so and are not given yet", () => {
    assert.deepEqual(labels(`${MONAI}(s`), [
      "sigmoid=False",
      "softmax=False",
      "squared_pred=False",
      "smooth_nr=1e-5",
      "smooth_dr=1e-5",
      "soft_label=False",
    ]);
    assert.deepEqual(labels(`${MONAI}(sigmoid=True, si`), []);
  });

  it("offers the values that a parameter can have", () => {
    const values = readCallAsTyped(`${MONAI}(batch=True, reduction="s`).completions;
    assert.deepEqual(
      values.map((c) => c.text),
      [`${MONAI}(batch=True, reduction="sum", `],
    );
  });

  it("says what a loss must be told", () => {
    const { call, problem, completions } = readCallAsTyped(
      "segmentation_models_pytorch.losses.DiceLoss()",
    );
    assert.equal(call, null);
    assert.match(problem!, /needs mode/);
    assert.deepEqual(completions, []);
  });

  it("is no mistake while a word is unfinished", () => {
    for (const text of ["", "dic", "monai.losses.Di", `${MONAI}(sig`, `${MONAI}(sigmoid=`]) {
      assert.equal(readCallAsTyped(text).problem, null, text);
    }
  });

  it("names what is unknown, and what may be meant by it", () => {
    const parameter = readCallAsTyped(`${MONAI}(sigmoyd=True)`);
    assert.match(parameter.problem!, /no parameter sigmoyd/);
    assert.equal(parameter.completions[0]!.about, "Did you mean sigmoid?");
    assert.equal(parameter.completions[0]!.text, `${MONAI}(sigmoid=True)`);
    const loss = readCallAsTyped("monai.losses.DiceLos(sigmoid=True)");
    assert.match(loss.problem!, /DiceLos is not in the catalogue/);
    assert.equal(loss.completions[0]!.text, `${MONAI}(sigmoid=True)`);
    assert.match(readCallAsTyped("qwertz").problem!, /qwertz is not in the catalogue/);
  });

  it("says of a value of the wrong type what it must be", () => {
    assert.match(
      readCallAsTyped(`${MONAI}(sigmoid=3)`).problem!,
      /sigmoid is True or False, not 3/,
    );
  });

  it("finds losses by any words", () => {
    assert.deepEqual(readCallAsTyped("tversky monai").found, ["monai.losses.TverskyLoss"]);
    assert.match(readCallAsTyped("no such loss").problem!, /Nothing is found/);
  });
});
