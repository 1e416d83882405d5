/**
 * A tape: the operations of a run in the order in which the code performed them, each an expression
 * over what came before it. The expression graph shares equal parts and has no order; what rounding
 * does depends on both, so numerical behaviour is computed from the tape.
 */
import type { ElementType } from "./elementType.ts";
import type { Expr, Input, SourceSpan } from "./node.ts";
import type { PoolingWindow } from "./window.ts";

export type { ElementType };

/** One operation, or a few that one function of the library performs in one go. */
export interface TapeEntry {
  /** What later entries know the result by. */
  readonly node: Input;
  /** Over the inputs and the nodes of earlier entries. */
  readonly value: Expr;
  /** What the library holds the result in; `null` where that is not known. */
  readonly dtype: ElementType | null;
  readonly span: SourceSpan;
  /** The library's function that performed it, by its full name; `null` for an operator. */
  readonly call: TapeCall | null;
  /** What the library has a kernel of its own for: how that rounds is not how its formula would. */
  readonly kernel: TapeKernel | null;
}

export interface TapeKernel {
  readonly name:
    | "cross entropy"
    | "logistic cross entropy"
    | "logsumexp"
    | "norm"
    | "picked mean"
    | "picked sum"
    | "running sum"
    | "variance"
    | "standard deviation"
    | "window means"
    | "window maxima";
  /** Over the inputs and the nodes of earlier entries, as `value` is. */
  readonly operands: readonly Expr[];
  /** What a reduction in it is over, where its formula does not say. */
  readonly along?: { readonly dims: readonly number[]; readonly keepDims: boolean };
  /** Where the axes of the mask begin whose entries are picked. */
  readonly at?: number;
  /** What a pooling goes through. */
  readonly window?: PoolingWindow;
}

/** One call of a library's function. */
export interface TapeCall {
  readonly name: string;
}

export interface Tape {
  readonly entries: readonly TapeEntry[];
  /** The loss, over inputs and entries. */
  readonly result: Expr;
}
