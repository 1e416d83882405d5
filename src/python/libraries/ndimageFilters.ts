/**
 * scipy.ndimage's filters, as sums over windows and as their extremes: gradient flows through them.
 * Along one axis after another where SciPy goes so.
 */
import { elementwise, floatFunction } from "../tensors/elementwise.ts";
import { einsum } from "../tensors/contraction.ts";
import { reduction } from "../tensors/reduce.ts";
import { itemsOf, literalArray, nodeOf, rankOf } from "../tensors/tensor.ts";
import { type PadMode, padAxis, sizeAlong, windowsAlong } from "../tensors/windows.ts";
import type { TensorValue } from "../values.ts";
import * as m from "./common.ts";
import { knownNumber } from "../interpreter/known.ts";
import { knownEntries } from "../tensors/knownEntries.ts";
import { convert } from "./convert.ts";
import { axisOf, reverseAlong } from "./picking.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

/** SciPy's words for what lies beyond the edges. */
const BEYOND: Readonly<Record<string, PadMode>> = {
  reflect: "symmetric",
  "grid-mirror": "symmetric",
  mirror: "reflect",
  nearest: "replicate",
  wrap: "circular",
  "grid-wrap": "circular",
  constant: "constant",
  "grid-constant": "constant",
};

function beyond(c: CallContext): PadMode {
  const v = c.value("mode");
  const mode = v.kind === "str" ? BEYOND[v.value] : undefined;
  return (
    mode ??
    c.vm.unsupported(
      `${c.name}() with this mode is not supported`,
      `Use one of ${Object.keys(BEYOND).join(", ")}.`,
    )
  );
}

/** A number for each axis, given for all or one by one. */
function each(c: CallContext, name: string, rank: number): number[] {
  const v = c.value(name);
  const items = itemsOf(v) ?? Array.from({ length: rank }, () => v);
  if (items.length !== rank) {
    c.vm.fail("RuntimeError", "sequence argument must have length equal to input rank");
  }
  return items.map((x) =>
    x.kind === "number" ? knownNumber(c.vm, x, `${c.name}(): '${name}'`) : c.bad(name, "numbers"),
  );
}

/** Each entry with its `size` neighbours along an axis, which become a new last axis. */
function neighbours(c: CallContext, x: TensorValue, d: number, size: number): TensorValue {
  // Of an even number of neighbours there is one more before than after.
  const before = Math.floor(size / 2);
  const around = [before, size - 1 - before] as const;
  const wide = padAxis(c.vm, x, d, around, beyond(c), c.number("cval"));
  return windowsAlong(c.vm, wide, d, { size, stride: 1, padding: 0, dilation: 1 }, `${c.name}()`);
}

function weighted(
  c: CallContext,
  x: TensorValue,
  d: number,
  weights: readonly number[],
): TensorValue {
  const w = literalArray(c.vm, weights, [weights.length], "float64", "numpy");
  const all = neighbours(c, x, d, weights.length);
  return reduction(c.vm, "sum", elementwise(c.vm, "mul", all, w), [-1], false);
}

/**
 * A filter's results have the array's own type. Of whole numbers SciPy cuts off what is behind the
 * point along each axis, which blurs a mask of uint8 to zeros: that is hardly ever meant.
 */
const inOwnType =
  (meaning: Meaning): Meaning =>
  (c) => {
    const x = c.tensor("input");
    if (nodeOf(x).type !== "float") {
      return c.vm.unsupported(
        `${c.name}() of an array of ${x.dtype ?? "whole numbers"} gives whole numbers: SciPy keeps the ` +
          "array's type, and cuts off the rest",
        "Convert the array first: x.astype(float).",
      );
    }
    const made = meaning(c);
    return made.kind === "tensor" && x.dtype !== null ? convert(c.vm, made, x.dtype) : made;
  };

const dimsOf = (x: TensorValue): number[] => m.range(0, rankOf(x));

