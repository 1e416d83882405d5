/** From the arrays a loss is given to the probabilities and targets that it sums. */
import type { Axis, AxisRole } from "../../expression/axis.ts";
import * as x from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import {
  type Activation,
  type Classes,
  FamilyError,
  type FamilySpec,
  type Scalar,
  type TargetEncoding,
  type TargetSmoothing,
  valueOf,
} from "../spec.ts";
import {
  type Named,
  type Role,
  alignTo,
  combine,
  isZero,
  map,
  named,
  position,
  reduceOver,
  scalar,
} from "./named.ts";

/** The arrays a loss of the family is built on. */
export interface FamilyInputs {
  /** Logits or probabilities; what the gradient is taken by. */
  readonly prediction: Expr;
  /** Of the prediction's shape; or, for the encoding "one-hot", labels without the class axis or
   * with one of size 1. */
  readonly target: Expr;
  /** 1 where a voxel counts, 0 where not; broadcasts to the prediction. */
  readonly mask?: Expr;
  /** One weight a class, shape (C,). */
  readonly classWeights?: Expr;
  /** What the prediction's axes stand for; by default what the axes themselves say. */
  readonly roles?: readonly AxisRole[];
}

/** What the sums are made of. */
export interface Prepared {
  /** The prediction as given: what a term on logits takes. */
  readonly raw: Named;
  readonly prediction: Named;
  readonly target: Named;
  /** A mask that multiplies the overlap alone. */
  readonly overlapMask: Named | null;
  readonly mask: Named | null;
  /** Prediction and target before classes are left out, for the addends. */
  readonly allClasses: { readonly prediction: Named; readonly target: Named };
}

/** @throws FamilyError when the arrays do not fit the spec */
export function prepare(spec: FamilySpec, inputs: FamilyInputs): Prepared {
  const raw = named(inputs.prediction, inputs.roles ?? inputs.prediction.shape.map((a) => a.role));
  const labels = targetOf(inputs, raw, spec);
  const mask = spec.mask === "none" ? null : maskOf(spec, inputs, raw, labels);
  const early = spec.classes === "without background, before the activation";
  let z = raw;
  if (mask !== null && spec.mask === "before activation") z = combine(z, mask, x.mul);
  if (early) z = pickClasses(z, "without background");
  let p = clip(activate(z, spec.activation, spec.logSpace), spec.predictionClip);

  let t = labels;
  if (spec.targetEncoding !== "as given") t = oneHotLike(labels, raw, spec.targetEncoding);
  t = clip(smoothTarget(t, spec.targetSmoothing), spec.targetClip);
  const allClasses = { prediction: p, target: t };
  if (mask !== null && spec.mask !== "numerator only") {
    if (spec.mask === "after activation") p = combine(p, mask, x.mul);
    t = combine(t, mask, x.mul);
  }
  if (early) t = pickClasses(t, "without background");
  else if (spec.classes !== "all") {
    p = pickClasses(p, spec.classes);
    t = pickClasses(t, spec.classes);
  }
  if (spec.stopped === "prediction") p = map(p, x.stopGradient);
  const overlapMask = spec.mask === "numerator only" ? mask : null;
  return { raw, prediction: p, target: t, overlapMask, mask, allClasses };
}

function targetOf(inputs: FamilyInputs, raw: Named, spec: FamilySpec): Named {
  const { target } = inputs;
  if (target.shape.length === raw.roles.length) return { expr: target, roles: raw.roles };
  const withoutClass = raw.roles.filter((r) => r !== "class");
  const encodes = spec.targetEncoding !== "as given";
  if (encodes && target.shape.length === withoutClass.length) {
    return { expr: target, roles: withoutClass };
  }
  throw new FamilyError(
    encodes
      ? `a label map for a prediction with ${raw.roles.length} axes has ${raw.roles.length} (one of them of size 1) or ${withoutClass.length}, not ${target.shape.length}`
      : `the target must have the ${raw.roles.length} axes of the prediction, not ${target.shape.length}`,
  );
}

/** The label map as an array with the prediction's class axis. */
function oneHotLike(labels: Named, raw: Named, encoding: TargetEncoding): Named {
  const at = position(raw, "class");
  if (at < 0) throw new FamilyError("one-hot targets need a prediction with a class axis");
  const along = raw.expr.shape[at]!;
  const flat = withoutClassAxis(labels);
  if (encoding === "one-hot") return { expr: x.oneHot(flat.expr, along, at), roles: raw.roles };
  const last = raw.roles.length - 1;
  if (at === last) throw new FamilyError("a class axis that stands last is not misplaced there");
  return { expr: x.reshape(x.oneHot(flat.expr, along, last), raw.expr.shape), roles: raw.roles };
}

function withoutClassAxis(labels: Named): Named {
  const at = position(labels, "class");
  if (at < 0) return labels;
  if (labels.expr.shape[at]!.size !== 1) {
    throw new FamilyError("the class axis of a label map must have size 1");
  }
  return { expr: x.squeeze(labels.expr, [at]), roles: labels.roles.filter((r) => r !== "class") };
}

function maskOf(spec: FamilySpec, inputs: FamilyInputs, raw: Named, labels: Named): Named {
  if (spec.ignoredLabel !== null) return ignoreMask(spec.ignoredLabel, spec, raw, labels);
  const mask = inputs.mask;
  if (mask === undefined) throw new FamilyError("this loss takes a mask, and none is given");
  if (mask.shape.length === raw.roles.length) return { expr: mask, roles: raw.roles };
  const withoutClass = raw.roles.filter((r) => r !== "class");
  if (mask.shape.length === withoutClass.length) {
    return { expr: alignTo({ expr: mask, roles: withoutClass }, raw.roles), roles: raw.roles };
  }
  throw new FamilyError("the mask must have the axes of the prediction, with or without the class");
}

