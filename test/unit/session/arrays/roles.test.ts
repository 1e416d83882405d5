import assert from "node:assert/strict";
import type { ArraySummary } from "../../../../src/arrays/ndarray.ts";
import { type Described, guessRoles, guessScale } from "../../../../src/session/arrays/roles.ts";

function array(
  name: string,
  dtype: string,
  values: Partial<ArraySummary>,
  shape = [2, 8],
): Described {
  const summary = { min: 0, max: 1, binary: false, integral: false, ...values };
  return { name, dtype, shape, summary };
}
const probabilities = (name: string): Described => array(name, "float32", { min: 0.01, max: 0.98 });
const mask = (name: string): Described => array(name, "float32", { binary: true, integral: true });

function roles(...arrays: Described[]): [string | null, string | null, boolean] {
  const { prediction, target, isSure } = guessRoles(arrays);
  const name = (k: number | null): string | null => (k === null ? null : arrays[k]!.name);
  return [name(prediction), name(target), isSure];
}

describe("which array is the prediction", () => {
  it("is said by the names, whatever is in the arrays and in either order", () => {
    assert.deepEqual(roles(probabilities("y_true"), probabilities("y_pred")), [
      "y_pred",
      "y_true",
      true,
    ]);
    assert.deepEqual(roles(mask("liver_gt"), mask("liver_prob")), ["liver_prob", "liver_gt", true]);
    const image = array("case 1.png", "uint8", { max: 255, integral: true });
    const file = array("case 1_mask.png", "uint8", { binary: true, integral: true });
    assert.deepEqual(roles(file, image), ["case 1.png", "case 1_mask.png", true]);
  });

  it("is said by the values where the names say nothing", () => {
    assert.deepEqual(roles(mask("a"), probabilities("b")), ["b", "a", true]);
    const classes = array("a", "int64", { max: 3, integral: true }, [2, 8, 8]);
    const scores = array("b", "float32", { min: -4, max: 5 }, [2, 4, 8, 8]);
    assert.deepEqual(roles(classes, scores), ["b", "a", true]);
  });

  it("is the first one, not for sure, where nothing says it", () => {
    assert.deepEqual(roles(probabilities("a"), probabilities("b")), ["a", "b", false]);
  });

  it("is no array of weights while there are others", () => {
    const weights = array("class_weights", "float32", { min: 0.5, max: 2 }, [3]);
    assert.deepEqual(roles(weights, mask("m"), probabilities("p")), ["p", "m", true]);
  });

  it("may be missing", () => {
    assert.deepEqual(roles(mask("m")), [null, "m", true]);
    assert.deepEqual(roles(probabilities("p")), ["p", null, true]);
    assert.deepEqual(roles(), [null, null, false]);
  });
});

describe("whether a prediction is of logits", () => {
  const scale = (min: number | null, max: number | null, name = "y_pred"): [string, boolean] => {
    const { scale, isSure } = guessScale(array(name, "float32", { min, max }));
    return [scale, isSure];
  };

  it("is seen in numbers below 0", () => {
    assert.deepEqual(scale(-3.2, 4.1), ["logits", true]);
    assert.deepEqual(scale(0.02, 0.97), ["probabilities", true]);
  });

  it("is not for sure where the range fits neither well", () => {
    assert.deepEqual(scale(0, 255), ["logits", false]);
    assert.deepEqual(scale(-0.1, 1.05), ["logits", false]);
    assert.deepEqual(scale(null, null), ["probabilities", false]);
  });

  it("forgives rounding, and heeds a name", () => {
    assert.deepEqual(scale(-1e-7, 1.0000001), ["probabilities", true]);
    assert.deepEqual(scale(0.1, 0.9, "logits"), ["logits", false]);
  });
});
