/**
 * Functions of entries that also come as loops over parts of arrays: where one function calls another
 * for every entry, the calls take several times as long as the arithmetic. A loop gives the same bits
 * as its function.
 */
import type { BinaryOp } from "../../expression/node.ts";
import { bfloat16, float16 } from "../kernel/scalar.ts";

/** Fills `out` from `first` to `end` with a function of the entries of `x`, those `from` further on. */
export type UnaryLoop = (
  out: Float64Array,
  x: Float64Array,
  from: number,
  first: number,
  end: number,
) => void;

/** The same of the entries of two arrays. */
export type BinaryLoop = (
  out: Float64Array,
  x: Float64Array,
  fromX: number,
  y: Float64Array,
  fromY: number,
  first: number,
  end: number,
) => void;

export interface UnaryFunction {
  (x: number): number;
  readonly loop?: UnaryLoop;
}

export interface BinaryFunction {
  (x: number, y: number): number;
  readonly loop?: BinaryLoop;
}

/** To the nearest number of a type, by name of its function. */
const ROUNDING = {
  none: copied,
  single: (out: Float64Array, x: Float64Array, from: number, first: number, end: number) => {
    for (let k = first; k < end; k++) out[k] = Math.fround(x[from + k]!);
  },
  float16: (out: Float64Array, x: Float64Array, from: number, first: number, end: number) => {
    for (let k = first; k < end; k++) out[k] = float16(x[from + k]!);
  },
  bfloat16: (out: Float64Array, x: Float64Array, from: number, first: number, end: number) => {
    for (let k = first; k < end; k++) out[k] = bfloat16(x[from + k]!);
  },
  singleFloat16: (out: Float64Array, x: Float64Array, from: number, first: number, end: number) => {
    for (let k = first; k < end; k++) out[k] = float16(Math.fround(x[from + k]!));
  },
  singleBfloat16: (
    out: Float64Array,
    x: Float64Array,
    from: number,
    first: number,
    end: number,
  ) => {
    for (let k = first; k < end; k++) out[k] = bfloat16(Math.fround(x[from + k]!));
  },
} as const satisfies Readonly<Record<string, UnaryLoop>>;

function copied(
  out: Float64Array,
  x: Float64Array,
  from: number,
  first: number,
  end: number,
): void {
  if (out === x && from === 0) return;
  for (let k = first; k < end; k++) out[k] = x[from + k]!;
}

/** Rounding functions with their loops. */
export const ROUND = {
  float64: looped((x: number) => x, ROUNDING.none),
  float32: looped((x: number) => Math.fround(x), ROUNDING.single),
  float16: looped((x: number) => float16(x), ROUNDING.float16),
  bfloat16: looped((x: number) => bfloat16(x), ROUNDING.bfloat16),
} as const;

/** As arithmetic in half precision rounds: what is computed in float32 is rounded a second time. */
export const ROUND_TWICE = {
  float16: looped((x: number) => float16(Math.fround(x)), ROUNDING.singleFloat16),
  bfloat16: looped((x: number) => bfloat16(Math.fround(x)), ROUNDING.singleBfloat16),
} as const;

function looped(f: (x: number) => number, loop: UnaryLoop): UnaryFunction {
  return Object.assign(f, { loop });
}

/** A function of one entry, and then a rounding. */
export function roundedUnary(f: (x: number) => number, round: UnaryFunction): UnaryFunction {
  const both = (x: number): number => round(f(x));
  const { loop: rounding } = round;
  if (rounding === undefined) return both;
  return looped(both, (out, x, from, first, end) => {
    for (let k = first; k < end; k++) out[k] = f(x[from + k]!);
    rounding(out, out, 0, first, end);
  });
}

/** The operators that most arithmetic is made of, each in a loop of its own. */
const OPERATORS: Partial<Readonly<Record<BinaryOp, BinaryLoop>>> = {
  add: (out, x, fromX, y, fromY, first, end) => {
    for (let k = first; k < end; k++) out[k] = x[fromX + k]! + y[fromY + k]!;
  },
  sub: (out, x, fromX, y, fromY, first, end) => {
    for (let k = first; k < end; k++) out[k] = x[fromX + k]! - y[fromY + k]!;
  },
  mul: (out, x, fromX, y, fromY, first, end) => {
    for (let k = first; k < end; k++) out[k] = x[fromX + k]! * y[fromY + k]!;
  },
  div: (out, x, fromX, y, fromY, first, end) => {
    for (let k = first; k < end; k++) out[k] = x[fromX + k]! / y[fromY + k]!;
  },
};

/** A function of two entries, and then a rounding; `op` where it is an operator. */
export function roundedBinary(
  f: (x: number, y: number) => number,
  round: UnaryFunction,
  op?: BinaryOp,
): BinaryFunction {
  const both = (x: number, y: number): number => round(f(x, y));
  const { loop: rounding } = round;
  if (rounding === undefined) return both;
  const operator = op === undefined ? undefined : OPERATORS[op];
  const loop: BinaryLoop = (out, x, fromX, y, fromY, first, end) => {
    if (operator === undefined) {
      for (let k = first; k < end; k++) out[k] = f(x[fromX + k]!, y[fromY + k]!);
    } else operator(out, x, fromX, y, fromY, first, end);
    rounding(out, out, 0, first, end);
  };
  return Object.assign(both, { loop });
}

/** x · (1 - y) · y, rounded after every step, and once more at the end. */
export function sigmoidSlope(step: UnaryFunction, round: UnaryFunction): BinaryFunction {
  const all = (x: number, y: number): number => round(step(step(x * step(1 - y)) * y));
  const [stepping, rounding] = [step.loop, round.loop];
  if (stepping === undefined || rounding === undefined) return all;
  const loop: BinaryLoop = (out, x, fromX, y, fromY, first, end) => {
    for (let k = first; k < end; k++) out[k] = 1 - y[fromY + k]!;
    stepping(out, out, 0, first, end);
    for (let k = first; k < end; k++) out[k] = x[fromX + k]! * out[k]!;
    stepping(out, out, 0, first, end);
    for (let k = first; k < end; k++) out[k] = out[k]! * y[fromY + k]!;
    stepping(out, out, 0, first, end);
    rounding(out, out, 0, first, end);
  };
  return Object.assign(all, { loop });
}
