/** Gradients as a reader would write them: derived, then simplified by what the loss grants. */
import type { Expr } from "../expression/node.ts";
import { simplify } from "../expression/simplify.ts";
import { derive } from "./derive.ts";

/**
 * The simplified gradient of `loss` with respect to `wrt`. The loss's own divisors may be cancelled
 * in it: a gradient exists only where the loss does.
 */
export function gradient(loss: Expr, wrt: Expr, seed?: Expr): Expr {
  return simplifyGradient(derive(loss, wrt, seed), loss);
}

/** Any derivative of `loss`, simplified as its gradient is. */
export function simplifyGradient(derivative: Expr, loss: Expr): Expr {
  return simplify(derivative, { nonzero: divisorsOf(loss), dropStops: true });
}

/**
 * What must not be zero for `loss` to be defined: divisors and arguments of logarithms. Those in a
 * branch of `where` do not count, since the other branch may be there for their zeros.
 */
export function divisorsOf(loss: Expr): Expr[] {
  const found = new Set<Expr>();
  const seen = new Set<Expr>([loss]);
  const stack = [loss];
  for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
    if (e.kind === "where") continue;
    if (e.kind === "binary" && e.op === "div") found.add(e.args[1]!);
    if (e.kind === "unary" && e.op === "log") found.add(e.args[0]!);
    for (const arg of e.args) {
      if (seen.has(arg)) continue;
      seen.add(arg);
      stack.push(arg);
    }
  }
  return [...found];
}
