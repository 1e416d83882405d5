/** Which loss a command is about: the one it is given, else the one around the cursor. */
import * as vscode from "vscode";
import type { InlineDocuments, Loss } from "./documents.ts";

/** What links and lenses hand to commands. Plain data: it travels in a link. */
export interface TargetArgument {
  /** Of the file or cell that defines the loss. */
  readonly uri: string;
  readonly name: string;
}

export interface Target {
  readonly document: vscode.TextDocument;
  readonly name: string;
}

export function argumentOf(loss: Loss): TargetArgument {
  return { uri: loss.document.uri.toString(), name: loss.name };
}

/** Top-level functions and classes, by the lines alone. */
export function definitionsIn(
  lines: readonly string[],
): { readonly name: string; /** From 1. */ readonly line: number }[] {
  return lines.flatMap((text, k) => {
    const name = DEFINITION.exec(text)?.[1];
    return name === undefined ? [] : [{ name, line: k + 1 }];
  });
}

function isArgument(value: unknown): value is TargetArgument {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as TargetArgument).uri === "string" &&
    typeof (value as TargetArgument).name === "string"
  );
}

/** Null after telling the user what to do. */
export async function targetOf(
  documents: InlineDocuments,
  argument: unknown,
): Promise<Target | null> {
  if (isArgument(argument)) {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(argument.uri));
    return { document, name: argument.name };
  }
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "python") {
    await vscode.window.showInformationMessage("Open a Python file and put the cursor in a loss.");
    return null;
  }
  const { document, selection } = editor;
  await documents.outlined(document);
  const name = lossAround(documents, document, selection.active);
  if (name !== null) return { document, name };
  await vscode.window.showInformationMessage(
    "Put the cursor in a function or class at the top level of the file.",
  );
  return null;
}

/** The loss whose name is under the cursor, or in whose definition it stands. */
function lossAround(
  documents: InlineDocuments,
  document: vscode.TextDocument,
  at: vscode.Position,
): string | null {
  const named = documents.lossAt(document, at)?.loss.name;
  if (named !== undefined) return named;
  const line = at.line + 1;
  const around = documents
    .lossesIn(document)
    .find(({ candidate: c }) => c.kind !== "imported" && c.firstLine <= line && line <= c.lastLine);
  return around?.name ?? definitionAround(document, at.line);
}

const DEFINITION = /^(?:async\s+)?(?:def|class)\s+([A-Za-z_]\w*)/;

/** Name of the top-level `def` or `class` that the line belongs to. */
function definitionAround(document: vscode.TextDocument, line: number): string | null {
  for (let k = line; k >= 0; k--) {
    const { text, isEmptyOrWhitespace } = document.lineAt(k);
    const definition = DEFINITION.exec(text);
    if (definition !== null) return definition[1]!;
    // A decorator above the definition belongs to it; other code at the margin ends the search.
    if (text.startsWith("@")) return definitionBelow(document, k);
    if (!isEmptyOrWhitespace && /^[^\s#)\]}]/.test(text)) return null;
  }
  return null;
}

function definitionBelow(document: vscode.TextDocument, from: number): string | null {
  for (let k = from; k < document.lineCount; k++) {
    const definition = DEFINITION.exec(document.lineAt(k).text);
    if (definition !== null) return definition[1]!;
  }
  return null;
}
