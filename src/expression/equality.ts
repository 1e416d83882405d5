/**
 * Whether two expressions are the same function: decided on random points in 64-digit arithmetic
 * (or exactly, in fractions) over several small shapes, never by comparing strings or by a
 * tolerance of floating-point size.
 */
import { ShapeError, elementCount, sizesOf } from "./axis.ts";
import { type BigArray, type BigNumber, big, evaluateAllBig } from "./bignumber.ts";
import {
  type InputRange,
  type Point,
  type PointPlan,
  degeneratePoints,
  drawnPoint,
  generator,
  guessRange,
  tinyPoints,
} from "./equalityPoints.ts";
import { smallSizes } from "./equalitySizes.ts";
import type { BoundArray } from "./evaluate.ts";
import type { Expr, Input, Parameter } from "./node.ts";
import {
  NotRational,
  equal as equalRationals,
  evaluateRational,
  isRationalFunction,
  toRational,
} from "./rational.ts";
import { resize, topological } from "./walk.ts";

export type { InputRange };

export interface EqualityOptions {
  /** Where the entries of each input lie, by its name; guessed from its use when absent. */
  readonly ranges?: Readonly<Record<string, InputRange>>;
  /**
   * `valued` (default): each named parameter has its value, and two that differ in it make
   * different functions. `free`: parameters of one name are one unknown, whatever their values.
   */
  readonly parameters?: "free" | "valued";
  /**
   * Compare on empty masks and on entries exactly 0 or 1 as well. Default: for scalars only, since
   * a gradient there may be a matter of convention.
   */
  readonly degenerate?: boolean;
  /**
   * Inputs, by name, that are also compared where they are zero throughout: masks of nothing, on
   * which gradients of losses come apart that agree everywhere else.
   */
  readonly absent?: readonly string[];
  /** Axes, by name, whose known sizes are not changed: code may hold the number as a constant. */
  readonly keep?: readonly string[];
}

export interface Counterexample {
  readonly inputs: Readonly<Record<string, BoundArray>>;
  readonly parameters: Readonly<Record<string, number>>;
  /** Entry in which they differ, and the two values to 20 digits ("NaN" where undefined). */
  readonly index: readonly number[];
  readonly a: string;
  readonly b: string;
  /** They agree at every drawn point and differ only on an empty mask or entries exactly 0 or 1. */
  readonly degenerate: boolean;
}

export interface Equality {
  readonly equal: boolean | "undecided";
  readonly how:
    "same expression" | "rational identity" | "50 digits at random points" | "different shapes";
  readonly counterexample?: Counterexample;
  /** Why it could not be decided. */
  readonly reason?: string;
}

const POINTS_PER_SHAPE = 2;
/** What differs in as few digits as this differs, whatever 64 digits lose in cancellation. */
const PLAIN_DIGITS = 12;
/** Operations on entries above which 64 digits take too long (a fixed axis may be huge). */
const WORK_LIMIT = 200_000;

