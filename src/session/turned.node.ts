/**
 * Arrays in files with the order of their axes turned round: what has its first axis the fastest, as a
 * NIfTI image, has its last one so after, and the other way about. Arrays of both kinds cannot be gone
 * through together from one end to the other.
 *
 * Entries are read in slabs of the slowest axes, each is turned in memory and written to a temporary
 * file; parts of the turned array are put together of all slabs. So everything is read and written
 * once, with little memory.
 */
import type { TypedArray } from "../numbers/typedArrays.ts";
import { writeAll } from "./newFile.node.ts";
import { newScratchFile } from "./scratch.node.ts";
import { type StoredFile, bytesOf } from "./stored.node.ts";
import { readFrom } from "../arrays/loadArray.node.ts";

/** Entries that are turned in memory at a time. */
const MOST = 1 << 19;

/** Lengths of axes in the order in which entries come: the slowest first. */
function axesOf({ shape, isReversed }: StoredFile): number[] {
  const axes = shape.filter((n) => n > 1);
  return isReversed ? axes.reverse() : axes;
}

/** Whether the order of its axes is any. */
export function hasOrder({ shape }: StoredFile): boolean {
  return shape.filter((n) => n > 1).length > 1;
}

/**
 * The array in the other order, until it is closed; null where no slab of it is small.
 * @param label for errors
 * @param tick told how much is done; may throw to end it
 * @throws ArrayError if there is no room for it, or the file cannot be read
 */
export function turned(
  file: StoredFile,
  label: string,
  tick: (done: number) => void,
  most = MOST,
): StoredFile | null {
  const axes = axesOf(file);
  // Fast axes go into a slab whole, as many as fit, and the slow ones outside of them range by range.
  let inner = axes.length - 1;
  while (inner > 1 && product(axes.slice(inner - 1)) <= most) inner -= 1;
  const [slow, fast] = [axes.slice(0, inner), axes.slice(inner)];
  const outside = product(slow);
  const isLong = product(fast) > most;
  if (slow.length > 1 && outside > most) return null;
  const plan: Plan = { slow, fast, outside, inside: product(fast), most };
  const scratch = newScratchFile(file.length * file.like.BYTES_PER_ELEMENT, label);
  const { like } = file;
  const place = (first: number): number => first * like.BYTES_PER_ELEMENT;
  try {
    const put: Put = (first, part) => {
      scratch.guarded(() => {
        writeAll(scratch.file, place(first), bytesOf(part));
      });
      tick(Math.min(1, (first + part.length) / file.length));
    };
    if (isLong) turnLong(file, plan, put);
    else turnSlabs(file, plan, put);
  } catch (e) {
    scratch.close();
    throw e;
  }
  const get = (first: number, into: TypedArray): void => {
    readFrom(scratch.file, place(first), bytesOf(into));
  };
  return {
    ...file,
    isReversed: !file.isReversed,
    read: isLong ? get : readerOfSlabs(like, plan, get),
    close: () => {
      scratch.close();
    },
  };
}

type Put = (first: number, part: TypedArray) => void;
type Get = (first: number, into: TypedArray) => void;

interface Plan {
  readonly slow: readonly number[];
  readonly fast: readonly number[];
  /** Entries along all slow axes, and along all fast ones. */
  readonly outside: number;
  readonly inside: number;
  readonly most: number;
}

/** Rows of the slow axes in a slab. */
function rowsOfSlab({ inside, most }: Plan): number {
  return Math.max(1, Math.floor(most / inside));
}

