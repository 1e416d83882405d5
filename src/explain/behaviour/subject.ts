/** What a behaviour is of: a loss, its gradient, and the arrays that say where the user stands. */
import type { Expr, Input, SourceSpan } from "../../expression/node.ts";
import { parts, every } from "../../numbers/interruption.ts";
import type { TypedArray } from "../../numbers/typedArrays.ts";
import type { Arena } from "../../numbers/wasm/arena.ts";
import { layoutOf } from "../../gradient/entries.ts";

export interface BehaviourSubject {
  /** A scalar whose axes all have sizes. */
  readonly loss: Expr;
  /** The derived gradient, of the shape of `wrt`. */
  readonly gradient: Expr;
  readonly wrt: Input;
  /** The reference segmentation; null for a loss without one. */
  readonly target: Input | null;
  readonly bindings: ReadonlyMap<string, TypedArray>;
  /** Where the loss's nodes were written; lines of `file` are reported. */
  readonly spans?: ReadonlyMap<Expr, SourceSpan>;
  readonly file?: string;
  /** The gradient is not the loss's own: one written by hand stands in for it. */
  readonly isSurrogate?: boolean;
  /** The arrays are no user's: they were made to show something. */
  readonly isSample?: boolean;
  /** Holds the arrays that are evaluated on again and again, until it is released. */
  readonly arena: Arena;
}

/** Progress and cancellation, asked at least every few milliseconds. */
export interface BehaviourWatch {
  /** @param what the step that it is at, in words */
  onProgress(fraction: number, what: string): void;
  /** Kernels throw `Cancelled` when this becomes true. */
  isCancelled(): boolean;
}

/** Which entries of the prediction belong to what the target marks. */
export interface Groups {
  /** 1 at the entries whose target is 1: foreground voxels, or the true class of each voxel. */
  readonly foreground: Uint8Array;
  readonly foregroundCount: number;
  /** Of the prediction's axes, the one that runs over classes; -1 where there is none. */
  readonly classDim: number;
  /** Whether each voxel's target marks one of its classes, so that class 0 stands for nothing. */
  readonly oneHot: boolean;
  /** The target holds class numbers and has no class axis. */
  readonly classMap: boolean;
}

/** Entries, classes and voxels of the prediction. */
export interface ClassLayout {
  readonly classes: number;
  /** Entries from one class of a voxel to the next. */
  readonly stride: number;
  readonly voxels: number;
}

export function classLayout(wrt: Expr, classDim: number): ClassLayout {
  const { sizes, strides, count } = layoutOf(wrt);
  if (classDim < 0) return { classes: 1, stride: count, voxels: count };
  const classes = sizes[classDim]!;
  return { classes, stride: strides[classDim]!, voxels: count / classes };
}

/** Voxel and class of a flat entry of the prediction. */
export function placeOf(at: number, { classes, stride }: ClassLayout): [number, number] {
  const inner = at % stride;
  const outer = Math.floor(at / stride);
  return [Math.floor(outer / classes) * stride + inner, outer % classes];
}

/** Null where the target does not say it entry by entry (another shape, or none). */
export function groupsOf(
  { wrt, target, bindings }: BehaviourSubject,
  softmaxDim: number | null,
): Groups | null {
  if (target === null) return null;
  const data = bindings.get(target.name);
  if (data === undefined) return null;
  const { count } = layoutOf(wrt);
  const classDim = softmaxDim ?? classDimOf(wrt, data);
  const layout = classLayout(wrt, classDim);
  const foreground = new Uint8Array(count);
  let foregroundCount = 0;
  const classMap = data.length !== count;
  if (classMap && (classDim < 0 || data.length !== layout.voxels)) return null;
  for (const [first, end] of parts(count)) {
    for (let k = first; k < end; k++) {
      let isForeground: boolean;
      if (classMap) {
        const [voxel, own] = placeOf(k, layout);
        isForeground = data[voxel] === own;
      } else isForeground = data[k]! > 0.5;
      if (isForeground) {
        foreground[k] = 1;
        foregroundCount++;
      }
    }
  }
  const oneHot = !classMap && classDim >= 0 && isOneHot(foreground, layout);
  return { foreground, foregroundCount, classDim, oneHot, classMap };
}

/** The axis said to run over classes; else one along which the target marks one entry everywhere. */
function classDimOf(wrt: Expr, target: ArrayLike<number>): number {
  const named = wrt.shape.findIndex((a) => a.role === "class" && a.size! > 1);
  const { sizes, count } = layoutOf(wrt);
  if (named >= 0 || sizes.length < 3) return named;
  return sizes.findIndex((n, d) => {
    if (d === 0 || n < 2) return false;
    const layout = classLayout(wrt, d);
    // A map of classes lacks the axis; a target of the same size is one-hot along it.
    if (target.length === layout.voxels && target.length !== count) return true;
    return target.length === count && isOneHot(target, layout);
  });
}

function isOneHot(marked: ArrayLike<number>, layout: ClassLayout): boolean {
  if (layout.classes < 2) return false;
  const perVoxel = new Uint8Array(layout.voxels);
  const isUnique = every(
    marked.length,
    (k) => !(marked[k]! > 0.5) || ++perVoxel[placeOf(k, layout)[0]]! <= 1,
  );
  return isUnique && every(perVoxel.length, (voxel) => perVoxel[voxel] === 1);
}
