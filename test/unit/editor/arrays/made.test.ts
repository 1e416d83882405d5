import assert from "node:assert/strict";
import { madeFor, sizesBeside } from "../../../../src/editor/arrays/made.ts";
import type { DerivedInput } from "../../../../src/session/inline/protocol.ts";

function input(shape: DerivedInput["shape"], more: Partial<DerivedInput> = {}): DerivedInput {
  return { name: "x", role: "target", shape, type: "float", library: "numpy", ...more };
}
const given = (shape: DerivedInput["shape"], sizes: number[]) => [
  { input: input(shape, { role: "prediction" }), shape: sizes },
];

describe("an array that is made beside a picked one", () => {
  it("has the sizes that the letters of the loss say", () => {
    const prediction = given(["b", "c", "h", "w"], [2, 4, 8, 6]);
    assert.deepEqual(sizesBeside(input(["b", "h", "w"]), prediction), [2, 8, 6]);
    assert.deepEqual(sizesBeside(input(["b", 1, "h", "w"]), prediction), [2, 1, 8, 6]);
  });

  it("is as the picked one is where the loss takes any shape", () => {
    assert.deepEqual(sizesBeside(input(["i"]), given(["i"], [5])), [5]);
    assert.deepEqual(sizesBeside(input(["i"]), given(["i"], [2, 3])), [2, 3]);
  });

  it("is the same every time, of the type that the loss takes, and says that it was made", () => {
    const make = () =>
      madeFor(input(["b", "h"], { type: "int" }), given(["b", "c", "h"], [2, 3, 4]), "dice", {
        logits: false,
        classes: 3,
        seed: 1,
      });
    assert.deepEqual(make(), make());
    assert.deepEqual([make().shape, make().dtype], [[2, 4], "int64"]);
    assert.equal(make().origin, "random, made to fit dice");
  });
});
