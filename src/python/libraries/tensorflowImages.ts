/** tf.image: differences of neighbouring pixels, mirror images, other sizes. Channels are last. */
import { elementwise, clampValue, keepingFunction } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { reduction, standardDeviation } from "../tensors/reduce.ts";
import { literalArray, rankOf, stackTensors } from "../tensors/tensor.ts";
import { padAxis, repeatEach, sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float, tuple } from "../values.ts";
import { range } from "./common.ts";
import { convert, isFloating } from "./convert.ts";
import { reversed } from "./picking.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import { dtypeArgument } from "./tensorflowMeanings.ts";
import { imageSimilarity, kerasSimilarity } from "./tensorflowSimilarity.ts";
import { paddedBy } from "./tensorflowWindows.ts";
import { linear } from "./torchWindows.ts";

/** Rows and columns, of one image as of a batch. */
function spaceOf(
  c: CallContext,
  x: TensorValue,
  batch: "batch" | "batch or one",
): [number, number] {
  const rank = rankOf(x);
  if (rank === 4 || (rank === 3 && batch === "batch or one")) return [rank - 3, rank - 2];
  return c.vm.fail(
    "ValueError",
    `${c.name}() takes images with rows, columns and channels, not an array of ${rank} axes`,
  );
}

/** All entries along an axis but the first ones or the last ones. */
function part(c: CallContext, x: TensorValue, d: number, from: number, count: number): TensorValue {
  return selectPositions(c.vm, x, d, range(from, from + count));
}

/** Each entry less the one before it along an axis. */
function steps(c: CallContext, x: TensorValue, d: number): TensorValue {
  const n = sizeAlong(c.vm, x, d, `${c.name}()`);
  return elementwise(c.vm, "sub", part(c, x, d, 1, n - 1), part(c, x, d, 0, n - 1));
}

/** Differences down and to the right, 0 in the last row and column. */
const gradients: Meaning = (c) => {
  const x = c.tensor("x");
  return tuple(
    spaceOf(c, x, "batch").map((d) => padAxis(c.vm, steps(c, x, d), d, [0, 1], "constant", 0)),
  );
};

/** The sum of all neighbours' differences, of each image of a batch. */
const totalVariation: Meaning = (c) => {
  const x = c.tensor("x");
  const own = range(rankOf(x) - 3, rankOf(x));
  const [rows, columns] = spaceOf(c, x, "batch or one").map((d) =>
    reduction(c.vm, "sum", keepingFunction(c.vm, "abs", steps(c, x, d)), own, false),
  );
  return elementwise(c.vm, "add", rows!, columns!);
};

/** Sobel's differences of rows and of columns along a new last axis; images are mirrored at edges. */
const sobel: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("x");
  const space = spaceOf(c, x, "batch");
  const [rows, columns] = space;
  const wide = paddedBy(
    c,
    x,
    [0, 1, 1, 0].map((n) => [n, n] as const),
    "REFLECT",
  );
  const three = (t: TensorValue, d: number): TensorValue[] => {
    const n = sizeAlong(vm, t, d, `${c.name}()`) - 2;
    return [0, 1, 2].map((from) => part(c, t, d, from, n));
  };
  const apart = (t: TensorValue, d: number): TensorValue => {
    const [before, , after] = three(t, d);
    return elementwise(vm, "sub", after!, before!);
  };
  const smooth = (t: TensorValue, d: number): TensorValue => {
    const [before, at, after] = three(t, d);
    const twice = elementwise(vm, "mul", float(2), at!);
    return elementwise(vm, "add", elementwise(vm, "add", before!, twice), after!);
  };
  const edges = [smooth(apart(wide, rows), columns), smooth(apart(wide, columns), rows)];
  return stackTensors(vm, edges, -1, c.library);
};

/** Each image less its mean, over its deviation, which counts as at least 1/√n. */
const standardized: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("x");
  const own = range(rankOf(x) - 3, rankOf(x));
  spaceOf(c, x, "batch or one");
  const n = own.reduce((count, d) => count * sizeAlong(vm, x, d, `${c.name}()`), 1);
  const centred = elementwise(vm, "sub", x, reduction(vm, "mean", x, own, true));
  const deviation = standardDeviation(vm, x, own, true, 0);
  return elementwise(vm, "div", centred, clampValue(vm, deviation, float(1 / Math.sqrt(n)), null));
};

/** One axis at another size, pixels being squares: by the nearest one, or between two. */
export function resized(
  c: CallContext,
  x: TensorValue,
  dim: number,
  size: number,
  method: string,
): TensorValue {
  const old = sizeAlong(c.vm, x, dim, `${c.name}()`);
  if (size === old) return x;
  const scale = old / size;
  if (method === "bilinear") return linear(c.vm, x, dim, { old, size, scale, aligned: false });
  if (method !== "nearest") {
    return c.vm.unsupported(
      `${c.name}() with the method "${method}" is not supported`,
      'Use "nearest" or "bilinear", or resize the arrays beforehand.',
    );
  }
  if (size % old === 0) return repeatEach(c.vm, x, dim, size / old);
  const at = range(0, size).map((p) => Math.min(Math.floor((p + 0.5) * scale), old - 1));
  return selectPositions(c.vm, x, dim, at);
}

