/** A dataset of an HDF5 file, and its elements. Source: the specification, sections III.A and IV.A.2. */
import { dtypes } from "../../dtype.ts";
import { arrayOf } from "../../elements.ts";
import { arrayBytes, bytesAt, checkThere, damaged, refusal } from "../../fileErrors.ts";
import { MAX_DEFLATE_RATIO } from "../../inflate.ts";
import type { ArrayInFile, ReadOptions } from "../../members.ts";
import { elementCount, type ArrayError } from "../../ndarray.ts";
import { readAhead, sourceOf, type Tick } from "../../source.ts";
import { BLOCK_BYTES, type PutBytes, type StoredElements } from "../../stored.ts";
import { HDF5_REMEDY, MESSAGE, type Fields, type Hdf5File } from "./file.ts";
import { filtersOf, unfiltered, type Filter } from "./filters.ts";
import { type ChunkIndex, newIndex, treeIndex } from "./chunkIndex.ts";
import type { Dataset } from "./groups.ts";
import {
  elementType,
  limitsOf,
  shapeOf,
  withAllBits,
  type ElementType,
  type Refuse,
} from "./types.ts";

/** Where a dataset's elements are. */
type Storage =
  | { readonly kind: "here"; readonly bytes: Uint8Array }
  | { readonly kind: "whole"; readonly address: number | undefined }
  | { readonly kind: "chunks"; readonly chunk: readonly number[]; readonly index: ChunkIndex };

interface Description extends ElementType {
  readonly shape: readonly number[];
  /** What its lengths may grow to. */
  readonly limits: readonly number[];
  readonly storage: Storage;
  readonly filters: readonly Filter[];
  /** What stands where nothing was written: one element, or nothing for zero. */
  readonly fill: Uint8Array;
  readonly label: string;
}

/**
 * A dataset's shape and dtype, and how to read it.
 *
 * @param isReversed whether its axes are given from the last to the first, as who wrote it has them
 * @throws ArrayError if it holds no numbers
 */
export function openDataset(
  file: Hdf5File,
  dataset: Dataset,
  member: string,
  options: ReadOptions,
  isReversed = false,
): ArrayInFile {
  const description = describe(file, dataset, `${file.name}[${member}]`);
  const { dtype, littleEndian, label } = description;
  const shape = isReversed ? description.shape.toReversed() : description.shape;
  const layout = { dtype, shape, littleEndian, fortranOrder: isReversed };
  return {
    dtype,
    shape,
    stored: () => ({ layout, bytes: storedElements(file, description) }),
    read: () => {
      arrayBytes(dtype, shape, label, options, { file: file.name });
      file.startOver();
      const bytes = allBits(description, readElements(file, description, options.tick));
      const origin = { kind: "file", path: file.name, member } as const;
      return arrayOf(bytes, layout, origin, undefined, options.tick);
    },
  };
}

function describe(file: Hdf5File, { messages, address }: Dataset, label: string): Description {
  const refuse: Refuse = (what) =>
    refusal(`${label} holds ${what}.`, label, {
      file: file.name,
      byteOffset: address,
      remedy: HDF5_REMEDY,
    });
  const fieldsOf = (type: number): Fields | undefined => {
    const message = messages.find((candidate) => candidate.type === type);
    if (message?.shared === true) return sharedFields(file, message.fields.again(), type, refuse);
    // Their position moves as they are read, and a dataset may be opened again.
    return message?.fields.again();
  };
  const needed = (type: number, what: string): Fields => {
    const fields = fieldsOf(type);
    if (fields === undefined) throw damaged(label, `it has no ${what}`, { file: file.name });
    return fields;
  };
  const type = elementType(needed(MESSAGE.datatype, "element type"), refuse);
  const shape = shapeOf(needed(MESSAGE.dataspace, "shape"));
  if (shape === undefined) throw refuse("no elements at all (an empty dataspace)");
  if (fieldsOf(MESSAGE.externalFiles) !== undefined) throw refuse("elements in other files");
  const filters = fieldsOf(MESSAGE.filters);
  return {
    ...type,
    shape,
    limits: limitsOf(needed(MESSAGE.dataspace, "shape")) ?? shape,
    storage: storageOf(needed(MESSAGE.layout, "layout"), refuse),
    filters: filters === undefined ? [] : filtersOf(filters, refuse),
    fill: fillOf(fieldsOf(MESSAGE.fillValue), fieldsOf(MESSAGE.oldFillValue)),
    label,
  };
}

/** A message that stands at another object, such as an element type that is saved under a name. */
function sharedFields(file: Hdf5File, fields: Fields, type: number, refuse: Refuse): Fields {
  const version = fields.uint(1);
  const kind = fields.uint(1);
  if (version === 1) fields.skip(6);
  const address = version === 3 && kind !== COMMITTED ? undefined : fields.offset();
  const found =
    address === undefined
      ? undefined
      : file.messages(address).find((message) => message.type === type);
  if (found === undefined || found.shared) {
    throw refuse("elements that are described elsewhere, in a form that is not read");
  }
  return found.fields.again();
}

