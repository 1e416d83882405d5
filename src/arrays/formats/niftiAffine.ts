/** From a NIfTI header's fields to one matrix. Source: nifti1.h, "3D image orientation and location". */

/** The fields that say where a voxel is. */
export interface NiftiPlacement {
  readonly shape: readonly number[];
  /** The handedness and the three spacings. */
  readonly pixdim: readonly number[];
  readonly qform: boolean;
  readonly sform: boolean;
  /** b, c and d of the rotation's quaternion, then the three offsets. */
  readonly quaternion: readonly number[];
  /** The three rows of the matrix. */
  readonly rows: readonly number[];
  readonly version: 1 | 2;
}

/**
 * The matrix that nibabel gives: the sform if the header has one, else the qform, else the spacings
 * with the first axis towards the left and the image's middle at the origin.
 */
export function niftiAffine(placement: NiftiPlacement): number[][] {
  const { rows, sform, qform } = placement;
  const three = sform
    ? [rows.slice(0, 4), rows.slice(4, 8), rows.slice(8, 12)]
    : qform
      ? fromQuaternion(placement)
      : fromSpacings(placement);
  return [...three, [0, 0, 0, 1]];
}

function fromQuaternion({ pixdim, quaternion, version }: NiftiPlacement): number[][] {
  const [b, c, d, x, y, z] = quaternion as [number, number, number, number, number, number];
  // The first number makes the quaternion's length 1; beyond rounding a longer one is no rotation,
  // and is taken as one by half a turn.
  const rest = 1 - (b * b + c * c + d * d);
  const threshold = (version === 1 ? 2 ** -23 : 2 ** -52) * 3;
  const a = rest > threshold ? Math.sqrt(rest) : 0;
  const length = a * a + b * b + c * c + d * d;
  const s = length < 2 ** -52 ? 0 : 2 / length;
  const rotation = [
    [1 - s * (c * c + d * d), s * (b * c - a * d), s * (b * d + a * c)],
    [s * (b * c + a * d), 1 - s * (b * b + d * d), s * (c * d - a * b)],
    [s * (b * d - a * c), s * (c * d + a * b), 1 - s * (b * b + c * c)],
  ];
  const spacing = pixdim.slice(1, 4);
  if (pixdim[0] === -1) spacing[2]! *= -1;
  return rotation.map((row, i) => [
    ...row.map((value, axis) => value * spacing[axis]!),
    [x, y, z][i]!,
  ]);
}

function fromSpacings({ pixdim, shape }: NiftiPlacement): number[][] {
  return [0, 1, 2].map((axis) => {
    const spacing = (axis === 0 ? -1 : 1) * (axis < shape.length ? pixdim[axis + 1]! : 1);
    const middle = ((shape[axis] ?? 1) - 1) / 2;
    return [0, 1, 2].map((column) => (column === axis ? spacing : 0)).concat(-middle * spacing);
  });
}
