/**
 * Paths through an input along which a loss is probed: straight for probabilities, curved for
 * logits so that the activation's result moves in a straight line. A path runs along the sign of a
 * vector `toward` (a gradient, or the difference of two), where its signal is largest: along a random
 * direction the defects of single voxels average away.
 *
 * Steps run over [-1, 1]; there every probability stays within half its distance to 0 and 1.
 */
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { type RunOptions, compileKernel } from "../numbers/kernel.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import { SEVERAL } from "./cells.ts";
import { lineOffsets } from "./entries.ts";
import { entrywise, isFinite, only } from "./entrywise.ts";
import type { Moving } from "./structure.ts";

export interface Path {
  /**
   * The input at a step in [-1, 1], as an expression: put into a loss in place of its input, it is
   * evaluated in the loss's own passes, entry by entry.
   * @param velocity an input of the same shape that `velocity` is bound to
   */
  readonly moved: (input: Expr, velocity: Expr, step: Expr) => Expr;
  /** Derivative of each entry of the input by the step, at 0. */
  readonly velocity: Float64Array;
}

export interface PathRequest {
  readonly base: TypedArray;
  readonly toward: TypedArray;
  readonly moving: Moving;
  readonly size: SizeOfEntries;
  /** 1 for the entries that may move; all when null. */
  readonly scope: Uint8Array | null;
  /** The loss is the same quotient of polynomials outside [0, 1]: entries at 0 or 1 may move too. */
  readonly mayLeaveDomain: boolean;
  /** Of the kernels that find the velocity. */
  readonly options?: RunOptions;
}

export function pathAlong(request: PathRequest): Path {
  switch (request.moving.kind) {
    case "line":
      return line(request);
    case "sigmoid":
      return throughSigmoid(request);
    case "softmax":
      return throughSoftmax(request);
  }
}

/** A path for a loss of unknown form: a straight line in the input itself. */
export function straightPath(request: Omit<PathRequest, "moving" | "mayLeaveDomain">): Path {
  return line({ ...request, mayLeaveDomain: false });
}

function line(request: Omit<PathRequest, "moving">): Path {
  const { mayLeaveDomain } = request;
  const { probabilities, meanAbs, meanSquare } = request.size;
  // The movement of all entries together stays below the size of their sum, so that a denominator
  // that holds the sum keeps away from 0.
  const least = mayLeaveDomain ? (meanAbs > 0 ? 0.05 * meanAbs : 0.01) : 0;
  const free = Math.min(1, Math.max(0.25 * Math.sqrt(meanSquare), 2 ** -10));
  const velocity = velocityOf(request, (x) => {
    const nearest = b.binary("min", x, b.sub(b.ONE, x));
    const room = b.binary("max", b.mul(b.constant(0.5), nearest), b.constant(least));
    return only(isFinite(x), probabilities ? room : b.constant(free));
  });
  return { velocity, moved: (input, v, step) => b.add(input, b.mul(step, v)) };
}

/** As far as `room` says, with the sign of `toward`; 0 for what may not move. */
function velocityOf(
  { base, toward, scope, options }: Omit<PathRequest, "moving" | "size">,
  room: (x: Expr) => Expr,
): Float64Array {
  const signed = (x: Expr, w: Expr): Expr => {
    const far = room(x);
    const falling = only(b.binary("lt", w, b.ZERO), b.neg(far));
    return b.where(b.binary("gt", w, b.ZERO), far, falling);
  };
  const [velocity] =
    scope === null
      ? entrywise({ base, toward }, (of) => [signed(of.base, of.toward)], options)
      : entrywise(
          { base, toward, scope },
          (of) => [only(b.binary("ne", of.scope, b.ZERO), signed(of.base, of.toward))],
          options,
        );
  return velocity!;
}

/** What a step along a straight line depends on. */
export interface SizeOfEntries {
  /** All lie in [0, 1]. */
  readonly probabilities: boolean;
  readonly meanAbs: number;
  readonly meanSquare: number;
}

export function sizeOfEntries(base: TypedArray, options: RunOptions = {}): SizeOfEntries {
  if (base.length === 0) return { probabilities: true, meanAbs: 0, meanSquare: 0 };
  const [abs, square, smallest, largest] = entrywise(
    { base },
    (of) => {
      const x = b.where(b.unary("isnan", of.base), b.ZERO, of.base);
      const roots = [b.sum(b.abs(x)), b.sum(b.mul(x, x))];
      return [...roots, b.reduce("min", x, null), b.reduce("max", x, null)];
    },
    options,
  ).map((a) => a[0]!) as [number, number, number, number];
  return {
    probabilities: smallest >= 0 && largest <= 1,
    meanAbs: abs / base.length,
    meanSquare: square / base.length,
  };
}

/**
 * z(x) = logit(p + xV) with V = ± half of the smaller of p and 1 − p. With the ratios a = V/p and
 * c = V/(1 − p), of which one is ± ½ and the sum is the velocity v, that is
 * z + log((1 + xa)/(1 − xc)) = z + log(1 + xv/(1 − xc)), exact where the sigmoid has saturated too.
 */
function throughSigmoid(request: PathRequest): Path {
  const half = b.constant(0.5);
  return {
    velocity: velocityOf(request, (z) => b.mul(half, b.add(b.ONE, b.exp(b.neg(b.abs(z)))))),
    moved: (z, v, step) => {
      const sum = b.mul(v, step);
      const own = b.mul(b.mul(half, b.sign(v)), step);
      const c = b.where(b.binary("lt", z, b.ZERO), b.sub(sum, own), own);
      return b.add(z, b.unary("log1p", b.div(sum, b.sub(b.ONE, c))));
    },
  };
}

