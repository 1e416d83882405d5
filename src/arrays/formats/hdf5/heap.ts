/**
 * A fractal heap, in which newer HDF5 files keep the links of a group that has many. Source: the
 * specification, section III.G.
 */
import { latin1 } from "../../source.ts";
import type { Fields, Hdf5File } from "./file.ts";

const MAX_BLOCKS = 100_000;
const MAX_ROWS = 64;

/** A stretch of the heap. */
interface Block {
  /** Where it begins in the heap. */
  readonly start: number;
  readonly size: number;
  readonly address: number;
}

/**
 * Opens the heap at an address.
 * @returns what reads an object by its identifier; null for one that is kept elsewhere
 * @throws ArrayError if there is none
 */
export function openHeap(file: Hdf5File, address: number): (id: Fields) => Fields | null {
  const { offsetBytes: O, lengthBytes: L } = file;
  const head = file.at(address, 22 + 12 * L + 3 * O, "a heap");
  const refuse = (what: string): never => {
    throw file.damaged(`a heap in it ${what}`, address);
  };
  if (latin1(head.part(4).bytes) !== "FRHP") refuse("is not there");
  head.skip(3);
  if (head.uint(2) !== 0) {
    throw file.refused("keeps a group's members packed, which is not read.", address);
  }
  head.skip(1);
  const largestObject = head.uint(4);
  head.skip(10 * L + 2 * O);
  const width = head.uint(2);
  const smallest = head.length();
  const largest = head.length();
  const bits = head.uint(2);
  head.skip(2);
  const root = head.offset();
  const rows = head.uint(2);
  if (width === 0 || smallest === 0 || largest < smallest) refuse("has no form");

  const offsetBytes = Math.ceil(bits / 8);
  const ofBlock = Math.floor((Math.floor(Math.log2(largest)) + 7) / 8);
  const ofObject = Math.floor(Math.log2(Math.max(1, largestObject)) / 8) + 1;
  const lengthBytes = Math.min(ofBlock, ofObject);
  const directRows = Math.floor(Math.log2(largest / smallest)) + 2;
  const rowSize = (row: number): number => smallest * 2 ** Math.max(0, row - 1);

  const blocks: Block[] = [];
  const look = (at: number, first: number, rowCount: number, depth: number): void => {
    if (depth > MAX_ROWS || rowCount > MAX_ROWS) refuse("nests too deeply");
    const entries = rowCount * width;
    const node = file.at(at, 5 + O + offsetBytes + entries * O, "a heap's block");
    if (latin1(node.part(4).bytes) !== "FHIB") refuse("lacks a block");
    node.skip(1 + O + offsetBytes);
    let start = first;
    for (let row = 0; row < rowCount; row++) {
      const size = rowSize(row);
      for (let k = 0; k < width; k++) {
        const child = node.offset();
        if (child !== undefined && row < directRows) blocks.push({ start, size, address: child });
        else if (child !== undefined) {
          const below = Math.floor(Math.log2(size / (smallest * width))) + 1;
          look(child, start, below, depth + 1);
        }
        start += size;
        if (blocks.length > MAX_BLOCKS) refuse("has too many blocks");
      }
    }
  };
  if (root !== undefined) {
    if (rows === 0) blocks.push({ start: 0, size: smallest, address: root });
    else look(root, 0, rows, 0);
  }

  return (id) => {
    const kind = (id.uint(1) >> 4) & 3;
    if (kind !== 0) return null;
    const at = id.uint(offsetBytes);
    const length = id.uint(lengthBytes);
    const block = blocks.find((b) => b.start <= at && at + length <= b.start + b.size);
    if (block === undefined) return refuse("has no block for an object");
    return file.at(block.address + at - block.start, length, "an object of a heap");
  };
}
