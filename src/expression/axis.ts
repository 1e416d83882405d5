/**
 * Axes of an array expression.
 *
 * Operations address axes by position, as NumPy and PyTorch do; the name is what a reader sees as
 * the index letter in a formula, and what lets a whole expression be re-sized (see `resize`).
 */

/** What an axis stands for in a segmentation batch. `element` is one flattened index over several. */
export type AxisRole = "batch" | "class" | "space" | "element" | "unit";

export interface Axis {
  /** Index name as printed, e.g. `b`, `c`, `i`. Equal names in one expression mean the same axis. */
  readonly name: string;
  /** Number of entries; `null` while it is not known (a loss derived without arrays). */
  readonly size: number | null;
  readonly role: AxisRole;
  /** For a flattened axis, the axes it was made of in row-major order; otherwise empty. */
  readonly parts: readonly Axis[];
}

export type Shape = readonly Axis[];

/** Thrown when shapes do not fit. The message names both shapes; the tracer adds the line. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** An axis of size 1 that only exists to broadcast. */
export const UNIT: Axis = Object.freeze({ name: "1", size: 1, role: "unit", parts: [] });

export function axis(name: string, size: number | null, role: AxisRole = "element"): Axis {
  return { name, size, role, parts: [] };
}

/** The single axis that flattening `parts` (row-major) gives; one part gives that part itself. */
export function flattenAxes(parts: readonly Axis[], name?: string): Axis {
  const kept = parts
    .flatMap((p) => (p.parts.length > 0 ? p.parts : [p]))
    .filter((p) => !isUnit(p) || p.role !== "unit");
  if (kept.length === 0) return UNIT;
  const only = kept[0];
  if (kept.length === 1 && only !== undefined) return only;
  const size = kept.reduce<number | null>(
    (n, p) => (n === null || p.size === null ? null : n * p.size),
    1,
  );
  return { name: name ?? kept.map((p) => p.name).join(""), size, role: "element", parts: kept };
}

export function isUnit(a: Axis): boolean {
  return a.size === 1;
}

export function sameAxis(a: Axis, b: Axis): boolean {
  return a === b || (a.name === b.name && a.size === b.size);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((x, d) => sameAxis(x, b[d]!));
}

/** Sizes agree position by position (names may differ); unknown sizes agree with anything. */
export function fitsShape(a: Shape, b: Shape): boolean {
  return (
    a.length === b.length &&
    a.every((x, d) => {
      const y = b[d]!;
      return x.size === null || y.size === null || x.size === y.size;
    })
  );
}

/** Entries in an array of this shape; `null` if a size is unknown. */
export function elementCount(shape: Shape): number | null {
  let n = 1;
  for (const a of shape) {
    if (a.size === null) return null;
    n *= a.size;
  }
  return n;
}

/** Sizes as numbers. @throws ShapeError when a size is unknown. */
export function sizesOf(shape: Shape): number[] {
  return shape.map((a) => {
    if (a.size === null) throw new ShapeError(`the size of axis ${a.name} is not known`);
    return a.size;
  });
}

/** Row-major steps: how far one step along each axis moves in the flat array. */
export function stridesOf(sizes: readonly number[]): number[] {
  const strides = new Array<number>(sizes.length);
  let step = 1;
  for (let d = sizes.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= sizes[d]!;
  }
  return strides;
}

export function formatShape(shape: Shape): string {
  const inner = shape.map((a) => (a.size === null ? a.name : String(a.size))).join(", ");
  return shape.length === 1 ? `(${inner},)` : `(${inner})`;
}

/** NumPy broadcasting: aligned from the right, a size of 1 stretches. @throws ShapeError */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const out: Axis[] = [];
  for (let d = 0; d < rank; d++) {
    const x = a[d - (rank - a.length)];
    const y = b[d - (rank - b.length)];
    if (x === undefined || y === undefined) out.push((x ?? y)!);
    else out.push(unify(x, y, a, b));
  }
  return out;
}

function unify(x: Axis, y: Axis, a: Shape, b: Shape): Axis {
  if (sameAxis(x, y)) return x;
  if (isUnit(x)) return y;
  if (isUnit(y)) return x;
  // Names may differ while the sizes agree (two inputs named apart): position decides, as in NumPy.
  if (x.size !== null && y.size !== null) {
    if (x.size === y.size) return x;
    throw new ShapeError(
      `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${x.size} against ${y.size}`,
    );
  }
  if (differ(x, y)) {
    throw new ShapeError(
      `shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${x.name} against ${y.name}`,
    );
  }
  return x.size !== null ? x : y.size !== null ? y : x;
}

/** Whether two open sizes cannot be equal: the same letters, times different numbers. */
function differ(x: Axis, y: Axis): boolean {
  const product = (a: Axis): { letters: string; known: number } => {
    const parts = leafAxes(a);
    const open = parts.filter((p) => p.size === null).map((p) => p.name);
    return { letters: open.sort().join(" "), known: parts.reduce((n, p) => n * (p.size ?? 1), 1) };
  };
  const [p, q] = [product(x), product(y)];
  return p.letters === q.letters && p.known !== q.known;
}

/** The axes that a flattened one is made of; a plain one is made of itself. */
export function leafAxes(a: Axis): Axis[] {
  return a.parts.length > 0 ? a.parts.flatMap(leafAxes) : [a];
}

/** A position in 0…rank-1 from a Python-style one that may be negative. @throws ShapeError */
export function normalizeDim(dim: number, rank: number): number {
  const d = dim < 0 ? dim + rank : dim;
  if (!Number.isInteger(d) || d < 0 || d >= rank) {
    throw new ShapeError(
      `axis ${dim} is out of range for an array with ${rank} ${rank === 1 ? "axis" : "axes"}`,
    );
  }
  return d;
}
