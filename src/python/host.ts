/** What the tracer asks of its surroundings: arrays, files, numbers, output, and leave to go on. */
import type { Expr, ScalarType, SourceSpan } from "../expression/node.ts";

/** An array that the host holds; `token` is the host's own. */
export interface ArrayHandle {
  readonly shape: readonly number[];
  readonly type: ScalarType;
  readonly dtype: string;
  readonly token: unknown;
}

/** The members of an .npz archive. */
export interface ArrayArchive {
  readonly members: ReadonlyMap<string, ArrayHandle>;
}

export interface NumericArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface TraceHost {
  /** `np.load`. May throw an Error, whose message is shown at the call. */
  loadArray(path: string, span: SourceSpan): ArrayHandle | ArrayArchive;
  /** An array written out in the source, row-major. */
  literalArray(
    values: readonly number[],
    shape: readonly number[],
    dtype: string,
    span: SourceSpan,
  ): ArrayHandle;
  /** Values of an expression if all its inputs are bound to arrays, else `null`. */
  evaluate(e: Expr): NumericArray | null;
  /** From now on `node`, an input, stands for that array. */
  bindInput(node: Expr, handle: ArrayHandle): void;
  /** Source of a module of the user's, or `null` if there is none of that name. */
  readModule(
    dottedName: string,
    fromFile: string,
  ): { readonly file: string; readonly text: string } | null;
  print(text: string): void;
  /** Called at every statement and loop iteration; throws to interrupt. */
  checkpoint(): void;
}
