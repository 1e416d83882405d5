/** PNG's filters, which predict each byte from those before and above it. */
import { damaged } from "../fileErrors.ts";
import type { Tick } from "../source.ts";

/**
 * Undoes the filters of rows, in place. Each row begins with a byte that names its filter.
 *
 * @param rowBytes of a row without that byte.
 * @param pixelBytes how far before a byte the one is that it is predicted from.
 * @param tick told of how many rows are done.
 * @throws ArrayError if there is no such filter.
 */
export function unfilterRows(
  lines: Uint8Array,
  rows: number,
  rowBytes: number,
  pixelBytes: number,
  name: string,
  tick?: Tick,
): void {
  let above: Uint8Array = new Uint8Array(rowBytes);
  for (let row = 0; row < rows; row += 1) {
    tick?.(row / rows);
    const start = row * (rowBytes + 1);
    const line = lines.subarray(start + 1, start + 1 + rowBytes);
    const filter = lines[start]!;
    const unfilter = FILTERS[filter];
    if (unfilter === undefined) {
      throw damaged(name, `its row ${String(row + 1)} has the unknown filter ${String(filter)}`);
    }
    unfilter(line, above, pixelBytes);
    above = line;
  }
}

type Unfilter = (line: Uint8Array, above: Uint8Array, pixelBytes: number) => void;

const FILTERS: readonly Unfilter[] = [
  () => undefined,
  (line, _above, pixelBytes) => {
    for (let i = pixelBytes; i < line.length; i += 1) line[i]! += line[i - pixelBytes]!;
  },
  (line, above) => {
    for (let i = 0; i < line.length; i += 1) line[i]! += above[i]!;
  },
  (line, above, pixelBytes) => {
    for (let i = 0; i < line.length; i += 1) {
      const left = i < pixelBytes ? 0 : line[i - pixelBytes]!;
      line[i]! += (left + above[i]!) >> 1;
    }
  },
  (line, above, pixelBytes) => {
    for (let i = 0; i < line.length; i += 1) {
      const left = i < pixelBytes ? 0 : line[i - pixelBytes]!;
      const corner = i < pixelBytes ? 0 : above[i - pixelBytes]!;
      line[i]! += paeth(left, above[i]!, corner);
    }
  },
];

/** The one of the three that is nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const nearLeft = Math.abs(up - corner);
  const nearUp = Math.abs(left - corner);
  const nearCorner = Math.abs(left + up - 2 * corner);
  if (nearLeft <= nearUp && nearLeft <= nearCorner) return left;
  return nearUp <= nearCorner ? up : corner;
}
