/**
 * The gradient as the foreground shrinks: the target's voxels are taken away in a fixed order, from
 * the user's own number down to one and to none. The order spreads over the whole array, so that
 * every sample and class shrinks alike.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { substitute } from "../../expression/walk.ts";
import { layoutOf } from "../../gradient/entries.ts";
import { parts, filled } from "../../numbers/interruption.ts";
import { orderStatistic } from "../../numbers/orderStatistic.ts";
import { typeOf } from "../../numbers/wasm/heap.ts";
import type { Bindings, TypedArray, Watch } from "../../numbers/typedArrays.ts";
import type { Chart } from "./chart.ts";
import { Scalars } from "./point.ts";
import { type Gradients, collected } from "./sweeps.ts";
import {
  type BehaviourSubject,
  type ClassLayout,
  type Groups,
  classLayout,
  placeOf,
} from "./subject.ts";

/**
 * What taking away means. With classes one of which every voxel has, class 0 is the background: a
 * voxel that is taken away becomes of class 0. Else its entry becomes 0.
 */
export interface Shrinking {
  /** Voxels that can be taken away. */
  readonly positives: number;
  /** The mask with those left whose order is below the threshold, of the target's shape. */
  readonly target: Expr;
  /** The prediction, where it follows the mask: background's median where a voxel is taken away. */
  readonly following: Expr;
  /** 1 at the prediction's entries of voxels that are left; and of those that never were foreground. */
  readonly left: Expr;
  readonly outside: Expr;
  readonly outsideCount: number;
  readonly bindings: ReadonlyMap<string, TypedArray>;
  /** The parameter to bind so that `m` voxels are left. */
  threshold(m: number): number;
}

export const THRESHOLD = "·threshold";

/** Golden-ratio hashing: odd, so that no two positions below 2³² get the same. */
const SPREAD = 2654435761;

/** Voxels of a high order go first. */
export function orderOf(position: number): number {
  return Math.imul(position, SPREAD) >>> 0;
}

/** Null where no voxel can be taken away. */
export function shrinkingOf(subject: BehaviourSubject, groups: Groups): Shrinking | null {
  const { wrt, target, bindings, arena } = subject;
  if (target === null) return null;
  const given = bindings.get(target.name)!;
  const data = bindings.get(wrt.name)!;
  const single = groups.oneHot || groups.classMap;
  const layout = classLayout(wrt, single ? groups.classDim : -1);
  const { order, keys, outsideCount } = ordered(groups, layout, single);
  if (keys.length === 0) return null;

  const taken = filled(given.slice(), (k) => {
    if (groups.classMap || !single) {
      const isTaken = groups.classMap ? given[k] !== 0 : order[k] !== 0;
      return isTaken ? 0 : given[k]!;
    }
    const [voxel, c] = placeOf(k, layout);
    return order[voxel] === 0 ? given[k]! : c === 0 ? 1 : 0;
  });
  const ofVoxels = (count: number): Float64Array =>
    filled(new Float64Array(count), (k) => order[placeOf(k, layout)[0]]!);
  const targetOrder = single && !groups.classMap ? ofVoxels(taken.length) : order;
  const own = single ? ofVoxels(data.length) : order;
  const following = backgroundPrediction(data, groups, own, layout);
  const ownOrder = arena.resident(own);
  const bits = (isSet: (k: number) => boolean): Uint8Array =>
    filled(new Uint8Array(own.length), (k) => (isSet(k) ? 1 : 0));

  const threshold = b.parameter(THRESHOLD, null);
  const ownKey = b.input("·order", wrt.shape);
  const targetKey = b.input("·target order", target.shape);
  const below = (key: Expr): Expr => b.binary("lt", key, threshold);
  const marks = b.input("·marked", wrt.shape, "bool");
  const thresholds = new Map<number, number>();
  return {
    positives: keys.length,
    target: b.where(below(targetKey), target, b.input("·taken", target.shape, target.type)),
    following: b.where(below(ownKey), wrt, b.input("·filled", wrt.shape)),
    left: b.binary("and", marks, below(ownKey)),
    outside: b.input("·outside", wrt.shape, "bool"),
    outsideCount,
    bindings: new Map<string, TypedArray>([
      ["·order", ownOrder],
      ["·target order", targetOrder === own ? ownOrder : arena.resident(targetOrder)],
      ["·taken", arena.resident(taken)],
      ["·filled", arena.resident(following)],
      ["·marked", arena.resident(bits((k) => own[k] !== 0 && groups.foreground[k] === 1))],
      ["·outside", arena.resident(bits((k) => own[k] === 0))],
    ]),
    threshold: (m) => {
      if (m === 0) return 0.5;
      if (m >= keys.length) return Infinity;
      const known = thresholds.get(m);
      if (known !== undefined) return known;
      const between = (orderStatistic(keys, m - 1) + orderStatistic(keys, m)) / 2;
      thresholds.set(m, between);
      return between;
    },
  };
}

