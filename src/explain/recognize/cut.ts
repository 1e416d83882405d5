/**
 * Takes a loss apart at its activation and at its one-hot encoding: what is left is a function of
 * probabilities and of a target of the same shape, which can be probed at any values of the two.
 */
import type { Axis } from "../../expression/axis.ts";
import * as x from "../../expression/build.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { simplify } from "../../expression/simplify.ts";
import { rewrite, substitute, topological } from "../../expression/walk.ts";
import type { Activation, FamilySpec, Scalar, TargetSmoothing } from "../../losses/spec.ts";
import { PASSING, frontier } from "./passing.ts";
import { cutClip, cutSmoothing } from "./limits.ts";
import type { Role, Subject } from "./subject.ts";
import { rolesOf } from "./subject.ts";

/** A place where the code itself keeps the gradient from the prediction. */
export interface Interruption {
  readonly kind: "detached" | "thresholded";
  readonly node: Expr;
}

export interface Cut {
  /** The whole loss, with its gradient let through everywhere. */
  readonly uninterrupted: Expr;
  /** The loss of `p` and `t`; of the prediction itself as well where terms take the logits. */
  readonly loss: Expr;
  readonly p: Input;
  readonly t: Input;
  readonly activation: Activation;
  readonly encoding: "as given" | "one-hot";
  /** Limits of the activated prediction, and what smooths the target: cut off as well. */
  readonly predictionClip: Scalar;
  readonly targetSmoothing: TargetSmoothing;
  readonly interruptions: readonly Interruption[];
}

/** The cut of a loss, or null where its target cannot be told from what surrounds it. */
export function cut(subject: Subject): Cut | null {
  const { loss: simple, interruptions } = withoutStops(namedActivations(subject.loss), subject);
  const activated = cutActivation(simple, subject, interruptions);
  const clipped = cutClip(activated.loss, activated.p);
  const target = cutTarget(clipped.loss, subject);
  if (target === null) return null;
  const at = rolesOf(subject).indexOf("class");
  const classes = at < 0 ? null : subject.prediction.shape[at]!.size;
  const smoothed = cutSmoothing(target.loss, target.t, classes);
  return {
    ...activated,
    ...target,
    ...smoothed,
    uninterrupted: simple,
    p: clipped.p,
    predictionClip: clipped.clip,
    interruptions,
  };
}

/** The spec of what a cut leaves. */
export function withoutCut(spec: FamilySpec): FamilySpec {
  return {
    ...spec,
    activation: "none",
    targetEncoding: "as given",
    predictionClip: 0,
    targetSmoothing: { kind: "none" },
  };
}

/** Activations that are written out, and exp(log softmax) and exp(log sigmoid), as what they are. */
function namedActivations(loss: Expr): Expr {
  return rewrite(loss, (e) => {
    if (e.kind === "binary" && e.op === "div" && e.shape.length > 0 && holdsExponential(e)) {
      const simple = simplify(e);
      const isActivation =
        simple.kind === "softmax" || (simple.kind === "unary" && simple.op === "sigmoid");
      return isActivation ? simple : e;
    }
    if (e.kind !== "unary" || e.op !== "exp") return e;
    const inner = e.args[0]!;
    if (inner.kind === "softmax" && inner.log) return x.softmax(inner.args[0]!, inner.dim);
    if (inner.kind === "unary" && inner.op === "logsigmoid") return x.sigmoid(inner.args[0]!);
    return e;
  });
}

/** Whether it is made of exponentials of one array, as written-out activations are. */
function holdsExponential(e: Expr): boolean {
  const nodes = topological(e);
  const inputs = nodes.filter((n) => n.kind === "input");
  return inputs.length === 1 && nodes.some((n) => n.kind === "unary" && n.op === "exp");
}

/** The loss with its gradient let through everywhere, and where it was not. */
function withoutStops(
  loss: Expr,
  { prediction }: Subject,
): { loss: Expr; interruptions: Interruption[] } {
  const interruptions: Interruption[] = [];
  const depends = dependents(loss, prediction);
  const free = rewrite(loss, (e, original) => {
    if (e.kind !== "stopGradient") return e;
    if (depends.has(original)) interruptions.push({ kind: "detached", node: original });
    return e.args[0]!;
  });
  return { loss: free, interruptions };
}

function dependents(loss: Expr, leaf: Expr): Set<Expr> {
  const found = new Set<Expr>([leaf]);
  for (const e of topological(loss)) if (e.args.some((a) => found.has(a))) found.add(e);
  return found;
}

type Level = "sigmoid" | "softmax" | "softmax over batch" | "relu" | "tanh";

function cutActivation(
  loss: Expr,
  subject: Subject,
  interruptions: Interruption[],
): Pick<Cut, "loss" | "p" | "activation"> {
  const { prediction } = subject;
  const roles = rolesOf(subject);
  const levels: Level[] = [];
  let [at, leaf]: [Expr, Input] = [loss, prediction];
  while (levels.length < 2) {
    const step = cutLevel(at, leaf, prediction.shape, roles, levels.length, interruptions);
    if (step === null) break;
    [at, leaf] = [step.loss, step.leaf];
    if (step.level !== "threshold") levels.push(step.level);
  }
  return { loss: at, p: leaf, activation: named(levels) };
}

