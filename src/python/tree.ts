/** The parser's tree, copied out of WebAssembly memory into plain objects. */
import type { Tree, TreeCursor } from "web-tree-sitter";
import type { SourceSpan } from "../expression/node.ts";

export interface TreeNode {
  readonly type: string;
  /** A rule of the grammar, as against a keyword or a sign. */
  readonly named: boolean;
  readonly field: string | null;
  readonly children: readonly TreeNode[];
  /** Offsets into the source, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly span: SourceSpan;
  /** The parser put it in to go on after a mistake. */
  readonly missing: boolean;
}

/** Without comments and line continuations. Frees nothing: the caller deletes the tree. */
export function copyTree(tree: Tree, file: string): TreeNode {
  const cursor = tree.walk();
  try {
    return copyNode(cursor, file, 0)!;
  } finally {
    cursor.delete();
  }
}

/** Deeper nesting than any person writes; it protects the call stack from generated files. */
const MAX_DEPTH = 1500;

export class NestingError extends Error {}

function copyNode(cursor: TreeCursor, file: string, depth: number): TreeNode | null {
  const type = cursor.nodeType;
  if (type === "comment" || type === "line_continuation") return null;
  if (depth > MAX_DEPTH) throw new NestingError("the code is nested too deeply");
  const from = cursor.startPosition;
  const to = cursor.endPosition;
  const children: TreeNode[] = [];
  const node: TreeNode = {
    type,
    named: cursor.nodeIsNamed,
    field: cursor.currentFieldName,
    children,
    start: cursor.startIndex,
    end: cursor.endIndex,
    span: {
      file,
      line: from.row + 1,
      column: from.column + 1,
      endLine: to.row + 1,
      endColumn: to.column + 1,
    },
    missing: cursor.nodeIsMissing,
  };
  if (cursor.gotoFirstChild()) {
    do {
      const child = copyNode(cursor, file, depth + 1);
      if (child !== null) children.push(child);
    } while (cursor.gotoNextSibling());
    cursor.gotoParent();
  }
  return node;
}

export function field(node: TreeNode, name: string): TreeNode | null {
  return node.children.find((c) => c.field === name) ?? null;
}

export function fields(node: TreeNode, name: string): TreeNode[] {
  return node.children.filter((c) => c.field === name && c.named);
}

export function namedChildren(node: TreeNode): TreeNode[] {
  return node.children.filter((c) => c.named);
}

export function hasToken(node: TreeNode, token: string): boolean {
  return node.children.some((c) => !c.named && c.type === token);
}
