/** Python's parser: tree-sitter's grammar run as WebAssembly, in Node, workers and browsers alike. */
import { Language, Parser, type Range } from "web-tree-sitter";
import type { SourceSpan } from "../expression/node.ts";
import { type KnownBlocks, blocksOf, knownBlocks, parseBlocks } from "./blocks.ts";
import { PythonError, isStackOverflow } from "./errors.ts";
import { type LogicalLine, layout } from "./layout.ts";
import { LineTable } from "./lineTable.ts";
import { Lowering } from "./lower/context.ts";
import { cannotAssign } from "./lower/expressions.ts";
import { lowerStatements } from "./lower/statements.ts";
import type { Module, Source } from "./syntax.ts";
import { type CopiedTree, TreeLimitError, type TreeNode, copyTree } from "./tree.ts";

export interface ParserFiles {
  /** web-tree-sitter.wasm */
  readonly runtime: Uint8Array;
  /** tree-sitter-python.wasm */
  readonly grammar: Uint8Array;
}

/** Longer source is data, generated or not. */
const MAX_LENGTH = 8 * 2 ** 20;

let runtimeReady: Promise<void> | null = null;

/** The WebAssembly modules are handed in, so that every host can keep them where it likes. */
export async function loadParser(files: ParserFiles): Promise<PythonParser> {
  // The runtime can be started only once in a process.
  runtimeReady ??= Parser.init({ wasmBinary: files.runtime.slice().buffer });
  await runtimeReady;
  const parser = new Parser();
  parser.setLanguage(await Language.load(files.grammar));
  return new PythonParser(parser);
}

/** Characters of source whose syntax is kept, so that an unchanged file is not parsed again. */
const REMEMBERED = 4_000_000;

interface Known {
  readonly text: string;
  readonly module: Module;
  /** Of a file that is being edited. */
  readonly blocks: KnownBlocks | null;
}

export class PythonParser {
  private readonly parser: Parser;
  /** The last text of each file with its syntax, the one used last at the end. */
  private readonly known = new Map<string, Known>();
  private remembered = 0;

  /** Use {@link loadParser}. */
  constructor(parser: Parser) {
    this.parser = parser;
  }

  /**
   * IPython's magics and shell lines count as blank. Bodies of functions are read when they are
   * needed; only what the grammar itself rules out in them is found now.
   * @param file name of the source in spans and messages
   * @param isEdited the file is likely to come again with small changes: only these are parsed then
   * @throws PythonError SyntaxError, IndentationError or TabError, at its line and column
   */
  parse(text: string, file: string, isEdited = false): Module {
    const known = this.known.get(file);
    const now = known?.text === text ? known : this.parseAnew(text, file, isEdited);
    this.remember(file, now);
    return now.module;
  }

  private remember(file: string, now: Known): void {
    this.remembered += now.text.length - (this.known.get(file)?.text.length ?? 0);
    this.known.delete(file);
    this.known.set(file, now);
    for (const [oldest, { text: its }] of this.known) {
      if (this.remembered <= REMEMBERED || oldest === file) break;
      this.known.delete(oldest);
      this.remembered -= its.length;
    }
  }

  private parseAnew(original: string, file: string, isEdited: boolean): Known {
    if (original.length > MAX_LENGTH) tooLong(original, file);
    // Lines may end as on the first Macintosh; offsets stay.
    const text = original.includes("\r") ? original.replace(/\r(?!\n)/g, "\n") : original;
    const { text: python, logicalLines, error } = layout(text);
    const source: Source = { file, lines: text.split(/\r?\n/) };
    const lines = new LineTable(python, file);
    if (error !== null) {
      const span = spanAt(text, error.offset, error.length, file);
      throw new PythonError(error.type, error.message, { span, source });
    }
    return readable(source, lines, () => {
      const blocks = blocksOf(python, logicalLines);
      const before = this.known.get(file)?.blocks ?? new Map();
      const read = parseBlocks(python, blocks, before, lines, ({ start, end }) =>
        this.tree(python, lines, rangeOf(lines, start, end), true),
      );
      if ("faulty" in read) this.syntaxError(python, source, logicalLines, read.faulty);
      const reread = (definition: TreeNode): TreeNode =>
        readable(source, lines, () => this.definition(python, lines, definition));
      const { statements } = read;
      return {
        text: original,
        module: { source, body: lowerStatements(new Lowering(source, python, reread), statements) },
        blocks: isEdited ? knownBlocks(python, blocks, statements) : null,
      };
    });
  }

  /** A function definition, read alone and whole. */
  private definition(text: string, lines: LineTable, { start, end }: TreeNode): TreeNode {
    return this.tree(text, lines, rangeOf(lines, start, end), false).root.children[0]!;
  }

  /**
   * @param range what to read of the text; null for all of it
   * @param deferBodies leave the bodies of outermost functions in the source
   */
  private tree(
    text: string,
    lines: LineTable,
    range: Range | null,
    deferBodies: boolean,
  ): CopiedTree {
    // What is handed over is copied, whether the parser comes to read it or not.
    const input = (from: number): string => text.slice(from, range?.endIndex);
    const tree = this.parser.parse(input, null, range === null ? {} : { includedRanges: [range] });
    if (tree === null) throw new Error("the Python grammar is not loaded");
    try {
      return copyTree(tree, lines, { deferBodies });
    } finally {
      tree.delete();
    }
  }

  /** One line of a source, or of what may stand in its place. */
  private lineTree(text: string, file: string): TreeNode {
    return this.tree(text, new LineTable(text, file), null, true).root;
  }

