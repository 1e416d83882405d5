/** tf.image's measures of likeness: SSIM by Gaussian windows, at several sizes too, and PSNR. */
import { elementwise, floatFunction, keepingFunction } from "../tensors/elementwise.ts";
import { averagePool, separableConvolution } from "../tensors/pooling.ts";
import { reduction } from "../tensors/reduce.ts";
import { moveAxes } from "../tensors/reshape.ts";
import { literalArray, rankOf } from "../tensors/tensor.ts";
import { padAxis, sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float } from "../values.ts";
import { range } from "./common.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

type Operation = (a: Value, b: Value) => TensorValue;

interface Likeness {
  /** By channel, or by place where the map is asked for. */
  readonly ssim: TensorValue;
  /** The part of it that is contrast and structure. */
  readonly structure: TensorValue;
}

/** Both images with their channels before space; whole numbers would have to be scaled first. */
function images(c: CallContext, a: string, b: string): [TensorValue, TensorValue] {
  const both = [c.tensor(a), c.tensor(b)].map((x) => {
    if (rankOf(x) < 3) {
      c.vm.fail("ValueError", `${c.name}() takes images with rows, columns and channels`);
    }
    if (x.expr.type !== "float") {
      c.vm.unsupported(
        `${c.name}() of whole numbers is not supported`,
        "Convert them first: tf.image.convert_image_dtype(x, tf.float32).",
      );
    }
    return moveAxes(c.vm, x, [-1], [-3]);
  });
  return both as [TensorValue, TensorValue];
}

/** Means over windows whose weights fall off as a bell curve does. */
function blurred(c: CallContext): (x: TensorValue) => TensorValue {
  const { vm } = c;
  const [n, sigma] = [c.int("filter_size"), c.number("filter_sigma")];
  const bell = range(0, n).map((k) => Math.exp((-0.5 * (k - (n - 1) / 2) ** 2) / sigma ** 2));
  const total = bell.reduce((a, b) => a + b, 0);
  const line = bell.map((v) => v / total);
  const along = (shape: readonly number[], x: TensorValue): TensorValue =>
    literalArray(vm, line, shape, x.dtype ?? "float64", c.library);
  const [ones, zeros] = [
    [1, 1],
    [0, 0],
  ] as const;
  const w = { size: [n, n], stride: ones, padding: zeros, dilation: ones };
  return (x) => {
    const weight = elementwise(vm, "mul", along([1, 1, n, 1], x), along([1, 1, 1, n], x));
    return separableConvolution(vm, x, weight, w, `${c.name}()`) ?? x;
  };
}

/** Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004). */
function likeness(c: CallContext, x: TensorValue, y: TensorValue, map: boolean): Likeness {
  const { vm } = c;
  const mean = blurred(c);
  const two =
    (op: "add" | "sub" | "mul" | "div"): Operation =>
    (a, b) =>
      elementwise(vm, op, a, b, c.library);
  const [add, sub, mul, div] = [two("add"), two("sub"), two("mul"), two("div")];
  const most = c.number("max_val");
  const [c1, c2] = ["k1", "k2"].map((k) => float((c.number(k) * most) ** 2)) as [Value, Value];
  const [p, q] = [mean(x), mean(y)];
  const both = mul(float(2), mul(p, q));
  const squares = add(mul(p, p), mul(q, q));
  const light = div(add(both, c1), add(squares, c1));
  const product = mul(float(2), mean(mul(x, y)));
  const all = mean(add(mul(x, x), mul(y, y)));
  const structure = div(add(sub(product, both), c2), add(sub(all, squares), c2));
  const space = (t: TensorValue): TensorValue => reduction(vm, "mean", t, [-2, -1], false);
  const local = mul(light, structure);
  return { ssim: map ? local : space(local), structure: space(structure) };
}

const ssim =
  (a: string, b: string): Meaning =>
  (c) => {
    const map = c.given("return_index_map") && c.flag("return_index_map");
    const [x, y] = images(c, a, b);
    // The mean over the channels, which are last where space has gone.
    return reduction(c.vm, "mean", likeness(c, x, y, map).ssim, [map ? -3 : -1], false);
  };

/** Half the size: means of two by two, the last row or column counting twice where it is alone. */
function halved(c: CallContext, x: TensorValue): TensorValue {
  const even = [-2, -1].reduce((t, d) => {
    const at = d + rankOf(t);
    const isOdd = sizeAlong(c.vm, t, at, `${c.name}()`) % 2 === 1;
    return isOdd ? padAxis(c.vm, t, at, [0, 1], "symmetric", 0) : t;
  }, x);
  const [two, zeros] = [
    [2, 2],
    [0, 0],
  ] as const;
  const w = { size: two, stride: two, padding: zeros, dilation: [1, 1] };
  return averagePool(c.vm, even, w, `${c.name}()`);
}

/** The product over the sizes, each to its own power; the light counts at the smallest alone. */
const multiscale: Meaning = (c) => {
  const { vm } = c;
  let [x, y] = images(c, "img1", "img2");
  const powers = c.dims("power_factors") ?? POWERS;
  const factors = powers.map((power, k) => {
    if (k > 0) [x, y] = [halved(c, x), halved(c, y)];
    const found = likeness(c, x, y, false);
    const own = k === powers.length - 1 ? found.ssim : found.structure;
    return elementwise(vm, "pow", keepingFunction(vm, "relu", own), float(power));
  });
  const all = factors.reduce((a, b) => elementwise(vm, "mul", a, b));
  return reduction(vm, "mean", all, [-1], false);
};

/** 10 log10 of the largest value's square over the mean squared error. */
const psnr =
  (dims: readonly number[] | null): Meaning =>
  (c) => {
    const { vm } = c;
    const d = elementwise(vm, "sub", c.tensor("x"), c.tensor("y"));
    const mse = reduction(vm, "mean", elementwise(vm, "mul", d, d), dims, false);
    const level = elementwise(vm, "mul", float(10 / Math.LN10), floatFunction(vm, "log", mse));
    return elementwise(vm, "sub", float(20 * Math.log10(c.number("max_val"))), level);
  };

const SSIM = "img1, img2, max_val";
const WINDOWS = "filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03";
const POWERS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/** Of tf.image. */
export const imageSimilarity: Table = {
  ssim: [`${SSIM}, ${WINDOWS}, return_index_map=False`, ssim("img1", "img2")],
  ssim_multiscale: [`${SSIM}, power_factors=None, ${WINDOWS}`, multiscale],
  psnr: ["a, b, max_val, ~name", psnr([-3, -2, -1])],
};

/** Of keras.ops.image. */
export const kerasSimilarity: Table = {
  ssim: [
    `image1, image2, max_val=1.0, ${WINDOWS}, !data_format='channels_last'`,
    ssim("image1", "image2"),
  ],
};

/** Of keras.ops. */
export const kerasNoise: Table = { psnr: ["x1, x2, max_val", psnr(null)] };
