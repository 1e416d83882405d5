/**
 * Arrays as a library holds them in memory: a number type, and steps through the memory for each
 * axis. The order of memory decides the order in which PyTorch and NumPy add, so it is kept.
 */
import type { ElementType } from "../../expression/tape.ts";
import { PART, parts, filled } from "../interruption.ts";
import { type BinaryFunction, ROUND, ROUND_TWICE, type UnaryFunction } from "./loops.ts";

export interface Held {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** In entries, not bytes; 0 along an axis that is only broadcast. */
  readonly strides: readonly number[];
  readonly offset: number;
  /** Every value is one that the number type has. */
  readonly data: Float64Array;
  /** A Python number: it takes the type of the array that it meets. */
  readonly weak?: true;
}

export function isFloat(dtype: ElementType): boolean {
  return dtype.includes("float");
}

/** float16 and bfloat16, which PyTorch computes in float32. */
export function isHalf(dtype: ElementType): boolean {
  return dtype === "float16" || dtype === "bfloat16";
}

const ROUNDERS: Partial<Readonly<Record<ElementType, UnaryFunction>>> = {
  ...ROUND,
  bool: (x) => (x === 0 ? 0 : 1),
};

/** To the nearest value of a number type; integers drop the fraction. */
export function rounder(dtype: ElementType): UnaryFunction {
  return ROUNDERS[dtype] ?? Math.trunc;
}

/**
 * To the nearest value of a number type as arithmetic in it rounds: in half precision, what is
 * computed in float32 is rounded a second time.
 */
export function arithmeticRounder(dtype: ElementType): UnaryFunction {
  return dtype === "float16" || dtype === "bfloat16" ? ROUND_TWICE[dtype] : rounder(dtype);
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((n, s) => n * s, 1);
}

export function contiguousStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= Math.max(shape[d]!, 1);
  }
  return strides;
}

export function isContiguous(x: Pick<Held, "shape" | "strides">): boolean {
  let step = 1;
  for (let d = x.shape.length - 1; d >= 0; d--) {
    if (x.shape[d] !== 1 && x.strides[d] !== step) return false;
    step *= x.shape[d]!;
  }
  return true;
}

/** Values in row-major order as an array of that number type, each rounded to it. */
export function held(
  dtype: ElementType,
  shape: readonly number[],
  values: ArrayLike<number>,
): Held {
  const round = rounder(dtype);
  const data = new Float64Array(values.length);
  for (const [first, end] of parts(data.length)) {
    for (let k = first; k < end; k++) data[k] = round(values[k]!);
  }
  return { dtype, shape, strides: contiguousStrides(shape), offset: 0, data };
}

/** Where in the memory each entry is, in row-major order. */
export function positions(x: Pick<Held, "shape" | "strides" | "offset">): Int32Array {
  const { shape, strides } = x;
  let at = new Int32Array([x.offset]);
  shape.forEach((n, d) => {
    const next = new Int32Array(at.length * n);
    const step = strides[d]!;
    let [outer, i] = [0, 0];
    for (const [first, end] of parts(next.length)) {
      for (let k = first; k < end; k++) {
        next[k] = at[outer]! + i * step;
        if (++i < n) continue;
        i = 0;
        outer++;
      }
    }
    at = next;
  });
  return at;
}

/** The entries in row-major order. */
export function valuesOf(x: Held): Float64Array {
  if (isContiguous(x)) return x.data.subarray(x.offset, x.offset + countOf(x.shape));
  const at = positions(x);
  return filled(new Float64Array(at.length), (k) => x.data[at[k]!]!);
}

/** The same entries seen in a larger shape, NumPy's way: no memory is copied. */
export function broadcastTo(x: Held, shape: readonly number[]): Held {
  const lead = shape.length - x.shape.length;
  const strides = shape.map((_, d) =>
    d < lead || x.shape[d - lead] === 1 ? 0 : x.strides[d - lead]!,
  );
  return { ...x, shape, strides };
}

