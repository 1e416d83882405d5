import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import type { ImageSet } from "../../../src/report/schema.ts";
import { paint, palette } from "../../../src/renderer/colors.ts";
import { arrayIndex, firstSliceToShow, pixelValue } from "../../../src/renderer/pixels.ts";
import { unpack } from "../../../src/renderer/unpack.ts";
import { makeImages } from "../../../src/report/images.ts";
import { ball, report, SMOOTH, TORCH } from "./fixtures.ts";
import { all, announced, draw, Host, one, usePage } from "./page.ts";

function set(changes: Partial<ImageSet> = {}): ImageSet {
  return {
    title: "a",
    role: "other",
    width: 2,
    height: 2,
    slices: 1,
    sliceIndices: [0],
    data: Buffer.from([0, 51, 102, 255]).toString("base64"),
    encoding: "raw",
    low: 0,
    high: 5,
    scale: "sequential",
    ...changes,
  };
}

const packed = (bytes: Uint8Array): string => deflateRawSync(bytes).toString("base64");

describe("unpacking pictures", () => {
  it("gives back what was packed", async () => {
    const bytes = Uint8Array.from({ length: 4 * 60 * 50 }, (_, k) => (k * k) % 251);
    const size = { width: 60, height: 50, slices: 4, sliceIndices: [0, 1, 2, 3] };
    const raw = set({ ...size, data: Buffer.from(bytes).toString("base64") });
    const deflated = set({ ...size, data: packed(bytes), encoding: "deflate-raw" });
    assert.deepEqual(await unpack(raw), bytes);
    assert.deepEqual(await unpack(deflated), bytes);
  });

  it("reads what the report's maker writes", async () => {
    const { prediction, shape } = ball(5, 24);
    const [made] = makeImages([{ title: "p", role: "prediction", shape, data: prediction }]);
    const bytes = await unpack(made!);
    for (const k of [0, 700, 1500, 2879]) {
      const [z, y, x] = [Math.floor(k / 576), Math.floor(k / 24) % 24, k % 24];
      const value = pixelValue(made!, bytes, z, x, y)!;
      assert.ok(Math.abs(value - prediction[k]!) <= 0.5 / 255 + 1e-12);
    }
  });

  it("stops a stream that unpacks to more than its size says", async () => {
    const bomb = set({ data: packed(new Uint8Array(50_000_000)), encoding: "deflate-raw" });
    assert.ok(bomb.data.length < 100_000);
    await assert.rejects(unpack(bomb), /more than the 4 pixels/);
  });

  it("refuses what is too short, broken, or no base64", async () => {
    await assert.rejects(unpack(set({ data: "AAAA" })), /holds 3 pixels where its size says 4/);
    const short = set({ data: packed(new Uint8Array(3)), encoding: "deflate-raw" });
    await assert.rejects(unpack(short), /holds 3 pixels/);
    await assert.rejects(unpack(set({ encoding: "deflate-raw", data: "////" })), /unpacked/);
    const half = packed(Uint8Array.from({ length: 4000 }, (_, k) => (k * k * 7919) >> 7)).slice(
      0,
      2000,
    );
    const cut = set({ width: 40, height: 100, encoding: "deflate-raw", data: half });
    await assert.rejects(unpack(cut), /unpacked/);
    await assert.rejects(unpack(set({ data: "<>" })), /not base64/);
  });
});

