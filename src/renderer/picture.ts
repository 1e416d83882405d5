/** One picture: its title, the canvas, the pixel pointed at, and a colour bar with numbers. */
import type { ImageSet } from "../report/schema.ts";
import { paint, palette } from "./colors.ts";
import { h } from "./dom.ts";
import { formatNumber } from "./format.ts";

interface Pixel {
  readonly x: number;
  readonly y: number;
}

export interface Picture {
  readonly element: HTMLElement;
  readonly set: ImageSet;
  readonly bytes: Uint8Array;
  show(slice: number, dark: boolean): void;
  /** Marks a pixel, or none. */
  point(pixel: Pixel | null): void;
  onPoint(listener: (pixel: Pixel | null, byKey: boolean) => void): void;
}

/** Width on the screen that small pictures are enlarged to, by whole factors. */
const WANTED_WIDTH = 224;
const MAX_ENLARGEMENT = 28;

export function drawPicture(set: ImageSet, bytes: Uint8Array): Picture {
  const { width, height } = set;
  const enlargement = Math.max(
    1,
    Math.min(MAX_ENLARGEMENT, Math.floor(WANTED_WIDTH / Math.max(width, height))),
  );
  const canvas = h("canvas", { width, height, "aria-hidden": "true" });
  const marker = h("div", { class: "marker", hidden: true });
  const frame = h(
    "div",
    {
      class: "frame",
      tabindex: 0,
      // Arrow keys must reach the picture, also while a screen reader is browsing the page.
      role: "application",
      "aria-roledescription": "picture",
      "aria-label": `${set.title}, ${width} by ${height} pixels; arrow keys read pixels`,
    },
    canvas,
    marker,
  );
  frame.style.width = `${width * enlargement}px`;
  frame.style.aspectRatio = `${width} / ${height}`;
  const bar = h("canvas", { class: "color-bar", width: 256, height: 1, "aria-hidden": "true" });
  const element = h(
    "figure",
    { class: "picture" },
    h("figcaption", {}, set.title),
    frame,
    bar,
    h("div", { class: "color-ends dim" }, ...colorEnds(set).map((text) => h("span", {}, text))),
  );
  element.style.maxWidth = `${Math.max(width * enlargement, 96)}px`;

  let pixel: Pixel | null = null;
  let tell: (pixel: Pixel | null, byKey: boolean) => void = () => undefined;

  const pointAt = (event: PointerEvent): void => {
    const box = frame.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * height);
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    tell({ x, y }, false);
  };
  frame.addEventListener("pointermove", pointAt);
  frame.addEventListener("pointerdown", pointAt);
  frame.addEventListener("pointerleave", () => {
    // The pixel stays while the picture has the keyboard.
    if (document.activeElement !== frame) tell(null, false);
  });
  frame.addEventListener("blur", () => {
    tell(null, false);
  });
  frame.addEventListener("focus", () => {
    if (pixel === null && frame.matches(":focus-visible")) {
      tell({ x: Math.floor(width / 2), y: Math.floor(height / 2) }, true);
    }
  });
  frame.addEventListener("keydown", (event) => {
    const next = moved(event.key, pixel, event.shiftKey ? 10 : 1, width, height);
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    tell(next, true);
  });

  return {
    element,
    set,
    bytes,
    show(slice, dark) {
      const colors = palette(set.scale, dark);
      const shown = Math.min(slice, set.slices - 1);
      put(canvas, width, height, paint(bytes, shown, width * height, colors));
      put(bar, 256, 1, colors);
    },
    point(at) {
      pixel = at;
      marker.hidden = at === null || at.x >= width || at.y >= height;
      if (at === null) return;
      marker.style.left = `${(100 * at.x) / width}%`;
      marker.style.top = `${(100 * at.y) / height}%`;
      marker.style.width = `${100 / width}%`;
      marker.style.height = `${100 / height}%`;
    },
    onPoint(listener) {
      tell = listener;
    },
  };
}

/** Where a key leads: a pixel, none (Escape), or undefined for keys that are not ours. */
function moved(
  key: string,
  from: Pixel | null,
  step: number,
  width: number,
  height: number,
): Pixel | null | undefined {
  const { x, y } = from ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  switch (key) {
    case "ArrowLeft":
      return { x: Math.max(0, x - step), y };
    case "ArrowRight":
      return { x: Math.min(width - 1, x + step), y };
    case "ArrowUp":
      return { x, y: Math.max(0, y - step) };
    case "ArrowDown":
      return { x, y: Math.min(height - 1, y + step) };
    case "Home":
      return { x: 0, y };
    case "End":
      return { x: width - 1, y };
    case "Escape":
      return from === null ? undefined : null;
    default:
      return undefined;
  }
}

function colorEnds(set: ImageSet): string[] {
  const ends = [formatNumber(set.low, 3), formatNumber(set.high, 3)];
  return set.scale === "diverging" ? [ends[0]!, "0", ends[1]!] : ends;
}

function put(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  pixels: Uint8ClampedArray,
): void {
  const context = canvas.getContext("2d");
  context?.putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
}
