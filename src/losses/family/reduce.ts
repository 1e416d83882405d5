/** From the scores of the regions to one number. */
import * as x from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import {
  FamilyError,
  type FamilySpec,
  type LossOfScore,
  type Outer,
  type Place,
  type Reduction,
} from "../spec.ts";
import { type Named, type Role, atLeast, combine, map, position, reduceOver } from "./named.ts";
import { scalar, times } from "./named.ts";
import { type FamilyInputs, classVector } from "./prepare.ts";
import type { Scored } from "./score.ts";

const CLASS: ReadonlySet<Role> = new Set<Role>(["class"]);
/** Voxels stand with samples where each has a ratio of its own. */
const REST: ReadonlySet<Role> = new Set<Role>(["batch", "space"]);

export function reduceScores(spec: FamilySpec, scored: Scored, inputs: FamilyInputs): Named {
  const byScore = spec.classWeighting === "score";
  let a = byScore ? times_(scored.score, weightsOf(spec, scored.score, inputs)) : scored.score;
  a = at("each region", spec, a);
  const present = presence(spec, scored);
  if (present !== null && spec.absentClasses === "zero loss") a = combine(a, present, x.mul);
  const leftOut =
    spec.absentClasses === "left out" || spec.emptyRegion === "left out" ? present : null;

  const normalized = spec.classWeighting === "normalized loss";
  if (normalized || leftOut !== null) {
    a = weightedMean(a, normalized ? weightsOf(spec, a, inputs) : null, leftOut, spec);
  } else {
    if (spec.classWeighting === "loss") a = times_(a, weightsOf(spec, a, inputs));
    if (oneStep(spec)) return at("after the mean", spec, all(spec.classReduction, a));
    a = reduceBy(spec.classReduction, a, CLASS);
  }
  a = at("after the classes", spec, a);
  return at("after the mean", spec, reduceBy(spec.batchReduction, a, REST));
}

/** Whether both reductions are one, over all regions together. */
function oneStep(spec: FamilySpec): boolean {
  return (
    spec.classReduction === spec.batchReduction &&
    spec.lossPlace !== "after the classes" &&
    spec.outerPlace !== "after the classes"
  );
}

function all(how: Reduction, a: Named): Named {
  return reduceBy(how, a, new Set<Role>(["batch", "class", "space"]));
}

function reduceBy(how: Reduction, a: Named, roles: ReadonlySet<Role>): Named {
  return how === "none" ? a : reduceOver(how, a, roles);
}

const times_ = (a: Named, w: Named): Named => combine(a, w, (e, f) => x.mul(f, e));

function weightsOf(spec: FamilySpec, like: Named, inputs: FamilyInputs): Named {
  return classVector(spec.weights, like, inputs.classWeights);
}

/** 1 for regions whose class the target holds; null where nobody asks. */
function presence(spec: FamilySpec, scored: Scored): Named | null {
  if (spec.emptyRegion === "left out") {
    return map(scored.bare, (u) => x.binary("ne", u, x.ZERO));
  }
  if (spec.absentClasses === "kept") return null;
  return map(scored.volume, (T) => x.binary("gt", T, x.ZERO));
}

/**
 * The mean over the classes that count, each with its weight. Where none counts, it is 1 if absent
 * classes are left out, and 0/0 if empty regions are.
 */
function weightedMean(a: Named, w: Named | null, counted: Named | null, spec: FamilySpec): Named {
  if (position(a, "class") < 0) {
    if (counted === null) throw new FamilyError("a weighted mean over classes needs a class axis");
    return combine(a, counted, (e, c) => x.where(c, e, x.ONE));
  }
  if (spec.classReduction !== "mean") {
    throw new FamilyError("classes that are left out, and normalized weights, make a mean");
  }
  const ones = map(a, (e) => x.expand(x.ONE, e.shape));
  let share = w ?? ones;
  if (counted !== null) share = w === null ? counted : combine(counted, w, (c, v) => x.mul(v, c));
  // An empty region is 0/0, which no weight of zero takes out of a sum.
  const defined =
    counted !== null && spec.emptyRegion === "left out"
      ? combine(a, counted, (e, c) => x.where(c, e, x.ZERO))
      : a;
  const total = reduceOver("sum", times_(defined, share), CLASS);
  const divisor = reduceOver("sum", share, CLASS);
  if (counted === null || spec.emptyRegion === "left out") return combine(total, divisor, x.div);
  const none = map(divisor, (d) => x.binary("eq", d, x.ZERO));
  const safe = combine(divisor, none, (d, isNone) => x.where(isNone, x.ONE, d));
  return combine(combine(total, safe, x.div), none, (q, isNone) => x.where(isNone, x.ONE, q));
}

/** What the spec does at this place: the loss of a score, then the outer function. */
function at(place: Place, spec: FamilySpec, a: Named): Named {
  let b = a;
  if (spec.lossPlace === place) b = map(b, (D) => lossOf(spec.loss, atLeast(D, spec.scoreFloor)));
  if (spec.outerPlace === place) b = map(b, (e) => outerOf(spec.outer, e));
  return b;
}

function lossOf(loss: LossOfScore, D: Expr): Expr {
  switch (loss) {
    case "1 - D":
      return x.sub(x.ONE, D);
    case "-D":
      return x.neg(D);
    case "D":
      return D;
    case "-log D":
      return x.neg(x.log(D));
  }
}

function outerOf(outer: Outer, e: Expr): Expr {
  switch (outer.kind) {
    case "none":
      return e;
    case "power":
      return x.pow(e, scalar(outer.exponent));
    case "log-cosh":
      return x.log(x.unary("cosh", e));
    case "log":
      return x.log(e);
    case "penalty":
      return x.div(e, x.add(x.ONE, times(outer.k, x.sub(x.ONE, e))));
  }
}