/** Slab by slab, each with its fast axes turned round and before its slow ones. */
function turnSlabs(file: StoredFile, plan: Plan, put: Put): void {
  const { fast, outside, inside } = plan;
  const rows = rowsOfSlab(plan);
  const places = turnedPlaces(fast);
  // Made once: what was left to the garbage collector for each slab took up to 30 MB.
  const most = Math.min(rows, outside) * inside;
  const [slabs, parts] = [newLike(file.like, most), newLike(file.like, most)];
  for (let row = 0; row < outside; row += rows) {
    const count = Math.min(rows, outside - row);
    const slab = slabs.subarray(0, count * inside);
    const part = parts.subarray(0, count * inside);
    file.read(row * inside, slab);
    for (let r = 0; r < count; r++) {
      for (let k = 0; k < inside; k++) part[places[k]! * count + r] = slab[r * inside + k]!;
    }
    put(row * inside, part);
  }
}

/** Parts of the turned array, of the rows that each slab has of it. */
function readerOfSlabs(like: TypedArray, plan: Plan, get: Get): Get {
  const { slow, outside, inside, most } = plan;
  const rows = rowsOfSlab(plan);
  const places = turnedPlaces(slow);
  // Whole lines of the slow axes where these are several: their entries are in no order in the slabs.
  const isWhole = outside <= most;
  const lines = isWhole ? Math.max(1, Math.floor(most / outside)) : 1;
  // Made once, as is what is turned.
  const longest = isWhole ? outside : Math.min(most, outside);
  const windows = newLike(like, Math.min(lines, inside) * longest);
  const pieces = newLike(like, Math.min(lines, inside) * Math.min(rows, outside));
  let window = windows.subarray(0, 0);
  let from = 0;
  const load = (at: number): void => {
    const line = Math.floor(at / outside);
    const count = Math.min(lines, inside - line);
    const first = isWhole ? 0 : Math.floor((at % outside) / most) * most;
    const width = isWhole ? outside : Math.min(most, outside - first);
    window = windows.subarray(0, count * width);
    from = line * outside + first;
    for (let row = Math.floor(first / rows) * rows; row < first + width; row += rows) {
      const height = Math.min(rows, outside - row);
      const piece = pieces.subarray(0, count * height);
      get(row * inside + line * height, piece);
      for (let c = 0; c < count; c++) {
        for (let r = 0; r < height; r++) {
          const to = places[row + r]! - first;
          if (to >= 0 && to < width) window[c * width + to] = piece[c * height + r]!;
        }
      }
    }
  };
  return (first, into) => {
    for (let done = 0; done < into.length;) {
      const at = first + done;
      if (at < from || at >= from + window.length) load(at);
      const part = window.subarray(at - from, at - from + into.length - done);
      into.set(part, done);
      done += part.length;
    }
  };
}

/** Where one axis alone is too long for a slab: ranges of it, which come one after the other. */
function turnLong(file: StoredFile, plan: Plan, put: Put): void {
  const { slow, outside, inside, most } = plan;
  const places = turnedPlaces(slow);
  const width = Math.max(1, Math.floor(most / outside));
  for (let first = 0; first < inside; first += width) {
    const count = Math.min(width, inside - first);
    const part = newLike(file.like, count * outside);
    const run = newLike(file.like, count);
    for (let row = 0; row < outside; row++) {
      file.read(row * inside + first, run);
      for (let k = 0; k < count; k++) part[k * outside + places[row]!] = run[k]!;
    }
    put(first * outside, part);
  }
}

/** Row-major positions of entries after the order of their axes is turned round. */
function turnedPlaces(axes: readonly number[]): Int32Array {
  const places = new Int32Array(product(axes));
  const at = axes.map(() => 0);
  const steps = axes.map((_, d) => product(axes.slice(0, d)));
  let place = 0;
  for (let k = 0; k < places.length; k++) {
    places[k] = place;
    for (let d = axes.length - 1; d >= 0; d--) {
      place += steps[d]!;
      if (++at[d]! < axes[d]!) break;
      place -= steps[d]! * axes[d]!;
      at[d] = 0;
    }
  }
  return places;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

function newLike(like: TypedArray, length: number): TypedArray {
  return new (like.constructor as new (length: number) => TypedArray)(length);
}
