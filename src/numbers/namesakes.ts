/** Parameters of one name and several values, as when two losses are evaluated together. */
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { leaves, substitute } from "../expression/walk.ts";

/**
 * The expressions with numbers in the place of parameters that share their name with others: values
 * are bound by names, and these have their own.
 */
export function withoutNamesakes(exprs: readonly Expr[]): readonly Expr[] {
  const byName = new Map<string, Set<Expr>>();
  for (const e of exprs.flatMap(leaves)) {
    if (e.kind === "parameter") byName.set(e.name, (byName.get(e.name) ?? new Set()).add(e));
  }
  const numbers = new Map<Expr, Expr>();
  for (const namesakes of byName.values()) {
    if (namesakes.size === 1) continue;
    for (const e of namesakes) {
      if (e.kind === "parameter" && e.value !== null) numbers.set(e, b.constant(e.value));
    }
  }
  return numbers.size === 0 ? exprs : exprs.map((e) => substitute(e, numbers));
}
