/** *Browse Dice Losses*: the catalogue in the product. */
import { join } from "node:path";
import * as vscode from "vscode";
import type { NotebookController } from "../controller.ts";
import type { Inline } from "../inline/register.ts";
import { CatalogueActions } from "./actions.ts";
import { CATALOGUE_VIEW, CataloguePanel } from "./panel.ts";

export function registerCatalogue(
  context: vscode.ExtensionContext,
  controller: NotebookController,
  inline: Inline,
): { dispose(): unknown }[] {
  const panel = new CataloguePanel(
    context.extensionUri,
    join(context.extensionPath, "dist", "worker.js"),
    new CatalogueActions(controller, inline, context),
  );
  return [
    panel,
    vscode.window.registerWebviewPanelSerializer(CATALOGUE_VIEW, panel),
    vscode.commands.registerCommand("dice-gradient.browseLosses", () => {
      panel.open();
    }),
  ];
}
