/** Terms besides the ratio: cross entropies, focal terms, squared error. */
import * as x from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type Addend, FamilyError } from "../spec.ts";
import {
  type Named,
  type Role,
  combine,
  isZero,
  map,
  plus,
  position,
  power,
  reduceOver,
  scalar,
} from "./named.ts";
import { type FamilyInputs, type Prepared, classVector, pickClasses } from "./prepare.ts";

const ALL: ReadonlySet<Role> = new Set<Role>(["batch", "class", "space"]);
const CLASS: ReadonlySet<Role> = new Set<Role>(["class"]);

/** The value of one addend, without its weight. */
export function addendOf(addend: Addend, ready: Prepared, inputs: FamilyInputs): Expr {
  const logits = addend.takes === "logits";
  const given = ready.allClasses.target;
  let t = given;
  let p = logits ? ready.raw : ready.allClasses.prediction;
  if (addend.clip !== undefined && !isZero(addend.clip)) {
    const low = scalar(addend.clip);
    p = map(p, (e) => x.clamp(e, low, x.sub(x.ONE, low)));
  }
  if (addend.labelSmoothing !== undefined && !isZero(addend.labelSmoothing)) {
    t = smoothed(t, addend);
  }
  // A binary term of a class depends on that class alone, so that weights are for those compared.
  const binary = addend.loss === "binary cross entropy" || addend.loss === "binary focal";
  const early = binary && addend.withoutBackground === true;
  if (early) [p, t] = [pickClasses(p, "without background"), pickClasses(t, "without background")];
  const each = voxelTerms(addend, p, t, inputs);
  const late = !early && addend.withoutBackground === true;
  const kept = late ? pickClasses(each, "without background") : each;
  if (addend.masked !== true || ready.mask === null) {
    return reduceTerms(addend, kept, given, inputs);
  }
  const mask = kept.roles.includes("class") ? ready.mask : withoutChannel(ready.mask);
  return maskedMean(addend, combine(kept, mask, x.mul), given, mask, inputs);
}

/** The mask without its class axis, which has one entry. */
function withoutChannel(mask: Named): Named {
  const at = position(mask, "class");
  if (at < 0 || mask.expr.shape[at]!.size !== 1) return mask;
  return { expr: x.squeeze(mask.expr, [at]), roles: mask.roles.filter((r) => r !== "class") };
}

function maskedMean(
  addend: Addend,
  each: Named,
  t: Named,
  mask: Named,
  inputs: FamilyInputs,
): Expr {
  const total = reduceOver("sum", each, ALL).expr;
  if (addend.reduction === "sum") return total;
  if (addend.classWeights === undefined || addend.unnormalizedWeights === true) {
    return x.div(total, reduceOver("sum", mask, ALL).expr);
  }
  const w = classVector(addend.classWeights, t, inputs.classWeights);
  const share = reduceOver(
    "sum",
    combine(t, w, (g, v) => x.mul(v, g)),
    CLASS,
  );
  return x.div(total, reduceOver("sum", combine(share, mask, x.mul), ALL).expr);
}

function smoothed(t: Named, addend: Addend): Named {
  const epsilon = scalar(addend.labelSmoothing ?? 0);
  const at = position(t, "class");
  const classes = at < 0 ? x.constant(2) : x.size([t.expr.shape[at]!]);
  return map(t, (e) => x.add(x.mul(x.sub(x.ONE, epsilon), e), x.div(epsilon, classes)));
}

/** The terms of single voxels; a cross entropy over classes has summed them. */
function voxelTerms(addend: Addend, p: Named, t: Named, inputs: FamilyInputs): Named {
  const logits = addend.takes === "logits";
  const inside = (e: Expr): Expr => x.log(plus(e, addend.insideLog ?? 0));
  const weighted = (a: Named): Named =>
    addend.classWeights === undefined
      ? a
      : combine(a, classVector(addend.classWeights, a, inputs.classWeights), (e, w) => x.mul(w, e));
  switch (addend.loss) {
    case "squared error":
      return weighted(map(combine(p, t, x.sub), (e) => x.pow(e, x.constant(2))));
    case "cross entropy":
    case "focal": {
      const at = position(p, "class");
      if (at < 0) throw new FamilyError("a cross entropy over classes needs a class axis");
      const logOf = map(p, (e) => (logits ? x.softmax(e, at, true) : inside(e)));
      let term = combine(t, logOf, (g, l) => x.mul(g, power(x.neg(l), addend.power ?? 1)));
      if (addend.loss === "focal") {
        const miss = map(logOf, (l) => x.sub(x.ONE, x.exp(l)));
        term = combine(
          map(miss, (m) => power(m, addend.gamma ?? 2)),
          term,
          x.mul,
        );
      }
      term = weighted(term);
      return addend.withoutBackground === true || addend.loss === "focal"
        ? term
        : reduceOver("sum", term, CLASS);
    }
    case "binary cross entropy":
      return weighted(binaryTerms(addend, p, t, inside));
    case "binary focal":
      if (logits) return weighted(focalOfLogits(addend, p, t));
      return weighted(binaryTerms(addend, p, t, inside));
  }
}