/** correlate and convolve with weights for all axes; convolve turns them round. */
const slid =
  (isConvolution: boolean): Meaning =>
  (c) => {
    const { vm } = c;
    const x = c.tensor("input");
    const given = c.tensor("weights");
    const rank = rankOf(x);
    if (rankOf(given) !== rank) {
      vm.fail("RuntimeError", "filter weights array has incorrect shape.");
    }
    const weights = isConvolution ? reverseAlong(c, given, dimsOf(given)) : given;
    const sizes = dimsOf(x).map((d) => sizeAlong(vm, weights, d, `${c.name}()`));
    // A convolution's even windows reach one further forwards.
    const all = sizes.reduce((t, size, d) => {
      const half = Math.floor((isConvolution ? size - 1 : size) / 2);
      const wide = padAxis(vm, t, d, [half, size - 1 - half], beyond(c), c.number("cval"));
      return windowsAlong(vm, wide, d, { size, stride: 1, padding: 0, dilation: 1 }, `${c.name}()`);
    }, x);
    const [space, taps] = ["abcdefg".slice(0, rank), "tuvwxyz".slice(0, rank)];
    return einsum(vm, `${space}${taps},${taps}->${space}`, [all, weights], "numpy");
  };

/** The same along one axis. */
const slidAlongOne =
  (isConvolution: boolean): Meaning =>
  (c) => {
    const { vm } = c;
    const x = c.tensor("input");
    const given = c.tensor("weights");
    const d = axisOf(c, x, c.int("axis"));
    const size = sizeAlong(vm, given, 0, `${c.name}()`);
    const half = Math.floor((isConvolution ? size - 1 : size) / 2);
    const wide = padAxis(vm, x, d, [half, size - 1 - half], beyond(c), c.number("cval"));
    const w = { size, stride: 1, padding: 0, dilation: 1 };
    const all = windowsAlong(vm, wide, d, w, `${c.name}()`);
    const weights = isConvolution ? reverseAlong(c, given, [0]) : given;
    return reduction(vm, "sum", elementwise(vm, "mul", all, weights), [-1], false);
  };

/** A Gaussian's weights, or those of its first or second derivative, up to `truncate` deviations. */
function gaussian(sigma: number, order: number, radius: number): number[] {
  const at = m.range(-radius, radius + 1);
  const bell = at.map((x) => Math.exp((-0.5 * x * x) / (sigma * sigma)));
  const total = bell.reduce((a, b) => a + b, 0);
  // Derivatives are correlated, so that the first one is turned round.
  return bell.map((e, k) => {
    const x = at[k]!;
    const by =
      order === 0 ? 1 : order === 1 ? x / sigma ** 2 : (x * x) / sigma ** 4 - 1 / sigma ** 2;
    return (e / total) * by;
  });
}

function gaussianAlong(
  c: CallContext,
  x: TensorValue,
  d: number,
  sigma: number,
  order: number,
): TensorValue {
  if (order > 2) c.vm.unsupported(`${c.name}() of an order above 2 is not supported`);
  if (sigma <= 1e-15) return x;
  const radius = c.given("radius")
    ? c.int("radius")
    : Math.floor(c.number("truncate") * sigma + 0.5);
  return weighted(c, x, d, gaussian(sigma, order, radius));
}

const blurred: Meaning = (c) => {
  const x = c.tensor("input");
  const sigmas = each(c, "sigma", rankOf(x));
  const orders = each(c, "order", rankOf(x));
  return dimsOf(x).reduce((t, d) => gaussianAlong(c, t, d, sigmas[d]!, orders[d]!), x);
};

const uniform: Meaning = (c) => {
  const x = c.tensor("input");
  const sizes = each(c, "size", rankOf(x));
  return dimsOf(x).reduce(
    (t, d) =>
      sizes[d]! > 1 ? reduction(c.vm, "mean", neighbours(c, t, d, sizes[d]!), [-1], false) : t,
    x,
  );
};

/** A derivative along one axis, smoothed along the others. */
const derivative =
  (smooth: readonly number[]): Meaning =>
  (c) => {
    const x = c.tensor("input");
    const along = axisOf(c, x, c.int("axis"));
    const steep = weighted(c, x, along, [-1, 0, 1]);
    return dimsOf(x).reduce((t, d) => (d === along ? t : weighted(c, t, d, smooth)), steep);
  };

const laplacian: Meaning = (c) => {
  const x = c.tensor("input");
  return dimsOf(x)
    .map((d) => weighted(c, x, d, [1, -2, 1]))
    .reduce((p, q) => elementwise(c.vm, "add", p, q));
};

const gaussianLaplacian: Meaning = (c) => {
  const x = c.tensor("input");
  const sigmas = each(c, "sigma", rankOf(x));
  return dimsOf(x)
    .map((along) =>
      dimsOf(x).reduce((t, d) => gaussianAlong(c, t, d, sigmas[d]!, d === along ? 2 : 0), x),
    )
    .reduce((p, q) => elementwise(c.vm, "add", p, q));
};

