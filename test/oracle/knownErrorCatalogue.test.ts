/** The bounds that numbers carry, on every loss of the catalogue. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sum } from "../../src/expression/build.ts";
import { CATALOGUE } from "../../src/losses/catalogue.ts";
import type { TypedArray } from "../../src/numbers/typedArrays.ts";
import { type CatalogueCase, casesOf, expressionOf, titleOf } from "./catalogueCases.ts";
import {
  type Answer,
  type Point,
  type Problem,
  itHolds,
  problemsOf,
  solve,
  spread,
} from "./knownErrors.ts";

/** Settings of each loss: the grid's first, which is mostly the defaults, and others. */
const EACH = 3;

const folder = mkdtempSync(join(tmpdir(), "dice-gradient-known-error-"));

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function pointOf(c: CatalogueCase): Point {
  const { loss, wrt } = expressionOf(c);
  const bindings = new Map<string, TypedArray>(
    Object.entries(c.arrays).map(([name, { data, type }]) => [
      name,
      type === "int" ? Int32Array.from(data) : Float64Array.from(data),
    ]),
  );
  return { loss: loss.shape.length === 0 ? loss : sum(loss), wrt, bindings };
}

describe("the error that numbers of catalogue losses are said to have", function () {
  this.timeout(1_200_000);
  const libraries = [...new Set(CATALOGUE.map((e) => e.library))];
  const solved = new Map(libraries.map((name) => [name, [] as [Problem, Answer][]]));

  before(async () => {
    const problems = CATALOGUE.flatMap((entry) => {
      const all = casesOf(entry);
      assert.ok(all.length > 0, entry.id);
      const made = spread(all, EACH).flatMap((c) => problemsOf(titleOf(c), pointOf(c)));
      return made.map((problem) => ({ library: entry.library, problem }));
    });
    const answers = await solve(
      join(folder, "problems.json"),
      problems.map((p) => p.problem),
    );
    problems.forEach(({ library }, k) => solved.get(library)!.push(answers[k]!));
  });

  for (const [library, own] of solved) {
    describe(library, () => {
      itHolds(own);
    });
  }
});
