/** *Check Dice Gradient…* in each place where arrays live. */
import type * as vscode from "vscode";
import type { NotebookController } from "../controller.ts";
import type { InlineDocuments } from "../inline/documents.ts";
import { ArrayChecks } from "./flow.ts";

export function registerArrays(
  context: vscode.ExtensionContext,
  controller: NotebookController,
  documents: InlineDocuments,
): { dispose(): unknown }[] {
  // Each place hands what is picked to these.
  const _checks = new ArrayChecks(documents, controller, context);
  return [];
}
