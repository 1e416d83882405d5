/** A little linear algebra: the one combination of columns that vanishes. */

/**
 * The vector v with A v = 0, of length 1, if the rows leave exactly one; null when none vanishes.
 * @param rows more of them than columns
 * @param tolerance relative to the largest entry of each column
 */
export function nullVector(
  rows: readonly (readonly number[])[],
  tolerance = 1e-8,
): Float64Array | null {
  const n = rows[0]!.length;
  // Columns of one size, so that a small one is not taken for rounding.
  const scale = Array.from({ length: n }, (_, j) =>
    rows.reduce((m, r) => Math.max(m, Math.abs(r[j]!)), 0),
  );
  const a = rows.map((r) => r.map((v, j) => (scale[j]! > 0 ? v / scale[j]! : v)));
  const pivots: number[] = [];
  let row = 0;
  for (let j = 0; j < n && row < a.length; j++) {
    let best = row;
    for (let i = row; i < a.length; i++) {
      if (Math.abs(a[i]![j]!) > Math.abs(a[best]![j]!)) best = i;
    }
    if (Math.abs(a[best]![j]!) < tolerance) continue;
    [a[row], a[best]] = [a[best]!, a[row]!];
    const pivot = a[row]!;
    for (let i = 0; i < a.length; i++) {
      if (i === row) continue;
      const f = a[i]![j]! / pivot[j]!;
      if (f !== 0) for (let k = j; k < n; k++) a[i]![k]! -= f * pivot[k]!;
    }
    pivots.push(j);
    row++;
  }
  const free = Array.from({ length: n }, (_, j) => j).filter((j) => !pivots.includes(j));
  if (free.length !== 1) return null;
  const v = new Float64Array(n);
  v[free[0]!] = 1;
  pivots.forEach((j, i) => {
    v[j] = -a[i]![free[0]!]! / a[i]![j]!;
  });
  for (let j = 0; j < n; j++) if (scale[j]! > 0) v[j]! /= scale[j]!;
  const length = Math.hypot(...v);
  return v.map((c) => c / length);
}
