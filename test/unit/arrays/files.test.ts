import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "mocha";
import type { ArrayHeader } from "../../../src/arrays/members.ts";
import {
  arrayReaders,
  readArray,
  readHeader,
  readerFor,
  type ArrayReader,
} from "../../../src/arrays/readers.ts";
import type { ByteSource } from "../../../src/arrays/source.ts";
import { arrayError, assertArray } from "./expected.ts";
import { fileBytes, fileSource, goldenFileNames, goldenFiles } from "./goldenFiles.ts";

/** What the header alone says of one array. */
function headerOf(file: string, member: string | undefined): ArrayHeader {
  const header = readHeader(fileSource(file), file);
  if (!(header instanceof Map)) return header as ArrayHeader;
  const members = header as ReadonlyMap<string, () => ArrayHeader>;
  return members.get(member ?? [...members.keys()][0]!)!();
}

/** Equal up to rounding in the last digits. */
function assertClose(found: readonly number[], wanted: readonly number[], label: string): void {
  assert.equal(found.length, wanted.length, label);
  for (const [i, value] of wanted.entries()) {
    const size = Math.max(1, Math.abs(value));
    assert.ok(
      Math.abs(found[i]! - value) <= 1e-14 * size,
      `${label}: ${found.join()} ${wanted.join()}`,
    );
  }
}

describe("files beside the libraries that wrote them", () => {
  const rows = new Map<ArrayReader, string[]>();
  for (const { file } of goldenFiles.files) {
    const reader = readerFor(file);
    assert.ok(reader !== undefined, `${file} has no reader`);
    rows.set(reader, [...(rows.get(reader) ?? []), file]);
  }

  for (const [reader, names] of rows) {
    it(`reads every ${reader.extensions.join(" and ")} file, bit for bit, and its header alone`, () => {
      for (const wanted of goldenFiles.files.filter(({ file }) => names.includes(file))) {
        const { file, member } = wanted;
        const label = member === undefined ? file : `${file}[${member}]`;
        const found = readArray(fileSource(file), file, member);
        assertArray(found, wanted, label);
        if (wanted.sha256 !== undefined) {
          const { buffer, byteOffset, byteLength } = found.data;
          const bytes = new Uint8Array(buffer, byteOffset, byteLength);
          assert.equal(
            createHash("sha256").update(bytes).digest("hex").slice(0, 32),
            wanted.sha256,
            label,
          );
        }
        const origin = { kind: "file", path: file, ...(member === undefined ? {} : { member }) };
        assert.deepEqual(found.origin, origin, label);
        const header = headerOf(file, member);
        assert.deepEqual([header.dtype, header.shape], [wanted.dtype, wanted.shape], label);
        assert.deepEqual(header.space, found.space, label);
        if (wanted.affine !== undefined) {
          const { affine = [], axes, towards } = found.space ?? {};
          assertClose(affine.flat(), wanted.affine.flat(), label);
          if (wanted.axes !== undefined) assert.deepEqual(axes, wanted.axes, label);
          if (wanted.towards !== undefined) assert.equal(towards, wanted.towards, label);
        }
      }
    });
  }

  for (const { file, member, words } of goldenFiles.refused) {
    it(`refuses ${file}${member === undefined ? "" : `[${member}]`}, saying why and what to do`, () => {
      const error = arrayError(() => readArray(fileSource(file), file, member));
      const said = error.describe();
      for (const word of [file, ...words]) assert.ok(said.includes(word), `${word} in ${said}`);
      assert.ok((error.remedy ?? "").length > 10, said);
    });
  }

  const large = [
    "itk-int16.mha",
    "nifti1-int16.nii",
    "nrrd-int16.nrrd",
    "png-grey.png",
    "tiff-volume.tif",
    "tensors.safetensors",
    "hdf5-chunks.h5",
  ];
  for (const file of large) {
    it(`takes the header of ${file} without reading on, were it 8 GiB long`, () => {
      const bytes = fileBytes(file);
      let read = 0;
      const source: ByteSource = {
        size: bytes.length + 2 ** 33,
        read: (offset, length) => {
          read += length;
          const part = new Uint8Array(length);
          part.set(bytes.subarray(offset, offset + length));
          return part;
        },
      };
      const wanted = goldenFiles.files.find((row) => row.file === file)!;
      const header = readHeader(source, file);
      const one =
        header instanceof Map
          ? (header as ReadonlyMap<string, () => ArrayHeader>).get(wanted.member!)!()
          : (header as ArrayHeader);
      assert.deepEqual([one.dtype, one.shape], [wanted.dtype, wanted.shape]);
      assert.ok(read <= 2 ** 20 + 4 * bytes.length, `${String(read)} bytes were read`);
    });
  }

  it("has files of every format that is read from bytes", () => {
    const tested = new Set(goldenFileNames.map((name) => readerFor(name)));
    // NumPy's own have their golden files in another folder, and JSON has no library.
    const elsewhere = [".npy", ".npz", ".json"];
    for (const reader of arrayReaders) {
      if (elsewhere.includes(reader.extensions[0]!)) continue;
      assert.ok(tested.has(reader), reader.title);
    }
  });
});
