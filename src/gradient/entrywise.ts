/**
 * What is computed entry by entry of a few arrays, written as expressions and evaluated as kernels
 * are: on vectors, by all threads, in one pass over the arrays.
 */
import { axis } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { type RunOptions, compileKernel } from "../numbers/kernel.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";

/**
 * Values of expressions of arrays of one length, taken as flat.
 * @param roots makes them of inputs that stand for the arrays, by the same names
 * @throws Cancelled
 */
export function entrywise<Name extends string>(
  arrays: Readonly<Record<Name, TypedArray>>,
  roots: (inputs: Readonly<Record<Name, Expr>>) => readonly Expr[],
  options: RunOptions = {},
): Float64Array[] {
  const named = Object.entries<TypedArray>(arrays);
  const shape = [axis("i", named[0]![1].length)];
  const inputs = Object.fromEntries(named.map(([name]) => [name, b.input(name, shape)]));
  const { outputs } = compileKernel(roots(inputs as Record<Name, Expr>)).run(
    new Map(named),
    options,
  );
  return outputs.map((o) => o.data);
}

/** 1 where entries are finite numbers, else 0. */
export function isFinite(x: Expr): Expr {
  return b.unary("isfinite", x);
}

/** `x` where the condition holds, and 0 elsewhere, whatever `x` is there. */
export function only(condition: Expr, x: Expr): Expr {
  return b.where(condition, x, b.ZERO);
}
