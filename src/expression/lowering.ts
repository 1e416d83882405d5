/** What the writers of single forms need from the whole of `notation.ts`. */
import type { Axis } from "./axis.ts";
import type { Index } from "./indices.ts";
import type { Allocation, Scope } from "./letters.ts";
import type { Names } from "./names.ts";
import type { Expr, Reduce } from "./node.ts";
import type { BigOp, Term } from "./term.ts";

export interface Lowering {
  readonly names: Names;
  /** Leave numbers as the author wrote them. */
  readonly asWritten: boolean;
  /** The element of an expression at these indices. */
  value(e: Expr, indices: readonly Index[], scope: Scope): Term;
  /** The same for an argument of which a function reads more than this element. */
  coupledValue(e: Expr, indices: readonly Index[], scope: Scope): Term;
  /** The element as a statement that holds or not. */
  truth(e: Expr, indices: readonly Index[], scope: Scope): Term;
  /** Past everything that only moves entries about, with the indices in what is underneath. */
  peel(e: Expr, indices: readonly Index[]): [Expr, readonly Index[]];
  reduction(e: Reduce, op: BigOp, indices: readonly Index[], scope: Scope): Term;
  allocate(shape: readonly (Axis | null)[], scope: Scope): Allocation;
  withLetters(scope: Scope, indices: readonly Index[]): Scope;
}
