/** tf.nn's grey dilation and erosion, and blocks of pixels as channels. */
import { elementwise, keepingFunction } from "../tensors/elementwise.ts";
import { largestOf } from "../tensors/pooling.ts";
import { addAxis, flattenRange, moveAxes, permuteAxes, reshapeTo } from "../tensors/reshape.ts";
import { rankOf, sizeNumber, tensor } from "../tensors/tensor.ts";
import { padAxis, sizeAlong, windowsOf } from "../tensors/windows.ts";
import { type TensorValue, type Value, int } from "../values.ts";
import { isSame, numbers, sidesFor } from "./channelsLast.ts";
import { reverseAlong } from "./picking.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

/** The largest sum of an entry of the window and its own height. */
function dilated(c: CallContext, x: TensorValue, heights: TensorValue): TensorValue {
  const { vm } = c;
  const what = `${c.name}()`;
  if (rankOf(x) !== 4 || rankOf(heights) !== 3) {
    vm.fail(
      "ValueError",
      `${what} takes a batch of images, and windows of rows, columns, channels`,
    );
  }
  const size = [0, 1].map((d) => sizeAlong(vm, heights, d, what));
  const [stride, dilation] = ["strides", "dilations"].map((name) =>
    numbers(c, c.value(name), 2, false),
  ) as [number[], number[]];
  const same = isSame(c, c.value("padding"));
  const wide = size.reduce(
    (t, n, k) => {
      const reach = (n - 1) * dilation[k]! + 1;
      const around = sidesFor(sizeAlong(vm, t, k + 2, what), reach, stride[k]!);
      return same ? padAxis(vm, t, k + 2, around, "constant", -Infinity) : t;
    },
    moveAxes(vm, x, [-1], [1]),
  );
  const w = { size, stride, padding: [0, 0], dilation };
  const all = tensor(vm, windowsOf(vm, wide, w, what), x.library, x.dtype);
  const front = moveAxes(vm, heights, [-1], [0]);
  const own = [1, 1].reduce((t, d) => addAxis(vm, t, d), front);
  const sums = flattenRange(vm, elementwise(vm, "add", all, own), 4, 5);
  const most = vm.shaped(() => largestOf(vm, sums.expr, 4));
  return moveAxes(vm, tensor(vm, most, x.library, x.dtype), [1], [-1]);
}

const dilation: Meaning = (c) => dilated(c, c.tensor("input"), c.tensor("filters"));

const erosion: Meaning = (c) => {
  const heights = reverseAlong(c, c.tensor("filters"), [0, 1]);
  const below = keepingFunction(c.vm, "neg", c.tensor("value"));
  return keepingFunction(c.vm, "neg", dilated(c, below, heights));
};

/** Sizes of an array with rows, columns and channels last, and a block that fits them. */
function blocks(c: CallContext): { x: TensorValue; batch: Value; sizes: number[]; n: number } {
  const x = c.tensor("x");
  const n = c.int("block_size");
  if (c.given("data_format") && !/^(NHWC|channels_last)$/.test(c.text("data_format"))) {
    return c.vm.unsupported(`${c.name}() with channels that are not last is not supported`);
  }
  const sizes = [1, 2, 3].map((d) => sizeAlong(c.vm, x, d, `${c.name}()`));
  return { x, batch: sizeNumber(x.expr.shape[0]!), sizes, n };
}

/** Moves axes of six and joins them to four. */
function rearranged(
  c: CallContext,
  x: TensorValue,
  apart: readonly Value[],
  order: readonly number[],
  joined: readonly Value[],
): TensorValue {
  return reshapeTo(c.vm, permuteAxes(c.vm, reshapeTo(c.vm, x, apart), order), joined);
}

export const spaceToDepth: Meaning = (c) => {
  const { x, batch, sizes, n } = blocks(c);
  const [h, w, d] = sizes as [number, number, number];
  const [rows, columns] = [int(h / n), int(w / n)];
  const apart = [batch, rows, int(n), columns, int(n), int(d)];
  return rearranged(c, x, apart, [0, 1, 3, 2, 4, 5], [batch, rows, columns, int(n * n * d)]);
};

export const depthToSpace: Meaning = (c) => {
  const { x, batch, sizes, n } = blocks(c);
  const [h, w, d] = sizes as [number, number, number];
  const own = int(d / (n * n));
  const apart = [batch, int(h), int(w), int(n), int(n), own];
  return rearranged(c, x, apart, [0, 1, 3, 2, 4, 5], [batch, int(h * n), int(w * n), own]);
};

const WINDOWS = "filters, strides, padding, ~data_format, dilations, ~name";
const BLOCKS = "input, block_size, data_format=None, ~name";

/** Of tf.nn. */
export const tensorflowMorphology: Table = {
  dilation2d: [`input, ${WINDOWS}`, dilation],
  erosion2d: [`value, ${WINDOWS}`, erosion],
  space_to_depth: [BLOCKS, spaceToDepth],
  depth_to_space: [BLOCKS, depthToSpace],
};