/** Whether `a` and `b` are the same function of their inputs (matched by name). */
export function decideEqual(a: Expr, b: Expr, options: EqualityOptions = {}): Equality {
  const valued = options.parameters !== "free";
  if (a === b) return { equal: true, how: "same expression" };
  const how = "50 digits at random points";
  const undecided = (reason: string): Equality => ({ equal: "undecided", how, reason });
  const next = generator(1);
  const inputNames = new Map(inputsOf([a, b]).map((x) => [x.name, x]));
  const ranges = new Map<string, InputRange>();
  for (const [name, x] of inputNames) {
    ranges.set(name, options.ranges?.[name] ?? guessRange(x, [a, b]));
  }
  const continuous = [...ranges.values()].every(
    (r) => r !== "binary" && !(typeof r === "object" && "labels" in r),
  );
  const exact = continuous && isRationalFunction(a) && isRationalFunction(b);
  const degenerate = options.degenerate ?? a.shape.length === 0;

  const limits = smallLimits([a, b]);
  let compared = 0;
  const later: (() => Outcome)[] = [];
  for (const sizes of smallSizes([a, b], new Set(options.keep))) {
    let x: Expr, y: Expr;
    try {
      [x, y] = [resize(a, sizes), resize(b, sizes)];
    } catch (error) {
      if (error instanceof ShapeError) continue;
      throw error;
    }
    if (workOf([x, y]) > WORK_LIMIT) return undecided("the shapes it is bound to are too large");
    if (!sameNumbers(x, y)) return { equal: false, how: "different shapes" };
    const inputs = [...new Map(inputsOf([x, y]).map((i) => [i.name, i])).values()];
    if (!inputsOf([x, y]).every((i) => oneShape(i, inputs))) {
      return undecided("an input has two shapes");
    }
    const plan: PointPlan = { inputs, parameters: parametersOf([x, y]), ranges, free: !valued };
    for (let k = 0; k < POINTS_PER_SHAPE; k++) {
      const outcome = compareAt(x, y, drawnPoint(plan, next), exact);
      if (outcome.kind === "different") {
        return { equal: false, how, counterexample: outcome.counterexample };
      }
      if (outcome.kind === "same") compared++;
    }
    for (const name of options.absent ?? []) {
      const { bindings } = drawnPoint(plan, next);
      const own = bindings.get(name);
      if (own === undefined) continue;
      const nothing = { ...own, data: Array.from(own.data, () => 0) };
      const point = { bindings: new Map([...bindings, [name, nothing]]), degenerate: true };
      later.push(() => compareAt(x, y, point, false));
    }
    if (degenerate) {
      const points = [...degeneratePoints(plan, next), ...tinyPoints(plan, limits, next)];
      for (const point of points) later.push(() => compareAt(x, y, point, false));
    }
  }
  if (compared === 0) return undecided("neither is defined at any point tried");
  for (const look of later) {
    const outcome = look();
    if (outcome.kind === "different") {
      return { equal: false, how, counterexample: outcome.counterexample };
    }
  }
  return { equal: true, how: exact ? "rational identity" : how };
}

/** Limits below this one are guards that no ordinary array comes near. */
const SMALL_LIMIT = 1e-2;
const MOST_LIMITS = 3;

/** Small numbers below which a sum is not let: only sums of their size tell them apart. */
function smallLimits(roots: readonly Expr[]): number[] {
  const found = new Set<number>();
  for (const e of topological(...roots)) {
    const limits = e.kind === "clamp" || (e.kind === "binary" && e.op === "max");
    if (!limits) continue;
    for (const a of e.args) {
      const value = a.kind === "const" || a.kind === "parameter" ? (a.value ?? 0) : 0;
      if (value > 0 && value < SMALL_LIMIT) found.add(value);
    }
  }
  return [...found].slice(0, MOST_LIMITS);
}

type Outcome =
  | { readonly kind: "same" | "undefined" }
  | { readonly kind: "different"; readonly counterexample: Counterexample };

function compareAt(a: Expr, b: Expr, point: Point, exact: boolean): Outcome {
  if (exact && exactlySame(a, b, point)) return { kind: "same" };
  const [x, y] = evaluateAllBig([a, b], point.bindings) as [BigArray, BigArray];
  const gap = widestGap(x.data, y.data, 50);
  if (gap.kind !== "different") return gap;
  // No loss cancels so many digits that this much is left over of nothing.
  if (widestGap(x.data, y.data, PLAIN_DIGITS, `1e-${PLAIN_DIGITS}`).kind === "different") {
    return { kind: "different", counterexample: counterexampleAt(a, point, gap.at, x, y) };
  }
  // A small difference may be what cancellation left over: twice the digits tell.
  const [p, q] = evaluateAllBig([a, b], point.bindings, 128) as [BigArray, BigArray];
  const sure = widestGap(p.data, q.data, 50);
  if (sure.kind !== "different") return sure;
  return { kind: "different", counterexample: counterexampleAt(a, point, sure.at, p, q) };
}

