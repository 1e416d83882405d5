/** The hover over a loss's name: the loss and its gradient, typeset. */
import * as vscode from "vscode";
import { isHoverOn } from "../settings.ts";
import type { InlineDocuments, Loss } from "./documents.ts";
import { type Link, failureText, reportText } from "./hoverText.ts";
import { argumentOf } from "./target.ts";
import type { Typesetter } from "./typesetter.ts";

/** Pixels a hover can be wide before it gets a scroll bar. */
const WIDTH = 480;

/** The colour of a hover's text in VS Code's own themes of each kind. */
const INKS: Readonly<Record<vscode.ColorThemeKind, string>> = {
  [vscode.ColorThemeKind.Light]: "#3b3b3b",
  [vscode.ColorThemeKind.Dark]: "#cccccc",
  [vscode.ColorThemeKind.HighContrast]: "#ffffff",
  [vscode.ColorThemeKind.HighContrastLight]: "#292929",
};

export class LossHovers implements vscode.HoverProvider {
  private readonly documents: InlineDocuments;
  private readonly typesetter: Typesetter;

  constructor(documents: InlineDocuments, typesetter: Typesetter) {
    this.documents = documents;
    this.typesetter = typesetter;
  }

  async provideHover(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.Hover | null> {
    if (!isHoverOn(document.uri)) return null;
    await this.documents.outlined(document, token);
    const found = this.documents.lossAt(document, position);
    if (found === null) return null;
    const { loss, range } = found;
    // What is imported is derived only when someone asks.
    const fresh = loss.isStale && loss.candidate.kind === "imported";
    const known = fresh ? null : loss.result;
    const result =
      known ?? (await this.documents.derived(loss.document, loss.name, { token, fresh }));
    if (result === null) return null;
    // A function of two arrays may be anything; only of what is called a loss is it said why not.
    if (result.kind === "failed" && !loss.candidate.named) return null;
    const ink = INKS[vscode.window.activeColorTheme.kind];
    const text =
      result.kind === "failed"
        ? failureText(loss.name, result.failure, linksOf(loss, false))
        : await reportText(
            result.report,
            linksOf(loss, true),
            (latex) => this.typesetter.picture(latex, ink, WIDTH),
            { asText: hasScreenReader(), isStale: loss.isStale },
          );
    const markdown = new vscode.MarkdownString(text, true);
    markdown.isTrusted = { enabledCommands: linksOf(loss, true).map((l) => l.command) };
    return new vscode.Hover(markdown, range);
  }
}

function hasScreenReader(): boolean {
  return vscode.workspace.getConfiguration("editor").get("accessibilitySupport") === "on";
}

function linksOf(loss: Loss, isDerived: boolean): Link[] {
  const argument = argumentOf(loss);
  const link = (title: string, command: string, tooltip: string): Link => ({
    title,
    command: `dice-gradient.${command}`,
    argument,
    tooltip,
  });
  const report = link(
    "Full report",
    "deriveGradient",
    "The derivation step by step, beside the code",
  );
  const shapes = link("Set shapes", "setShapes", "Say which shapes the arrays have");
  if (!isDerived) return [report, shapes];
  return [
    report,
    link("Check", "checkLoss", "Check the gradient on arrays"),
    link("Compare", "compareLosses", "Compare with another loss"),
    shapes,
  ];
}
