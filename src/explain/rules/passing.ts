/** Nodes that hand on the entries of another. */
import type { Expr } from "../../expression/node.ts";

/** Kinds of node that move entries, or change how they are stored, and nothing else. */
export const MOVING: ReadonlySet<Expr["kind"]> = new Set([
  "reshape",
  "transpose",
  "cast",
  "index",
  "slice",
]);
const PASSING: ReadonlySet<Expr["kind"]> = new Set([...MOVING, "expand", "clamp", "stopGradient"]);

/** The node whose entries these are, moved but not changed. */
export function moved(e: Expr): Expr {
  return below(e, MOVING);
}

/** The node whose entries these are, moved, stretched or cut to bounds. */
export function passedOn(e: Expr): Expr {
  return below(e, PASSING);
}

function below(e: Expr, kinds: ReadonlySet<Expr["kind"]>): Expr {
  let at = e;
  while (kinds.has(at.kind)) at = at.args[0]!;
  return at;
}
