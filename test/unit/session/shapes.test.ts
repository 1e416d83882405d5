/** Shapes as people write them, in a terminal, in settings and in cells. */
import assert from "node:assert/strict";
import {
  namedShape,
  problemWithShape,
  shapeFrom,
  shapesCell,
} from "../../../src/session/shapes.ts";

describe("a shape that somebody writes", () => {
  it("has sizes or letters, with commas, spaces or crosses between them", () => {
    for (const text of [
      "2,1,8,8",
      "(2, 1, 8, 8)",
      "[2,1,8,8]",
      "2 1 8 8",
      "2x1x8x8",
      "2 × 1 × 8 × 8",
    ]) {
      assert.deepEqual(shapeFrom("p", text).axes, [2, 1, 8, 8], text);
    }
    assert.deepEqual(shapeFrom("p", "b c x y").axes, ["b", "c", "x", "y"]);
    assert.deepEqual(shapeFrom("p", "(b, 3, h, w)").axes, ["b", 3, "h", "w"]);
    assert.deepEqual(shapeFrom("p", "5,").axes, [5]);
    assert.deepEqual(shapeFrom("p", "()").axes, []);
  });

  it("may name a dtype", () => {
    assert.deepEqual(namedShape("y=b,h,w:int64"), [
      "y",
      { kind: "shape", axes: ["b", "h", "w"], dtype: "int64" },
    ]);
  });

  it("is told what is wrong with it", () => {
    assert.equal(problemWithShape("2, 1, 64"), null);
    assert.match(problemWithShape("2,,3")!, /neither a size nor a letter/);
    assert.match(problemWithShape("0,3")!, /neither a size nor a letter: 0/);
    assert.match(problemWithShape("b,b")!, /two axes of one letter/);
    assert.match(problemWithShape("2,3:int")!, /names no dtype: int/);
    assert.match(problemWithShape("f(x)")!, /is not a shape such as/);
    assert.throws(() => namedShape("2,3"), /2,3 is not NAME=SHAPE/);
  });

  it("is written into a cell as a tuple, or as it is where it has letters", () => {
    assert.equal(
      shapesCell("dice_loss", { y_pred: "2,1,64,64", y_true: "b,h,w:int64", weight: "3" }),
      'shapes(dice_loss, y_pred=(2, 1, 64, 64), y_true="b,h,w:int64", weight=(3,))',
    );
  });
});
