import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { dtypes } from "../../../src/arrays/dtype.ts";
import { type ArrayInFile, chooseMember } from "../../../src/arrays/members.ts";
import { elementCount, type NdArray } from "../../../src/arrays/ndarray.ts";
import { npyHeaderBytes } from "../../../src/arrays/npy.ts";
import { permuteAxes } from "../../../src/arrays/permute.ts";
import { openFile, readerFor } from "../../../src/arrays/readers.ts";
import { sourceOf, type ByteSource } from "../../../src/arrays/source.ts";
import { elementReader, type StoredElements } from "../../../src/arrays/stored.ts";
import { arrayError, golden, goldenBytes } from "./expected.ts";
import { PACKINGS, fileSource, goldenFiles } from "./goldenFiles.ts";

const TICK = () => undefined;

function inFile(source: ByteSource | Uint8Array, file: string, member?: string): ArrayInFile {
  const opened = openFile(source, file);
  if ("shape" in opened) return opened;
  return opened.get(member ?? [...opened.keys()][0]!)!();
}

/** The unpacked bytes of the elements, and where in them the first is. */
function flat({ bytes, layout }: StoredElements): { source: ByteSource; offset: number } {
  if (bytes.kind === "flat") {
    bytes.verify?.(TICK);
    return bytes;
  }
  const size = elementCount(layout.shape) * dtypes[layout.dtype].bytes;
  const unpacked = new Uint8Array(size);
  bytes.unpack((at, part) => {
    assert.ok(at + part.length <= size, "no more bytes than the elements take");
    unpacked.set(part, at);
  }, TICK);
  return { source: sourceOf(unpacked), offset: 0 };
}

/** The array, read in parts of seven elements. */
function inParts(stored: StoredElements, label: string): NdArray {
  const { source, offset } = flat(stored);
  const reader = elementReader(source, offset, stored, label);
  const { store, kind } = dtypes[reader.dtype];
  const units = kind === "complex" ? 2 : 1;
  const data = store(reader.count);
  for (let first = 0; first < reader.count; first += 7) {
    const end = Math.min(first + 7, reader.count);
    reader.read(first, data.subarray(first * units, end * units));
  }
  const { shape, fortranOrder } = stored.layout;
  const inFileOrder = { dtype: reader.dtype, shape, data };
  if (!fortranOrder) return inFileOrder;
  const reversed = { ...inFileOrder, shape: shape.toReversed() };
  return permuteAxes(
    reversed,
    shape.map((_, axis) => shape.length - 1 - axis),
  );
}

function sameElements(found: NdArray, whole: NdArray, label: string): void {
  assert.equal(found.dtype, whole.dtype, label);
  assert.deepEqual(found.shape, whole.shape, label);
  const bytes = ({ data }: NdArray) =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  assert.deepEqual(bytes(found), bytes(whole), label);
}

describe("arrays in files, part by part", () => {
  const files = [
    ...golden.files.map(({ file, member }) => ({ file, member, source: goldenBytes(file) })),
    ...goldenFiles.files.map(({ file, member }) => ({ file, member, source: fileSource(file) })),
  ];
  const read = new Map<string, number>();
  const packings = new Set<string>();
  const whole = new Set<string>();

  it("have the elements of the whole arrays, bit for bit, in every file that libraries wrote", () => {
    for (const { file, member, source } of files) {
      const label = member === undefined ? file : `${file}[${member}]`;
      const array = inFile(source, file, member);
      const ending = readerFor(file)!.extensions[0]!;
      if (array.stored === undefined) {
        whole.add(file);
        continue;
      }
      const stored = array.stored();
      if (stored.bytes.kind === "packed") packings.add(stored.bytes.packing);
      sameElements(inParts(stored, label), array.read(), label);
      read.set(ending, (read.get(ending) ?? 0) + 1);
    }
  });

  it("are had of every format whose elements lie one after the other, packed or not", () => {
    const formats = [".h5", ".mat", ".mha", ".nii", ".npy", ".npz", ".nrrd", ".png", ".pt", ".safetensors", ".tif"]; // prettier-ignore
    assert.deepEqual([...read.keys()].sort(), formats);
    assert.deepEqual([...packings].sort(), PACKINGS);
    const others = [...whole].filter((f) => !/\.(mat|csv|tsv|txt|json)$/.test(f));
    // Text, and tensors that are not in C order.
    assert.ok(
      others.every((f) => f.startsWith("nrrd-ascii") || f.endsWith(".pt") || f.endsWith(".pth")),
      others.join(),
    );
  });

  it("are refused where the whole array is", () => {
    let count = 0;
    for (const { file, member } of goldenFiles.refused) {
      if (readerFor(file) === undefined) continue;
      let array: ArrayInFile;
      try {
        const opened = openFile(fileSource(file), file);
        array = "shape" in opened ? opened : chooseMember(opened, member, file)();
      } catch {
        continue; // The header alone says it, or which of several is not said.
      }
      if (array.stored === undefined) continue;
      count += 1;
      const error = arrayError(() => inParts(array.stored!(), file));
      assert.ok(error.message.includes(file), error.message);
      assert.ok((error.remedy ?? "").length > 10, error.message);
      arrayError(array.read);
    }
    assert.ok(count >= 5, String(count));
  });

  it("are compared with the checksum of an archive, which is what finds a changed element", () => {
    const bytes = goldenBytes("stored.npz");
    const array = inFile(bytes, "stored.npz", "prob").stored!();
    assert.equal(array.bytes.kind, "flat");
    const { source, offset } = flat(array);
    const first = source.read(offset, 1);
    first[0]! ^= 1;
    const error = arrayError(() => flat(inFile(bytes, "stored.npz", "prob").stored!()));
    assert.match(error.message, /stored\.npz\[prob\.npy\] is damaged: .*checksum/);
  });

  it("say so when their file becomes shorter while it is read", () => {
    const header = npyHeaderBytes("float32", [100]);
    const file = new Uint8Array(header.length + 400);
    file.set(header);
    const stored = inFile(file, "p.npy").stored!();
    const cut = sourceOf(file.subarray(0, header.length + 200));
    const reader = elementReader(cut, header.length, stored, "p.npy");
    reader.read(40, new Float32Array(10));
    const error = arrayError(() => {
      reader.read(45, new Float32Array(10));
    });
    assert.match(error.message, /p\.npy is cut short/);
  });
});
