/** NIfTI images as bytes, for tests that need files of a kind. */

/** A NIfTI-1 file of 2 × 2 × 2 elements of one byte, with voxels of that size along the first axis. */
export function nifti(first: number, elements: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(360));
  view.setInt32(0, 348, true);
  [3, 2, 2, 2].forEach((n, k) => {
    view.setInt16(40 + 2 * k, n, true);
  });
  view.setInt16(70, 2, true);
  view.setInt16(72, 8, true);
  view.setFloat32(108, 352, true);
  view.setInt16(254, 1, true);
  [first, 1, 1].forEach((edge, row) => {
    view.setFloat32(280 + 16 * row + 4 * row, edge, true);
  });
  view.setUint32(344, 0x00312b6e, true);
  elements.forEach((x, k) => {
    view.setUint8(352 + k, x);
  });
  return new Uint8Array(view.buffer);
}
