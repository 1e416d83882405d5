/**
 * Text tables of numbers: .csv, .tsv and .txt.
 *
 * A table without a header is one array, of the shape that `np.loadtxt(path, delimiter=…)` gives: rows
 * by columns, without an axis of length 1. One with a header is its columns by their names, each of
 * which is read alone, so that text in the others does no harm. Elements are float64; true and false
 * are 1 and 0. Lines that begin with # and empty lines count for nothing.
 *
 * A reader of our own, since a person needs the line and column of the cell that is no number.
 */
import { quoted, refusal, tooLarge, wholeFile } from "../fileErrors.ts";
import type { ArrayInFile, OpenedFile, ReadOptions } from "../members.ts";
import { ArrayError, type ArrayOrigin, type NdArray } from "../ndarray.ts";
import type { ByteSource, Tick } from "../source.ts";

/** The text becomes one JavaScript string, which must not be much longer. */
const MAX_BYTES = 2 ** 28;

interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

interface Table {
  readonly name: string;
  /** undefined stands for blanks of any number. */
  readonly delimiter: string | undefined;
  readonly lines: readonly Line[];
  readonly columns: number;
  readonly tick: Tick | undefined;
}

/** Opens a .csv, .tsv or .txt file. @throws ArrayError */
export function openTable(source: ByteSource, name: string, options: ReadOptions): OpenedFile {
  const lines = linesOf(source, name, options);
  const [first] = lines;
  if (first === undefined) {
    throw refusal(`${name} has no numbers in it.`, name, {
      remedy: 'np.savetxt("mask.csv", mask, delimiter=",") writes one.',
    });
  }
  const delimiter = delimiterOf(first.text);
  const cells = splitCells(first.text, delimiter);
  const { tick } = options;
  const table: Table = { name, delimiter, lines, columns: cells.length, tick };
  if (!isHeader(cells)) {
    refuseCounted(table, cells);
    return wholeTable(table);
  }
  const rows: Table = { ...table, lines: lines.slice(1) };
  if (rows.lines.length === 0) {
    throw new ArrayError(`${name} has a header and no numbers under it.`, {
      where: { file: name, line: first.number },
      remedy: "Save the table again with its values.",
    });
  }
  return new Map(
    columnNames(cells).map((member, column) => [member, () => oneColumn(rows, column, member)]),
  );
}

function linesOf(source: ByteSource, name: string, options: ReadOptions): Line[] {
  if (source.size > MAX_BYTES) throw tooLarge(name, source.size, MAX_BYTES);
  const bytes = wholeFile(source, name, options);
  const utf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16 || bytes.includes(0)) {
    throw refusal(
      utf16
        ? `${name} is text in UTF-16; UTF-8 is read.`
        : `${name} is not text: it has zero bytes.`,
      name,
      {
        byteOffset: utf16 ? 0 : bytes.indexOf(0),
        remedy: utf16
          ? 'Save it again as "CSV UTF-8".'
          : 'np.savetxt("mask.csv", mask, delimiter=",") writes a table.',
      },
    );
  }
  // The decoder drops a byte order mark by itself.
  const text = new TextDecoder().decode(bytes);
  const lines: Line[] = [];
  const line = /[^\r\n]+|\r\n|\n|\r/gu;
  let number = 1;
  for (let found = line.exec(text); found !== null; found = line.exec(text)) {
    const [part] = found;
    options.tick?.(found.index / text.length);
    if (part.startsWith("\r") || part.startsWith("\n")) number += 1;
    else if (!/^\s*(?:#|$)/u.test(part)) lines.push({ text: part, number });
  }
  return lines;
}

function delimiterOf(line: string): string | undefined {
  return ["\t", ";", ","].find((delimiter) => line.includes(delimiter));
}

interface Cell {
  readonly text: string;
  /** Where it begins in its line, from 1. */
  readonly column: number;
}

/** Cells may be quoted, with quotes inside them doubled; what follows a # outside of quotes is a comment. */
const QUOTED = /^\s*"((?:[^"]|"")*)"\s*$/u;
const BETWEEN_BLANKS = /(?:"(?:[^"]|"")*"|[^\s"#]|"(?=[^"]*$))+/gu;
const BEFORE: Readonly<Record<string, RegExp>> = {
  ",": /(?:"(?:[^"]|"")*"|[^,"#]|"(?=[^"]*$))*/uy,
  ";": /(?:"(?:[^"]|"")*"|[^;"#]|"(?=[^"]*$))*/uy,
  "\t": /(?:"(?:[^"]|"")*"|[^\t"#]|"(?=[^"]*$))*/uy,
};

