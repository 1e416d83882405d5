/** Windows along the last axes of an array: a number for each of these axes. */
export interface Window {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  /** Entries before the first and after the last. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

export interface PoolingWindow extends Window {
  /** Whether a mean is over padding as well. */
  readonly countsPadding: boolean;
}

/** How many windows there are along the k-th of these axes, which has n entries; below 1: none fits. */
export function windowCount(n: number, w: Window, k: number): number {
  const reach = w.dilation[k]! * (w.size[k]! - 1) + 1;
  return Math.floor((n + 2 * w.padding[k]! - reach) / w.stride[k]!) + 1;
}