function named(levels: readonly Level[]): Activation {
  const [first, second] = levels;
  if (first === undefined) return "none";
  if (second === undefined) return first;
  if (first === "sigmoid" && second === "sigmoid") return "sigmoid twice";
  if (first === "softmax" && second === "softmax") return "softmax twice";
  return first === "softmax" && second === "sigmoid" ? "softmax then sigmoid" : first;
}

function cutLevel(
  loss: Expr,
  leaf: Input,
  shape: readonly Axis[],
  roles: readonly Role[],
  depth: number,
  interruptions: Interruption[],
): { loss: Expr; leaf: Input; level: Level | "threshold" } | null {
  const { users } = frontier(loss, leaf);
  const next = x.input(`${leaf.name}~`, shape) as Input;
  const replacements = new Map<Expr, Expr>();
  let level: Level | "threshold" | null = null;
  for (const e of users) {
    const own = levelOf(e, shape, roles);
    if (own === null) continue;
    if (level !== null && own !== level) return null;
    level = own;
    const arg = e.args[0]!;
    const entry = substitute(arg, new Map([[leaf, next]]));
    replacements.set(e, entry);
    if (own === "threshold") interruptions.push({ kind: "thresholded", node: e });
  }
  if (level === null) return null;
  // Logits that are also used as they are: a term on logits, unless it is the first level at all.
  if (depth > 0 && replacements.size < users.length) return null;
  return { loss: substitute(loss, replacements), leaf: next, level };
}

function levelOf(
  e: Expr,
  shape: readonly Axis[],
  roles: readonly Role[],
): Level | "threshold" | null {
  if (e.kind === "unary") {
    if (e.op === "sigmoid" || e.op === "relu" || e.op === "tanh") return e.op;
    return e.op === "round" ? "threshold" : null;
  }
  if (e.kind === "binary" && (e.op === "gt" || e.op === "ge")) {
    const bound = e.args[1]!;
    return bound.kind === "const" || bound.kind === "parameter" ? "threshold" : null;
  }
  if (e.kind !== "softmax" || e.log) return null;
  const along = e.shape[e.dim]!;
  const k = shape.findIndex((a) => a.name === along.name);
  const role = k >= 0 ? roles[k] : along.role;
  return role === "class" ? "softmax" : role === "batch" ? "softmax over batch" : null;
}

/** The target as an array of the prediction's shape. */
function cutTarget(loss: Expr, subject: Subject): Pick<Cut, "loss" | "t" | "encoding"> | null {
  const { target, prediction } = subject;
  const roles = rolesOf(subject);
  const at = roles.indexOf("class");
  const classAxis = at < 0 ? undefined : prediction.shape[at];
  const own = target.shape.length === prediction.shape.length ? target.shape[at] : undefined;
  const isMap =
    classAxis !== undefined &&
    (target.shape.length === prediction.shape.length - 1 ||
      (own?.size === 1 && classAxis.size !== 1));
  if (!isMap) return { loss, t: target, encoding: "as given" };

  const t = x.input(`${target.name}~`, prediction.shape) as Input;
  const { users, passed } = labelUsers(loss, target);
  const replacements = new Map<Expr, Expr>();
  for (const e of users) {
    if (e.kind === "oneHot") {
      replacements.set(e, arranged(t, at, e.dim, e.shape));
      continue;
    }
    if (e.kind !== "binary" || e.op !== "eq") return null;
    const [a, b] = [e.args[0]!, e.args[1]!];
    const [label, map] = passed.has(a) ? [b, a] : [a, b];
    if (label.kind !== "const") return null;
    const picked = x.index(t, at, label.value);
    replacements.set(e, x.reshape(picked, map.shape));
  }
  if (replacements.size === 0) return null;
  return { loss: substitute(loss, replacements), t, encoding: "one-hot" };
}

function labelUsers(loss: Expr, target: Expr): { users: Expr[]; passed: Set<Expr> } {
  const passed = new Set<Expr>([target]);
  const users: Expr[] = [];
  for (const e of topological(loss)) {
    if (!e.args.some((a) => passed.has(a))) continue;
    if (PASSING.has(e.kind)) passed.add(e);
    else users.push(e);
  }
  return { users, passed };
}

/** `t` with its class axis moved to `dim` of `shape`, whose other axes may be flattened. */
function arranged(t: Input, at: number, dim: number, shape: readonly Axis[]): Expr {
  const others = t.shape.map((_, d) => d).filter((d) => d !== at);
  const flat = shape.length !== t.shape.length;
  const place = flat ? (dim === shape.length - 1 ? others.length : 0) : dim;
  const perm = [...others.slice(0, place), at, ...others.slice(place)];
  const moved = perm.every((d, k) => d === k) ? t : x.transpose(t, perm);
  return flat ? x.reshape(moved, shape) : moved;
}
