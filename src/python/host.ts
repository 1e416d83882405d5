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

/** What is wrong with a file that cannot be read, named in a clause, and what to do. */
export interface Unreadable {
  readonly problem: string;
  readonly remedy: string;
}

/** A module as it lies in a file. */
export interface ModuleSource {
  /** Its name in messages; imports written in it start there. */
  readonly file: string;
  /** Read when it is asked for; `null` for a compiled module, or where it cannot be read. */
  readonly text: string | null;
  /** Why there is no text, if not for being compiled. */
  readonly unreadable?: Unreadable | undefined;
  /** Dotted name, where it is known better than from the import. */
  readonly name?: string;
  /** Part of an installed package, not of the user's own code. */
  readonly installed?: boolean;
}

export interface TraceHost {
  /** `np.load`. May throw an Error, whose message is shown at the call. */
  loadArray(path: string, span: SourceSpan): ArrayHandle | ArrayArchive;
  /** An array written out in the source, row-major. May throw an Error, as `loadArray` does. */
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
  /**
   * A module of the user's or of an installed package, or `null` if there is none of that name.
   * @param dottedName with leading dots it is relative to `fromFile`
   */
  readModule(dottedName: string, fromFile: string): ModuleSource | null;
  print(text: string): void;
  /** Called at every statement and loop iteration; throws to interrupt. */
  checkpoint(): void;
  /** A safety net below the budget of steps: true stops the run with an error at its place. */
  timeIsUp?(): boolean;
}
