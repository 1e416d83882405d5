/** The parser's tree, copied out of WebAssembly memory into plain objects. */
import type { Language, Tree, TreeCursor } from "web-tree-sitter";
import type { SourceSpan } from "../expression/node.ts";
import type { LineTable } from "./lineTable.ts";

export class TreeNode {
  readonly type: string;
  /** A rule of the grammar, as against a keyword or a sign. */
  readonly named: boolean;
  readonly field: string | null;
  /** Offsets into the source, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** The parser put it in to go on after a mistake. */
  readonly missing: boolean;
  children: readonly TreeNode[] = LEAF;
  /** Left in the source, to be read when it is needed; `children` holds the docstring at most. */
  deferred = false;
  private readonly lines: LineTable;

  constructor(
    type: { readonly name: string; readonly named: boolean },
    place: { readonly field: string | null; readonly start: number; readonly end: number },
    missing: boolean,
    lines: LineTable,
  ) {
    this.type = type.name;
    this.named = type.named;
    this.field = place.field;
    this.start = place.start;
    this.end = place.end;
    this.missing = missing;
    this.lines = lines;
  }

  get span(): SourceSpan {
    return this.lines.span(this.start, this.end);
  }
}

const LEAF: readonly TreeNode[] = [];

/**
 * Copies of nodes for a text in which they stand further on, by `offset`, or further back.
 * Without recursion: a sum of many terms is a tree as deep as it has terms.
 */
export function movedBy(nodes: readonly TreeNode[], offset: number, lines: LineTable): TreeNode[] {
  const move = (node: TreeNode): TreeNode => {
    const place = { field: node.field, start: node.start + offset, end: node.end + offset };
    const copy = new TreeNode({ name: node.type, named: node.named }, place, node.missing, lines);
    copy.deferred = node.deferred;
    copy.children = node.children;
    return copy;
  };
  const moved = nodes.map(move);
  const open = [...moved];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.children.length === 0) continue;
    const children = at.children.map(move);
    at.children = children;
    for (const child of children) open.push(child);
  }
  return moved;
}

/** Deeper nesting than any person writes; it protects the call stack from generated files. */
const MAX_DEPTH = 1500;

/** About 300 MB of tree and syntax; data of that length belong in a file of arrays. */
const MAX_NODES = 2_000_000;

/** A tree too deep or too large to be read. */
export class TreeLimitError extends Error {
  readonly offset: number;
  readonly remedy: string | null;
  constructor(message: string, offset: number, remedy: string | null = null) {
    super(message);
    this.offset = offset;
    this.remedy = remedy;
  }
}

/** In these, commas and brackets say nothing that the grammar has not said. */
const LISTS: ReadonlySet<string> = new Set(["list", "tuple", "dictionary", "set", "argument_list"]);
/** Rules that have no children. */
const ATOMS: ReadonlySet<string> = new Set(["identifier", "integer", "float"]);
/** A chain of these leans to the left, as deep as it has terms. */
const CHAINS: ReadonlySet<string> = new Set(["binary_operator", "boolean_operator"]);

export interface CopyOptions {
  /** Leave the bodies of outermost functions in the source. */
  readonly deferBodies: boolean;
}

export interface CopiedTree {
  readonly root: TreeNode;
  /** Something in it is no Python. */
  readonly faulty: boolean;
}

/**
 * Without comments and line continuations. Frees nothing: the caller deletes the tree.
 * @throws TreeLimitError
 */
export function copyTree(tree: Tree, lines: LineTable, options: CopyOptions): CopiedTree {
  const cursor = tree.walk();
  const faulty = tree.rootNode.hasError;
  try {
    return { root: new Copier(cursor, tree.language, faulty, lines, options).copy(), faulty };
  } finally {
    cursor.delete();
  }
}

interface NodeType {
  readonly name: string;
  readonly named: boolean;
}

class Copier {
  private readonly cursor: TreeCursor;
  private readonly language: Language;
  private readonly faulty: boolean;
  private readonly lines: LineTable;
  private readonly deferBodies: boolean;
  /** Each property of the cursor is a call into WebAssembly; types repeat. */
  private readonly types: (NodeType | undefined)[] = [];
  private count = 0;

