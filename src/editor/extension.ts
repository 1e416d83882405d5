/** Entry point of the extension host bundle. What computes lives in the worker (engine.ts). */
import { join } from "node:path";
import type * as vscode from "vscode";
import { registerArrays } from "./arrays/register.ts";
import { registerAutograd } from "./autograd/register.ts";
import { registerCatalogue } from "./catalogue/register.ts";
import { registerCommands } from "./commands.ts";
import { NotebookController } from "./controller.ts";
import { CellVerdicts } from "./cellStatus.ts";
import { Engine } from "./engine.ts";
import { registerInline } from "./inline/register.ts";
import { openLinksOfReports } from "./reportLinks.ts";

/** Called by VS Code when a notebook or a Python file opens, or one of the commands is used. */
export function activate(context: vscode.ExtensionContext): void {
  const engine = new Engine(join(context.extensionPath, "dist", "worker.js"));
  const controller = new NotebookController(engine);
  const autograd = registerAutograd(context, engine, controller);
  const inline = registerInline(context, controller, autograd.runs);
  const arrays = registerArrays(context, controller, inline.documents, engine);
  context.subscriptions.push(
    controller,
    ...autograd.disposables,
    ...registerCommands(context, controller),
    ...registerCatalogue(context, controller, inline),
    ...inline.disposables,
    ...arrays.disposables,
    new CellVerdicts(),
    openLinksOfReports(),
    {
      dispose: () => {
        engine.dispose();
      },
    },
  );
}
