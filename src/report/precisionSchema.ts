/** The part of a report that `precision` adds: one loss in several number types. */

export interface Precision {
  /** Whose arithmetic it is, e.g. "PyTorch on the CPU, one thread". */
  readonly as: string;
  readonly rungs: readonly PrecisionRung[];
  /** What goes wrong, the worst first. */
  readonly findings: readonly PrecisionFinding[];
  /** What is not computed as the library does. */
  readonly notes: readonly string[];
}

/** One loss and its gradient in one number type, operation by operation as the library rounds. */
export interface PrecisionRung {
  /** "float16", or "autocast float16". */
  readonly name: string;
  /** Null where it is no number; `lossWords` says which. */
  readonly loss: number | null;
  readonly lossWords: string;
  /** Largest error of the gradient, as a share of its largest entry; null where it is no number. */
  readonly gradientError: number | null;
  /** Correct significant digits of the gradient's largest entries. */
  readonly digits: number | null;
  /** Entries of the gradient that are NaN or infinite, and those that are 0 and should not be. */
  readonly notFinite: number;
  readonly lost: number;
  readonly verdict:
    | "reference"
    /** As exact as the type is. */
    | "fine"
    /** Less exact than the type is. */
    | "coarse"
    /** Off by more than 5 % of the largest entry. */
    | "wrong"
    | "not-a-number"
    | "refused";
  readonly sentence: string;
}

export interface PrecisionFinding {
  /** Stable: "overflow", "epsilon-zero", "absorbed", "guard-gone", "accumulation", "underflow", … */
  readonly id: string;
  /** Names of the rungs that it is true of. */
  readonly rungs: readonly string[];
  readonly severity: "error" | "warning" | "information";
  readonly sentence: string;
  readonly lines: readonly number[];
  /** What to write instead, in code words; null where there is nothing to do. */
  readonly fix: string | null;
}
