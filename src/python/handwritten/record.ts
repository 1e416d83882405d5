/** A gradient that was written by hand, as the tracer found it where the function was used. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import type { PythonError } from "../errors.ts";
import type { Library } from "../dtypes.ts";

export type HandwrittenKind =
  | "autograd.Function"
  | "custom_vjp"
  | "custom_jvp"
  | "custom_gradient"
  | "defvjp"
  /** Two plain functions (or methods), one of which returns the gradient of the other. */
  | "pair";

export type HowUsed =
  /** Function.apply, or a call of the decorated function: the library runs the gradient. */
  | "called"
  /** `.forward()` itself: the library never hears of the backward. */
  | "forward called directly"
  /** An instance was called: PyTorch up to 1.2 ran the backward, later versions refuse. */
  | "instance called"
  /** The user's own code calls the gradient function. */
  | "by hand"
  /** A backward() of an nn.Module, which nothing in PyTorch ever calls. */
  | "never called";

/** An array argument. Forward and gradient are expressions in `node`. */
export interface HandwrittenInput {
  readonly name: string;
  readonly node: Expr;
  /** Its place among the function's arguments. */
  readonly position: number;
}

/** A quantity that code in the body of the gradient can get at, and how it is written there. */
export interface Available {
  readonly node: Expr;
  readonly code: string;
}

/** What it takes to write the body of the gradient anew. */
export interface BodyToFix {
  readonly library: Library;
  /** The statements of the body (of a lambda: its expression), without a docstring. */
  readonly body: SourceSpan;
  readonly isLambda: boolean;
  /** In front of each line. */
  readonly indent: string;
  readonly available: readonly Available[];
  /** Expression for the upstream gradient of each output; null where the function is given none. */
  readonly upstream: readonly (string | null)[];
  /** How many gradients it returns, one for each argument, by position. */
  readonly count: number;
  /** The only argument whose gradient it returns, bare; null where it returns one for each. */
  readonly position: number | null;
  /** Where code can be put at the start of the forward pass to keep an input that is not kept. */
  readonly keep: {
    readonly at: SourceSpan;
    readonly indent: string;
    readonly write: (input: string) => { readonly kept: string; readonly read: string };
  } | null;
  /** What the function's module calls the library, e.g. "np". */
  readonly modules: ReadonlyMap<string, string>;
}

/** Why the library would not accept what the gradient returns. */
export interface Refusal {
  readonly what: "count" | "shape" | "type";
  readonly message: string;
}

export interface HandwrittenUse {
  readonly kind: HandwrittenKind;
  readonly library: Library;
  /** Name of the function or class whose gradient it is. */
  readonly name: string;
  /** The definition of the gradient, and its name in a sentence. */
  readonly definition: SourceSpan;
  readonly gradientName: string;
  readonly how: HowUsed;
  readonly place: SourceSpan;
  readonly inputs: readonly HandwrittenInput[];
  /** What was passed for each input, in terms of the trace. */
  readonly passed: readonly Expr[];
  /** The forward values, in terms of the inputs. */
  readonly outputs: readonly Expr[];
  /** What stands for each output in what was computed from it; empty where autograd differentiates. */
  readonly stands: readonly Expr[];
  /** The gradient that arrives at each output. */
  readonly upstream: readonly Expr[];
  /** What the gradient returns for each input: null for None. */
  readonly gradients: readonly (Expr | null)[];
  /**
   * A rule that gives the change of the outputs for changes (tangents) of the inputs, in the place
   * of gradients, which are its transpose.
   */
  readonly tangents: {
    /** For each input; null for one that is not differentiated. */
    readonly inputs: readonly (Expr | null)[];
    readonly outputs: readonly Expr[];
  } | null;
  readonly refusal: Refusal | null;
  /** The gradient could not be traced. */
  readonly failure: PythonError | null;
  /** Source lines of the nodes in `gradients`. */
  readonly lines: ReadonlyMap<Expr, number>;
  readonly fix: BodyToFix | null;
}

/** A call of the forward pass elsewhere in the file. */
export interface CallSite {
  readonly how: HowUsed;
  readonly line: number;
}
