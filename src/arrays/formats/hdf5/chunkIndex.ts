/**
 * Where a dataset's chunks are: the indexes that HDF5 keeps of them. Source: the specification,
 * sections III.A, III.C and VII, and IV.A.2.i.
 */
import type { Fields, Hdf5File } from "./file.ts";
import { bTreeRecords } from "./bTree.ts";
import { treeLeaves } from "./groups.ts";
import type { Refuse } from "./types.ts";

/** A chunk as it is stored. */
export interface Chunk {
  readonly address: number;
  readonly size: number;
  /** Bits of the filters that were left out. */
  readonly skipped: number;
  /** The index of its first element. */
  readonly start: readonly number[];
}

/** How a dataset is cut into chunks. */
export interface Grid {
  readonly shape: readonly number[];
  /** What its lengths may grow to; Infinity where that is open. */
  readonly limits: readonly number[];
  readonly chunk: readonly number[];
  /** Of a chunk that is not packed. */
  readonly chunkBytes: number;
}

/** The chunks that are there, in the index's order. */
export type ChunkIndex = (file: Hdf5File, grid: Grid) => Iterable<Chunk>;

type Stored = Omit<Chunk, "start">;

const INDEX = "an index of chunks";

const nothing: ChunkIndex = () => [];

/** The index in a layout message of version 3: a tree. */
export function treeIndex(address: number | undefined): ChunkIndex {
  if (address === undefined) return nothing;
  return function* (file, { chunk }) {
    for (const { key, child } of treeLeaves(file, address, 1, 8 + 8 * (chunk.length + 1))) {
      const size = key.uint(4);
      const skipped = key.uint(4);
      yield { address: child, size, skipped, start: chunk.map(() => key.uint(8)) };
    }
  };
}

/** The index in a layout message of version 4, from its kind on. @throws ArrayError */
export function newIndex(fields: Fields, flags: number, refuse: Refuse): ChunkIndex {
  const kind = fields.uint(1);
  const packed = kind === 1 && (flags & 2) !== 0;
  const size = packed ? fields.length() : null;
  const skipped = packed ? fields.uint(4) : 0;
  // What the others say of their own form stands at the index as well.
  fields.skip([0, 0, 0, 1, 5, 6][kind] ?? 0);
  const address = fields.offset();
  if (address === undefined) return nothing;
  switch (kind) {
    case 1:
      return (_, { chunk, chunkBytes }) => [
        { address, size: size ?? chunkBytes, skipped, start: chunk.map(() => 0) },
      ];
    case 2:
      return (_, grid) =>
        onGrid(grid, null, (k) => ({
          address: address + k * grid.chunkBytes,
          size: grid.chunkBytes,
          skipped: 0,
        }));
    case 3:
      return (file, grid) => onGrid(grid, null, fixedArray(file, address, grid));
    case 4:
      return (file, grid) => {
        const open = grid.limits.indexOf(Infinity);
        return onGrid(grid, open < 0 ? null : open, extensibleArray(file, address, grid));
      };
    case 5:
      return (file, grid) => fromTree(file, address, grid);
    default:
      throw refuse(`chunks that are found in a way that is not known (${String(kind)})`);
  }
}

/**
 * The chunks of a grid whose index numbers them in the order of rows.
 * @param first an axis that is counted before all others
 */
function* onGrid(
  { shape, limits, chunk }: Grid,
  first: number | null,
  at: (k: number) => Stored | null,
): Generator<Chunk> {
  const counts = shape.map((n, axis) => Math.ceil(n / chunk[axis]!));
  const all = limits.map((n, axis) => Math.ceil(n / chunk[axis]!));
  const axes = shape.map((_, axis) => axis);
  if (first !== null) axes.unshift(...axes.splice(first, 1));
  const place = shape.map(() => 0);
  const total = counts.reduce((n, c) => n * c, 1);
  for (let done = 0; done < total; done++) {
    const k = axes.reduce((sum, axis, i) => (i === 0 ? 0 : sum * all[axis]!) + place[axis]!, 0);
    const stored = at(k);
    if (stored !== null) yield { ...stored, start: place.map((p, axis) => p * chunk[axis]!) };
    for (let axis = place.length - 1; axis >= 0; axis--) {
      place[axis]!++;
      if (place[axis]! < counts[axis]!) break;
      place[axis] = 0;
    }
  }
}

