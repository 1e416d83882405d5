import assert from "node:assert/strict";
import * as b from "../../../src/expression/build.ts";
import { axis } from "../../../src/expression/axis.ts";
import { EffortSpent, withEffort } from "../../../src/expression/effort.ts";
import { simplify } from "../../../src/expression/simplify.ts";

const p = b.input("p", [axis("i", null)], "float");
const square = b.mul(b.sum(b.add(p, b.ONE)), b.sum(p));

describe("a bound on work", () => {
  it("lets through what stays below it, and stops what does not", () => {
    assert.equal(
      withEffort(100_000, () => simplify(square)),
      simplify(square),
    );
    assert.throws(() => withEffort(5, () => simplify(square)), EffortSpent);
  });

  it("leaves no bound behind", () => {
    assert.throws(() => withEffort(5, () => simplify(square)), EffortSpent);
    simplify(square);
  });

  it("counts work inside another bound against that one too", () => {
    const twice = (): void => {
      withEffort(100_000, () => simplify(square));
      withEffort(100_000, () => simplify(square));
    };
    withEffort(200_000, twice);
    assert.throws(() => {
      withEffort(20, twice);
    }, EffortSpent);
  });
});
