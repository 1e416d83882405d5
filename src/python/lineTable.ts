/** Offsets into a text ↔ lines and columns. */
import type { SourceSpan } from "../expression/node.ts";

export class LineTable {
  readonly file: string;
  /** Offset of each line's first character. */
  private readonly starts: readonly number[];
  /** The line asked for last: the next is near it almost always. */
  private near = 0;

  constructor(text: string, file: string) {
    this.file = file;
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.starts = starts;
  }

  /** From `start` to `end` (exclusive), in lines and columns from 1. */
  span(start: number, end: number): SourceSpan {
    const row = this.rowOf(start);
    const lastRow = this.rowOf(end);
    return {
      file: this.file,
      line: row + 1,
      column: start - this.starts[row]! + 1,
      endLine: lastRow + 1,
      endColumn: end - this.starts[lastRow]! + 1,
    };
  }

  /** Row and column from 0, as the parser counts them. */
  point(offset: number): { row: number; column: number } {
    const row = this.rowOf(offset);
    return { row, column: offset - this.starts[row]! };
  }

  private rowOf(offset: number): number {
    const { starts } = this;
    let low = this.near;
    // A few steps from the last place, else by halves.
    for (let k = 0; k < 4 && low + 1 < starts.length && starts[low + 1]! <= offset; k++) low++;
    const found = starts[low]! <= offset && (starts[low + 1] ?? Infinity) > offset;
    if (!found) {
      low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= offset) low = middle;
        else high = middle - 1;
      }
    }
    this.near = low;
    return low;
  }
}