  constructor(
    cursor: TreeCursor,
    language: Language,
    faulty: boolean,
    lines: LineTable,
    options: CopyOptions,
  ) {
    this.cursor = cursor;
    this.language = language;
    this.faulty = faulty;
    this.lines = lines;
    // Of a tree with mistakes every part is looked at.
    this.deferBodies = options.deferBodies && !faulty;
  }

  copy(): TreeNode {
    return this.node(this.type(), 0)!;
  }

  private type(): NodeType {
    const id = this.cursor.nodeTypeId;
    const known = this.types[id];
    if (known !== undefined) return known;
    const type = { name: this.cursor.nodeType, named: this.cursor.nodeIsNamed };
    // Error nodes have a number of their own, far beyond the table.
    if (id < this.language.types.length) this.types[id] = type;
    return type;
  }

  private node(type: NodeType, depth: number): TreeNode | null {
    const { cursor } = this;
    if (type.name === "comment" || type.name === "line_continuation") return null;
    const start = cursor.startIndex;
    if (depth > MAX_DEPTH) throw new TreeLimitError("too many nested expressions", start);
    if (++this.count > MAX_NODES) {
      throw new TreeLimitError(
        "too much data is written out in this file",
        start,
        "Keep data in a file of arrays (.npy, .npz) and load them from there.",
      );
    }
    const place = { field: cursor.currentFieldName, start, end: cursor.endIndex };
    const missing = this.faulty && cursor.nodeIsMissing;
    const node = new TreeNode(type, place, missing, this.lines);
    if (CHAINS.has(type.name)) return this.chain(node, depth);
    if (!ATOMS.has(type.name) && cursor.gotoFirstChild()) {
      node.children = this.siblings(type.name, depth + 1);
      cursor.gotoParent();
    }
    return node;
  }

  /** The children from the cursor's place on. */
  private siblings(parent: string, depth: number): TreeNode[] {
    const { cursor } = this;
    const nodes: TreeNode[] = [];
    const signs = this.faulty || !LISTS.has(parent);
    do {
      const type = this.type();
      if (!type.named && !signs) continue;
      const child =
        this.deferBodies && parent === "function_definition" && type.name === "block"
          ? this.deferred(type, depth)
          : this.node(type, depth);
      if (child !== null) nodes.push(child);
    } while (cursor.gotoNextSibling());
    return nodes;
  }

  /** `a + b + c + …`: as many levels as terms, copied without recursion. */
  private chain(node: TreeNode, depth: number): TreeNode {
    const { cursor } = this;
    const spine: TreeNode[] = [node];
    for (;;) {
      if (!cursor.gotoFirstChild()) return node;
      const type = this.type();
      if (!CHAINS.has(type.name)) break;
      this.count++;
      const place = {
        field: cursor.currentFieldName,
        start: cursor.startIndex,
        end: cursor.endIndex,
      };
      spine.push(new TreeNode(type, place, this.faulty && cursor.nodeIsMissing, this.lines));
    }
    let left: TreeNode | null = null;
    for (const at of spine.reverse()) {
      // The cursor stands on the first child, which is `left` above the lowest level.
      const rest: TreeNode[] = left === null ? [] : [left];
      if (left === null || cursor.gotoNextSibling()) {
        rest.push(...this.siblings(at.type, depth + 1));
      }
      at.children = rest;
      cursor.gotoParent();
      left = at;
    }
    return node;
  }

  /** The body's first statement alone, if it is the docstring. */
  private deferred(type: NodeType, depth: number): TreeNode {
    const { cursor } = this;
    const place = {
      field: cursor.currentFieldName,
      start: cursor.startIndex,
      end: cursor.endIndex,
    };
    const node = new TreeNode(type, place, false, this.lines);
    node.deferred = true;
    if (cursor.gotoFirstChild()) {
      let first = this.type();
      while (first.name === "comment" && cursor.gotoNextSibling()) first = this.type();
      if (first.name === "expression_statement" && this.holdsString()) {
        node.children = [this.node(first, depth + 1)!];
      }
      cursor.gotoParent();
    }
    return node;
  }

  private holdsString(): boolean {
    if (!this.cursor.gotoFirstChild()) return false;
    const { name } = this.type();
    this.cursor.gotoParent();
    return name === "string" || name === "concatenated_string";
  }
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