/** Of the places where version 3 has shared messages, that of another object's header. */
const COMMITTED = 2;

function storageOf(fields: Fields, refuse: Refuse): Storage {
  const version = fields.uint(1);
  if (version < 3) throw refuse("elements laid out as before HDF5 1.6.3, which is not read");
  const kind = fields.uint(1);
  if (kind === 0) return { kind: "here", bytes: fields.part(fields.uint(2)).bytes };
  if (kind === 1) return { kind: "whole", address: fields.offset() };
  if (kind !== 2) throw refuse("parts of other datasets (a virtual dataset), which are not read");
  if (version === 3) {
    const axes = fields.uint(1);
    const index = treeIndex(fields.offset());
    return { kind: "chunks", chunk: chunkShape(fields, axes, 4), index };
  }
  if (version > 5) throw refuse("elements laid out in a form that is not known");
  const flags = fields.uint(1);
  const chunk = chunkShape(fields, fields.uint(1), fields.uint(1));
  if (flags & 1) throw refuse("chunks of which those at the edge are not packed, not read here");
  return { kind: "chunks", chunk, index: newIndex(fields, flags, refuse) };
}

/** Without the last length, which is an element's. */
function chunkShape(fields: Fields, axes: number, width: number): number[] {
  return Array.from({ length: axes }, () => fields.uint(width)).slice(0, -1);
}

function fillOf(fields: Fields | undefined, old: Fields | undefined): Uint8Array {
  if (fields !== undefined) {
    const version = fields.uint(1);
    if (version === 3) {
      if (fields.uint(1) & 0x20) return fields.part(fields.uint(4)).bytes;
    } else {
      fields.skip(2);
      const defined = fields.uint(1) !== 0;
      if (version === 1 || defined) return fields.part(fields.uint(4)).bytes;
    }
  } else if (old !== undefined) {
    return old.part(old.uint(4)).bytes;
  }
  return new Uint8Array(0);
}

/** Elements with the bits that their type leaves out. */
function allBits({ dtype, littleEndian, bits }: Description, bytes: Uint8Array): Uint8Array {
  return bits === undefined ? bytes : withAllBits(bytes, dtype, littleEndian, bits);
}

/** How the elements lie in the file: one after the other, or in chunks that are unpacked one by one. */
function storedElements(file: Hdf5File, description: Description): StoredElements["bytes"] {
  const { shape, dtype, storage, label } = description;
  const size = elementCount(shape) * dtypes[dtype].bytes;
  if (storage.kind === "whole" && storage.address !== undefined) {
    const { address } = storage;
    const { source, name } = file;
    checkThere(source, address, size, "elements", label, { file: name });
    if (description.bits === undefined) {
      return { kind: "flat", source, offset: address };
    }
    const unpack = (put: PutBytes, tick: Tick): void => {
      for (let at = 0; at < size; at += BLOCK_BYTES) {
        const length = Math.min(BLOCK_BYTES, size - at);
        const block = bytesAt(source, address + at, length, "elements", label, { file: name });
        put(at, allBits(description, block));
        tick((at + length) / size);
      }
    };
    return { kind: "packed", packing: "bits", unpack };
  }
  if (storage.kind === "here") {
    const source = sourceOf(allBits(description, readElements(file, description)));
    return { kind: "flat", source, offset: 0 };
  }
  checkHolds(file, description, size);
  const unpack = (give: PutBytes, tick: Tick): void => {
    const put: PutBytes = (at, part) => {
      give(at, allBits(description, part));
    };
    file.startOver();
    if (description.fill.some((byte) => byte !== 0)) {
      const { fill } = description;
      const block = filled(Math.floor(BLOCK_BYTES / fill.length) * fill.length, fill);
      for (let at = 0; at < size; at += block.length) {
        tick(0);
        put(at, block.subarray(0, size - at));
      }
    }
    eachRun(file, description, put, tick);
  };
  return { kind: "packed", packing: "chunks", unpack };
}

function readElements(file: Hdf5File, description: Description, tick?: Tick): Uint8Array {
  const { dtype, shape, storage, label } = description;
  const size = elementCount(shape) * dtypes[dtype].bytes;
  if (storage.kind === "here") {
    if (storage.bytes.length >= size) return storage.bytes.subarray(0, size);
    throw damaged(label, `it has ${String(storage.bytes.length)} bytes, not ${String(size)}`, {
      file: file.name,
    });
  }
  if (storage.kind === "whole" && storage.address !== undefined) {
    return bytesAt(file.source, storage.address, size, "elements", label, { file: file.name });
  }
  checkHolds(file, description, size);
  const out = filled(size, description.fill);
  eachRun(
    file,
    description,
    (at, run) => {
      out.set(run, at);
    },
    tick ?? (() => undefined),
  );
  return out;
}

