/** Questions about arrays that someone points at, and their answers. Plain data only. */
import type { ArraySpace, ArraySummary, NdArray } from "../../arrays/ndarray.ts";

/** Part of a text: offsets in UTF-16 units, `end` excluded; `start` is `end` for a cursor. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

export type ArrayAsk =
  | {
      /** The arrays written where the cursors are, or in the selections. */
      readonly kind: "text";
      readonly language: "python" | "json" | "table";
      readonly text: string;
      /** Name of the document in messages. */
      readonly file: string;
      readonly ranges: readonly TextRange[];
    }
  | {
      /** The arrays of a file. */
      readonly kind: "file";
      readonly path: string;
    }
  | {
      /** One of them, of which all elements are looked at for its range. */
      readonly kind: "member";
      readonly path: string;
      readonly member: string | null;
    };

/** An array written in a text. */
export interface WrittenArray {
  /** The variable, keyword, key or column that has it; null where it has no name. */
  readonly name: string | null;
  /** Where it begins, from 1. */
  readonly line: number;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly summary: ArraySummary | null;
  readonly value:
    /** Short Python that a cell can run as it stands. */
    | { readonly kind: "expression"; readonly text: string; readonly library: WrittenLibrary }
    /** A call that loads it; the path is as it is written. */
    | { readonly kind: "load"; readonly path: string; readonly member: string | null }
    | { readonly kind: "elements"; readonly array: NdArray };
}

export type WrittenLibrary = "numpy" | "torch" | "jax" | "tensorflow";

export interface FileArray {
  /** Null for the one array of a file that names none. */
  readonly member: string | null;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** Where its elements lie, if the file says so. */
  readonly space?: ArraySpace;
}

/** By what a report is known again. */
export interface ReportKey {
  readonly function: string;
  readonly wrt: string;
  /** Of the loss; null where it is no finite number. */
  readonly value: number | null;
}

/** Questions about the arrays of a notebook's kernel. */
export type KernelAsk =
  | { readonly kind: "variables" }
  | { readonly kind: "variable"; readonly name: string }
  /** An array that a report was made of, or with null its gradient. */
  | { readonly kind: "reported"; readonly report: ReportKey; readonly array: string | null };

export interface KernelVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

export type KernelAnswer =
  | { readonly kind: "variables"; readonly variables: readonly KernelVariable[] }
  | { readonly kind: "array"; readonly array: NdArray }
  | { readonly kind: "refused"; readonly message: string };

export type ArrayAnswer =
  | {
      readonly kind: "text";
      /** One for each range, in their order. */
      readonly found: readonly WrittenArray[];
      /** Further ones of the same document, which have names. */
      readonly others: readonly WrittenArray[];
    }
  | {
      readonly kind: "file";
      readonly arrays: readonly FileArray[];
      /** Members that hold no numbers, or are damaged, with the reason. */
      readonly unreadable: readonly string[];
    }
  | {
      readonly kind: "member";
      readonly array: FileArray;
      /** Null where looking at its elements costs too much, or was stopped. */
      readonly summary: ArraySummary | null;
    }
  /** One message for the user: what, where, and what to do. */
  | { readonly kind: "refused"; readonly message: string };