/** σ(-z(2t - 1))^γ times the binary cross entropy, whose first factor fits labels 0 and 1. */
function focalOfLogits(addend: Addend, z: Named, t: Named): Named {
  const gamma = scalar(addend.gamma ?? 2);
  const entropy = combine(z, t, (e, g) => x.sub(x.unary("softplus", e), x.mul(e, g)));
  const miss = combine(z, t, (e, g) => {
    const signed = x.mul(x.neg(e), x.sub(x.mul(x.constant(2), g), x.ONE));
    return x.exp(x.mul(gamma, x.unary("logsigmoid", signed)));
  });
  const term = combine(miss, entropy, x.mul);
  if (addend.alpha === undefined) return term;
  const alpha = scalar(addend.alpha);
  return combine(term, t, (e, g) => {
    const share = x.add(x.mul(g, alpha), x.mul(x.sub(x.ONE, g), x.sub(x.ONE, alpha)));
    return x.mul(share, e);
  });
}

/** a·t·(-log p) + b·(1 - t)·(-log(1 - p)), from logits without overflow. */
function binaryTerms(addend: Addend, p: Named, t: Named, inside: (e: Expr) => Expr): Named {
  const logits = addend.takes === "logits";
  const missed = map(p, (e) => (logits ? x.unary("softplus", x.neg(e)) : x.neg(inside(e))));
  const falsely = map(p, (e) => (logits ? x.unary("softplus", e) : x.neg(inside(x.sub(x.ONE, e)))));
  let [own, other] = [missed, falsely];
  if (addend.loss === "binary focal") {
    const gamma = addend.gamma ?? 2;
    const q = map(p, (e) => (logits ? x.sigmoid(e) : e));
    own = combine(
      map(q, (e) => power(x.sub(x.ONE, e), gamma)),
      missed,
      x.mul,
    );
    other = combine(
      map(q, (e) => power(e, gamma)),
      falsely,
      x.mul,
    );
  }
  let positive = combine(t, own, x.mul);
  let negative = combine(
    map(t, (g) => x.sub(x.ONE, g)),
    other,
    x.mul,
  );
  if (addend.positiveWeight !== undefined) {
    const w = classVector(addend.positiveWeight, positive);
    positive = combine(positive, w, (e, v) => x.mul(v, e));
  }
  if (addend.alpha !== undefined) {
    const alpha = scalar(addend.alpha);
    positive = map(positive, (e) => x.mul(alpha, e));
    negative = map(negative, (e) => x.mul(x.sub(x.ONE, alpha), e));
  }
  return combine(positive, negative, x.add);
}

/** `t` is the target before any label smoothing: its weights are what a weighted mean divides by. */
function reduceTerms(addend: Addend, each: Named, t: Named, inputs: FamilyInputs): Expr {
  if (addend.reduction === "mean over space, then sum") {
    return reduceOver("sum", reduceOver("mean", each, new Set<Role>(["space"])), ALL).expr;
  }
  if (addend.reduction === "sum") return reduceOver("sum", each, ALL).expr;
  const normalizes =
    addend.loss === "cross entropy" &&
    addend.classWeights !== undefined &&
    addend.unnormalizedWeights !== true;
  if (!normalizes) return reduceOver("mean", each, ALL).expr;
  const w = classVector(addend.classWeights, t, inputs.classWeights);
  const total = reduceOver(
    "sum",
    combine(t, w, (g, v) => x.mul(v, g)),
    ALL,
  );
  return x.div(reduceOver("sum", each, ALL).expr, total.expr);
}
