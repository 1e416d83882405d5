/** What is done to probabilities and targets before they are summed: limits, and smoothed targets. */
import * as x from "../../expression/build.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { dependsOn, substitute, topological } from "../../expression/walk.ts";
import type { Scalar, TargetSmoothing } from "../../losses/spec.ts";
import { constantsOf, named, numberOf } from "./constants.ts";
import { PASSING, frontier } from "./passing.ts";

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12;

/** The loss of a prediction limited to [ε, 1 - ε], where all of it is. */
export function cutClip(loss: Expr, p: Input): { loss: Expr; p: Input; clip: Scalar } {
  const none = { loss, p, clip: 0 };
  const { users } = frontier(loss, p);
  const limits = users.map(limitsOf);
  const [first] = limits;
  if (first === undefined || first === null || !near(first.low, 1 - first.high)) return none;
  if (!(first.low > 0) || !limits.every((l) => l?.low === first.low && l.high === first.high)) {
    return none;
  }
  const next = x.input(`${p.name}~`, p.shape) as Input;
  const replacements = users.map((e): [Expr, Expr] => [
    e,
    substitute(e.args[0]!, new Map([[p, next]])),
  ]);
  const clip = named(first.low, constantsOf(loss));
  return { loss: substitute(loss, new Map(replacements)), p: next, clip };
}

function limitsOf(e: Expr): { readonly low: number; readonly high: number } | null {
  if (e.kind !== "clamp") return null;
  const [low, high] = [numberOf(e.args[1]!), numberOf(e.args[2]!)];
  return low === null || high === null ? null : { low, high };
}

/** The loss of a target without its label smoothing: (1 - ε)t + ε/C, or + ε. */
export function cutSmoothing(
  loss: Expr,
  t: Input,
  classes: number | null,
): { loss: Expr; t: Input; targetSmoothing: TargetSmoothing } {
  const constants = constantsOf(loss);
  const affine = affineIn(loss, t);
  for (const { a, b } of affine.values()) {
    const epsilon = 1 - a;
    if (!(epsilon > 1e-9 && a > 0)) continue;
    const uniform = classes !== null && near(b, epsilon / classes);
    if (!uniform && !near(b, epsilon)) continue;
    const next = x.input(`${t.name}~`, t.shape) as Input;
    const replacements = new Map<Expr, Expr>();
    for (const [n, own] of affine) {
      if (near(own.a, a) && near(own.b, b)) replacements.set(n, bare(n, affine, t, next));
    }
    const left = substitute(loss, replacements);
    if (dependsOn(left, t)) continue;
    const kind = uniform ? "uniform" : "floor";
    return {
      loss: left,
      t: next,
      targetSmoothing: { kind, epsilon: named(Number(epsilon.toPrecision(12)), constants) },
    };
  }
  return { loss, t, targetSmoothing: { kind: "none" } };
}

interface Affine {
  readonly a: number;
  readonly b: number;
}

/** Nodes that are a·t + b entry by entry, `t` itself included, in the order of the graph. */
function affineIn(loss: Expr, t: Input): Map<Expr, Affine> {
  const found = new Map<Expr, Affine>([[t, { a: 1, b: 0 }]]);
  for (const e of topological(loss)) {
    const own = affineOf(e, found);
    if (own !== null) found.set(e, own);
  }
  return found;
}

function affineOf(e: Expr, found: ReadonlyMap<Expr, Affine>): Affine | null {
  const [first, second] = e.args.map((n) => found.get(n));
  if (PASSING.has(e.kind) && first !== undefined && e.type === "float") return first;
  if (e.kind !== "binary" || (first === undefined) === (second === undefined)) return null;
  const { a, b } = (first ?? second)!;
  const k = numberOf(e.args[first === undefined ? 0 : 1]!);
  if (k === null) return null;
  switch (e.op) {
    case "add":
      return { a, b: b + k };
    case "sub":
      return first === undefined ? { a: -a, b: k - b } : { a, b: b - k };
    case "mul":
      return { a: a * k, b: b * k };
    case "div":
      return first === undefined ? null : { a: a / k, b: b / k };
    default:
      return null;
  }
}

/** The node with only what moves entries left of it, on another array. */
function bare(e: Expr, affine: ReadonlyMap<Expr, Affine>, t: Input, next: Input): Expr {
  if (e === t) return next;
  const inner = e.args.find((n) => affine.has(n))!;
  const rest = bare(inner, affine, t, next);
  return PASSING.has(e.kind) ? x.withArgs(e, [rest]) : rest;
}