/** A key above 0 for each voxel (or entry) that can be taken away, 0 for all others. */
function ordered(
  { foreground, foregroundCount }: Groups,
  layout: ClassLayout,
  single: boolean,
): { order: Float64Array; keys: Float64Array; outsideCount: number } {
  const order = new Float64Array(single ? layout.voxels : foreground.length);
  const keys = new Float64Array(foregroundCount);
  let count = 0;
  for (const [first, end] of parts(foreground.length)) {
    for (let k = first; k < end; k++) {
      if (foreground[k] === 0) continue;
      const [voxel, c] = single ? placeOf(k, layout) : [k, 1];
      if (c === 0) continue;
      const key = orderOf(voxel) + 1;
      order[voxel] = key;
      keys[count++] = key;
    }
  }
  const outsideCount = foreground.length - count * (single ? layout.classes : 1);
  return { order, keys: keys.subarray(0, count), outsideCount };
}

/** The prediction with the background's median, class by class, where a voxel can be taken away. */
function backgroundPrediction(
  data: TypedArray,
  { oneHot, classMap }: Groups,
  order: Float64Array,
  layout: ClassLayout,
): TypedArray {
  const classes = oneHot || classMap ? layout.classes : 1;
  const classOf = (k: number): number => (classes === 1 ? 0 : placeOf(k, layout)[1]);
  const medians = Array.from({ length: classes }, (_, c) => {
    const seen = new Float64Array(data.length);
    let count = 0;
    for (const [first, end] of parts(data.length)) {
      for (let k = first; k < end; k++) {
        if (order[k] === 0 && classOf(k) === c) seen[count++] = data[k]!;
      }
    }
    return median(seen.subarray(0, count));
  });
  // Medians are entries themselves.
  return filled(new (typeOf(data))(new ArrayBuffer(data.byteLength), 0, data.length), (k) => {
    const x = data[k]!;
    return order[k] === 0 ? x : (medians[classOf(k)] ?? x);
  });
}

/** The lower one of two; the values are reordered. Undefined where there are none. */
export function median(values: Float64Array): number | undefined {
  return values.length === 0
    ? undefined
    : orderStatistic(values, Math.floor((values.length - 1) / 2));
}

/** The user's own number, then fewer and fewer down to one, then none. */
function stepsOf(positives: number, entries: number): number[] {
  const steps = new Set<number>();
  const points = entries <= 2e4 ? 14 : entries <= 2e6 ? 10 : 6;
  for (let k = 0; k < points; k++) steps.add(Math.round(positives ** (1 - k / (points - 1))));
  return [...steps, 0].sort((x, y) => x - y);
}

/** @param follows whether the prediction shrinks with the mask */
export function sweepShrinking(
  subject: BehaviourSubject,
  gradients: Gradients,
  shrinking: Shrinking,
  follows: boolean,
  watch: Watch,
): Chart {
  const { wrt, target } = subject;
  const replaced = new Map<Expr, Expr>([[target!, shrinking.target]]);
  if (follows) replaced.set(wrt, shrinking.following);
  const parts = [
    { group: "foreground" as const, marks: shrinking.left },
    { group: "background" as const, marks: shrinking.outside },
  ].filter((p) => p.group === "foreground" || shrinking.outsideCount > 0);
  const kinds = [
    { role: "gradient" as const, label: "gradient", of: gradients.own },
    ...(gradients.bare === null
      ? []
      : [{ role: "without-smoothing" as const, label: "without smoothing", of: gradients.bare }]),
  ];
  const quantities = parts.flatMap(({ group, marks }) =>
    kinds.map(({ role, label, of }) => {
      const size = b.sum(b.cast(marks, "float64"));
      const expr = b.div(b.sum(b.where(marks, b.abs(substitute(of, replaced)), b.ZERO)), size);
      return { role, group, label: `${label}, ${group}`, expr };
    }),
  );
  const scalars = new Scalars(quantities.map((q) => q.expr));
  const bindings = new Map<string, TypedArray | number>([
    ...subject.bindings,
    ...shrinking.bindings,
  ]);
  const at = stepsOf(shrinking.positives, layoutOf(wrt).count);
  const left = (m: number): Bindings => bindings.set(THRESHOLD, shrinking.threshold(m));
  const rows = scalars.along(at, left, watch);
  const unit = layoutOf(wrt).sizes.length === 1 ? "elements" : "voxels";
  return {
    id: follows ? "following" : "shrinking",
    title: follows ? "A smaller mask, predicted as well" : "A smaller mask, the same prediction",
    note: follows
      ? `${unit} of the mask are taken away in a fixed order, and the prediction there becomes the background's median`
      : `${unit} of the mask are taken away in a fixed order, the prediction stays`,
    x: `foreground ${unit} in the mask`,
    at,
    own: shrinking.positives,
    counts: true,
    y: "mean magnitude of the gradient",
    element: null,
    series: collected(quantities, rows, rows.at(-1)!),
  };
}
