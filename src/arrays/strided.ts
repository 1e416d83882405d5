/** Elements picked from memory by strides. */
import { dtypes, type ArrayData, type DType } from "./dtype.ts";
import { elementCount } from "./ndarray.ts";
import type { Tick } from "./source.ts";

/** Elements that are moved between two ticks. */
const PART = 1 << 18;

/**
 * The elements of a strided view in C order: the one at index `i` is element
 * `offset + Σ i[axis] * strides[axis]` of `source`. A view that lies in C order already is not copied.
 *
 * @param strides in elements. Every element that they lead to must be there.
 * @param tick told of how many elements have been moved.
 */
export function stridedElements(
  source: ArrayData,
  dtype: DType,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  tick?: Tick,
): ArrayData {
  const units = dtypes[dtype].kind === "complex" ? 2 : 1;
  const count = elementCount(shape);
  if (count === 0 || isContiguous(shape, strides)) {
    return source.subarray(offset * units, (offset + count) * units);
  }
  const data = dtypes[dtype].store(count);
  // Elements are only moved, and source and target are of one storage type, whichever it is.
  const from = source as Float64Array;
  const to = data as Float64Array;
  const last = shape.length - 1;
  const innerLength = shape[last]!;
  const innerStride = strides[last]!;
  const index = new Array<number>(shape.length).fill(0);
  let base = offset;
  let told = 0;
  for (let start = 0; start < count; start += innerLength) {
    for (let i = 0; i < innerLength; i += 1) {
      if (start + i >= told) {
        tick?.(told / count);
        told += PART;
      }
      const at = base + i * innerStride;
      for (let unit = 0; unit < units; unit += 1) {
        to[(start + i) * units + unit] = from[at * units + unit]!;
      }
    }
    for (let axis = last - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      base += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      base -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return data;
}

/** Whether elements lie in C order without gaps, by their strides. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}
