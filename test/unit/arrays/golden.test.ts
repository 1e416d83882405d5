import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { promoteTypes, type DType } from "../../../src/arrays/dtype.ts";
import { parseArrayLiteral } from "../../../src/arrays/literal.ts";
import { readNpy } from "../../../src/arrays/npy.ts";
import { readNpz } from "../../../src/arrays/npz.ts";
import { toFloat64 } from "../../../src/arrays/ndarray.ts";
import { arrayError, assertArray, golden, goldenBytes, type ExpectedArray } from "./expected.ts";

describe("arrays beside NumPy", () => {
  it("reads every .npy file that NumPy saved, bit for bit", () => {
    const files = golden.files.filter(({ file }) => file.endsWith(".npy"));
    assert.ok(files.length >= 60);
    for (const wanted of files) {
      const found = readNpy(goldenBytes(wanted.file), wanted.file);
      assertArray(found, wanted as ExpectedArray, wanted.file);
      assert.deepEqual(found.origin, { kind: "file", path: wanted.file });
    }
  });

  it("reads every member of the .npz files that NumPy saved", () => {
    const files = golden.files.filter(({ file }) => file.endsWith(".npz"));
    assert.ok(files.length >= 7);
    for (const wanted of files) {
      const found = readNpz(goldenBytes(wanted.file), wanted.member, wanted.file);
      if (wanted.sum === undefined) {
        assertArray(found, wanted as ExpectedArray, `${wanted.file}[${wanted.member!}]`);
      } else {
        const sum = toFloat64(found).reduce((all, value) => all + value, 0);
        assert.equal(sum, Number(wanted.sum));
      }
      assert.deepEqual(found.origin, { kind: "file", path: wanted.file, member: wanted.member });
    }
  });

  for (const [file, words] of Object.entries(golden.refused)) {
    it(`refuses ${file}, naming what it holds and what to do`, () => {
      const error = arrayError(() => readNpy(goldenBytes(file), file));
      const said = error.describe();
      for (const word of [file, ...words]) assert.ok(said.includes(word), `${word} in ${said}`);
      assert.match(error.remedy ?? "", /np\.save\(/);
    });
  }

  it("takes the same array from a literal as NumPy's own evaluation", () => {
    assert.ok(golden.literals.length >= 100);
    for (const wanted of golden.literals) {
      assertArray(parseArrayLiteral(wanted.text), wanted, wanted.text);
    }
  });

  it("promotes every pair of dtypes as np.promote_types does", () => {
    for (const [a, row] of Object.entries(golden.promotions)) {
      for (const [b, wanted] of Object.entries(row)) {
        assert.equal(promoteTypes(a as DType, b as DType), wanted, `${a} and ${b}`);
      }
    }
  });
});
