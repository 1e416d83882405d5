/** Findings that a comment in the code silences. */
import type { SourceSpan } from "../expression/node.ts";
import type { Module } from "../python/syntax.ts";

/**
 * `# dice-gradient: ignore[DG001, DG002]` (or without codes: all of them) at the end of one of the
 * finding's lines, or in a line of its own above it.
 */
export function isIgnored(
  code: string,
  { file, line, endLine = line }: Pick<SourceSpan, "file" | "line" | "endLine">,
  syntax: ReadonlyMap<string, Module>,
): boolean {
  const lines = syntax.get(file)?.source.lines ?? [];
  const own = lines.slice(line - 1, endLine);
  const above = lines[line - 2]?.trim() ?? "";
  return [...own, ...(above.startsWith("#") ? [above] : [])].some((text) => {
    const [marked, codes] = IGNORE.exec(text) ?? [];
    return marked !== undefined && (codes === undefined || codes.includes(code));
  });
}
const IGNORE = /#\s*dice-gradient:\s*ignore\b(?:\s*\[([^\]]*)\])?/;
