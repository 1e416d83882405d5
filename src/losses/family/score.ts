/** Numerator and denominator of a region, and the score that they give. */
import * as x from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { FamilyError, type FamilySpec, type Scalar, valueOf } from "../spec.ts";
import {
  type Named,
  type Role,
  atLeast,
  combine,
  map,
  over,
  plus,
  position,
  power,
  reduceOver,
  scalar,
  times,
} from "./named.ts";
import { type FamilyInputs, type Prepared, classVector, overClasses } from "./prepare.ts";

/** The score of each region, with what later steps need of it. */
export interface Scored {
  readonly score: Named;
  /** The denominator before any smoothing: zero where a region is empty. */
  readonly bare: Named;
  /** ΣT of each region: zero where its class is absent. */
  readonly volume: Named;
}

/** Overlap and denominator of each region, without smoothing. */
interface Parts {
  readonly numerator: Named;
  readonly denominator: Named;
  readonly volume: Named;
}

export function scoreOf(spec: FamilySpec, ready: Prepared, inputs: FamilyInputs): Scored {
  let { numerator, denominator, volume } = partsOf(spec, ready, inputs);
  if (spec.classWeighting === "volume") {
    const weights = volumeWeights(spec, volume);
    let weighted = combine(denominator, weights, (u, w) => x.mul(w, u));
    if (spec.floorPlace === "each class") {
      weighted = map(weighted, (u) => atLeast(u, spec.denominatorFloor));
    }
    denominator = overClasses(weighted);
    numerator = overClasses(combine(numerator, weights, (n, w) => x.mul(w, n)));
    volume = overClasses(volume);
  } else if (spec.classWeighting === "numerator") {
    const weights = classVector(spec.weights, numerator, inputs.classWeights);
    numerator = combine(numerator, weights, (n, w) => x.mul(w, n));
  }
  const bare = denominator;
  const n = map(numerator, (e) => {
    const smoothed = plus(e, spec.smoothNumerator);
    return spec.stopped === "numerator" ? x.stopGradient(smoothed) : smoothed;
  });
  const floored = spec.classWeighting !== "volume" || spec.floorPlace === "whole";
  const u = map(denominator, (e) => {
    const smoothed = plus(e, spec.smoothDenominator);
    const limited = floored ? atLeast(smoothed, spec.denominatorFloor) : smoothed;
    return spec.stopped === "denominator" ? x.stopGradient(limited) : limited;
  });
  return { score: divide(spec, n, u, bare), bare, volume };
}

/** The quotient, with the rule for regions whose denominator is zero. */
function divide(spec: FamilySpec, n: Named, u: Named, bare: Named): Named {
  if (spec.emptyRegion === "as computed") return combine(n, u, x.div);
  const empty = map(bare, (e) => x.binary("eq", e, x.ZERO));
  if (spec.emptyRegion === "smoothed numerator") {
    const smooth = scalar(spec.smoothDenominator);
    const added = combine(n, empty, (e, isEmpty) => x.add(e, x.mul(smooth, isEmpty)));
    return combine(added, u, x.div);
  }
  // The divisor of an empty region is replaced as well, so that no 0/0 is left to differentiate.
  const safe = combine(u, empty, (e, isEmpty) => x.where(isEmpty, x.ONE, e));
  const value = spec.emptyRegion === "score one" ? x.ONE : x.ZERO;
  return combine(combine(n, safe, x.div), empty, (q, isEmpty) => x.where(isEmpty, value, q));
}

function partsOf(spec: FamilySpec, ready: Prepared, inputs: FamilyInputs): Parts {
  const { p, t } = weightedArrays(spec, ready, inputs);
  const inner = over(spec.region);
  const outer = spec.denominatorRegion === "same" ? inner : over(spec.denominatorRegion);
  const masked = (a: Named): Named =>
    ready.overlapMask === null ? a : combine(a, ready.overlapMask, x.mul);
  const product = combine(ready.prediction, t, x.mul);
  const absolute = (a: Named): Named => (spec.absoluteSums ? map(a, x.abs) : a);
  const sums = (region: ReadonlySet<Role>): { P: Named; T: Named } => ({
    P: reduceOver(
      "sum",
      map(absolute(p), (e) => power(e, spec.predictionPower)),
      region,
    ),
    T: reduceOver(
      "sum",
      map(absolute(t), (e) => power(e, spec.targetPower)),
      region,
    ),
  });
  const squared = spec.overlap === "squared product";
  const overlapOver = (region: ReadonlySet<Role>): Named => {
    if (spec.overlap !== "l1") {
      const term = masked(product);
      return reduceOver("sum", squared ? map(term, square) : term, region);
    }
    const { P, T } = sums(region);
    const apart = map(masked(combine(p, t, x.sub)), x.abs);
    const total = combine(combine(P, T, x.add), reduceOver("sum", apart, region), x.sub);
    return map(total, (e) => x.mul(x.constant(0.5), e));
  };
  const floored = (a: Named): Named => map(a, (e) => atLeast(e, spec.overlapFloor));
  const I = floored(overlapOver(inner));
  const same = spec.denominatorRegion === "same";
  const J = same ? I : floored(overlapOver(outer));
  const volume = reduceOver("sum", t, outer);
  const own = spec.ratio.kind === "dice" ? 2 : 1;
  const factor: Scalar =
    typeof spec.overlapFactor === "number"
      ? own * spec.overlapFactor
      : { ...spec.overlapFactor, times: own * (spec.overlapFactor.times ?? 1) };
  const numerator = map(I, (e) => times(factor, e));

  const byErrors =
    squared ||
    valueOf(spec.errorPower) !== 1 ||
    (spec.ratio.kind === "tversky" &&
      spec.overlap === "product" &&
      ready.overlapMask === null &&
      !spec.absoluteSums &&
      valueOf(spec.predictionPower) === 1 &&
      valueOf(spec.targetPower) === 1);
  if (byErrors) {
    const error = (a: Named, b: Named): Named => {
      const term = combine(
        a,
        map(b, (e) => x.sub(x.ONE, e)),
        x.mul,
      );
      const exponent = squared ? 2 : spec.errorPower;
      return reduceOver(
        "sum",
        map(term, (e) => power(e, exponent)),
        outer,
      );
    };
    const denominator = combineAll(fromErrors(spec), [J, error(p, t), error(t, p)]);
    return { numerator, denominator, volume };
  }
  const { P, T } = sums(outer);
  return { numerator, denominator: combineAll(fromSums(spec), [J, P, T]), volume };
}

