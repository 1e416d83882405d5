/**
 * The report: the one thing that every face of the product (notebook renderer, command line,
 * hovers) knows. Plain JSON; no engine types in it. `dice-gradient --json` prints it, and it is the
 * content of notebook outputs of type `application/vnd.dice-gradient.report.v1+json`.
 *
 * A reader must refuse a `schema` it does not know with a message that names both versions. Fields
 * may be added within a version; none changes its meaning.
 */

import type { AutogradAgreement, Behaviour, ClaimEntry } from "./behaviourSchema.ts";
import type { Precision } from "./precisionSchema.ts";

export type * from "./behaviourSchema.ts";
export type * from "./precisionSchema.ts";

export const REPORT_MIME = "application/vnd.dice-gradient.report.v1+json";
export const REPORT_SCHEMA = "dice-gradient/report/v1";

export type Verdict =
  | "agrees"
  | "differs"
  | "cannot-be-decided"
  | "undefined"
  | "not-differentiable"
  /** Derived only: there were no arrays to check it on. */
  | "not-checked";

/** A piece of mathematics in the forms a reader may want to copy: a whole equation where it has one. */
export interface Formula {
  readonly latex: string;
  readonly text: string;
}

export interface SourceLocation {
  readonly file: string;
  /** From 1. Absent when only the file is known. */
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  readonly function: { readonly name: string; readonly file: string; readonly line: number };
  readonly loss: Formula & {
    readonly value: number | null;
    /** The value is at most this far from the exact one of the formula on these arrays. */
    readonly error?: number | null;
  };
  readonly gradient: Gradient;
  readonly check: Check;
  /** What real automatic differentiation said; null until it was asked. */
  readonly autograd: Autograd | null;
  /** Each library that was asked, those included that failed. Absent until one was. */
  readonly autogradRuns?: readonly Autograd[];
  readonly matches: readonly Match[];
  readonly differences: readonly Difference[];
  readonly diagnostics: readonly Diagnostic[];
  /** What each symbol in the formulas stands for. */
  readonly symbols: readonly SymbolEntry[];
  /** The arrays it was evaluated on, in the order of the function's parameters. */
  readonly arrays: readonly ArraySummary[];
  /** Things taken for granted on the way (sizes guessed, branch chosen), in plain words. */
  readonly assumptions: readonly string[];
  /** Element table (small arrays) or sample and histogram (large ones). Absent without arrays. */
  readonly numbers?: Numbers;
  /** Pictures of 2-D and 3-D arrays. */
  readonly images?: readonly ImageSet[];
  /** Gradients written by hand that the loss has, each compared with the derived one. */
  readonly handwritten?: readonly HandWritten[];
  /** Each pair of the libraries that were asked and answered. */
  readonly autogradAgreements?: readonly AutogradAgreement[];
  /** Names of the libraries that can differentiate the function. Absent until one was asked. */
  readonly autogradLibraries?: readonly string[];
  /** How the gradient behaves; of a report that `explain` was asked for. */
  readonly behaviour?: Behaviour;
  /** Three things that people say of such losses, settled; of a report that `explain` made. */
  readonly claims?: readonly ClaimEntry[];
  /** The loss in several number types; of a report that `precision` was asked for. */
  readonly precision?: Precision;
}

/** What a gradient that was written by hand is, beside the one that its forward pass has. */
export interface HandWritten {
  /** How it is tied to its function: "autograd.Function", "custom_vjp", …, "pair". */
  readonly kind: string;
  /** The function or class, and the gradient's own name. */
  readonly name: string;
  readonly gradientName: string;
  /** Of the gradient's definition. */
  readonly location: SourceLocation;
  /** The input whose gradient this entry is about. */
  readonly input: string;
  /** Whether the program's gradient comes from it. */
  readonly inForce: boolean;
  /** Whether it runs, and why: to be read first. */
  readonly use: string;
  readonly verdict:
    | "right"
    | "wrong"
    /** The forward pass has no gradient, and this one stands in for it. */
    | "surrogate"
    | "undecided"
    /** The library refuses what it returns. */
    | "refused"
    | "not-traced";
  /** One sentence for the verdict. */
  readonly sentence: string;
  readonly written: Formula | null;
  readonly right: Formula | null;
  readonly faults: readonly HandWrittenFault[];
  /** written − right, where no known mistake explains it. */
  readonly residual: Formula | null;
  /** Arrays on which the two differ. */
  readonly counterexample: CounterExample | null;
  /** Largest difference of the two on the arrays inspected; null without arrays. */
  readonly maxAbsDifference: number | null;
  readonly fix: HandWrittenFix | null;
}