const gaussianSlope: Meaning = (c) => {
  const x = c.tensor("input");
  const sigmas = each(c, "sigma", rankOf(x));
  const squares = dimsOf(x).map((along) => {
    const slope = dimsOf(x).reduce(
      (t, d) => gaussianAlong(c, t, d, sigmas[d]!, d === along ? 1 : 0),
      x,
    );
    return elementwise(c.vm, "mul", slope, slope);
  });
  return floatFunction(
    c.vm,
    "sqrt",
    squares.reduce((p, q) => elementwise(c.vm, "add", p, q)),
  );
};

/** Largest or smallest entries of boxes, one axis after another. */
const extreme =
  (op: "max" | "min", reachesForwards = false): Meaning =>
  (c) => {
    const { vm } = c;
    const x = c.tensor("input");
    const shape = c.given("footprint")
      ? knownEntries(vm, c.expr("footprint"), "the footprint")
      : null;
    if ((shape !== null && Array.from(shape.data).includes(0)) || c.given("structure")) {
      return vm.unsupported(
        `${c.name}() over other shapes than boxes is not supported`,
        "Give it a size instead of a footprint.",
      );
    }
    if (shape === null && !c.given("size")) {
      vm.fail("RuntimeError", "no footprint or filter size provided");
    }
    const sizes = shape?.shape ?? each(c, "size", rankOf(x));
    return dimsOf(x).reduce((t, d) => {
      const size = sizes[d]!;
      if (size === 1) return t;
      const half = Math.floor((reachesForwards ? size - 1 : size) / 2);
      const wide = padAxis(vm, t, d, [half, size - 1 - half], beyond(c), c.number("cval"));
      const w = { size, stride: 1, padding: 0, dilation: 1 };
      return reduction(vm, op, windowsAlong(vm, wide, d, w, `${c.name}()`), [-1], false);
    }, x);
  };

const EDGES = "!output, mode='reflect', cval=0.0";
const BOX = "size=None, footprint=None, !output, mode='reflect', cval=0.0, !origin=0, *, !axes";
const GREY =
  "input, size=None, footprint=None, structure=None, !output, mode='reflect', cval=0.0, !origin=0, *, !axes";
const BLUR =
  "input, sigma, order=0, !output, mode='reflect', cval=0.0, truncate=4.0, *, radius=None, !axes";
const PLAIN_BLUR =
  "input, sigma, !output, mode='reflect', cval=0.0, truncate=4.0, radius=None, *, !axes";

/** Source: SciPy 1.17, `scipy.ndimage`. */
export const ndimageFilters: Table = {
  correlate: [
    "input, weights, !output, mode='reflect', cval=0.0, !origin=0, *, !axes",
    inOwnType(slid(false)),
  ],
  convolve: [
    "input, weights, !output, mode='reflect', cval=0.0, !origin=0, *, !axes",
    inOwnType(slid(true)),
  ],
  correlate1d: [
    "input, weights, axis=-1, !output, mode='reflect', cval=0.0, !origin=0",
    inOwnType(slidAlongOne(false)),
  ],
  convolve1d: [
    "input, weights, axis=-1, !output, mode='reflect', cval=0.0, !origin=0",
    inOwnType(slidAlongOne(true)),
  ],
  gaussian_filter: [BLUR, inOwnType(blurred)],
  gaussian_filter1d: [
    "input, sigma, axis=-1, order=0, !output, mode='reflect', cval=0.0, truncate=4.0, *, radius=None",
    inOwnType((c) => {
      const x = c.tensor("input");
      return gaussianAlong(c, x, axisOf(c, x, c.int("axis")), c.number("sigma"), c.int("order"));
    }),
  ],
  gaussian_laplace: [PLAIN_BLUR, inOwnType(gaussianLaplacian)],
  gaussian_gradient_magnitude: [PLAIN_BLUR, inOwnType(gaussianSlope)],
  uniform_filter: [
    "input, size=3, !output, mode='reflect', cval=0.0, !origin=0, *, !axes",
    inOwnType(uniform),
  ],
  sobel: [`input, axis=-1, ${EDGES}`, inOwnType(derivative([1, 2, 1]))],
  prewitt: [`input, axis=-1, ${EDGES}`, inOwnType(derivative([1, 1, 1]))],
  laplace: [`input, ${EDGES}, *, !axes`, inOwnType(laplacian)],
  maximum_filter: [`input, ${BOX}`, extreme("max")],
  minimum_filter: [`input, ${BOX}`, extreme("min")],
  grey_dilation: [GREY, extreme("max", true)],
  grey_erosion: [GREY, extreme("min")],
};