/** A Python number, which no operation has rounded yet. */
export function number(value: number, dtype: ElementType = "float64"): Held {
  return { dtype, shape: [], strides: [], offset: 0, data: Float64Array.of(value), weak: true };
}

/** The values in another number type, float64 becoming half precision by way of float32. */
export function converted(x: Held, dtype: ElementType): Held {
  return rounded(x, dtype, arithmeticRounder(dtype));
}

/** The values in another number type, as a function rounds to it; the memory keeps its order. */
export function rounded(x: Held, dtype: ElementType, round: UnaryFunction): Held {
  if (x.dtype === dtype && x.weak !== true) return x;
  if (holdsAll(dtype, x.dtype) && isDense(x, resultStrides(x.shape, [x.strides]))) {
    const { shape, strides, offset, data } = x;
    return { dtype, shape, strides, offset, data };
  }
  return mapped(x, dtype, round);
}

/** Whether every number of one type is one of another. */
function holdsAll(wide: ElementType, narrow: ElementType): boolean {
  if (wide === "float64") return isFloat(narrow) || SMALL.has(narrow);
  if (wide === "float32") return isHalf(narrow) || SMALL.has(narrow);
  return isHalf(wide) && SMALL.has(narrow);
}

/** Integers of at most 8 bits. */
const SMALL: ReadonlySet<ElementType> = new Set<ElementType>(["bool", "uint8", "int8"]);

/** Whether the entries lie in memory by these steps. */
function isDense(x: Pick<Held, "shape" | "strides">, strides: readonly number[]): boolean {
  return x.strides.every((s, d) => s === strides[d] || x.shape[d] === 1);
}

/** The one number that all entries are, where that can be seen from the steps. */
function only(x: Held): number | null {
  const isOne = x.strides.every((s, d) => s === 0 || x.shape[d] === 1);
  return isOne && countOf(x.shape) > 0 ? x.data[x.offset]! : null;
}

/** A function of every entry; `f` rounds to `dtype`. */
export function mapped(x: Held, dtype: ElementType, f: UnaryFunction): Held {
  const strides = resultStrides(x.shape, [x.strides]);
  const out = new Float64Array(countOf(x.shape));
  const { data } = x;
  const one = only(x);
  if (one !== null) out.fill(f(one));
  else if (isDense(x, strides)) {
    for (const [first, end] of parts(out.length)) {
      if (f.loop !== undefined) f.loop(out, data, x.offset, first, end);
      else for (let k = first; k < end; k++) out[k] = f(data[x.offset + k]!);
    }
  } else {
    const from = positions(x);
    const to = positions({ shape: x.shape, strides, offset: 0 });
    for (const [first, end] of parts(out.length)) {
      for (let k = first; k < end; k++) out[to[k]!] = f(data[from[k]!]!);
    }
  }
  return { dtype, shape: x.shape, strides, offset: 0, data: out };
}

/** A function of the entries of two arrays that broadcast; `f` rounds to `dtype`. */
export function combined(a: Held, b: Held, dtype: ElementType, f: BinaryFunction): Held {
  const shape = broadcastShape([a.shape, b.shape]);
  const isWhole = (x: Held): boolean =>
    x.shape.length === shape.length && x.shape.every((n, d) => n === shape[d]);
  const [x, y] = [only(a), only(b)];
  if (y !== null && isWhole(a)) return mapped(a, dtype, withNumber(f, y, "second"));
  if (x !== null && isWhole(b)) return mapped(b, dtype, withNumber(f, x, "first"));
  const [p, q] = [broadcastTo(a, shape), broadcastTo(b, shape)];
  const strides = resultStrides(shape, [p.strides, q.strides]);
  const out = new Float64Array(countOf(shape));
  if (isDense(p, strides) && isDense(q, strides)) {
    const { loop } = f;
    for (const [first, end] of parts(out.length)) {
      if (loop !== undefined) loop(out, p.data, p.offset, q.data, q.offset, first, end);
      else {
        for (let k = first; k < end; k++) {
          out[k] = f(p.data[p.offset + k]!, q.data[q.offset + k]!);
        }
      }
    }
  } else {
    const [i, j] = [positions(p), positions(q)];
    const to = positions({ shape, strides, offset: 0 });
    for (const [first, end] of parts(out.length)) {
      for (let k = first; k < end; k++) out[to[k]!] = f(p.data[i[k]!]!, q.data[j[k]!]!);
    }
  }
  return { dtype, shape, strides, offset: 0, data: out };
}

