/**
 * Files of any size of one array of float32 zeros, in every format that is read part by part: what
 * stands before and after the elements, which are a hole in the file and take no room on a disk.
 */
import { ftruncateSync, openSync, closeSync, statSync, writeSync } from "node:fs";
import { deflateSync, gzipSync } from "node:zlib";
import { crc32 } from "../../../src/arrays/checksums.ts";
import { npyHeaderBytes } from "../../../src/arrays/npy.ts";

export interface LargeFile {
  /** With what tells it from others of its format before the ending. */
  readonly name: string;
  readonly member?: string;
  readonly head: Uint8Array;
  /** After the elements. */
  readonly tail?: Uint8Array;
  readonly size: number;
  /** Where the first element is; undefined where they are packed. */
  readonly elementsAt?: number;
}

export const WIDTH = 4;

/** Writes the file, and whether the file system keeps its hole as one. */
export function writeLarge(path: string, { head, tail, size }: LargeFile): boolean {
  const file = openSync(path, "w");
  try {
    writeSync(file, head, 0, head.length, 0);
    try {
      ftruncateSync(file, size);
    } catch {
      return false;
    }
    if (tail !== undefined) writeSync(file, tail, 0, tail.length, size - tail.length);
  } finally {
    closeSync(file);
  }
  return statSync(path).blocks * 512 < head.length + (tail?.length ?? 0) + 2 ** 16;
}

/** Little-endian numbers and text, one after the other. */
class Bytes {
  private readonly parts: Buffer[] = [];
  length = 0;

