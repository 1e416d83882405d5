import assert from "node:assert/strict";
import { mutants, rightOnes } from "../unit/explain/backwards.ts";
import { applied, handwrittenOf } from "../unit/explain/inspection.ts";

const WANTED_MUTANTS = 200;
const WANTED_NAMED = 0.9;

describe("Hand-written gradients with one mistake in them", function () {
  this.timeout(600_000);

  it("accuses no right one, however it is written", async () => {
    const cases = rightOnes();
    assert.ok(cases.length >= 12);
    for (const c of cases) {
      const found = await handwrittenOf(c.source, c.callable);
      assert.deepEqual(
        found.map((h) => [h.verdict, h.faults.length]),
        [["right", 0]],
        c.name,
      );
    }
  });

  it("detects every one, and names the mistake that was made in nine of ten", async () => {
    const cases = mutants();
    assert.ok(cases.length >= WANTED_MUTANTS);
    let named = 0;
    const equivalent: string[] = [];
    for (const c of cases) {
      const found = await handwrittenOf(c.source, c.callable);
      // The exact test alone may say that a change changes nothing.
      if (found.every((h) => h.verdict === "right")) equivalent.push(c.name);
      assert.ok(
        found.some((h) => h.verdict === "wrong" || h.verdict === "refused"),
        `${c.name}: ${found.map((h) => h.verdict).join()}`,
      );
      const ids = found.flatMap((h) => h.faults.map((f) => f.id));
      if (c.names.some((name) => ids.includes(name))) named++;
    }
    assert.deepEqual(equivalent, []);
    assert.ok(named >= WANTED_NAMED * cases.length, `${named} of ${cases.length} are named`);
  });

  it("offers a fix for one of each form and loss, after which it is right", async () => {
    const seen = new Set<string>();
    for (const c of mutants()) {
      const kind = c.name.split(":")[0]!;
      if (seen.has(kind)) continue;
      seen.add(kind);
      const [wrong] = await handwrittenOf(c.source, c.callable);
      assert.ok(wrong?.fix, c.name);
      const fixed = applied(c.source, wrong.fix);
      const [right] = await handwrittenOf(fixed, c.callable);
      assert.equal(right?.verdict, "right", `${c.name}\n${fixed}`);
    }
    assert.ok(seen.size >= 12);
  });
});