const square = (e: Expr): Expr => x.pow(e, x.constant(2));

function combineAll(f: (...e: Expr[]) => Expr, [a, b, c]: readonly [Named, Named, Named]): Named {
  // All three have run over the same axes, so they stand in one shape.
  return { expr: f(a.expr, b.expr, c.expr), roles: a.roles };
}

/** The denominator from overlap, false positives and false negatives. */
function fromErrors(spec: FamilySpec): (I: Expr, FP: Expr, FN: Expr) => Expr {
  const { ratio } = spec;
  switch (ratio.kind) {
    case "dice":
      return (I, FP, FN) => x.add(x.add(x.mul(x.constant(2), I), FP), FN);
    case "jaccard":
      return (I, FP, FN) => x.add(x.add(I, FP), FN);
    case "tversky":
      return (I, FP, FN) => x.add(x.add(I, times(ratio.alpha, FP)), times(ratio.beta, FN));
  }
}

/** The denominator from overlap and the two sums. */
function fromSums(spec: FamilySpec): (I: Expr, P: Expr, T: Expr) => Expr {
  const { ratio } = spec;
  switch (ratio.kind) {
    case "dice":
      return (_, P, T) => x.add(P, T);
    case "jaccard":
      return (I, P, T) => x.sub(x.add(P, T), I);
    case "tversky":
      return (I, P, T) =>
        x.add(x.add(I, times(ratio.alpha, x.sub(P, I))), times(ratio.beta, x.sub(T, I)));
  }
}

/** Prediction and target as they enter the sums: times class weights where those come first. */
function weightedArrays(
  spec: FamilySpec,
  ready: Prepared,
  inputs: FamilyInputs,
): { readonly p: Named; readonly t: Named } {
  const { prediction, target } = ready;
  if (spec.classWeighting !== "arrays") return { p: prediction, t: target };
  const vector = classVector(spec.weights, prediction, inputs.classWeights);
  const weight = (a: Named): Named => combine(a, vector, x.mul);
  return { p: weight(prediction), t: weight(target) };
}

/** w = T^-power of each class, with the spec's rule for a class that is absent. */
function volumeWeights(spec: FamilySpec, volume: Named): Named {
  if (position(volume, "class") < 0) {
    throw new FamilyError("volume weights need a class axis that the sums do not run over");
  }
  const { absentWeight } = spec;
  const raised = (T: Expr): Expr => power(T, spec.volumePower);
  const inverse = (T: Expr): Expr => x.div(x.ONE, T);
  if (valueOf(spec.volumePower) === 0) return map(volume, (T) => x.expand(x.ONE, T.shape));
  switch (absentWeight.kind) {
    case "infinite":
      return map(volume, (T) => inverse(raised(T)));
    case "floor":
      return map(volume, (T) => inverse(x.clamp(raised(T), scalar(absentWeight.at), null)));
    case "added":
      return map(volume, (T) => inverse(raised(x.add(T, scalar(absentWeight.epsilon)))));
    case "added to the power":
      return map(volume, (T) => inverse(x.add(raised(T), scalar(absentWeight.epsilon))));
    case "largest finite": {
      const absent = map(volume, (T) => x.binary("eq", T, x.ZERO));
      const finite = combine(volume, absent, (T, none) =>
        x.where(none, x.ZERO, inverse(raised(x.where(none, x.ONE, T)))),
      );
      const at = position(volume, "class");
      const largest = x.reduce("max", finite.expr, [at], true);
      return combine(finite, absent, (w, none) => x.where(none, largest, w));
    }
  }
}
