/** Reordering of axes. */
import type { NdArray } from "./ndarray.ts";
import type { Tick } from "./source.ts";
import { stridedElements } from "./strided.ts";

/**
 * The array with its axes reordered: axis `i` of the result is axis `axes[i]` of `a`
 * (`np.transpose(a, axes)`), with the elements moved into C order.
 *
 * @param axes every axis of `a` once.
 * @param tick told of how many elements have been moved.
 */
export function permuteAxes(a: NdArray, axes: readonly number[], tick?: Tick): NdArray {
  const shape = axes.map((axis) => a.shape[axis]!);
  const strides = new Array<number>(axes.length);
  let step = 1;
  for (let axis = a.shape.length - 1; axis >= 0; axis -= 1) {
    strides[axes.indexOf(axis)] = step;
    step *= a.shape[axis]!;
  }
  return { ...a, shape, data: stridedElements(a.data, a.dtype, 0, shape, strides, tick) };
}
