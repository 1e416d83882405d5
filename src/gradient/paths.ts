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
import { SEVERAL } from "./cells.ts";
import { lineOffsets } from "./entries.ts";
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

/** A typed array of any type. */
export type Entries = ArrayLike<number> & Iterable<number>;

export interface PathRequest {
  readonly base: Entries;
  readonly toward: ArrayLike<number>;
  readonly moving: Moving;
  readonly size: SizeOfEntries;
  /** 1 for the entries that may move; all when null. */
  readonly scope: Uint8Array | null;
  /** The loss is the same quotient of polynomials outside [0, 1]: entries at 0 or 1 may move too. */
  readonly mayLeaveDomain: boolean;
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
  const { base, toward, scope, mayLeaveDomain } = request;
  const n = base.length;
  const { probabilities, meanAbs, meanSquare } = request.size;
  const velocity = new Float64Array(n);
  // The movement of all entries together stays below the size of their sum, so that a denominator
  // that holds the sum keeps away from 0.
  const least = mayLeaveDomain ? (meanAbs > 0 ? 0.05 * meanAbs : 0.01) : 0;
  const free = Math.min(1, Math.max(0.25 * Math.sqrt(meanSquare), 2 ** -10));
  for (let i = 0; i < n; i++) {
    const w = toward[i]!;
    const x = base[i]!;
    if (w === 0 || Number.isNaN(w) || !Number.isFinite(x) || scope?.[i] === 0) continue;
    const room = probabilities ? Math.max(0.5 * Math.min(x, 1 - x), least) : free;
    velocity[i] = w > 0 ? room : -room;
  }
  return { velocity, moved: (input, v, step) => b.add(input, b.mul(step, v)) };
}

/** What a step along a straight line depends on. */
export interface SizeOfEntries {
  /** All lie in [0, 1]. */
  readonly probabilities: boolean;
  readonly meanAbs: number;
  readonly meanSquare: number;
}

export function sizeOfEntries(base: Entries): SizeOfEntries {
  let probabilities = true;
  let abs = 0;
  let square = 0;
  const count = base.length;
  for (let k = 0; k < count; k++) {
    const x = base[k]!;
    if (Number.isNaN(x)) continue;
    if (x < 0 || x > 1) probabilities = false;
    abs += Math.abs(x);
    square += x * x;
  }
  const n = Math.max(count, 1);
  return { probabilities, meanAbs: abs / n, meanSquare: square / n };
}

/**
 * z(x) = logit(p + xV) with V = ± half of the smaller of p and 1 − p. With the ratios a = V/p and
 * c = V/(1 − p), of which one is ± ½ and the sum is the velocity v, that is
 * z + log((1 + xa)/(1 − xc)) = z + log(1 + xv/(1 − xc)), exact where the sigmoid has saturated too.
 */
function throughSigmoid({ base, toward, scope }: PathRequest): Path {
  const n = base.length;
  const velocity = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const w = toward[i]!;
    if (w === 0 || Number.isNaN(w) || scope?.[i] === 0) continue;
    const v = 0.5 * (1 + Math.exp(-Math.abs(base[i]!)));
    velocity[i] = w > 0 ? v : -v;
  }
  return {
    velocity,
    moved: (z, v, step) => {
      const sum = b.mul(v, step);
      const half = b.mul(b.mul(b.constant(0.5), b.sign(v)), step);
      const c = b.where(b.binary("lt", z, b.ZERO), b.sub(sum, half), half);
      return b.add(z, b.unary("log1p", b.div(sum, b.sub(b.ONE, c))));
    },
  };
}

/**
 * z(x) = log(P + xV) with V summing to 0 over the classes: at each voxel one class gains what
 * another loses, half of the smaller of the two at most.
 */
function throughSoftmax({ base, toward, moving, scope }: PathRequest): Path {
  const n = base.length;
  const offsets = lineOffsets(moving.node);
  const share = new Float64Array(n); // V/P
  const p = new Float64Array(offsets.length);
  const w = new Float64Array(offsets.length);
  const stride = offsets[1] ?? 1;
  const block = stride * offsets.length;
  for (let outer = 0; outer < n; outer += block) {
    for (let first = outer; first < outer + stride; first++) {
      pairOf(base, toward, scope, first, offsets, p, w, share);
    }
  }
  return {
    velocity: share,
    moved: (z, v, step) => b.add(z, b.unary("log1p", b.mul(step, v))),
  };
}

/** @param p room for the powers of a line, @param w and for its weights: NaN where none may move */
function pairOf(
  base: ArrayLike<number>,
  toward: ArrayLike<number>,
  scope: Uint8Array | null,
  first: number,
  offsets: readonly number[],
  p: Float64Array,
  w: Float64Array,
  share: Float64Array,
): void {
  const classes = offsets.length;
  let largest = -Infinity;
  for (let c = 0; c < classes; c++) largest = Math.max(largest, base[first + offsets[c]!]!);
  let total = 0;
  for (let c = 0; c < classes; c++) {
    const at = first + offsets[c]!;
    total += p[c] = Math.exp(base[at]! - largest);
    w[c] = p[c]! > 0 && scope?.[at] !== 0 ? toward[at]! : NaN;
  }
  let up = -1;
  let down = -1;
  for (let c = 0; c < classes; c++) {
    if (Number.isNaN(w[c]!)) continue;
    if (up < 0 || w[c]! > w[up]! || (w[c] === w[up] && p[c]! > p[up]!)) up = c;
  }
  for (let c = 0; c < classes; c++) {
    if (c === up || Number.isNaN(w[c]!)) continue;
    if (down < 0 || w[c]! < w[down]! || (w[c] === w[down] && p[c]! > p[down]!)) down = c;
  }
  if (up < 0 || down < 0 || w[up] === w[down]) return;
  const pu = p[up]! / total;
  const pd = p[down]! / total;
  const gain = w[up]! / pu - w[down]! / pd >= 0 ? 1 : -1;
  const v = 0.5 * Math.min(pu, pd) * gain;
  share[first + offsets[up]!] = v / pu;
  share[first + offsets[down]!] = -v / pd;
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
  toward: ArrayLike<number>,
  moving: Moving,
  most: number,
): Scope | null {
  const weights = new LabelWeights();
  for (let i = 0; i < labels.length; i++) {
    const l = labels[i]!;
    const w = Math.abs(toward[i]!);
    if (l > 0 && w > 0) weights.add(l, w);
  }
  const ranked = weights.ranked();
  const top = ranked[0];
  if (top === undefined) return null;
  if (moving.kind !== "softmax") return { mask: maskOf(labels, [top]), cells: 1 };
  for (const label of ranked.slice(0, 8)) {
    const partner = partnerOf(labels, label, toward, moving, most);
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
  toward: ArrayLike<number>,
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
  for (let i = 0; i < labels.length; i++) if (chosen.includes(labels[i]!)) mask[i] = 1;
  return mask;
}
