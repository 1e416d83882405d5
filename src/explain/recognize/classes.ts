/** How many classes a loss has, where its code says it and no array does. */
import type { Expr, Input } from "../../expression/node.ts";
import { resize, resizeNodes, topological } from "../../expression/walk.ts";
import { type Subject, rolesOf } from "./subject.ts";

export interface Counted {
  readonly subject: Subject;
  /** Any other expression of the same arrays with that many classes. */
  readonly sized: (e: Expr) => Expr;
  /** What the nodes of the loss have become; empty where nothing was to be counted. */
  readonly nodes: ReadonlyMap<Expr, Expr>;
}

/**
 * The subject with the number of its classes where the code names it: by encoding labels, by taking
 * classes one by one, or by a list of their weights.
 */
export function withClassesCounted(subject: Subject): Counted {
  const { loss, prediction, target, mask } = subject;
  const at = rolesOf(subject).indexOf("class");
  const axis = prediction.shape[at];
  const count = axis?.size !== null ? null : classesNamed(loss, axis.name);
  if (axis === undefined || count === null) {
    return { subject, sized: (e) => e, nodes: new Map() };
  }
  const sizes = new Map([[axis.name, count]]);
  const sized = (e: Expr): Expr => resize(e, sizes);
  const nodes = resizeNodes(loss, sizes);
  const arrays = {
    prediction: sized(prediction) as Input,
    target: sized(target) as Input,
    ...(mask === undefined ? {} : { mask: sized(mask) as Input }),
  };
  return { subject: { ...subject, ...arrays, loss: nodes.get(loss)! }, sized, nodes };
}

/** How many classes the code takes an axis to have; null where it takes any number. */
function classesNamed(loss: Expr, name: string): number | null {
  let last = -1;
  for (const e of topological(loss)) {
    if (e.kind === "oneHot") {
      const { size } = e.shape[e.dim]!;
      if (size !== null) return size;
    }
    if (e.kind === "stack" && e.args.every((a) => a.kind === "const")) return e.args.length;
    if (e.kind === "index" && e.args[0]!.shape[e.dim]!.name === name) last = Math.max(last, e.at);
  }
  return last < 0 ? null : last + 1;
}
