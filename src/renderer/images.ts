/**
 * Pictures of 2-D and 3-D arrays side by side: one slice slider for all of them, and one pixel
 * pointed at (by mouse or arrow keys) whose values are read out for all of them.
 */
import type { ImageSet } from "../report/schema.ts";
import { drawPicture, type Picture } from "./picture.ts";
import { h, section, uniqueId } from "./dom.ts";
import { formatIndex, formatNumber, plural } from "./format.ts";
import { arrayIndex, firstSliceToShow, pixelValue } from "./pixels.ts";
import { isDark, onThemeChange } from "./theme.ts";
import { unpack } from "./unpack.ts";
import type { View } from "./view.ts";

/** The part, and a promise that is kept when the pictures are in it. */
export function drawImages(
  view: View,
  sets: readonly ImageSet[],
  shape: readonly number[] | null,
): { readonly element: HTMLElement; readonly drawn: Promise<void> } {
  const gallery = h("div", { class: "gallery" }, h("p", { class: "dim" }, "Unpacking pictures…"));
  const element = section("Images", "images", gallery);
  return { element, drawn: fill(view, gallery, sets, shape) };
}

async function fill(
  view: View,
  gallery: HTMLElement,
  sets: readonly ImageSet[],
  shape: readonly number[] | null,
): Promise<void> {
  const unpacked = await Promise.all(
    sets.map(async (set) => {
      try {
        return { set, bytes: await unpack(set), why: "" };
      } catch (error) {
        return { set, bytes: null, why: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
  if (view.ended) return;
  const pictures: Picture[] = [];
  const row = h("div", { class: "pictures" });
  for (const { set, bytes, why } of unpacked) {
    if (bytes === null) {
      row.append(h("p", { class: "problem" }, `${set.title}: this picture ${why}.`));
    } else {
      const picture = drawPicture(set, bytes);
      pictures.push(picture);
      row.append(picture.element);
    }
  }
  gallery.replaceChildren(row);
  if (pictures.length > 0) connect(view, gallery, pictures, shape);
}

/** Ties the pictures together: theme, slice, pixel. */
function connect(
  view: View,
  gallery: HTMLElement,
  pictures: readonly Picture[],
  shape: readonly number[] | null,
): void {
  const slices = Math.max(...pictures.map((p) => p.set.slices));
  const start = firstSliceToShow(pictures.map((p) => ({ set: p.set, bytes: p.bytes })));
  let slice = Math.min(slices - 1, Math.max(0, Math.round(view.recall("slice", start))));
  let pixel: { readonly x: number; readonly y: number } | null = null;

  const redraw = (): void => {
    for (const picture of pictures) picture.show(slice, isDark());
  };
  const readout = h("p", { class: "readout" });
  const readOut = (): void => {
    for (const picture of pictures) picture.point(pixel);
    readout.textContent = pixel === null ? hint : describe(pictures, slice, pixel, shape);
  };
  const hint = "Point at a pixel, or move to it with the arrow keys, to read its values.";

  for (const picture of pictures) {
    picture.onPoint((at, byKey) => {
      pixel = at;
      readOut();
      if (byKey) view.announce(readout.textContent);
    });
  }
  if (slices > 1) {
    gallery.prepend(
      sliceSlider(pictures, slice, slices, (chosen) => {
        slice = chosen;
        view.remember("slice", slice);
        redraw();
        readOut();
      }),
    );
  }
  gallery.append(readout);
  redraw();
  readOut();
  view.onEnd(onThemeChange(redraw));
}

function sliceSlider(
  pictures: readonly Picture[],
  start: number,
  slices: number,
  chosen: (slice: number) => void,
): HTMLElement {
  const id = uniqueId("slice");
  const longest = pictures.find((p) => p.set.slices === slices)!.set;
  const name = (k: number): string =>
    `${k + 1} of ${plural(slices, "slice")}, index ${longest.sliceIndices[k]!}`;
  const input = h("input", {
    id,
    type: "range",
    min: 0,
    max: slices - 1,
    step: 1,
    value: start,
    "aria-valuetext": name(start),
  });
  const output = h("output", { for: id }, name(start));
  input.addEventListener("input", () => {
    const k = Number(input.value);
    output.textContent = name(k);
    input.setAttribute("aria-valuetext", name(k));
    chosen(k);
  });
  // Else the notebook would act on the arrow keys as well.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" && event.key !== "Escape") event.stopPropagation();
  });
  return h("div", { class: "slider" }, h("label", { for: id }, "Slice"), input, output);
}

/** "[12, 40, 33]  prediction 0.91  target 1  gradient -2.1e-6". */
function describe(
  pictures: readonly Picture[],
  slice: number,
  pixel: { readonly x: number; readonly y: number },
  shape: readonly number[] | null,
): string {
  const values = pictures.flatMap(({ set, bytes }) => {
    const value = pixelValue(set, bytes, slice, pixel.x, pixel.y);
    return value === null ? [] : [`${set.title} ≈ ${formatNumber(value, 3)}`];
  });
  const index = arrayIndex(pictures[0]!.set, slice, pixel.x, pixel.y, shape);
  const where =
    index === null ? `Row ${pixel.y}, column ${pixel.x}` : `Index ${formatIndex(index)}`;
  return `${where}:  ${values.join(",  ")}`;
}
