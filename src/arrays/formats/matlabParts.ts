/** What the readers of MATLAB's files have in common. */
import { dtypes, type DType } from "../dtype.ts";
import { elementCount, type NdArray } from "../ndarray.ts";

export const MATLAB_REMEDY =
  'In MATLAB: save("case.mat", "pred", "target", "-v7"), with numeric arrays.';

/** A complex array of its two parts. */
export function joined(real: NdArray, imaginary: NdArray, dtype: DType): NdArray {
  const count = elementCount(real.shape);
  const data = dtypes[dtype].store(count) as Float64Array;
  for (let i = 0; i < count; i += 1) {
    data[2 * i] = Number(real.data[i]!);
    data[2 * i + 1] = Number(imaginary.data[i]!);
  }
  return { ...real, dtype, data };
}
