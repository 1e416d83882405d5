/** Inspecting sources with a gradient written by hand, and applying the fix that a report offers. */
import type { HandWritten, HandWrittenFix, Report } from "../../../src/report/schema.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { inspectSource } from "../../../src/session/jobs.ts";
import { sharedParser } from "../python/session.ts";

const FILE = "losses.py";
const watch = { onProgress: () => undefined, isCancelled: () => false };

export async function reportOf(
  source: string,
  callable: string,
  values: readonly string[] = [],
): Promise<Report> {
  const parser = await sharedParser();
  const files = filesFor();
  const job = { source, file: FILE, callable, values, wrt: null, directory: "." };
  const [result] = inspectSource(job, { parser, files }, watch);
  if (result === undefined || "failure" in result) {
    throw new Error(result === undefined ? "nothing was inspected" : result.failure.message);
  }
  return result.inspection.report;
}

/** What is said of the gradients written by hand in a source. */
export async function handwrittenOf(source: string, callable: string): Promise<HandWritten[]> {
  return [...((await reportOf(source, callable)).handwritten ?? [])];
}

export function applied(source: string, fix: HandWrittenFix): string {
  const lines = source.split("\n");
  const offset = (line: number, column: number): number =>
    lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + column - 1;
  // From the last to the first, so that places before an edit stay what they are.
  const edits = [...fix.edits].sort((a, b) => offset(b.line, b.column) - offset(a.line, a.column));
  return edits.reduce(
    (text, e) =>
      text.slice(0, offset(e.line, e.column)) +
      e.newText +
      text.slice(offset(e.endLine, e.endColumn)),
    source,
  );
}