/** An index's header or block. */
function block(file: Hdf5File, address: number, signature: string, bytes: number): Fields {
  const fields = file.signed(address, signature, bytes, INDEX);
  fields.skip(1);
  return fields;
}

/** Reads an entry: an address, and of a packed chunk its size and the filters left out. */
function entryReader(
  file: Hdf5File,
  isPacked: boolean,
  entryBytes: number,
  { chunkBytes }: Grid,
): (fields: Fields, k: number) => Stored | null {
  const sizeBytes = entryBytes - file.offsetBytes - 4;
  return (fields, k) => {
    fields.position = k * entryBytes;
    const address = fields.offset();
    if (address === undefined) return null;
    return isPacked
      ? { address, size: fields.uint(sizeBytes), skipped: fields.uint(4) }
      : { address, size: chunkBytes, skipped: 0 };
  };
}

/** Entries in pages that are read when they are asked for; those never written are not there. */
function pages(
  file: Hdf5File,
  start: number,
  isThere: (page: number) => boolean,
  { count, perPage, entryBytes }: { count: number; perPage: number; entryBytes: number },
): (k: number) => Fields | null {
  const known = new Map<number, Fields | null>();
  return (k) => {
    const page = Math.floor(k / perPage);
    let fields = known.get(page);
    if (fields === undefined) {
      const entries = Math.min(perPage, count - page * perPage);
      const at = start + page * (perPage * entryBytes + 4);
      fields = isThere(page) ? file.at(at, entries * entryBytes, INDEX) : null;
      known.set(page, fields);
    }
    return fields;
  };
}

/** Whether a bit is set, counted from the highest one of the first byte. */
function bitIn(bytes: Uint8Array, k: number): boolean {
  return ((bytes[k >> 3] ?? 0) & (0x80 >> (k & 7))) !== 0;
}

/** Section VII.A: for lengths that are fixed. */
function fixedArray(file: Hdf5File, address: number, grid: Grid): (k: number) => Stored | null {
  const { offsetBytes: O, lengthBytes: L } = file;
  const head = block(file, address, "FAHD", 8 + L + O);
  const isPacked = head.uint(1) === 1;
  const entryBytes = head.uint(1);
  const perPage = 2 ** head.uint(1);
  const count = head.length();
  const data = head.offset();
  if (data === undefined) return () => null;
  const read = entryReader(file, isPacked, entryBytes, grid);
  if (count <= perPage) {
    block(file, data, "FADB", 6 + O);
    const all = file.at(data + 6 + O, count * entryBytes, INDEX);
    return (k) => (k < count ? read(all, k) : null);
  }
  const bitmapBytes = Math.ceil(count / perPage / 8);
  const prefix = block(file, data, "FADB", 6 + O + bitmapBytes);
  prefix.skip(1 + O);
  const bitmap = prefix.part(bitmapBytes).bytes;
  const size = { count, perPage, entryBytes };
  const page = pages(file, data + 10 + O + bitmapBytes, (p) => bitIn(bitmap, p), size);
  return (k) => {
    const fields = k < count ? page(k) : null;
    return fields === null ? null : read(fields, k % perPage);
  };
}

