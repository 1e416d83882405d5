/**
 * PyTorch's pooling on the CPU (aten/src/ATen/native/cpu/AvgPoolKernel.cpp, MaxPoolKernel.cpp;
 * measured on 2.13): a window's entries are added one after another in float32, or float64 for such
 * arrays; what windows give back to an entry that several of them have is added in the array's own
 * type, window after window.
 */
import { type PoolingWindow, windowCount } from "../../expression/window.ts";
import { throwIfCancelled } from "../interruption.ts";
import { type Held, arithmeticRounder, contiguousStrides, countOf, valuesOf } from "./held.ts";
import { computedIn } from "./reductions.ts";

/** Windows between two looks at whether to stop. */
const LOOK = 1 << 10;

/** Means over windows along the last axes of `x`. */
export function windowMeans(x: Held, w: PoolingWindow): Held {
  const values = valuesOf(x);
  const [round, partial] = [arithmeticRounder(x.dtype), arithmeticRounder(computedIn(x.dtype))];
  return overWindows(x, w, (at) => {
    let sum = 0;
    for (const k of at) sum = partial(sum + values[k]!);
    return round(sum / dividedBy(at, w));
  });
}

/** The largest of each window; a NaN is the largest. */
export function windowMaxima(x: Held, w: PoolingWindow): Held {
  const values = valuesOf(x);
  return overWindows(x, w, (at) => values[largestOf(values, at)]!);
}

/** The gradient of means by what they are of. @param g by the means */
export function windowMeansGradient(x: Held, g: Held, w: PoolingWindow): Held {
  const round = arithmeticRounder(x.dtype);
  return givenBack(x, g, w, (share, at, give) => {
    const own = round(share / dividedBy(at, w));
    for (const k of at) give(k, own);
  });
}

/** The gradient of maxima: each window gives to the first of its largest entries. */
export function windowMaximaGradient(x: Held, g: Held, w: PoolingWindow): Held {
  const values = valuesOf(x);
  return givenBack(x, g, w, (share, at, give) => {
    give(largestOf(values, at), share);
  });
}

function dividedBy(at: readonly number[], w: PoolingWindow): number {
  return w.countsPadding ? countOf(w.size) : at.length;
}

function largestOf(values: Float64Array, at: readonly number[]): number {
  let best = at[0]!;
  for (const k of at) if (values[k]! > values[best]! || Number.isNaN(values[k])) best = k;
  return best;
}

function overWindows(x: Held, w: PoolingWindow, f: (at: readonly number[]) => number): Held {
  const shape = shapeOfWindows(x, w);
  const data = new Float64Array(countOf(shape));
  eachWindow(x, w, shape, (k, at) => (data[k] = f(at)));
  return { dtype: x.dtype, shape, strides: contiguousStrides(shape), offset: 0, data };
}

function givenBack(
  x: Held,
  g: Held,
  w: PoolingWindow,
  share: (own: number, at: readonly number[], give: (k: number, much: number) => void) => void,
): Held {
  const round = arithmeticRounder(x.dtype);
  const given = valuesOf(g);
  const data = new Float64Array(countOf(x.shape));
  const give = (k: number, much: number): void => {
    data[k] = round(data[k]! + much);
  };
  eachWindow(x, w, shapeOfWindows(x, w), (k, at) => {
    share(given[k]!, at, give);
  });
  return { dtype: x.dtype, shape: x.shape, strides: contiguousStrides(x.shape), offset: 0, data };
}

function shapeOfWindows({ shape }: Held, w: PoolingWindow): number[] {
  const before = shape.length - w.size.length;
  return shape.map((n, d) => (d < before ? n : windowCount(n, w, d - before)));
}

/** Calls `f` for each window in order, with where its entries are that lie inside, in order. */
function eachWindow(
  { shape }: Held,
  w: PoolingWindow,
  windows: readonly number[],
  f: (k: number, at: readonly number[]) => void,
): void {
  const space = shape.slice(-w.size.length);
  const each = countOf(space);
  const perImage = countOf(windows.slice(-w.size.length));
  const images = countOf(windows) / Math.max(perImage, 1);
  const steps = contiguousStrides(space);
  const place = windows.slice(-w.size.length).map(() => 0);
  for (let image = 0; image < images; image++) {
    place.fill(0);
    for (let k = 0; k < perImage; k++) {
      if (k % LOOK === 0) throwIfCancelled();
      let at = [image * each];
      place.forEach((o, d) => {
        const inside = w.size[d]!;
        const next: number[] = [];
        for (const base of at) {
          for (let i = 0; i < inside; i++) {
            const p = o * w.stride[d]! - w.padding[d]! + i * w.dilation[d]!;
            if (p >= 0 && p < space[d]!) next.push(base + p * steps[d]!);
          }
        }
        at = next;
      });
      f(image * perImage + k, at);
      for (let d = place.length - 1; d >= 0; d--) {
        place[d]!++;
        if (place[d]! < windows[windows.length - place.length + d]!) break;
        place[d] = 0;
      }
    }
  }
}