function splitCells(line: string, delimiter: string | undefined): Cell[] {
  if (delimiter === undefined) return splitAtBlanks(line);
  const cells: Cell[] = [];
  if (!/["#]/u.test(line)) {
    let start = 0;
    for (const text of line.split(delimiter)) {
      cells.push(cellOf(text, start));
      start += text.length + 1;
    }
    return cells;
  }
  const piece = BEFORE[delimiter]!;
  for (let at = 0; ; at += 1) {
    piece.lastIndex = at;
    const text = piece.exec(line)?.[0] ?? "";
    cells.push(cellOf(text, at));
    at += text.length;
    if (line[at] !== delimiter) return cells;
  }
}

function splitAtBlanks(line: string): Cell[] {
  const cells: Cell[] = [];
  let end = 0;
  for (const found of line.matchAll(BETWEEN_BLANKS)) {
    if (line.slice(end, found.index).includes("#")) break;
    cells.push(cellOf(found[0], found.index));
    end = found.index + found[0].length;
  }
  return cells;
}

function cellOf(text: string, start: number): Cell {
  const column = start + 1 + (text.length - text.trimStart().length);
  const quotes = text.includes('"') ? QUOTED.exec(text) : null;
  const inner = quotes === null ? text : quotes[1]!.replaceAll('""', '"');
  return { text: inner.trim(), column };
}

/** A number as many countries write it, for which np.loadtxt has no setting. */
const DECIMAL_COMMA = /^[-+]?\d+,\d+$/u;

/** A number as np.loadtxt reads it, or a truth value; undefined for anything else. */
function numberIn(text: string): number | undefined {
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/iu.test(text)) return Number(text);
  const word = /^([-+]?)(nan|inf|infinity|true|false)$/iu.exec(text);
  if (word === null) return undefined;
  const size = WORDS[word[2]!.toLowerCase()]!;
  return word[1] === "-" ? -size : size;
}

const WORDS: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  infinity: Infinity,
  true: 1,
  false: 0,
};

/** Names alone; or numbers under an empty first cell, as pandas names columns beside its index. */
function isHeader(cells: readonly Cell[]): boolean {
  const rest = cells[0]!.text === "" && cells.length > 1 ? [] : cells;
  return rest.every(
    ({ text }) => text !== "" && numberIn(text) === undefined && !DECIMAL_COMMA.test(text),
  );
}

/** Each name once, and none empty, in pandas' way. */
function columnNames(cells: readonly Cell[]): string[] {
  const used = new Set<string>();
  return cells.map(({ text }, i) => {
    const name = text === "" ? `Unnamed: ${String(i)}` : text;
    let own = name;
    for (let copy = 1; used.has(own); copy += 1) own = `${name}.${String(copy)}`;
    used.add(own);
    return own;
  });
}

/** A first line 0, 1, 2, … that the next one does not continue is pandas' names of columns. */
function refuseCounted(table: Table, cells: readonly Cell[]): void {
  const second = table.lines[1];
  if (cells.length < 4 || second === undefined) return;
  if (!cells.every(({ text }, i) => text === String(i))) return;
  if (splitCells(second.text, table.delimiter)[0]?.text === String(cells.length)) return;
  throw new ArrayError(
    `The first line of ${table.name} counts from 0 to ${String(cells.length - 1)}, as pandas names columns that have no names.`,
    {
      where: { file: table.name, line: table.lines[0]!.number },
      remedy: 'Save the table without that line: df.to_csv("mask.csv", header=False, index=False)',
    },
  );
}

function cellsOf(table: Table, line: Line): Cell[] {
  const cells = splitCells(line.text, table.delimiter);
  if (cells.length === table.columns) return cells;
  const extra = cells[table.columns];
  throw new ArrayError(
    `The line has ${count(cells.length, "cell")}, and the first one ${count(table.columns, "cell")}.`,
    {
      where: {
        file: table.name,
        line: line.number,
        column: extra?.column ?? line.text.trimEnd().length + 1,
      },
      remedy: "Give every line as many cells; text with a delimiter in it needs quotes.",
    },
  );
}

function count(n: number, what: string): string {
  return `${String(n)} ${what}${n === 1 ? "" : "s"}`;
}

function valueOf(table: Table, line: Line, cell: Cell): number {
  const value = numberIn(cell.text);
  if (value !== undefined) return value;
  const decimalComma = DECIMAL_COMMA.test(cell.text);
  throw new ArrayError(
    cell.text === "" ? "The cell is empty." : `${quoted(cell.text)} is not a number.`,
    {
      where: { file: table.name, line: line.number, column: cell.column },
      remedy:
        cell.text === ""
          ? "Write nan where a value is missing."
          : decimalComma
            ? "Write numbers with a point: 0.5"
            : "Leave text out, or give the table a header and name one column: table.csv[pred]",
    },
  );
}

function wholeTable(table: Table): ArrayInFile {
  const { lines, columns, name } = table;
  const shape = [lines.length, columns].filter((length) => length !== 1);
  return {
    dtype: "float64",
    shape,
    read: () => {
      const data = new Float64Array(lines.length * columns);
      lines.forEach((line, row) => {
        table.tick?.(row / lines.length);
        cellsOf(table, line).forEach((cell, column) => {
          data[row * columns + column] = valueOf(table, line, cell);
        });
      });
      return { dtype: "float64", shape, data, origin: { kind: "file", path: name } };
    },
  };
}

function oneColumn(table: Table, column: number, member: string): ArrayInFile {
  const { lines, name } = table;
  const shape = [lines.length];
  const origin: ArrayOrigin = { kind: "file", path: name, member };
  return {
    dtype: "float64",
    shape,
    read: (): NdArray => {
      const data = new Float64Array(lines.length);
      lines.forEach((line, row) => {
        table.tick?.(row / lines.length);
        data[row] = valueOf(table, line, cellsOf(table, line)[column]!);
      });
      return { dtype: "float64", shape, data, origin };
    },
  };
}
