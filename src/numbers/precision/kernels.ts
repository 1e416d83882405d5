/** Functions that PyTorch composes of operations in an order of its own, each of them rounded. */
import type { BinaryOp, UnaryOp } from "../../expression/node.ts";
import type { ElementType, TapeEntry, TapeKernel } from "../../expression/tape.ts";
import { topological } from "../../expression/walk.ts";
import {
  type Held,
  arithmeticRounder,
  converted,
  countOf,
  held,
  mapped,
  number,
  valuesOf,
} from "./held.ts";
import { dense, reshaped } from "./views.ts";
import { type Arithmetic, TORCH } from "./arithmetic.ts";
import { performBinary, selected } from "./binary.ts";
import { unaryFunction } from "./functions.ts";
import { computedIn, reduceHeld, runningSumHeld } from "./reductions.ts";
import {
  windowMaxima,
  windowMaximaGradient,
  windowMeans,
  windowMeansGradient,
} from "./windowKernels.ts";

/** One operation after the other, each in its operands' type. */
export const apply = (op: BinaryOp, a: Held, b: Held): Held => performBinary(op, a, b);

export function applyUnary(op: UnaryOp, x: Held): Held {
  return mapped(x, x.dtype, unaryFunction(op, x.dtype));
}

const ONE = number(1, "int64");

/** Axes that a reduction's result has lost (or kept as 1). */
export interface Along {
  readonly dims: readonly number[];
  readonly keepDims: boolean;
}

export function performKernel(
  kernel: TapeKernel,
  operands: readonly Held[],
  along: Along,
  arithmetic: Arithmetic,
): Held | null {
  const [x, t, weight] = operands as [Held, Held, Held | undefined];
  switch (kernel.name) {
    case "cross entropy": {
      // (t - 1) · max(log1p(-p), -100) - t · max(log p, -100)
      const bounded = (y: Held): Held => mapped(y, y.dtype, (v) => (v < -100 ? -100 : v));
      const miss = bounded(applyUnary("log1p", applyUnary("neg", x)));
      const hit = bounded(applyUnary("log", x));
      return apply("sub", apply("mul", apply("sub", t, ONE), miss), apply("mul", t, hit));
    }
    case "logistic cross entropy": {
      const outside = apply("mul", apply("sub", ONE, t), x);
      const log = applyUnary("logsigmoid", x);
      if (weight === undefined) return apply("sub", outside, log);
      const scale = apply("add", apply("mul", apply("sub", weight, ONE), t), ONE);
      return apply("sub", outside, apply("mul", scale, log));
    }
    case "norm":
    case "variance":
    case "standard deviation":
      return null; // as its formula, in float32
    case "picked mean":
    case "picked sum": {
      const op = kernel.name === "picked sum" ? "sum" : "mean";
      const from = pickedFrom(x, t, kernel.at!, along.dims);
      const picked = movedTogether(x, t, kernel.at!, from);
      return reduceHeld(op, picked, from.dims, along.keepDims, arithmetic);
    }
    case "running sum":
      return runningSumHeld(x, along.dims[0]!, arithmetic);
    case "window means":
      return windowMeans(x, kernel.window!);
    case "window maxima":
      return windowMaxima(x, kernel.window!);
    case "logsumexp": {
      const { dims, keepDims } = along;
      const largest = reduceHeld("max", x, dims, true);
      const finite = mapped(largest, largest.dtype, (v) => (Math.abs(v) === Infinity ? 0 : v));
      const powers = applyUnary("exp", apply("sub", x, finite));
      const total = applyUnary("log", reduceHeld("sum", powers, dims, keepDims));
      return apply(
        "add",
        total,
        keepDims ? finite : { ...finite, shape: total.shape, strides: total.strides },
      );
    }
  }
}

