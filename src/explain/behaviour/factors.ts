/**
 * What a gradient is a product of, where its derivation says so: the slope of the activation, the
 * scale 1/U of the ratio, and a rest of the order of 1. Taken from the outline of the loss, the same
 * one that the printed derivation follows.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { toText } from "../../expression/text.ts";
import { dependsOn, topological } from "../../expression/walk.ts";
import { SEVERAL, labelsOf } from "../../gradient/cells.ts";
import { gradient } from "../../gradient/gradient.ts";
import { layoutOf } from "../../gradient/entries.ts";
import { outline } from "../../gradient/outline.ts";
import { makePlan } from "../../gradient/stepsPlan.ts";
import { every, filled } from "../../numbers/interruption.ts";
import type { BehaviourSubject } from "./subject.ts";

/** What stands between the input and the sums. */
export interface Activation {
  readonly node: Expr;
  readonly kind: "sigmoid" | "softmax" | "other";
  /** Whether it makes probabilities of any numbers; a clamp of probabilities does not. */
  readonly squashes: boolean;
  /** Its derivative by its own entry, of the input's shape. */
  readonly slope: Expr;
  /** As people write it. */
  readonly slopeText: string;
}

/** Denominators, each with an entry for every region (sample, class) that has a ratio of its own. */
export interface Ratio {
  readonly denominators: readonly Expr[];
  readonly words: string;
  /** For each entry of the input the denominator that it takes part in, counted through; -1: several. */
  readonly regionOf: Int32Array;
  readonly regions: number;
}

export interface Factors {
  readonly activation: Activation | null;
  readonly ratio: Ratio | null;
}

/** Whether the loss makes probabilities of its input itself. Axes need no sizes for this. */
export function takesLogits(loss: Expr, wrt: Expr): boolean {
  return outline(loss, wrt).parts.some((p) => p.kind === "activation" && squashes(p.original));
}

const SQUASHING = new Set(["sigmoid", "logsigmoid", "softplus", "tanh", "exp"]);

function squashes(activation: Expr): boolean {
  return topological(activation).some(
    (e) => e.kind === "softmax" || (e.kind === "unary" && SQUASHING.has(e.op)),
  );
}

export function factorsOf({ loss, wrt, target }: BehaviourSubject): Factors {
  const plan = makePlan(loss, wrt, { target });
  const { parts, quotients } = plan.outline;
  const count = layoutOf(wrt).count;
  const found = parts.find(
    (p) =>
      p.kind === "activation" &&
      p.original !== wrt &&
      p.original.shape.length === wrt.shape.length &&
      layoutOf(p.original).count === count,
  );
  const activation = found === undefined ? null : activationOf(found.original, wrt);
  const denominators = new Map(
    quotients
      .map(
        (q) =>
          [
            plan.outline.expand(q.denominator),
            toText(plan.outline.inSums(q.denominator), plan.names),
          ] as const,
      )
      .filter(([d]) => dependsOn(d, wrt) && layoutOf(d).count < count),
  );
  const leaf = activation?.node ?? wrt;
  return { activation, ratio: ratioOf(denominators, leaf, count) };
}

function activationOf(node: Expr, wrt: Expr): Activation {
  const isSigmoid = node.kind === "unary" && node.op === "sigmoid";
  if (node.kind === "softmax" && !node.log) {
    return {
      node,
      kind: "softmax",
      squashes: true,
      slope: b.mul(node, b.sub(b.ONE, node)),
      slopeText: "p(1 − p)",
    };
  }
  return {
    node,
    kind: isSigmoid ? "sigmoid" : "other",
    squashes: squashes(node),
    slope: gradient(b.sum(node), wrt),
    slopeText: isSigmoid ? "s(1 − s)" : "the activation's slope",
  };
}

function ratioOf(denominators: ReadonlyMap<Expr, string>, leaf: Expr, count: number): Ratio | null {
  const unique = [...denominators.keys()];
  for (const chosen of unique.length > 1 ? [unique, unique.slice(0, 1)] : [unique]) {
    if (chosen.length === 0) return null;
    const seeds = new Map<Expr, Int32Array>();
    let regions = 0;
    for (const d of chosen) {
      const n = layoutOf(d).count;
      const first = regions + 1;
      seeds.set(
        d,
        Int32Array.from({ length: n }, (_, k) => first + k),
      );
      regions += n;
    }
    const labels = labelsOf(leaf, seeds);
    if (labels.length !== count) return null;
    const regionOf = filled(labels, (k) => (labels[k] === SEVERAL ? -1 : labels[k]! - 1));
    if (!every(count, (k) => regionOf[k]! < 0)) {
      return {
        denominators: chosen,
        words: bracketed(denominators.get(chosen[0]!)!),
        regionOf,
        regions,
      };
    }
  }
  return null;
}

/** To stand below a 1 and a stroke. */
function bracketed(text: string): string {
  return text.includes(" ") ? `(${text})` : text;
}
