import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { SEVERAL } from "../../../src/gradient/cells.ts";
import { strongestScope } from "../../../src/gradient/scope.ts";
import type { Moving } from "../../../src/gradient/structure.ts";

/** A softmax over three classes of four voxels. */
const SOFTMAX: Moving = {
  kind: "softmax",
  node: b.softmax(b.input("z", [axis("c", 3), axis("i", 4)]), 0),
  dim: 0,
};
const LINE: Moving = { kind: "line", node: b.input("p", [axis("i", 6)]), dim: -1 };

const classes = (...labels: number[]): Int32Array =>
  Int32Array.from(labels.flatMap((l) => [l, l, l, l]));

function chosen(labels: Int32Array, toward: Float64Array, moving: Moving, most: number) {
  const scope = strongestScope(labels, toward, moving, most);
  return scope === null ? null : { mask: scope.mask.join(""), cells: scope.cells };
}

describe("the part of an input that a path moves", () => {
  it("is the one that is pushed most, of entries that belong to one part alone", () => {
    const labels = Int32Array.of(1, 1, 2, 2, SEVERAL, 0);
    const toward = Float64Array.of(1, -1, 3, NaN, 100, 100);
    assert.deepEqual(chosen(labels, toward, LINE, 1), { mask: "001100", cells: 1 });
    assert.equal(chosen(Int32Array.of(SEVERAL, 0, 0, 0, 0, 0), toward, LINE, 1), null);
  });

  it("is a pair of classes where a softmax makes them compete, if two may move", () => {
    const toward = Float64Array.of(1, 1, 1, 1, 5, 5, 5, 5, 2, 2, 2, 2);
    const pair = { mask: "000011111111", cells: 2 };
    assert.deepEqual(chosen(classes(1, 2, 3), toward, SOFTMAX, 2), pair);
    assert.equal(chosen(classes(1, 2, 3), toward, SOFTMAX, 1), null);
  });

  it("is a class alone beside one that no denominator holds", () => {
    const toward = Float64Array.of(1, 1, 1, 1, 5, 5, 5, 5, 2, 2, 2, 2);
    const alone = { mask: "111111110000", cells: 1 };
    assert.deepEqual(chosen(classes(0, 2, 3), toward, SOFTMAX, 1), alone);
  });

  it("is the same where labels change within a class", () => {
    const toward = Float64Array.of(1, 1, 1, 1, 5, 5, 5, 5, 2, 2, 2, 2);
    const labels = classes(1, 2, 3);
    labels[0] = SEVERAL;
    assert.deepEqual(chosen(labels, toward, SOFTMAX, 2), { mask: "000011111111", cells: 2 });
    labels[8] = 0;
    assert.deepEqual(chosen(labels, toward, SOFTMAX, 1), { mask: "000011111000", cells: 1 });
  });
});
