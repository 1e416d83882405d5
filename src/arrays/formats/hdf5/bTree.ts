/** Trees of version 2, in which newer HDF5 files keep chunks. Source: the specification, section III.A.2. */
import type { Fields, Hdf5File } from "./file.ts";

/** Signature, version, kind and checksum of a node. */
const NODE_BYTES = 10;
const MAX_DEPTH = 32;
const NODE = "a node of a tree";

export interface TreeRecord {
  /** What the tree holds; 10 and 11 are chunks. */
  readonly kind: number;
  readonly record: Fields;
}

/** All records of a tree, in order. @throws ArrayError if it is none */
export function* bTreeRecords(file: Hdf5File, address: number): Generator<TreeRecord> {
  const { offsetBytes: O, lengthBytes: L } = file;
  const head = file.signed(address, "BTHD", 22 + O + L, NODE);
  head.skip(1);
  const kind = head.uint(1);
  const nodeBytes = head.uint(4);
  const recordBytes = head.uint(2);
  const depth = head.uint(2);
  head.skip(2);
  const root = head.offset();
  const inRoot = head.uint(2);
  if (root === undefined) return;
  if (recordBytes === 0 || depth > MAX_DEPTH) throw file.damaged("a tree has no form", address);
  const sizes = pointerSizes(file, nodeBytes, recordBytes, depth);
  const seen = new Set<number>();

  function* look(at: number, count: number, level: number): Generator<TreeRecord> {
    if (seen.has(at)) throw file.damaged("a tree in it goes back to itself", at);
    seen.add(at);
    const { counts, totals } = sizes[level]!;
    const pointerBytes = level === 0 ? 0 : (count + 1) * (O + counts + totals);
    const bytes = 6 + count * recordBytes + pointerBytes;
    const node = file.signed(at, level === 0 ? "BTLF" : "BTIN", bytes, NODE);
    node.skip(2);
    const records = Array.from({ length: count }, () => node.part(recordBytes));
    for (let i = 0; i <= count; i++) {
      if (level > 0) {
        const child = node.offset();
        const inChild = node.uint(counts);
        node.skip(totals);
        if (child === undefined) throw file.damaged("a tree in it leads nowhere", at);
        yield* look(child, inChild, level - 1);
      }
      if (i < count) yield { kind, record: records[i]! };
    }
  }
  yield* look(root, inRoot, depth);
}

/**
 * For each level, how many bytes the pointers of its nodes have for the records of a child, and for
 * all those below it.
 */
function pointerSizes(
  file: Hdf5File,
  nodeBytes: number,
  recordBytes: number,
  depth: number,
): { readonly counts: number; readonly totals: number }[] {
  const widthOf = (most: number): number => Math.floor(Math.log2(Math.max(1, most)) / 8) + 1;
  let most = Math.floor((nodeBytes - NODE_BYTES) / recordBytes);
  const counts = widthOf(most);
  const sizes = [{ counts, totals: 0 }];
  let totals = 0;
  for (let level = 1; level <= depth; level++) {
    sizes.push({ counts, totals });
    const pointer = file.offsetBytes + counts + totals;
    const own = Math.floor((nodeBytes - NODE_BYTES - pointer) / (recordBytes + pointer));
    most = (own + 1) * most + own;
    totals = widthOf(most);
  }
  return sizes;
}
