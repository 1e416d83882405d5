/** The settings that people make, read where they are needed. */
import * as vscode from "vscode";
import type { Shapes } from "../session/inline/protocol.ts";
import { SEVERITIES, type Severities } from "../session/severities.ts";

export const SECTION = "dice-gradient";

function value<T>(name: string, otherwise: T, scope?: vscode.Uri): T {
  return vscode.workspace.getConfiguration(SECTION, scope).get<T>(name, otherwise);
}

export function isHoverOn(scope: vscode.Uri): boolean {
  return value("hover.enabled", true, scope);
}

export function isCodeLensOn(scope: vscode.Uri): boolean {
  return value("codeLens.enabled", true, scope);
}

export function isStatusBarOn(scope: vscode.Uri): boolean {
  return value("statusBar.enabled", true, scope);
}

export function areProblemsOn(scope: vscode.Uri): boolean {
  return value("diagnostics.enabled", true, scope);
}

/** Severities that are set for rules; a settings file may hold anything. */
export function severitiesSet(scope: vscode.Uri): Severities {
  const found = value<Record<string, unknown>>("diagnostics.severity", {}, scope);
  return Object.fromEntries(
    Object.entries(found).flatMap(([code, given]) => {
      const severity = SEVERITIES.find((s) => s === given);
      return severity === undefined ? [] : [[code, severity] as const];
    }),
  );
}

/**
 * The shapes set for the losses of a document: those of `losses.py:dice_loss` are for the function of
 * that file, those of `dice_loss` for any of that name.
 */
export function shapesSet(document: vscode.Uri): Shapes {
  const own = keyOfShapes(document, "");
  const entries = Object.entries(value<Record<string, unknown>>("shapes", {}, document));
  const isOwn = (key: string): boolean => key.startsWith(own);
  const general = entries.filter(([key]) => !key.includes(":"));
  const particular = entries.filter(([key]) => isOwn(key));
  return Object.fromEntries(
    [...general, ...particular].map(([key, inputs]) => [
      isOwn(key) ? key.slice(own.length) : key,
      shapesIn(inputs),
    ]),
  );
}

function keyOfShapes(document: vscode.Uri, loss: string): string {
  return `${vscode.workspace.asRelativePath(document)}:${loss}`;
}

/** As text. A settings file may hold anything; what makes no shape is found when it is used. */
function shapesIn(inputs: unknown): Shapes[string] {
  const found = Object.entries(inputs ?? {}).flatMap(([name, v]): [string, string][] =>
    Array.isArray(v) ? [[name, v.join(",")]] : typeof v === "string" ? [[name, v]] : [],
  );
  return Object.fromEntries(found);
}

/** Writes the shapes of one loss beside those of the others; without any, the code's own count. */
export async function saveShapes(
  document: vscode.Uri,
  loss: string,
  shapes: Shapes[string],
): Promise<void> {
  const all = value<Record<string, unknown>>("shapes", {}, document);
  const key = keyOfShapes(document, loss);
  const { [key]: _old, ...others } = all;
  // An empty entry stands against one for every loss of that name.
  const isNeeded = Object.keys(shapes).length > 0 || loss in all;
  const target =
    vscode.workspace.workspaceFolders === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await vscode.workspace
    .getConfiguration(SECTION, document)
    .update("shapes", isNeeded ? { ...others, [key]: shapes } : others, target);
}

interface PythonExtension {
  readonly environments?: {
    getActiveEnvironmentPath?(resource?: vscode.Uri): { readonly path?: unknown };
  };
}

/**
 * The interpreter whose packages imports come from: the setting, else what the Python extension has
 * selected. Null leaves the choice to the environment that VS Code was started in.
 */
export function pythonFor(scope?: vscode.Uri): string | null {
  const set = value("pythonPath", "", scope).trim();
  if (set !== "") return absolute(set, scope);
  const extension = pythonExtension();
  if (extension?.isActive !== true) return null;
  const path = extension.exports.environments?.getActiveEnvironmentPath?.(scope).path;
  return typeof path === "string" && path !== "" ? path : null;
}

function pythonExtension(): vscode.Extension<PythonExtension> | undefined {
  return vscode.extensions.getExtension<PythonExtension>("ms-python.python");
}

/** The Python extension knows its interpreter once it has started; one that cannot start has none. */
export async function startPythonExtension(): Promise<void> {
  await Promise.resolve(pythonExtension()?.activate()).catch(() => undefined);
}

/** Seconds that Python may take for one cell. */
export function pythonTimeout(scope?: vscode.Uri): number {
  return value("python.timeout", 120, scope);
}

/** `${workspaceFolder}` and relative paths, as people write them in settings that they share. */
function absolute(path: string, scope: vscode.Uri | undefined): string {
  const folder = (
    (scope === undefined ? undefined : vscode.workspace.getWorkspaceFolder(scope)) ??
    vscode.workspace.workspaceFolders?.[0]
  )?.uri;
  if (folder === undefined) return path;
  const named = path.replace(/\$\{workspaceFolder\}/g, folder.fsPath);
  return named.includes("/") && !/^(\/|~|[A-Za-z]:)/.test(named)
    ? vscode.Uri.joinPath(folder, named).fsPath
    : named;
}