  add(...parts: readonly (Uint8Array | string)[]): this {
    for (const part of parts) {
      const bytes = typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part);
      this.parts.push(bytes);
      this.length += bytes.length;
    }
    return this;
  }

  /** Whole numbers of `width` bytes. */
  uint(width: 1 | 2 | 4 | 8, ...values: readonly number[]): this {
    for (const value of values) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
      this.add(bytes.subarray(0, width));
    }
    return this;
  }

  /** Zeros up to a place. */
  upTo(at: number): this {
    return this.add(Buffer.alloc(at - this.length));
  }

  get all(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

/** All formats. Rows and columns are the array's, whichever of them is the faster in the file. */
export function largeFiles(rows: number, columns: number): LargeFile[] {
  const size = WIDTH * rows * columns;
  const plain = (name: string, head: Uint8Array, member?: string): LargeFile => ({
    name,
    head,
    size: head.length + size,
    elementsAt: head.length,
    ...(member === undefined ? {} : { member }),
  });
  return [
    plain("c.npy", npyHeaderBytes("float32", [rows, columns])),
    plain("f.npy", npyHeaderBytes("float32", [rows, columns], true)),
    plain("x.nii", nifti2(rows, columns)),
    plain("x.mha", metaImage(rows, columns)),
    plain("x.nrrd", nrrd(rows, columns)),
    plain("x.safetensors", safetensors(rows, columns, size), "x"),
    plain("big.tif", bigTiff(rows, columns, size)),
    plain("version4.mat", matlab4(rows, columns), "x"),
    plain("contiguous.h5", hdf5(rows, columns, size), "x"),
    archive("x.pt", "x", [
      ["x/data.pkl", pickled(rows, columns)],
        ["x/version", Buffer.from("3\n")],
      ["x/data/0", new Uint8Array(0)],
    ], size), // prettier-ignore
    archive("x.npz", "x", [["x.npy", npyHeaderBytes("float32", [rows, columns])]], size),
  ];
}

function nifti2(rows: number, columns: number): Uint8Array {
  const head = new Bytes().uint(4, 540).add("n+2\0\r\n\x1a\n").uint(2, 16, 32);
  head.uint(8, 2, rows, columns, 1, 1, 1, 1, 1).upTo(168).uint(8, 544);
  return head.upTo(544).all;
}

/** Packed by gzip, of numbers that pack as little as those of images. */
export function packedNifti(rows: number, columns: number): LargeFile {
  const parts = 64;
  const some = Float32Array.from({ length: (rows * columns) / parts }, (_, k) => Math.sin(k * k));
  const bytes = new Uint8Array(some.buffer);
  // Each part is a member of its own: together they unpack as one does.
  const part = gzipSync(bytes, { level: 1 });
  const head = Buffer.concat([
    gzipSync(nifti2(rows, columns)),
    ...Array.from({ length: parts }, () => part),
  ]);
  return { name: "x.nii.gz", head, size: head.length };
}

/** 16 bits of four channels in a PNG image, of numbers of any size: its rows have each filter in turn. */
export function packedPng(rows: number, columns: number, interlaced = false): LargeFile {
  const [channels, width] = [4, 2];
  const pixels = columns / channels;
  const chunk = (type: string, contents: Uint8Array): Buffer => {
    const bytes = Buffer.alloc(12 + contents.length);
    bytes.writeUInt32BE(contents.length);
    bytes.write(type, 4, "latin1");
    bytes.set(contents, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
    return bytes;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(pixels);
  header.writeUInt32BE(rows, 4);
  header.set([16, 6, 0, 0, Number(interlaced)], 8);
  // The passes of Adam7, each by how far apart its columns and rows are.
  const passes = interlaced
    ? [[8, 8], [8, 8], [4, 8], [4, 4], [2, 4], [2, 2], [1, 2]] // prettier-ignore
    : [[1, 1]];
  let random = 1;
  const lines = passes.map(([x, y]) => {
    const rowBytes = (columns * width) / x!;
    const bytes = Buffer.alloc((rows / y!) * (rowBytes + 1));
    for (let at = 0; at < bytes.length; at++) {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0;
      bytes[at] = at % (rowBytes + 1) === 0 ? (at / (rowBytes + 1)) % 5 : random >>> 28;
    }
    return bytes;
  });
  const packed = deflateSync(Buffer.concat(lines), { level: 1 });
  const parts: Buffer[] = [];
  for (let at = 0; at < packed.length; at += 1 << 13) {
    parts.push(chunk("IDAT", packed.subarray(at, at + (1 << 13))));
  }
  const head = Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...parts,
    chunk("IEND", new Uint8Array(0)),
  ]);
  return { name: interlaced ? "interlaced.png" : "x.png", head, size: head.length };
}

function metaImage(rows: number, columns: number): Uint8Array {
  const lines = ["ObjectType = Image", "NDims = 2", `DimSize = ${columns} ${rows}`];
  lines.push("BinaryData = True", "BinaryDataByteOrderMSB = False", "ElementType = MET_FLOAT");
  return Buffer.from([...lines, "ElementDataFile = LOCAL", ""].join("\n"));
}

function nrrd(rows: number, columns: number): Uint8Array {
  const lines = ["NRRD0004", "type: float", "dimension: 2", `sizes: ${rows} ${columns}`];
  return Buffer.from([...lines, "endian: little", "encoding: raw", "", ""].join("\n"));
}

function safetensors(rows: number, columns: number, size: number): Uint8Array {
  const about = { dtype: "F32", shape: [rows, columns], data_offsets: [0, size] };
  const text = JSON.stringify({ x: about });
  return new Bytes().uint(8, text.length).add(text).all;
}

/** One strip of the whole image, as some writers make it. */
function bigTiff(rows: number, columns: number, size: number): Uint8Array {
  const fields = [
    [256, columns],
    [257, rows],
    [258, 32],
    [259, 1],
    [273, 16 + 8 + 7 * 20 + 8],
    [279, size],
    [339, 3],
  ] as const;
  const head = new Bytes().add("II").uint(2, 43, 8, 0).uint(8, 16, fields.length);
  for (const [tag, value] of fields) head.uint(2, tag, 16).uint(8, 1, value);
  return head.uint(8, 0).all;
}

function matlab4(rows: number, columns: number): Uint8Array {
  return new Bytes().uint(4, 10, rows, columns, 0, 2).add("x\0").all;
}

const NOWHERE = -1;
const LINKED_AT = 96;
const DATASET_AT = 192;

/** A file of the first version, up to `end`, with one dataset x; `layout` and `filters` are messages' contents. */
function hdf5With(
  rows: number,
  columns: number,
  layout: Bytes,
  filters: Bytes | null,
  end: number,
): Bytes {
  const head = new Bytes().add("\x89HDF\r\n\x1a\n").uint(1, 0, 0, 0, 0, 0, 8, 8, 0);
  head.uint(2, 4, 16).uint(4, 0).uint(8, 0, NOWHERE, end, NOWHERE);
  head.uint(8, 0, LINKED_AT).uint(4, 0, 0).uint(8, 0, 0);
  const links = new Bytes().uint(1, 0, 0).uint(8, NOWHERE, NOWHERE);
  const link = new Bytes().uint(1, 1, 0, 1).add("x").uint(8, DATASET_AT);
  const space = new Bytes().uint(1, 1, 2, 0, 0).uint(4, 0).uint(8, rows, columns);
  const type = new Bytes().uint(1, 0x11, 0x20, 0x1f, 0).uint(4, WIDTH).uint(2, 0, 32);
  type.uint(1, 23, 8, 0, 23).uint(4, 127);
  const object = (messages: readonly (readonly [number, Bytes])[]): Uint8Array => {
    const body = new Bytes();
    for (const [kind, contents] of messages) {
      contents.upTo(8 * Math.ceil(contents.length / 8));
      body.uint(2, kind, contents.length).uint(4, 0).add(contents.all);
    }
    const own = new Bytes().uint(1, 1, 0).uint(2, messages.length).uint(4, 1, body.length, 0);
    return own.add(body.all).all;
  };
  head.upTo(LINKED_AT).add(
    object([
      [2, links],
      [6, link],
    ]),
  );
  return head
    .upTo(DATASET_AT)
    .add(
      object([
        [1, space],
        [3, type],
        [5, new Bytes().uint(1, 2, 2, 0, 0)],
        [8, layout],
        ...(filters === null ? [] : [[11, filters] as const]),
      ]),
    );
}

const HDF5_HEAD_BYTES = 512;

function hdf5(rows: number, columns: number, size: number): Uint8Array {
  const layout = new Bytes().uint(1, 3, 1).uint(8, HDF5_HEAD_BYTES, size);
  return hdf5With(rows, columns, layout, null, HDF5_HEAD_BYTES + size).upTo(HDF5_HEAD_BYTES).all;
}

/** In chunks that are one packed chunk, named again and again. */
export function chunkedHdf5(
  rows: number,
  columns: number,
  [height, width]: readonly [number, number],
): LargeFile {
  const layout = new Bytes()
    .uint(1, 3, 2, 3)
    .uint(8, HDF5_HEAD_BYTES)
    .uint(4, height, width, WIDTH);
  const filters = new Bytes().uint(1, 1, 1).upTo(8).uint(2, 1, 0, 0, 1).uint(4, 1, 0);
  const values = Float32Array.from({ length: height * width }, (_, k) => Math.sin(k * k));
  const packed = deflateSync(new Uint8Array(values.buffer), { level: 1 });
  const count = Math.ceil(rows / height) * Math.ceil(columns / width);
  const packedAt = HDF5_HEAD_BYTES + 24 + count * 40 + 32;
  const head = hdf5With(rows, columns, layout, filters, packedAt + packed.length).upTo(
    HDF5_HEAD_BYTES,
  );
  head.add("TREE").uint(1, 1, 0).uint(2, count).uint(8, NOWHERE, NOWHERE);
  const keyAt = (row: number, column: number): Uint8Array =>
    new Bytes().uint(4, packed.length, 0).uint(8, row, column, 0).all;
  for (let row = 0; row < rows; row += height) {
    for (let column = 0; column < columns; column += width) {
      head.add(keyAt(row, column)).uint(8, packedAt);
    }
  }
  const all = head.add(keyAt(rows, 0)).upTo(packedAt).add(packed).all;
  return { name: "chunked.h5", member: "x", head: all, size: all.length };
}

const BASE_ADDRESS_AT = 24;
const USER_BLOCK_BYTES = 512;

/** The same as MATLAB's version 7.3 has it: behind a block of its own, from which addresses count. */
export function matlab73({ head, size, member }: LargeFile): LargeFile {
  const block = new Bytes().add("MATLAB 7.3 MAT-file").upTo(USER_BLOCK_BYTES);
  const base = new Bytes().uint(8, USER_BLOCK_BYTES).all;
  const all = Buffer.concat([block.all, head]);
  all.set(base, USER_BLOCK_BYTES + BASE_ADDRESS_AT);
  return { name: "version73.mat", member: member!, head: all, size: size + USER_BLOCK_BYTES };
}

/** What torch.save writes of {"x": a tensor}. */
function pickled(rows: number, columns: number): Uint8Array {
  const long = (value: number): Bytes => new Bytes().add("\x8a\x08").uint(8, value);
  const text = (value: string): Bytes => new Bytes().add("X").uint(4, value.length).add(value);
  const bytes = new Bytes().add(
    "\x80\x02}",
    text("x").all,
    "ctorch._utils\n_rebuild_tensor_v2\n((",
  );
  bytes.add(text("storage").all, "ctorch\nFloatStorage\n", text("0").all, text("cpu").all);
  bytes.add(long(rows * columns).all, "tQK\0", long(rows).all, long(columns).all, "\x86");
  bytes.add(long(columns).all, "K\x01\x86\x89ccollections\nOrderedDict\n)RtRs.");
  return bytes.all;
}

/** A ZIP64 archive whose last member goes on with the elements after what is given of it. */
function archive(
  name: string,
  member: string,
  members: readonly (readonly [path: string, start: Uint8Array])[],
  size: number,
): LargeFile {
  const head = new Bytes();
  const directory = new Bytes();
  members.forEach(([path, start], k) => {
    const isLast = k === members.length - 1;
    const bytes = start.length + (isLast ? size : 0);
    const at = head.length;
    const sum = isLast ? sumOfZeros(size, crc32(start)) : crc32(start);
    head.add("PK\x03\x04").uint(2, 45, 0, 0, 0, 0).uint(4, sum, -1, -1);
    head.uint(2, path.length, 20).add(path).uint(2, 1, 16).uint(8, bytes, bytes).add(start);
    directory.add("PK\x01\x02").uint(2, 45, 45, 0, 0, 0, 0).uint(4, sum, -1, -1);
    directory.uint(2, path.length, 28, 0, 0, 0).uint(4, 0, -1).add(path);
    directory.uint(2, 1, 24).uint(8, bytes, bytes, at);
  });
  const start = head.length + size;
  const count = members.length;
  const tail = new Bytes().add(directory.all, "PK\x06\x06").uint(8, 44).uint(2, 45, 45);
  tail.uint(4, 0, 0).uint(8, count, count, directory.length, start);
  tail
    .add("PK\x06\x07")
    .uint(4, 0)
    .uint(8, start + directory.length)
    .uint(4, 1);
  tail.add("PK\x05\x06").uint(2, 0, 0, -1, -1).uint(4, -1, -1).uint(2, 0);
  const bytes = tail.all;
  return { name, member, head: head.all, tail: bytes, size: start + bytes.length, elementsAt: head.length }; // prettier-ignore
}

/** Larger members are not unpacked, and so their checksum is not looked at. */
const MOST_SUMMED = 2 ** 28;

function sumOfZeros(count: number, before: number): number {
  if (count > MOST_SUMMED) return 0;
  const zeros = new Uint8Array(2 ** 20);
  let sum = before;
  for (let left = count; left > 0; left -= zeros.length) {
    sum = crc32(zeros.subarray(0, left), sum);
  }
  return sum;
}