/** The gradient by a kernel's first operand. */
export function kernelGradients(
  kernel: TapeKernel,
  operands: readonly Held[],
  result: Held,
  g: Held,
  along: Along,
): Held {
  const [x, t, weight] = operands as [Held, Held, Held | undefined];
  switch (kernel.name) {
    case "cross entropy": {
      const spread = apply("mul", apply("sub", ONE, x), x);
      const least = arithmeticRounder(spread.dtype)(1e-12);
      const bounded = mapped(spread, spread.dtype, (v) => (v < least ? least : v));
      return apply("div", apply("mul", g, apply("sub", x, t)), bounded);
    }
    case "logistic cross entropy": {
      const p = applyUnary("sigmoid", x);
      if (weight === undefined) return apply("mul", apply("sub", p, t), g);
      const hit = apply("mul", weight, t);
      const scale = apply("sub", apply("add", hit, ONE), t);
      return apply("mul", apply("sub", apply("mul", scale, p), hit), g);
    }
    case "norm": {
      const kept = x.shape.map((n, d) => (along.dims.includes(d) ? 1 : n));
      const share = apply("div", x, reshaped(result, kept));
      const defined = mapped(share, share.dtype, (v) => (Number.isNaN(v) ? 0 : v));
      return apply("mul", reshaped(g, kept), defined);
    }
    case "picked mean":
    case "picked sum": {
      const kept = x.shape.map((n, d) => (along.dims.includes(d) ? 1 : n));
      const { shape, dims } = pickedFrom(x, t, kernel.at!, along.dims);
      const own =
        kernel.name === "picked sum"
          ? g
          : apply("div", g, number(countOf(dims.map((d) => shape[d]!))));
      return selected(besides(t, x, kernel.at!), reshaped(own, kept), zero(own.dtype));
    }
    case "logsumexp": {
      const kept = x.shape.map((n, d) => (along.dims.includes(d) ? 1 : n));
      const share = applyUnary("exp", apply("sub", x, reshaped(result, kept)));
      return apply("mul", reshaped(g, kept), share);
    }
    case "window means":
      return windowMeansGradient(x, g, kernel.window!);
    case "window maxima":
      return windowMaximaGradient(x, g, kernel.window!);
    case "running sum":
      return runningSumHeld(g, along.dims[0]!, TORCH, true);
    case "variance":
      return varianceGradient(operands, g, along);
    case "standard deviation": {
      const own = apply("div", g, apply("mul", result, number(2)));
      const isZero = apply("eq", result, number(0));
      return varianceGradient(operands, selected(isZero, zero(own.dtype), own), along);
    }
  }
}

/** A mask with the axes that follow it in x, of size 1. */
function besides(mask: Held, x: Held, at: number): Held {
  const after = x.shape.length - at - mask.shape.length;
  return reshaped(mask, [...mask.shape, ...Array<number>(after).fill(1)]);
}

/** Which entries of a mask are true, and the array that those which it picks of x make. */
interface PickedFrom {
  readonly chosen: readonly number[];
  /** One axis stands for all of the mask's. */
  readonly shape: readonly number[];
  /** The axes there that stand for those asked for. */
  readonly dims: readonly number[];
}

function pickedFrom(x: Held, mask: Held, at: number, dims: readonly number[]): PickedFrom {
  const span = mask.shape.length;
  const chosen = Array.from(valuesOf(mask)).flatMap((v, k) => (v === 0 ? [] : [k]));
  const moved = dims.map((d) => (d < at ? d : d < at + span ? at : d - span + 1));
  const shape = x.shape.toSpliced(at, span, chosen.length);
  return { chosen, shape, dims: [...new Set(moved)] };
}

/** The entries that a mask picks, as libraries move them together before they add them. */
function movedTogether(x: Held, mask: Held, at: number, { chosen, shape }: PickedFrom): Held {
  const [outer, inner] = [countOf(shape.slice(0, at)), countOf(shape.slice(at + 1))];
  const length = countOf(mask.shape);
  const values = valuesOf(x);
  const data = new Float64Array(countOf(shape));
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const k of chosen) {
      const from = (o * length + k) * inner;
      data.set(values.subarray(from, from + inner), to);
      to += inner;
    }
  }
  return dense(x, shape, data);
}

/** Of x, the number of its entries that count, that number less the correction, and which count. */
function varianceGradient(operands: readonly Held[], g: Held, { dims }: Along): Held {
  const [x, n, divisor, mask] = operands as [Held, Held, Held, Held | undefined];
  const kept = x.shape.map((size, d) => (dims.includes(d) ? 1 : size));
  const counted = (h: Held): Held => (mask === undefined ? h : selected(mask, h, zero(h.dtype)));
  const total = reduceHeld("sum", converted(counted(x), computedIn(x.dtype)), dims, true);
  const mean = converted(apply("div", total, n), x.dtype);
  const scale = number(2 / divisor.data[divisor.offset]!);
  return counted(apply("mul", apply("mul", scale, reshaped(g, kept)), apply("sub", x, mean)));
}

const zero = (dtype: ElementType): Held => held(dtype, [], [0]);

/** The axes of the reduction in a kernel's formula. */
export function alongOf({ kernel, value }: TapeEntry): Along {
  const found = topological(value).findLast((x) => x.kind === "reduce");
  return kernel?.along ?? found ?? { dims: [], keepDims: false };
}
