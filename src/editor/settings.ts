/** The settings that people make, read where they are needed. */
import * as vscode from "vscode";
import type { Shapes } from "../session/inline/protocol.ts";

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

/** Only entries that are shapes: a settings file may hold anything. */
export function shapesSet(scope: vscode.Uri): Shapes {
  const found = value<Record<string, unknown>>("shapes", {}, scope);
  const isShape = (v: unknown): v is number[] =>
    Array.isArray(v) && v.every((n) => Number.isInteger(n) && n > 0);
  return Object.fromEntries(
    Object.entries(found).map(([loss, inputs]) => [
      loss,
      Object.fromEntries(
        Object.entries(inputs ?? {}).filter((entry): entry is [string, number[]] =>
          isShape(entry[1]),
        ),
      ),
    ]),
  );
}

/** Writes the shapes of one loss beside those of the others; none of them removes its entry. */
export async function saveShapes(
  scope: vscode.Uri,
  loss: string,
  shapes: Shapes[string] | null,
): Promise<void> {
  const { [loss]: _old, ...others } = shapesSet(scope);
  const target =
    vscode.workspace.workspaceFolders === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await vscode.workspace
    .getConfiguration(SECTION, scope)
    .update("shapes", shapes === null ? others : { ...others, [loss]: shapes }, target);
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
export function pythonTimeout(scope: vscode.Uri): number {
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