/** Not so where either is undefined (a division by zero). */
function exactlySame(a: Expr, b: Expr, point: Point): boolean {
  const bindings = new Map(
    [...point.bindings].map(([name, v]) => [
      name,
      { shape: v.shape, data: Array.from(v.data, toRational) },
    ]),
  );
  try {
    const [x, y] = evaluateRational([a, b], bindings);
    return Array.from(x!.data).every((v, k) => equalRationals(v, y!.data[k]!));
  } catch (error) {
    if (error instanceof NotRational) return false;
    throw error;
  }
}

type Gap = { readonly kind: "same" | "undefined" } | { readonly kind: "different"; at: number };

/** Agreement to `digits` digits of the largest entry; entries undefined in both do not count. */
function widestGap(
  x: readonly BigNumber[],
  y: readonly BigNumber[],
  digits: number,
  /** Far below what these losses can be, everything is the rounding of a zero. */
  noise = "1e-60",
): Gap {
  let scale = big(0);
  let defined = 0;
  x.forEach((v, k) => {
    for (const w of [v, y[k]!]) if (w.isFinite() && w.abs().greaterThan(scale)) scale = w.abs();
    if (v.isFinite() && y[k]!.isFinite()) defined++;
  });
  const allowed = scale.times(big(`1e-${digits}`)).plus(big(noise));
  const at = x.findIndex((v, k) => {
    const w = y[k]!;
    if (!v.isFinite() || !w.isFinite()) return v.isFinite() !== w.isFinite();
    return v.minus(w).abs().greaterThan(allowed);
  });
  if (at >= 0) return { kind: "different", at };
  return { kind: defined > 0 ? "same" : "undefined" };
}

function counterexampleAt(
  e: Expr,
  point: Point,
  at: number,
  x: BigArray,
  y: BigArray,
): Counterexample {
  const inputs: Record<string, BoundArray> = {};
  const parameters: Record<string, number> = {};
  for (const p of parametersOf([e])) if (p.value !== null) parameters[p.name] = p.value;
  const inputNames = new Set(inputsOf([e]).map((i) => i.name));
  for (const [name, v] of point.bindings) {
    if (v.shape.length > 0 || inputNames.has(name)) inputs[name] = v;
    else parameters[name] = v.data[0]!;
  }
  const index: number[] = [];
  for (let d = x.shape.length - 1, rest = at; d >= 0; d--) {
    index.unshift(rest % x.shape[d]!);
    rest = Math.floor(rest / x.shape[d]!);
  }
  const text = (v: BigNumber): string => v.toSignificantDigits(20).toString();
  return {
    inputs,
    parameters,
    index,
    a: text(x.data[at]!),
    b: text(y.data[at]!),
    degenerate: point.degenerate,
  };
}

function inputsOf(roots: readonly Expr[]): Input[] {
  return topological(...roots).filter((e) => e.kind === "input");
}

function oneShape(x: Input, inputs: readonly Input[]): boolean {
  return inputs.some(
    (i) => i.name === x.name && sizesOf(i.shape).join() === sizesOf(x.shape).join(),
  );
}

function parametersOf(roots: readonly Expr[]): Parameter[] {
  return topological(...roots).filter((e) => e.kind === "parameter");
}

/** The same entries in the same order: axes of size 1 aside, the same shape. */
function sameNumbers(a: Expr, b: Expr): boolean {
  const sizes = (e: Expr): string =>
    e.shape
      .filter((x) => x.size !== 1)
      .map((x) => x.size)
      .join();
  return sizes(a) === sizes(b);
}

function workOf(roots: readonly Expr[]): number {
  return topological(...roots).reduce((n, e) => {
    const heavy = e.kind === "softmax" || e.kind === "unary" ? 20 : 1;
    return (
      n +
      heavy *
        Math.max(
          elementCount(e.shape) ?? Infinity,
          ...e.args.map((x) => elementCount(x.shape) ?? 1),
        )
    );
  }, 0);
}