export interface HandWrittenFault {
  /** Stable: "quotient-term-missing", "sign", "epsilon", … */
  readonly id: string;
  readonly sentence: string;
  /** The term of the right gradient that it is about. */
  readonly term: Formula | null;
  /** Lines of the hand-written gradient that it is in. */
  readonly lines: readonly number[];
}

export interface CounterExample {
  readonly arrays: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly values: readonly number[];
  }[];
  readonly index: readonly number[];
  readonly written: string;
  readonly right: string;
}

export interface HandWrittenFix {
  readonly title: string;
  /** To be applied together. */
  readonly edits: readonly SourceEdit[];
}

/** Text in the place of other text. Lines and columns from 1, columns count UTF-16 units. */
export interface SourceEdit {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly newText: string;
}

export interface SymbolEntry {
  readonly symbol: Formula;
  /** The name in the user's code. */
  readonly name: string;
  /** e.g. "prediction, probabilities, shape (72, 72, 72), float32" or "1e-07". */
  readonly meaning: string;
}

export interface DerivationStep {
  /** Stable: "loss", "sums", "outer", "elementwise", "activation", "final", … */
  readonly id: string;
  readonly title: string;
  readonly latex: string;
  readonly text: string;
  /** One or two plain sentences: which rule was used, and why. */
  readonly note?: string;
  /** Lines of the user's source this step comes from. */
  readonly lines?: readonly number[];
}

export interface Gradient extends Formula {
  /** Name of the input differentiated by. */
  readonly wrt: string;
  readonly steps: readonly DerivationStep[];
  readonly shape: readonly number[] | null;
  /** Row-major values for small arrays (at most 1,000 entries); else absent. */
  readonly values?: readonly (number | null)[];
  readonly markdown: string;
  readonly python: { readonly numpy: string; readonly torch: string } | null;
}

export interface ElementComparison {
  readonly index: readonly number[];
  readonly analytic: number | null;
  /** What right code may be off by there. */
  readonly analyticError?: number | null;
  readonly numeric: number | null;
  /** The derivative lies within ± this much of `numeric`. */
  readonly numericError?: number | null;
}

export interface Check {
  readonly verdict: Verdict;
  /** e.g. "Möbius probe along the gradient's sign, 5 evaluations" in plain words. */
  readonly method: string;
  readonly maxAbsError: number | null;
  readonly maxRelError: number | null;
  /** Largest error allowed, in the same unit as `maxScaledError`. */
  readonly bound: number | null;
  /** Largest error in units of the rounding that right code makes there; compare with `bound`. */
  readonly maxScaledError: number | null;
  readonly worst: ElementComparison | null;
  /** One sentence for the verdict line, to stand behind the verdict itself. */
  readonly sentence: string;
  /** Further findings in plain words: probe residual, what gradcheck could see at this size, … */
  readonly notes: readonly string[];
}

export interface Autograd {
  readonly library: string;
  readonly version: string;
  readonly device: string;
  readonly dtype: string;
  readonly loss: number | null;
  readonly verdict: Verdict;
  readonly maxAbsError: number | null;
  /** As in {@link Check}. */
  readonly maxScaledError?: number | null;
  readonly bound?: number | null;
  /** Largest difference from the derived gradient, in units in the last place of its own type. */
  readonly maxUlps?: number | null;
  readonly sentence?: string;
  /** What the library itself said of the gradient, e.g. that none reaches the input. */
  readonly note?: string | null;
  /** Version of the interpreter. */
  readonly python?: string;
  /** Of the loss and its gradient, without the start of the process. */
  readonly seconds?: number;
  /** Why there is no gradient: Python's own error, with its traceback. */
  readonly failure?: string | null;
}

export interface Match {
  readonly name: string;
  readonly call: string;
  readonly exact: boolean;
  readonly source: string;
  /** What people do not expect of it, where the loss is this one. */
  readonly traps?: readonly TrapNote[];
}

/** Something about a standard loss that people do not expect. */
export interface TrapNote {
  readonly id: string;
  /** One sentence that says what happens. */
  readonly sentence: string;
  /** The library, or the authors of the paper. */
  readonly library: string;
  /** Where it holds, as "≤ 1.5.2" or "all up to 1.6.1". */
  readonly versions: string;
}

