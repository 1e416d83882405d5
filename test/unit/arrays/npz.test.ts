import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { describe, it } from "mocha";
import type { NdArray } from "../../../src/arrays/ndarray.ts";
import { writeNpy } from "../../../src/arrays/npy.ts";
import { listNpz, openNpz, readNpz } from "../../../src/arrays/npz.ts";
import { crc32 } from "../../../src/arrays/checksums.ts";
import { arrayError, goldenBytes } from "./expected.ts";

const ones: NdArray = { dtype: "uint8", shape: [4], data: Uint8Array.of(1, 1, 1, 1) };

/** Where the directory's first entry begins: its signature is PK\x01\x02. */
function directory(bytes: Uint8Array): number {
  return bytes.findIndex((_, i) => [0x50, 0x4b, 1, 2].every((byte, k) => bytes[i + k] === byte));
}

/** A stored archive of one member, with some bytes of its directory entry changed. */
function archive(changes: Readonly<Record<number, number>> = {}, level: 0 | 6 = 0): Uint8Array {
  const bytes = zipSync({ "a.npy": writeNpy(ones) }, { level });
  for (const [at, value] of Object.entries(changes)) bytes[directory(bytes) + Number(at)] = value;
  return bytes;
}

function refusal(bytes: Uint8Array, member?: string): string {
  return arrayError(() => readNpz(bytes, member, "x.npz")).describe();
}

describe("readNpz", () => {
  it("lists the members without unpacking them", () => {
    assert.deepEqual(
      listNpz(goldenBytes("deflated.npz")).map(({ member, unpackedBytes }) => [
        member,
        unpackedBytes,
      ]),
      [
        ["prob", 152],
        ["mask", 134],
        ["big", 160_128],
      ],
    );
    assert.deepEqual(listNpz(goldenBytes("none.npz")), []);
  });

  it("needs no member's name where there is only one", () => {
    assert.equal(readNpz(goldenBytes("single.npz"), undefined, "single.npz").dtype, "float64");
  });

  it("takes a member's name with or without .npy", () => {
    const bytes = goldenBytes("stored.npz");
    assert.deepEqual(readNpz(bytes, "mask.npy", "x"), readNpz(bytes, "mask", "x"));
  });

  it("lists the members if none or a wrong one is named", () => {
    const bytes = goldenBytes("stored.npz");
    assert.match(refusal(bytes), /holds 2 arrays: prob, mask\.\nName one: x\.npz\[prob\]/);
    assert.match(refusal(bytes, "probs"), /no array "probs"; it holds prob, mask/);
    assert.match(refusal(goldenBytes("none.npz")), /holds no arrays/);
    assert.match(refusal(bytes, "__proto__"), /no array "__proto__"/);
  });

  it("reads the good members of an archive that also has others", () => {
    const bytes = goldenBytes("mixed.npz");
    assert.equal(readNpz(bytes, "prob", "x").dtype, "float32");
    assert.match(refusal(bytes, "names"), /x\.npz\[names\] holds Unicode text/);
    assert.match(refusal(bytes, "things"), /x\.npz\[things\] holds Python objects/);
  });

  it("unpacks a member only when it is read", () => {
    const bytes = goldenBytes("deflated.npz");
    // Damages the first member's packed data; the others still read.
    bytes[60]! ^= 0xff;
    const members = openNpz(bytes, "x.npz");
    assert.equal(members.get("big")!().read().shape.length, 2);
    assert.match(arrayError(() => members.get("prob")!()).message, /damaged/);
  });

  it("says that an encrypted member is encrypted", () => {
    assert.match(refusal(archive({ 8: 1 })), /x\.npz\[a\.npy\] is encrypted/);
  });

  it("names a packing that it cannot undo", () => {
    assert.match(refusal(goldenBytes("bzip2.npz")), /bzip2[^]*savez_compressed/);
    assert.match(refusal(goldenBytes("lzma.npz")), /LZMA/);
    assert.match(refusal(archive({ 10: 55 })), /method 55/);
  });

  it("refuses the ZIP64 form", () => {
    assert.match(refusal(archive({ 24: 255, 25: 255, 26: 255, 27: 255 })), /ZIP64/);
  });

  it("refuses contents that do not match their checksum", () => {
    assert.match(refusal(archive({ 16: 0, 17: 0 })), /checksum/);
    const bytes = archive();
    bytes[directory(bytes) - 1]! ^= 1;
    assert.match(refusal(bytes), /checksum/);
  });

  it("refuses sizes that cannot be true before it allocates", () => {
    const bytes = archive({ 24: 0, 25: 0, 26: 0, 27: 0x7f }, 6);
    assert.match(refusal(bytes), /packed bytes cannot hold 2130706432/);
    assert.match(refusal(archive({ 24: 1 })), /two different sizes/);
    assert.match(refusal(archive({ 24: 10, 25: 0 }, 6)), /more than the 10 bytes promised/);
    assert.match(refusal(archive({ 24: 255 }, 6)), /less than the 255 bytes promised/);
  });

  it("keeps to the limit on a member's unpacked size", () => {
    const read = (maxBytes: number) =>
      readNpz(goldenBytes("deflated.npz"), "big", "x.npz", { maxBytes });
    assert.equal(read(160_128).shape[0], 100);
    assert.match(
      arrayError(() => read(160_127)).message,
      /unpacks to 160128 bytes; at most 160127/,
    );
  });

  it("tells a truncated archive, another kind of file and a .npy apart", () => {
    const bytes = goldenBytes("stored.npz");
    assert.match(refusal(bytes.subarray(0, bytes.length - 1)), /cut short/);
    assert.match(refusal(bytes.subarray(0, 0)), /not a ZIP archive/);
    assert.match(refusal(new TextEncoder().encode("hello world, this is no archive")), /not a ZIP/);
    assert.match(refusal(goldenBytes("float32-le.npy")), /\.npy file under the name of a \.npz/);
  });

  it("refuses a directory that points outside the archive", () => {
    assert.match(refusal(archive({ 42: 255, 43: 255, 44: 255 })), /no member where/);
    assert.match(refusal(archive({ 28: 255, 29: 255 })), /runs past its end/);
    assert.match(refusal(archive({ 0: 0 })), /no entry 1 of 1/);
    assert.match(refusal(archive({ 21: 255 })), /ends after/);
  });

  it("takes the last of two members with one name, as Python does", () => {
    const two = { ...ones, data: Uint8Array.of(2, 2, 2, 2) };
    const bytes = zipSync({ "a.npy": writeNpy(ones), "b.npy": writeNpy(two) }, { level: 0 });
    const text = new TextDecoder("latin1").decode(bytes);
    for (let at = text.indexOf("b.npy"); at >= 0; at = text.indexOf("b.npy", at + 1))
      bytes[at] = 97;
    assert.deepEqual([...readNpz(bytes, "a", "x").data], [2, 2, 2, 2]);
  });
});

describe("crc32", () => {
  it("gives the checksum that the standard's check value asks for, at every length", () => {
    const digits = new TextEncoder().encode("123456789");
    assert.equal(crc32(digits), 0xcbf43926);
    assert.equal(crc32(digits.subarray(0, 0)), 0);
    assert.equal(crc32(digits.subarray(0, 1)), 0x83dcefb7);
  });
});
