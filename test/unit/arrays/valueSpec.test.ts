import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseArrayLiteral } from "../../../src/arrays/literal.ts";
import { parseValueSpec } from "../../../src/arrays/valueSpec.ts";
import { arrayError } from "./expected.ts";

describe("parseValueSpec", () => {
  const files: readonly (readonly [string, string, string?])[] = [
    ["mask.npy", "mask.npy"],
    ["  mask.npy ", "mask.npy"],
    ["case.npz[prob]", "case.npz", "prob"],
    ["case.npz['prob']", "case.npz", "prob"],
    ["/data/a b/case (1).NPZ[ prob ]", "/data/a b/case (1).NPZ", "prob"],
    ["C:\\data\\case.npz[prob]", "C:\\data\\case.npz", "prob"],
    ["(copy) mask.npy", "(copy) mask.npy"],
    ["3d[1].npy", "3d[1].npy"],
    ["-1.npy", "-1.npy"],
    ["[old].npz[a]", "[old].npz", "a"],
    ['"mask.npy"', "mask.npy"],
    ['np.load("case.npz")["prob"]', "case.npz", "prob"],
    ["np.load('mask.npy', allow_pickle=False)", "mask.npy"],
    ["scan.nii.gz", "scan.nii.gz"],
    ["2024_scan.nii.gz", "2024_scan.nii.gz"],
    ["data.h5[/group/prob]", "data.h5", "/group/prob"],
    ["mask", "mask"],
    ["../x/y", "../x/y"],
  ];
  for (const [text, path, member] of files) {
    it(`takes ${text} as a file`, () => {
      const wanted = member === undefined ? { path } : { path, member };
      assert.deepEqual(parseValueSpec(text), { kind: "file", ...wanted });
    });
  }

  const literals = [
    "[[0.1, 0.9], [1, 0]]",
    "[1, 2]",
    "(1, 2)",
    "0.5",
    "-1e-3",
    "1/3",
    ".5",
    "1, 2, 3",
    "0x1F",
    "True",
    "nan",
    "-np.inf",
    "np.zeros((2, 3))",
    "torch.tensor([1.0])",
    "-np.ones(2)",
    'float("inf")',
    "tensor([0.1, 0.2], grad_fn=<SigmoidBackward0>)",
  ];
  for (const text of literals) {
    it(`takes ${text} as a literal that can be read`, () => {
      assert.deepEqual(parseValueSpec(text), { kind: "literal", text });
      parseArrayLiteral(text);
    });
  }

  it("refuses an empty value, saying what may stand there", () => {
    assert.match(arrayError(() => parseValueSpec("  ")).describe(), /empty[^]*mask\.npy/);
  });
});
