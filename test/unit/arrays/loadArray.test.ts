import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import {
  loadArrayFile,
  openArrayFile,
  readHeaderFile,
} from "../../../src/arrays/loadArray.node.ts";
import type { ArrayHeader } from "../../../src/arrays/members.ts";
import { readArray, readHeader, readableExtensions } from "../../../src/arrays/readers.ts";
import { arrayError, goldenBytes } from "./expected.ts";
import { fileBytes } from "./goldenFiles.ts";

describe("loadArrayFile", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  const refusal = (name: string, member?: string, maxBytes?: number): string =>
    arrayError(() =>
      loadArrayFile(at(name), member, maxBytes === undefined ? {} : { maxBytes }),
    ).describe();

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "arrays-"));
    writeFileSync(at("mask.npy"), goldenBytes("bool.npy"));
    writeFileSync(at("probability.npy"), goldenBytes("float32-le.npy"));
    writeFileSync(at("CASE.NPZ"), goldenBytes("stored.npz"));
    writeFileSync(at("list.json"), "[[0.5, 1],\n [0, NaN]]");
    writeFileSync(at("bad.json"), "[[0.5, 1],\n [0]]");
    writeFileSync(at("notes.md"), "hello");
    writeFileSync(at("scan.dcm"), "hello");
    writeFileSync(at("plain"), "hello");
    const header =
      "\x93NUMPY\x01\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (1024, 1024, 4096)}";
    writeFileSync(at("huge.npy"), `${header.padEnd(127)}\n`, "latin1");
    truncateSync(at("huge.npy"), 128 + 4 * 2 ** 32);
    writeFileSync(at("scan.mhd"), fileBytes("itk-pair.mhd"));
    writeFileSync(at("itk-pair.raw"), fileBytes("itk-pair.raw"));
    mkdirSync(at("folder.npy"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("reads a file by its ending, in any case of letters", () => {
    assert.equal(loadArrayFile(at("mask.npy")).dtype, "bool");
    const prob = loadArrayFile(at("CASE.NPZ"), "prob");
    assert.deepEqual(prob.origin, { kind: "file", path: at("CASE.NPZ"), member: "prob" });
  });

  it("reads lists of numbers in JSON, and gives the line of what is wrong in one", () => {
    const { shape, dtype, origin } = loadArrayFile(at("list.json"));
    assert.deepEqual([shape, dtype], [[2, 2], "float64"]);
    assert.deepEqual(origin, { kind: "file", path: at("list.json") });
    assert.match(refusal("bad.json"), /bad\.json:2:2: The rows differ in length/);
  });

  it("takes the elements of a header's image from the file beside it", () => {
    assert.deepEqual(loadArrayFile(at("scan.mhd")).shape, [2, 3, 4]);
    rmSync(at("itk-pair.raw"));
    assert.match(refusal("scan.mhd"), /There is no file .*itk-pair\.raw/);
  });

  it("says that the elements are in another file where only one is at hand", () => {
    const read = () => readArray(fileBytes("itk-pair.mhd"), "itk-pair.mhd");
    assert.match(arrayError(read).message, /"itk-pair\.raw", which is not at hand here/);
    assert.deepEqual(
      (readHeader(fileBytes("itk-pair.mhd"), "x.mhd") as ArrayHeader).shape,
      [2, 3, 4],
    );
  });

  it("says where a link leads that leads nowhere", () => {
    symlinkSync("moved.npy", at("link.npy"));
    const said = refusal("link.npy");
    assert.match(said, /link\.npy is a link to moved\.npy, and there is no such file/);
    assert.ok(!said.includes("Near to it"), said);
  });

  it("opens an archive as its members by name", () => {
    const content = openArrayFile(at("CASE.NPZ"));
    assert.ok(content instanceof Map);
    assert.deepEqual([...content.keys()], ["prob", "mask"]);
  });

  it("names the nearest files if there is none of that name", () => {
    assert.match(refusal("mask.npz"), /There is no file .*mask\.npz\.\nNear to it are mask\.npy/);
    assert.match(refusal("probabilty.npy"), /Near to it are probability\.npy\./);
    assert.doesNotMatch(refusal("quite another name.npy"), /Near/);
  });

  it("says if the directory is missing, or is a file", () => {
    assert.match(refusal("nowhere/mask.npy"), /no directory .*nowhere/);
    assert.match(refusal("mask.npy/mask.npy"), /no directory/);
    assert.match(refusal("mask.npy/x/mask.npy"), /no directory/);
  });

  it("offers the files in a directory that was given instead of one", () => {
    assert.match(refusal("folder.npy"), /is a directory/);
    assert.match(refusal(""), /is a directory[^]*CASE\.NPZ/);
  });

  it("lists what is readable for an ending that is not", () => {
    const said = refusal("notes.md");
    assert.match(said, /ending in "\.md"/);
    for (const extension of readableExtensions()) assert.ok(said.includes(extension));
    assert.match(refusal("plain"), /without an ending/);
    assert.match(refusal("scan.dcm"), /is a DICOM file[^]*sitk\.ReadImage\("scan\.dcm"\)/);
  });

  it("keeps to the limit on the memory that an array takes", () => {
    assert.match(refusal("mask.npy", undefined, 23), /take 24 bytes; at most 23/);
    assert.match(refusal("list.json", undefined, 10), /has 21 bytes; at most 10/);
  });

  it("reads only the header where no more is asked for", () => {
    // As long as a large array's file, of which nothing is stored but the header.
    const { dtype, shape } = readHeaderFile(at("huge.npy")) as ArrayHeader;
    assert.deepEqual([dtype, shape], ["float32", [1024, 1024, 4096]]);
    assert.match(refusal("huge.npy"), /take 17179869184 bytes; at most 2147483648/);
    const members = readHeaderFile(at("CASE.NPZ"));
    assert.ok(members instanceof Map);
    const mask = (members as ReadonlyMap<string, () => ArrayHeader>).get("mask")!();
    assert.deepEqual(mask, { dtype: "bool", shape: [2, 3] });
  });

  it("refuses a member of a file that has none", () => {
    assert.match(refusal("mask.npy", "prob"), /one array without a name/);
  });

  it("refuses what is no regular file, without waiting for it", function () {
    if (process.platform === "win32") this.skip();
    execFileSync("mkfifo", [at("pipe.npy")]);
    assert.match(refusal("pipe.npy"), /not a regular file/);
  });

  it("refuses a name that no file can have", () => {
    assert.match(refusal("a\0b.npy"), /cannot be read/);
  });
});

describe("readArray", () => {
  it("works on bytes alone, as a browser has them", () => {
    assert.equal(readArray(goldenBytes("stored.npz"), "case.npz", "mask").dtype, "bool");
  });
});
