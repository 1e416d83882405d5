import assert from "node:assert/strict";
import { UsageError, parseArguments, splitTarget } from "../../../src/cli/arguments.ts";

describe("the command line", () => {
  it("takes a class with constructor arguments as the callable", () => {
    assert.deepEqual(splitTarget("a/losses.py:DiceLoss(smooth=1.0, mode='a:b')"), {
      file: "a/losses.py",
      callable: "DiceLoss(smooth=1.0, mode='a:b')",
    });
  });

  it("keeps a drive letter in the file's name", () => {
    assert.deepEqual(splitTarget("C:\\code\\losses.py:dice"), {
      file: "C:\\code\\losses.py",
      callable: "dice",
    });
  });

  it("reads options wherever they stand", () => {
    const c = parseArguments(["check", "--json", "l.py:f", "p=a.npy", "--wrt", "p", "g=[[1, 0]]"]);
    assert.deepEqual(
      [c.file, c.callable, c.values, c.wrt, c.json],
      ["l.py", "f", ["p=a.npy", "g=[[1, 0]]"], "p", true],
    );
  });

  for (const argv of [
    [],
    ["inspect"],
    ["derive"],
    ["check", "l.py"],
    ["check", "l.py:f", "3"],
    ["check", "l.py:f", "--bad"],
    ["check", "l.py:f", "--wrt"],
    ["derive", "l.py:f", "--out", "g.npy"],
  ]) {
    it(`refuses "${argv.join(" ")}"`, () => {
      assert.throws(() => parseArguments(argv), UsageError);
    });
  }
});
