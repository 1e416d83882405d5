/**
 * Takes a loss apart at its activation and at its one-hot encoding: what is left is a function of
 * probabilities and of a target of the same shape, which can be probed at any values of the two.
 */
import { type Axis, fitsShape } from "../../expression/axis.ts";
import * as x from "../../expression/build.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { simplify } from "../../expression/simplify.ts";
import { dependsOn, rewrite, substitute, topological } from "../../expression/walk.ts";
import type {
  Activation,
  FamilySpec,
  Scalar,
  TargetEncoding,
  TargetSmoothing,
} from "../../losses/spec.ts";
import { PASSING, frontier } from "./passing.ts";
import { cutClip, cutSmoothing } from "./limits.ts";
import type { Role, Subject } from "./subject.ts";
import { rolesOf } from "./subject.ts";

export interface Cut {
  /** The loss of `p` and `t`; of the prediction itself as well where terms take the logits. */
  readonly loss: Expr;
  readonly p: Input;
  readonly t: Input;
  readonly activation: Activation;
  readonly encoding: TargetEncoding;
  /** Limits of the activated prediction, and what smooths the target: cut off as well. */
  readonly predictionClip: Scalar;
  readonly targetSmoothing: TargetSmoothing;
}

/** The cut of a loss, or null where its target cannot be told from what surrounds it. */
export function cut(subject: Subject): Cut | null {
  const activated = cutActivation(namedActivations(subject.loss), subject);
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
    p: clipped.p,
    predictionClip: clipped.clip,
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

type Level = "sigmoid" | "softmax" | "softmax over batch" | "relu" | "tanh";

function cutActivation(loss: Expr, subject: Subject): Pick<Cut, "loss" | "p" | "activation"> {
  const { prediction } = subject;
  const roles = rolesOf(subject);
  const levels: Level[] = [];
  let [at, leaf]: [Expr, Input] = [loss, prediction];
  while (levels.length < 2) {
    const step = cutLevel(at, leaf, prediction.shape, roles, levels.length);
    if (step === null) break;
    [at, leaf] = [step.loss, step.leaf];
    levels.push(step.level);
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
): { loss: Expr; leaf: Input; level: Level } | null {
  const { users } = frontier(loss, leaf);
  const next = x.input(`${leaf.name}~`, shape) as Input;
  const replacements = new Map<Expr, Expr>();
  let level: Level | null = null;
  for (const e of users) {
    const own = levelOf(e, shape, roles);
    if (own === null) continue;
    if (level !== null && own !== level) return null;
    level = own;
    const arg = e.args[0]!;
    const entry = substitute(arg, new Map([[leaf, next]]));
    replacements.set(e, entry);
  }
  if (level === null) return null;
  // Logits that are also used as they are: a term on logits, unless it is the first level at all.
  if (depth > 0 && replacements.size < users.length) return null;
  return { loss: substitute(loss, replacements), leaf: next, level };
}

function levelOf(e: Expr, shape: readonly Axis[], roles: readonly Role[]): Level | null {
  if (e.kind === "unary") {
    return e.op === "sigmoid" || e.op === "relu" || e.op === "tanh" ? e.op : null;
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
  const misplaced = misplacedClasses(loss, target, prediction, at);
  if (misplaced.length > 0) {
    const left = substitute(loss, new Map(misplaced.map((e) => [e, t])));
    return dependsOn(left, target)
      ? null
      : { loss: left, t, encoding: "one-hot, class axis misplaced" };
  }
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

/** Reshapes of one-hot maps to the prediction's shape that leave the class axis where it was. */
function misplacedClasses(loss: Expr, target: Input, { shape }: Input, at: number): Expr[] {
  return topological(loss).filter((e) => {
    if (e.kind !== "reshape") return false;
    const made = e.args[0]!;
    const encoded = withoutCasts(made);
    if (encoded.kind !== "oneHot" || encoded.dim === at || !dependsOn(encoded, target))
      return false;
    return made.shape.length === shape.length && fitsShape(e.shape, shape);
  });
}

function withoutCasts(e: Expr): Expr {
  return e.kind === "cast" ? withoutCasts(e.args[0]!) : e;
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
