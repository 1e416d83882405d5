/** Who is the first to use the entries of an array, whatever shape they have been given by then. */
import type { Expr } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";

/** What passes entries on, one by one, under another shape or type. */
export const PASSING: ReadonlySet<string> = new Set([
  "reshape",
  "transpose",
  "expand",
  "slice",
  "index",
  "cast",
]);

/** Nodes that are the first to do something to the entries of `leaf`, each with its argument. */
export function frontier(
  loss: Expr,
  leaf: Expr,
): { readonly users: Expr[]; readonly passed: Set<Expr> } {
  const passed = new Set<Expr>([leaf]);
  const users: Expr[] = [];
  for (const e of topological(loss)) {
    if (!e.args.some((a) => passed.has(a))) continue;
    // An integer cast is no passage: it truncates.
    if (PASSING.has(e.kind) && e.type === "float") passed.add(e);
    else users.push(e);
  }
  return { users, passed };
}