/** One way in which two gradients differ. */
export interface Difference {
  readonly other: string;
  /** Stable name of the reason: "smoothing", "powers", "region", … */
  readonly id?: string;
  readonly title?: string;
  /** What stands here and there, in a sentence. */
  readonly reason: string;
  /** The loss with this one thing changed, what changes in a box; `before` is the loss as it is. */
  readonly formula: Formula | null;
  readonly before?: Formula | null;
  /** Of the difference on these arrays; the shares of all reasons add up to 1. */
  readonly share: number | null;
  /** The least and the most that it can be, by the order in which the reasons are removed. */
  readonly shareRange?: readonly [number, number] | null;
  readonly lines: readonly number[];
  readonly fix: string | null;
  readonly maxAbsDifference: number | null;
  /** Ratio of the two gradients where it is one common factor; else null. */
  readonly commonFactor: number | null;
  /** What removing this one reason does to the gradient. */
  readonly factor?: GradientFactor;
}

/** A factor on the gradient. */
export interface GradientFactor {
  /**
   * `constant`: the same everywhere and for every array; `common`: the same for all entries, but
   * another on other arrays; `varies`: from one entry to another.
   */
  readonly kind: "none" | "constant" | "common" | "varies";
  /** The one factor, or the median of those that vary. */
  readonly value: number | null;
  readonly least: number | null;
  readonly most: number | null;
  /** Entries whose sign it turns, as a share of all. */
  readonly turned: number;
  /** Of the factors of all entries, where they vary. */
  readonly histogram?: Histogram;
}

/** A finding about the loss; codes beginning with DG are the rules', see media/rules. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning" | "information";
  readonly message: string;
  readonly location: SourceLocation | null;
  readonly remedy: string | null;
  /** Other places that have to do with it. */
  readonly related?: readonly { readonly location: SourceLocation; readonly message: string }[];
  /** Edits of the source that put it right, to be applied together. */
  readonly fix?: { readonly title: string; readonly edits: readonly SourceEdit[] };
}

export interface ArraySummary {
  readonly name: string;
  readonly role: "prediction" | "target" | "other";
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly foregroundShare: number | null;
  readonly origin: string;
}

export interface Numbers {
  /** Column names of `rows` after the index, e.g. ["y_pred", "y_true", "analytic gradient", "analytic ±", "numeric gradient", "numeric ±", "error"]. */
  readonly columns: readonly string[];
  /** Every element of a small array; the worst elements of a large one. */
  readonly rows: readonly {
    readonly index: readonly number[];
    readonly values: readonly (number | null)[];
  }[];
  readonly complete: boolean;
  readonly total: number;
  /** Analytic against numeric on a sample, for the scatter plot. */
  readonly scatter?: readonly (readonly [number, number])[];
  /** Gradient values over the whole array. */
  readonly histogram?: Histogram;
  readonly statistics: readonly Statistic[];
}

/** A figure of the whole gradient. */
export interface Statistic {
  readonly label: string;
  readonly value: number | null;
  /** The value is at most this far from that of the exact gradient. */
  readonly error?: number | null;
}

export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** What the renderer asks of the editor: to open a file, or a cell called "Cell 3", at a line. */
export interface RendererMessage {
  readonly kind: "open";
  readonly file: string;
  readonly line: number;
}

/** A stack of equally sized pictures, quantised to a byte a pixel to keep a notebook small. */
export interface ImageSet {
  readonly title: string;
  readonly role: "prediction" | "target" | "gradient" | "other";
  readonly width: number;
  readonly height: number;
  /** Slices along the remaining axis; 1 for a 2-D array. */
  readonly slices: number;
  /** Position in the array of each slice, when not all are shown. */
  readonly sliceIndices: readonly number[];
  /** base64 of slices × height × width bytes, slice after slice, row by row; NaN is stored as 128. */
  readonly data: string;
  /** How the bytes are packed before base64 (RFC 1951 for "deflate-raw"). */
  readonly encoding: "raw" | "deflate-raw";
  /** Value of byte 0 and of byte 255, linear between. */
  readonly low: number;
  readonly high: number;
  /** Diverging scales are symmetric: low = -high, zero in the middle. */
  readonly scale: "sequential" | "diverging";
}

/** Comparison of several losses on the same arrays: what `compare(…)` draws. */
export interface Comparison {
  readonly schema: "dice-gradient/comparison/v1";
  readonly reports: readonly Report[];
  readonly pairs: readonly {
    readonly a: number;
    readonly b: number;
    readonly equal: "exactly" | "no" | "cannot be decided";
    readonly sentence: string;
    readonly differences: readonly Difference[];
    /** Whether removing all reasons makes the losses equal, by the exact test. */
    readonly complete?: boolean;
    /** What people do not expect of a standard loss that takes part. */
    readonly traps?: readonly TrapNote[];
  }[];
  /** Catalogue losses that the first loss is, or comes nearest to. */
  readonly matches?: readonly Match[];
}

/** What a notebook output of our mime type holds. */
export type ReportOutput = Report | Comparison;