describe("pixels", () => {
  it("have the value of their byte on the scale", () => {
    const bytes = Uint8Array.of(0, 51, 102, 255);
    assert.equal(pixelValue(set(), bytes, 0, 0, 0), 0);
    assert.equal(pixelValue(set(), bytes, 0, 1, 0), 1);
    assert.equal(pixelValue(set(), bytes, 0, 1, 1), 5);
    assert.equal(pixelValue(set(), bytes, 0, 2, 0), null);
  });

  it("have the index of the element they show", () => {
    const volume = set({ width: 5, height: 4, slices: 2, sliceIndices: [0, 7] });
    assert.deepEqual(arrayIndex(volume, 1, 3, 2, [8, 4, 5]), [7, 2, 3]);
    assert.deepEqual(arrayIndex(volume, 1, 3, 2, [1, 8, 1, 4, 5]), [0, 7, 0, 2, 3]);
    assert.deepEqual(arrayIndex(volume, 1, 3, 2, [6, 8, 4, 5]), [0, 7, 2, 3]);
    assert.deepEqual(arrayIndex(set({ width: 5, height: 4 }), 0, 3, 2, [4, 5]), [2, 3]);
  });

  it("of a large picture have the index of the row and column that was taken", () => {
    for (const [height, width] of [
      [1000, 5],
      [200, 200],
      [385, 400],
      [5, 1000],
      [193, 100],
    ] as const) {
      const shape = [height, width];
      const data = new Float64Array(height * width);
      const step = Math.ceil(Math.max(height, width) / 192);
      const [made] = makeImages([{ title: "p", role: "prediction", shape, data }]);
      if (made === undefined) continue;
      const last = arrayIndex(made, 0, made.width - 1, made.height - 1, shape);
      assert.deepEqual(last, [(made.height - 1) * step, (made.width - 1) * step]);
    }
  });

  it("have no index in an array that the picture does not fit", () => {
    assert.equal(arrayIndex(set(), 0, 0, 0, null), null);
    assert.equal(arrayIndex(set(), 0, 0, 0, [4]), null);
    assert.equal(arrayIndex(set(), 0, 0, 0, []), null);
    assert.equal(arrayIndex(set({ width: 5, height: 2 }), 0, 0, 0, [2, 9]), null);
    assert.equal(arrayIndex(set({ sliceIndices: [9] }), 0, 0, 0, [3, 2, 2]), null);
  });

  it("that are shown first are those of the slice with the most target", () => {
    const size = { slices: 3, sliceIndices: [0, 1, 2], role: "target" as const };
    const bytes = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 9, 9, 0, 0);
    assert.equal(firstSliceToShow([{ set: set(size), bytes }]), 2);
    assert.equal(firstSliceToShow([{ set: set(size), bytes: new Uint8Array(12) }]), 1);
    assert.equal(firstSliceToShow([{ set: set({ ...size, role: "other" }), bytes }]), 1);
  });
});

describe("colours", () => {
  const color = (colors: Uint8ClampedArray, byte: number): number[] => [
    ...colors.subarray(4 * byte, 4 * byte + 3),
  ];
  const luminance = ([r, g, b]: number[]): number => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;

  for (const dark of [false, true]) {
    it(`of a ${dark ? "dark" : "light"} theme put zero in the colour of the ground`, () => {
      const colors = palette("diverging", dark);
      const light = (byte: number): number => luminance(color(colors, byte));
      assert.ok(dark ? light(127) < 30 : light(127) > 240);
      assert.ok(Math.abs(light(127) - light(128)) < 3);
      // Both ways from zero, each step is further from the ground than the last.
      for (let k = 1; k <= 127; k++) {
        const sign = dark ? 1 : -1;
        assert.ok(sign * (light(127 - k) - light(128 - k)) >= -0.5, `below zero, ${k}`);
        assert.ok(sign * (light(128 + k) - light(127 + k)) >= -0.5, `above zero, ${k}`);
      }
    });

    it(`of a ${dark ? "dark" : "light"} theme tell the signs apart by blue`, () => {
      const colors = palette("diverging", dark);
      for (const k of [30, 60, 90]) {
        const [below, above] = [color(colors, 127 - k), color(colors, 128 + k)];
        assert.ok(below[2]! > below[0]! + 20, `below zero is blue: ${below.join(" ")}`);
        assert.ok(above[0]! > above[2]! + 20, `above zero is orange: ${above.join(" ")}`);
      }
    });
  }

  it("paint the slice asked for", () => {
    const pixels = paint(Uint8Array.of(0, 0, 255, 51), 1, 2, palette("sequential", false));
    assert.deepEqual([...pixels], [255, 255, 255, 255, 51, 51, 51, 255]);
  });
});

