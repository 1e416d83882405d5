/** Places where the code itself keeps the gradient from the prediction, and the loss without them. */
import type { Expr } from "../../expression/node.ts";
import { rewrite, topological } from "../../expression/walk.ts";
import { numberOf } from "./constants.ts";
import { PASSING } from "./passing.ts";
import type { Subject } from "./subject.ts";

export interface Interruption {
  readonly kind: "detached" | "thresholded";
  readonly node: Expr;
}

export interface Uninterrupted {
  /** The loss with its gradient let through everywhere: predictions that were made hard are soft. */
  readonly loss: Expr;
  readonly interruptions: Interruption[];
}

export function withoutInterruptions({ loss, prediction, target }: Subject): Uninterrupted {
  const interruptions: Interruption[] = [];
  const nodes = topological(loss);
  const depends = dependents(nodes, prediction);
  const hard = thresholds(nodes, prediction, ofValues(nodes, target));
  const free = rewrite(loss, (e, original) => {
    if (hard.has(original)) {
      interruptions.push({ kind: "thresholded", node: original });
      return e.args[0]!;
    }
    if (e.kind !== "stopGradient") return e;
    if (depends.has(original)) interruptions.push({ kind: "detached", node: original });
    return e.args[0]!;
  });
  return { loss: free, interruptions };
}

function dependents(nodes: readonly Expr[], leaf: Expr): Set<Expr> {
  const found = new Set<Expr>([leaf]);
  for (const e of nodes) if (e.args.some((a) => found.has(a))) found.add(e);
  return found;
}

/** What is made of the target's values; a mask of what it holds is not. */
function ofValues(nodes: readonly Expr[], target: Expr): Set<Expr> {
  const found = new Set<Expr>([target]);
  for (const e of nodes) {
    if (e.type !== "bool" && e.args.some((a) => found.has(a))) found.add(e);
  }
  return found;
}

/** What activations are made of, where they are written out. */
const ACTIVATIONS: ReadonlySet<string> = new Set([
  "sigmoid",
  "logsigmoid",
  "relu",
  "tanh",
  "exp",
  "neg",
]);
const ARITHMETIC: ReadonlySet<string> = new Set(["add", "sub", "mul", "div"]);

/** Comparisons of predictions with a number, and their rounding, entry by entry. */
function thresholds(
  nodes: readonly Expr[],
  prediction: Expr,
  ofTarget: ReadonlySet<Expr>,
): Set<Expr> {
  const entries = new Set<Expr>([prediction]);
  const found = new Set<Expr>();
  for (const e of nodes) {
    const from = e.args.find((a) => entries.has(a));
    if (from === undefined || ofTarget.has(e)) continue;
    const others = e.args.filter((a) => a !== from);
    const passes =
      PASSING.has(e.kind) ||
      e.kind === "softmax" ||
      e.kind === "stopGradient" ||
      (e.kind === "unary" && ACTIVATIONS.has(e.op)) ||
      (e.kind === "binary" && ARITHMETIC.has(e.op)) ||
      (e.kind === "clamp" && e.args[0] === from);
    const isThreshold =
      (e.kind === "unary" && e.op === "round") ||
      (e.kind === "binary" &&
        (e.op === "gt" || e.op === "ge") &&
        e.args[0] === from &&
        numberOf(others[0]!) !== null);
    if (isThreshold) found.add(e);
    if (passes || isThreshold) entries.add(e);
  }
  // A choice between two values is made by a comparison, which is no value then.
  for (const e of nodes) {
    if (e.kind === "where") found.delete(withoutPassing(e.args[0]!));
  }
  return found;
}

const withoutPassing = (e: Expr): Expr => (PASSING.has(e.kind) ? withoutPassing(e.args[0]!) : e);
