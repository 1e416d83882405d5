/**
 * Distances to the background, connected components, erosion and dilation of arrays with any number
 * of axes, row-major, as `scipy.ndimage` has them.
 */
import { stridesOf } from "../../expression/axis.ts";

/**
 * The Euclidean distance of each entry to the nearest one that is 0, exactly: one pass an axis over
 * the lower envelope of parabolas. Where none is 0, as SciPy has it: to the place (−1, 0, 0, …).
 * Source: P. Felzenszwalb, D. Huttenlocher, "Distance Transforms of Sampled Functions", Theory of
 * Computing 8 (2012), section 2; `scipy.ndimage.distance_transform_edt`, SciPy 1.17.
 * @param spacing between neighbours along each axis
 */
export function distancesToZero(
  mask: ArrayLike<number>,
  shape: readonly number[],
  spacing: readonly number[],
  checkpoint: () => void,
): Float64Array {
  const squared = Float64Array.from({ length: mask.length }, (_, k) =>
    mask[k] === 0 ? 0 : Infinity,
  );
  if (!squared.includes(0))
    return distancesTo([-1, ...shape.slice(1).map(() => 0)], shape, spacing);
  const steps = stridesOf(shape);
  shape.forEach((n, d) => {
    const envelope = new Envelope(n, spacing[d]!);
    for (const start of lineStarts(shape, d, steps, checkpoint))
      envelope.replace(squared, start, steps[d]!);
  });
  return squared.map(Math.sqrt);
}

function distancesTo(
  place: readonly number[],
  shape: readonly number[],
  spacing: readonly number[],
): Float64Array {
  const steps = stridesOf(shape);
  const count = shape.reduce((n, s) => n * s, 1);
  return Float64Array.from({ length: count }, (_, k) => {
    let sum = 0;
    shape.forEach((n, d) => {
      const apart = ((Math.floor(k / steps[d]!) % n) - place[d]!) * spacing[d]!;
      sum += apart * apart;
    });
    return Math.sqrt(sum);
  });
}

/** The first entry of each line along an axis. */
function* lineStarts(
  shape: readonly number[],
  axis: number,
  steps: readonly number[],
  checkpoint: () => void,
): Generator<number> {
  const step = steps[axis]!;
  const block = step * shape[axis]!;
  const count = shape.reduce((n, s) => n * s, 1);
  for (let first = 0; first < count; first += block) {
    checkpoint();
    for (let k = 0; k < step; k++) yield first + k;
  }
}

/** min over q of f(q) + ((p − q)·spacing)² along a line. */
class Envelope {
  private readonly spacing: number;
  private readonly line: Float64Array;
  /** Places of the parabolas that are lowest somewhere, and from where on each is. */
  private readonly places: Int32Array;
  private readonly from: Float64Array;

  constructor(length: number, spacing: number) {
    this.spacing = spacing;
    this.line = new Float64Array(length);
    this.places = new Int32Array(length);
    this.from = new Float64Array(length);
  }

  replace(values: Float64Array, start: number, step: number): void {
    const { line, places, from, spacing } = this;
    const n = line.length;
    let last = -1;
    for (let q = 0; q < n; q++) {
      line[q] = values[start + q * step]!;
      if (line[q] === Infinity) continue;
      let meet = -Infinity;
      while (last >= 0) {
        meet = this.meeting(places[last]!, q);
        if (meet > from[last]!) break;
        last--;
      }
      last++;
      places[last] = q;
      from[last] = last === 0 ? -Infinity : meet;
    }
    if (last < 0) return;
    let k = 0;
    for (let p = 0; p < n; p++) {
      while (k < last && from[k + 1]! <= p) k++;
      const apart = (p - places[k]!) * spacing;
      values[start + p * step] = line[places[k]!]! + apart * apart;
    }
  }

  /** Where the parabolas at p and q meet, p < q. */
  private meeting(p: number, q: number): number {
    const { line, spacing } = this;
    const unit = spacing * spacing;
    return ((line[q]! - line[p]!) / unit + q * q - p * p) / (2 * (q - p));
  }
}

