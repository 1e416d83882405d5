/**
 * Messages between an editor and the worker that derives losses while their code is being read and
 * written. Plain data only. It is another worker than the notebooks': a long check delays no hover.
 */
import type { Diagnostic, Report } from "../../report/schema.ts";
import type { CallReading } from "../callReading.ts";
import type { CatalogueItem } from "../../report/catalogue.ts";
import type { ArrayAnswer, ArrayAsk } from "../arrays/protocol.ts";
import type { Failure } from "../protocol.ts";

/** A Python file, or one cell of a notebook. */
export interface Part {
  /** Its name in messages and reports: a path from the document's directory, or "Cell 3". */
  readonly file: string;
  readonly text: string;
}

/** Shapes such as `2,1,64,64` or `b,h,w:int64` by parameter, by loss. */
export type Shapes = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type InlineRequest =
  | {
      /** The document as it is now; derivations of an older state are given up. */
      readonly kind: "update";
      readonly document: string;
      readonly version: number;
      /** Imports and array files are looked for from here. */
      readonly directory: string;
      /** A file is one part; a notebook's Python cells are parts in their order. */
      readonly parts: readonly Part[];
      readonly shapes: Shapes;
      /** Interpreter whose packages imports may come from; null for the active one. */
      readonly python: string | null;
    }
  | {
      /** Someone waits for this loss: it comes before the others. */
      readonly kind: "prefer";
      readonly document: string;
      readonly name: string;
    }
  | {
      /** The catalogue losses that a loss comes nearest to; a newer request of this kind ends it. */
      readonly kind: "nearest";
      readonly document: string;
      readonly name: string;
    }
  /** Nobody waits for the nearest losses any more. */
  | { readonly kind: "no-nearest" }
  | { readonly kind: "catalogue" }
  | {
      /** A call of a catalogue loss as it is being typed. */
      readonly kind: "read-call";
      readonly text: string;
    }
  | {
      /** About arrays that someone points at; the number comes back with the answer. */
      readonly kind: "arrays";
      readonly id: number;
      readonly ask: ArrayAsk;
      /** One Int32; anything but 0 in it ends the reading of elements. */
      readonly interrupt: SharedArrayBuffer;
    }
  | { readonly kind: "close"; readonly document: string };

/** A catalogue loss beside a loss of the user's. */
export interface NearLoss {
  /** With the settings that bring it as near as they can. */
  readonly call: string;
  readonly title: string;
  readonly library: string;
  /** In how many properties the two still differ; 0 when they are the same function. */
  readonly differences: number;
}

/** Where a name stands: part, line from 1, columns from 1 in UTF-16 units. */
export interface Place {
  readonly part: number;
  readonly line: number;
  readonly column: number;
}

/** A function or class that may be a loss, as found by reading the code. */
export interface Candidate {
  readonly name: string;
  /** What is imported is defined elsewhere, and derived when someone asks for it. */
  readonly kind: "function" | "class" | "imported";
  /** Of the name in its definition. */
  readonly place: Place;
  /** Of the first line, with decorators: where a lens stands. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** Names of the parameters that must be given. */
  readonly parameters: readonly string[];
  /** The same for a class's constructor. */
  readonly settings: readonly string[];
  /** Its name says that it is a loss or an overlap measure. */
  readonly named: boolean;
  /** Other places that mean this definition. */
  readonly uses: readonly Place[];
}

/** An array that a loss takes. */
export interface DerivedInput {
  readonly name: string;
  readonly role: "prediction" | "target" | "other";
  /** A letter stands for a size that is not known. */
  readonly shape: readonly (number | string)[];
  readonly type: "float" | "int" | "bool";
  /** Whose arrays it takes. */
  readonly library: "numpy" | "torch" | "tensorflow" | "jax" | "autograd";
}

/** What became of a candidate. */
export type Derived =
  | {
      readonly kind: "derived";
      readonly report: Report;
      /** One value, computed from at least two arrays. */
      readonly isLoss: boolean;
      readonly inputs: readonly DerivedInput[];
      /** The statements that define it, as they are written: it can be run from these alone. */
      readonly code: string;
      /** The parts that these statements stand in. */
      readonly files: readonly string[];
    }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      /** What the rules find, in its own file, on a way that it can take. */
      readonly findings: readonly Diagnostic[];
    };

/** What is said of a document. */
export type DocumentResponse =
  | {
      readonly kind: "outline";
      readonly document: string;
      readonly version: number;
      readonly candidates: readonly Candidate[];
    }
  | {
      readonly kind: "derived";
      readonly document: string;
      readonly version: number;
      readonly name: string;
      readonly result: Derived;
    }
  /** Every candidate of this version is done. */
  | { readonly kind: "idle"; readonly document: string; readonly version: number };

/** What is said of the catalogue. */
export type CatalogueResponse =
  | {
      readonly kind: "nearest";
      readonly document: string;
      readonly name: string;
      readonly losses: readonly NearLoss[];
      /** Whether all of the catalogue has been looked at. */
      readonly complete: boolean;
    }
  | { readonly kind: "catalogue"; readonly items: readonly CatalogueItem[] }
  | { readonly kind: "read-call"; readonly text: string; readonly reading: CallReading };

export type ArraysResponse =
  | { readonly kind: "arrays"; readonly id: number; readonly answer: ArrayAnswer }
  /** How much of an array has been read, from 0 to 1. */
  | { readonly kind: "arrays-progress"; readonly id: number; readonly share: number };

export type InlineResponse = DocumentResponse | CatalogueResponse | ArraysResponse;
