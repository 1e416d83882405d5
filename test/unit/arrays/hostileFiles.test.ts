import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { COMPRESSIONS, undoDifferences } from "../../../src/arrays/formats/tiffCodecs.ts";
import type { ArrayHeader } from "../../../src/arrays/members.ts";
import { readArray, readHeader } from "../../../src/arrays/readers.ts";
import { arrayError } from "./expected.ts";
import { fileBytes, fileSource } from "./goldenFiles.ts";

/** A file's bytes with some of them replaced. */
function patched(name: string, changes: Readonly<Record<number, readonly number[]>>): Uint8Array {
  const bytes = fileBytes(name);
  for (const [at, values] of Object.entries(changes)) bytes.set(values, Number(at));
  return bytes;
}

function refusal(bytes: Uint8Array, name: string, member?: string): string {
  return arrayError(() => readArray(bytes, name, member)).describe();
}

/** A little-endian TIFF file of directories given as rows of tag, type, count and value. */
function tiff(...directories: readonly (readonly (readonly number[])[])[]): Uint8Array {
  const size = 8 + directories.reduce((sum, rows) => sum + 6 + 12 * rows.length, 0);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, 0x002a4949, true);
  view.setUint32(4, 8, true);
  let at = 8;
  directories.forEach((rows, i) => {
    view.setUint16(at, rows.length, true);
    rows.forEach(([tag, type, count, value], k) => {
      const entry = at + 2 + 12 * k;
      view.setUint16(entry, tag!, true);
      view.setUint16(entry + 2, type!, true);
      view.setUint32(entry + 4, count!, true);
      view.setUint32(entry + 8, value!, true);
    });
    at += 6 + 12 * rows.length;
    view.setUint32(at - 4, i + 1 < directories.length ? at : 0, true);
  });
  return new Uint8Array(view.buffer);
}

describe("files made to do harm", () => {
  it("are refused before memory is taken for a size that they only claim", () => {
    const huge = [0xff, 0x7f];
    const nifti = patched("nifti1-uint8.nii", { 42: huge, 44: huge, 46: huge });
    assert.match(refusal(nifti, "x.nii"), /take 35181150961663 bytes; at most/);
    const { shape } = readHeader(nifti, "x.nii") as ArrayHeader;
    assert.deepEqual(shape, [32767, 32767, 32767]);
    const gzip = fileBytes("nifti1-no-form.nii.gz");
    assert.match(
      arrayError(() => readArray(gzip, "x.nii.gz", undefined, { maxBytes: 20 })).message,
      /take 24 bytes; at most 20/,
    );
    const wide = [0, 1, 0, 0];
    const png = patched("png-grey.png", { 16: wide, 20: wide });
    assert.match(refusal(png, "x.png"), /take 4294967296 bytes; at most 2147483648/);
  });

  it("do not lead a TIFF reader in circles, through overlapping directories or into huge tables", () => {
    const row = (tag: number, value: number, type = 4, count = 1) => [tag, type, count, value];
    const image = [row(256, 4), row(257, 4), row(258, 8), row(273, 8), row(279, 16)];
    assert.equal(readArray(tiff(image), "x.tif").shape.length, 2);
    assert.match(
      refusal(tiff([...image, row(273, 0)].slice(0, 3)), "x.tif"),
      /no field stripOffsets/,
    );
    assert.match(refusal(tiff([row(256, 4), row(257, 0)]), "x.tif"), /no pixels/);
    assert.match(
      refusal(tiff([...image.slice(0, 4), row(279, 8, 4, 0x7fffffff)]), "x.tif"),
      /8589934588 bytes of the field stripByteCounts/,
    );
    const tiles = [row(322, 0xffffffff), row(323, 0xffffffff), row(324, 8), row(325, 4)];
    assert.match(refusal(tiff([...image.slice(0, 3), ...tiles]), "x.tif"), /do not cover/);
    const rows = [row(256, 40_000), row(257, 40_000), row(258, 1), row(273, 8), row(279, 9)];
    assert.match(refusal(tiff(rows), "x.tif"), /cannot hold an image/);
    // Directories that begin in one another, each with many entries.
    const many = tiff(Array.from({ length: 100 }, () => row(0x0800, 0x08000800, 8, 0x08000800)));
    assert.match(refusal(many, "x.tif"), /overlap|cut short|no field/);
  });

  it("do not make an HDF5 reader follow its parts for ever", () => {
    const bytes = fileBytes("hdf5-many.hdf5");
    const text = new TextDecoder("latin1").decode(bytes);
    // Every node of every tree says that it has as many entries as can be.
    for (let at = text.indexOf("TREE"); at >= 0; at = text.indexOf("TREE", at + 1)) {
      bytes.set([0xff, 0xff], at + 6);
    }
    assert.match(refusal(bytes, "x.h5", "x01"), /x\.h5/);
    const loop = fileBytes("hdf5-chunks.h5");
    const found = readHeader(loop, "x.h5");
    assert.ok(found instanceof Map && found.size < 20);
  });

  it("name no file outside of their folder", () => {
    const header = new TextDecoder().decode(fileBytes("itk-pair.mhd"));
    const named = (file: string) => new TextEncoder().encode(header.replace("itk-pair.raw", file));
    for (const file of ["/etc/passwd", "..", "../x.raw", "a\\b.raw", "C:x.raw", "a/../x.raw"]) {
      const source = fileSource("itk-pair.mhd", named(file));
      const error = arrayError(() => readArray(source, "x.mhd"));
      assert.match(error.message, /only a file in the same folder is read/, file);
    }
  });

  it("cannot put control characters into a message", () => {
    const header = new TextDecoder().decode(fileBytes("itk-pair.mhd"));
    const bytes = new TextEncoder().encode(header.replace("MET_SHORT", "MET_\u001b[2JSHORT"));
    assert.match(refusal(bytes, "x.mhd"), /"MET_\ufffd\[2JSHORT"/u);
  });
});

