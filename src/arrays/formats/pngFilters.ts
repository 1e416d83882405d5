/** PNG's filters, which predict each byte from those before and above it. */

/**
 * Undoes the filter of a row, in place.
 *
 * @param above the row above it, already unfiltered; zeros above the first.
 * @param pixelBytes how far before a byte the one is that it is predicted from.
 * @returns whether there is such a filter.
 */
export function unfilter(
  filter: number,
  line: Uint8Array,
  above: Uint8Array,
  pixelBytes: number,
): boolean {
  const undo = FILTERS[filter];
  undo?.(line, above, pixelBytes);
  return undo !== undefined;
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
