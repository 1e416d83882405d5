/** What the parts of an array literal evaluate to. */
import { castArray } from "../convert.ts";
import type { DType } from "../dtype.ts";
import { ArrayError, type ArrayOrigin, type NdArray } from "../ndarray.ts";
import type { Tick } from "../source.ts";
import type { Fail } from "../pythonTokens.ts";

/** Whose rules decide the dtype of numbers; "python" is a bare list, which NumPy's rules read. */
export type Library = "python" | "numpy" | "torch" | "jax" | "tensorflow";

/** A Python number. */
export type Scalar =
  | { readonly kind: "int"; readonly value: bigint; readonly at: number }
  | { readonly kind: "float"; readonly value: number; readonly at: number }
  | { readonly kind: "bool"; readonly value: boolean; readonly at: number };

/** A list or a tuple. */
export interface Sequence {
  readonly kind: "list";
  readonly items: readonly Value[];
  readonly at: number;
}

/** An array that a call in the literal made. */
export interface ArrayValue {
  readonly kind: "array";
  readonly array: NdArray;
  readonly library: Library;
  readonly at: number;
}

/** Any part of a literal; `at` is where it begins, as an offset into the text. */
export type Value =
  | Scalar
  | Sequence
  | ArrayValue
  | { readonly kind: "text"; readonly value: string; readonly at: number }
  | { readonly kind: "none"; readonly at: number }
  /** A dotted name that is no number: a dtype, a device. */
  | { readonly kind: "name"; readonly path: string; readonly at: number }
  /** Something in angle brackets that printing a tensor leaves, like `<MeanBackward0>`. */
  | { readonly kind: "opaque"; readonly at: number };

/** What every step of reading a literal shares. */
export interface LiteralContext {
  /** Raises the error for an offset in the text. */
  readonly fail: Fail;
  /** Recorded as every array's origin. */
  readonly origin: ArrayOrigin;
  /** Told of each item of a list that is read, with the share of the text that has been. */
  readonly tick?: Tick | undefined;
}

/** The most elements that an array made by a short literal may have (`np.zeros((512, 512, 512))`). */
export const MAX_LITERAL_ELEMENTS = 2 ** 27;

/** The dtype of a Python float in an array of this library, with its default settings. */
export function defaultFloat(library: Library): DType {
  return library === "python" || library === "numpy" ? "float64" : "float32";
}

/** The dtype of a Python int in an array of this library, with its default settings. */
export function defaultInt(library: Library): DType {
  return library === "jax" || library === "tensorflow" ? "int32" : "int64";
}

/** What a value is, as an error message calls it. */
export function describe(value: Value): string {
  switch (value.kind) {
    case "int":
    case "float":
    case "bool":
      return "a number";
    case "list":
      return "a list";
    case "array":
      return "an array";
    case "text":
      return `the string "${value.value.slice(0, 40)}"`;
    case "none":
      return "None";
    case "name":
      return `the name "${value.path.slice(0, 40)}"`;
    case "opaque":
      return "something in angle brackets";
  }
}

/** Whether a value is a Python number. */
export function isScalar(value: Value): value is Scalar {
  return value.kind === "int" || value.kind === "float" || value.kind === "bool";
}

/** The array converted to `dtype`; an element that cannot be is an error at `at`. */
export function convert(
  array: NdArray,
  dtype: DType,
  at: number,
  context: LiteralContext,
): NdArray {
  try {
    return castArray(array, dtype);
  } catch (error) {
    if (error instanceof ArrayError) return context.fail(at, error.message, error.remedy);
    throw error;
  }
}
