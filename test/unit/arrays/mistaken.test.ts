import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { writeNpy } from "../../../src/arrays/npy.ts";
import { readArray } from "../../../src/arrays/readers.ts";
import { arrayError, goldenBytes } from "./expected.ts";
import { fileBytes } from "./goldenFiles.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
const npy = writeNpy({ dtype: "float64", shape: [2], data: Float64Array.of(0, 1) });

describe("a file that is not what its name says", () => {
  const cases: readonly (readonly [string, string, Uint8Array, RegExp])[] = [
    ["a pointer of Git LFS", "mask.npy", bytes(LFS), /has not been fetched\.\n.*git lfs pull/],
    ["one whose name is a table's", "mask.csv", bytes(LFS), /git lfs pull/],
    ["a pointer of git-annex", "p.h5", bytes("/annex/objects/MD5E-s1--a.h5\n"), /git annex get/],
    ["an empty file", "mask.mat", new Uint8Array(), /mask\.mat is empty\.\nCopy or save/],
    [
      "a ZIP archive",
      "mask.npy",
      goldenBytes("stored.npz"),
      /ZIP archive.*\nName it \.npz or \.pt/,
    ],
    ["an image", "mask.tif", fileBytes("png-bits1.png"), /it is a PNG image\.\nName it \.png/],
    ["what gzip packed", "mask.npy", gzipSync(npy), /packed by gzip\.\nUnpack it/],
    ["a web page", "mask.nii.gz", bytes("<!DOCTYPE html><p>404"), /a web page.*\nDownload/],
  ];
  for (const [what, name, content, said] of cases) {
    it(`is said to be what it is: ${what}, named ${name}`, () => {
      assert.match(arrayError(() => readArray(content, name)).describe(), said);
    });
  }

  it("keeps the reader's own words where its beginning tells nothing, or is right", () => {
    assert.match(
      arrayError(() => readArray(bytes("hello"), "m.npy")).message,
      /is not a \.npy file/,
    );
    assert.match(arrayError(() => readArray(npy.subarray(0, 130), "m.npy")).message, /cut short/);
  });
});

it("a dictionary in a JSON file is no array, and the lists in it are taken in the editor", () => {
  const error = arrayError(() => readArray(bytes('\n{"pred": [0.5, 1]}'), "case.json"));
  assert.match(error.describe(), /holds a dictionary.*\nOpen it and right-click a list/);
});
