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
 * another loses, half of the smaller of the two at most. Of classes that are pushed alike, the one
 * with more probability moves, and those that are equal in this too share the movement.
 */
function throughSoftmax({ base, toward, moving, scope, options }: PathRequest): Path {
  const { shape } = moving.node;
  const [z, w] = [b.input("logits", shape), b.input("toward", shape)];
  const p = b.softmax(z, moving.dim);
  const isKnown = both(b.binary("gt", p, b.ZERO), b.binary("eq", w, w));
  const isChosen = scope === null ? null : b.binary("ne", b.input("scope", shape), b.ZERO);
  const mayMove = isChosen === null ? isKnown : both(isKnown, isChosen);
  const up = furthest("max", w, p, mayMove, moving.dim);
  const down = furthest("min", w, p, both(mayMove, b.unary("not", up.mask)), moving.dim);
  const isGain = b.binary("ge", b.sub(b.div(up.w, up.p), b.div(down.w, down.p)), b.ZERO);
  const least = b.mul(b.constant(0.5), b.binary("min", up.p, down.p));
  const gained = b.where(isGain, least, b.neg(least));
  const areTwo = both(b.binary("ne", up.w, down.w), b.binary("gt", least, b.ZERO));
  const losing = only(both(areTwo, down.mask), b.div(b.neg(gained), b.mul(down.p, down.count)));
  const gaining = b.div(gained, b.mul(up.p, up.count));
  const arrays = new Map([
    ["logits", base],
    ["toward", toward],
  ]);
  if (scope !== null) arrays.set("scope", scope);
  return {
    // V/P
    velocity: compileKernel([b.where(both(areTwo, up.mask), gaining, losing)]).run(arrays, options)
      .outputs[0]!.data,
    moved: (input, v, step) => b.add(input, b.unary("log1p", b.mul(step, v))),
  };
}

const both = (x: Expr, y: Expr): Expr => b.binary("and", x, y);

/** Along `dim`, of the entries that may move, those with the largest or smallest `w`. */
interface Furthest {
  readonly w: Expr;
  /** The largest among them, −1 where there is none. */
  readonly p: Expr;
  /** Which ones have it, and how many do. */
  readonly mask: Expr;
  readonly count: Expr;
}

function furthest(op: "max" | "min", w: Expr, p: Expr, mayMove: Expr, dim: number): Furthest {
  const nowhere = b.constant(op === "max" ? -Infinity : Infinity);
  const extreme = b.reduce(op, b.where(mayMove, w, nowhere), [dim], true);
  const likely = b.where(both(mayMove, b.binary("eq", w, extreme)), p, b.constant(-1));
  const largest = b.reduce("max", likely, [dim], true);
  const mask = both(b.binary("gt", likely, b.ZERO), b.binary("eq", likely, largest));
  return { w: extreme, p: largest, mask, count: b.sum(mask, [dim], true) };
}
