/** Points at which expressions are compared: decimals of few digits, reproducible, in sensible ranges. */
import { sizesOf } from "./axis.ts";
import type { BoundArray } from "./evaluate.ts";
import type { Expr, Input, Parameter } from "./node.ts";
import { topological } from "./walk.ts";

/**
 * Where an input's entries lie: open (0, 1), any real (normally distributed), 0 or 1, closed
 * [0, 1], whole class numbers below a count, or an interval.
 */
export type InputRange =
  | "probability"
  | "logit"
  | "binary"
  | "soft"
  | {
      readonly labels: number;
      /** Further numbers that code looks for in a map of classes: labels that are to be ignored. */
      readonly others?: readonly number[];
    }
  | { readonly min: number; readonly max: number };

export interface Point {
  readonly bindings: ReadonlyMap<string, BoundArray>;
  /** Chosen, not drawn: an empty mask, a perfect prediction, entries exactly 0 or 1. */
  readonly degenerate: boolean;
}

export interface PointPlan {
  readonly inputs: readonly Input[];
  readonly parameters: readonly Parameter[];
  readonly ranges: ReadonlyMap<string, InputRange>;
  /** Draw parameters too (same sign as their value), or leave each its value. */
  readonly free: boolean;
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A drawn point: each input in its range. */
export function drawnPoint(plan: PointPlan, next: () => number): Point {
  const bindings = parameterBindings(plan, next);
  for (const x of plan.inputs) {
    bindings.set(
      x.name,
      filled(x, () => draw(plan.ranges.get(x.name) ?? "probability", next)),
    );
  }
  return { bindings, degenerate: false };
}

/** Points where losses like these come apart: nothing there, nothing predicted, all hard. */
export function degeneratePoints(plan: PointPlan, next: () => number): Point[] {
  const masks = plan.inputs.filter((x) => isMask(plan.ranges.get(x.name) ?? "probability"));
  const chosen: ((x: Input) => number | null)[] = [
    () => 0,
    ...masks.map((m) => (x: Input) => (x === m ? 0 : null)),
    () => (next() < 0.5 ? 0 : 1),
    () => 1,
  ];
  return chosen.map((value) => {
    const bindings = parameterBindings(plan, next);
    for (const x of plan.inputs) {
      const range = plan.ranges.get(x.name) ?? "probability";
      const pick = (): number => (masks.includes(x) ? value(x) : null) ?? draw(range, next);
      bindings.set(x.name, filled(x, pick));
    }
    return { bindings, degenerate: true };
  });
}

/** Entries so small that sums of a few come under a limit, or barely over it. */
export function tinyPoints(
  plan: PointPlan,
  limits: readonly number[],
  next: () => number,
): Point[] {
  return limits.map((limit) => {
    const bindings = parameterBindings(plan, next);
    for (const x of plan.inputs) {
      const range = plan.ranges.get(x.name) ?? "probability";
      const value = (): number => {
        const drawn = draw(range, next);
        if (range === "probability" || range === "soft") return (drawn * limit) / FEW;
        return range === "logit" ? rounded(Math.log(limit / FEW) + drawn / 4) : drawn;
      };
      bindings.set(x.name, filled(x, value));
    }
    return { bindings, degenerate: true };
  });
}

/** About as many entries as the small shapes sum over. */
const FEW = 8;
const rounded = (v: number): number => Math.round(v * 1000) / 1000;

/** What the use of an input says of its range; a caller who knows better says so. */
export function guessRange(x: Input, roots: readonly Expr[]): InputRange {
  if (x.type === "bool") return "binary";
  const reached = new Set<Expr>([x]);
  const named = new Set<number>();
  let labels: number | null = null;
  let logit = false;
  for (const e of topological(...roots)) {
    if (!e.args.some((a) => reached.has(a))) continue;
    if (e.kind === "oneHot") labels ??= e.shape[e.dim]!.size ?? 3;
    if (e.kind === "binary" && (e.op === "eq" || e.op === "ne")) {
      for (const a of e.args) if (a.kind === "const") named.add(a.value);
    }
    if (e.kind === "softmax" || (e.kind === "unary" && SQUASHING.has(e.op))) logit = true;
    // Where ignored labels have been taken out, the others stand as they were.
    if (PASSING.has(e.kind) || (e.kind === "where" && e.type === x.type)) reached.add(e);
  }
  if (labels !== null) {
    const others = [...named].filter((v) => v < 0 || v >= labels);
    return others.length === 0 ? { labels } : { labels, others };
  }
  return logit ? "logit" : x.type === "int" ? "binary" : "probability";
}
const SQUASHING = new Set(["sigmoid", "logsigmoid", "softplus", "tanh", "exp"]);
const PASSING = new Set([
  "reshape",
  "transpose",
  "cast",
  "index",
  "slice",
  "stopGradient",
  "expand",
]);

/** The share of a map of classes that holds labels which are none of its classes. */
const OTHER_LABELS = 0.3;

function isMask(range: InputRange): boolean {
  return range === "probability" || range === "binary" || range === "soft";
}

function draw(range: InputRange, next: () => number): number {
  if (range === "binary") return next() < 0.5 ? 0 : 1;
  if (range === "logit") {
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    return Math.round(normal * 1500) / 1000;
  }
  if (range === "soft") return Math.round(next() * 1e4) / 1e4;
  if (range === "probability") return (1 + Math.floor(next() * 9998)) / 1e4;
  if ("labels" in range) {
    const { labels, others = [] } = range;
    const other = others.length > 0 && next() < OTHER_LABELS;
    return other ? others[Math.floor(next() * others.length)]! : Math.floor(next() * labels);
  }
  return Number((range.min + (range.max - range.min) * next()).toPrecision(6));
}

function parameterBindings(plan: PointPlan, next: () => number): Map<string, BoundArray> {
  const bindings = new Map<string, BoundArray>();
  for (const p of plan.parameters) {
    // Never the same decimals as a round default: 0.25…1.75, away from 0 so that it matters.
    const drawn = (2500 + Math.floor(next() * 15000)) / 1e4;
    if (plan.free || p.value === null) {
      const value = (p.value ?? 1) < 0 ? -drawn : drawn;
      bindings.set(p.name, { shape: [], data: [value] });
    }
  }
  return bindings;
}

function filled(x: Input, value: () => number): BoundArray {
  const shape = sizesOf(x.shape);
  if (x.positions === true) return { shape, data: Array.from({ length: shape[0]! }, (_, k) => k) };
  return { shape, data: Array.from({ length: shape.reduce((n, s) => n * s, 1) }, value) };
}
