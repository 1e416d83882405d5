/** Cross-entropies that several libraries have, as expressions; reductions are the callers'. */
import { ONE, add, mul, neg, sub, unary } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { align } from "../tensors/elementwise.ts";

/**
 * -(w t log σ(x) + (1 - t) log σ(-x)) entry by entry, with w the weight of the positive class:
 * what the libraries compute in a form that does not overflow.
 */
export function logisticLoss(t: Expr, x: Expr, positive: Expr | null = null): Expr {
  const hit = mul(t, unary("logsigmoid", x));
  const miss = mul(sub(ONE, t), unary("logsigmoid", neg(x)));
  if (positive === null) return neg(add(hit, miss));
  const [w, h] = align([positive, hit]);
  return neg(add(mul(w!, h!), miss));
}
