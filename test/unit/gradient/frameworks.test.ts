import assert from "node:assert/strict";
import {
  type GradientFigures,
  frameworkNotes,
  frameworkViews,
} from "../../../src/gradient/frameworks.ts";

/** Linear Dice on n voxels, half of them foreground and predicted: U = n, entries about 2/U. */
function half(n: number): GradientFigures {
  return {
    elements: n,
    maxAbs: 2 / n,
    norm: 2 / Math.sqrt(n),
    mean: 1 / n,
    loss: 0.5,
    isFloat32: true,
  };
}

function view(n: number, checker: RegExp): ReturnType<typeof frameworkViews>[number] {
  const found = frameworkViews(half(n)).find((v) => checker.test(v.checker));
  assert.ok(found !== undefined);
  return found;
}

describe("what the usual checkers could see", () => {
  it("is nothing for gradcheck once the sums reach 2e5 voxels, for Warp from 2e3 on", () => {
    const gradcheck = /torch\.autograd\.gradcheck$/;
    assert.equal(view(1.99e5, gradcheck).acceptsZero, false);
    assert.equal(view(2.01e5, gradcheck).acceptsZero, true);
    assert.equal(view(1.97e3, /warp/).acceptsZero, false);
    assert.equal(view(2.01e3, /warp/).acceptsZero, true);
  });

  it("follows each checker's own criterion at its limit", () => {
    for (const v of frameworkViews(half(1000))) {
      // An error of the accepted size is exactly what the tolerance allows.
      assert.ok(Math.abs(v.accepted * v.value - (v.atol + v.rtol * v.value)) < 1e-15);
      assert.equal(v.acceptsZero, v.accepted >= 1);
    }
  });

  it("is told with the numbers of the user's gradient", () => {
    const notes = frameworkNotes(half(1e6)).join("\n");
    assert.match(notes, /torch\.autograd\.gradcheck, .* accept even a gradient of all zeros/);
    assert.match(notes, /largest entry is 2e-6/);
    const small = frameworkNotes(half(64)).join("\n");
    assert.match(small, /gradcheck accepts errors up to 0\.13 % of the largest entry \(0\.031\)/);
    assert.doesNotMatch(small, /all zeros/);
  });

  it("warns of gradcheck in float32, where its step is below the rounding of the loss", () => {
    assert.match(frameworkNotes(half(64)).join("\n"), /in float32 gradcheck would reject a right/);
    const tiny = { ...half(64), loss: 1e-9, maxAbs: 500 };
    assert.doesNotMatch(frameworkNotes(tiny).join("\n"), /float32/);
    const double = { ...half(64), isFloat32: false };
    assert.doesNotMatch(frameworkNotes(double).join("\n"), /float32/);
  });

  it("is silent about a gradient of zeros", () => {
    assert.deepEqual(frameworkNotes({ ...half(4), maxAbs: 0, norm: 0, mean: 0 }), []);
  });
});
