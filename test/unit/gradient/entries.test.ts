import assert from "node:assert/strict";
import { axis, elementCount } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { contiguousLine, lineOf } from "../../../src/gradient/entries.ts";

describe("entries that go into one entry of a reduction", () => {
  const sizes = [2, 1, 3, 4];
  const shape = sizes.map((n, d) => axis("abcd"[d]!, n));
  const x = b.input("x", shape);
  const subsets = Array.from({ length: 2 ** sizes.length }, (_, bits) =>
    sizes.flatMap((_size, d) => ((bits >> d) & 1 ? [d] : [])),
  );

  it("stand one behind the other where the axes are the last ones, and only there", () => {
    const found = subsets.flatMap((dims) => {
      const e = b.sum(x, dims);
      if (e.kind !== "reduce") return [];
      const length = contiguousLine(e);
      if (length === null) return [];
      for (let k = 0; k < elementCount(shape)!; k++) {
        assert.equal(Math.floor(k / length), lineOf(e, k), `axes ${dims.join()}, entry ${k}`);
      }
      return [`${dims.join("")}:${length}`];
    });
    const expected = [":1", "1:1", "3:4", "13:4", "23:12", "123:12", "023:24", "0123:24"];
    assert.deepEqual(found.toSorted(), expected.toSorted());
  });
});
