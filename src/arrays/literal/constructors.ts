/** The arrays that functions like `arange` and `eye` make. */
import { writer } from "../convert.ts";
import { dtypes, type DType } from "../dtype.ts";
import {
  bfloat16ToFloat64,
  float16ToFloat64,
  float64ToBfloat16,
  float64ToFloat16,
} from "../half.ts";
import type { NdArray } from "../ndarray.ts";
import { checkedCount } from "./collect.ts";
import {
  convert,
  defaultFloat,
  defaultInt,
  type LiteralContext,
  type Library,
  type Scalar,
} from "./value.ts";

/** An array of one value, given as an array without axes. */
export function filled(
  shape: readonly number[],
  value: NdArray,
  at: number,
  context: LiteralContext,
): NdArray {
  if (shape.some((length) => length < 0)) return context.fail(at, "A length cannot be negative.");
  const count = checkedCount(shape, at, context);
  const data = dtypes[value.dtype].store(count);
  // Whatever the storage type, the one value is of it.
  (data as Float64Array).fill((value.data as Float64Array)[0]!);
  return { ...value, shape, data };
}

/** Ones on the diagonal that begins `offset` columns from the corner (`np.eye`). */
export function eye(
  rows: number,
  columns: number,
  offset: number,
  dtype: DType,
  at: number,
  context: LiteralContext,
): NdArray {
  const shape = [rows, columns];
  if (rows < 0 || columns < 0) return context.fail(at, "A length cannot be negative.");
  const data = dtypes[dtype].store(checkedCount(shape, at, context));
  const write = writer(dtype, data);
  for (let row = Math.max(0, -offset); row < Math.min(rows, columns - offset); row += 1) {
    write(row * columns + row + offset, 1);
  }
  return { dtype, shape, data, origin: context.origin };
}

/**
 * `start`, `start + step`, … below `stop`.
 *
 * NumPy's values are reproduced bit for bit: it rounds the first two elements to the dtype and goes
 * on from their difference (its `fill` functions, in float32 for half precision). For the other
 * libraries, whose vectorised kernels differ from machine to machine, a fractional step gives the
 * nearest values, which may differ from theirs in the last place.
 */
export function arange(
  bounds: { readonly start: Scalar; readonly stop: Scalar; readonly step: Scalar },
  dtype: DType | undefined,
  library: Library,
  at: number,
  context: LiteralContext,
): NdArray {
  const { start, stop, step } = bounds;
  const whole = [start, stop, step].every((bound) => bound.kind !== "float");
  const chosen = dtype ?? (whole ? defaultInt(library) : defaultFloat(library));
  const { kind } = dtypes[chosen];
  if (kind === "bool" || kind === "complex" || (kind !== "float" && !whole)) {
    return context.fail(at, `A range of ${chosen} with these bounds is not read in a literal.`);
  }
  const [first, last, delta] = [start, stop, step].map((bound) => Number(bound.value)) as [
    number,
    number,
    number,
  ];
  if (delta === 0) return context.fail(step.at, "The step of a range cannot be zero.");
  const length = Math.max(0, Math.ceil((last - first) / delta));
  if (!Number.isFinite(length)) return context.fail(at, "This range has no end.");
  const shape = [length];
  checkedCount(shape, at, context);
  const values = new Float64Array(length);
  if (kind === "float" && (library === "numpy" || library === "python")) {
    const round = ROUND[chosen] ?? ((value: number) => value);
    const compute = chosen === "float64" ? (value: number) => value : Math.fround;
    const begin = round(first);
    const difference = compute(round(first + delta) - begin);
    for (let i = 0; i < length; i += 1) {
      values[i] = round(compute(begin + compute(compute(i) * difference)));
    }
  } else {
    for (let i = 0; i < length; i += 1) values[i] = first + i * delta;
  }
  return ofValues(values, chosen, at, context);
}

const ROUND: Partial<Readonly<Record<DType, (value: number) => number>>> = {
  float32: Math.fround,
  float16: (value) => float16ToFloat64(float64ToFloat16(value)),
  bfloat16: (value) => bfloat16ToFloat64(float64ToBfloat16(value)),
};

/**
 * `count` values from `start` to `stop`.
 *
 * NumPy's are reproduced bit for bit; those of the other libraries are the nearest ones, and may
 * differ from theirs in the last place.
 */
export function linspace(
  bounds: { readonly start: number; readonly stop: number; readonly count: number },
  endpoint: boolean,
  dtype: DType,
  at: number,
  context: LiteralContext,
): NdArray {
  const { start, stop, count } = bounds;
  if (count < 0) return context.fail(at, "A length cannot be negative.");
  checkedCount([count], at, context);
  const parts = endpoint ? count - 1 : count;
  const delta = stop - start;
  const step = delta / parts;
  const values = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    const distance = parts <= 0 ? i * delta : step === 0 ? (i / parts) * delta : i * step;
    values[i] = distance + start;
  }
  if (endpoint && count > 1) values[count - 1] = stop;
  const { kind } = dtypes[dtype];
  const integer = kind === "int" || kind === "uint";
  return ofValues(integer ? values.map(Math.floor) : values, dtype, at, context);
}

/** A one-axis array of computed values. */
function ofValues(
  values: Float64Array,
  dtype: DType,
  at: number,
  context: LiteralContext,
): NdArray {
  const exact: NdArray = {
    dtype: "float64",
    shape: [values.length],
    data: values,
    origin: context.origin,
  };
  return convert(exact, dtype, at, context);
}
