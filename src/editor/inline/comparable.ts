/** The losses of the user's own that one can be compared with. */
import * as vscode from "vscode";
import { isNamedLikeALoss } from "../../session/inline/candidates.ts";
import type { InlineDocuments } from "./documents.ts";
import { type Target, type TargetArgument, definitionsIn } from "./target.ts";

export interface Comparable extends TargetArgument {
  /** Where it is, for a reader. */
  readonly detail: string;
}

/** Files that are looked through for losses, and how long one may be. */
const MOST_FILES = 200;
const LONGEST = 200_000;

/**
 * Losses of the target's own file or notebook, then of others that are open, other than itself; every
 * open one without a target.
 */
export async function comparableLosses(
  documents: InlineDocuments,
  target: Target | null,
): Promise<Comparable[]> {
  const open = vscode.workspace.textDocuments.filter(
    (d) => d.languageId === "python" && d !== target?.document,
  );
  const first = target === null ? [] : [target.document];
  await Promise.all([...first, ...open].map((d) => documents.outlined(d)));
  const own = first.flatMap((d) => documents.lossesBeside(d));
  const others = open.flatMap((d) => documents.lossesIn(d));
  const found = [...own, ...others].flatMap(({ name, document, candidate }) => {
    const isSelf =
      name === target?.name && own.some((l) => l.name === name && l.document === document);
    return isSelf || !candidate.named ? [] : [comparable(document.uri, name, candidate.place.line)];
  });
  return distinct(found);
}

/** Losses by their names in the workspace's other files, as far as these are small. */
export async function lossesOfWorkspace(token: vscode.CancellationToken): Promise<Comparable[]> {
  const files = await vscode.workspace.findFiles("**/*.py", undefined, MOST_FILES, token);
  const isOpen = new Set(vscode.workspace.textDocuments.map((d) => d.uri.toString()));
  const found: Comparable[] = [];
  for (const uri of files.sort((a, b) => a.path.localeCompare(b.path))) {
    if (token.isCancellationRequested) break;
    if (isOpen.has(uri.toString())) continue;
    const bytes = await vscode.workspace.fs.readFile(uri).then(
      (b) => b,
      () => new Uint8Array(),
    );
    if (bytes.length > LONGEST) continue;
    const lines = new TextDecoder().decode(bytes).split("\n");
    for (const { name, line } of definitionsIn(lines)) {
      if (isNamedLikeALoss(name)) found.push(comparable(uri, name, line));
    }
  }
  return found;
}

function comparable(uri: vscode.Uri, name: string, line: number): Comparable {
  const notebook = uri.scheme === "vscode-notebook-cell";
  const where = notebook ? "this notebook" : vscode.workspace.asRelativePath(uri);
  return { uri: uri.toString(), name, detail: `${where}, line ${String(line)}` };
}

export function distinct(losses: readonly Comparable[]): Comparable[] {
  return [...new Map(losses.map((l) => [`${l.uri}#${l.name}`, l])).values()];
}
