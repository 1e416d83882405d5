/** *Check Dice Gradient…* in each place where arrays live. */
import type * as vscode from "vscode";
import type { NotebookController } from "../controller.ts";
import type { InlineDocuments } from "../inline/documents.ts";
import { ArrayChecks } from "./flow.ts";

export interface Arrays {
  /** What a place hands its picked arrays to. */
  readonly checks: ArrayChecks;
  readonly disposables: readonly { dispose(): unknown }[];
}

export function registerArrays(
  context: vscode.ExtensionContext,
  controller: NotebookController,
  documents: InlineDocuments,
): Arrays {
  const checks = new ArrayChecks(documents, controller, context);
  return { checks, disposables: [] };
}
