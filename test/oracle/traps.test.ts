/** Every trap that the catalogue names of an installed library, settled by that library. */
import assert from "node:assert/strict";
import { CATALOGUE } from "../../src/losses/catalogue.ts";
import { runOracle } from "./environment.ts";

type Findings = Readonly<Record<string, Readonly<Record<string, string>>>>;

describe("the traps of installed libraries", function () {
  this.timeout(600_000);
  let findings: Findings = {};
  before(async () => {
    const printed = await runOracle("test/oracle/traps.py");
    findings = JSON.parse(printed.trimEnd().split("\n").at(-1)!) as Findings;
  });

  const traps = new Map<string, Set<string>>();
  for (const { source, traps: own } of CATALOGUE) {
    if (source.kind !== "library" || source.transcribed === true || own.length === 0) continue;
    const known = traps.get(source.package) ?? new Set();
    own.forEach((t) => known.add(t.id));
    traps.set(source.package, known);
  }

  for (const [library, ids] of traps) {
    for (const id of ids) {
      it(`${library}: ${id}`, () => {
        assert.equal(findings[library]?.[id], "");
      });
    }
  }

  it("are those that are tried, and no others", () => {
    const tried = Object.entries(findings).map(([k, v]) => [k, Object.keys(v).sort()] as const);
    assert.deepEqual(
      new Map(tried.sort()),
      new Map([...traps].map(([k, v]) => [k, [...v].sort()] as const).sort()),
    );
  });
});
