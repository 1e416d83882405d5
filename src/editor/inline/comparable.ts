/** The losses that one can be compared with. */
import * as vscode from "vscode";
import type { InlineDocuments } from "./documents.ts";
import type { Target } from "./target.ts";

export interface Comparable extends Target {
  readonly detail: string;
}

/** Every loss that is known, other than the one it is to be compared with; its own file's first. */
export async function comparableLosses(
  documents: InlineDocuments,
  target: Target,
): Promise<Comparable[]> {
  await documents.outlined(target.document);
  const open = vscode.workspace.textDocuments.filter(
    (d) => d.languageId === "python" && d !== target.document,
  );
  await Promise.all(open.map((d) => documents.outlined(d)));
  const own = documents.lossesBeside(target.document);
  const others = open.flatMap((d) => documents.lossesIn(d));
  const seen = new Set<string>();
  return [...own, ...others].flatMap(({ name, document, candidate }) => {
    const key = `${document.uri.toString()}#${name}`;
    const isSelf =
      name === target.name && own.some((l) => l.name === name && l.document === document);
    if (isSelf || seen.has(key) || !candidate.named) return [];
    seen.add(key);
    const where = vscode.workspace.asRelativePath(document.uri);
    return [{ name, document, detail: `${where}, line ${String(candidate.place.line)}` }];
  });
}
