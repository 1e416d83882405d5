/** What a derivation consists of. The texts are what a report shows; the expressions behind them
 * are what it evaluates and what tests compare. */
import type { Expr } from "../expression/node.ts";

export interface Written {
  readonly latex: string;
  readonly text: string;
}

export interface Step extends Written {
  /** Stable: "loss", "sums", "outer", "elementwise", "activation", "assemble", "final". */
  readonly id: string;
  readonly title: string;
  /** One or two plain sentences: which rule was used, and why. */
  readonly note?: string;
  /** Lines of the user's source this step comes from. */
  readonly lines?: readonly number[];
}

export interface LegendEntry {
  readonly symbol: Written;
  readonly name: string;
  readonly meaning: string;
}

/** Two expressions in the inputs alone that a printed equation says are the same. */
export interface Equality {
  readonly step: string;
  /** The sides as text, from left to right: two, or more where an equation is a chain. */
  readonly sides: readonly string[];
  readonly left: Expr;
  readonly right: Expr;
}

export interface Derivation {
  readonly steps: readonly Step[];
  readonly loss: Written;
  /** ∂L/∂(input) for one element. */
  readonly gradient: Written;
  /** The printed gradient, in the inputs alone and of the shape of the input. */
  readonly gradientExpr: Expr;
  readonly symbols: readonly LegendEntry[];
  readonly markdown: string;
  /** null where one of them cannot be written for certain. */
  readonly python: { readonly numpy: string; readonly torch: string } | null;
  /** The loss alone as a PyTorch function; null as above. */
  readonly lossPython: string | null;
  /** The sums that were named, with the node of the loss each stands for. */
  readonly namedSums: readonly { readonly symbol: Written; readonly expr: Expr }[];
  /** Everything that was named on the way (sums, activation, numerator, denominator). */
  readonly named: readonly { readonly symbol: Written; readonly expr: Expr }[];
  /** Every printed equation that holds between expressions. */
  readonly equalities: readonly Equality[];
}