/** 1 where the target does not carry the ignored label. */
function ignoreMask(label: number, spec: FamilySpec, raw: Named, labels: Named): Named {
  const at = position(labels, "class");
  const classes = at < 0 ? 1 : labels.expr.shape[at]!.size;
  let kept: Expr;
  if (spec.targetEncoding !== "as given" || spec.ignoredBy === "entry" || classes === 1) {
    kept = x.binary("ne", labels.expr, x.constant(label, "int"));
  } else if (classes !== null && label >= 0 && label < classes) {
    kept = x.sub(x.ONE, x.slice(labels.expr, at, label, label + 1));
  } else {
    kept = x.binary("gt", x.sum(labels.expr, [at], true), x.ZERO);
  }
  return { expr: alignTo({ expr: kept, roles: labels.roles }, raw.roles), roles: raw.roles };
}

function activate(z: Named, activation: Activation, logSpace: boolean): Named {
  const sigmoid = (e: Expr): Expr => (logSpace ? x.exp(x.unary("logsigmoid", e)) : x.sigmoid(e));
  const softmax = (e: Expr, role: Role): Expr => {
    const at = position(z, role);
    if (at < 0) throw new FamilyError(`a softmax over the ${role} needs a ${role} axis`);
    return logSpace ? x.exp(x.softmax(e, at, true)) : x.softmax(e, at);
  };
  return map(z, (e) => {
    switch (activation) {
      case "none":
        return e;
      case "sigmoid":
        return sigmoid(e);
      case "softmax":
        return softmax(e, "class");
      case "sigmoid twice":
        return sigmoid(sigmoid(e));
      case "softmax twice":
        return softmax(softmax(e, "class"), "class");
      case "softmax then sigmoid":
        return sigmoid(softmax(e, "class"));
      case "softmax over batch":
        return softmax(e, "batch");
      case "argmax": {
        const at = position(z, "class");
        if (at < 0) throw new FamilyError("an argmax over classes needs a class axis");
        return x.oneHot(x.argReduce("argmax", e, at), e.shape[at]!, at);
      }
      case "threshold":
        return above(e);
      case "sigmoid, then threshold":
        return above(sigmoid(e));
      case "relu":
      case "tanh":
        return x.unary(activation, e);
    }
  });
}

const above = (e: Expr): Expr => x.cast(x.binary("gt", e, x.constant(0.5)), "float64");

function clip(a: Named, epsilon: Scalar): Named {
  if (isZero(epsilon)) return a;
  const low = scalar(epsilon);
  return map(a, (e) => x.clamp(e, low, x.sub(x.ONE, low)));
}

function smoothTarget(t: Named, smoothing: TargetSmoothing): Named {
  if (smoothing.kind === "none" || valueOf(smoothing.epsilon) === 0) return t;
  const epsilon = scalar(smoothing.epsilon);
  let floor = epsilon;
  if (smoothing.kind === "uniform") {
    const at = position(t, "class");
    if (at < 0) throw new FamilyError("uniform label smoothing needs a class axis");
    floor = x.div(epsilon, x.size([t.expr.shape[at]!]));
  }
  return map(t, (e) => x.add(x.mul(x.sub(x.ONE, epsilon), e), floor));
}

/** The classes that are compared, after the activation. */
export function pickClasses(a: Named, classes: Classes): Named {
  if (classes === "all") return a;
  const at = position(a, "class");
  if (at < 0) throw new FamilyError("choosing classes needs a class axis");
  const along: Axis = a.expr.shape[at]!;
  if (classes === "with complement") {
    if (along.size !== 1) throw new FamilyError("a complement needs a single channel");
    return map(a, (e) => x.concat([e, x.sub(x.ONE, e)], at));
  }
  if (along.size === null) {
    throw new FamilyError(`the number of classes must be known to choose among them`);
  }
  if (typeof classes === "string") {
    if (along.size < 2) throw new FamilyError("without its background no class is left");
    return map(a, (e) => x.slice(e, at, 1, null));
  }
  const { only } = classes;
  if (only.length === 0 || only.some((c) => c < 0 || c >= along.size!)) {
    throw new FamilyError(`classes ${only.join(", ")} are not among ${along.size}`);
  }
  const first = only[0]!;
  if (only.every((c, k) => c === first + k)) {
    return map(a, (e) => x.slice(e, at, first, first + only.length));
  }
  return map(a, (e) =>
    x.concat(
      only.map((c) => x.slice(e, at, c, c + 1)),
      at,
    ),
  );
}

/** One weight a class, along the class axis of `like` and broadcast over its other axes. */
export function classVector(values: readonly number[] | "input", like: Named, given?: Expr): Named {
  const at = position(like, "class");
  if (at < 0) throw new FamilyError("class weights need a class axis");
  const along = like.expr.shape[at]!;
  let vector: Expr;
  if (values === "input") {
    if (given === undefined) throw new FamilyError("this loss takes class weights: none are given");
    vector = given;
  } else {
    if (values.length === 0)
      throw new FamilyError("this loss weighs classes, and no weights are given");
    if (along.size !== null && values.length !== along.size) {
      throw new FamilyError(`${values.length} class weights do not fit ${along.size} classes`);
    }
    vector = x.stack(
      values.map((v) => x.constant(v)),
      0,
      along.size === null ? { ...along, size: values.length } : along,
    );
  }
  return { expr: vector, roles: ["class"] };
}

/** Sum over the class axis only, where there is one. */
export function overClasses(a: Named): Named {
  return reduceOver("sum", a, new Set<Role>(["class"]));
}
