import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { count, failures } from "../../../scripts/lib/mochaOutput.mjs";

const output = `

  arrays
    ✔ are read
    1) are written

  1 passing (2s)
  1 failing

  1) arrays
       are written:

      AssertionError: 66 MB more
      at written (arrays.test.ts:3:14)



  a second run
    ✔ passes

  1 passing (1ms)
  2 pending

`;

describe("what Mocha printed", () => {
  it("is counted over all runs", () => {
    assert.equal(count(output, "passing"), 2);
    assert.equal(count(output, "failing"), 1);
    assert.equal(count(output, "pending"), 2);
  });

  it("has the reasons of the failed tests, and those alone", () => {
    const why = failures(output);
    assert.match(why, /^\n {2}1\) arrays\n {7}are written:\n\n {6}AssertionError: 66 MB more\n/);
    assert.match(why, /test\.ts:3:14\)$/);
    assert.equal(failures("\n  2 passing (1s)\n"), "");
  });
});
