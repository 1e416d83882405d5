/** Pictures of arrays for a report: a byte a pixel, at most a few dozen slices, packed. */
import { deflateSync } from "fflate";
import { parts } from "../numbers/interruption.ts";
import type { ImageSet } from "./schema.ts";

/** A saved notebook holds these, so they stay small: a 72³ volume packs into tens of kilobytes. */
const MAX_SLICES = 32;
const MAX_SIDE = 192;

export interface ImageSource {
  readonly title: string;
  readonly role: ImageSet["role"];
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Pictures with one common choice of slices; empty for arrays that are not pictures. */
export function makeImages(sources: readonly ImageSource[]): ImageSet[] {
  return sources.flatMap((s) => {
    const view = asVolume(s.shape);
    return view === null ? [] : [picture(s, view)];
  });
}

interface Volume {
  readonly depth: number;
  readonly height: number;
  readonly width: number;
  /** First entry of the volume in the array, and what leading indices that is. */
  readonly offset: number;
  readonly leading: string;
}

/** The last two or three axes longer than 1; of further leading axes the first entry is shown. */
function asVolume(shape: readonly number[]): Volume | null {
  const long = shape.filter((n) => n !== 1);
  if (long.length < 2 || shape.includes(0)) return null;
  const [width, height] = [long.at(-1)!, long.at(-2)!];
  // A batch or class axis of a few entries is worth a slider as well, so the third axis is taken.
  const depth = long.length > 2 ? long.at(-3)! : 1;
  if (width < 4 || height < 4) return null;
  const rest = long.slice(0, -3);
  return {
    depth,
    height,
    width,
    offset: 0,
    leading: rest.length === 0 ? "" : ` [${rest.map(() => 0).join(", ")}]`,
  };
}

function picture(source: ImageSource, v: Volume): ImageSet {
  const step = Math.max(1, Math.ceil(Math.max(v.height, v.width) / MAX_SIDE));
  const height = Math.ceil(v.height / step);
  const width = Math.ceil(v.width / step);
  const count = Math.min(v.depth, MAX_SLICES);
  const sliceIndices = Array.from({ length: count }, (_, k) =>
    count === 1 ? Math.floor(v.depth / 2) : Math.round((k * (v.depth - 1)) / (count - 1)),
  );
  const diverging = source.role === "gradient";
  const [low, high] = range(source.data, diverging);
  const bytes = new Uint8Array(count * height * width);
  const scale = high > low ? 255 / (high - low) : 0;
  let out = 0;
  for (const k of sliceIndices) {
    for (let y = 0; y < v.height; y += step) {
      const row = v.offset + (k * v.height + y) * v.width;
      for (let x = 0; x < v.width; x += step) {
        const value = source.data[row + x]!;
        bytes[out++] = Number.isNaN(value)
          ? 128
          : Math.max(0, Math.min(255, Math.round((value - low) * scale)));
      }
    }
  }
  return {
    title: source.title + v.leading,
    role: source.role,
    width,
    height,
    slices: count,
    sliceIndices,
    data: toBase64(deflateSync(bytes, { level: 6 })),
    encoding: "deflate-raw",
    low,
    high,
    scale: diverging ? "diverging" : "sequential",
  };
}

/**
 * Ends of the colour scale. A gradient's are symmetric about zero, at its largest magnitude: a few
 * large entries are what a reader looks for, so nothing is cut off.
 */
function range(data: ArrayLike<number>, symmetric: boolean): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const [first, end] of parts(data.length)) {
    // By index: arrays of all types come here, and iterating over them takes ten times as long.
    for (let k = first; k < end; k++) {
      const x = data[k]!;
      if (x < low && x > -Infinity) low = x;
      if (x > high && x < Infinity) high = x;
    }
  }
  if (low > high) return symmetric ? [-1, 1] : [0, 1];
  if (symmetric) {
    const m = Math.max(-low, high) || 1;
    return [-m, m];
  }
  // Masks and probabilities are read on the scale 0…1, even if an array holds only zeros.
  if (low >= 0 && high <= 1) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  const chunk = 0x8000;
  for (let k = 0; k < bytes.length; k += chunk) {
    text += String.fromCharCode(...bytes.subarray(k, k + chunk));
  }
  return btoa(text);
}
