/**
 * Arrays in an open table of numbers (.csv, .tsv): the selected rows and columns, the column under the
 * cursor where columns have names, else the whole table.
 */
import { ArrayError, type NdArray } from "../../arrays/ndarray.ts";
import { openArrays } from "../../arrays/readers.ts";
import { describedArray } from "./written.ts";
import type { TextRange, WrittenArray } from "./protocol.ts";

/** @throws ArrayError at the line of what is no number */
export function tableArrays(
  text: string,
  file: string,
  ranges: readonly TextRange[],
): { readonly found: readonly WrittenArray[]; readonly others: readonly WrittenArray[] } {
  const selected = ranges.filter((r) => r.start < r.end);
  if (selected.length > 0) {
    return { found: blocksOf(text, selected).map((b) => selection(text, b, file)), others: [] };
  }
  const content = openArrays(encoded(text), named(file));
  if ("shape" in content) return { found: [elements(content, null, 1)], others: [] };
  const columns = [...content.keys()];
  const column = columns[columnAt(text, ranges[0]?.start ?? 0)] ?? columns[0]!;
  const read = (name: string): WrittenArray => elements(content.get(name)!(), name, 1);
  const others = columns
    .filter((c) => c !== column)
    .flatMap((c) => {
      try {
        return [read(c)];
      } catch (e) {
        // Text in other columns does no harm.
        if (e instanceof ArrayError) return [];
        throw e;
      }
    });
  return { found: [read(column)], others };
}

function elements(array: NdArray, name: string | null, line: number): WrittenArray {
  return { name, line, ...describedArray(array), value: { kind: "elements", array } };
}

/** Pieces of lines one below the other are one block, as a column selection leaves them. */
function blocksOf(text: string, ranges: readonly TextRange[]): TextRange[][] {
  const blocks: TextRange[][] = [];
  let last = -2;
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const line = lineOf(text, range.start);
    if (line === last + 1) blocks.at(-1)!.push(range);
    else blocks.push([range]);
    last = lineOf(text, range.end);
  }
  return blocks;
}

function selection(text: string, block: readonly TextRange[], file: string): WrittenArray {
  const line = lineOf(text, block[0]!.start);
  const rows = block.map(({ start, end }) =>
    text
      .slice(start, end)
      // A selection rarely ends exactly between two cells.
      .replace(/^[,;\t]+|[,;\t]+$/gm, ""),
  );
  // Empty lines above keep the numbers of the lines that messages name.
  const content = openArrays(encoded("\n".repeat(line) + rows.join("\n")), named(file));
  if ("shape" in content) return elements(content, null, line + 1);
  const [first, ...others] = content;
  if (first === undefined || others.length > 0) {
    throw new ArrayError("The first selected line is no line of numbers.", {
      where: { file, line: line + 1 },
      remedy: "Select numbers only, or one column with its name.",
    });
  }
  const [name, read] = first;
  return elements(read(), name, line + 1);
}

function columnAt(text: string, offset: number): number {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const before = text.slice(start, offset).replace(/"(?:[^"]|"")*"/g, "");
  return [...before.matchAll(/[,;\t]/g)].length;
}

/** From 0. */
function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length - 1;
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A name by which the text is read as a table, also of a document that was never saved. */
function named(file: string): string {
  return /\.(csv|tsv|txt)$/i.test(file) ? file : `${file}.csv`;
}