/** Which neighbours belong together: offsets along each axis, that of the entry itself included. */
export type Structure = readonly (readonly number[])[];

/** An entry and its neighbours along one axis, `scipy.ndimage.generate_binary_structure(rank, 1)`. */
export function cross(rank: number): Structure {
  const centre = Array<number>(rank).fill(0);
  const beside = (d: number, by: number): number[] => centre.map((_, k) => (k === d ? by : 0));
  return [centre, ...centre.flatMap((_, d) => [beside(d, -1), beside(d, 1)])];
}

/** The offsets at which a structuring element is not 0, seen from its middle. */
export function structureFrom(values: ArrayLike<number>, shape: readonly number[]): Structure {
  const steps = stridesOf(shape);
  return Array.from(values).flatMap((v, k) =>
    v === 0 ? [] : [shape.map((n, d) => (Math.floor(k / steps[d]!) % n) - Math.floor(n / 2))],
  );
}

class Neighbours {
  private readonly shape: readonly number[];
  private readonly steps: readonly number[];

  constructor(shape: readonly number[]) {
    this.shape = shape;
    this.steps = stridesOf(shape);
  }

  /** The flat place of the neighbour of entry `k`; −1 where it is outside. */
  at(k: number, offset: readonly number[]): number {
    let place = k;
    for (let d = 0; d < offset.length; d++) {
      const by = offset[d]!;
      if (by === 0) continue;
      const own = (Math.floor(k / this.steps[d]!) % this.shape[d]!) + by;
      if (own < 0 || own >= this.shape[d]!) return -1;
      place += by * this.steps[d]!;
    }
    return place;
  }
}

/**
 * Connected components of the entries that are not 0, numbered from 1 by their first entries.
 */
export function components(
  mask: ArrayLike<number>,
  shape: readonly number[],
  structure: Structure,
  checkpoint: () => void,
): { readonly labels: Int32Array; readonly count: number } {
  const neighbours = new Neighbours(shape);
  const labels = new Int32Array(mask.length);
  const open: number[] = [];
  let count = 0;
  for (let first = 0; first < mask.length; first++) {
    if ((first & 0xfff) === 0) checkpoint();
    if (mask[first] === 0 || labels[first] !== 0) continue;
    labels[first] = ++count;
    open.push(first);
    while (open.length > 0) {
      const k = open.pop()!;
      for (const offset of structure) {
        const at = neighbours.at(k, offset);
        if (at < 0 || mask[at] === 0 || labels[at] !== 0) continue;
        labels[at] = count;
        open.push(at);
      }
    }
  }
  return { labels, count };
}

export interface Shifting {
  /** Whether there is foreground beyond the edges. */
  readonly outside: boolean;
  /** Below 1: until nothing changes. */
  readonly times: number;
}

/**
 * 1 where all neighbours are not 0, and 0 elsewhere.
 */
export function eroded(
  mask: ArrayLike<number>,
  shape: readonly number[],
  structure: Structure,
  { outside, times }: Shifting,
  checkpoint: () => void,
): Uint8Array {
  const neighbours = new Neighbours(shape);
  let now = Uint8Array.from(mask, (v) => (v === 0 ? 0 : 1));
  for (let step = 0; times < 1 || step < times; step++) {
    const before = now;
    now = before.map((_, k) => {
      if ((k & 0xfff) === 0) checkpoint();
      const stays = structure.every((offset) => {
        const at = neighbours.at(k, offset);
        return at < 0 ? outside : before[at] === 1;
      });
      return stays ? 1 : 0;
    });
    if (now.every((v, k) => v === before[k])) break;
  }
  return now;
}

/** The complement eroded by the mirrored structure, and that one's complement. */
export function dilated(
  mask: ArrayLike<number>,
  shape: readonly number[],
  structure: Structure,
  { outside, times }: Shifting,
  checkpoint: () => void,
): Uint8Array {
  const mirrored = structure.map((offset) => offset.map((by) => -by));
  const background = Uint8Array.from(mask, (v) => (v === 0 ? 1 : 0));
  return eroded(background, shape, mirrored, { outside: !outside, times }, checkpoint).map(
    (v) => 1 - v,
  );
}
