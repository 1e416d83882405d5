/** *Browse Dice Losses*: the catalogue's page, and what its buttons do. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { CatalogueItem, CatalogueMessage, CatalogueRequest } from "../../report/catalogue.ts";
import { Engine } from "../engine.ts";
import type { CatalogueActions } from "./actions.ts";

const VIEW_TYPE = "dice-gradient.catalogue";

export class CataloguePanel implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly extension: vscode.Uri;
  private readonly workerFile: string;
  private readonly actions: CatalogueActions;
  private readonly items = new Map<string, CatalogueItem>();
  private panel: vscode.WebviewPanel | null = null;
  /** A worker of its own, for as long as the page is open: a cell that computes delays no formula. */
  private engine: Engine | null = null;

  constructor(extension: vscode.Uri, workerFile: string, actions: CatalogueActions) {
    this.extension = extension;
    this.workerFile = workerFile;
    this.actions = actions;
  }

  open(): void {
    if (this.panel !== null) {
      this.panel.reveal();
      return;
    }
    this.fill(
      vscode.window.createWebviewPanel(VIEW_TYPE, "Dice Losses", vscode.ViewColumn.Active, {
        enableFindWidget: true,
      }),
    );
  }

  /** VS Code brings the page back with its window; what it showed the page itself has kept. */
  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.panel?.dispose();
    this.fill(panel);
    return Promise.resolve();
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private fill(panel: vscode.WebviewPanel): void {
    this.panel = panel;
    const { webview } = panel;
    webview.options = {
      enableScripts: true,
      localResourceRoots: ["dist", "media"].map((f) => vscode.Uri.joinPath(this.extension, f)),
    };
    webview.onDidReceiveMessage((request: unknown) => {
      if (isRequest(request)) void this.answer(webview, request);
    });
    panel.onDidDispose(() => {
      if (this.panel !== panel) return;
      this.panel = null;
      this.engine?.dispose();
      this.engine = null;
    });
    webview.html = this.html(webview);
  }

  private async answer(webview: vscode.Webview, request: CatalogueRequest): Promise<void> {
    const send = (message: CatalogueMessage): void => {
      void webview.postMessage(message);
    };
    const engine = (this.engine ??= new Engine(this.workerFile));
    if (request.kind === "search") {
      const { text } = request;
      const answer = await engine.catalogue({ search: text });
      if (!("items" in answer)) return;
      for (const item of answer.items) this.items.set(item.id, item);
      send({ kind: "found", text, items: answer.items });
      return;
    }
    const { kind, id } = request;
    const item = this.items.get(id);
    if (item === undefined) return;
    try {
      if (kind === "copy") {
        await vscode.env.clipboard.writeText(item.call);
        vscode.window.setStatusBarMessage(`Copied ${item.call}`, 3000);
        return;
      }
      const answer = await engine.catalogue({ formula: id });
      if (!("formula" in answer)) return;
      const { formula } = answer;
      if (kind === "formula") send({ kind, id, formula });
      else if (kind === "use") await this.actions.use(item, formula);
      else await this.actions.compare(item, formula);
    } catch (e) {
      const reason = e instanceof Error ? e.message : String(e);
      if (kind === "formula") send({ kind: "noFormula", id, reason });
      else await vscode.window.showErrorMessage(reason);
    }
  }

  private html(webview: vscode.Webview): string {
    const at = (...path: string[]): string =>
      webview.asWebviewUri(vscode.Uri.joinPath(this.extension, ...path)).toString();
    const nonce = randomBytes(16).toString("base64url");
    const policy = [
      "default-src 'none'",
      // The nonce is for the page's own script alone, which imports another file of the extension's.
      `script-src 'nonce-${nonce}' ${webview.cspSource}`,
      `style-src ${webview.cspSource}`,
      `font-src ${webview.cspSource}`,
    ].join("; ");
    return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Dice Losses</title>
    <link rel="stylesheet" href="${at("dist", "katex", "katex.min.css")}">
    <link rel="stylesheet" href="${at("media", "catalogue", "catalogue.css")}">
  </head>
  <body>
    <script type="module" nonce="${nonce}" src="${at("dist", "catalogue.js")}"></script>
  </body>
</html>`;
  }
}

/** A message of the page's own; anything else is not answered. */
function isRequest(value: unknown): value is CatalogueRequest {
  if (typeof value !== "object" || value === null) return false;
  const { kind, text, id } = value as Record<string, unknown>;
  if (kind === "search") return typeof text === "string";
  return ["formula", "use", "compare", "copy"].includes(String(kind)) && typeof id === "string";
}

export { VIEW_TYPE as CATALOGUE_VIEW };
