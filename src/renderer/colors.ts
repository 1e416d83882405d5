/** Colours of pictures: from a byte to red, green and blue. */
import type { ImageSet } from "../report/schema.ts";

type Rgb = readonly [number, number, number];

/**
 * Blue to orange or red through the colour of the ground, told apart with every common kind of
 * colour blindness. The middle is light on light themes and dark on dark ones, so that zero recedes
 * and what is large stands out.
 */
const DIVERGING_LIGHT: readonly Rgb[] = [
  [5, 48, 120],
  [48, 118, 188],
  [146, 197, 222],
  [247, 247, 247],
  [246, 178, 132],
  [214, 96, 45],
  [127, 20, 18],
];
const DIVERGING_DARK: readonly Rgb[] = [
  [178, 220, 255],
  [78, 164, 240],
  [32, 82, 138],
  [24, 24, 26],
  [136, 66, 24],
  [238, 138, 62],
  [255, 214, 168],
];
const GREY: readonly Rgb[] = [
  [0, 0, 0],
  [255, 255, 255],
];

/** 256 colours as red, green, blue, opacity. */
export function palette(scale: ImageSet["scale"], dark: boolean): Uint8ClampedArray {
  const anchors = scale === "sequential" ? GREY : dark ? DIVERGING_DARK : DIVERGING_LIGHT;
  const colors = new Uint8ClampedArray(256 * 4);
  for (let byte = 0; byte < 256; byte++) {
    const at = (byte / 255) * (anchors.length - 1);
    const k = Math.min(anchors.length - 2, Math.floor(at));
    const [from, to] = [anchors[k]!, anchors[k + 1]!];
    for (let channel = 0; channel < 3; channel++) {
      colors[4 * byte + channel] = from[channel]! + (at - k) * (to[channel]! - from[channel]!);
    }
    colors[4 * byte + 3] = 255;
  }
  return colors;
}

/** The pixels of one slice, in the colours of a palette. */
export function paint(
  bytes: Uint8Array,
  slice: number,
  size: number,
  colors: Uint8ClampedArray,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(size * 4);
  for (let k = 0; k < size; k++) {
    const color = 4 * bytes[slice * size + k]!;
    pixels[4 * k] = colors[color]!;
    pixels[4 * k + 1] = colors[color + 1]!;
    pixels[4 * k + 2] = colors[color + 2]!;
    pixels[4 * k + 3] = colors[color + 3]!;
  }
  return pixels;
}
