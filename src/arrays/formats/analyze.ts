/**
 * What the header of an Analyze 7.5 image says otherwise than NIfTI's: scaling, and where the voxels
 * are. Both are as SPM has them, and nibabel's `load` after it; a .mat file of SPM beside the image,
 * which would place it in another way, is not looked at.
 */
import type { ArraySpace } from "../ndarray.ts";
import type { Scaling } from "../stored.ts";

const AT = { dim: 42, pixdim: 80, slope: 112, intercept: 116, cal: 124, gl: 140, origin: 253 };

/** Reads those fields from a header. */
export function analyzeFields(
  view: DataView,
  shape: readonly number[],
  littleEndian: boolean,
): { scaling: Scaling | undefined; space: ArraySpace } {
  const float = (at: number): number => view.getFloat32(at, littleEndian);
  const short = (at: number): number => view.getInt16(at, littleEndian);
  const axes = [0, 1, 2];
  const lengths = axes.map((axis) => short(AT.dim + 2 * axis));
  const origin = axes.map((axis) => short(AT.origin + 2 * axis));
  // The first axis goes to the left; MATLAB counts from 1, and an origin far outside is none.
  const spacing = axes.map((axis) => (axis === 0 ? -1 : 1) * float(AT.pixdim + 4 * axis));
  const isSet =
    origin.some((at) => at !== 0) &&
    origin.every((at, axis) => at > -lengths[axis]! && at < 2 * lengths[axis]!);
  const rows = axes.map((row) => {
    const offset = isSet
      ? Math.fround(-(origin[row]! - 1) * spacing[row]!)
      : -((lengths[row]! - 1) / 2) * spacing[row]!;
    return [...axes.map((axis) => (axis === row ? spacing[axis]! : 0)), offset];
  });
  return {
    scaling: scalingOf(float, (at) => view.getInt32(at, littleEndian)),
    space: {
      affine: [...rows, [0, 0, 0, 1]],
      axes: shape.slice(0, 3).map((_, axis) => axis),
      towards: "RAS",
    },
  };
}

/** A factor and a shift of SPM2, else the two ranges that the header may give. */
function scalingOf(
  float: (at: number) => number,
  integer: (at: number) => number,
): Scaling | undefined {
  let slope = float(AT.slope);
  let intercept = float(AT.intercept);
  if (slope === 0 || !Number.isFinite(slope)) {
    const [top, bottom] = [float(AT.cal), float(AT.cal + 4)];
    const [storedTop, storedBottom] = [integer(AT.gl), integer(AT.gl + 4)];
    const range = Math.fround(top - bottom);
    const stored = (storedTop - storedBottom) | 0;
    if (stored === 0 || range === 0) return undefined;
    slope = range / stored;
    intercept = bottom - slope * storedBottom;
    if (!Number.isFinite(slope) || !Number.isFinite(intercept)) return undefined;
  } else if (!Number.isFinite(intercept)) intercept = 0;
  return slope === 1 && intercept === 0 ? undefined : { slope, intercept };
}
