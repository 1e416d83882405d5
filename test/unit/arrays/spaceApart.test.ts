import assert from "node:assert/strict";
import type { ArraySpace } from "../../../src/arrays/ndarray.ts";
import { spaceApart } from "../../../src/arrays/spaceApart.ts";

const SHAPE = [40, 48, 20];

/** A volume along the axes, of voxels of that size. */
function volume(
  edges: readonly [number, number, number],
  origin: readonly [number, number, number] = [0, 0, 0],
  more: Partial<ArraySpace> = {},
): ArraySpace {
  const row = (k: number): number[] => [0, 1, 2].map((c) => (c === k ? edges[k]! : 0));
  const affine = [0, 1, 2].map((k) => [...row(k), origin[k]!]);
  return { affine: [...affine, [0, 0, 0, 1]], axes: [0, 1, 2], towards: "RAS", ...more };
}

describe("two volumes of one shape", () => {
  const plain = volume([1, 1, 2.5]);
  const cases: readonly (readonly [string, ArraySpace, string | null])[] = [
    ["at the same place", volume([1, 1, 2.5]), null],
    ["apart by the rounding of a header", volume([1, 1, 2.5], [0.01, 0, 0]), null],
    [
      "written from right to left, as SimpleITK has them",
      volume([-1, -1, 2.5], [0, 0, 0], { towards: "LPS" }),
      null,
    ],
    [
      "of which one runs the other way",
      volume([-1, 1, 2.5], [39, 0, 0]),
      "up to 39 mm apart: axis 0 runs the other way",
    ],
    [
      "of which one has thicker slices",
      volume([1, 1, 5]),
      "up to 47.5 mm apart: voxels are 1 × 1 × 2.5 mm and 1 × 1 × 5 mm",
    ],
    ["of which one is moved", volume([1, 1, 2.5], [3, 4, 0]), "up to 5 mm apart"],
    [
      "whose axes come in another order",
      volume([1, 1, 2.5], [0, 0, 0], { axes: [1, 0, 2] }),
      "up to 66.5 mm apart",
    ],
  ];
  for (const [what, other, words] of cases) {
    it(`${what}: ${words ?? "nothing to tell"}`, () => {
      assert.equal(spaceApart(plain, other, SHAPE), words);
    });
  }
});
