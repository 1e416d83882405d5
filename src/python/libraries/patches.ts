/** Windows as arrays of their own: PyTorch's unfold, NumPy's sliding_window_view. */
import { flattenAxes, normalizeDim } from "../../expression/axis.ts";
import { reshape, transpose } from "../../expression/build.ts";
import { knownInteger } from "../interpreter/known.ts";
import { permuteAxes, reshapeTo } from "../tensors/reshape.ts";
import { itemsOf, rankOf, sizeNumbers, tensor } from "../tensors/tensor.ts";
import { windowsAlong } from "../tensors/windows.ts";
import { type NumberValue, type TensorValue, type Value, int } from "../values.ts";
import type { CallContext, Table } from "./signature.ts";
import { several } from "./torchWindows.ts";

/** Columns of an image: each window's entries, channel by channel, along one axis, the windows along another. */
function columns(c: CallContext): Value {
  const { vm } = c;
  const x = c.tensor("input");
  const rank = rankOf(x);
  if (rank !== 3 && rank !== 4) {
    vm.fail("RuntimeError", `Expected 3D or 4D input tensor, but got ${rank} axes`);
  }
  const [size, stride, padding, dilation] = (
    ["kernel_size", "stride", "padding", "dilation"] as const
  ).map((name) => several(c, name, 2)) as [number[], number[], number[], number[]];
  const dims = [rank - 2, rank - 1];
  const windows = dims.reduce<TensorValue>((t, d, k) => {
    const w = { size: size[k]!, stride: stride[k]!, padding: padding[k]!, dilation: dilation[k]! };
    return windowsAlong(vm, t, d, w, `${c.name}()`);
  }, x);
  const e = vm.shaped(() => {
    const lead = Array.from({ length: rank - 2 }, (_, d) => d);
    const moved = transpose(windows.expr, [...lead, rank, rank + 1, ...dims]);
    const channel = rank - 3;
    return reshape(moved, [
      ...moved.shape.slice(0, channel),
      flattenAxes(moved.shape.slice(channel, channel + 3)),
      flattenAxes(moved.shape.slice(channel + 3)),
    ]);
  });
  return tensor(vm, e, x.library, x.dtype);
}

function alongOne(c: CallContext): Value {
  const x = c.tensor("input");
  const d = c.vm.shaped(() => normalizeDim(c.int("dimension"), rankOf(x)));
  const w = { size: c.int("size"), stride: c.int("step"), padding: 0, dilation: 1 };
  return windowsAlong(c.vm, x, d, w, "unfold()");
}

function slidingWindows(c: CallContext): Value {
  const { vm } = c;
  const x = c.tensor("x");
  const given = c.value("window_shape");
  const sizes = (itemsOf(given) ?? [given]).map((v) => knownInteger(vm, v, "window_shape"));
  const dims = c.dims("axis") ?? Array.from({ length: rankOf(x) }, (_, d) => d);
  if (dims.length !== sizes.length) {
    vm.fail(
      "ValueError",
      `Must provide window_shape for all axes; got ${sizes.length} sizes and ${dims.length} axes`,
    );
  }
  return sizes.reduce<TensorValue>((t, size, k) => {
    const d = vm.shaped(() => normalizeDim(dims[k]!, rankOf(x)));
    const w = { size, stride: 1, padding: 0, dilation: 1 };
    return windowsAlong(vm, t, d, w, "sliding_window_view()");
  }, x);
}

/** Blocks of r × r pixels made of r² channels, or the other way round. */
const shuffled =
  (factor: string, isBack: boolean) =>
  (c: CallContext): Value => {
    const { vm } = c;
    const x = c.tensor("input");
    const r = c.int(factor);
    const sizes = sizeNumbers(x);
    const known = (v: NumberValue): number => knownInteger(vm, v, `${c.name}()`);
    const [channels, height, width] = sizes.slice(-3).map(known) as [number, number, number];
    const lead = sizes.slice(0, -3);
    const fits = isBack ? height % r === 0 && width % r === 0 : channels % (r * r) === 0;
    if (sizes.length < 3 || !fits) {
      vm.fail(
        "RuntimeError",
        `${c.name}(): a factor of ${r} does not divide the sizes of the input`,
      );
    }
    const ints = (...n: readonly number[]): Value[] => [...lead, ...n.map(int)];
    const k = lead.length;
    const front = lead.map((_, d) => d);
    if (isBack) {
      const [h, w] = [height / r, width / r];
      const apart = reshapeTo(vm, x, ints(channels, h, r, w, r));
      const moved = permuteAxes(vm, apart, [...front, k, k + 2, k + 4, k + 1, k + 3]);
      return reshapeTo(vm, moved, ints(channels * r * r, h, w));
    }
    const apart = reshapeTo(vm, x, ints(channels / (r * r), r, r, height, width));
    const moved = permuteAxes(vm, apart, [...front, k, k + 3, k + 1, k + 4, k + 2]);
    return reshapeTo(vm, moved, ints(channels / (r * r), height * r, width * r));
  };

/** Of torch.nn.functional. */
export const functionalPatches: Table = {
  unfold: ["input, kernel_size, dilation=1, padding=0, stride=1", columns],
  pixel_shuffle: ["input, upscale_factor", shuffled("upscale_factor", false)],
  pixel_unshuffle: ["input, downscale_factor", shuffled("downscale_factor", true)],
};

/** Methods of PyTorch's tensors. */
export const tensorPatches: Table = {
  unfold: ["input, dimension, size, step", alongOne],
};

/** numpy.lib.stride_tricks. */
export const strideTricks: Table = {
  sliding_window_view: ["x, window_shape, axis=None, *, ~subok, ~writeable", slidingWindows],
};
