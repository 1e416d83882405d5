/** What the pixels of a picture stand for: values, and places in the array. */
import type { ImageSet } from "../report/schema.ts";

/** The value a pixel shows, to within half a 255th of the scale; null outside the picture. */
export function pixelValue(
  set: ImageSet,
  bytes: Uint8Array,
  slice: number,
  x: number,
  y: number,
): number | null {
  if (x >= set.width || y >= set.height) return null;
  const k = Math.min(slice, set.slices - 1);
  const byte = bytes[(k * set.height + y) * set.width + x];
  return byte === undefined ? null : set.low + (byte / 255) * (set.high - set.low);
}

/**
 * The index, in an array of this shape, of the element that a pixel shows: pictures are made of
 * the last three axes longer than 1, of further axes the first entry, and of large pictures each
 * n-th row and column. Null when the picture does not fit the shape.
 */
export function arrayIndex(
  set: ImageSet,
  slice: number,
  x: number,
  y: number,
  shape: readonly number[] | null,
): readonly number[] | null {
  if (shape === null) return null;
  const long = shape.flatMap((n, axis) => (n === 1 ? [] : [axis]));
  const [depthAxis, heightAxis, widthAxis] = [long.at(-3), long.at(-2), long.at(-1)];
  if (heightAxis === undefined || widthAxis === undefined) return null;
  const [height, width] = [shape[heightAxis]!, shape[widthAxis]!];
  const step = height > width ? Math.round(height / set.height) : Math.round(width / set.width);
  const fits = Math.ceil(height / step) === set.height && Math.ceil(width / step) === set.width;
  if (!fits) return null;
  const index = shape.map(() => 0);
  index[heightAxis] = y * step;
  index[widthAxis] = x * step;
  if (depthAxis !== undefined) {
    index[depthAxis] = set.sliceIndices[Math.min(slice, set.slices - 1)]!;
  }
  return index.every((k, axis) => k < shape[axis]!) ? index : null;
}

/** The slice with the most to see: the most target in it, or else the middle one. */
export function firstSliceToShow(
  pictures: readonly { readonly set: ImageSet; readonly bytes: Uint8Array }[],
): number {
  const slices = Math.max(...pictures.map((p) => p.set.slices));
  const middle = Math.floor((slices - 1) / 2);
  const target = pictures.find((p) => p.set.role === "target" && p.set.slices === slices);
  if (target === undefined) return middle;
  const size = target.set.width * target.set.height;
  let [best, most] = [middle, 0];
  for (let slice = 0; slice < slices; slice++) {
    let sum = 0;
    for (let k = slice * size; k < (slice + 1) * size; k++) sum += target.bytes[k]!;
    const closer = Math.abs(slice - middle) < Math.abs(best - middle);
    if (sum > most || (sum === most && closer)) [best, most] = [slice, sum];
  }
  return best;
}