/** @throws ArrayError if the file cannot hold so much */
function checkHolds(file: Hdf5File, { shape, storage, dtype, label }: Description, size: number) {
  const chunk = chunkOf(storage);
  const chunkBytes = elementCount(chunk) * dtypes[dtype].bytes;
  const across = shape.map((length, axis) => Math.ceil(length / (chunk[axis] ?? length)));
  // Chunks may overlap in the file, and need not be there at all: only the file as a whole is a bound.
  const largest = Math.max(size, storage.kind === "whole" ? 0 : elementCount(across) * chunkBytes);
  if (!(largest <= file.source.size * MAX_DEFLATE_RATIO)) throw cannotHold(file, label, largest);
}

function chunkOf(storage: Storage): readonly number[] {
  return storage.kind === "chunks" ? storage.chunk : [];
}

/** Unpacks the chunks one by one, and gives what of them lies in the array, run by run. */
function eachRun(file: Hdf5File, description: Description, put: PutBytes, tick: Tick): void {
  const { dtype, shape, limits, storage, label } = description;
  const count = elementCount(shape);
  if (storage.kind === "here" || storage.kind === "whole" || count === 0) return;
  const { chunk } = storage;
  const chunkBytes = elementCount(chunk) * dtypes[dtype].bytes;
  checkHolds(file, description, count * dtypes[dtype].bytes);
  if (chunk.length !== shape.length || chunkBytes === 0) {
    throw damaged(label, "its chunks have another number of axes", { file: file.name });
  }
  const across = shape.map((length, axis) => Math.ceil(length / chunk[axis]!));
  // Chunks by their numbers, row by row: there may be millions.
  const taken = new Set<number>();
  const source = readAhead(file.source);
  for (const stored of storage.index(file, { shape, limits, chunk, chunkBytes })) {
    const key = stored.start.reduce((k, first, d) => k * across[d]! + first / chunk[d]!, 0);
    const inside = stored.start.every(
      (first, axis) => first < shape[axis]! && Number.isInteger(first / chunk[axis]!),
    );
    if (!inside || taken.has(key)) {
      // Chunks may be left over from when the dataset was larger.
      if (!taken.has(key)) continue;
      throw damaged(label, `it has two chunks at ${stored.start.join()}`, { file: file.name });
    }
    taken.add(key);
    const place = { label, file: file.name, byteOffset: stored.address };
    const packed = bytesAt(source, stored.address, stored.size, "a chunk", label, place);
    const elementBytes = dtypes[dtype].bytes;
    const { filters } = description;
    const bytes = unfiltered(packed, filters, stored.skipped, chunkBytes, elementBytes, place);
    placeChunk(bytes, chunk, stored.start, put, shape, elementBytes);
    tick(Math.min(1, (taken.size * elementCount(chunk)) / count));
  }
}

function cannotHold(file: Hdf5File, label: string, size: number): ArrayError {
  return damaged(
    label,
    `a file of ${String(file.source.size)} bytes cannot hold the ${String(size)} that it asks for`,
    { file: file.name },
  );
}

function filled(size: number, fill: Uint8Array): Uint8Array {
  const out = new Uint8Array(size);
  if (fill.length > 0 && fill.some((byte) => byte !== 0)) {
    for (let at = 0; at + fill.length <= size; at += fill.length) out.set(fill, at);
  }
  return out;
}

/** Gives the part of a chunk that lies in the array, a run along the last axis at a time. */
function placeChunk(
  bytes: Uint8Array,
  chunk: readonly number[],
  start: readonly number[],
  put: PutBytes,
  shape: readonly number[],
  elementBytes: number,
): void {
  const axes = shape.length;
  const used = chunk.map((length, axis) => Math.min(length, shape[axis]! - start[axis]!));
  const runBytes = (used[axes - 1] ?? 1) * elementBytes;
  const runs = elementCount(used.slice(0, -1));
  const index = new Array<number>(Math.max(0, axes - 1)).fill(0);
  for (let run = 0; run < runs; run += 1) {
    let from = 0;
    let to = 0;
    for (let axis = 0; axis < axes; axis += 1) {
      const i = index[axis] ?? 0;
      from = from * chunk[axis]! + i;
      to = to * shape[axis]! + start[axis]! + i;
    }
    put(to * elementBytes, bytes.subarray(from * elementBytes, from * elementBytes + runBytes));
    for (let axis = axes - 2; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      if (index[axis]! < used[axis]!) break;
      index[axis] = 0;
    }
  }
}
