/**
 * Weights that a loss makes of the target's own sums, as generalized Dice does. They are told by how
 * they are written, and cut off by taking them for one: what is left is a ratio of sums over all
 * classes, and says everything else about the loss.
 */
import * as x from "../../expression/build.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { substitute, topological } from "../../expression/walk.ts";
import type { AbsentWeight, FamilySpec, Region } from "../../losses/spec.ts";
import { type Constants, named, numberOf } from "./constants.ts";
import { PASSING } from "./passing.ts";

/** The loss with its weights taken for one; null where the target makes none. */
export function withoutVolumes(loss: Expr, p: Input, t: Input): Expr | null {
  const nodes = topological(loss);
  const ofTarget = onlyOf(nodes, p, t);
  const weights = new Set<Expr>();
  for (const e of nodes) {
    if (isReciprocal(e, ofTarget) || isStillWeight(e, ofTarget, weights)) weights.add(e);
  }
  const ones = new Map<Expr, Expr>();
  for (const e of nodes) {
    if (weights.has(e)) continue;
    for (const a of e.args) if (weights.has(a)) ones.set(a, x.expand(x.ONE, a.shape));
  }
  return ones.size === 0 ? null : substitute(loss, ones);
}

/** Nodes that depend on the target and not on the prediction. */
function onlyOf(nodes: readonly Expr[], p: Input, t: Input): Set<Expr> {
  const [ofTarget, ofPrediction] = [new Set<Expr>([t]), new Set<Expr>([p])];
  for (const e of nodes) {
    if (e.args.some((a) => ofPrediction.has(a))) ofPrediction.add(e);
    else if (e.args.some((a) => ofTarget.has(a))) ofTarget.add(e);
  }
  return ofTarget;
}

/** A number over something of the target. */
function isReciprocal(e: Expr, ofTarget: ReadonlySet<Expr>): boolean {
  if (e.kind !== "binary" || !ofTarget.has(e)) return false;
  const [a, b] = [e.args[0]!, e.args[1]!];
  if (e.op === "div") return numberOf(a) !== null || isNumbers(a, ofTarget);
  return e.op === "pow" && ofTarget.has(a) && (numberOf(b) ?? 0) < 0;
}

const isNumbers = (e: Expr, ofTarget: ReadonlySet<Expr>): boolean =>
  !ofTarget.has(e) && topological(e).every((n) => n.kind !== "input");

/** What is done to weights before they weigh: limits, replaced infinities, other shapes, a norm. */
function isStillWeight(e: Expr, ofTarget: ReadonlySet<Expr>, weights: ReadonlySet<Expr>): boolean {
  if (!ofTarget.has(e) || !e.args.some((a) => weights.has(a)) || isTruth(e)) return false;
  const works =
    PASSING.has(e.kind) ||
    ["where", "clamp", "place", "spread", "stack", "concat", "reduce"].includes(e.kind) ||
    (e.kind === "binary" && ["mul", "div", "add", "max", "min", "pow"].includes(e.op));
  return works && e.args.every((a) => weights.has(a) || !ofTarget.has(a) || isTruth(a));
}

/** An answer to a question, as a number too. */
function isTruth(e: Expr): boolean {
  return e.type === "bool" || (PASSING.has(e.kind) && isTruth(e.args[0]!));
}

/** How weights follow from the volumes of classes. */
export type Weighting = Pick<FamilySpec, "volumePower" | "absentWeight" | "floorPlace">;

/** The weightings that the numbers of a loss allow. */
export function weightings(constants: Constants): Weighting[] {
  const small = constants.values.filter((v) => v > 0 && v < 10).map((v) => named(v, constants));
  const absent: AbsentWeight[] = [
    { kind: "infinite" },
    { kind: "largest finite" },
    ...small.flatMap((v): AbsentWeight[] => [
      { kind: "floor", at: v },
      { kind: "added", epsilon: v },
      { kind: "added to the power", epsilon: v },
    ]),
  ];
  const powers = [...new Set([2, 1, ...constants.exponents.map(Math.abs)])];
  return powers.flatMap((volumePower) =>
    absent.flatMap((absentWeight) =>
      (["whole", "each class"] as const).map((floorPlace) => ({
        volumePower,
        absentWeight,
        floorPlace,
      })),
    ),
  );
}

/** The spec with weights, of which `plain` is what weights of one leave. */
export function weightedBy(plain: FamilySpec, weighting: Weighting): FamilySpec {
  return {
    ...plain,
    ...weighting,
    region: REGIONS.get(plain.region) ?? plain.region,
    classWeighting: "volume",
    classReduction: "mean",
  };
}

/** The sums of one class, where all of them have been added to those of the others. */
const REGIONS: ReadonlyMap<Region, Region> = new Map([
  ["class and space", "space"],
  ["everything", "batch and space"],
]);
