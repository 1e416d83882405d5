/** Reordering of axes. */
import { dtypes } from "./dtype.ts";
import { elementCount, type NdArray } from "./ndarray.ts";

/**
 * The array with its axes reordered: axis `i` of the result is axis `axes[i]` of `a`
 * (`np.transpose(a, axes)`), with the elements moved into C order.
 *
 * @param axes every axis of `a` once.
 */
export function permuteAxes(a: NdArray, axes: readonly number[]): NdArray {
  const shape = axes.map((axis) => a.shape[axis]!);
  const moved = axes.filter((axis) => a.shape[axis] !== 1);
  const inPlace = moved.every((axis, i) => i === 0 || axis > moved[i - 1]!);
  const count = elementCount(shape);
  if (inPlace || count === 0) return { ...a, shape };

  const strides = new Array<number>(axes.length);
  let step = 1;
  for (let axis = a.shape.length - 1; axis >= 0; axis -= 1) {
    strides[axes.indexOf(axis)] = step;
    step *= a.shape[axis]!;
  }
  const data = dtypes[a.dtype].store(count);
  // Elements are only moved, and source and target are of one storage type, whichever it is.
  const source = a.data as Float64Array;
  const target = data as Float64Array;
  const units = target.length / count;
  const last = axes.length - 1;
  const innerLength = shape[last]!;
  const innerStride = strides[last]!;
  const index = new Array<number>(axes.length).fill(0);
  let from = 0;
  for (let to = 0; to < count; to += innerLength) {
    for (let i = 0; i < innerLength; i += 1) {
      const at = from + i * innerStride;
      for (let unit = 0; unit < units; unit += 1) {
        target[(to + i) * units + unit] = source[at * units + unit]!;
      }
    }
    for (let axis = last - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { ...a, shape, data };
}