  /**
   * The parser's own error nodes may begin many lines before the mistake. Layout being in order, the
   * mistake is inside one logical line, so each is parsed alone from the first error on.
   */
  private syntaxError(
    text: string,
    source: Source,
    lines: readonly LogicalLine[],
    root: TreeNode,
  ): never {
    const first = firstFault(root) ?? root;
    for (const line of lines) {
      if (line.end < first.start) continue;
      const fault = this.faultIn(text, line, source.file);
      if (fault === null) continue;
      const length = Math.max(1, fault.length);
      const span = spanAt(text, fault.offset, length, source.file);
      throw new PythonError("SyntaxError", fault.message, { span, source });
    }
    throw new PythonError("SyntaxError", "invalid syntax", { span: first.span, source });
  }

  /** `f(x) = 1`: the left side is an expression, but nothing that can be assigned to. */
  private badTarget(line: string, file: string): { length: number; message: string } | null {
    const at = assignmentAt(line);
    if (at < 0 || /^(?:if|elif|while|for|return|def|class|with|assert|lambda)\b/.test(line))
      return null;
    const left = line.slice(0, at).trimEnd();
    const statement = this.lineTree(`${left}\n`, file).children[0];
    if (statement?.type !== "expression_statement" || hasFault(statement)) return null;
    const expression = statement.children[0];
    if (expression === undefined || statement.children.length > 1) return null;
    if (/^(?:identifier|attribute|subscript|tuple|list)$/.test(expression.type)) return null;
    return { length: left.length, message: cannotAssign(expression.type) };
  }

  private faultIn(
    text: string,
    line: LogicalLine,
    file: string,
  ): { offset: number; length: number; message: string } | null {
    const own = text.slice(line.start, line.end);
    const lead = leadFor(own);
    const root = this.lineTree(lead + own + tailFor(own, line), file);
    const fault = firstFault(root);
    if (fault === null) return null;
    const begin = Math.max(fault.start - lead.length, 0);
    const offset = Math.min(line.start + begin, line.start + own.trimEnd().length);
    const target = this.badTarget(own, file);
    if (target !== null) return { offset: line.start, ...target };
    const assigns = /^(?:if|elif|while)\b[^=!<>:]*[^=!<>:]=[^=]/.test(own);
    return {
      offset,
      length: Math.min(fault.end - fault.start, line.end - offset),
      message: assigns
        ? "invalid syntax. Maybe you meant '==' or ':=' instead of '='?"
        : "invalid syntax",
    };
  }
}

function rangeOf(lines: LineTable, start: number, end: number): Range {
  const startPosition = lines.point(start);
  const endPosition = lines.point(end);
  return { startIndex: start, endIndex: end, startPosition, endPosition };
}

/** Runs `body`; what is too deep or too large for it is an error at its place. */
function readable<T>(source: Source, lines: LineTable, body: () => T): T {
  try {
    return body();
  } catch (e) {
    if (!(e instanceof TreeLimitError) && !isStackOverflow(e)) throw e;
    const limit = e instanceof TreeLimitError ? e : null;
    const offset = limit?.offset ?? 0;
    const message = limit?.message ?? "too many nested expressions";
    const place = { span: lines.span(offset, offset + 1), source };
    throw new PythonError("SyntaxError", message, place, { remedy: limit?.remedy ?? null });
  }
}

function tooLong(text: string, file: string): never {
  const size = (text.length / 2 ** 20).toFixed(0);
  throw new PythonError(
    "Unsupported",
    `${file} is too long to be read: ${size} MB`,
    { span: { file, line: 1, column: 1 }, source: null },
    { remedy: "Keep data in a file of arrays (.npy, .npz) and load them from there." },
  );
}

/** The first `=` that assigns, outside brackets and strings (roughly: strings on the left are rare). */
function assignmentAt(line: string): number {
  let depth = 0;
  for (const [at, c] of Array.from(line).entries()) {
    if ("([{".includes(c)) depth++;
    else if (")]}".includes(c)) depth--;
    else if (c === "=" && depth === 0) {
      const around = (line[at - 1] ?? "") + (line[at + 1] ?? "");
      return /[=!<>:+\-*/%&|^@]/.test(around) ? -1 : at;
    }
  }
  return -1;
}

/** Clauses parse alone only after the statement they belong to. */
function leadFor(line: string): string {
  if (/^(?:elif|else)\b/.test(line)) return "if x: pass\n";
  if (/^(?:except|finally)\b/.test(line)) return "try: pass\n";
  if (/^case\b/.test(line)) return "match x:\n ";
  return "";
}

function tailFor(text: string, line: LogicalLine): string {
  if (text.startsWith("@")) return "\ndef f(): pass\n";
  return line.opensBlock ? " pass\n" : "\n";
}

function hasFault(node: TreeNode): boolean {
  return firstFault(node) !== null;
}

function firstFault(node: TreeNode): TreeNode | null {
  if (node.missing) return node;
  // An error node starts where its construct does; what could not be read comes later inside it.
  if (node.type === "ERROR") {
    for (const child of node.children) {
      const inner = firstFault(child);
      if (inner !== null) return inner;
    }
    return node;
  }
  for (const child of node.children) {
    const found = firstFault(child);
    if (found !== null) return found;
  }
  return null;
}

function spanAt(text: string, offset: number, length: number, file: string): SourceSpan {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - (before.lastIndexOf("\n") + 1) + 1;
  const shown = text.slice(offset, offset + length).split("\n")[0]!.length;
  return { file, line, column, endLine: line, endColumn: column + Math.max(1, shown) };
}
