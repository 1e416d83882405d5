/** Whether two volumes lie at the same place in space, as their files say, and what is different. */
import type { ArraySpace } from "./ndarray.ts";

type Vector = readonly [number, number, number];

/** Up to this share of a voxel's shortest edge is rounding of the files' headers. */
const SAME = 0.05;
/** Edges of voxels differ beyond this share. */
const SAME_EDGE = 1e-3;

/**
 * How the elements of two arrays of one shape that have the same index lie apart, as the end of a
 * sentence; null where they do not.
 */
export function spaceApart(a: ArraySpace, b: ArraySpace, shape: readonly number[]): string | null {
  const [p, q] = [columnsOf(a), columnsOf(b)];
  const edges = [...p.edges.values(), ...q.edges.values()].map(length).filter((x) => x > 0);
  const far = farthest(p, q, shape);
  if (!(far > SAME * Math.min(...edges))) return null;
  const axes = [...p.edges.keys()].filter((k) => q.edges.has(k));
  const turned = axes.filter((k) => dot(p.edges.get(k)!, q.edges.get(k)!) < 0);
  const unlike = axes.some((k) => {
    const [x, y] = [length(p.edges.get(k)!), length(q.edges.get(k)!)];
    return Math.abs(x - y) > SAME_EDGE * Math.max(x, y);
  });
  const sizes = ({ edges }: Columns): string =>
    axes.map((k) => short(length(edges.get(k)!))).join(" × ");
  const reasons = [
    ...(turned.length === 0
      ? []
      : [
          `${turned.length === 1 ? "axis" : "axes"} ${turned.join(" and ")} ${turned.length === 1 ? "runs" : "run"} the other way`,
        ]),
    ...(unlike ? [`voxels are ${sizes(p)} mm and ${sizes(q)} mm`] : []),
  ];
  const distance = `up to ${short(far)} mm apart`;
  return reasons.length === 0 ? distance : `${distance}: ${reasons.join(", ")}`;
}

interface Columns {
  /** By axis of the array: the step of one element, in millimetres. */
  readonly edges: ReadonlyMap<number, Vector>;
  readonly origin: Vector;
}

/** Towards right, anterior and superior. */
function columnsOf({ affine, axes, towards }: ArraySpace): Columns {
  const sign = towards === "LPS" ? -1 : 1;
  const column = (k: number): Vector => [
    sign * affine[0]![k]!,
    sign * affine[1]![k]!,
    affine[2]![k]!,
  ];
  return { edges: new Map(axes.map((axis, k) => [axis, column(k)])), origin: column(3) };
}

/** The largest distance among the corners, between which all else lies. */
function farthest(p: Columns, q: Columns, shape: readonly number[]): number {
  let corners: Vector[] = [minus(p.origin, q.origin)];
  for (const axis of new Set([...p.edges.keys(), ...q.edges.keys()])) {
    const none: Vector = [0, 0, 0];
    const step = minus(p.edges.get(axis) ?? none, q.edges.get(axis) ?? none);
    const last = (shape[axis] ?? 1) - 1;
    corners = corners.flatMap((c): Vector[] => [
      c,
      [c[0] + last * step[0], c[1] + last * step[1], c[2] + last * step[2]],
    ]);
  }
  return Math.max(...corners.map(length));
}

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const length = (a: Vector): number => Math.hypot(...a);
const short = (x: number): string => String(Number(x.toPrecision(3)));