/**
 * z(x) = log(P + xV) with V summing to 0 over the classes: at each voxel one class gains what
 * another loses, half of the smaller of the two at most.
 */
function throughSoftmax({ base, toward, moving, scope, options }: PathRequest): Path {
  const offsets = lineOffsets(moving.node);
  const logits = b.input("logits", moving.node.shape);
  const p = compileKernel([b.softmax(logits, moving.dim)]).run(new Map([["logits", base]]), options)
    .outputs[0]!.data;
  const share = new Float64Array(base.length); // V/P
  const stride = offsets[1] ?? 1;
  const block = stride * offsets.length;
  for (let outer = 0; outer < base.length; outer += block) {
    for (let first = outer; first < outer + stride; first++) {
      setPair(p, toward, scope, first, offsets, share);
    }
  }
  return {
    velocity: share,
    moved: (z, v, step) => b.add(z, b.unary("log1p", b.mul(step, v))),
  };
}

/** Of two entries that are pushed alike, the one with more probability moves. */
function setPair(
  p: Float64Array,
  toward: TypedArray,
  scope: Uint8Array | null,
  first: number,
  offsets: readonly number[],
  share: Float64Array,
): void {
  let up = -1;
  let down = -1;
  // One at a time: tuples take most of the time here.
  let pu = 0;
  let wu = 0;
  let pd = 0;
  let wd = 0;
  for (const offset of offsets) {
    const at = first + offset;
    const w = toward[at]!;
    if (!(p[at]! > 0) || Number.isNaN(w) || (scope !== null && scope[at] === 0)) continue;
    if (up < 0 || w > wu || (w === wu && p[at]! > pu)) {
      up = at;
      pu = p[at]!;
      wu = w;
    }
  }
  if (up < 0) return;
  for (const offset of offsets) {
    const at = first + offset;
    const w = toward[at]!;
    if (at === up || !(p[at]! > 0) || Number.isNaN(w)) continue;
    if (scope !== null && scope[at] === 0) continue;
    if (down < 0 || w < wd || (w === wd && p[at]! > pd)) {
      down = at;
      pd = p[at]!;
      wd = w;
    }
  }
  if (down < 0 || wu === wd) return;
  const gain = wu / pu - wd / pd >= 0 ? 1 : -1;
  const v = 0.5 * Math.min(pu, pd) * gain;
  share[up] = v / pu;
  share[down] = -v / pd;
}

/** Where a path may move so that few denominators change. */
export interface Scope {
  readonly mask: Uint8Array;
  /** How many parts of the input move, each with its own denominators. */
  readonly cells: number;
}

/**
 * The part (a sample, a class, a pair of classes for a softmax) in which moving along `toward`
 * changes most. Null when no entry belongs to one part alone.
 * @param most largest number of parts that may move together
 */
export function strongestScope(
  labels: Int32Array,
  toward: TypedArray,
  moving: Moving,
  most: number,
): Scope | null {
  const weights = new LabelWeights();
  // Neighbours mostly have the same label.
  let [label, weight] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const l = labels[i]!;
    const w = Math.abs(toward[i]!);
    if (!(l > 0 && w > 0)) continue;
    if (l !== label) {
      if (weight > 0) weights.add(label, weight);
      [label, weight] = [l, 0];
    }
    weight += w;
  }
  if (weight > 0) weights.add(label, weight);
  const ranked = weights.ranked();
  const top = ranked[0];
  if (top === undefined) return null;
  if (moving.kind !== "softmax") return { mask: maskOf(labels, [top]), cells: 1 };
  for (const candidate of ranked.slice(0, 8)) {
    const partner = partnerOf(labels, candidate, toward, moving, most);
    if (partner !== null) return partner;
  }
  return null;
}

/** Sums by label, of which there are few beside the entries that have them. */
class LabelWeights {
  private readonly sums: number[] = [];
  private readonly labels: number[] = [];

  add(label: number, weight: number): void {
    const before = this.sums[label];
    if (before === undefined) this.labels.push(label);
    this.sums[label] = (before ?? 0) + weight;
  }

  /** The heaviest first. */
  ranked(): number[] {
    return this.labels.toSorted((a, b) => this.sums[b]! - this.sums[a]!);
  }
}

/** Of the labels that share lines of a softmax with `label`, the one to move against it. */
function partnerOf(
  labels: Int32Array,
  label: number,
  toward: TypedArray,
  moving: Moving,
  most: number,
): Scope | null {
  const offsets = lineOffsets(moving.node);
  const stride = offsets[1] ?? 1;
  const block = stride * offsets.length;
  const weights = new LabelWeights();
  for (let outer = 0; outer < labels.length; outer += block) {
    for (let first = outer; first < outer + stride; first++) {
      let own = 0;
      for (const o of offsets) if (labels[first + o] === label) own++;
      if (own === 0) continue;
      if (own > 1) weights.add(label, Infinity);
      for (const o of offsets) {
        const l = labels[first + o]!;
        if (l === label || l === SEVERAL) continue;
        // An entry that no denominator holds moves for free.
        const w = l === 0 ? Infinity : Math.abs(toward[first + o]!);
        weights.add(l, w);
      }
    }
  }
  const best = weights.ranked()[0];
  if (best === undefined) return null;
  const cells = best === label || best === 0 ? 1 : 2;
  return cells > most ? null : { mask: maskOf(labels, [label, best]), cells };
}

function maskOf(labels: Int32Array, chosen: readonly number[]): Uint8Array {
  const mask = new Uint8Array(labels.length);
  for (const label of chosen) {
    for (let i = 0; i < labels.length; i++) if (labels[i] === label) mask[i] = 1;
  }
  return mask;
}
