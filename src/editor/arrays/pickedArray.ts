/**
 * What the places where arrays live (an editor, a file, the debugger, a notebook) hand over to
 * *Check Dice Gradient…*. A place says what it has; where the array is kept, and what it is called in
 * a notebook's cell, is decided by `flow.ts`.
 */
import type * as vscode from "vscode";
import {
  type ArraySpace,
  type ArraySummary,
  type NdArray,
  summarize,
} from "../../arrays/ndarray.ts";
import type { DerivedInput } from "../../session/inline/protocol.ts";

export type ArrayLibrary = DerivedInput["library"];

/** How a cell gets hold of an array. */
export type PickedValue =
  /** Python text that a cell can run, as `torch.tensor([0.2, 0.8])`, and whose array that makes. */
  | { readonly kind: "expression"; readonly text: string; readonly library: ArrayLibrary }
  /** A file of any format that is read; `member` where it holds several. */
  | { readonly kind: "file"; readonly uri: vscode.Uri; readonly member?: string }
  /**
   * The elements themselves, which are nowhere else. A small array is written into the cell; any
   * other is kept in a file, see `arrayStore.ts`.
   */
  | { readonly kind: "elements"; readonly array: NdArray };

export interface PickedArray {
  /** What the user calls it: a variable's name, or a file's. Any text; cells get an identifier. */
  readonly name: string;
  readonly shape: readonly number[];
  /** As its library names it, without a prefix: "float32", "bfloat16", "bool". */
  readonly dtype: string;
  /** Its range and make-up, for guessing what it is; null where reading it all costs too much. */
  readonly summary: ArraySummary | null;
  /** Where its elements lie, if its file says so. */
  readonly space?: ArraySpace;
  readonly value: PickedValue;
  /**
   * Where it comes from, in one line that goes as a comment above it in the cell: "losses.py:12", or
   * "paused debugger: y_pred, torch.float32 on cuda:0, 2026-11-26 04:10".
   */
  readonly origin: string;
}

/** An array that can be chosen as the other one; it is fetched when it is chosen. */
export interface ArrayOffer {
  readonly name: string;
  /** Shape and dtype, as far as they are known: "(2, 1, 8, 8) float32". */
  readonly description: string;
  /** Where it is, for a reader. */
  readonly detail?: string;
  /** Null after telling the user why it cannot be had, or when the user stops it. */
  pick(): Promise<PickedArray | null>;
}

/** An array that is in memory. @throws ArrayError for a complex one */
export function pickedFromMemory(name: string, array: NdArray, origin: string): PickedArray {
  const { shape, dtype } = array;
  return {
    name,
    shape,
    dtype,
    summary: summarize(array),
    value: { kind: "elements", array },
    origin,
  };
}
