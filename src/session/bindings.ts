/** Arrays as the kernels take them, and what a report says of them. */
import { type DType, type NdArray, summarize, toFloat64 } from "../arrays/ndarray.ts";
import type { ScalarType } from "../expression/node.ts";
import { copiedTo, filled, parts, throwIfCancelled } from "../numbers/interruption.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import type { ArraySummary } from "../report/schema.ts";
import { finite } from "../report/numbers.ts";

type ArrayType<A> = new (length: number) => A;

const converted = new WeakMap<NdArray, TypedArray>();

/**
 * The array's own memory where kernels read that dtype, else one copy, kept as long as the array
 * itself: half precision as float32, 64-bit integers in the narrowest type that holds their values.
 * Labels are mostly int64 and mostly small: kernels in float32 read 8 and 16 bits without widening
 * all their arithmetic, as float64 would.
 * @throws Cancelled
 * @throws ArrayError for complex numbers and integers that float64 cannot hold
 */
export function kernelArray(a: NdArray): TypedArray {
  const convert = CONVERSIONS[a.dtype];
  if (convert === undefined) return a.data as TypedArray;
  const known = converted.get(a);
  if (known !== undefined) return known;
  const copy = convert(toFloat64(a, throwIfCancelled));
  converted.set(a, copy);
  return copy;
}

const CONVERSIONS: Readonly<Partial<Record<DType, (values: Float64Array) => TypedArray>>> = {
  float16: (values) => copiedTo(Float32Array, values),
  bfloat16: (values) => copiedTo(Float32Array, values),
  int64: narrowest,
  uint64: narrowest,
  // Which have no real values: toFloat64 says so.
  complex64: (values) => values,
  complex128: (values) => values,
};

/** Whole numbers in the first of these types that holds them all, float64 if none does. */
const INTEGERS: readonly ArrayType<TypedArray>[] = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Int32Array,
  Uint32Array,
];

function narrowest(values: Float64Array): TypedArray {
  let [least, most] = [0, 0];
  for (const [first, end] of parts(values.length)) {
    for (let k = first; k < end; k++) {
      const x = values[k]!;
      if (x < least) least = x;
      if (x > most) most = x;
    }
  }
  const type = INTEGERS.find((T) => holds(T, least) && holds(T, most));
  return type === undefined ? values : copiedTo(type, values);
}

function holds(type: ArrayType<TypedArray>, value: number): boolean {
  return filled(new type(1), () => value)[0] === value;
}

export function scalarTypeOf(dtype: string): ScalarType {
  if (dtype === "bool") return "bool";
  return /^u?int/.test(dtype) ? "int" : "float";
}

export function describeArray(name: string, role: ArraySummary["role"], a: NdArray): ArraySummary {
  const s = summarize(a, throwIfCancelled);
  return {
    name,
    role,
    dtype: a.dtype,
    shape: a.shape,
    min: finite(s.min),
    max: finite(s.max),
    mean: finite(s.mean),
    foregroundShare: finite(s.foregroundShare),
    origin: originText(a),
  };
}

function originText(a: NdArray): string {
  const o = a.origin;
  if (o === undefined) return "";
  if (o.kind === "file") return o.member === undefined ? o.path : `${o.path}[${o.member}]`;
  if (o.kind === "literal") return o.line === undefined ? "literal" : `literal at line ${o.line}`;
  return o.description;
}
