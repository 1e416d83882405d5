/**
 * What is made of an array's windows: means, maxima, and sums weighted alike along each axis, where
 * they go along one axis after another.
 */
import { UNIT } from "../../expression/axis.ts";
import {
  argReduce,
  cast,
  constant,
  div,
  expand,
  mul,
  oneHot,
  reduce,
  reshape,
  where,
} from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import type { TapeKernel } from "../../expression/tape.ts";
import type { PoolingWindow, Window } from "../../expression/window.ts";
import { promote } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { TensorValue } from "../values.ts";
import { separated } from "./separable.ts";
import { type TensorOptions, operandOf, tensor } from "./tensor.ts";
import { entriesIn, fitted, isInTurn, slidAlong } from "./windows.ts";

/**
 * Maxima; where several entries are largest, the gradient goes to the first, as in PyTorch. Along
 * one axis after another, from the last: the first of the largest rows' firsts is the first of all.
 */
export function maxPool(vm: Interpreter, x: TensorValue, w: Window, what: string): TensorValue {
  const { dims, counts } = fitted(vm, x, w, what);
  const along = (e: Expr, d: number, k: number): Expr =>
    isStill(w, k)
      ? e
      : largestOf(vm, slidAlong(e, d, k, w, x.expr, counts[k]!, -Infinity), e.shape.length);
  const e = vm.shaped(() => dims.reduceRight(along, x.expr));
  const window = { ...w, countsPadding: false };
  return tensor(vm, e, x.library, x.dtype, asKernel(x, "window maxima", window));
}

/** Whether windows are the entries themselves along their k-th axis. */
function isStill(w: Window, k: number): boolean {
  return w.size[k] === 1 && w.stride[k] === 1 && w.padding[k] === 0;
}

/** PyTorch has kernels of its own for what these formulas say. */
function asKernel(x: TensorValue, name: TapeKernel["name"], window: PoolingWindow): TensorOptions {
  return x.library === "torch" ? { kernel: { name, operands: [x.expr], window } } : {};
}

/** The first of the largest entries along an axis. */
export function largestOf(vm: Interpreter, all: Expr, dim: number): Expr {
  const first = oneHot(argReduce("argmax", all, dim), all.shape[dim]!, dim);
  const picked = cast(first, "bool");
  vm.recorder.choices.add(picked);
  return reduce("sum", where(picked, all, constant(0)), [dim]);
}

/** Means, over padding (zeros) as well or over what lies inside. */
export function averagePool(
  vm: Interpreter,
  x: TensorValue,
  w: Window,
  what: string,
  countsPadding = true,
): TensorValue {
  const isWhole = countsPadding || w.padding.every((p) => p === 0);
  const all = sums(vm, x, w, what);
  const e = vm.shaped(() =>
    div(all, isWhole ? constant(entriesIn(w)) : insideWindows(vm, x, w, what)),
  );
  const options = asKernel(x, "window means", { ...w, countsPadding: isWhole });
  return tensor(vm, e, x.library, x.dtype, options);
}

/** Sums over windows. */
export function sumPool(vm: Interpreter, x: TensorValue, w: Window, what: string): TensorValue {
  return tensor(vm, sums(vm, x, w, what), x.library, x.dtype);
}

/** How many entries of each window lie inside the array, which fits the windows. */
function insideWindows(vm: Interpreter, x: TensorValue, w: Window, what: string): Expr {
  const { dims, counts } = fitted(vm, x, w, what);
  const along = dims.map((d, k) => {
    const only = x.expr.shape.map((a, o) => (o === d ? a : UNIT));
    const ones = expand(constant(1), only);
    return reduce("sum", slidAlong(ones, d, k, w, x.expr, counts[k]!), [only.length]);
  });
  return along.reduce(mul);
}

/**
 * @param weights for each axis that has windows, by what entries are multiplied before they are
 *   added up: an array that fits the windows and, last, the entries of each; null for 1
 */
function sums(
  vm: Interpreter,
  x: TensorValue,
  w: Window,
  what: string,
  weights: readonly (Expr | null)[] = w.size.map(() => null),
): Expr {
  const { dims, counts } = fitted(vm, x, w, what);
  const sum = (e: Expr, d: number, k: number): Expr => {
    const weight = weights[k] ?? null;
    if (weight === null && isStill(w, k)) return e;
    const all = slidAlong(e, d, k, w, x.expr, counts[k]!);
    return reduce("sum", weight === null ? all : mul(all, weight), [e.shape.length]);
  };
  return vm.shaped(() => dims.reduceRight(sum, x.expr));
}

/**
 * A convolution of each channel by itself whose windows have weights that are products of one
 * along each axis: along one axis after another.
 * @param weight (channels, 1, …) with the windows' axes, or with one channel for all
 * @returns null where the windows have one axis or the weights are no such products
 */
export function separableConvolution(
  vm: Interpreter,
  x: TensorValue,
  weight: TensorValue,
  w: Window,
  what: string,
): TensorValue | null {
  if (!isInTurn(w)) return null;
  const parts = vm.shaped(() => separated(vm.recorder.spelledOut(weight.expr), w.size.length));
  if (parts === null) return null;
  const weights = vm.shaped(() =>
    parts.map((p, k) => {
      if (p === null) return null;
      const [channels, along] = [p.shape[0]!, p.shape[2 + k]!];
      return reshape(p, [channels, ...w.size.map(() => UNIT), along]);
    }),
  );
  const dtype = promote(
    [x, weight].map((t) => operandOf(t, t.expr)),
    x.library,
  );
  return tensor(vm, sums(vm, x, w, what, weights), x.library, dtype);
}
