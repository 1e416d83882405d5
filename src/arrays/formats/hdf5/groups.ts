/** The datasets in an HDF5 file's groups. Source: the specification, sections III.A to D, IV.A.2. */
import { latin1 } from "../../source.ts";
import { bTreeRecords } from "./bTree.ts";
import { openHeap } from "./heap.ts";
import { MESSAGE, type Hdf5File, type Message } from "./file.ts";

/** A dataset: its header's messages, and where that is. */
export interface Dataset {
  readonly address: number;
  readonly messages: readonly Message[];
}

const MAX_DEPTH = 64;
const MAX_OBJECTS = 100_000;
/** Characters of all paths. */
const MAX_PATHS = 2 ** 24;
/** Nodes of one group's tree. */
const MAX_NODES = 100_000;

/** All datasets by their path; one that has several paths has the first of them. */
export function datasetsOf(file: Hdf5File): Map<string, Dataset> {
  const datasets = new Map<string, Dataset>();
  const seen = new Set<number>();
  let characters = 0;
  const look = (address: number, path: readonly string[]): void => {
    // Links may lead back to where they came from.
    if (seen.has(address)) return;
    seen.add(address);
    const limits = path.length > MAX_DEPTH || seen.size > MAX_OBJECTS;
    if (limits || characters > MAX_PATHS) {
      throw file.refused("nests its groups too deeply or has too many objects.", address);
    }
    const messages = file.messages(address);
    if (messages.some(({ type }) => type === MESSAGE.layout)) {
      const member = path.join("/");
      characters += member.length;
      datasets.set(member, { address, messages });
      return;
    }
    for (const [name, member] of membersOf(file, messages)) look(member, [...path, name]);
  };
  look(file.root, []);
  return datasets;
}

/** The objects of a group by name, in the order of the file; what links to other files is left out. */
function membersOf(file: Hdf5File, messages: readonly Message[]): Map<string, number> {
  const members = new Map<string, number>();
  for (const { type, fields } of messages) {
    if (type === MESSAGE.symbolTable) {
      const tree = fields.offset();
      const heap = fields.offset();
      if (tree !== undefined && heap !== undefined) addTable(file, tree, heap, members);
    } else if (type === MESSAGE.link) {
      addLink(fields, members);
    } else if (type === MESSAGE.linkInfo) {
      fields.skip(1);
      const flags = fields.uint(1);
      if (flags & 1) fields.skip(8);
      const heap = fields.offset();
      const names = fields.offset();
      if (heap !== undefined && names !== undefined) addHeap(file, heap, names, members);
    }
  }
  return members;
}

function addLink(fields: Message["fields"], members: Map<string, number>): void {
  fields.skip(1);
  const flags = fields.uint(1);
  const kind = flags & 8 ? fields.uint(1) : 0;
  if (flags & 4) fields.skip(8);
  if (flags & 16) fields.skip(1);
  const length = fields.uint(1 << (flags & 3));
  const name = new TextDecoder().decode(fields.part(length).bytes);
  const address = kind === 0 ? fields.offset() : undefined;
  if (address !== undefined) members.set(name, address);
}

/** A group of many members in the new form: links in a heap, found by a tree of names. */
function addHeap(file: Hdf5File, heap: number, names: number, members: Map<string, number>): void {
  const object = openHeap(file, heap);
  for (const { record } of bTreeRecords(file, names)) {
    // The name's checksum.
    record.skip(4);
    const link = object(record.part(record.left));
    if (link !== null) addLink(link, members);
  }
}

/** A group in the old form: a tree of nodes that name entries in a heap. */
function addTable(file: Hdf5File, tree: number, heap: number, members: Map<string, number>): void {
  const { offsetBytes: O, lengthBytes: L } = file;
  const head = file.signed(heap, "HEAP", 8 + 2 * L + O, "a heap of names");
  head.skip(4);
  const size = head.length();
  head.skip(L);
  const names = file.at(head.offset() ?? 0, size, "a heap of names");
  for (const node of treeLeaves(file, tree, 0, L)) {
    const entryBytes = 2 * O + 24;
    const start = file.at(node.child, 8, "entries of a group");
    if (latin1(start.part(4).bytes) !== "SNOD") {
      throw file.damaged("entries of a group are not there", node.child);
    }
    start.skip(2);
    const count = start.uint(2);
    const entries = file.at(node.child + 8, count * entryBytes, "entries of a group");
    for (let i = 0; i < count; i += 1) {
      const entry = entries.part(entryBytes);
      names.position = 0;
      names.skip(entry.offset() ?? 0);
      const address = entry.offset();
      // Kind 2 is a link to a path.
      const linked = entry.uint(4) === 2;
      if (address !== undefined && !linked) members.set(names.text(), address);
    }
  }
}

/** An entry of a tree's leaf. */
export interface Leaf {
  /** Its key's bytes. */
  readonly key: Message["fields"];
  readonly child: number;
}

/**
 * The leaves' entries of a tree of version 1, in order, as they are asked for: there may be millions.
 *
 * @param kind 0 for a group, 1 for a dataset's chunks.
 */
export function* treeLeaves(
  file: Hdf5File,
  root: number,
  kind: number,
  keyBytes: number,
): Generator<Leaf> {
  const seen = new Set<number>();
  function* look(address: number, level: number | undefined): Generator<Leaf> {
    if (seen.has(address) || seen.size > MAX_NODES) {
      throw file.damaged("a tree in it goes back to itself", address);
    }
    seen.add(address);
    const headBytes = 8 + 2 * file.offsetBytes;
    const head = file.at(address, headBytes, "a node of a tree");
    const signature = latin1(head.part(4).bytes);
    const [nodeKind, nodeLevel, count] = [head.uint(1), head.uint(1), head.uint(2)];
    if (signature !== "TREE" || nodeKind !== kind || nodeLevel !== (level ?? nodeLevel)) {
      throw file.damaged("a node of a tree is not there", address);
    }
    const entries = file.at(
      address + headBytes,
      count * (keyBytes + file.offsetBytes),
      "a node of a tree",
    );
    for (let i = 0; i < count; i += 1) {
      const key = entries.part(keyBytes);
      const child = entries.offset();
      if (child === undefined) throw file.damaged("a tree in it leads nowhere", address);
      if (nodeLevel === 0) yield { key, child };
      else yield* look(child, nodeLevel - 1);
    }
  }
  yield* look(root, undefined);
}