/** Section VII.B: for one length that is open. Blocks double their size at every second step. */
function extensibleArray(
  file: Hdf5File,
  address: number,
  grid: Grid,
): (k: number) => Stored | null {
  const { offsetBytes: O, lengthBytes: L } = file;
  const head = block(file, address, "EAHD", 12 + 6 * L + O);
  const isPacked = head.uint(1) === 1;
  const entryBytes = head.uint(1);
  const maxBits = head.uint(1);
  const inIndex = head.uint(1);
  const smallest = head.uint(1);
  const pointers = head.uint(1);
  const perPage = 2 ** head.uint(1);
  head.skip(6 * L);
  const root = head.offset();
  if (root === undefined) return () => null;
  if (smallest === 0 || pointers === 0) throw file.damaged("an index of chunks is empty", address);
  const read = entryReader(file, isPacked, entryBytes, grid);
  const steps = 1 + maxBits - Math.floor(Math.log2(smallest));
  const direct = 2 * Math.floor(Math.log2(pointers));
  const directBlocks = 2 * (pointers - 1);
  const far = Math.max(0, steps - direct);
  const bytes = 6 + O + inIndex * entryBytes + (directBlocks + far) * O;
  const index = block(file, root, "EAIB", bytes);
  index.skip(1 + O);
  const own = index.part(inIndex * entryBytes);
  const blocks = Array.from({ length: directBlocks }, () => index.offset());
  const superBlocks = Array.from({ length: far }, () => index.offset());
  const prefixBytes = 6 + O + Math.ceil(maxBits / 8);

  const dataBlock = (at: number, entries: number): ((k: number) => Fields | null) => {
    block(file, at, "EADB", prefixBytes);
    const all = file.at(at + prefixBytes, entries * entryBytes, INDEX);
    return () => all;
  };
  const superBlock = (
    at: number,
    step: number,
  ): ((i: number) => ((k: number) => Fields | null) | null) => {
    const count = 2 ** Math.floor(step / 2);
    const entries = 2 ** Math.ceil(step / 2) * smallest;
    const isPaged = entries > perPage;
    const ownPages = isPaged ? entries / perPage : 0;
    const bitmapBytes = Math.ceil(ownPages / 8) * count;
    const fields = block(file, at, "EASB", prefixBytes + bitmapBytes + count * O);
    fields.skip(prefixBytes - 5);
    // The bits of all blocks follow each other.
    const bitmap = fields.part(bitmapBytes).bytes;
    const addresses = Array.from({ length: count }, () => fields.offset());
    return (i) => {
      const data = addresses[i];
      if (data === undefined) return null;
      if (!isPaged) return dataBlock(data, entries);
      block(file, data, "EADB", prefixBytes);
      const size = { count: entries, perPage, entryBytes };
      return pages(file, data + prefixBytes + 4, (p) => bitIn(bitmap, i * ownPages + p), size);
    };
  };
  const readBlocks = new Map<string, ((k: number) => Fields | null) | null>();
  const readSupers = new Map<number, ReturnType<typeof superBlock> | null>();
  const found = <K, V>(known: Map<K, V>, key: K, make: () => V): V => {
    if (!known.has(key)) known.set(key, make());
    return known.get(key)!;
  };

  return (k) => {
    if (k < inIndex) return read(own, k);
    const rest = k - inIndex;
    const step = Math.floor(Math.log2(Math.floor(rest / smallest) + 1));
    const within = rest - (2 ** step - 1) * smallest;
    const entries = 2 ** Math.ceil(step / 2) * smallest;
    const i = Math.floor(within / entries);
    const data = found(readBlocks, `${String(step)} ${String(i)}`, () => {
      if (step < direct) {
        // Blocks of the steps before it: 2^⌊s/2⌋ at step s.
        let before = 0;
        for (let s = 0; s < step; s++) before += 2 ** Math.floor(s / 2);
        const at = blocks[before + i];
        return at === undefined ? null : dataBlock(at, entries);
      }
      const at = superBlocks[step - direct];
      const above = found(readSupers, step, () => (at === undefined ? null : superBlock(at, step)));
      return above?.(i) ?? null;
    });
    const e = within % entries;
    const fields = data?.(e) ?? null;
    return fields === null ? null : read(fields, entries > perPage ? e % perPage : e);
  };
}

/** Section III.A.2: for several lengths that are open. */
function* fromTree(file: Hdf5File, address: number, { chunk, chunkBytes }: Grid): Generator<Chunk> {
  for (const { kind, record } of bTreeRecords(file, address)) {
    const at = record.offset();
    const isPacked = kind === 11;
    const size = isPacked
      ? record.uint(record.bytes.length - file.offsetBytes - 4 - 8 * chunk.length)
      : chunkBytes;
    const skipped = isPacked ? record.uint(4) : 0;
    const start = chunk.map((n) => record.uint(8) * n);
    if (at !== undefined) yield { address: at, size, skipped, start };
  }
}
