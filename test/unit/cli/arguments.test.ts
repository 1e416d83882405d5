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

  it("takes the shape of each array that is not given", () => {
    const c = parseArguments([
      "derive",
      "l.py:f",
      "--shape",
      "p=2,3,64,64",
      "--shape=g=b,h,w:int64",
    ]);
    assert.deepEqual(c.shapes, ["p=2,3,64,64", "g=b,h,w:int64"]);
    assert.throws(() => parseArguments(["derive", "l.py:f", "--shape", "2,3"]), UsageError);
  });

  it("takes --autocast for precision alone, which needs a callable", () => {
    const c = parseArguments(["precision", "l.py:f", "p=a.npy", "g=b.npy", "--autocast"]);
    assert.deepEqual([c.name, c.callable, c.autocast], ["precision", "f", "cpu"]);
    const onGpu = parseArguments(["precision", "l.py:f", "p=a.npy", "--autocast=cuda"]);
    assert.equal(onGpu.autocast, "cuda");
    assert.throws(() => parseArguments(["precision", "l.py:f", "p=a", "--autocast=x"]), UsageError);
    assert.throws(() => parseArguments(["check", "l.py:f", "p=a.npy", "--autocast"]), UsageError);
    assert.throws(() => parseArguments(["precision", "l.py", "p=a.npy"]), UsageError);
  });

  it("takes a module of Python in the place of a file", () => {
    const c = parseArguments(["derive", "monai.losses:DiceLoss(sigmoid=True)", "--python=/venv"]);
    assert.deepEqual(
      [c.file, c.isModule, c.callable, c.python],
      ["monai.losses", true, "DiceLoss(sigmoid=True)", "/venv"],
    );
    const own = parseArguments(["derive", "my_losses2:dice"]);
    assert.deepEqual([own.file, own.isModule, own.python], ["my_losses2", true, null]);
    for (const file of ["losses.py:f", "a.b/losses.py:f", "f.dice", "C:\\code\\losses.py:dice"]) {
      assert.equal(parseArguments(["derive", file]).isModule, false, file);
    }
  });

  it("explains a loss on arrays or on none, with real autograd where there are some", () => {
    const c = parseArguments(["explain", "l.py:f", "p=[0.5]", "--autograd=jax,autograd"]);
    assert.deepEqual([c.name, c.callable, c.values], ["explain", "f", ["p=[0.5]"]]);
    assert.deepEqual(c.autograd?.backends, ["jax", "autograd"]);
    assert.deepEqual(parseArguments(["explain", "l.py:f"]).values, []);
  });

  for (const argv of [
    [],
    ["derive", "monai.losses"],
    ["inspect"],
    ["derive"],
    ["check", "l.py"],
    ["check", "l.py:f", "3"],
    ["check", "l.py:f", "--bad"],
    ["check", "l.py:f", "--wrt"],
    ["derive", "l.py:f", "--out", "g.npy"],
    ["explain", "l.py"],
    ["explain", "l.py:f", "--autograd"],
    ["explain", "l.py:f", "p=[0.5]", "--out", "g.npy"],
  ]) {
    it(`refuses "${argv.join(" ")}"`, () => {
      assert.throws(() => parseArguments(argv), UsageError);
    });
  }
});
