/** Names of arrays in editors, as Python expressions. */
import * as vscode from "vscode";
import { isNoArray } from "./identifier.ts";

const NAME = /[^\W\d]\w*/u;
const CHAIN = /[^\W\d]\w*(?:\.[^\W\d]\w*)*/u;

/**
 * The selected text, or the name at the cursor with what it is an attribute of: on `y_pred` of
 * `self.y_pred.grad` that is `self.y_pred`, as in the debugger's hovers.
 */
export function expressionAt({ document, selection }: vscode.TextEditor): string | null {
  if (!selection.isEmpty) return document.getText(selection).trim() || null;
  const name = document.getWordRangeAtPosition(selection.active, NAME);
  const chain = document.getWordRangeAtPosition(selection.active, CHAIN);
  if (name === undefined || chain === undefined) return null;
  return document.getText(new vscode.Range(chain.start, name.end));
}

/**
 * The same where it only looks something up: a name, its attributes and its elements. Null for what
 * would run code of the user's, for the name of what is called there, and for a module's.
 */
export function variableAt(editor: vscode.TextEditor): string | null {
  const { document, selection } = editor;
  const expression = expressionAt(editor);
  if (expression === null) return null;
  if (!selection.isEmpty) {
    return /^[^\W\d][\w.]*(?:\[[^()[\]]*\][\w.]*)*$/u.test(expression) ? expression : null;
  }
  const end = document.getWordRangeAtPosition(selection.active, NAME)!.end;
  const rest = document.getText(new vscode.Range(end, document.lineAt(end).range.end));
  return /^\s*\(/.test(rest) || isNoArray(expression) ? null : expression;
}