const resize =
  (how: string): Meaning =>
  (c) => {
    const x = c.tensor("x");
    const sizes = c.dims("size")!;
    if (sizes.length !== 2) c.vm.fail("ValueError", "'size' must be a 1-D Tensor of 2 elements");
    const method = c.text(how).toLowerCase();
    return spaceOf(c, x, "batch or one").reduce(
      (t, d, k) => resized(c, t, d, sizes[k]!, method),
      x,
    );
  };

/** Rows or columns in the opposite order. */
const mirrored =
  (axis: number): Meaning =>
  (c): Value => {
    spaceOf(c, c.tensor("x"), "batch or one");
    return reversed(c, [axis]);
  };

/** Rows and columns from an offset on. */
function cropped(
  c: CallContext,
  offsets: readonly [number, number],
  sizes: readonly [number, number],
): TensorValue {
  const x = c.tensor("x");
  return spaceOf(c, x, "batch or one").reduce((t, d, k) => {
    const n = sizeAlong(c.vm, t, d, `${c.name}()`);
    const [from, count] = [offsets[k]!, sizes[k]!];
    if (from < 0 || from + count > n) {
      c.vm.fail("ValueError", `${c.name}(): ${count} entries from ${from} on are not within ${n}`);
    }
    return part(c, t, d, from, count);
  }, x);
}

const crop: Meaning = (c) =>
  cropped(
    c,
    [c.int("offset_height"), c.int("offset_width")],
    [c.int("target_height"), c.int("target_width")],
  );

const centralCrop: Meaning = (c) => {
  const x = c.tensor("x");
  const [rows, columns] = spaceOf(c, x, "batch or one").map((d) => {
    const n = sizeAlong(c.vm, x, d, `${c.name}()`);
    const from = Math.trunc((n - n * c.number("central_fraction")) / 2);
    return [from, n - 2 * from] as const;
  });
  return cropped(c, [rows![0], columns![0]], [rows![1], columns![1]]);
};

/** The channels' weighted mean, with an axis of one for it. */
const grey: Meaning = (c) => {
  const x = c.tensor("x");
  const weights = literalArray(c.vm, [0.2989, 0.587, 0.114], [3], x.dtype ?? "float32", c.library);
  return reduction(c.vm, "sum", elementwise(c.vm, "mul", x, weights), [-1], true);
};

/** Whole numbers as shares of the largest of their type. */
const scaled: Meaning = (c) => {
  const x = c.tensor("x");
  const to = dtypeArgument(c)!;
  const bits = x.expr.type === "int" ? /^(u?)int(\d+)$/.exec(x.dtype ?? "int32") : null;
  if (!isFloating(to)) {
    return c.vm.unsupported(
      `${c.name}() to whole numbers is not supported`,
      "Scale and round yourself: tf.cast(tf.round(x * 255), tf.uint8).",
    );
  }
  const real = convert(c.vm, x, to);
  if (bits === null) return real;
  const most = 2 ** (Number(bits[2]) - (bits[1] === "u" ? 0 : 1)) - 1;
  return elementwise(c.vm, "div", real, float(most));
};

export const imageFunctions: Table = {
  ...imageSimilarity,
  crop_to_bounding_box: ["image, offset_height, offset_width, target_height, target_width", crop],
  central_crop: ["image, central_fraction", centralCrop],
  rgb_to_grayscale: ["images, ~name", grey],
  convert_image_dtype: ["image, dtype, ~saturate, ~name", scaled],
  sobel_edges: ["image", sobel],
  image_gradients: ["image", gradients],
  total_variation: ["images, ~name", totalVariation],
  flip_left_right: ["image", mirrored(-2)],
  flip_up_down: ["image", mirrored(-3)],
  per_image_standardization: ["image", standardized],
  resize: [
    "images, size, method='bilinear', !preserve_aspect_ratio, !antialias, ~name",
    resize("method"),
  ],
};

const LAST = "!data_format='channels_last'";

/** keras.ops.image's. */
export const kerasImages: Table = {
  ...kerasSimilarity,
  sobel_edges: [`images, ${LAST}`, sobel],
  rgb_to_grayscale: [`images, ${LAST}`, grey],
  resize: [
    `images, size, interpolation='bilinear', !antialias, !crop_to_aspect_ratio, !pad_to_aspect_ratio, ~fill_mode, ~fill_value, ${LAST}`,
    resize("interpolation"),
  ],
};

/** tf.image.ResizeMethod's names. */
export const RESIZE_METHODS: ReadonlyMap<string, string> = new Map([
  ["BILINEAR", "bilinear"],
  ["NEAREST_NEIGHBOR", "nearest"],
]);
