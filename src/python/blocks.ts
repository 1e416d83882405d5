/**
 * A file cut at its margin into blocks, each of one statement or more, that are parsed independently
 * of each other: of a file that is being edited, only the blocks with another text are parsed again.
 */
import type { LogicalLine } from "./layout.ts";
import type { LineTable } from "./lineTable.ts";
import { type CopiedTree, type TreeNode, movedBy } from "./tree.ts";

/** Offsets into a text: its blocks follow upon each other without a gap. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

/** The statements of a block, at their places in the text in which they were parsed. */
interface Parsed {
  readonly start: number;
  readonly nodes: readonly TreeNode[];
}

/** By the block's text: what stands in it does not depend on what stands around it. */
export type KnownBlocks = ReadonlyMap<string, Parsed>;

/** Such a line goes on with the statement before it, or decorates the one behind it. */
const CLAUSE = /(?:elif|else|except|finally)\b/y;

/** @param lines the logical lines of `text`, whose layout is in order */
export function blocksOf(text: string, lines: readonly LogicalLine[]): Block[] {
  const starts = [0];
  let isDecorated = false;
  for (const { start } of lines) {
    const isAtMargin = start > 0 && text[start - 1] === "\n";
    if (!isAtMargin) {
      isDecorated = start === 0 && text.startsWith("@");
      continue;
    }
    CLAUSE.lastIndex = start;
    if (!isDecorated && !CLAUSE.test(text)) starts.push(start);
    isDecorated = text[start] === "@";
  }
  return starts.map((start, k) => ({ start, end: starts[k + 1] ?? text.length }));
}

/** What is to be known of a text that has been parsed as a whole or in part. */
export function knownBlocks(
  text: string,
  blocks: readonly Block[],
  statements: readonly TreeNode[],
): KnownBlocks {
  const known = new Map<string, Parsed>();
  let next = 0;
  for (const { start, end } of blocks) {
    const first = next;
    while (next < statements.length && statements[next]!.start < end) next++;
    known.set(text.slice(start, end), { start, nodes: statements.slice(first, next) });
  }
  return known;
}

/**
 * The statements of a text, of which some blocks are known from an earlier one.
 * @param parse reads a part of the text
 * @returns the tree of the first block with a mistake instead, if one has any
 */
export function parseBlocks(
  text: string,
  blocks: readonly Block[],
  known: KnownBlocks,
  lines: LineTable,
  parse: (part: Block) => CopiedTree,
): { readonly statements: readonly TreeNode[] } | { readonly faulty: TreeNode } {
  const statements: TreeNode[] = [];
  for (const block of blocks) {
    const found = known.get(text.slice(block.start, block.end));
    if (found !== undefined) {
      statements.push(...movedBy(found.nodes, block.start - found.start, lines));
      continue;
    }
    const { root, faulty } = parse(block);
    if (faulty) return { faulty: root };
    statements.push(...root.children);
  }
  return { statements };
}
