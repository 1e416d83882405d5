/** Arrays as the kernels take them, and what a report says of them. */
import { type NdArray, summarize, toFloat64 } from "../arrays/ndarray.ts";
import type { ScalarType } from "../expression/node.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import type { ArraySummary } from "../report/schema.ts";
import { finite } from "../report/numbers.ts";

const converted = new WeakMap<NdArray, TypedArray>();

/**
 * The array's own memory where kernels read that dtype, else one float64 copy, kept as long as the
 * array itself: half precision, 64-bit integers.
 * @throws ArrayError for complex numbers and integers that float64 cannot hold
 */
export function kernelArray(a: NdArray): TypedArray {
  switch (a.dtype) {
    case "float16":
    case "bfloat16":
    case "int64":
    case "uint64":
    case "complex64":
    case "complex128": {
      const known = converted.get(a);
      if (known !== undefined) return known;
      const copy = toFloat64(a);
      converted.set(a, copy);
      return copy;
    }
    default:
      return a.data as TypedArray;
  }
}

export function scalarTypeOf(dtype: string): ScalarType {
  if (dtype === "bool") return "bool";
  return /^u?int/.test(dtype) ? "int" : "float";
}

export function describeArray(name: string, role: ArraySummary["role"], a: NdArray): ArraySummary {
  const s = summarize(a);
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
