import type { Expr } from "./node.ts";
import type { Skeletons } from "./simplifyLoops.ts";
import type { Monomial } from "./simplifyProduct.ts";

/** What the rules of simplification share during one call. */
export interface Context {
  /** The normal form of an expression, made once. */
  readonly norm: (e: Expr) => Expr;
  /** Whether `e` is known not to be zero anywhere the expression is looked at. */
  readonly nonzero: (e: Expr) => boolean;
  readonly isPositive: (e: Expr) => boolean;
  readonly isNonNegative: (e: Expr) => boolean;
  /** Products and sums built so far by their factors and terms: order makes no other expression. */
  readonly products: Map<string, Expr>;
  readonly sums: Map<string, Expr>;
  /** A product with a sum multiplied out where that makes it shorter; `null` elsewhere. */
  readonly distributed: (m: Monomial) => Expr | null;
  /** What terms that a loop left have in common. */
  readonly skeletons: Skeletons;
  /** Stop-gradients are dropped (their value is their argument's). */
  readonly dropStops: boolean;
}
