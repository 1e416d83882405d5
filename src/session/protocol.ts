/**
 * Messages between a face (extension host, tests) and the worker that computes. Plain data only.
 * A run is interrupted through shared memory, since a busy worker reads no messages.
 */
import type { CatalogueArrays, CatalogueFormula, CatalogueItem } from "../report/catalogue.ts";
import type { ReportOutput } from "../report/schema.ts";
import type { KernelAnswer, KernelAsk } from "./arrays/protocol.ts";
import type { AutogradWish } from "./autograd/job.ts";

export type CellLanguage = "python" | "dice-formula";

/** Leave to run the user's code in Python, and how. */
export interface PythonLeave {
  readonly interpreter: string;
  readonly timeoutSeconds: number;
  /** What to ask of it whatever the cell says, as on a command; null leaves it to the cell. */
  readonly ask: AutogradWish | null;
}

export type Request =
  | {
      readonly kind: "open";
      readonly session: string;
      /** Relative paths in cells (np.load) start here. */
      readonly directory: string;
      /** Interpreter whose installed packages imports are read from; without it, the active one. */
      readonly python?: string | null;
      /** One Int32; anything but 0 interrupts the run in progress. */
      readonly interrupt: SharedArrayBuffer;
    }
  | {
      readonly kind: "execute";
      readonly session: string;
      readonly run: number;
      readonly language: CellLanguage;
      readonly source: string;
      /** Name of the cell in messages and reports, e.g. "Cell 3". */
      readonly file: string;
      /** Leave to run the cells in Python; null in a workspace that is not trusted. */
      readonly python?: PythonLeave | null;
    }
  | {
      /** Derive (and check, when `values` are given) a callable of a file, outside any notebook. */
      readonly kind: "inspect";
      readonly run: number;
      readonly source: string;
      readonly file: string;
      /** Function, or class with constructor arguments; null for every one in the file. */
      readonly callable: string | null;
      /** NAME=VALUE as on the command line. */
      readonly values: readonly string[];
      readonly wrt: string | null;
      /** Relative paths of values start here. */
      readonly directory: string;
      /** As for "open". */
      readonly python?: string | null;
      readonly interrupt: SharedArrayBuffer;
    }
  | {
      /** What a notebook has of a function: whether it knows it, and a call of it on its arrays. */
      readonly kind: "usage";
      readonly session: string;
      readonly run: number;
      readonly name: string;
      /** The function's array parameters. */
      readonly parameters: readonly string[];
    }
  | {
      /** About the arrays that a notebook has. */
      readonly kind: "sessionArrays";
      readonly session: string;
      readonly run: number;
      readonly ask: KernelAsk;
    }
  | { readonly kind: "close"; readonly session: string }
  | {
      /** The losses of the catalogue that fit a search, or the mathematics of one. */
      readonly kind: "catalogue";
      readonly run: number;
      readonly ask:
        | { readonly search: string }
        /** An id, or a call with settings; `arrays` where it is to be written for certain ones. */
        | { readonly formula: string; readonly arrays?: CatalogueArrays };
    }
  /** Ends the Python processes, also one that works; the next run starts new ones. */
  | { readonly kind: "restartPython" };

/** What a notebook's state has of a function. */
export interface Usage {
  readonly isDefined: boolean;
  /** A call of it on arrays that the notebook holds; null where it holds none for it. */
  readonly call: string | null;
}

/** A drawn result in every form that a notebook output carries. */
export interface Drawn {
  readonly report: ReportOutput;
  readonly html: string;
  readonly latex: string;
  readonly markdown: string;
  readonly plain: string;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** The source line with a caret under the place. */
  readonly caretText: string | null;
  readonly remedy: string | null;
}

/** Of a failure that is at no place in particular. */
export const NOWHERE = {
  file: null,
  line: null,
  column: null,
  caretText: null,
  remedy: null,
} as const satisfies Omit<Failure, "name" | "message">;

export type CellOutput =
  | { readonly kind: "report"; readonly drawn: Drawn }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "failure"; readonly failure: Failure };

export type CatalogueAnswer =
  { readonly items: readonly CatalogueItem[] } | { readonly formula: CatalogueFormula };

export type Response =
  | { readonly kind: "ready" }
  | {
      readonly kind: "progress";
      readonly run: number;
      /** 0…1, or null while it cannot be known. */
      readonly fraction: number | null;
      readonly what: string;
    }
  | { readonly kind: "output"; readonly run: number; readonly output: CellOutput }
  | { readonly kind: "catalogue"; readonly run: number; readonly answer: CatalogueAnswer }
  /** What Python wrote to its standard error, and when it started and ended. */
  | { readonly kind: "pythonLog"; readonly text: string }
  | { readonly kind: "usage"; readonly run: number; readonly usage: Usage }
  | { readonly kind: "sessionArrays"; readonly run: number; readonly answer: KernelAnswer }
  | { readonly kind: "done"; readonly run: number; readonly ok: boolean };
