/** What the arithmetic of PyTorch on the CPU and that of NumPy differ in. */
import type { ElementType } from "../../expression/tape.ts";
import { floatHolding } from "../../expression/promotion.ts";
import { type Held, converted, rounded, rounder } from "./held.ts";
import { numpySum } from "./numpySum.ts";
import { type Typed, commonType, commonTypeOfNumpy } from "./promotion.ts";
import { torchSum } from "./torchSum.ts";

export interface Arithmetic {
  readonly library: "torch" | "numpy";
  /** Of an operation's result. */
  readonly commonType: (operands: readonly Typed[]) => ElementType;
  /** What functions of floats make of an integer type. */
  readonly floatOf: (integer: ElementType) => ElementType;
  /** What a Python float becomes that meets no array, and the mean or quotient of integers. */
  readonly defaultFloat: ElementType;
  /** The values in another number type. */
  readonly convert: (x: Held, dtype: ElementType) => Held;
  /** Over `dims`, in the array's own type. */
  readonly sum: (x: Held, dims: readonly number[]) => Float64Array;
  /**
   * Bytes in a vector of the processor, 64 with AVX-512 and 32 with AVX2 alone: PyTorch rounds
   * otherwise in a few places what does not fill its vectors.
   */
  readonly vectorBytes: number;
}

export const TORCH: Arithmetic = {
  library: "torch",
  commonType,
  floatOf: () => "float32",
  defaultFloat: "float32",
  convert: converted,
  sum: torchSum,
  vectorBytes: 64,
};

/** NumPy 2: Python's numbers take the array's type (NEP 50), and float64 is rounded once. */
export const NUMPY: Arithmetic = {
  library: "numpy",
  commonType: commonTypeOfNumpy,
  floatOf: floatHolding,
  defaultFloat: "float64",
  convert: (x, dtype) => rounded(x, dtype, rounder(dtype)),
  sum: numpySum,
  vectorBytes: 64,
};
