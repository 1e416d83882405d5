/** What can be wrong with a gradient that was written by hand, and how it is said. */
import type { Expr } from "../../expression/node.ts";

export type FaultId =
  | "sign"
  | "term-sign"
  | "factor"
  | "term-factor"
  | "count"
  | "quotient-term-missing"
  | "numerator-term-missing"
  | "term-missing"
  | "denominator-power"
  | "numerator-replaced"
  | "factor-replaced"
  | "activation-missing"
  | "activation-incomplete"
  | "softmax-coupling"
  | "power"
  | "outer-derivative"
  | "clamp-ignored"
  | "epsilon"
  | "region"
  | "swapped"
  | "hard"
  | "upstream-ignored"
  | "upstream-misused"
  | "gradient-order"
  | "gradient-missing"
  | "gradient-of-constant"
  | "refused"
  | "unknown";

/** A fault as found: which, in a sentence, with the term of the gradient that it is about. */
export interface Finding {
  readonly id: FaultId;
  /** A full sentence without its full stop. */
  readonly sentence: string;
  /** The part of the right gradient that the sentence is about; null where it is about all of it. */
  readonly term: Expr | null;
  /** The node of the forward pass whose derivative it is. */
  readonly at: Expr | null;
}

/** Text for nodes of the forward pass and of the gradient, in the symbols of the report. */
export interface Words {
  /** The user's own name where a variable holds it, else its formula. */
  name(e: Expr): string;
  formula(e: Expr): string;
}