describe("TIFF's codecs", () => {
  const place = { label: "x.tif", file: "x.tif" };
  const unpack = (method: number, packed: readonly number[], size: number): number[] => {
    const codec = COMPRESSIONS[method]!;
    assert.ok("unpack" in codec);
    return [...codec.unpack(Uint8Array.from(packed), size, place)];
  };

  it("unpack the example of Apple's PackBits note", () => {
    const packed = [
      0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa,
    ];
    const a = 0xaa;
    const wanted = [a, a, a, 0x80, 0, 0x2a, a, a, a, a, 0x80, 0, 0x2a, 0x22];
    assert.deepEqual(unpack(32773, packed, 24), [...wanted, ...new Array<number>(10).fill(a)]);
    assert.deepEqual(unpack(32773, [0x80, 0x01, 1, 2], 2), [1, 2]);
    assert.match(
      arrayError(() => unpack(32773, [0x05, 1], 6)).message,
      /unpacks to 1 bytes, not 6/,
    );
    assert.match(arrayError(() => unpack(32773, [0x81], 128)).message, /cannot hold/);
  });

  it("unpack the example of the specification's LZW, and refuse codes that stand for nothing", () => {
    // 7 7 7 8 8 7 7 6 6 as the codes 256 7 258 8 8 258 6 6 257, of nine bits each.
    const codes = [256, 7, 258, 8, 8, 258, 6, 6, 257];
    const bits = codes.map((code) => code.toString(2).padStart(9, "0")).join("");
    const bytes = (text: string) =>
      (text.match(/.{1,8}/gu) ?? []).map((byte) => parseInt(byte.padEnd(8, "0"), 2));
    assert.deepEqual(unpack(5, bytes(bits), 9), [7, 7, 7, 8, 8, 7, 7, 6, 6]);
    const wrong = [256, 7, 300].map((code) => code.toString(2).padStart(9, "0")).join("");
    assert.match(arrayError(() => unpack(5, bytes(wrong), 9)).message, /LZW data is not valid/);
    assert.match(arrayError(() => unpack(5, bytes(bits), 10)).message, /9 bytes, not 10/);
  });

  it("undo differences of 64 bits across the whole range", () => {
    const values = BigUint64Array.of(2n ** 64n - 1n, 2n, 5n, 1n);
    undoDifferences(values, 2, 1);
    assert.deepEqual([...values], [2n ** 64n - 1n, 1n, 5n, 6n]);
  });
});