/** The function of one entry that is left where the other one is always the same number. */
function withNumber(f: BinaryFunction, number: number, which: "first" | "second"): UnaryFunction {
  const alone: UnaryFunction =
    which === "first" ? (y: number) => f(number, y) : (x: number) => f(x, number);
  const { loop } = f;
  if (loop === undefined) return alone;
  let same = new Float64Array(0);
  return Object.assign(alone, {
    loop: (out: Float64Array, x: Float64Array, from: number, first: number, end: number) => {
      if (same.length < end - first)
        same = new Float64Array(Math.min(PART, out.length)).fill(number);
      if (which === "first") loop(out, same, -first, x, from, first, end);
      else loop(out, x, from, same, -first, first, end);
    },
  });
}

export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, d) =>
    shapes.reduce((n, s) => {
      const own = s[d - rank + s.length] ?? 1;
      return own === 1 ? n : own;
    }, 1),
  );
}

/**
 * The order of the axes in which PyTorch walks through operands, from the innermost out: by their
 * steps, the first operand first (TensorIterator's reorder_dimensions).
 * @param reduced for a reduction, whether an axis is reduced: such axes come first
 */
export function walkingOrder(
  shape: readonly number[],
  operands: readonly (readonly number[])[],
  reduced: readonly boolean[] | null = null,
): number[] {
  const order = shape.map((_, d) => shape.length - 1 - d);
  /** Above 0: `a` belongs outside `b`; below 0: it is right as it is. */
  const compare = (a: number, b: number): number => {
    if (reduced !== null && reduced[a] !== reduced[b]) return reduced[b] === true ? 1 : -1;
    for (const strides of operands) {
      const [s, t] = [strides[a]!, strides[b]!];
      if (s === 0 || t === 0) continue;
      if (s !== t) return s < t ? -1 : 1;
      if (shape[a]! > shape[b]!) return 1;
    }
    return 0;
  };
  for (let i = 1; i < order.length; i++) {
    let at = i;
    for (let k = i - 1; k >= 0; k--) {
      const verdict = compare(order[k]!, order[at]!);
      if (verdict < 0) break;
      if (verdict > 0) {
        [order[k], order[at]] = [order[at]!, order[k]!];
        at = k;
      }
    }
  }
  return order;
}

/**
 * The same in NumPy, for one array: by its steps, where it has any; an axis whose first entry is
 * repeated stays where it is beside others (npyiter_find_best_axis_ordering).
 */
export function numpyWalkingOrder(shape: readonly number[], strides: readonly number[]): number[] {
  const step = (d: number): number => (shape[d] === 1 ? 0 : Math.abs(strides[d]!));
  const order = shape.map((_, d) => shape.length - 1 - d);
  for (let i = 1; i < order.length; i++) {
    const own = order[i]!;
    let to = i;
    for (let k = i - 1; k >= 0; k--) {
      const [s, t] = [step(own), step(order[k]!)];
      if (s === 0 || t === 0) continue;
      if (t <= s) break;
      to = k;
    }
    order.splice(to, 0, ...order.splice(i, 1));
  }
  return order;
}

/** Steps of a new array that is as densely laid out as its operands allow, in their order of axes. */
export function resultStrides(
  shape: readonly number[],
  operands: readonly (readonly number[])[],
): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const d of walkingOrder(shape, operands)) {
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
}