describe("the pictures of a report", () => {
  usePage();

  const key = (target: Element, name: string, shiftKey = false): boolean =>
    target.dispatchEvent(
      new document.defaultView!.KeyboardEvent("keydown", {
        key: name,
        shiftKey,
        bubbles: true,
        cancelable: true,
      }),
    );
  const slide = (input: HTMLInputElement, to: number): void => {
    input.value = String(to);
    input.dispatchEvent(new document.defaultView!.Event("input", { bubbles: true }));
  };

  it("show prediction, target and gradient, each with a scale in numbers", async () => {
    const root = await draw(report(TORCH, ball(4, 16)));
    const titles = all(root, ".picture figcaption").map((each) => each.textContent);
    assert.deepEqual(titles, ["logits", "y_true", "gradient by logits"]);
    const ends = all(root, ".color-ends").map((each) =>
      [...each.children].map((c) => c.textContent),
    );
    assert.equal(ends[1]!.join(" "), "0 1");
    assert.equal(ends[2]!.length, 3);
    assert.equal(ends[2]![1], "0");
    assert.equal(ends[2]![0], `-${ends[2]![2]!}`);
  });

  it("have one slider for all, named, that says slice and index", async () => {
    const root = await draw(report(SMOOTH, ball(40, 16)));
    const input = one<HTMLInputElement>(root, "input[type=range]");
    assert.equal(input.labels![0]!.textContent, "Slice");
    assert.equal(input.max, "31");
    slide(input, 31);
    assert.equal(one(root, "output").textContent, "32 of 32 slices, index 39");
    assert.equal(input.getAttribute("aria-valuetext"), "32 of 32 slices, index 39");
  });

  it("have no slider when there is one slice", async () => {
    const root = await draw(report(SMOOTH, ball(1, 16)));
    assert.equal(root.querySelector("input"), null);
    assert.equal(all(root, ".picture").length, 3);
  });

  it("read out all values at the pixel that the arrow keys choose", async () => {
    const made = report(SMOOTH, ball(4, 16));
    const root = await draw(made);
    const frame = all(root, ".frame")[2]!;
    assert.equal(frame.getAttribute("tabindex"), "0");
    assert.match(frame.getAttribute("aria-label")!, /gradient by y_pred, 16 by 16 pixels/);
    slide(one<HTMLInputElement>(root, "input"), 3);
    key(frame, "ArrowRight");
    const text = one(root, ".readout").textContent;
    assert.match(text, /^Index \[3, 8, 9\]: {2}y_pred ≈ [\d.e-]+, {2}y_true ≈ [01], {2}gradient/);
    assert.equal(announced(root), text);
    key(frame, "ArrowUp", true);
    key(frame, "ArrowUp");
    assert.match(one(root, ".readout").textContent, /\[3, 0, 9\]/);
    key(frame, "Home");
    assert.match(one(root, ".readout").textContent, /\[3, 0, 0\]/);
    assert.equal(all(root, ".marker:not([hidden])").length, 3);
    key(frame, "Escape");
    assert.equal(all(root, ".marker:not([hidden])").length, 0);
  });

  it("leave the keys that they do not use to the notebook", async () => {
    const root = await draw(report(SMOOTH, ball(1, 16)));
    let heard = 0;
    document.body.addEventListener("keydown", () => heard++);
    const frame = all(root, ".frame")[0]!;
    assert.equal(key(frame, "Escape"), true);
    assert.equal(key(frame, "Tab"), true);
    assert.equal(heard, 2);
    assert.equal(key(frame, "ArrowLeft"), false);
    assert.equal(heard, 2);
  });

  it("remember the slice, and start where there is something to see", async () => {
    const host = new Host();
    const made = report(SMOOTH, ball(9, 16));
    const first = one<HTMLInputElement>(await host.draw(made, "a"), "input");
    assert.equal(first.value, "4");
    slide(first, 7);
    host.api.disposeOutputItem?.("a");
    const again = one<HTMLInputElement>(await new Host(host.state).draw(made, "a"), "input");
    assert.equal(again.value, "7");
  });

  it("that cannot be unpacked are named, and the others drawn", async () => {
    const made = report(SMOOTH, ball(1, 16));
    const [a, b, c] = made.images!;
    const root = await draw({ ...made, images: [a, { ...b, data: "AAAA" }, c] });
    assert.equal(all(root, ".picture").length, 2);
    assert.match(one(root, ".images .problem").textContent, /^y_true: this picture /);
  });
});
