/** Diagnostics of whole files: which losses they hold, and what the rules find about each. */
import { RULES } from "../explain/rules/table.ts";
import { topLevelOf } from "../python/dependencies.ts";
import type { PythonParser } from "../python/parser.ts";
import { PythonProgram, callablesOf, isNamedByRole } from "../python/program.ts";
import type { Module } from "../python/syntax.ts";
import { parseTolerantly } from "../python/tolerant.ts";
import type { Diagnostic } from "../report/schema.ts";
import { bounded } from "./bounded.ts";
import { toFailure } from "./failure.ts";
import { SessionHost } from "./host.ts";
import { candidatesOf } from "./inline/candidates.ts";
import type { Candidate, Part } from "./inline/protocol.ts";
import type { Watch } from "./inspect.ts";
import type { Engine } from "./jobs.ts";
import type { Failure } from "./protocol.ts";
import { judgeHandwritten } from "./handwritten.ts";
import { cellsOf, isNotebook, placeOfCell } from "./notebookCells.ts";
import { diagnose, traceForRules } from "./rules.ts";

export interface LintFinding extends Diagnostic {
  /** The loss that was looked at. */
  readonly function: string;
}

export interface LintResult {
  readonly file: string;
  /** Losses that were looked at. */
  readonly losses: number;
  readonly findings: readonly LintFinding[];
  /** Losses that could not be looked at, and why. */
  readonly untraced: readonly { readonly name: string; readonly failure: Failure }[];
  /** What is wrong with the file itself. */
  readonly faults: readonly Failure[];
}

/** Words without which a file holds no loss: a name that says so, and a library of arrays. */
const LOSS_WORD =
  /loss|dice|iou|jaccard|tversky|criterion|cross_?entropy|bce|focal|lovasz|f1_?score|f_?beta|hausdorff/i;
const ARRAY_LIBRARY = /\b(torch|tensorflow|keras|jax|numpy|autograd)\b/;

/**
 * What the rules find in a Python file or a notebook, whose cells are one program: a place in it has
 * the file `notebook.ipynb:cell 3`. Only functions and classes that are named like losses are
 * looked at: elsewhere a division is nobody's denominator. Never throws for the
 * Python that the file holds.
 */
export function lintSource(
  text: string,
  file: string,
  directory: string,
  { parser, files }: Engine,
  watch: Watch,
): LintResult {
  const nothing = { file, losses: 0, findings: [], untraced: [], faults: [] };
  if (!mayHoldLosses(text)) return nothing;
  const read = partsOf(text, file).map((p) => parseTolerantly(parser, p.text, p.file));
  const broken = read.flatMap(({ faults }) => faults.map(toFailure));
  const named = namedLosses(read.map(({ module }) => module));
  if (named.length === 0) return { ...nothing, faults: broken };

  const stop = (): boolean => watch.isCancelled();
  const host = new SessionHost(files, directory, () => undefined, stop);
  const program = new PythonProgram(parser, host, { file });
  for (const { module } of read) program.loadModule(module);
  const found: LintFinding[] = [];
  const untraced: { name: string; failure: Failure }[] = [];
  let losses = 0;
  for (const { name } of named) {
    if (stop()) break;
    try {
      const trace = traceForRules(program, name);
      if (!trace.inputs.some((x) => x.role === "target")) continue;
      // Intermediate steps, as compute(numerator, denominator), are no losses of a prediction.
      if (!trace.inputs.some((x) => isNamedByRole(x.parameter))) continue;
      losses++;
      const written =
        // On a way that was only assumed, the gradient written for another is no mistake.
        trace.handwritten.length === 0 || trace.decisions.length > 0
          ? []
          : bounded(trace, () => judgeHandwritten(trace)).diagnostics;
      for (const d of [...written, ...bounded(trace, () => diagnose(trace, RULES))]) {
        if (d.code.startsWith("DG")) found.push({ ...d, function: name });
      }
    } catch (e) {
      untraced.push({ name, failure: toFailure(e) });
    }
  }
  return { file, losses, findings: distinct(found), untraced, faults: broken };
}

/** The losses of a file by their names, without looking into them. */
export function lossNames(
  text: string,
  file: string,
  parser: PythonParser,
): { name: string; line: number; column: number }[] {
  if (!mayHoldLosses(text)) return [];
  return namedLosses([parseTolerantly(parser, text, file).module]).map(({ name, place }) => ({
    name,
    line: place.line,
    column: place.column,
  }));
}

function mayHoldLosses(text: string): boolean {
  return LOSS_WORD.test(text) && ARRAY_LIBRARY.test(text);
}

/** @throws Error for what is no notebook but is called one */
function partsOf(text: string, file: string): readonly Part[] {
  return isNotebook(file) ? cellsOf(text, file) : [{ file, text }];
}

function namedLosses(modules: readonly Module[]): Candidate[] {
  return candidatesOf(modules.map(callablesOf), modules.map(topLevelOf)).filter((c) => c.named);
}

/** A class and the function that it calls come to the same finding. */
function distinct(findings: readonly LintFinding[]): LintFinding[] {
  const byPlace = new Map<string, LintFinding>();
  for (const f of findings) {
    const key = [f.code, f.location?.file, f.location?.line, f.location?.column].join(":");
    if (!byPlace.has(key)) byPlace.set(key, f);
  }
  const line = (f: LintFinding): number => f.location?.line ?? 0;
  const cell = (f: LintFinding): number => placeOfCell(f.location?.file ?? "").cell ?? 0;
  return [...byPlace.values()].sort((a, b) => cell(a) - cell(b) || line(a) - line(b));
}

export const RULE_CODES: readonly string[] = RULES.map((r) => r.code);
