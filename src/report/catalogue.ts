/**
 * The catalogue of published and library losses as plain data: what lists, menus and the catalogue's
 * own page know of it.
 */
import type { Formula, SymbolEntry, TrapNote } from "./schema.ts";

export interface CatalogueItem {
  readonly id: string;
  /** The call with every default written out. */
  readonly call: string;
  readonly title: string;
  readonly library: string;
  readonly about: string;
  readonly source: string;
  readonly url: string;
  readonly parameters: readonly CatalogueParameter[];
  readonly traps: readonly TrapNote[];
}

export interface CatalogueParameter {
  readonly name: string;
  /** As Python writes it; null where the caller must give one. */
  readonly default: string | null;
  readonly about: string;
}

/** The mathematics of a loss of the catalogue, with its defaults. */
export interface CatalogueFormula {
  /** The settings that the formula is for, those with defaults left out. */
  readonly call: string;
  /** The arrays of its library; the formula and the code have channels first unless it is flat. */
  readonly layout: "channels-first" | "channels-last" | "flat";
  readonly loss: Formula;
  readonly gradient: Formula;
  readonly symbols: readonly SymbolEntry[];
  readonly inputs: readonly CatalogueArray[];
  /** A PyTorch function of that name which computes it; null where it cannot be written for certain. */
  readonly code: { readonly name: string; readonly text: string } | null;
}

/** The arrays that a loss is to be called with. */
export interface CatalogueArrays {
  readonly prediction: readonly number[];
  readonly target: { readonly shape: readonly number[]; readonly type: CatalogueArray["type"] };
}

export interface CatalogueArray {
  readonly name: string;
  readonly role: "prediction" | "target" | "other";
  /** A letter stands for any size. */
  readonly shape: readonly (number | string)[];
  readonly type: "float" | "int" | "bool";
}

/** From the catalogue's page to its editor. */
export type CatalogueRequest =
  | { readonly kind: "search"; readonly text: string }
  | { readonly kind: "formula" | "use" | "compare" | "copy"; readonly id: string };

/** From the editor to the catalogue's page. */
export type CatalogueMessage =
  | { readonly kind: "found"; readonly text: string; readonly items: readonly CatalogueItem[] }
  | { readonly kind: "formula"; readonly id: string; readonly formula: CatalogueFormula }
  | { readonly kind: "noFormula"; readonly id: string; readonly reason: string };

/** What the page keeps while it is hidden, and across windows. */
export interface CatalogueState {
  readonly text: string;
  readonly id: string | null;
}
