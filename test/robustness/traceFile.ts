/** What the product does with a Python file, without the drawing: parse, load, list, trace. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PythonError } from "../../src/python/errors.ts";
import { QUICK_LIMITS } from "../../src/python/interpreter/interpreter.ts";
import type { PythonParser } from "../../src/python/parser.ts";
import { type CallableInfo, PythonProgram } from "../../src/python/program.ts";
import { filesFor } from "../../src/session/files.node.ts";
import { SessionHost } from "../../src/session/host.ts";

export interface FileRun {
  /** The file's own mistake, where it does not parse. */
  readonly refused: string | null;
  readonly callables: number;
  readonly tried: number;
  readonly traced: number;
}

/** Of a file with hundreds of functions those are traced that a person would ask for, then others. */
const CALLABLES_A_FILE = 30;

/** The safety net below the budget of steps, as for a hover. */
const TIME_MS = 700;

const files = filesFor();

/** @throws whatever is no PythonError: a fault of ours */
export function traceFile(parser: PythonParser, text: string, path: string): FileRun {
  const host = new SessionHost(
    files,
    "/",
    () => undefined,
    () => false,
  );
  host.deadline = performance.now() + TIME_MS;
  const program = new PythonProgram(parser, host, { file: path, limits: QUICK_LIMITS });
  try {
    program.load(text, path).forEach(refuseFault);
  } catch (e) {
    if (!(e instanceof PythonError)) throw e;
    refuseFault(e);
    return refusal(e.headline);
  }
  const callables = program.callables();
  const chosen = [...callables].sort((a, b) => rank(a) - rank(b)).slice(0, CALLABLES_A_FILE);
  let traced = 0;
  for (const { name } of chosen) {
    try {
      program.trace(name);
      traced++;
    } catch (e) {
      if (!(e instanceof PythonError)) throw e;
      refuseFault(e);
    }
  }
  return { refused: null, callables: callables.length, tried: chosen.length, traced };
}

/** A file that is no Python, or that cannot be read. */
export function refusal(reason: string): FileRun {
  return { refused: reason, callables: 0, tried: 0, traced: 0 };
}

/** Faults of ours reach a person as errors at a line; here they count as crashes. */
function refuseFault(e: PythonError): void {
  if (e.cause instanceof TypeError) throw e.cause;
}

function rank(c: CallableInfo): number {
  if (/loss|dice|iou|jaccard|tversky|focal|entropy/i.test(c.name)) return 0;
  return c.parameters.some((p) => /true|pred|target|label|logit|mask/i.test(p.name)) ? 1 : 2;
}

/** Every .py file below a folder, in the order of their names. */
export function* pythonFiles(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* pythonFiles(path);
    else if (entry.isFile() && entry.name.endsWith(".py")) yield path;
  }
}
