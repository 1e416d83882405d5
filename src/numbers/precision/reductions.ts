/** Reductions as PyTorch's and NumPy's CPU kernels compute them, and PyTorch's softmax. */
import type { ReduceOp } from "../../expression/node.ts";
import type { ElementType } from "../../expression/tape.ts";
import { parts, throwIfCancelled } from "../interruption.ts";
import { type Arithmetic, TORCH } from "./arithmetic.ts";
import {
  type Held,
  arithmeticRounder,
  contiguousStrides,
  converted,
  countOf,
  isFloat,
  isHalf,
  positions,
  valuesOf,
} from "./held.ts";

/** The type in which an array of `dtype` is computed: float32 for half precision. */
export function computedIn(dtype: ElementType): ElementType {
  return isHalf(dtype) ? "float32" : dtype;
}

/** A reduction over `dims`; the result lies row-major. */
export function reduceHeld(
  op: ReduceOp,
  x: Held,
  dims: readonly number[],
  keepDims: boolean,
  arithmetic: Arithmetic = TORCH,
): Held {
  const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const shape = keepDims ? kept : kept.filter((_, d) => !dims.includes(d));
  const made = (dtype: ElementType, data: Float64Array): Held => ({
    dtype,
    shape,
    strides: contiguousStrides(shape),
    offset: 0,
    data,
  });
  switch (op) {
    case "sum":
      return isFloat(x.dtype)
        ? made(x.dtype, arithmetic.sum(x, dims))
        : made(
            "int64",
            folded(x, dims, 0, (a, b) => a + b),
          );
    case "mean": {
      const { defaultFloat } = arithmetic;
      const wide = converted(x, isFloat(x.dtype) ? computedIn(x.dtype) : defaultFloat);
      const n = countOf(x.shape) / countOf(kept);
      const round = arithmeticRounder(wide.dtype);
      const totals = arithmetic.sum(wide, dims).map((total) => round(total / n));
      return converted(made(wide.dtype, totals), isFloat(x.dtype) ? x.dtype : defaultFloat);
    }
    case "prod": {
      const dtype = isFloat(x.dtype) ? x.dtype : "int64";
      const round = arithmeticRounder(dtype);
      return made(
        dtype,
        folded(x, dims, 1, (a, b) => round(a * b)),
      );
    }
    case "max":
      return made(x.dtype, folded(x, dims, -Infinity, Math.max));
    case "min":
      return made(x.dtype, folded(x, dims, Infinity, Math.min));
    case "any":
      return made(
        "bool",
        folded(x, dims, 0, (a, b) => (a !== 0 || b !== 0 ? 1 : 0)),
      );
    case "all":
      return made(
        "bool",
        folded(x, dims, 1, (a, b) => (a !== 0 && b !== 0 ? 1 : 0)),
      );
  }
}

/**
 * Sums up to each entry along `dim`, or from it on, one entry after the other: in NumPy in the
 * array's own type, in PyTorch in float64, or float32 for half precision.
 */
export function runningSumHeld(
  x: Held,
  dim: number,
  { library }: Arithmetic,
  reverse = false,
): Held {
  const dtype = isFloat(x.dtype) ? x.dtype : "int64";
  const round = arithmeticRounder(dtype);
  const total = arithmeticRounder(
    library !== "torch" ? dtype : isHalf(dtype) ? "float32" : "float64",
  );
  const values = valuesOf(x);
  const out = new Float64Array(values.length);
  const n = x.shape[dim]!;
  const inner = countOf(x.shape.slice(dim + 1));
  const lines = n === 0 ? 0 : values.length / n;
  for (const [first, end] of parts(lines)) {
    for (let line = first; line < end; line++) {
      const from = Math.floor(line / inner) * n * inner + (line % inner);
      let sum = 0;
      for (let k = 0; k < n; k++) {
        const at = from + (reverse ? n - 1 - k : k) * inner;
        sum = total(sum + values[at]!);
        out[at] = round(sum);
      }
    }
  }
  return { dtype, shape: x.shape, strides: contiguousStrides(x.shape), offset: 0, data: out };
}

/** One entry after the other, in row-major order. */
export function folded(
  x: Held,
  dims: readonly number[],
  start: number,
  f: (a: number, b: number) => number,
): Float64Array {
  const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const out = new Float64Array(countOf(kept)).fill(start);
  const values = valuesOf(x);
  const to = groupOf(x.shape, dims);
  for (const [first, end] of parts(values.length)) {
    for (let k = first; k < end; k++) out[to[k]!] = f(out[to[k]!]!, values[k]!);
  }
  return out;
}

/** For each entry in row-major order, which entry of the reduction it goes to. */
export function groupOf(shape: readonly number[], dims: readonly number[]): Int32Array {
  const kept = shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const strides = contiguousStrides(kept).map((s, d) => (dims.includes(d) ? 0 : s));
  return positions({ shape, strides, offset: 0 });
}

/** Lines of a softmax between two looks at whether to stop. */
const LOOK = 1 << 12;

/**
 * Softmax along `dim`. In half precision the exponentials stay in float32 along the last axis, and
 * in whole vectors across others; what is left over of these vectors keeps them in half precision.
 */
export function softmaxHeld(x: Held, dim: number, log: boolean, vectorBytes: number): Held {
  const { dtype } = x;
  const half = isHalf(dtype);
  const single = arithmeticRounder(computedIn(dtype));
  const round = arithmeticRounder(dtype);
  const values = valuesOf(x);
  const out = new Float64Array(values.length);
  const n = x.shape[dim]!;
  const inner = countOf(x.shape.slice(dim + 1));
  const outer = countOf(x.shape.slice(0, dim));
  const inVectors = inner - (inner % (vectorBytes / 2));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      if (i % LOOK === 0) throwIfCancelled();
      const from = o * n * inner + i;
      let largest = -Infinity;
      for (let k = 0; k < n; k++) largest = Math.max(largest, values[from + k * inner]!);
      let total = 0;
      const isLast = inner === 1;
      const stored = half && !log && !isLast && i >= inVectors ? round : single;
      for (let k = 0; k < n; k++) {
        const at = from + k * inner;
        const e = single(Math.exp(single(values[at]! - largest)));
        out[at] = stored(e);
        total = single(total + e);
      }
      const inHalf = half && isLast ? round : single;
      const logarithm = log ? inHalf(single(Math.log(inHalf(total)))) : 0;
      for (let k = 0; k < n; k++) {
        const at = from + k * inner;
        out[at] = log
          ? round(single(single(values[at]! - largest) - logarithm))
          : round(single(out[at]! / total));
      }
    }
  }
  return { dtype, shape: x.shape, strides: contiguousStrides(x.shape), offset: 0, data: out };
}
